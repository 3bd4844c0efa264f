"""`steelyard worksheet PLAN`: orders of a stored plan changed by hand, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli.output import guarded, note, save, screen, writable, write, write_json
from steelyard.cli.saved import stored
from steelyard.cli.stored import opened as database

if TYPE_CHECKING:
    from steelyard.runs.worksheet import Edits, Figures, Sheet

NOT_CALCULATED = "Nothing was calculated."
OTHER_FILE = "Name another file with --csv."
SET = "--set"


def worksheet(
    plan: Annotated[
        str, Argument(help="A stored plan by its id.", metavar="ID", show_default=False)
    ],
    *,
    quantities: Annotated[
        list[str] | None,
        Option(
            SET,
            help="Shares of an order: 30 on the plan's side, +30 buys, -30 sells, all sells all.",
            metavar="SYMBOL=SHARES",
        ),
    ] = None,
    strike: Annotated[
        list[str] | None, Option(help="Leave an order out.", metavar="SYMBOL")
    ] = None,
    lock: Annotated[
        list[str] | None,
        Option(help="With --again: leave this order as it is.", metavar="SYMBOL"),
    ] = None,
    again: Annotated[
        bool, Option("--again", help="Plan the rest again around what is set, struck or locked.")
    ] = False,
    csv: Annotated[
        Path | None, Option(help="Also write the orders there.", metavar="F.csv")
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Change orders of a stored plan by hand: what that costs, which limits it breaks.

    The stored plan stays as it is; nothing is approved or sent.
    """
    if lock and not again:
        raise typer.BadParameter("it goes with --again.", param_hint="--lock")
    with guarded(NOT_CALCULATED):
        typed = _typed(quantities or (), strike or ())
        if csv is not None:
            writable(csv, "worksheet", OTHER_FILE, done=NOT_CALCULATED)
        plan_id = stored(plan).plan.plan_id
        from steelyard.runs.worksheet import csv_of, document, figures, opened

        with database() as store:
            sheet = opened(store, plan_id)
        edits = _edits(sheet, typed, lock or (), again=again)
        result = figures(sheet, edits)
        if csv is not None:
            save(csv, csv_of(sheet, edits), "worksheet", OTHER_FILE)
        if as_json:
            write_json(document(result))
        else:
            write(_shown(result))
        if csv is not None:
            note(f"Wrote {csv}.")


def _typed(quantities: Sequence[str], struck: Sequence[str]) -> dict[str, str]:
    """Symbol -> what was typed of it; a usage error for a symbol that is said twice."""
    pairs = [(symbol, "0") for symbol in struck]
    for text in quantities:
        symbol, equals, shares = text.partition("=")
        if not equals or not symbol.strip() or not shares.strip():
            raise typer.BadParameter(f"{text} is not SYMBOL=SHARES.", param_hint=SET)
        pairs.append((symbol.strip(), shares))
    typed = dict(pairs)
    if len(typed) < len(pairs):
        twice = next(s for s, _ in pairs if sum(s == other for other, _ in pairs) > 1)
        raise typer.BadParameter(f"{twice} is set or struck twice: keep one.", param_hint=SET)
    return typed


def _edits(sheet: Sheet, typed: dict[str, str], lock: Sequence[str], *, again: bool) -> Edits:
    from steelyard.runs.worksheet import edits_of, replanned

    edits = edits_of(sheet, typed, (*lock, *(typed if again else ())))
    return replanned(sheet, edits) if again else edits


def _shown(result: Figures) -> str:
    from steelyard.report.terminal.worksheet import draw

    return screen(lambda console: draw(result, console))
