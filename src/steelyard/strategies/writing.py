"""A strategy as TOML text: a preset to begin with, or every value and who set it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from steelyard.modules.registry import Kind
from steelyard.settings import Section
from steelyard.strategies.files.problems import bare, quoted
from steelyard.strategies.files.spellings import ENABLED, ON_FAILURE
from steelyard.strategies.presets import text_of
from steelyard.strategies.scope import DEPTH, REFINE, SCOPE, refine_of, scope_of
from steelyard.strategies.strategy import SECTIONS, Strategy, Why
from steelyard.strategies.thresholds import FEW, HURDLE, MANY, following, threshold

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
            if choice.enabled and choice.module.protects:
                source = strategy.source(f"{table}.{ON_FAILURE}")
                yield Setting(table, ON_FAILURE, choice.on_failure, source)
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
    """A strategy as a file that says everything: each value with who set it.

    What a plan decides itself stands in comments: thresholds that follow, a depth that binds none.
    """
    lines = [*_decided(strategy), f"name = {toml(strategy.name)}"]
    lines += [f"description = {toml(strategy.description)}"] if strategy.description else []
    table = ""
    for inner in settings(strategy):
        if inner.table != table:
            table = inner.table
            lines += ["", f"[{table}]"]
        lines.append(_effective(strategy, inner))
    return "\n".join(lines) + "\n"


def _decided(strategy: Strategy) -> list[str]:
    """Comments: which scope with and without targets and why, which thresholds follow."""
    scopes = [f"# {text}" for text in scopes_shown(strategy)]
    return [*scopes, *(f"# {text}" for text in thresholds_shown(strategy)), ""]


def scopes_shown(strategy: Strategy) -> list[str]:
    """Sentences: the scope without targets and with them, and why."""
    (scope, why), (other, more) = (scope_of(strategy, targets=t) for t in (False, True))
    if (scope, why) == (other, more):
        return [f'{SCOPE} is "{scope}". {why}']
    return [
        f'Without targets {SCOPE} is "{scope}". {why}',
        f'With targets it is "{other}". {more}',
    ]


def thresholds_shown(strategy: Strategy) -> list[str]:
    """A sentence on the thresholds that follow the number of names, where there are any."""
    keys = following(strategy)
    if not keys:
        return []
    numbers = ", ".join(f"{key} {threshold(strategy, key):g}" for key in keys)
    verb = "follows" if len(keys) == 1 else "follow"
    squared = ", order_hurdle by the square of that" if HURDLE in keys else ""
    rule = f"times {FEW} / N over {FEW}{squared}, and 0 from {MANY:,d} on"
    return [f"{numbers}: {verb} the number N of names in a plan, {rule}; what is written is kept."]


def _effective(strategy: Strategy, inner: Setting) -> str:
    """A line of the file; a comment where writing it down would change the plan."""
    key = f"{inner.table}.{inner.key}"
    if key == SCOPE:
        scope, _ = scope_of(strategy, targets=False)
        return line(inner.key, scope, inner.source)
    if key == REFINE:
        return line(inner.key, refine_of(strategy), inner.source)
    setting = line(inner.key, inner.value, inner.source)
    free = key == DEPTH and not strategy.is_set(DEPTH)
    decided = key in following(strategy) or (
        free and scope_of(strategy, targets=False)[0] == "quantities"
    )
    return f"# {setting}" if decided else setting


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
