"""`steelyard modules`: what is registered, and what a strategy makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from steelyard.cli.options import StrategyName, strategy_of
from steelyard.cli.output import guarded, note, screen, write, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.strategies import ModuleChoice, Strategy

BUILT_IN = "built-in"


def modules(
    tag: Annotated[str | None, Option(help="Only modules with this tag.", metavar="TAG")] = None,
    strategy: StrategyName = None,
    as_json: Annotated[bool, Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the registered modules and listed plugins, their parameters, and who set them."""
    with guarded():
        rules = strategy_of(strategy)
        choices = chosen(rules, tag)
        if as_json:
            write_json([listed(choice) for choice in choices])
        else:
            write(screen(lambda console: draw(rules, choices, console)))
        for problem in rules.problems:
            note(problem.message)


def chosen(strategy: Strategy, tag: str | None) -> list[ModuleChoice]:
    """Every module of a strategy, kinds in order of the pipeline; InputError for a tag of none."""
    from steelyard.errors import InputError, did_you_mean

    choices = [choice for kind in strategy.choices.values() for choice in kind]
    tags = sorted({name for choice in choices for name in choice.module.tags})
    if tag is not None and tag not in tags:
        near, every = did_you_mean(tag, tags), ", ".join(tags) or "none"
        raise InputError(
            f"No module has the tag {tag}.{near} Tags: {every}.",
            code="no_such_tag",
            place="--tag",
            value=tag,
            limit=every,
            hint=near.strip(),
        )
    return [choice for choice in choices if tag is None or tag in choice.module.tags]


def listed(choice: ModuleChoice) -> dict[str, Any]:
    """A module as plain JSON values."""
    return {
        "kind": choice.module.kind.value,
        "name": choice.module.name,
        "version": choice.module.version,
        "enabled": choice.enabled,
        "why": choice.why,
        "on_failure": choice.on_failure if choice.module.protects else None,
        "summary": choice.module.summary,
        "author": choice.module.author,
        "tags": list(choice.module.tags),
        "needs": list(choice.module.needs),
        "dependencies": list(choice.module.dependencies),
        "source": choice.module.source,
        "requires_python": choice.module.requires_python,
        "params": choice.params.model_dump(mode="json", by_alias=True),
    }


def draw(strategy: Strategy, choices: Sequence[ModuleChoice], console: Console) -> None:
    """The list as a table; under each module its summary, parameters, and what one must know."""
    from steelyard.report.terminal.columns import Column, Row, table

    columns = (
        Column("Kind", drop=1),
        Column("Module"),
        Column("Version", drop=2),
        Column("On"),
        Column("Set by", drop=3),
    )
    under = [tuple(filter(None, _under(strategy, choice))) for choice in choices]
    rows = [Row(_cells(choice), lines) for choice, lines in zip(choices, under, strict=True)]
    table(console, columns, rows)


def _cells(choice: ModuleChoice) -> tuple[str, ...]:
    kind, on = choice.module.kind.replace("_", " "), "on" if choice.enabled else "off"
    return (kind, choice.module.name, choice.module.version, on, choice.why)


def _under(strategy: Strategy, choice: ModuleChoice) -> Iterator[str]:
    yield choice.module.summary
    yield _params(choice)
    yield from _conditions(strategy, choice)
    module = choice.module
    yield f"Tags: {', '.join(module.tags)}." if module.tags else ""
    if module.source != BUILT_IN:
        by = f", by {module.author}" if module.author else ""
        yield f"From {module.source}{by}; Python {module.requires_python}; {module.digest}"


def _conditions(strategy: Strategy, choice: ModuleChoice) -> Iterator[str]:
    """Why a module that is on may still not run, or find nothing."""
    from steelyard.planning.guard import NEED_MISSING
    from steelyard.strategies.rules import unmet

    if choice.enabled:
        yield from (f"Does not run when {NEED_MISSING[need]}." for need in choice.module.needs)
        yield from (f"Finds nothing without {missing}." for missing in unmet(strategy, choice))


def _params(choice: ModuleChoice) -> str:
    from steelyard.sentences import SPACE

    params = choice.params.model_dump(mode="json", by_alias=True)
    return ", ".join(f"{name}{SPACE}={SPACE}{_toml(value)}" for name, value in params.items())


def _toml(value: object) -> str:
    return "off" if value is None else json.dumps(value, ensure_ascii=False)
