"""What a stored bucket owns, and owned when it was planned before, as snapshots to compare on."""

from __future__ import annotations

from steelyard.errors import SteelyardError
from steelyard.runs.compare import Posed
from steelyard.runs.planners import Planners
from steelyard.runs.stored import order_of
from steelyard.store import inputs as kept_inputs
from steelyard.store import plans
from steelyard.store.store import Store

MOST_ROWS = 200
"""Plans that are looked through for other snapshots."""


def posed_snapshots(store: Store, planners: Planners, bucket: str, most: int) -> list[Posed]:
    """Of today, after up to `most - 1` older ones, the oldest first.

    Raises NotStored, InputError for a bucket without holdings.
    """
    order = order_of(store, planners, bucket)
    label = f"{bucket}, {order.inputs.snapshot.as_of:%Y-%m-%d}"
    newest = Posed(label, order.inputs, order.state)
    seen = {(order.bucket.portfolio, order.bucket.market)}
    older: list[Posed] = []
    for row in plans.listed(store, bucket=bucket, most=MOST_ROWS) if most > 1 else ():
        if len(older) >= most - 1:
            break
        if (row.portfolio, row.market) not in seen:
            seen.add((row.portfolio, row.market))
            older.append(_posed(store, row))
    return [*reversed(older), newest]


def _posed(store: Store, row: plans.PlanRow) -> Posed:
    """An older snapshot; one that can no longer be read is compared on by neither, and says why."""
    label = f"{row.bucket}, {row.as_of:%Y-%m-%d}"
    try:
        return Posed(label, kept_inputs.load(store, row.portfolio, row.market))
    except SteelyardError as error:
        return Posed(label, error)
