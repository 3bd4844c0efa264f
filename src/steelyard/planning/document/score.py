"""The score by term and part, at hold and after the plan, and what its forecasts were worth."""

from __future__ import annotations

import numpy as np

from steelyard.planning.estimated import History, foreseen
from steelyard.planning.guard import Guard
from steelyard.planning.solve import Solution
from steelyard.plans.score import Charges, ForesightShown, PartShown, ScoreShown, TermShown
from steelyard.sentences import say, worded


def score_shown(m: Solution, guard: Guard) -> ScoreShown:
    hold, plan = m.choice.hold.evaluation, m.choice.plan.evaluation
    cost, tax, hurdle = m.choice.plan.charges
    terms = []
    for term, before, after in zip(m.objective.terms, hold.terms, plan.terms, strict=True):
        parts = tuple(
            PartShown(
                name=b.name,
                share=b.share,
                scale=(part.lo, part.hi),
                raw_hold=b.raw,
                raw_plan=a.raw,
                hold=b.scaled,
                plan=a.scaled,
            )
            for part, b, a in zip(term.parts, before.parts, after.parts, strict=True)
        )
        off_scale = before.off_scale or after.off_scale
        terms.append(
            TermShown(
                name=before.name,
                weight=before.weight,
                hold=before.value,
                plan=after.value,
                off_scale=off_scale,
                parts=parts,
            )
        )
    return ScoreShown(
        hold=hold.score,
        plan=plan.score,
        improvement=m.choice.plan.net,
        min_improvement=m.choice.threshold,
        charges=Charges(cost=cost, tax=tax, hurdle=hurdle),
        terms=tuple(terms),
        foresight=_foresight(m, guard),
    )


def _foresight(m: Solution, guard: Guard) -> ForesightShown | None:
    """What predictions of the volatility of what the plan ends with have been worth."""
    ctx, after = m.ctx, m.orders.after(m.ctx.weights, m.choice.plan.row)
    held = np.flatnonzero(after > 0)
    history = History(m.case.market, ctx.securities, ctx.limits.max_stale_sessions)
    shrinkage, calculations = ctx.estimates.shrinkage, guard.calculations
    past = foreseen(history, held, after[held], ctx.score, shrinkage, calculations)
    if past is None:
        return None
    figures = {
        "quarters": past.quarters,
        "median": past.median,
        "least": past.least,
        "most": past.most,
        "covered": past.covered,
    }
    over = ", over {covered:pct} of what is held" if past.covered < 1 else ""
    sentence = say(
        "In the last {quarters:count} quarters volatility came out at {median:ratio} times what a "
        "prediction made like this one had said (the median; {least:ratio} to {most:ratio} times "
        f"in eight of ten){over}.",
        **figures,
    )
    return ForesightShown(**figures, **worded(sentence))
