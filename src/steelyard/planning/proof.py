"""The search, and the certificate: how far a plan is from the best one.

In scope `quantities` the search is over every list of whole lots; the table's best set is where it
starts and what it is compared with. In the other scopes it is over the table: then two numbers are
never mixed, the search gap (0 = no set of candidates is better) and the structural headroom (what
other quantities and more orders could add at most).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from steelyard.arrays import PAD, IntArray
from steelyard.ledger import least_spendable
from steelyard.modules.candidates import Candidates, Ranking
from steelyard.modules.context import Context
from steelyard.modules.terms import end_state
from steelyard.planning.choice import Choice
from steelyard.planning.costs import cost_rate, least_tax_rate
from steelyard.planning.domain import Domain, seed_of
from steelyard.planning.guard import Guard
from steelyard.planning.keep import Pool
from steelyard.planning.over_lots import searched
from steelyard.planning.score.objective import Objective
from steelyard.planning.search.beam import beam, greedy
from steelyard.planning.search.branch_and_bound import Proof, branch_and_bound
from steelyard.planning.search.lots import LotList, LotProof
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.quantities import LotSearch
from steelyard.planning.search.relax import relaxation
from steelyard.planning.search.root_bound import root_bound
from steelyard.planning.search.stretches import Record
from steelyard.planning.search.unrestricted import Room, Unrestricted, unrestricted
from steelyard.plans.score import Certificate, Gap
from steelyard.settings import Mode
from steelyard.strategies import Strategy

PROVEN = 1e-9
"""A gap up to this is none: ties are decided by the reference evaluator within it."""

MODES: Mapping[Mode, str] = {
    "monte_carlo": "drawn paths",
    "stochastic": "shocks of the market",
    "multi_timeframe": "several horizons",
    "multi_objective": "several objectives",
}
"""What else than the score of today a plan was chosen by."""

LARGE = 500
"""Rows of a table up to which its best set is searched where whole lots are the scope."""

BY_BANDS = "what the weights outside their bands ask for"
"""What a plan by bands is the best of: nothing else is in question."""

A_NODE, USUAL_WAYS = 25, 200
"""A node over whole lots counts as so many of the table's; one of more ways for more."""


@dataclass(frozen=True, slots=True)
class Search:
    """What the search is given beside the table: what may be traded at all, and a clock.

    domain     None in the scopes of the table, where sizes are not fitted
    strategy   by which both were made, and the guard that ran its modules: what another transport
               has to know
    record_of  name of a search over whole lots -> where its nodes are stored; None = nowhere
    """

    domain: Domain | None
    clock: Callable[[], float]
    strategy: Strategy
    guard: Guard
    record_of: Callable[[str], Record] | None = None


@dataclass(frozen=True, slots=True)
class ByLots:
    """The search over every list of whole lots: what it was of, and what it ended with."""

    domain: Domain
    search: LotSearch
    proof: LotProof

    def allowed(self, orders: LotList) -> bool:
        """May a list be the plan?"""
        return self.search.allowed(orders) and self.domain.problem.permits(orders)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the search found.

    proof          over the table; in scope `quantities` only what the beam and the proposals give
    lots           over every list of whole lots; None in the other scopes
    candidates     rows of the table
    greedy         (1, d)  the list that a greedy planner makes
    unrestricted   the continuous optimum
    seconds        wall time of the search
    """

    proof: Proof
    lots: ByLots | None
    candidates: int
    greedy: IntArray
    unrestricted: Unrestricted
    seconds: float

    @property
    def stopped(self) -> str | None:
        """Which budget ended the search of the plan's own scope."""
        return self.proof.stopped if self.lots is None else self.lots.proof.stopped

    @property
    def nodes(self) -> int:
        """Branched in the plan's own scope."""
        return self.proof.nodes if self.lots is None else self.lots.proof.nodes

    @property
    def bound(self) -> float:
        """No set of the plan's own scope has a larger net."""
        return self.proof.bound if self.lots is None else self.lots.proof.bound

    @property
    def lists(self) -> int:
        """How many sets of the plan's own scope came back."""
        return len(self.proof.pool.net) if self.lots is None else len(self.lots.proof.lists)


