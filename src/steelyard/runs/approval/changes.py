"""What is no longer as it was when a plan was made: its rules, what is owned, the prices.

A plan of files belongs to no stored bucket: nothing of it can change behind its back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

from numpy import array_equal

from steelyard.canonical import plain
from steelyard.errors import NotStored
from steelyard.market import Market
from steelyard.money import ZERO
from steelyard.runs.standing import same_money
from steelyard.store import assignments, buckets
from steelyard.store import inputs as kept_inputs
from steelyard.store.buckets import Held
from steelyard.store.plans import StoredPlan
from steelyard.store.snapshots import Portfolio
from steelyard.store.store import Store

MOST = 20
"""Lines of holdings that are named one by one."""
MOST_PRICES = 5
"""Prices that are named one by one."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that is different.

    then, now   as it was when the plan was made and as it is, in words
    """

    what: str
    then: str
    now: str

    @property
    def text(self) -> str:
        """In a line."""
        return f"{self.what}: {self.then} then, {self.now} now."


def bucket_in(store: Store, name: str) -> Held | None:
    """The stored bucket of a plan; None for a plan of files."""
    try:
        return buckets.bucket_of(store, name)
    except NotStored:
        return None


def changes(store: Store, entry: StoredPlan, bucket: Held | None) -> tuple[Changed, ...]:
    """What of a plan's ground has moved; () = nothing."""
    if bucket is None or bucket.portfolio is None:
        return ()
    return (*_rules(store, entry), *_owned(store, entry, bucket), *_prices(store, entry, bucket))


def _rules(store: Store, entry: StoredPlan) -> Iterator[Changed]:
    row, now = entry.row, assignments.planned_by(store, entry.row.bucket)
    then = _version(row.strategy, row.strategy_version)
    if now is None:
        if row.strategy_version is not None:
            yield Changed("Strategy of the bucket", then, "none assigned")
        return
    same = (now.name, now.version) == (row.strategy, row.strategy_version)
    if not same or now.sha256 != entry.plan.strategy.text_sha256:
        yield Changed("Strategy of the bucket", then, _version(now.name, now.version))


def _version(name: str, number: int | None) -> str:
    return name if number is None else f"{name} v{number}"


def _owned(store: Store, entry: StoredPlan, bucket: Held) -> Iterator[Changed]:
    """Shares, money and targets; where hashes and cash are equal nothing is looked at inside."""
    row = entry.row
    if row.portfolio == bucket.portfolio and same_money(entry.plan.cash, bucket.cash):
        return
    then = kept_inputs.portfolio_of(store, row.portfolio)
    now = kept_inputs.portfolio_of(store, str(bucket.portfolio))
    lines = [
        *_differences("Shares of", _shares(then), _shares(now)),
        *_differences("Cash in", then.snapshot.cash, bucket.cash),
    ]
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield Changed("Other holdings", "as planned", f"{len(lines) - MOST} more differ")
    if then.targets != now.targets:
        yield Changed("Targets", "those of the plan", "others")


def _shares(owned: Portfolio) -> dict[str, Decimal]:
    shares: dict[str, Decimal] = {}
    for holding in owned.snapshot.holdings:
        shares[holding.symbol] = shares.get(holding.symbol, ZERO) + holding.quantity
    return shares


def _differences(
    what: str, then: Mapping[str, Decimal], now: Mapping[str, Decimal]
) -> Iterator[Changed]:
    for name in sorted(then.keys() | now.keys()):
        before, after = then.get(name, ZERO), now.get(name, ZERO)
        if before != after:
            yield Changed(f"{what} {name}", plain(before), plain(after))


def _prices(store: Store, entry: StoredPlan, bucket: Held) -> Iterator[Changed]:
    """Prices of the plan's securities; where they are equal, what else of the market differs."""
    row = entry.row
    if row.market == bucket.market or bucket.market is None or bucket.portfolio is None:
        return
    then = kept_inputs.load(store, row.portfolio, row.market).market
    now = kept_inputs.load(store, bucket.portfolio, bucket.market).market
    plan = entry.plan
    names = {each.symbol for each in plan.holdings} | {each.symbol for each in plan.steps}
    before, after = _quoted(then, names), _quoted(now, names)
    lines = [
        Changed(f"Price of {name}", _price(before.get(name)), _price(after.get(name)))
        for name in sorted(names)
        if before.get(name) != after.get(name)
    ]
    yield from lines[:MOST_PRICES]
    if len(lines) > MOST_PRICES:
        yield Changed("Other prices", "as planned", f"{len(lines) - MOST_PRICES} more differ")
    if bucket.as_of != row.as_of:
        yield Changed("Day of the prices", f"{row.as_of}", f"{bucket.as_of or 'not known'}")
    elif not lines:
        yield Changed(
            "Market data beside the prices of the plan, which are as they were",
            "those of the plan",
            _others(then, now),
        )


def _quoted(market: Market, names: AbstractSet[str]) -> dict[str, Decimal]:
    return {name: quote.price for name, quote in market.quotes.items() if name in names}


def _price(price: Decimal | None) -> str:
    return "none" if price is None else plain(price)


def _others(then: Market, now: Market) -> str:
    """What differs of two markets with the same prices of what a plan trades and holds."""
    parts = {
        "exchange rates": (then.fx.base, then.fx.rates) == (now.fx.base, now.fx.rates),
        "securities": then.symbols == now.symbols,
        "their file": then.source == now.source,
        "history": then.closes.shape == now.closes.shape
        and bool((then.dates == now.dates).all())
        and array_equal(then.closes, now.closes, equal_nan=True),
    }
    differ = [name for name, same in parts.items() if not same]
    return f"others ({', '.join(differ)})" if differ else "others"
