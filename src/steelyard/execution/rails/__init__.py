"""The rails: before anything is sent every one of these is asked, and one that blocks is enough.

In: `Facts`, a frozen record; what is not known is None. Out: for each rail `Pass` with its evidence
or `Block` with a code. A rail is a pure function in the file of its theme; to add one, write it
there and name it in `RAILS`: nothing else switches one on or off.
"""

from __future__ import annotations

from steelyard.execution.rails import account, day, machine, market, order, plan
from steelyard.execution.rails.account import lacking
from steelyard.execution.rails.facts import Facts
from steelyard.execution.rails.judge import Block, Judged, Pass, Rail, Scope, Verdict, ask, blocks

RAILS: tuple[Rail, ...] = (
    account.kill_switch,
    account.mode,
    account.account,
    account.history,
    account.arm,
    account.run_lock,
    account.reconciled,
    machine.clock,
    machine.builds,
    machine.disk,
    market.session,
    plan.plan,
    plan.plan_age,
    plan.holdings,
    plan.drift,
    plan.weights,
    day.loss,
    day.rejects,
    day.failures,
    order.approved,
    order.duplicate,
    order.ticket,
    order.fx_rate,
    order.order_value,
    order.order_volume,
    order.shares,
    order.cash,
    order.position,
    order.sector,
    market.quote,
    market.spread,
    market.limit_price,
    market.close_price,
    market.two_prices,
    day.order_count,
    day.pace,
    day.turnover,
    day.failed_sells,
    day.restricted,
    day.open_orders,
    day.opposite_trade,
)


def judge(facts: Facts, scope: Scope) -> tuple[Judged, ...]:
    """Every rail's verdict, in the order of `RAILS`: for a run its own, for an order all."""
    return tuple(ask(rail, facts) for rail in RAILS if scope == "order" or rail.scope == "run")


__all__ = [
    "RAILS",
    "Block",
    "Facts",
    "Judged",
    "Pass",
    "Rail",
    "Scope",
    "Verdict",
    "blocks",
    "judge",
    "lacking",
]
