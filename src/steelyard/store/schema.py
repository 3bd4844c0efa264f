"""The tables. Amounts are decimal text, times RFC 3339 text in UTC, lists and records JSON text.

What they must be is in the database itself: one number per version of a name, one active version of
a name, one assignment of a bucket, an amount of cash per bucket and currency.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


strategy_version = Table(
    "strategy_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, CheckConstraint("version > 0", name="from_1"), nullable=False),
    _words("title"),
    _words("description"),
    Column("toml", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("rules_sha256", Text, nullable=False),
    Column("active", Integer, CheckConstraint("active IN (0, 1)", name="yes_no"), nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("parent", Integer),
    _words("reason"),
    UniqueConstraint("name", "version", name="one_number"),
    Index(
        "one_active",
        "name",
        unique=True,
        sqlite_where=text("active = 1"),
        postgresql_where=text("active = 1"),
    ),
    sqlite_autoincrement=True,
)
"""Every version of every strategy.

sha256 is of the text, as plans name it, rules_sha256 of what acts in it; parent is the version of
the same name that it was made from. Rows are added and never changed, but for `active`.
"""

bucket = Table(
    "bucket",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, CheckConstraint("kind IN ('core', 'satellite')"), nullable=False),
    Column("status", Text, nullable=False),
    Column("target_weight", Float, nullable=False),
    Column("universe", Text, nullable=False, server_default="[]"),
    Column("base_currency", Text),
    Column("settings", Text, nullable=False, server_default="{}"),
    Column("created_at", Text, nullable=False),
    Column("portfolio", Text, ForeignKey("snapshot.sha256")),
    Column("market", Text, ForeignKey("snapshot.sha256")),
    Column("files", Text, nullable=False, server_default="[]"),
    Column("loaded_at", Text),
    Column("as_of", Text),
    Column("value", Text),
    Column("units", Text),
    Column("high_water_mark", Text),
)
"""Core and satellites. portfolio, market: what it holds and its prices, in `snapshot`.

settings: what its owner set, as of the newest row of `bucket_settings`.
"""

assignment = Table(
    "assignment",
    metadata,
    Column("bucket", Text, ForeignKey("bucket.name"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer),
    Column("assigned_at", Text, nullable=False),
    Column("assigned_by", Text, nullable=False),
    Index("followers", "name"),
)
"""Which strategy a bucket plans by. version: pinned to it; null = follows the active one."""

bucket_settings = Table(
    "bucket_settings",
    metadata,
    Column("bucket", Text, ForeignKey("bucket.name"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("settings", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
)
"""Every version of what the owner set of a bucket."""

bucket_cash = Table(
    "bucket_cash",
    metadata,
    Column("bucket", Text, ForeignKey("bucket.name"), primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("amount", Text, nullable=False),
)
"""A bucket's own part of the account's cash."""

cash_move = Table(
    "cash_move",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("bucket", Text, ForeignKey("bucket.name"), nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("other", Text),
    sqlite_autoincrement=True,
)
"""Every change of a bucket's cash: what was loaded, and transfers, whose two sides sum to 0."""

snapshot = Table(
    "snapshot",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("kind", Text, CheckConstraint("kind IN ('portfolio', 'market')"), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False),
)
"""Inputs of plans, once each: what is owned with its targets, and the prices."""

