"""The score by term, and what is charged against it."""

from __future__ import annotations

from collections.abc import Iterator

from steelyard.plans.score import TermShown
from steelyard.report.exhibits.waterfall import score
from steelyard.report.exhibits.words import PARTS, on_scale, plain_words
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View
from steelyard.sentences import percent, signed

COLUMNS = (
    Column("Term"),
    Column("Share", "right", drop=1),
    Column("Before", "right"),
    Column("After", "right"),
    Column("Points", "right"),
)


def draw(view: View) -> None:
    """Print hold, every term, the plan and the charges; parts of the terms too with `explain`."""
    plan, exhibit = view.plan, score(view.plan)
    net = f", net of charges {signed(plan.score.improvement, 2)}"
    change = f" → {on_scale(plan.score.plan)}{net}" if plan.steps else ""
    view.title(f"Score {on_scale(plan.score.hold)}{change}")
    rows: list[Row] = []
    for bar in exhibit.bars:
        style = "" if bar.kind in {"gain", "loss"} else "bold"
        rows.append(Row((bar.label, bar.note, bar.before, bar.after, bar.text), style=style))
        if view.explain and bar.term is not None:
            rows += _parts(bar.term)
    view.table(COLUMNS, rows)
    for note in (exhibit.said, *exhibit.notes):
        view.say(note, style="dim")


def _parts(term: TermShown) -> Iterator[Row]:
    for part in term.parts:
        name = f"  {PARTS.get(part.name, plain_words(part.name))} ({part.name})"
        share = percent(term.weight * part.share)
        yield Row((name, share, on_scale(part.hold), on_scale(part.plan), ""))
