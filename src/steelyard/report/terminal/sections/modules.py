"""What each module did."""

from __future__ import annotations

from steelyard.notices import ModuleRun
from steelyard.report.exhibits.words import plain_words, sentence
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View


def draw(view: View) -> None:
    """Print every module with its outcome, and the error of one that failed."""
    view.title("What each module did")
    columns = (
        Column("Kind", drop=2),
        Column("Module"),
        Column("Version", drop=1),
        Column("Returned", "right"),
        Column("Outcome"),
    )
    view.table(columns, [_row(run) for run in view.plan.modules])


def _row(run: ModuleRun) -> Row:
    count = "" if run.count is None else f"{run.count:,d}"
    return Row(
        (plain_words(run.kind), run.name, run.version, count, plain_words(run.outcome)),
        (sentence(run.error),) if run.error else (),
    )
