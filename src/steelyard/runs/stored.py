"""A stored bucket to a stored plan: its inputs, what it remembers, and what is kept of the result.

load       files that were read become the bucket's portfolio, valued as a plan values them
order_of   what the next plan of a bucket is made from
keep       a plan, its inputs and its events, in one transaction
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, cast

from steelyard.buckets import Bucket, Units, state_of
from steelyard.errors import InputError
from steelyard.importers import Inputs
from steelyard.importers.flows import LEAST
from steelyard.money import ZERO
from steelyard.planning.case import Case
from steelyard.planning.findings import Findings
from steelyard.planning.valuation import value_portfolio
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState
from steelyard.runs.planners import Planners
from steelyard.store import buckets, plans
from steelyard.store import inputs as kept_inputs
from steelyard.store.snapshots import pack
from steelyard.store.store import Store
from steelyard.strategies import Strategy, default
from steelyard.telemetry.events import PlannerEvent

File = Mapping[str, str]
"""{"option", "name", "sha256"} of a file that inputs came from."""
TRADED = ("accumulating", "active")


@dataclass(frozen=True, kw_only=True)
class StoredOrder:
    """What the next plan of a bucket is made from; files: where its inputs came from."""

    bucket: buckets.Held
    inputs: Inputs
    strategy: Strategy
    state: BucketState
    files: tuple[File, ...]


def load(
    store: Store, name: str, inputs: Inputs, files: Sequence[File], moved: Decimal = ZERO
) -> buckets.Held:
    """Set what a bucket owns; raises PlanRefused where its value is unknown."""
    return buckets.load(store, name, load_of(name, inputs, files, moved))


def load_of(
    name: str, inputs: Inputs, files: Sequence[File], moved: Decimal = ZERO
) -> buckets.Load:
    """What becomes a bucket's portfolio; raises PlanRefused where its value is unknown."""
    snapshot = replace(inputs.snapshot, bucket=name, flows=())
    inputs = replace(inputs, snapshot=snapshot)
    return buckets.Load(
        inputs=inputs, packed=pack(inputs), value=value_of(inputs), files=files, moved=moved
    )


def value_of(inputs: Inputs) -> Decimal:
    """What is owned is worth, base currency; raises PlanRefused where that is unknown."""
    case = Case(snapshot=inputs.snapshot, market=inputs.market, strategy=default())
    return value_portfolio(case, Findings()).value


def order_of(store: Store, planners: Planners, name: str) -> StoredOrder:
    """What the next plan of a bucket is made from; NotStored, InputError without any."""
    held = buckets.bucket_of(store, name)
    if held.portfolio is None or held.market is None:
        load = f"steelyard bucket load {name} --holdings F --targets F --prices F"
        raise InputError(
            f"The bucket {name} has no holdings yet. Nothing was planned. Load them: {load}",
            code="bucket_is_empty",
            place="--bucket",
            value=name,
            hint=load,
        )
    if held.kind != "core" and held.status not in TRADED:
        raise InputError(
            f"The bucket {name} is {held.status}: {' and '.join(TRADED)} ones are planned. Nothing "
            f"was planned. To change that: steelyard bucket settings {name} --set status=active",
            code="bucket_is_not_traded",
            place="--bucket",
            value=held.status,
            limit=", ".join(TRADED),
            hint=f"steelyard bucket settings {name} --set status=active",
        )
    inputs = inputs_of(store, held)
    strategy = planners.strategy(name)
    state = state_of_bucket(store, held, strategy, inputs.snapshot.as_of)
    files = tuple(cast(File, entry) for entry in held.files)
    return StoredOrder(bucket=held, inputs=inputs, strategy=strategy, state=state, files=files)


def inputs_of(store: Store, held: buckets.Held) -> Inputs:
    """What a bucket owns and the prices, its cash as it is booked now; NotStored without any."""
    inputs = kept_inputs.load(store, str(held.portfolio), str(held.market))
    snapshot = replace(inputs.snapshot, cash=MappingProxyType(dict(held.cash)))
    return replace(inputs, snapshot=snapshot)


def transfer(store: Store, source: str, target: str, currency: str, amount: Decimal) -> None:
    """Move money between buckets; raises InputError without a rate, under a cent, for too much."""
    if ZERO < amount < LEAST:
        raise InputError(
            f"{currency} {amount:f} is less than can be moved: {LEAST} is the least. Nothing was "
            "moved. Give more.",
            code="transfer_under_a_cent",
            place="amount",
            value=f"{amount:f} {currency}",
            limit=f"{LEAST} {currency} and more",
            hint=f"give {LEAST} or more",
        )
    ends = [buckets.bucket_of(store, name) for name in (source, target)]
    loaded = [held for held in ends if held.portfolio is not None]
    rates = [rate for held in loaded if (rate := _rate(store, held, currency)) is not None]
    if loaded and not rates:
        name = loaded[0].name
        raise InputError(
            f"There is no rate of {currency} into {loaded[0].base_currency}. Nothing was moved. "
            f"Load {name} with --fx.",
            code="transfer_without_rate",
            place=currency,
            hint=f"load {name} with --fx",
        )
    worth = amount * rates[0] if rates else amount
    buckets.transfer(store, source, target, buckets.Money(currency, amount, worth))


def _rate(store: Store, held: buckets.Held, currency: str) -> Decimal | None:
    """A currency into base currency, as a bucket was loaded."""
    inputs = kept_inputs.load(store, str(held.portfolio), str(held.market))
    rate = inputs.market.fx.latest(currency, inputs.snapshot.as_of)
    return None if rate is None else rate.rate


def keep(
    store: Store,
    plan: Plan,
    inputs: Inputs,
    files: Sequence[File],
    seconds: float,
    events: Sequence[PlannerEvent] = (),
    *,
    market_sha256: str | None = None,
) -> bool:
    """Keep a plan and what happened while it was made; False where it is there already.

    market_sha256   of the prices, where they are stored already
    """
    packed = pack(inputs, market_sha256)
    with store.writing() as transaction:
        for event in events:
            transaction.record(event)
        return plans.save_in(transaction, plan, packed, files, seconds)


def state_of_bucket(
    store: Store, held: buckets.Held, strategy: Strategy, as_of: date
) -> BucketState:
    """What a bucket remembers: the verdict of an earlier day, its size and its losses."""
    rows = plans.listed(store, bucket=held.name)
    before = sorted((row.as_of, row.saved_at, row.action) for row in rows if row.as_of < as_of)
    verdict = cast(Literal["act", "hold"], before[-1][2]) if before else None
    remembered = BucketState(previous_verdict=verdict)
    if held.kind == "core" or held.value is None or held.units is None:
        return remembered
    account = sum(buckets.worths(buckets.buckets(store)).values(), ZERO)
    book = Bucket(
        name=held.name,
        kind="satellite",
        target_weight=held.target_weight,
        universe=frozenset(held.universe),
        cash=held.cash,
        rules=strategy,
        status="accumulating" if held.status == "accumulating" else "active",
        state=remembered,
    )
    units: Units = held.units
    return state_of(book, units, held.value, account)
