"""A dry run in a terminal: the answer, how much there would be to do, modules, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from steelyard.planning.dry_run import DryRun
from steelyard.report.terminal.columns import Column, Row, emit, sentence, table

UNKNOWN = "not known"


def draw(name: str, run: DryRun, console: Console) -> None:
    """The whole view."""
    answer = f"{name} may be planned with." if run.valid else f"{name} may not be planned with."
    emit(console, sentence(answer, console.width, style="bold"))
    for severity, texts in (("error", run.errors), ("warning", run.warnings)):
        for text in texts:
            emit(console, sentence(f"{severity}: {text}", console.width))
    if run.counts is not None:
        console.print()
        columns = (Column(""), Column("Estimated", "right"), Column("At most", "right"))
        table(console, columns, [Row(cells) for cells in _counts(run)])
    if run.modules:
        console.print()
        columns = (Column("Module"), Column("Version", drop=1), Column("Status"))
        rows = run.modules.items()
        table(console, columns, [Row((key, row.version, row.status)) for key, row in rows])


def _counts(run: DryRun) -> Iterator[tuple[str, str, str]]:
    counts = run.counts
    if counts is not None:
        for name in ("candidates", "sequences"):
            likely, most = (
                getattr(counts, f"{kind}_{name}") for kind in ("estimated", "upper_bound")
            )
            yield name, f"{likely:,d}", f"{most:,d}"
    yield "seconds", UNKNOWN if run.seconds is None else f"{run.seconds:.2f}", ""
