"""A strategy as TOML text: a preset to begin with, or every value and who set it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from steelyard.modules.registry import Kind
from steelyard.settings import Section
from steelyard.strategies.files.problems import bare, quoted
from steelyard.strategies.files.spellings import ENABLED
from steelyard.strategies.presets import text_of
from steelyard.strategies.strategy import SECTIONS, Strategy, Why

COMMENT_COLUMN = 34
"""Where comments begin, where the setting leaves room."""
LONG = 80
"""Characters over which a list stands on lines of its own."""

BEGUN = """# Begun from the preset {preset}: what this file does not say is as the preset says.
# The first line gives an editor completion once the schema lies beside it:
# steelyard strategy schema > strategy.schema.json
"""


class Setting(NamedTuple):
    """A value of a strategy: `table` like "score.neutral", key, value (None = off), who set it."""

    table: str
    key: str
    value: object
    source: Why


def settings(strategy: Strategy) -> Iterator[Setting]:
    """Every value that acts, in the order of a file; of a module that is off only the switch."""
    for name in SECTIONS:
        yield from _section(strategy, name, getattr(strategy, name))
    for kind in Kind:
        for choice in strategy.choices[kind]:
            table = choice.module.qualified
            yield Setting(table, ENABLED, choice.enabled, strategy.source(f"{table}.{ENABLED}"))
            if choice.enabled:
                yield from _section(strategy, table, choice.params)


def _section(strategy: Strategy, table: str, section: Section) -> Iterator[Setting]:
    """The values of a table, then those of the tables inside it."""
    names = {info.alias or name: name for name, info in type(section).model_fields.items()}
    values = {key: getattr(section, name) for key, name in names.items()}
    for key, value in values.items():
        if not isinstance(value, Section | Mapping):
            yield Setting(table, key, value, strategy.source(f"{table}.{key}"))
    for key, value in values.items():
        inside = f"{table}.{key}"
        if isinstance(value, Section):
            yield from _section(strategy, inside, value)
        elif isinstance(value, Mapping):
            for name, inner in value.items():
                yield Setting(inside, name, inner, strategy.source(f"{inside}.{name}"))


def effective(strategy: Strategy) -> str:
    """A strategy as a file that says everything: each value with who set it."""
    lines = [f"name = {toml(strategy.name)}"]
    lines += [f"description = {toml(strategy.description)}"] if strategy.description else []
    table = ""
    for inner in settings(strategy):
        if inner.table != table:
            table = inner.table
            lines += ["", f"[{table}]"]
        lines.append(line(inner.key, inner.value, inner.source))
    return "\n".join(lines) + "\n"


def begun(preset: str, name: str) -> str:
    """The text of a new file: a preset with its comments and a new name; or SettingsError."""
    schema, *rest = text_of(preset).splitlines()
    first = next(index for index, setting in enumerate(rest) if setting.startswith("name = "))
    own = [f"name = {toml(name)}"] if name.isprintable() else []
    body = [*rest[:first], f"preset = {toml(preset)}", *own, *rest[first + 1 :]]
    return "\n".join([schema, *BEGUN.format(preset=preset).splitlines(), "#", *body]) + "\n"


def line(key: str, value: object, comment: str) -> str:
    """`max_depth = 5                     # most orders in a plan`; what is off as a comment."""
    setting = f"# {bare(key)} =" if value is None else f"{bare(key)} = {toml(value)}"
    return f"{setting:<{COMMENT_COLUMN}}  # {comment}"


def toml(value: object) -> str:
    """A value as TOML has it; a long list over several lines.

    >>> toml(True), toml("x"), toml((1, 2.5))
    ('true', '"x"', '[1, 2.5]')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list | tuple):
        short = f"[{', '.join(map(toml, value))}]"
        long = "[\n" + "".join(f"    {toml(inner)},\n" for inner in value) + "]"
        return short if len(short) <= LONG else long
    return repr(value)
