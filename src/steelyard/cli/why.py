"""`steelyard why SYMBOL`: every candidate of a symbol, by which stage, rule and margin it fell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli.options import Options, make_plan, planning, read
from steelyard.cli.output import guarded, note, screen, write, write_json
from steelyard.cli.saved import PLANS, plan_of

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.plans.plan import Plan


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
        from steelyard.plans.story import known_symbol, story

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


def _shown(plan: Plan, symbol: str, remarks: tuple[str, ...]) -> str:
    from steelyard.report.terminal import show_why
    from steelyard.report.terminal.columns import emit, sentence

    def draw(console: Console) -> None:
        for text in remarks:
            emit(console, sentence(text, console.width))
        show_why(plan, symbol, console)

    return screen(draw)
