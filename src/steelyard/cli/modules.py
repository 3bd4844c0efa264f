"""`steelyard modules`: what is registered, and what a strategy makes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steelyard.cli.inputs import StrategyName, strategy_of
from steelyard.cli.output import guarded, screen, write

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.strategies import ModuleChoice, Strategy


def modules(
    tag: Annotated[str | None, typer.Option(help="Only modules with this tag.", metavar="TAG")] = None,
    strategy: StrategyName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the registered modules, their parameters, and who set them."""
    with guarded():
        found = chosen(strategy_of(strategy), tag)
        if as_json:
            write(json.dumps([listed(choice) for choice in found], indent=2, ensure_ascii=False) + "\n")
        else:
            write(screen(lambda console: draw(found, console)))


def chosen(strategy: Strategy, tag: str | None) -> list[ModuleChoice]:
    """Every module of a strategy, kinds in the order of the pipeline; raises InputError for a tag that none has."""
    from steelyard.errors import InputError, did_you_mean

    choices = [choice for kind in strategy.choices.values() for choice in kind]
    known = sorted({known for choice in choices for known in choice.module.tags})
    if tag is not None and tag not in known:
        raise InputError(f"No module has the tag {tag}.{did_you_mean(tag, known)} Tags: {', '.join(known) or 'none'}.")
    return [choice for choice in choices if tag is None or tag in choice.module.tags]


def listed(choice: ModuleChoice) -> dict[str, Any]:
    """A module as plain JSON values."""
    return {
        "kind": choice.module.kind.value,
        "name": choice.module.name,
        "version": choice.module.version,
        "enabled": choice.enabled,
        "why": choice.why,
        "source": choice.module.source,
        "params": choice.params.model_dump(mode="json", by_alias=True),
    }


def draw(found: Sequence[ModuleChoice], console: Console) -> None:
    """The list as a table, the summary and the parameters under each module."""
    from steelyard.report.columns import Column, Row, fitting, grid

    columns = (Column("Kind", drop=1), Column("Module"), Column("Version", drop=2), Column("On"), Column("Says", drop=3))
    rows = [Row(_cells(choice), under=tuple(text for text in (choice.module.summary, _params(choice)) if text)) for choice in found]
    fit, cut = fitting(columns, rows, console.width, indent=0)
    for line in grid(fit, cut, console.width, indent=0):
        console.print(line, soft_wrap=True)


def _cells(choice: ModuleChoice) -> tuple[str, ...]:
    module = choice.module
    return module.kind.replace("_", " "), module.name, module.version, "on" if choice.enabled else "off", choice.why


def _params(choice: ModuleChoice) -> str:
    params = choice.params.model_dump(mode="json", by_alias=True)
    return ", ".join(f"{name} = {_toml(value)}" for name, value in params.items())


def _toml(value: object) -> str:
    return "off" if value is None else json.dumps(value, ensure_ascii=False)
