"""One cycle of a bucket: what a crash left, its snapshot, its plan, the approval, the trades.

The one place where planning and execution meet. Planning gets no broker, and execution no strategy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from steelyard.engine import EngineSettings
from steelyard.execution.begin import start
from steelyard.execution.by_hand import hand_over
from steelyard.execution.comparing import agree
from steelyard.execution.desk import Desk
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Lease
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.recovery import recover
from steelyard.execution.room import Room
from steelyard.execution.states import RUN_OVER
from steelyard.execution.trade import trade
from steelyard.market import Market
from steelyard.planning.solve import LOCAL, Steps
from steelyard.plans.plan import Plan
from steelyard.portfolio import Snapshot
from steelyard.runs import filled
from steelyard.runs.engines import planned
from steelyard.runs.planners import Planners
from steelyard.runs.stored import keep, order_of
from steelyard.store.store import Store


class Prices(Protocol):
    """Where prices come from."""

    def history(self, symbols: Sequence[str], until: Snapshot) -> Market:
        """Prices, returns and rates of some symbols, none after the snapshot's day."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What came of it: `run` is None where nothing was to be traded, or nobody approved."""

    recovered: tuple[RunRow, ...]
    plan: Plan
    run: RunRow | None


def run_cycle(
    bucket: str,
    *,
    room: Room,
    lease: Lease,
    store: Store,
    approve: Callable[[Plan], bool],
    prices: Prices | None = None,
    steps: Steps = LOCAL,
    engine: EngineSettings | None = None,
) -> Cycle:
    """Recover, plan what the broker has, and trade what is approved; raises SteelyardError."""
    began, settings = time.perf_counter(), engine or EngineSettings()
    recovered = recover_all(room, lease)
    order = order_of(store, Planners(store), bucket)
    snapshot = filled.as_held(order.inputs.snapshot, room.broker.account())
    inputs = replace(order.inputs, snapshot=snapshot)
    if prices is not None:
        symbols = [holding.symbol for holding in snapshot.holdings]
        inputs = replace(inputs, market=prices.history(symbols, snapshot))
    plan, record = planned(inputs, order.strategy, order.state, settings, steps)
    keep(store, plan, inputs, order.files, time.perf_counter() - began)
    if not plan.steps or not approve(plan):
        return Cycle(recovered, plan, None)
    run = carry_out(
        start(replace(room, engine=record), lease, plan.to_json(), room.journal.now().utc)
    )
    filled.follow(store, room.journal, run)
    return Cycle(recovered, plan, run)


def carry_out(desk: Desk) -> RunRow:
    """A run that is armed, to its end; where a person places the orders, to their hands."""
    by_file = desk.broker.capabilities.serves == "file"
    return hand_over(desk, agree) if by_file else trade(desk, agree)


def recover_all(room: Room, lease: Lease) -> tuple[RunRow, ...]:
    """Every run of the account that is not over, brought to its end."""
    live = [run for run in rows.runs(room.journal, room.account) if run.state not in RUN_OVER]
    return tuple(recover(room.again(lease, run), crashed=lease.crashed) for run in reversed(live))
