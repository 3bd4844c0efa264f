"""A stored bucket and the account that it trades in: what was filled, lot by lot, and the cash.

A run that is over and agrees with the broker becomes the bucket's next load. What the bucket owned
otherwise, or another day's prices, is not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from types import MappingProxyType

from steelyard.brokers.broker import BrokerAccount
from steelyard.errors import InputError, NotExecuted, SteelyardError
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import FillRow, RunRow
from steelyard.execution.room import request_in
from steelyard.execution.states import RUN_OVER
from steelyard.lots import by_age
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.plans.account import LotShown
from steelyard.portfolio import Holding, Snapshot
from steelyard.runs.stored import File, inputs_of, load
from steelyard.store import buckets
from steelyard.store.store import Store
from steelyard.telemetry.events import BucketFollowed

PRICE_DIGITS = 8
FOLLOWED = BucketFollowed.__name__


@dataclass(frozen=True, slots=True)
class Done:
    """What was filled of one step; `lots` are those sold."""

    side: Side
    symbol: str
    quantity: Decimal
    price: Decimal
    lots: tuple[LotShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What was filled of a plan, as `Snapshot.after` reads it."""

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
    """Let the bucket of a run that is over own what was filled, once; a sentence, or "".

    What hinders that is the sentence: the run is as it is. Raises JournalFailed alone.
    """
    text, done = "", False
    try:
        if done := keep(store, journal, run):
            text = f"The bucket {run.bucket} owns what was filled now."
    except SteelyardError as error:
        text = str(error)
    with journal.writing() as change:
        change.tell(BucketFollowed(run.account, done, text), run.run_id, run.bucket)
    return text


def keep(store: Store, journal: Journal, run: RunRow) -> bool:
    """Set what the bucket of a run owns; False where there is none of that name, or nothing to set.

    Raises InputError where the bucket owned something else than the plan stood on.
    """
    if run.state not in RUN_OVER or run.account != run.bucket:
        return False
    bucket = next((each for each in buckets.buckets(store) if each.name == run.bucket), None)
    done = rows.fills(journal, run_id=run.run_id)
    if bucket is None or bucket.portfolio is None or not done:
        return False
    inputs = inputs_of(store, bucket)
    request = request_in(journal, run.run_id)
    stock, cash = rows.balances(journal, run.account)
    snapshot = after(inputs.snapshot, done, request.lots, cash)
    _refuse_other(run, snapshot, stock)
    files: tuple[File, ...] = (
        *({"option": f["option"], "name": f["name"], "sha256": f["sha256"]} for f in bucket.files),
    )
    load(store, run.bucket, replace(inputs, snapshot=snapshot), files)
    return True


def after(
    snapshot: Snapshot,
    fills: Iterable[FillRow],
    lots: Mapping[str, Sequence[LotShown]],
    cash: Mapping[str, Decimal],
) -> Snapshot:
    """The portfolio after executions, each on its day, with the broker's cash.

    lots   symbol -> those that the plan sells, in its order; without any the oldest go first
    """
    queues = {each.symbol: _oldest(each) for each in snapshot.holdings}
    queues |= {symbol: [*chosen] for symbol, chosen in lots.items() if chosen}
    day_of_prices = snapshot.as_of
    for day, of_day in groupby(sorted(fills, key=_day), key=_day):
        snapshot = _after_day(replace(snapshot, as_of=day), of_day, queues)
    names = sorted({*cash, *snapshot.cash})
    money = {name: cash.get(name, ZERO) for name in names}
    return replace(snapshot, as_of=day_of_prices, cash=MappingProxyType(money), flows=())


def _day(fill: FillRow) -> date:
    return fill.at.date()


def _after_day(
    snapshot: Snapshot, fills: Iterable[FillRow], queues: Mapping[str, list[LotShown]]
) -> Snapshot:
    """The portfolio after what was filled on its day, its cash as it was; `queues` are shorter."""
    sides: dict[tuple[Side, str], list[FillRow]] = {}
    for fill in fills:
        sides.setdefault((fill.side, fill.symbol), []).append(fill)
    steps = [
        _done(side, symbol, parts, queues.get(symbol, []))
        for (side, symbol), parts in sides.items()
    ]
    return snapshot.after(
        Filled(
            as_of=snapshot.as_of,
            base_currency=snapshot.base_currency,
            bucket=snapshot.bucket,
            cash_after={},
            steps=steps,
        )
    )


def _done(side: Side, symbol: str, fills: Sequence[FillRow], queue: list[LotShown]) -> Done:
    quantity = sum((fill.quantity for fill in fills), ZERO)
    money = sum((fill.quantity * fill.price for fill in fills), ZERO)
    price = round(money / quantity, PRICE_DIGITS)
    sold = () if side is Side.BUY else tuple(_sold(quantity, price, queue))
    return Done(side, symbol, quantity, price, sold)


def _oldest(holding: Holding) -> list[LotShown]:
    return [
        LotShown(
            acquired=lot.acquired,
            quantity=lot.quantity,
            unit_cost=lot.unit_cost,
            account=lot.account,
        )
        for lot in by_age(holding.lots)
    ]


def _sold(quantity: Decimal, price: Decimal, queue: list[LotShown]) -> Iterator[LotShown]:
    """The lots that go, from the front of the queue; gain in the security's currency."""
    while quantity and queue:
        lot = queue.pop(0)
        part = min(lot.quantity, quantity)
        quantity -= part
        if lot.quantity > part:
            queue.insert(0, lot.model_copy(update={"quantity": lot.quantity - part}))
        gain = None if lot.unit_cost is None else (price - lot.unit_cost) * part
        yield lot.model_copy(update={"quantity": part, "gain": gain})


def _refuse_other(run: RunRow, snapshot: Snapshot, stock: Mapping[str, Decimal]) -> None:
    """Raise InputError where the bucket would not own what the account does."""
    owned = {each.symbol: each.quantity for each in snapshot.holdings if each.quantity}
    differ = sorted(
        name for name in {*owned, *stock} if owned.get(name, ZERO) != stock.get(name, ZERO)
    )
    if differ:
        name = differ[0]
        raise InputError(
            f"The bucket {run.bucket} is not brought up to date: it would own "
            f"{owned.get(name, ZERO):f} {name}, and the account has {stock.get(name, ZERO):f}. "
            "The run stands. Load the bucket anew: steelyard bucket load",
            code="bucket_differs",
            place=run.bucket,
            value=owned.get(name, ZERO),
            limit=stock.get(name, ZERO),
            hint=f"steelyard bucket load {run.bucket}",
        )


def as_held(snapshot: Snapshot, account: BrokerAccount) -> Snapshot:
    """The snapshot with the broker's cash; raises NotExecuted where it owns something else."""
    owned = {each.symbol: each.quantity for each in snapshot.holdings if each.quantity}
    stock = {each.symbol: each.quantity for each in account.positions if each.quantity}
    for name in sorted({*owned, *stock}):
        mine, theirs = owned.get(name, ZERO), stock.get(name, ZERO)
        if mine != theirs:
            raise NotExecuted(
                f"The bucket {snapshot.bucket} owns {mine:f} {name}, the account {theirs:f}. "
                f"Nothing was planned. Load it anew: steelyard bucket load {snapshot.bucket}",
                code="account_differs",
                place=name,
                value=mine,
                limit=theirs,
                hint=f"steelyard bucket load {snapshot.bucket}",
            )
    cash = {balance.currency: balance.amount for balance in account.cash}
    empty = dict.fromkeys(snapshot.cash, ZERO)
    return replace(snapshot, cash=MappingProxyType({**empty, **cash}))
