"""What has changed in a bucket since one of its plans: loaded, money moved, rules, newer plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from steelyard.errors import NotStored
from steelyard.plans.account import StrategyRef
from steelyard.store import assignments, buckets, plans
from steelyard.store.plans import PlanRow, StoredPlan
from steelyard.store.store import Store
from steelyard.store.strategies import Version


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a plan stands now.

    loaded_at   when the bucket was loaded with something else since; None = it was not
    moved       does the bucket have other money than the plan, moved between buckets since?
    rules       what the bucket plans by now, where that is something else; "" = the same
    newer       the bucket's newest plan that rebalances, where it was made after this one
    gone        is there no such bucket any more?
    """

    loaded_at: datetime | None = None
    moved: bool = False
    rules: str = ""
    newer: PlanRow | None = None
    gone: bool = False

    @property
    def is_stale(self) -> bool:
        """Would the bucket be planned from something else now?"""
        return self.loaded_at is not None or self.moved or bool(self.rules)


def standing(store: Store, stored: StoredPlan) -> Standing:
    """Where a stored plan stands among what the store has now."""
    row = stored.row
    try:
        bucket = buckets.bucket_of(store, row.bucket)
    except NotStored:
        return Standing(gone=True)
    rules = other_rules(assignments.planned_by(store, row.bucket), stored.plan.strategy)
    moved = is_money_moved(bucket, row, stored.plan.cash)
    return Standing(_loaded_since(bucket, stored), moved, rules, newer_than(store, row))


def newer_than(store: Store, row: PlanRow) -> PlanRow | None:
    """The newest plan of the bucket that was made after this one, and rebalances.

    A plan that was asked to invest or to raise money is beside the bucket's, not in its place.
    """
    last = plans.newest_of(store, row.bucket)
    return last if last is not None and last.saved_at > row.saved_at else None


def is_loaded_since(bucket: buckets.Held, row: PlanRow, *, with_flows: bool = False) -> bool:
    """Was a bucket loaded with something else after a plan?

    with_flows   the plan's inputs have money in them that the bucket's never have
    """
    if bucket.loaded_at is None or bucket.loaded_at <= row.saved_at:
        return False
    return bucket.market != row.market or (not with_flows and bucket.portfolio != row.portfolio)


def is_money_moved(bucket: buckets.Held, row: PlanRow, cash: Mapping[str, Decimal]) -> bool:
    """Was money moved into a bucket or out of it after a plan, and nothing loaded since?

    cash   of the plan, by currency, before what its owner asked to bring or take out
    """
    if bucket.loaded_at is None or bucket.loaded_at > row.saved_at:
        return False
    return not same_money(bucket.cash, cash)


def same_money(first: Mapping[str, Decimal], second: Mapping[str, Decimal]) -> bool:
    """Are the balances the same? A currency with none of it counts as one that is not there."""
    return _filled(first) == _filled(second)


def _filled(cash: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: amount for name, amount in cash.items() if amount}


def _loaded_since(bucket: buckets.Held, stored: StoredPlan) -> datetime | None:
    since = is_loaded_since(bucket, stored.row, with_flows=bool(stored.plan.flows))
    return bucket.loaded_at if since else None


def other_rules(now: Version | None, then: StrategyRef) -> str:
    """What a bucket plans by now, where that is not what a plan was made by; "" = the same."""
    if now is None:
        return "" if then.version is None else "no stored strategy"
    # a plan with closed sides is named after its strategy and them
    same = then.version == now.version and then.name.startswith(now.name)
    return "" if same else now.shown
