"""The score by term and part, at hold and after the plan."""

from __future__ import annotations

from steelyard.planning.solve import Solution
from steelyard.plans.score import Charges, PartShown, ScoreShown, TermShown


def score_shown(m: Solution) -> ScoreShown:
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
    )
