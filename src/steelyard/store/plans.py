"""Plans as they were made, with what they were made from: never changed, the same one kept once."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select

from steelyard.canonical import plain, published
from steelyard.errors import NotStored, StoreError
from steelyard.plans.plan import Plan, content
from steelyard.plans.plan import plan_id as plan_id_of
from steelyard.store import inputs as kept_inputs
from steelyard.store.failures import row_of
from steelyard.store.schema import plan as table
from steelyard.store.snapshots import Packed
from steelyard.store.store import Store, Transaction, json_text, stamp
from steelyard.telemetry.events import PlanSaved

FEWEST_DIGITS = 6
"""Of an id that is not written out."""
AT_ONCE = 8
"""Documents that are read together."""
SHOWN_DIGITS = 12
"""Of an id in lists: enough to tell plans apart, short enough to type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """What lists show of a plan; see the table `plan`."""

    plan_id: str
    bucket: str
    as_of: date
    saved_at: datetime
    strategy: str
    strategy_version: int | None
    strategy_sha256: str
    action: str
    orders: int
    score: float
    improvement: float
    turnover: float
    cost: Decimal
    base_currency: str
    sequences: int
    seconds: float
    inputs_sha256: str
    portfolio: str
    market: str
    files: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan, what is kept of how it was made, and its document as it was saved."""

    row: PlanRow
    plan: Plan
    text: str


def save(
    store: Store, plan: Plan, packed: Packed, files: Sequence[Mapping[str, str]], seconds: float
) -> bool:
    """Keep a plan with its inputs; False where it is there already. Raises StoreError.

    files     [{"option", "name", "sha256"}] that the inputs came from
    seconds   that planning took
    """
    with store.writing() as transaction:
        return save_in(transaction, plan, packed, files, seconds)


def save_in(
    transaction: Transaction,
    plan: Plan,
    packed: Packed,
    files: Sequence[Mapping[str, str]],
    seconds: float,
) -> bool:
    """As `save`, within a transaction."""
    connection = transaction.connection
    if connection.scalar(select(table.c.plan_id).where(table.c.plan_id == plan.plan_id)):
        return False
    kept_inputs.keep(transaction, packed)
    row = {
        "plan_id": plan.plan_id,
        "bucket": plan.bucket,
        "as_of": plan.as_of.isoformat(),
        "saved_at": transaction.stamp,
        "strategy": plan.strategy.name,
        "strategy_version": plan.strategy.version,
        "strategy_sha256": plan.strategy.sha256,
        "action": plan.verdict.action,
        "orders": len(plan.steps),
        "score": published(plan.score.plan),
        "improvement": published(plan.score.improvement),
        "turnover": published(plan.turnover),
        "cost": plain(plan.costs.total),
        "base_currency": plan.base_currency,
        "sequences": plan.certificate.sequences,
        "seconds": seconds,
        "inputs_sha256": plan.inputs_sha256,
        "portfolio": packed.portfolio_sha256,
        "market": packed.market_sha256,
        "files": json_text([dict(entry) for entry in files]),
        "document": zlib.compress(plan.to_json().encode()),
    }
    connection.execute(table.insert().values(**row))
    event = PlanSaved(
        plan_id=plan.plan_id,
        strategy=plan.strategy.name,
        version=plan.strategy.version,
        action=plan.verdict.action,
        orders=len(plan.steps),
    )
    transaction.tell(event, plan.bucket)
    return True


class Flow(NamedTuple):
    """Money that the owner asked one plan to invest (> 0) or to raise (< 0), in its currency."""

    amount: Decimal
    currency: str


class Place(NamedTuple):
    """Where a plan stands in a list: the newest first, of one moment by id."""

    saved_at: datetime
    plan_id: str


def listed(
    store: Store,
    *,
    bucket: str | None = None,
    strategy: str | None = None,
    action: str | None = None,
    after: Place | None = None,
    most: int | None = None,
) -> list[PlanRow]:
    """Plans, newest first, of a bucket, a strategy, an action; at most so many behind a place."""
    columns = [column for column in table.c if column.name != "document"]
    query = select(*columns).order_by(table.c.saved_at.desc(), table.c.plan_id).limit(most)
    if after is not None:
        then, same = stamp(after.saved_at), table.c.saved_at
        query = query.where((same < then) | ((same == then) & (table.c.plan_id > after.plan_id)))
    if bucket is not None:
        query = query.where(table.c.bucket == bucket)
    if strategy is not None:
        query = query.where(table.c.strategy == strategy)
    if action is not None:
        query = query.where(table.c.action == action)
    with store.reading() as connection:
        return [_row(row) for row in connection.execute(query).all()]


def flows(store: Store, plan_ids: Sequence[str]) -> dict[str, tuple[Flow, ...]]:
    """What each of these plans was asked to invest or to raise; () = it rebalances.

    A plan never changes, and its document takes milliseconds to unpack: it is read once.
    """
    asked = {plan_id: _ASKED[plan_id] for plan_id in plan_ids if plan_id in _ASKED}
    unread = [plan_id for plan_id in plan_ids if plan_id not in asked]
    if unread:
        query = select(table.c.plan_id, table.c.document).where(table.c.plan_id.in_(unread))
        with store.reading() as connection:
            rows = connection.execute(query).all()
        asked |= {row.plan_id: _flows(bytes(row.document)) for row in rows}
        if len(_ASKED) > MOST_ASKED:
            _ASKED.clear()
        _ASKED.update(asked)
    return asked


_ASKED: dict[str, tuple[Flow, ...]] = {}
"""Plan -> what was asked of it, of those that were read last."""
MOST_ASKED = 20_000


def newest_of(store: Store, bucket: str) -> PlanRow | None:
    """The newest plan of a bucket that rebalances: no money of its owner's asking is in it."""
    after, most = None, 1
    while rows := listed(store, bucket=bucket, after=after, most=most):
        asked = flows(store, [row.plan_id for row in rows])
        for row in rows:
            if not asked.get(row.plan_id):
                return row
        after, most = Place(rows[-1].saved_at, rows[-1].plan_id), AT_ONCE
    return None


