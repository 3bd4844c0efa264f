"""All that there is to see before a person stands behind a plan, gathered at one moment.

Nothing is written and no broker is asked. What of it can change until the word is typed is looked
at again then: see `approve`.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

from steelyard.environment import command
from steelyard.execution.accounts import SHOWN_DIGITS, account_of
from steelyard.execution.approved import Approved, approved
from steelyard.execution.beforehand import Beforehand, beforehand
from steelyard.execution.configuration import Configuration, load
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import open_to_look
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.paper_account import misfit
from steelyard.execution.states import NOT_BEGUN, RUN_OVER, Outcome
from steelyard.plans import verify
from steelyard.plans.plan import Plan, content
from steelyard.runs.approval.changes import Changed, bucket_in, changes
from steelyard.runs.approval.money import Number, Totals, number, totals
from steelyard.runs.approval.notes import Note, notes
from steelyard.runs.standing import newer_than
from steelyard.store import approvals, plans
from steelyard.store.approvals import Approval
from steelyard.store.plans import PlanRow, StoredPlan
from steelyard.store.store import Store

Level = Literal["ok", "warn", "stop", "wait"]
Broker = Literal["paper", "alpaca"]
PAPER = "paper_account"
VERDICTS = 64
"""Second opinions that are remembered: a plan never changes."""
MENDS = {
    "halted": ("When you have looked:", "halt --lift --reason TEXT"),
    "frozen": ("Look, then:", "reconcile --account {account} --acknowledge --reason TEXT"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """A line of the page: what was looked at, and how it stands.

    level   ok, warn: told, stop: nothing may be approved, wait: asked when the run begins
    """

    name: str
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a plan may not be approved now, and what to do; again: would another plan mend it?"""

    code: str
    text: str
    mend: str = ""
    again: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where approvals live: the folder of journal, kill switch and runner; the environment."""

    home: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFacts:
    """What the page shows.

    expires_at   until when this very page may be approved
    notes        to be read: on paper told, at a real broker each has to be ticked (`must_read`)
    changes      since the plan was made; any of them stops it
    newer        a plan of the bucket that was made later
    approval     the newest of this plan
    run          that trades or traded it
    hindrance    why it may not be approved; None = it may
    live         words on trading with real money, which is never armed from here
    """

    entry: StoredPlan
    orders: Approved
    account: str
    broker: Broker
    at: datetime
    expires_at: datetime
    totals: Totals
    number: Number
    checks: tuple[Check, ...]
    notes: tuple[Note, ...]
    changes: tuple[Changed, ...]
    newer: PlanRow | None
    approval: Approval | None
    run: RunRow | None
    hindrance: Hindrance | None
    live: str

    @property
    def armable(self) -> bool:
        """May it be approved now?"""
        return self.hindrance is None

    @property
    def reason(self) -> str:
        """Why it may not; "" = it may."""
        return "" if self.hindrance is None else self.hindrance.text

    @property
    def must_read(self) -> bool:
        """Has each note to be ticked?"""
        return self.broker != "paper"

    @property
    def seen(self) -> str:
        """A digest of what of the page may change before the word is typed."""
        newest = "" if self.newer is None else self.newer.plan_id
        parts = [
            newest,
            *(each.text for each in self.changes),
            *(each.id for each in self.notes),
            *(f"{each.name} {each.level}" for each in self.checks),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def facts(
    store: Store, where: Surroundings, plan_id: str, now: datetime, broker: Broker = "paper"
) -> ApprovalFacts:
    """Everything of a plan; raises NotStored, StoreError, SettingsError."""
    return facts_of(store, where, plans.load(store, plan_id), now, broker)


def facts_of(
    store: Store, where: Surroundings, entry: StoredPlan, now: datetime, broker: Broker = "paper"
) -> ApprovalFacts:
    """The same of a plan that is at hand; raises StoreError, SettingsError."""
    settings = load(where.home, where.environment)
    bucket = bucket_in(store, entry.row.bucket)
    orders = approved(entry.plan, entry.row.saved_at)
    with closing(open_to_look(where.home)) as journal:
        account = account_of(journal, orders, () if bucket is None else (bucket.name,))
        run, other = _runs(journal, account, entry.row.plan_id)
        seen = beforehand(where.home, journal, orders, account, settings)
    moved = changes(store, entry, bucket) if run is None else ()
    later = newer_than(store, entry.row)
    total = totals(entry.plan)
    opinion = _opinion(entry.text)
    checks = (
        _second(opinion),
        *_of_plan(entry.plan),
        *_rails(seen),
        *([_unmoved(moved, entry.row, stored=bucket is not None)] if run is None else []),
        *(_paper(where.home, account, orders) if run is None and broker == "paper" else ()),
        *(_keys() if broker != "paper" else ()),
        *_later(later),
    )
    return ApprovalFacts(
        entry=entry,
        orders=orders,
        account=account,
        broker=broker,
        at=now,
        expires_at=expiry(settings, entry.row, broker, now),
        totals=total,
        number=number(total),
        checks=checks,
        notes=notes(entry.plan),
        changes=moved,
        newer=later,
        approval=next(iter(approvals.of_plan(store, entry.row.plan_id)), None),
        run=run,
        hindrance=_hindrance(orders, checks, seen, (run, other), (account, where.environment))
        or _too_old(settings, entry.row, broker, now),
        live=_live(entry.row.plan_id, where.environment),
    )


def expiry(settings: Configuration, row: PlanRow, broker: Broker, now: datetime) -> datetime:
    """Until when a page of now may be approved, to the second.

    The paper market lives at the day of the plan's prices: only the word itself grows old there.
    """
    until = now + timedelta(seconds=settings.arming.ttl_s)
    if broker != "paper":
        until = min(until, _oldest(settings, row))
    return until.replace(microsecond=0)


def _oldest(settings: Configuration, row: PlanRow) -> datetime:
    """Until when a plan is young enough for a real market."""
    return row.saved_at + timedelta(seconds=settings.limits_of("paper").plan_max_age_s)


def _too_old(
    settings: Configuration, row: PlanRow, broker: Broker, now: datetime
) -> Hindrance | None:
    if broker == "paper" or now < _oldest(settings, row):
        return None
    since = _when(_oldest(settings, row))
    most = settings.limits_of("paper").plan_max_age_s
    text = f"The plan is too old since {since}: its run has to begin within {most} seconds."
    return Hindrance("approval_too_old", text, "Plan again.")


def _runs(journal: Journal, account: str, plan_id: str) -> tuple[RunRow | None, RunRow | None]:
    """(the run of this plan that was begun, another one that the account still has)."""
    here = rows.runs(journal, account)
    own = [each for each in here if each.plan_id == plan_id]
    begun = [each for each in own if each.outcome is not Outcome.NOT_STARTED]
    begun = [each for each in begun if each.state not in NOT_BEGUN]
    living = [each for each in here if each.state not in RUN_OVER | NOT_BEGUN]
    others = [each for each in living if each.plan_id != plan_id]
    return next(iter(begun), None), next(iter(others), None)


@lru_cache(VERDICTS)
def _opinion(text: str) -> tuple[bool, int, str]:
    """(does the reference agree, how many figures it derived, what it says first)."""
    report = verify.check(content(text))
    first = report.failed[0] if report.failed else None
    words = "" if first is None else f"{first.name} at {first.where}"
    return report.ok, report.checked, words


def _second(opinion: tuple[bool, int, str]) -> Check:
    agrees, count, words = opinion
    if agrees:
        text = f"Checked by the second opinion: {count:,} figures derived anew, all agree."
        return Check("second_opinion", "ok", text)
    return Check("second_opinion", "stop", f"The second opinion differs: {words}.")


def _of_plan(plan: Plan) -> list[Check]:
    """Why a plan is never approved: problems, a part of the planner that failed."""
    lines = [Check(f"problem-{p.code}", "stop", p.message) for p in plan.problems]
    failed = [module.name for module in plan.modules if module.outcome == "failed"]
    if failed:
        words = f"A part of the planner failed: {', '.join(failed)}."
        lines.append(Check("degraded", "stop", words))
    if not plan.reproducible:
        words = "The same inputs may give another plan."
        lines.append(Check("not_reproducible", "stop", words))
    return lines


def _rails(seen: Beforehand) -> list[Check]:
    asked = len(seen.passed) + len(seen.blocks)
    level: Level = "stop" if seen.blocks else "ok"
    lines = [Check("rails", level, f"{len(seen.passed)} of {asked} rails pass.")]
    lines += [
        Check(f"rail-{name}", "stop", f"{_sentence(name)}: {why}.") for name, _, why in seen.blocks
    ]
    if seen.unseen:
        words = ", ".join(seen.unseen).replace("_", " ")
        count = len(seen.unseen)
        asks = "rail asks" if count == 1 else "rails ask"
        text = f"{count} {asks} the broker when the run begins: {words}."
        lines.append(Check("rails_at_broker", "wait", text))
    if seen.restricted is None:
        text = "The list of restricted symbols cannot be read: every order would be stopped."
        lines.append(Check("restricted", "stop", text))
    elif seen.restricted:
        text = f"Nobody may trade {', '.join(seen.restricted)}: such an order is stopped."
        lines.append(Check("restricted", "warn", text))
    return lines


def _paper(home: Path, account: str, orders: Approved) -> list[Check]:
    text = misfit(home, account, orders)
    return [Check(PAPER, "stop", text)] if text else []


def _keys() -> list[Check]:
    text = (
        "The runner needs the keys of the broker in its own environment, APCA_API_KEY_ID and "
        "APCA_API_SECRET_KEY, and refuses the plan without. A page has no key, and cannot look."
    )
    return [Check("keys", "wait", text)]


def _unmoved(moved: tuple[Changed, ...], row: PlanRow, *, stored: bool) -> Check:
    when = _when(row.saved_at)
    if moved:
        return Check("changed", "stop", f"{_things(len(moved))} changed since {when}.")
    if not stored:
        return Check("changed", "ok", "A plan of files: nothing of it can change.")
    return Check("changed", "ok", f"Nothing changed since {when}.")


def _things(count: int) -> str:
    return "One thing" if count == 1 else f"{count} things"


def _later(row: PlanRow | None) -> list[Check]:
    if row is None:
        return []
    when = _when(row.saved_at)
    text = f"A newer plan of {row.bucket} was made at {when}: {row.plan_id[: plans.SHOWN_DIGITS]}."
    return [Check("newer_plan", "warn", text)]


def _hindrance(
    orders: Approved,
    checks: tuple[Check, ...],
    seen: Beforehand,
    runs: tuple[RunRow | None, RunRow | None],
    where: tuple[str, Mapping[str, str]],
) -> Hindrance | None:
    """where: (account, environment)."""
    environment = where[1]
    run, other = runs
    if run is not None:
        became = run.outcome or run.state
        text = f"This plan was handed over before, as the run {run.run_id}: {became}."
        return Hindrance("approval_executed", text, "To trade more, plan again.")
    if not orders.instructions:
        return Hindrance("approval_holds", "The plan holds: there is nothing to trade.")
    if other is not None:
        text = f"The account {other.account} has the run {other.run_id}, which is {other.state}."
        return Hindrance(
            "approval_live_run", text, f"First: {command(environment, 'resume')}", again=False
        )
    stop = next((each for each in checks if each.level == "stop" and each.name != "rails"), None)
    if stop is None:
        return None
    codes = {"changed": "approval_changed"}
    return Hindrance(
        codes.get(stop.name, "approval_stopped"),
        stop.text,
        *_mend(stop, orders, seen, where),
    )


def _mend(
    stop: Check, orders: Approved, seen: Beforehand, where: tuple[str, Mapping[str, str]]
) -> tuple[str, bool]:
    """(what to do about what stops a plan, "" = nobody can say; would another plan mend it?)."""
    account, environment = where
    if stop.name == "changed":
        return "Plan again.", True
    if stop.name == PAPER:
        short = orders.plan_id[: plans.SHOWN_DIGITS]
        fresh = command(environment, f"execute {short} --account {shlex.quote(_fresh(orders))}")
        words = f"A paper account of another name begins with what the plan stands on: {fresh}"
        return words, False
    codes = [code for name, code, _ in seen.blocks if f"rail-{name}" == stop.name]
    if codes and codes[0] in MENDS:
        words, typed = MENDS[codes[0]]
        typed = typed.format(account=shlex.quote(account))
        return f"{words} {command(environment, typed)}", False
    return "", True


def _fresh(orders: Approved) -> str:
    """A name that the paper accounts of other portfolios of the bucket do not have."""
    return f"{orders.bucket}-{orders.portfolio[:SHOWN_DIGITS]}"


def _sentence(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %b %Y, %H:%M} UTC"


def _live(plan_id: str, environment: Mapping[str, str]) -> str:
    short = plan_id[: plans.SHOWN_DIGITS]
    return (
        "Real money is never armed from a page. On this machine: "
        f"{command(environment, f'arm {short}')}, then "
        f"{command(environment, f'execute {short} --broker alpaca --live --runner')}"
    )
