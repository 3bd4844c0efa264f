"""The score by term, and what is charged against it."""

from __future__ import annotations

from steelyard.plans.score import PartShown, TermShown
from steelyard.report.exhibits.words import PARTS, plain_words
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View
from steelyard.sentences import percent, points, signed


def draw(view: View) -> None:
    """Print every term; its parts too with `explain`."""
    plan, score = view.plan, view.plan.score
    change = (
        f" → {points(score.plan)}, net of charges {signed(score.improvement, 2)}"
        if plan.steps
        else ""
    )
    view.title(f"Score {points(score.hold)}{change}")
    columns = (
        Column("Term"),
        Column("Share, %", "right", drop=1),
        Column("Before", "right"),
        Column("After", "right"),
        Column("Adds", "right"),
    )
    rows: list[Row] = []
    for term in score.terms:
        adds = signed(term.weight * (term.plan - term.hold), 2)
        rows.append(
            Row(
                (
                    plain_words(term.name),
                    percent(term.weight),
                    _shown(term.hold),
                    _shown(term.plan),
                    adds,
                )
            )
        )
        if view.explain:
            rows += [_part(term, part) for part in term.parts]
    view.table(columns, rows)
    if any(term.off_scale for term in score.terms):
        view.say("* off scale: shown between 0 and 100, counted as it is.", style="dim")
    charges = score.charges
    view.say(
        f"Charges {points(charges.total)}: cost {points(charges.cost)}, tax {points(charges.tax)}, "
        f"orders {points(charges.hurdle)}. A plan acts from +{points(score.min_improvement)} net "
        f"({plan.objective.profile}, {'with' if plan.objective.mode == 'targets' else 'without'} "
        "targets)."
    )


def _part(term: TermShown, part: PartShown) -> Row:
    name = f"  {PARTS.get(part.name, plain_words(part.name))} ({part.name})"
    return Row((name, percent(term.weight * part.share), points(part.hold), points(part.plan), ""))


def _shown(value: float) -> str:
    clipped = min(1.0, max(0.0, value))
    return points(clipped) + ("*" if clipped != value else "")
