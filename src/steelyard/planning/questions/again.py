"""A plan to ask questions of, and its case solved again with one thing changed, in its own scope.

Over whole lots no candidate table is made: the search starts from the plan, mapped into what may be
traded then, and estimates stand where the change does not touch them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context
from steelyard.modules.opportunities.profit_taking import Params
from steelyard.modules.registry import Kind
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.choice import Choice
from steelyard.planning.contexts import context_of
from steelyard.planning.domain import Domain, domain_of, list_of, list_of_row
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.lists import best_list
from steelyard.planning.over_lots import searched
from steelyard.planning.proof import lot_nodes, search_gap
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.scored import score_set
from steelyard.planning.search.lots import Listed, LotList, nothing
from steelyard.planning.search.moves import Place
from steelyard.planning.search.quantities import LotSearch
from steelyard.planning.solve import Solution, Steps, solved
from steelyard.planning.table import bare_table
from steelyard.planning.ways import BUY
from steelyard.planning.wishes import find_opportunities
from steelyard.plans.plan import Plan
from steelyard.strategies import Strategy

Progress = Callable[[str, int, int], None]
"""(what, done, of how many)"""

Posed = tuple[Case, Context, Objective, Domain]
"""A case by its rules, as a problem over whole lots."""

MORE_NODES = 20
"""Nodes that a question may branch, beside twice those of the plan, where the plan is proven."""


@dataclass(frozen=True, slots=True)
class Lots:
    """Over whole lots: what may be traded, the plan as a list of it, and a search that was made."""

    domain: Domain
    listed: LotList
    search: LotSearch | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A case with its plan: what questions compare.

    case   by the rules of the plan
    gap    of the net, to the best of the scope; None where it is not known
    lots   None in the scopes of the table
    late   did a clock end a search or a module?
    """

    case: Case
    ctx: Context
    objective: Objective
    choice: Choice
    gap: float | None
    lots: Lots | None = None
    late: bool = False

    @property
    def orders(self) -> Orders:
        """What the rows of the choice index."""
        return self.choice.orders

    @property
    def shares(self) -> dict[str, Decimal]:
        """Symbol -> signed shares of the plan."""
        orders, symbols = self.choice.orders, self.ctx.symbols
        return {
            symbols[orders.security[j]]: orders.quantity[j] * (1 if orders.is_buy[j] else -1)
            for j in self.choice.plan.row
        }

    def net_under(self, other: Answer) -> float:
        """Net of this plan under the objective of another answer, at the same prices."""
        # what is over the cap on a name the score counts as cash: another cap is another objective
        capped = other.ctx.limits.max_position_weight != self.ctx.limits.max_position_weight
        same = other.objective.rates == self.objective.rates and not capped
        if not self.choice.acts or same:
            return self.choice.plan.net
        orders, row = self.choice.orders, self.choice.plan.row
        hold = other.choice.hold.evaluation.score
        return score_set(self.ctx, other.objective, orders, row, hold).net


@dataclass(frozen=True, slots=True)
class Asked:
    """The plan that questions are asked of.

    basis   of a plan over whole lots what may be traded, of another its solution
    gone    modules that the plan is made without, since they failed late -> error
    nodes   that its proof branched
    """

    now: Answer
    basis: Solution | Lots
    gone: Mapping[str, str]
    nodes: int
    steps: Steps

    def again(self, case: Case, *, prove: bool = False) -> Answer:
        """A changed case solved in the plan's scope; where asked, proven if the plan is.

        Raises FailedLate and PlanRefused.
        """
        if isinstance(self.basis, Solution):
            guard = Guard(case.disabled, self.gone, findings=Findings(clock=self.steps.clock))
            solution, inner = solved(case, self.steps, guard)
            answer = answer_of(solution)
            return replace(answer, late=answer.late or inner.late)
        return self.searched(self.posed(case), prove=prove)

    def posed(self, case: Case) -> Posed:
        """A changed case as a problem over whole lots; estimates stand where they are the same."""
        return _posed(case, self.gone, self.now.ctx)

    def searched(self, posed: Posed, *, prove: bool = False) -> Answer:
        """A problem searched from the plan."""
        case, ctx, objective, domain = posed
        nodes = 2 * self.nodes + MORE_NODES if prove and self.now.gap == 0 else 0
        started = self.steps.clock()
        search, proof = searched(
            domain,
            [*domain.seeds, nearest(domain, ctx, self.now.shares)],
            min(nodes, lot_nodes(ctx, domain)),
            lambda: self.steps.clock() > started + ctx.search.max_seconds,
        )
        choice, best = best_list(ctx, objective, bare_table(ctx, []), (domain, proof.lists))
        orders = nothing(ctx.n) if best is None else best.orders
        gap, late = search_gap(objective, choice, proof.bound), proof.stopped == "seconds"
        return Answer(case, ctx, objective, choice, gap, Lots(domain, orders, search), late)


