"""A stored bucket after a run of its plan: it owns what was bought, and not what was sold.

    journal ──executions and activities of the run──▶ follow ──▶ holdings, lots, cash of the bucket

Nothing of it is in the way of money: it happens when the run is over, once, and where it cannot be
the bucket stays as it is and that is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby

from steelyard.errors import InputError, NotStored, SteelyardError
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import FillRow, RunRow
from steelyard.execution.reconcile import stored as comparisons
from steelyard.execution.request import Request
from steelyard.execution.room import request_in
from steelyard.execution.states import RUN_OVER
from steelyard.importers import Inputs
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.plans.account import LotShown
from steelyard.plans.orders import Step
from steelyard.plans.plan import Plan, content
from steelyard.runs.stored import inputs_of, load
from steelyard.store import buckets, plans
from steelyard.store import inputs as kept_inputs
from steelyard.store.store import Store
from steelyard.telemetry.events import BucketFollowed

FOLLOWED = BucketFollowed.__name__


@dataclass(frozen=True, slots=True)
class Part:
    """Shares of a lot that were sold."""

    acquired: date | None
    quantity: Decimal
    unit_cost: Decimal | None
    gain: Decimal | None
    account: str


@dataclass(frozen=True, slots=True)
class Done:
    """What a step came to on a day; price as it was filled, in the unit of lots."""

    side: Side
    symbol: str
    quantity: Decimal
    price: Decimal
    lots: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What was traded on a day, as `Snapshot.after` reads it."""

    as_of: date
    base_currency: str
    bucket: str
    cash_after: Mapping[str, Decimal]
    steps: Sequence[Done]


def pending(journal: Journal) -> list[RunRow]:
    """Runs that are over and that their buckets have not followed, the oldest first."""
    over = [run for run in reversed(rows.runs(journal)) if run.state in RUN_OVER]
    names = {name for (name,) in journal.rows("SELECT run_id FROM event WHERE kind=?", (FOLLOWED,))}
    return [run for run in over if run.run_id not in names]


def follow(store: Store, journal: Journal, run: RunRow) -> str:
    """Let the bucket of a run that is over own what it has now; a sentence for people, or "".

    Raises JournalFailed alone.
    """
    fills = rows.fills(journal, run_id=run.run_id)
    text, done = "", False
    if fills and run.bucket in {row.name for row in buckets.buckets(store)}:
        try:
            held = _followed(store, journal, run, fills)
            text, done = f"The bucket {held.name} owns what the run {run.run_id} left.", True
        except SteelyardError as error:
            text = (
                f"The bucket {run.bucket} did not follow the run {run.run_id}, which is as it was: "
                f"{error} Then: steelyard bucket load {run.bucket}"
            )
    with journal.writing() as change:
        change.tell(BucketFollowed(run.account, len(fills), done, text), run.run_id, run.bucket)
    return text


def _followed(
    store: Store, journal: Journal, run: RunRow, fills: Sequence[FillRow]
) -> buckets.Held:
    held = buckets.bucket_of(store, run.bucket)
    request = request_in(journal, run.run_id)
    inputs = _before(store, held, run, request)
    cash = _with(held.cash, [*map(_money, fills), *_activities(journal, run, request)])
    plan = Plan.from_document(content(request.document.encode()))
    snapshot = inputs.snapshot
    for day, done in _days(plan, journal, run, fills):
        traded = Day(
            as_of=day,
            base_currency=snapshot.base_currency,
            bucket=snapshot.bucket,
            cash_after=snapshot.cash,
            steps=done,
        )
        snapshot = replace(replace(snapshot, as_of=day).after(traded), as_of=snapshot.as_of)
    after = replace(inputs, snapshot=replace(snapshot, cash=cash))
    return load(store, run.bucket, after, _files(held, run))


def _files(held: buckets.Held, run: RunRow) -> list[Mapping[str, str]]:
    return [*held.files, {"option": "run", "name": run.run_id, "sha256": run.plan_id}]


