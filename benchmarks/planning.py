"""From inputs to a finished candidate table, and any list of orders scored as it is.

`plan()` does the first; here its intermediate results stay in hand. The second judges plans that
others made: their orders need not be in our table, nor be whole lots, nor leave any cash.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from steelyard import samples
from steelyard.arrays import IntArray
from steelyard.importers import assemble, read
from steelyard.ledger import feasible
from steelyard.market import Market
from steelyard.modules.candidates import Batch, Candidates, Scores
from steelyard.modules.context import Context
from steelyard.modules.tables import evaluate
from steelyard.planning.case import Case
from steelyard.planning.costs import order_cost
from steelyard.planning.guard import Guard
from steelyard.planning.keep import Pool
from steelyard.planning.planner import plan
from steelyard.planning.proof import Evidence, Search
from steelyard.planning.score.objective import Objective
from steelyard.planning.score.reference import evaluate as reference
from steelyard.planning.search.beam import beam, greedy
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.relax import relaxation
from steelyard.planning.search.root_bound import root_bound
from steelyard.planning.solve import LOCAL, Steps, solved
from steelyard.plans.plan import Plan
from steelyard.portfolio import Snapshot
from steelyard.strategies import Strategy, default
from steelyard.targets import Targets


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


def sample_inputs(name: str, strategy: Strategy | None = None, as_of: date | None = None) -> Inputs:
    """A bundled portfolio with its prices and targets, as the command line reads it."""
    files = samples.sample(name)
    seen = read(
        files.holdings,
        prices=files.prices,
        targets=files.targets,
        securities=files.securities,
        fx=files.fx,
        index=files.index,
    )
    imported = assemble(seen, base_currency=files.base_currency, as_of=as_of)
    return Inputs(imported.snapshot, imported.market, strategy or default(), imported.targets)


def prepare(inputs: Inputs) -> Prepared:
    """Plan, and keep what the search saw."""
    solution, _ = solved(case_of(inputs), LOCAL)
    return Prepared(solution.ctx, solution.objective, solution.table)


def case_of(inputs: Inputs) -> Case:
    """What a plan of the inputs is a function of."""
    return Case(
        snapshot=inputs.snapshot,
        market=inputs.market,
        strategy=inputs.strategy,
        targets=inputs.targets,
    )


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
        off_lot += bool(quantity % ctx.securities[i].lot_size) and float(-quantity) != float(
            ctx.quantities[i]
        )
    moved, cost = math.fsum(deltas), math.fsum(costs)
    hold = reference(objective.terms, objective.weights, ctx.weights, ctx.cash_weight).score
    end = reference(objective.terms, objective.weights, weights, ctx.cash_weight - moved).score
    return Judged(
        hold=hold,
        net=end - hold - objective.rates.total(cost, 0.0, len(orders)),
        orders=len(orders),
        cost=cost,
        cash_after=ctx.spendable_weight - moved - cost,
        floor=account.floor,
        off_lot=off_lot,
    )


def orders_of(answer: Plan) -> dict[str, Decimal]:
    """The steps of a plan as signed shares."""
    return {
        step.symbol: step.quantity if step.side == "buy" else -step.quantity
        for step in answer.steps
    }


@dataclass
class Watched:
    """LOCAL steps with a stopwatch: when is the first set in hand that is worth `enough`, and when
    is the search done.

    enough     net improvement
    started    clock before the plan
    first      seconds to that set, None if there was none
    searched   seconds to the end of the search, proven or not
    """

    enough: float
    started: float
    first: float | None = None
    searched: float | None = None

    def _saw(self, net: float) -> bool:
        if self.first is None and net >= self.enough:
            self.first = time.perf_counter() - self.started
        return self.first is not None

    @property
    def steps(self) -> Steps:
        """LOCAL, watched."""
        return replace(LOCAL, evaluate=self.evaluate, prove=self.prove)

    def evaluate(
        self,
        ctx: Context,
        table: Candidates,
        batches: Iterable[Batch],
        strategy: Strategy,
        guard: Guard,
    ) -> Iterator[Scores]:
        """Scores as they come, looked at."""
        for scores in LOCAL.evaluate(ctx, table, batches, strategy, guard):
            self._saw(float(scores.net.max(initial=-np.inf)))
            yield scores

    def prove(
        self,
        ctx: Context,
        objective: Objective,
        table: Candidates,
        pool: Pool,
        search: Search,
    ) -> Evidence:
        """Look at greed and at the beam, depth by depth, then search as LOCAL does; looking is not
        counted as searching.
        """
        looking = time.perf_counter()
        for rows in _starts(ctx, table):
            if self.first is not None or self._saw(
                float(
                    np.where(
                        feasible(table.account, rows), evaluate(table.tables, rows), -np.inf
                    ).max()
                )
            ):
                break
        self.started += time.perf_counter() - looking
        evidence = LOCAL.prove(ctx, objective, table, pool, search)
        self.searched = time.perf_counter() - self.started
        if (
            len(evidence.proof.pool.net)
            and self.first is None
            and evidence.proof.pool.net[0] >= self.enough
        ):
            self.first = self.searched
        return evidence


def _starts(ctx: Context, table: Candidates) -> Iterator[IntArray]:
    """What the search starts from, in the order in which it makes it."""
    problem = Problem(table.tables, table.account, ctx.search.max_depth, table.predicates)
    yield greedy(problem)
    yield from (
        rows
        for rows in beam(problem, root_bound(relaxation(problem)).mu, ctx.search.beam_width)
        if len(rows)
    )


def watch(inputs: Inputs, enough: float) -> Watched:
    """Plan once under the stopwatch."""
    watched = Watched(enough, time.perf_counter())
    solved(case_of(inputs), watched.steps)
    return watched
