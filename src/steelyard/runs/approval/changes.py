"""What is no longer as it was when a plan was made: its rules, what is owned, the prices.

A plan of files belongs to no stored bucket: nothing of it can change behind its back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from steelyard.canonical import plain
from steelyard.errors import NotStored
from steelyard.money import ZERO
from steelyard.runs.standing import same_money
from steelyard.store import assignments, buckets
from steelyard.store import inputs as kept_inputs
from steelyard.store.buckets import Held
from steelyard.store.plans import PlanRow, StoredPlan
from steelyard.store.snapshots import Portfolio
from steelyard.store.store import Store

MOST = 20
"""Lines of holdings that are named one by one."""


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
    return (*_rules(store, entry), *_owned(store, entry, bucket), *_prices(entry.row, bucket))


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


def _prices(row: PlanRow, bucket: Held) -> Iterator[Changed]:
    if row.market != bucket.market:
        day = "others" if bucket.as_of is None else f"of {bucket.as_of}"
        same = bucket.as_of == row.as_of
        yield Changed("Prices", f"of {row.as_of}", "others of that day" if same else day)
