"""`steelyard plans`: the plans that are stored: list, show, and what tells two of them apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from steelyard.cli.commands import Commands
from steelyard.cli.output import OTHER_REPORT, guarded, screen, writable, write, write_json
from steelyard.cli.saved import PLANS, plan_of, saved
from steelyard.cli.stored import is_there, opened

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.plans.plan import Plan
    from steelyard.runs.listed_plans import Listed

plans = Commands(help="Stored plans: list, show, compare two.")
AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
APlan = Annotated[str, Argument(help="A stored plan by its id, or a file.", metavar=PLANS)]
Report = Annotated[Path | None, Option(help="Also write an HTML page.", metavar="F.html")]
NOT_COMPARED = "Nothing was compared."


@plans.command("list")
def list_(
    *,
    bucket: Annotated[str | None, Option(help="Only of this bucket.", metavar="B")] = None,
    as_json: AsJson = False,
) -> None:
    """List the stored plans, newest first."""
    with guarded():
        rows = listed(bucket)
        if as_json:
            from steelyard.runs.listed_plans import document

            write_json([document(entry) for entry in rows])
        else:
            write(screen(lambda console: _draw(rows, console)))


@plans.command("show")
def show(plan: APlan, *, as_json: AsJson = False) -> None:
    """Show a plan as it was made."""
    with guarded():
        chosen = saved(plan)
        if as_json:
            write(chosen.text.rstrip("\n") + "\n")
        else:
            write(shown(chosen.plan))


@plans.command("diff")
def diff(
    a: Annotated[str, Argument(help="The plan to compare with.", metavar="A")],
    b: Annotated[str, Argument(help="What is told of it: ids or files.", metavar="B")],
    *,
    as_json: AsJson = False,
    report: Report = None,
) -> None:
    """Tell what two plans do otherwise, and why.

    Of two strategies, or of two days: trades, money, score, and what went into them.
    """
    with guarded():
        from steelyard.cli.differences import show as show_difference
        from steelyard.plans.diff import compare

        if report is not None:
            writable(report, "report", OTHER_REPORT, done=NOT_COMPARED)
        difference = compare(plan_of(a), plan_of(b))
        show_difference(difference, (), as_json=as_json, report=report)


def shown(plan: Plan) -> str:
    """A plan for the window or the pipe that stdout is."""
    from steelyard.plans import verify
    from steelyard.report.terminal import show as show_plan

    opinion = verify.check(plan.document())
    return screen(lambda console: show_plan(plan, console, opinion=opinion))


def listed(bucket: str | None = None) -> list[Listed]:
    """The stored plans, newest first; none where there is no database, and none is made."""
    if not is_there():
        return []
    from steelyard.runs.listed_plans import listed as of_store

    with opened() as store:
        return of_store(store, bucket)


def _draw(rows: Sequence[Listed], console: Console) -> None:
    from steelyard.report.terminal.columns import Column, Row, emit, sentence, table

    if not rows:
        nothing = "No plan is stored. To store one: steelyard plan --bucket B"
        emit(console, sentence(nothing, console.width))
        return
    columns = (
        Column("Plan"),
        Column("Bucket"),
        Column("As of"),
        Column("Saved, UTC", drop=4),
        Column("Strategy", drop=1),
        Column("Orders", "right"),
        Column("Net points", "right", drop=2),
        Column("Turnover, %", "right", drop=3),
        Column("Cost", "right", drop=3),
    )
    table(console, columns, [Row(_cells(entry)) for entry in rows])


def _cells(entry: Listed) -> tuple[str, ...]:
    from steelyard.sentences import money, percent, signed
    from steelyard.store.plans import SHOWN_DIGITS

    row = entry.row
    version = "" if row.strategy_version is None else f" (v{row.strategy_version})"
    return (
        row.plan_id[:SHOWN_DIGITS],
        row.bucket,
        row.as_of.isoformat(),
        f"{row.saved_at:%Y-%m-%d %H:%M}",
        f"{entry.title}{version}",
        "hold" if row.action == "hold" else str(row.orders),
        signed(row.improvement, 2),
        percent(row.turnover),
        f"{money(row.cost)} {row.base_currency}",
    )