def prove(
    ctx: Context,
    objective: Objective,
    table: Candidates,
    proposals: Pool,
    search: Search,
) -> Evidence:
    """Search the scope of the strategy, from the beam, the best proposals and the greedy list."""
    started = search.clock()
    deadline = started + ctx.search.max_seconds
    domain = search.domain
    by_lots = domain is not None and ctx.search.scope == "quantities"
    problem = Problem(table.tables, table.account, ctx.search.max_depth, table.predicates)
    root, simple = root_bound(relaxation(problem)), greedy(problem)
    # over whole lots the table is only where the search starts from: of a large one greed will do
    some = 0 < table.m <= (LARGE if by_lots else table.m)
    seeds = [
        proposals.rows,
        simple,
        *_whole(ctx, table.cover),
        *_whole(ctx, table.base),
        *(beam(problem, root.mu, ctx.search.beam_width) if some else ()),
    ]

    def timed_out() -> bool:
        return search.clock() > deadline

    nodes = 1 if by_lots else ctx.search.max_nodes
    proof = branch_and_bound(problem, seeds, max_nodes=nodes, timed_out=timed_out, root=root)
    lots = None
    if domain is not None and by_lots:
        rows = [*proof.pool.rows[:1], *proposals.rows[:1], *simple]
        starts = [seed_of(domain, table, [j for j in row.tolist() if j != PAD]) for row in rows]
        lists = [*domain.seeds, *(start for start in starts if start is not None)]
        most = lot_nodes(ctx, domain)
        lots = ByLots(domain, *searched(domain, lists, most, timed_out, search.record_of))
    ceiling = unrestricted(
        objective.model, end_state(ctx.weights, ctx.cash_weight), room_of(ctx, objective)
    )
    return Evidence(proof, lots, table.m, simple, ceiling, search.clock() - started)


def _whole(ctx: Context, some: Sequence[int]) -> tuple[IntArray, ...]:
    """A set of rows as a row of its own, if there is any."""
    if not some:
        return ()
    row = np.full((1, ctx.search.max_depth), PAD, dtype=np.int64)
    row[0, : len(some)] = some
    return (row,)


def lot_nodes(ctx: Context, domain: Domain) -> int:
    """Nodes over whole lots: one for so many of the table's, fewer where there are many ways."""
    ways = len(domain.problem.ways)
    return ctx.search.max_nodes * USUAL_WAYS // (A_NODE * max(USUAL_WAYS, ways))


def room_of(ctx: Context, objective: Objective) -> Room:
    """How far each security may be traded at all, whatever the candidates are."""
    weights, cap = ctx.weights, np.maximum(ctx.caps, ctx.weights)
    most, least = cap, np.zeros(ctx.n)
    if ctx.target_weights is not None:  # an order may pass its target by under half a lot
        half = ctx.lot_weight / 2
        most = np.minimum(cap, ctx.target_weights + half)
        # what is neither held nor a target may be looked at; nothing of it is bought
        most = np.where(ctx.held | (ctx.target_weights > 0), most, 0.0)
        least = np.maximum(ctx.target_weights - half, 0.0)
    sellable = ctx.sellable * ctx.prices * ctx.fx / ctx.value
    rate = np.array([cost_rate(ctx, i) for i in range(ctx.n)])
    tax = np.array([least_tax_rate(ctx, i) for i in range(ctx.n)])
    spare = ctx.spendable_weight - least_spendable(
        ctx.spendable_weight,
        ctx.spendable_weight,
        ctx.keeps_weight,
    )
    # nobody can spend more than everything: keeps the room finite where no cap binds
    everything = max(0.0, spare) + float(sellable.sum())
    buy = np.where(ctx.can_buy, np.clip(most - weights, 0.0, everything), 0.0)
    may_sell = ctx.can_sell & ~ctx.sales_wait
    sell = np.where(may_sell, np.clip(np.minimum(weights - least, sellable), 0.0, None), 0.0)
    return Room(
        size=np.concatenate([buy, sell]),
        use=np.concatenate([1 + rate, rate - 1]),
        charge=np.concatenate(
            [objective.rates.cost * rate, objective.rates.cost * rate + objective.rates.tax * tax]
        ),
        cash=max(0.0, spare),
    )