def place_of(store: Store, plan_id: str) -> Place | None:
    """Where a plan stands in the list; None where it is not there."""
    query = select(table.c.saved_at).where(table.c.plan_id == plan_id)
    with store.reading() as connection:
        saved_at = connection.scalar(query)
    return None if saved_at is None else Place(datetime.fromisoformat(saved_at), plan_id)


def buckets(store: Store) -> list[str]:
    """Every bucket that a plan is of."""
    with store.reading() as connection:
        return sorted(connection.scalars(select(table.c.bucket).distinct()))


def load(store: Store, plan_id: str) -> StoredPlan:
    """A plan by its id, or by the first digits of it that no other has.

    Raises NotStored for none or several, StoreError for a document that is damaged.
    """
    digits = plan_id.strip().lower()
    with store.reading() as connection:
        few = table.c.plan_id.startswith(digits, autoescape=True)
        ids = list(connection.scalars(select(table.c.plan_id).where(few).limit(3)))
        if len(ids) != 1 or len(digits) < FEWEST_DIGITS:
            raise _no_plan(plan_id, ids, connection.scalar(select(func.count()).select_from(table)))
        row = connection.execute(select(table).where(table.c.plan_id == ids[0])).one()
    try:
        text = zlib.decompress(bytes(row.document)).decode()
        plan = _whole(text, row.plan_id)
    except (zlib.error, ValueError) as error:
        raise StoreError(
            f"The plan {ids[0]} is damaged in the database: {error}. Nothing was read. Restore a "
            "backup with: steelyard db restore F",
            code="plan_damaged",
            place=ids[0],
            hint="steelyard db restore F",
        ) from error
    return StoredPlan(_row(row), plan, text)


def _whole(text: str, name: str) -> Plan:
    """The plan of a document; raises ValueError for one that does not give its id."""
    document = content(text)
    if plan_id_of(document) != name:
        raise ValueError("its content does not give its id")
    return Plan.from_document(document)


def _flows(document: bytes) -> tuple[Flow, ...]:
    """Those of a packed document; () for one that is damaged, as `load` says."""
    try:
        shown = json.loads(zlib.decompress(document)).get("flows", ())
        return tuple(Flow(Decimal(flow["amount"]), str(flow["currency"])) for flow in shown)
    except (zlib.error, ValueError, ArithmeticError, AttributeError, TypeError, KeyError):
        return ()


def timings(store: Store, strategy: str | None = None) -> list[tuple[int, float]]:
    """(sequences, seconds) of stored plans, newest first, of strategies of one name or of all."""
    query = select(table.c.sequences, table.c.seconds).order_by(table.c.saved_at.desc())
    if strategy is not None:
        query = query.where(table.c.strategy == strategy)
    with store.reading() as connection:
        return [(sequences, seconds) for sequences, seconds in connection.execute(query)]


@row_of("plan")
def _row(row: Row[Any]) -> PlanRow:
    columns = row._mapping  # noqa: SLF001 - SQLAlchemy's own name for a public part
    values = {name: value for name, value in columns.items() if name != "document"}
    values["as_of"] = date.fromisoformat(values["as_of"])
    values["saved_at"] = datetime.fromisoformat(values["saved_at"])
    values["cost"] = Decimal(values["cost"])
    values["files"] = tuple(json.loads(values["files"]))
    return PlanRow(**values)


def _no_plan(plan_id: str, ids: Sequence[str], count: int | None) -> NotStored:
    if len(ids) > 1:
        reason = f"{plan_id} begins several plans: {', '.join(i[:16] for i in ids)}"
    elif ids:
        reason = f"{plan_id} is too short for a plan: give {FEWEST_DIGITS} digits or more"
    else:
        reason = f"No plan {plan_id} is stored ({count or 0} are)"
    return NotStored(
        f"{reason}. To see them: steelyard plans list",
        code="no_such_plan",
        place="PLAN",
        value=plan_id,
        limit=f"{FEWEST_DIGITS} digits or more of one plan",
        hint="steelyard plans list",
    )
