"""The search over the whole candidate table, and the certificate: how far a plan is from the best
one.

Two numbers, never mixed: the search gap (0 = no set of candidates is better) and the structural
headroom (what other quantities and more orders could add at most: the candidates and the depth
limit quality, not the search).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import IntArray
from steelyard.ledger import least_spendable
from steelyard.modules.candidates import Candidates, Ranking
from steelyard.modules.context import Context
from steelyard.modules.terms import end_state
from steelyard.planning.choice import Choice
from steelyard.planning.costs import cost_rate, least_tax_rate
from steelyard.planning.keep import Pool
from steelyard.planning.overdraft import covering
from steelyard.planning.score.objective import Objective
from steelyard.planning.search.beam import beam, greedy
from steelyard.planning.search.branch_and_bound import Proof, branch_and_bound
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.relax import relaxation
from steelyard.planning.search.root_bound import root_bound
from steelyard.planning.search.unrestricted import Room, Unrestricted, unrestricted
from steelyard.plans.score import Certificate, Gap

PROVEN = 1e-9
"""A gap up to this is none: ties are decided by the reference evaluator within it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the search over the table found.

    candidates     rows of the table
    greedy         (1, d)  the list that a greedy planner makes
    unrestricted   the continuous optimum
    seconds        wall time of the search
    """

    proof: Proof
    candidates: int
    greedy: IntArray
    unrestricted: Unrestricted
    seconds: float


def prove(
    ctx: Context,
    objective: Objective,
    table: Candidates,
    proposals: Pool,
    clock: Callable[[], float],
) -> Evidence:
    """Search all sets of candidates, from the beam, the best proposals and the greedy list."""
    started = clock()
    deadline = started + ctx.search.max_seconds
    problem = Problem(table.tables, table.account, ctx.search.max_depth, table.predicates)
    root = root_bound(relaxation(problem))
    simple = greedy(problem)
    due = None if table.account.exact is None else table.account.exact.due
    paid = None if due is None else covering(ctx, table, due)
    seeds = [
        proposals.rows,
        simple,
        *(() if paid is None else (paid,)),
        *(beam(problem, root.mu, ctx.search.beam_width) if table.m else ()),
    ]
    proof = branch_and_bound(
        problem,
        seeds,
        max_nodes=ctx.search.max_nodes,
        timed_out=lambda: clock() > deadline,
        root=root,
    )
    ceiling = unrestricted(
        objective.model, end_state(ctx.weights, ctx.cash_weight), room_of(ctx, objective)
    )
    return Evidence(proof, table.m, simple, ceiling, clock() - started)


def room_of(ctx: Context, objective: Objective) -> Room:
    """How far each security may be traded at all, whatever the candidates are."""
    weights, cap = ctx.weights, np.maximum(ctx.caps, ctx.weights)
    most = cap if ctx.target_weights is None else np.minimum(cap, ctx.target_weights)
    least = np.zeros(ctx.n) if ctx.target_weights is None else ctx.target_weights
    sellable = ctx.sellable * ctx.prices * ctx.fx / ctx.value
    rate = np.array([cost_rate(ctx, i) for i in range(ctx.n)])
    tax = np.array([least_tax_rate(ctx, i) for i in range(ctx.n)])
    spare = ctx.spendable_weight - least_spendable(
        ctx.cash_weight - ctx.open_buys_weight - ctx.awaited_weight,
        ctx.spendable_weight,
        ctx.reserve_weight,
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
    ranked: Sequence[Ranking],
) -> Certificate:
    """The certificate of the chosen plan under the scope of the strategy.

    ranked   what rank filters leave of the proposals
    """
    hold, net = choice.hold.evaluation.score, choice.plan.net
    gap = search_gap(objective, choice, evidence.proof)
    ranked_by = sorted({term.name for term, _, _ in objective.black_boxes})
    proven = gap == 0.0 and not ranked_by
    return Certificate(
        scope=ctx.search.scope,
        covers=_covers(ctx, evidence.candidates, proposals, ranked),
        selected_by=(
            f"{', '.join(ranked_by)}, of {len(evidence.proof.pool.net)}" if ranked_by else None
        ),
        status="none" if gap is None else "proven" if proven else "bounded",
        search_gap=gap,
        search_gap_of_improvement=gap / net if gap is not None and net > 0 else None,
        gap=None if gap is None else gap_shown(ctx, objective, gap, net),
        bound=None if gap is None else hold + net + gap,
        structural_headroom=None if ranked_by else max(0.0, evidence.unrestricted.bound - net),
        local_optimum=None,
        refined=None,
        neighbours=(),
        nodes=evidence.proof.nodes,
        candidates=evidence.candidates,
        sequences=proposals.seen,
        seconds=round(evidence.seconds, 6),
    )


def gap_shown(ctx: Context, objective: Objective, gap: float, net: float) -> Gap:
    """A gap as people read it: points, money a year, share of the improvement."""
    return Gap(
        points=100 * gap,
        base_per_year=objective.rates.base_per_year(gap, ctx.value),
        of_improvement=gap / net if net > 0 else None,
    )


def search_gap(objective: Objective, choice: Choice, proof: Proof) -> float | None:
    """How much more net any set could have than the plan, by the rule of the least improvement.

    None when a black box re-ranked the sets and does not say how much it can move them.
    """
    reach = objective.black_box_reach
    if reach is None:
        return None
    most = proof.bound + reach
    # a set that cannot reach the least improvement is no better than hold
    if not choice.acts and most < max(choice.threshold, PROVEN):
        return 0.0
    gap = max(0.0, most - choice.plan.net)
    return 0.0 if gap <= PROVEN else gap


def _covers(ctx: Context, candidates: int, proposals: Pool, ranked: Sequence[Ranking]) -> str:
    seen = proposals.seen
    most = min((ranking.most for ranking in ranked), default=seen)
    if most < seen:
        return f"best of at most {most:,d} of {seen:,d} proposals, the first by rank"
    if ctx.search.scope == "proposals":
        return f"best of {seen:,d} proposals"
    depth = ctx.search.max_depth
    return f"every list of at most {depth} of {candidates:,d} candidates, one order per security"