def certify(
    ctx: Context,
    objective: Objective,
    choice: Choice,
    proposals: Pool,
    evidence: Evidence,
    beside: tuple[Sequence[Ranking], float | None],
) -> Certificate:
    """The certificate of the chosen plan under the scope of the strategy, without neighbours.

    beside   what rank filters leave of the proposals, and the smallest loss by one lot
    """
    ranked, one_lot = beside
    hold, net, lots = choice.hold.evaluation.score, choice.plan.net, evidence.lots
    gap = search_gap(objective, choice, evidence.bound)
    ranked_by = sorted({term.name for term, _, _ in objective.black_boxes})
    selected_by = f"{', '.join(ranked_by)}, of {evidence.lists}" if ranked_by else None
    if choice.judgement is not None:
        selected_by = f"{MODES[ctx.rules.evaluation.mode]}, of {len(choice.judgement.lists)}"
    proven = gap == 0.0 and selected_by is None
    by_score = choice.judgement is None  # the best of the score is; what a mode chose need not be
    local = lots.proof.local_optimum if lots is not None and by_score else None
    return Certificate(
        scope=ctx.search.scope,
        covers=BY_BANDS if choice.only else _covers(ctx, evidence, proposals, ranked),
        selected_by=selected_by,
        status=_status(gap, None if selected_by else one_lot, proven=proven),
        search_gap=gap,
        search_gap_of_improvement=gap / net if gap is not None and net > 0 else None,
        gap=None if gap is None else gap_shown(ctx, objective, gap, net),
        bound=None if gap is None else hold + net - (choice.refined or 0.0) + gap,
        structural_headroom=None if ranked_by else max(0.0, evidence.unrestricted.bound - net),
        local_optimum=local,
        refined=choice.refined,
        neighbours=(),
        sampled=None,
        nodes=evidence.nodes,
        candidates=evidence.candidates,
        sequences=proposals.seen,
        seconds=round(evidence.seconds, 6),
    )


def _status(
    gap: float | None, one_lot: float | None, *, proven: bool
) -> Literal["proven", "within_one_lot", "bounded", "none"]:
    if gap is None:
        return "none"
    if proven:
        return "proven"
    return "within_one_lot" if one_lot is not None and gap <= one_lot else "bounded"


def gap_shown(ctx: Context, objective: Objective, gap: float, net: float) -> Gap:
    """A gap as people read it: points, money a year, share of the improvement."""
    return Gap(
        points=100 * gap,
        base_per_year=objective.rates.base_per_year(gap, ctx.value),
        of_improvement=gap / net if net > 0 else None,
    )


def search_gap(objective: Objective, choice: Choice, bound: float) -> float | None:
    """How much more net any set could have than the plan, by the rule of the least improvement.

    bound   no set has a larger net, but for what black boxes add
    None when a black box re-ranked the sets and does not say how much it can move them.
    """
    if choice.only and choice.rests:
        return 0.0
    reach = objective.black_box_reach
    if reach is None:
        return None
    most = bound + reach
    # a set that cannot reach the least improvement is no better than hold, or than what is traded
    # whatever it gains
    if choice.rests and (most < choice.threshold or most - choice.base.net < PROVEN):
        return 0.0
    gap = max(0.0, most - choice.plan.net + (choice.refined or 0.0))
    return 0.0 if gap <= PROVEN else gap


def every_list(most_orders: int | None, *, targets: bool) -> str:
    """What a plan over whole lots is the best of."""
    lists = "every whole-lot order list of any size and any number of orders"
    if not targets:
        lists = "every whole-lot order list of what the calculators ask for, any number of orders"
    many = "s" if most_orders != 1 else ""
    orders = "" if most_orders is None else f", of at most {most_orders:,d} order{many}"
    return f"{lists} that the filters and limits allow{orders}"


def _covers(ctx: Context, evidence: Evidence, proposals: Pool, ranked: Sequence[Ranking]) -> str:
    seen = proposals.seen
    most = min((ranking.most for ranking in ranked), default=seen)
    if most < seen:
        return f"best of at most {most:,d} of {seen:,d} proposals, the first by rank"
    if ctx.search.scope == "proposals":
        return f"best of {seen:,d} proposals"
    depth = ctx.search.max_depth
    if ctx.search.scope == "quantities":
        most_orders = None if evidence.lots is None else evidence.lots.domain.most_orders
        return every_list(most_orders, targets=ctx.target_weights is not None)
    lists = f"every list of at most {depth} of {evidence.candidates:,d} candidates"
    return f"{lists}, one order per security"
