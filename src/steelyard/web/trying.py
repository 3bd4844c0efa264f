"""Plans that are made to look at, and kept nowhere: a side of a snapshot is planned once.

Whoever plans takes a place of the house's; what was planned last stays at hand in this process, so
that a draft that is looked at again plans only what is another.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from anyio import to_thread
from cachetools import LRUCache
from fastapi import Request

from steelyard.runs.previewed import PlannedSide, Previewed, previewed, side_of
from steelyard.runs.stored import TRADED, StoredOrder, order_of
from steelyard.services.house import House
from steelyard.store.buckets import Held
from steelyard.strategies import Strategy

MOST_SIDES = 12
"""Plans at hand, each with its snapshot."""
Key = tuple[object, ...]


class Sides:
    """Sides that were planned, by what they are a function of."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sides: LRUCache[Key, PlannedSide] = LRUCache(MOST_SIDES)

    def get(self, house: House, order: StoredOrder, strategy: Strategy) -> PlannedSide:
        """A snapshot planned by a strategy; blocks."""
        bucket = order.bucket
        cash = tuple(sorted(bucket.cash.items()))
        title = strategy.version, strategy.sha256
        key = (bucket.name, bucket.portfolio, bucket.market, cash, repr(order.state), title)
        with self._lock:
            side = self._sides.get(key)
        if side is None:
            side = side_of(order, strategy, house.steps())
            with self._lock:
                self._sides[key] = side
        return side


async def tried(
    request: Request, house: House, bucket: str, old: Strategy, new: Strategy
) -> Previewed:
    """Today's plan of a bucket by two strategies; raises SteelyardError without a snapshot."""
    state = request.app.state
    if not hasattr(state, "sides"):
        state.sides = Sides()
    sides: Sides = state.sides

    def work() -> Previewed:
        order = order_of(house.store(), house.planners(), bucket)
        return previewed(bucket, *(sides.get(house, order, rules) for rules in (old, new)))

    return await to_thread.run_sync(work, limiter=house.comparing)


def loaded(every: Sequence[Held]) -> list[str]:
    """The buckets of these that can be planned, the core first."""
    rows = [bucket for bucket in every if bucket.portfolio is not None]
    ready = [bucket for bucket in rows if bucket.kind == "core" or bucket.status in TRADED]
    return [
        bucket.name
        for bucket in sorted(ready, key=lambda bucket: (bucket.kind != "core", bucket.name))
    ]
