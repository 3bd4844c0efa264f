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
from dataclasses import dataclass, replace

from steelyard.arrays import PAD, FloatArray
from steelyard.errors import InternalError
from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context
from steelyard.modules.terms import end_state
from steelyard.planning.bands import by_bands
from steelyard.planning.drift import drift_after, drifts_without
from steelyard.planning.keep import TIE, Pool
from steelyard.planning.modes.judge import Compare, Judgement, judged
from steelyard.planning.score.model import Point
from steelyard.planning.score.objective import Objective
from steelyard.planning.scored import Scored, doing_nothing, score_set
from steelyard.planning.search.moves import along

AGREEMENT = 1e-9
"""Largest difference between collapsed tables and reference evaluator; of scores where over 1."""

DECISIVE_DECIMALS = 12

RUNNERS_UP = 3

FRONTIER = "multi_objective"
"""The mode that shows lists too which may not be the plan."""

BASE = "asked_for"
"""Name among the alternatives of what is traded whatever the score gains."""

FEW_ORDERS = 50
"""Orders up to which the reference evaluator tells what each is worth; of more the arrays do."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a plan loses without one of its orders.

    score      net of the plan less net without it
    drift      of what is left; None without targets
    resolved   is that the best plan without the security, and not the other orders as they are?
    """

    score: float
    drift: float | None
    resolved: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The plan, hold, and other sets; `best` is the best set found even where hold wins.

    orders      what every row indexes: the candidate table, and orders that only the search has
    named       other sets that a reader compares with, by name
    base        what is traded whatever the score gains; hold where that is nothing
    only        is nothing else traded? By bands
    threshold   net over `base` that a plan must reach
    worths      (steps) of the plan's orders, in the order of its row
    refined     net that fitting the quantities added; None where they were not fitted
    judgement   what the lists were compared by; None where the score of today alone decides
    """

    orders: Orders
    hold: Scored
    plan: Scored
    best: Scored | None
    runners_up: tuple[Scored, ...]
    named: Mapping[str, Scored]
    threshold: float
    worths: tuple[Worth, ...]
    base: Scored
    refined: float | None = None
    only: bool = False
    judgement: Judgement | None = None

    @property
    def acts(self) -> bool:
        """Is there anything to do?"""
        return bool(self.plan.row)

    @property
    def rests(self) -> bool:
        """Is no more traded than what is traded whatever the score gains?"""
        return self.plan is self.base

    @property
    def lacks(self) -> bool:
        """Does it trade no more than it has to because nothing reaches what is asked for?"""
        return self.rests and self.plan.net < self.threshold


@dataclass(frozen=True, slots=True)
class Finalists:
    """Sets that may be the plan, best first: rows of `orders` and their net by the arrays."""

    orders: Orders
    rows: tuple[tuple[int, ...], ...]
    net: tuple[float, ...]

    @classmethod
    def of_pool(cls, table: Orders, pool: Pool, *, every: bool) -> Finalists:
        """The ties of the best and the runners-up of a pool over a table; every row if asked."""
        count = len(pool.net) if every else _tied(pool.net) + RUNNERS_UP
        rows = tuple(tuple(j for j in row if j != PAD) for row in pool.rows[:count].tolist())
        return cls(table, rows, tuple(pool.net[:count].tolist()))


def _tied(net: FloatArray) -> int:
    return int((net >= net[0] - TIE).sum()) if len(net) else 0


def choose(
    ctx: Context,
    objective: Objective,
    finalists: Finalists,
    named: Mapping[str, Sequence[int]],
    *,
    owed: bool,
    base: Sequence[int] = (),
    compared: Compare | None = None,
) -> Choice:
    """Pick the plan among the finalists, or hold; what its orders are worth is not told yet.

    named   sets to score beside them
    owed    is a debt due? Then hold is no plan
    base    what is traded whatever the score gains; empty = nothing, and the plan may be hold
    compared   who compares them as `evaluation.mode` says; None = by the score of today alone

    Raises InternalError when the arrays and the reference evaluator differ by more than 1e-9.
    """
    orders, threshold = finalists.orders, least_net(ctx)
    hold = doing_nothing(ctx, objective, orders)
    ranked = _ranked(ctx, objective, finalists, hold.evaluation.score)
    best = ranked[0] if ranked else None
    rest = score_set(ctx, objective, orders, base, hold.evaluation.score) if base else hold

    def may_be(scored: Scored) -> bool:
        worth_it = scored.net > rest.net and scored.net >= threshold
        return owed or (worth_it and not by_bands(ctx))

    plan = best if best is not None and may_be(best) else rest
    judgement = None
    if compared is not None and by_mode(ctx) and (best is not None or not owed):
        first = [(hold, not owed and rest is hold), *([(rest, not owed)] if base else [])]
        others = [(scored, may_be(scored)) for scored in ranked if scored.row not in {(), rest.row}]
        some = [pair for pair in others if pair[1] or ctx.rules.evaluation.mode == FRONTIER]
        ends, eligible = zip(*first, *some[: ctx.rules.evaluation.compared], strict=True)
        judgement = judged(ctx, objective, orders, ends, eligible, compared)
        plan = judgement.plan
    scored_named = {
        name: score_set(ctx, objective, orders, row, hold.evaluation.score)
        for name, row in named.items()
    }
    runners_up = tuple(scored for scored in ranked if scored is not plan)[:RUNNERS_UP]
    if base:
        scored_named |= {BASE: rest}
        runners_up = tuple(s for s in ranked if s.row not in {plan.row, rest.row})[:RUNNERS_UP]
    runners_up = () if by_bands(ctx) else runners_up
    if judgement is not None:
        next_best = tuple(s for s in judgement.others if s.row not in {(), rest.row})
        # where nothing else may be the plan, what is not worth it stands there as without a mode
        runners_up = next_best[:RUNNERS_UP] or runners_up
    choice = Choice(orders, hold, plan, best, runners_up, scored_named, threshold, (), rest)
    return replace(choice, only=by_bands(ctx), judgement=judgement)


def by_mode(ctx: Context) -> bool:
    """Is the plan chosen by more than the score of today?

    Bands leave nothing to choose, and what is worth nothing has no return.
    """
    single = ctx.rules.evaluation.mode == "single_objective"
    worth = float(ctx.weights.sum()) + ctx.cash_weight
    return not single and not by_bands(ctx) and worth > 0


def one_by_one(ctx: Context, objective: Objective, choice: Choice) -> tuple[Worth, ...]:
    """What each order of the plan is worth beside the others as they are."""
    orders, row = choice.orders, choice.plan.row
    if len(row) > FEW_ORDERS:
        return _all_at_once(ctx, objective, choice)
    worths = []
    for j in row:
        rest = [k for k in row if k != j]
        net = score_set(ctx, objective, orders, rest, choice.hold.evaluation.score).net
        worths.append(Worth(choice.plan.net - net, drift_after(ctx, orders, rest), False))
    return tuple(worths)


def _all_at_once(ctx: Context, objective: Objective, choice: Choice) -> tuple[Worth, ...]:
    """The same by the arrays: each order moves the end state along one line."""
    orders, row, rates = choice.orders, list(choice.plan.row), objective.rates
    after = orders.after(ctx.weights, row)
    cash = ctx.cash_weight - math.fsum(orders.delta[row].tolist())
    point = Point.at(objective.model, end_state(after, cash))
    security, delta = orders.security[row], orders.delta[row]
    charge = rates.cost * orders.cost[row] + rates.tax * orders.tax[row]
    charge = charge + rates.hurdle * orders.hurdled[row]
    scores = -along(objective.model, point, security, -delta) - charge
    drifts = drifts_without(ctx, after, cash, security, delta)
    pairs = zip(scores.tolist(), drifts, strict=True)
    return tuple(Worth(score, drift, resolved=False) for score, drift in pairs)


def least_net(ctx: Context) -> float:
    """What a plan must gain; after an act a share of it, so that daily plans do not flap."""
    share = ctx.score.latch_share if ctx.state.previous_verdict == "act" else 1.0
    return share * ctx.score.min_improvement


def _ranked(ctx: Context, objective: Objective, finalists: Finalists, hold: float) -> list[Scored]:
    """The finalists re-scored, best first."""
    orders, scored_sets = finalists.orders, list[Scored]()
    for row, net in zip(finalists.rows, finalists.net, strict=True):
        # debts near the value of the holdings make weights, and so scores, of any size: rounding
        # grows with them
        allowed = AGREEMENT * max(1.0, abs(hold), abs(net))
        scored = score_set(ctx, objective, orders, row, hold)
        if abs(scored.net - _black_box_gain(ctx, objective, orders, row) - net) > allowed:
            raise InternalError(
                f"The collapsed score of {scored.row} is {net:.15g} and the reference evaluator's "
                f"{scored.net:.15g}, {abs(scored.net - net):.1e} apart; at most {allowed:.0e} is "
                "rounding. No plan was made. Please report this.",
                code="scores_differ",
                value=f"{net:.15g}",
                limit=f"{scored.net:.15g}",
            )
        scored_sets.append(scored)
    return sorted(
        scored_sets,
        key=lambda s: (
            -round(s.net, DECISIVE_DECIMALS),
            len(s.row),
            round(s.cost, DECISIVE_DECIMALS),
            s.row,
        ),
    )


def _black_box_gain(
    ctx: Context, objective: Objective, orders: Orders, row: tuple[int, ...]
) -> float:
    """What the parts without an array form add to the net of a set: the tables do not know them."""
    if not objective.black_boxes:
        return 0.0
    after = orders.after(ctx.weights, row)
    cash = ctx.cash_weight - math.fsum(orders.delta[list(row)].tolist())
    return math.fsum(
        k * (part.raw(after, cash) - part.raw(ctx.weights, ctx.cash_weight))
        for _, part, k in objective.black_boxes
    )