def asked_of(case: Case, plan: Plan, steps: Steps) -> Asked:
    """A plan as questions need it; the case is solved again in the scopes of the table alone."""
    if plan.certificate.scope != "quantities":
        solution, guard = solved(case, steps)
        return asked_by(solution, guard, steps)
    gone = {
        f"{run.kind}.{run.name}": run.error or "" for run in plan.modules if run.outcome == "failed"
    }
    posed = _posed(case, gone, None)
    shares = {s.symbol: s.quantity * (1 if s.side is Side.BUY else -1) for s in plan.steps}
    listed = nearest(posed[3], posed[1], shares)
    now = _as_planned(posed, listed, plan.certificate.search_gap)
    return Asked(now, Lots(posed[3], listed), gone, plan.certificate.nodes or 0, steps)


def asked_by(solution: Solution, guard: Guard, steps: Steps) -> Asked:
    """A plan just made, as questions need it."""
    now = answer_of(solution)
    return Asked(now, now.lots or solution, guard.gone, solution.searched.nodes, steps)


def answer_of(solution: Solution) -> Answer:
    """A solution as an answer, in any scope."""
    choice, gap, lots = solution.choice, solution.certificate.search_gap, None
    searched = solution.searched.lots
    if searched is not None:
        orders = choice.orders
        listed = list_of_row(searched.domain, orders, choice.plan.row)
        lots = Lots(searched.domain, listed, searched.search)
    late = solution.searched.stopped == "seconds"
    return Answer(solution.case, solution.ctx, solution.objective, choice, gap, lots, late)


def nearest(domain: Domain, ctx: Context, shares: Mapping[str, Decimal]) -> LotList:
    """The list nearest to some orders, signed shares by symbol, of what may be traded."""
    ways = []
    for symbol in shares.keys() & ctx.place.keys():
        ways += _nearest_way(domain, ctx.place[symbol], shares[symbol])
    return list_of(ctx.n, domain.trades, ways)


def _nearest_way(domain: Domain, i: int, shares: Decimal) -> list[tuple[int, int]]:
    """The way of a security on that side, and its lots, that come nearest; none: an empty list."""
    trades, size = domain.trades, abs(shares)
    first, end = np.searchsorted(trades.security, [i, i + 1]).tolist()
    near: list[tuple[Decimal, int, int]] = []
    for w in range(first, end):
        if bool(trades.kind[w] == BUY) is (shares > 0):
            asked = int((size / domain.quantity[w]).to_integral_value())
            lots = min(max(asked, int(trades.least[w])), int(trades.most[w]))
            near.append((abs(lots * domain.quantity[w] - size), w, lots))
    return [min(near)[1:]] if near else []


def _posed(case: Case, gone: Mapping[str, str], like: Context | None) -> Posed:
    """A case as a problem over whole lots; `like` lends its estimates where they are the same."""
    findings = Findings()
    guard = Guard(case.disabled, gone, findings=findings)
    case, _, ctx = context_of(case, findings, like)
    objective = objective_of(ctx, case.strategy, guard)
    table: Orders = bare_table(ctx, ())
    # with targets what may be traded does not rest on what the calculators ask for, but for stops
    if ctx.target_weights is None or _stops(case.strategy):
        table = find_opportunities(ctx, objective, case.strategy, guard)
    return case, ctx, objective, domain_of(ctx, objective, table, case.strategy, guard)


def _stops(strategy: Strategy) -> bool:
    """Is there a trailing stop?"""
    choice = strategy.choice(Kind.OPPORTUNITY, "profit_taking")
    params = choice.params
    stops = isinstance(params, Params) and params.trailing_stop_distance is not None
    return choice.enabled and stops


def _as_planned(posed: Posed, listed: LotList, gap: float | None) -> Answer:
    """The plan as it is: a list whose gap is known from its certificate."""
    case, ctx, objective, domain = posed
    hold = Place.of(domain.problem, nothing(ctx.n), 0.0).net
    net = Place.of(domain.problem, listed, hold).net
    lists = (Listed(listed, net),) if len(listed.traded) else ()
    choice, _ = best_list(ctx, objective, bare_table(ctx, []), (domain, lists))
    return Answer(case, ctx, objective, choice, gap, Lots(domain, listed))