def _before(store: Store, held: buckets.Held, run: RunRow, request: Request) -> Inputs:
    """What the bucket owned when the run began, with the prices of its plan where it has them.

    Raises InputError where it is not what the plan stood on: it was loaded anew since.
    """
    if held.portfolio is None:
        raise _changed(run.bucket, "it has no holdings")
    inputs = inputs_of(store, held)
    owns = {each.symbol: each.quantity for each in inputs.snapshot.holdings if each.quantity}
    planned = {name: shares for name, shares in request.approved.positions.items() if shares}
    if owns != planned:
        names = sorted(name for name in {*owns, *planned} if owns.get(name) != planned.get(name))
        raise _changed(run.bucket, f"it owns other shares of {', '.join(names[:3])}")
    try:
        row = plans.load(store, run.plan_id).row
    except NotStored:
        return inputs
    newer = kept_inputs.load(store, row.portfolio, row.market)
    snapshot = replace(newer.snapshot, cash=inputs.snapshot.cash, flows=(), bucket=held.name)
    return replace(newer, snapshot=snapshot, targets=inputs.targets)


def _days(
    plan: Plan, journal: Journal, run: RunRow, fills: Iterable[FillRow]
) -> Iterator[tuple[date, list[Done]]]:
    """What was traded, day by day; of a sale the lots that the plan named, in their order."""
    orders = {leg.client_order_id: leg.step for leg in rows.legs(journal, run.run_id)}
    steps = {step.n: step for step in plan.steps}
    sold = {step.n: list(step.lots) for step in plan.steps}
    in_time = sorted(fills, key=lambda fill: (fill.at.date(), orders[fill.client_order_id]))
    for day, of_day in groupby(in_time, key=lambda fill: fill.at.date()):
        done = []
        for number, parts in groupby(of_day, key=lambda fill: orders[fill.client_order_id]):
            done.append(_done(steps[number], list(parts), sold[number]))
        yield day, done


def _done(step: Step, parts: Sequence[FillRow], lots: list[LotShown]) -> Done:
    quantity = sum((part.quantity for part in parts), ZERO)
    price = sum((part.quantity * part.price for part in parts), ZERO) / quantity
    if step.side is Side.BUY:
        return Done(step.side, step.symbol, quantity, price)
    return Done(step.side, step.symbol, quantity, price, tuple(_taken(lots, quantity, price)))


def _taken(lots: list[LotShown], quantity: Decimal, price: Decimal) -> Iterator[Part]:
    """Take shares from the front of lots, which are fewer then."""
    missing = quantity
    while missing and lots:
        lot = lots.pop(0)
        shares = min(lot.quantity, missing)
        missing -= shares
        if lot.quantity > shares:
            lots.insert(0, lot.model_copy(update={"quantity": lot.quantity - shares}))
        gain = None if lot.unit_cost is None else (price - lot.unit_cost) * shares
        yield Part(lot.acquired, shares, lot.unit_cost, gain, lot.account)


def _money(fill: FillRow) -> Mapping[str, Decimal]:
    """What an execution changes of cash."""
    value = fill.value if fill.side is Side.SELL else -fill.value
    return {fill.currency: value - fill.fee}


def _activities(
    journal: Journal, run: RunRow, request: Request
) -> Iterator[Mapping[str, Decimal]]:
    """What else changed the cash of the account since the run began: conversions, fees, dividends.

    No other run was in the account then.
    """
    for each in comparisons.activities(journal, run.account):
        if each.at >= request.began_at:
            yield each.cash


def _with(
    cash: Mapping[str, Decimal], changes: Iterable[Mapping[str, Decimal]]
) -> dict[str, Decimal]:
    whole = dict(cash)
    for change in changes:
        for currency, amount in change.items():
            whole[currency] = whole.get(currency, ZERO) + amount
    return dict(sorted(whole.items()))


def _changed(name: str, why: str) -> InputError:
    return InputError(
        f"The bucket {name} is not what the plan stood on: {why}. It stays as it is.",
        code="bucket_changed_since",
        place=name,
        value=why,
        hint=f"steelyard bucket load {name}",
    )