plan = Table(
    "plan",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("bucket", Text, nullable=False),
    Column("as_of", Text, nullable=False),
    Column("saved_at", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("strategy_version", Integer),
    Column("strategy_sha256", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("score", Float, nullable=False),
    Column("improvement", Float, nullable=False),
    Column("turnover", Float, nullable=False),
    Column("cost", Text, nullable=False),
    Column("base_currency", Text, nullable=False),
    Column("sequences", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("inputs_sha256", Text, nullable=False),
    Column("portfolio", Text, ForeignKey("snapshot.sha256"), nullable=False),
    Column("market", Text, ForeignKey("snapshot.sha256"), nullable=False),
    Column("files", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("plans_of_bucket", "bucket", "saved_at"),
    Index("plans_of_strategy", "strategy", "strategy_version"),
)
"""Plans as they were made. document: their JSON, deflated; the columns repeat what lists show."""

preset = Table(
    "preset",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _words("description"),
    Column("toml", Text, nullable=False),
    _words("author"),
    Column("tags", Text, nullable=False, server_default="[]"),
    Column("rating", Float),
    Column("created_at", Text, nullable=False),
)
"""The user's own presets."""

preset_use = Table(
    "preset_use",
    metadata,
    Column("id", Text, primary_key=True),
    Column("uses", Integer, nullable=False),
)
"""How often a preset was begun with or applied, shipped ones too."""

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("timestamp", Text, nullable=False),
    Column("bucket_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Index("events_of_bucket", "bucket_id", "id"),
    sqlite_autoincrement=True,
)
"""What happened, in the order of commits."""

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_key", Text, nullable=False, unique=True),
    Column("bucket", Text, nullable=False),
    Column("parts", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("touched_at", Text, nullable=False),
    Column("evaluated", Integer, nullable=False, server_default="0"),
    Column("total", Integer),
    Column("errors", Integer, nullable=False, server_default="0"),
    Column("plan_id", Text),
    Column("final", Integer, CheckConstraint("final IN (0, 1)"), nullable=False),
    _words("because"),
    Index("runs_of_bucket", "bucket", "touched_at"),
    sqlite_autoincrement=True,
)
"""Plans that are made in slices. run_key: hash of `parts`, all that the plan is a function of.

total: null until every sequence was generated once; plan_id: the newest plan made of it.
"""

run_slice = Table(
    "run_slice",
    metadata,
    Column("run_id", Integer, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("slice", Integer, primary_key=True, autoincrement=False),
    Column("part", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("stop", Integer, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('free', 'claimed', 'done')"), nullable=False),
    Column("lease_until", Text),
    Column("holder", Text),
    Column("digest", Text),
    Column("finished_at", Text),
    Column("body", LargeBinary),
    UniqueConstraint("run_id", "part", "start", name="one_range"),
)
"""Work of a run, numbered in the order of claims; see `store.leases`.

part: which work, `start` to `stop` the range of it, digest: of what the range was calculated from.
"""

bucket_hold = Table(
    "bucket_hold",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("state", Text, CheckConstraint("state IN ('free', 'claimed', 'done')"), nullable=False),
    Column("lease_until", Text),
    Column("holder", Text),
)
"""Which process is planning a bucket in slices; see `store.leases`."""

fleet_run = Table(
    "fleet_run",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("parts", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("accounts", Integer, nullable=False),
    _words("because"),
    Column("created_at", Text, nullable=False),
    Column("finished_at", Text),
    Index("fleets_of_folder", "folder", "created_at"),
)
"""Plans of a folder of accounts. run_id: hash of `parts`, of every account's files, and the day.

parts: hashes of what the accounts have in common; because: why it is not the run before.
"""


def _of_fleet_run() -> Column[str]:
    return Column(
        "run_id", Text, ForeignKey("fleet_run.run_id", ondelete="CASCADE"), primary_key=True
    )


fleet_slice = Table(
    "fleet_slice",
    metadata,
    _of_fleet_run(),
    Column("slice", Integer, primary_key=True, autoincrement=False),
    Column("accounts", Text, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('free', 'claimed', 'done')"), nullable=False),
    Column("lease_until", Text),
    Column("holder", Text),
    Column("digest", Text),
    Column("finished_at", Text),
)
"""Accounts that are planned together, folder -> hash of its files; see `store.leases`.

digest: of what its plans came to.
"""

fleet_account = Table(
    "fleet_account",
    metadata,
    _of_fleet_run(),
    Column("folder", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("plan_id", Text),
    Column("verdict", Text),
    Column("orders", Integer),
    Column("improvement", Float),
    Column("turnover", Float),
    Column("drift_before", Float),
    Column("drift_after", Float),
    Column("cost", Text),
    Column("value", Text),
    Column("base_currency", Text),
    Column("as_of", Text),
    Column("occasions", Text, nullable=False, server_default="[]"),
    Column("problems", Integer, nullable=False, server_default="0"),
    _words("note"),
    Column("error", Text),
    Column("code", Text),
    Column("seconds", Float, nullable=False),
)
"""What an account came to: its plan, or the error that it has instead. digest: of its files."""

approval = Table(
    "approval",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("plan_id", Text, ForeignKey("plan.plan_id"), nullable=False),
    Column("approved_at", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("broker", Text, nullable=False),
    Column("typed", Text, nullable=False),
    Column("notes", Text, nullable=False, server_default="[]"),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('stored', 'handed_over', 'refused')"),
        nullable=False,
    ),
    Column("run_id", Text),
    Column("code", Text, nullable=False, server_default=""),
    _words("words"),
    UniqueConstraint("plan_id", "expires_at", name="one_approval"),
    sqlite_autoincrement=True,
)
"""What a person stood behind: of one plan until one moment at most once.

notes: ids of those that were read; typed: the number as it was typed; run_id: in the journal;
code, words: what became of it, and why nothing was sent where that is so.
"""

sent_form = Table(
    "sent_form",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("nonce", Text, nullable=False),
    Column("sent_at", Text, nullable=False),
    Column("address", Text),
    Index("sent_form_of_nonce", "nonce"),
)
"""A form of a page that was acted upon: the hash of all that was sent, and where it led."""

sign_in = Table(
    "sign_in",
    metadata,
    Column("id", Text, primary_key=True),
    Column("link_sha256", Text, nullable=False, unique=True),
    Column("session_sha256", Text, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("link_until", Text, nullable=False),
    Column("used_at", Text),
    Column("until", Text),
    Column("revoked_at", Text),
)
"""A link to the pages, and the session that it opened; of both secrets the SHA-256.

until: of the session; used_at, until: None = the link was not used.
"""

schedule = Table(
    "schedule",
    metadata,
    Column("bucket", Text, ForeignKey("bucket.name"), primary_key=True),
    Column("toml", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("updated_by", Text, nullable=False),
    Column("muted_until", Text),
    Column("looked_until", Text, nullable=False),
    _words("band_inputs"),
    _words("band_day"),
    Column("band_breaches", Text, nullable=False, server_default="[]"),
)
"""When a bucket is planned by itself, and how far that was seen to. sha256: of the text.

looked_until: every tick up to then is dealt with; band_inputs, band_day, band_breaches: from what
the last look at its bands planned, on which day there, and what was out of its band.
"""

tick = Table(
    "tick",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("bucket", Text, nullable=False),
    Column("due_at", Text),
    Column("at", Text, nullable=False),
    Column(
        "reason",
        Text,
        CheckConstraint("reason IN ('calendar', 'one-time', 'missed', 'band')", name="why"),
        nullable=False,
    ),
    Column(
        "outcome",
        Text,
        CheckConstraint("outcome IN ('planned', 'refused', 'quiet', 'muted')", name="what"),
        nullable=False,
    ),
    Column("plan_id", Text),
    Column("missed", Integer, nullable=False, server_default="0"),
    Column("missed_since", Text),
    _words("detail"),
    Column("breaches", Text, nullable=False, server_default="[]"),
    Column("deliveries", Text, nullable=False, server_default="{}"),
    Column("waiting", Integer, CheckConstraint("waiting IN (0, 1)"), nullable=False),
    UniqueConstraint("bucket", "due_at", name="one_tick"),
    Index("ticks_of_bucket", "bucket", "id"),
    Index("ticks_to_tell", "waiting"),
    sqlite_autoincrement=True,
)
"""What came of a time at which a bucket was due, or of a look at its bands, which has no due_at.

missed: ticks that nobody looked at, from missed_since on; deliveries: channel -> what came of
telling it; waiting: is any of them still to be told?
"""

scheduler = Table(
    "scheduler",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", Text, CheckConstraint("state IN ('free', 'claimed', 'done')"), nullable=False),
    Column("lease_until", Text),
    Column("holder", Text),
)
"""Which process looks what is due; see `store.leases`."""
