"""From inputs to a finished candidate table, and any list of orders scored as it is.

`plan()` does the first; here its intermediate results stay in hand. The second judges plans that others made:
their orders need not be in our table, nor be whole lots, nor leave any cash.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from steelyard import samples
from steelyard.choose import Objective
from steelyard.context import Candidates, Context
from steelyard.findings import Findings
from steelyard.importers import assemble, read
from steelyard.market import Market
from steelyard.planner import eligible_buys, find_opportunities, objective_of, plan
from steelyard.plans import Plan
from steelyard.portfolio import BucketState, Snapshot
from steelyard.scoring.reference import evaluate
from steelyard.strategies import Strategy, default
from steelyard.table import order_cost
from steelyard.targets import Targets
from steelyard.universe import build_context, value_portfolio


@dataclass(frozen=True)
class Inputs:
    """What `plan` takes."""

    snapshot: Snapshot
    market: Market
    strategy: Strategy
    targets: Targets | None

    def plan(self) -> Plan:
        """Plan once."""
        return plan(self.snapshot, self.market, self.strategy, targets=self.targets)


@dataclass(frozen=True)
class Prepared:
    """What the search gets to see of the inputs."""

    ctx: Context
    objective: Objective
    table: Candidates


@dataclass(frozen=True, slots=True)
class Judged:
    """Orders as somebody gave them, under our score and our rules.

    hold         score of doing nothing
    net          score after, less `hold` and our charges
    orders       how many
    cost         our costs, of value
    cash_after   spendable cash after costs, of value
    floor        what our reserve asks to be left, of value
    off_lot      orders that are neither whole lots nor the whole holding
    """

    hold: float
    net: float
    orders: int
    cost: float
    cash_after: float
    floor: float
    off_lot: int

    @property
    def cash_missing(self) -> float:
        """What the reserve lacks, of value; 0 if it is kept."""
        return max(0.0, self.floor - self.cash_after)


def sample_inputs(name: str, strategy: Strategy | None = None) -> Inputs:
    """A bundled portfolio with its prices and targets, as the command line reads it."""
    files = samples.sample(name)
    found = read(files.holdings, prices=files.prices, targets=files.targets, securities=files.securities, fx=files.fx)
    imported = assemble(found, base_currency=files.base_currency)
    return Inputs(imported.snapshot, imported.market, strategy or default(), imported.targets)


def prepare(inputs: Inputs) -> Prepared:
    """The first four steps of `plan`."""
    findings, strategy = Findings(), inputs.strategy
    wanted = inputs.targets.weights if inputs.targets else ()
    ctx = build_context(
        inputs.snapshot,
        inputs.market,
        strategy,
        value_portfolio(inputs.snapshot, inputs.market, wanted, strategy.limits, findings),
        targets=inputs.targets,
        state=BucketState(),
        seed=0,
        eligible=lambda wide: eligible_buys(wide, strategy, {}),
        findings=findings,
    )
    objective = objective_of(ctx, strategy, findings)
    return Prepared(ctx, objective, find_opportunities(ctx, objective, strategy, findings))


def judge(prepared: Prepared, orders: Mapping[str, Decimal]) -> Judged:
    """Score the end state of some orders, whatever rules they break.

    orders   symbol -> signed shares, > 0 buys
    Raises ValueError for a symbol outside the planning set.
    """
    ctx, objective, account = prepared.ctx, prepared.objective, prepared.table.account
    weights = ctx.weights.copy()
    deltas, costs, off_lot = [], [], 0
    for symbol, quantity in orders.items():
        i = ctx.symbols.index(symbol)
        delta = float(quantity) * float(ctx.prices[i] * ctx.fx[i]) / ctx.value
        weights[i] += delta
        deltas.append(delta)
        costs.append(order_cost(ctx, i, abs(delta)))
        off_lot += bool(quantity % ctx.securities[i].lot_size) and float(-quantity) != float(ctx.quantities[i])
    moved, cost = math.fsum(deltas), math.fsum(costs)
    hold = evaluate(objective.terms, objective.weights, ctx.weights, ctx.cash_weight).score
    end = evaluate(objective.terms, objective.weights, weights, ctx.cash_weight - moved).score
    return Judged(
        hold=hold,
        net=end - hold - objective.rates.total(cost, 0.0, len(orders)),
        orders=len(orders),
        cost=cost,
        cash_after=ctx.spendable_weight - moved - cost,
        floor=account.floor,
        off_lot=off_lot,
    )


def orders_of(made: Plan) -> dict[str, Decimal]:
    """The steps of a plan as signed shares."""
    return {step.symbol: step.quantity if step.side == "buy" else -step.quantity for step in made.steps}
