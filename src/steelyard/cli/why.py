"""`steelyard why SYMBOL`: every candidate of a symbol, by which stage, rule and margin it fell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from steelyard.cli.options import Options, make_plan, planning, read
from steelyard.cli.output import guarded, note, screen, write, write_json
from steelyard.cli.saved import PLANS, plan_of

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.plans.plan import Plan

PARTS = ("candidates", "not_traded", "problems", "warnings", "data_coverage")
"""Lists of the plan document whose entries name a symbol."""


@planning
def why(
    symbol: Annotated[str, Argument(help="The security to explain, upper or lower case.")],
    *,
    plan: Annotated[
        str | None,
        Option(
            help="A stored plan, or one saved with --json; without it, plans again.",
            metavar=PLANS,
        ),
    ] = None,
    options: Options,
    as_json: Annotated[bool, Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Explain what the plan does and does not do with a symbol."""
    if plan is not None and options != Options():
        raise typer.BadParameter(
            "--plan reads a plan that is made; it goes with no other input.", param_hint="--plan"
        )
    with guarded():
        remarks: tuple[str, ...] = ()
        if plan is not None:
            document = plan_of(plan)
        else:
            inputs = read(options)
            document, remarks = make_plan(inputs, options.seed), inputs.said
        symbol = known_symbol(document, symbol)
        if as_json:
            for line in remarks:
                note(line)
            write_json(story(document, symbol))
        else:
            write(_shown(document, symbol, remarks))


def known_symbol(plan: Plan, symbol: str) -> str:
    """The symbol as the plan spells it; InputError, with the nearest, for an unknown symbol."""
    from steelyard.errors import InputError, did_you_mean

    name = symbol.strip().upper()
    if name in plan.excluded:
        why_not = f"{name} was left out on your word (--exclude)"
        raise InputError(
            f"{why_not}, so nothing was calculated for it.",
            code="symbol_left_out",
            place="SYMBOL",
            value=name,
            hint="plan without --exclude of it",
        )
    rows = [*plan.holdings, *(entry for part in PARTS for entry in getattr(plan, part))]
    # a class that cannot be bought stands among what is not traded, as class:Name
    symbols: dict[str, str] = {row.symbol.upper(): row.symbol for row in rows if row.symbol}
    if name in symbols:
        return symbols[name]
    near = did_you_mean(name, sorted(symbols))
    nothing = "it is not held, has no target and no candidate"
    raise InputError(
        f"The plan has nothing on {name}: {nothing}.{near}",
        code="no_such_symbol",
        place="SYMBOL",
        value=name,
        hint=near.strip(),
    )


def story(plan: Plan, symbol: str) -> dict[str, Any]:
    """Everything that the plan document says of one symbol, as plain JSON values."""
    document = plan.document()

    def entries(part: str) -> list[dict[str, Any]]:
        return [entry for entry in document[part] if entry["symbol"] == symbol]

    return {
        "symbol": symbol,
        "plan_id": plan.plan_id,
        "as_of": document["as_of"],
        "holding": next(iter(entries("holdings")), None),
        "class": _class(document, symbol),
        "holding_after": next(iter(entries("holdings_after")), None),
        "step": next(iter(entries("steps")), None),
        **{part: entries(part) for part in PARTS},
    }


def _class(document: dict[str, Any], symbol: str) -> dict[str, Any] | None:
    """The class with a target that it is in."""
    return next((row for row in document["classes"] if symbol in row["members"]), None)


def _shown(plan: Plan, symbol: str, remarks: tuple[str, ...]) -> str:
    from steelyard.report.terminal import show_why
    from steelyard.report.terminal.columns import emit, sentence

    def draw(console: Console) -> None:
        for text in remarks:
            emit(console, sentence(text, console.width))
        show_why(plan, symbol, console)

    return screen(draw)
