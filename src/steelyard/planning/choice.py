"""The winner: the best few re-scored by the readable reference evaluator; hold unless the best is
worth it.

The collapsed tables may order, they may not publish: every figure of a plan comes from the
reference evaluator, and the two must agree to 1e-9. Ties within 1e-9 are decided by the reference
score rounded to 12 decimals, then fewer orders, then lower cost, then the canonical row. With a
black-box term all kept rows are re-ranked by the full score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steelyard.arrays import PAD, IntArray
from steelyard.errors import InternalError
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.planning.keep import TIE, Pool
from steelyard.planning.score.objective import Objective
from steelyard.planning.score.reference import Evaluation
from steelyard.planning.score.reference import evaluate as reference

AGREEMENT = 1e-9
"""Largest difference between collapsed tables and reference evaluator; of scores where over 1."""

DECISIVE_DECIMALS = 12

RUNNERS_UP = 3


@dataclass(frozen=True, slots=True)
class Scored:
    """A set of orders and what it is worth by the reference evaluator.

    row      indices into the table, ascending
    net      improvement over hold after charges
    cost     of value
    """

    row: tuple[int, ...]
    evaluation: Evaluation
    net: float
    cost: float
    charges: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """The plan, hold, and other sets; `best` is the best set found even where hold wins.

    named       other sets that a reader compares with, by name
    threshold   net that a plan must reach
    adds        (steps) what the plan's net loses without each of its orders
    """

    hold: Scored
    plan: Scored
    best: Scored | None
    runners_up: tuple[Scored, ...]
    named: Mapping[str, Scored]
    threshold: float
    adds: tuple[float, ...]

    @property
    def acts(self) -> bool:
        """Is there anything to do?"""
        return bool(self.plan.row)


def score_set(
    ctx: Context, objective: Objective, table: Candidates, row: Sequence[int], hold: float
) -> Scored:
    """Score one set by the reference evaluator; `hold` is the score of doing nothing."""
    weights = table.after(ctx.weights, row)
    cash = ctx.cash_weight - math.fsum(float(table.delta[j]) for j in row)
    evaluation = reference(objective.terms, objective.weights, weights, cash)
    cost = math.fsum(float(table.cost[j]) for j in row)
    tax = math.fsum(float(table.tax[j]) for j in row)
    rates = objective.rates
    charges = (rates.cost * cost, rates.tax * tax, rates.hurdle * len(row))
    return Scored(
        tuple(row),
        evaluation,
        math.fsum((evaluation.score, -hold, *(-charge for charge in charges))),
        cost,
        charges,
    )


def choose(
    ctx: Context, objective: Objective, table: Candidates, pool: Pool, named: Mapping[str, IntArray]
) -> Choice:
    """Pick the plan among the kept rows, or hold.

    named   rows (1, d) to score beside them

    Raises InternalError when the tables and the reference evaluator differ by more than 1e-9.
    """
    hold = score_set(ctx, objective, table, (), 0.0)
    hold = Scored((), hold.evaluation, 0.0, 0.0, (0.0, 0.0, 0.0))
    ranked = _ranked(ctx, objective, table, pool, hold.evaluation.score)
    threshold = least_net(ctx)
    best = ranked[0] if ranked else None
    owed = table.account.due is not None
    worth_it = best is not None and best.net > 0 and best.net >= threshold
    plan = best if best is not None and (owed or worth_it) else hold
    runners_up = tuple(scored for scored in ranked if scored is not plan)[:RUNNERS_UP]
    scored_named = {
        name: score_set(
            ctx, objective, table, [int(j) for j in rows[0] if j != PAD], hold.evaluation.score
        )
        for name, rows in named.items()
    }
    adds = tuple(
        plan.net
        - score_set(
            ctx, objective, table, [k for k in plan.row if k != j], hold.evaluation.score
        ).net
        for j in plan.row
    )
    return Choice(hold, plan, best, runners_up, scored_named, threshold, adds)


def choose_in_scope(
    ctx: Context,
    objective: Objective,
    table: Candidates,
    proposals: Pool,
    searched: Pool,
    greedy: IntArray,
) -> Choice:
    """The plan: the best of what was proposed, or of the whole table, beside the best proposal.

    searched   the best sets of the whole table
    greedy     (1, d)  the list that a greedy planner makes
    """
    named = {"greedy": greedy}
    owed = table.account.due is not None
    if ctx.search.scope == "proposals" and (len(proposals.rows) or not owed):
        return choose(ctx, objective, table, proposals, named)
    if len(proposals.rows):
        named["proposal"] = proposals.rows[:1]
    return choose(ctx, objective, table, searched, named)


def least_net(ctx: Context) -> float:
    """What a plan must gain; after an act a share of it, so that daily plans do not flap."""
    share = ctx.score.latch_share if ctx.state.previous_verdict == "act" else 1.0
    return share * ctx.score.min_improvement


def _ranked(
    ctx: Context, objective: Objective, table: Candidates, pool: Pool, hold: float
) -> list[Scored]:
    """The ties of the best and the runners-up, re-scored, best first."""
    if not len(pool.net):
        return []
    tied = len(pool.net) if objective.black_boxes else int((pool.net >= pool.net[0] - TIE).sum())
    finalists: list[Scored] = []
    for cells, net in zip(pool.rows[: tied + RUNNERS_UP], pool.net, strict=False):
        # debts near the value of the holdings make weights, and so scores, of any size: rounding
        # grows with them
        allowed = AGREEMENT * max(1.0, abs(hold), abs(float(net)))
        scored = score_set(ctx, objective, table, [int(j) for j in cells if j != PAD], hold)
        if abs(scored.net - _black_box_gain(ctx, objective, table, scored.row) - net) > allowed:
            raise InternalError(
                f"The collapsed score of {scored.row} is {net:.15g} and the reference evaluator's "
                f"{scored.net:.15g}, {abs(scored.net - net):.1e} apart; at most {allowed:.0e} is "
                "rounding. No plan was made. Please report this.",
                code="scores_differ",
                value=f"{net:.15g}",
                limit=f"{scored.net:.15g}",
            )
        finalists.append(scored)
    return sorted(
        finalists,
        key=lambda s: (
            -round(s.net, DECISIVE_DECIMALS),
            len(s.row),
            round(s.cost, DECISIVE_DECIMALS),
            s.row,
        ),
    )


def _black_box_gain(
    ctx: Context, objective: Objective, table: Candidates, row: tuple[int, ...]
) -> float:
    """What the parts without an array form add to the net of a set: the tables do not know them."""
    if not objective.black_boxes:
        return 0.0
    after = table.after(ctx.weights, row)
    cash = ctx.cash_weight - math.fsum(float(table.delta[j]) for j in row)
    return math.fsum(
        k * (part.raw(after, cash) - part.raw(ctx.weights, ctx.cash_weight))
        for _, part, k in objective.black_boxes
    )
