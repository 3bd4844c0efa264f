"""The difference of two strategies: modules, settings, and what only a preset changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.text import Text

from steelyard.errors import one_line
from steelyard.report.terminal.columns import Column, Row, emit, fitting, grid, sentence
from steelyard.strategies.diff import AS_PLANNED, Change, StrategyDiff
from steelyard.strategies.files.spellings import ENABLED

NOTHING = "Both act alike: the same modules run, with the same settings."
COLUMNS = (Column("Setting"), Column("Old"), Column("New"), Column("", drop=1))
INHERITED = "inherited"
MEANING = "inherited: neither says it; what they inherit from differs."
LONGEST_VALUE = 20
"""Characters of a value that are shown; --json has it whole."""
Group = tuple[str, list[tuple[str, str, Change]]]
"""A table as in a file -> whole key, key inside it, values."""


def draw(diff: StrategyDiff, console: Console) -> None:
    """Print a difference, table by table as in a file, old and new."""
    inherited = diff.inherited
    if inherited is not None and inherited.old != inherited.new:
        _say(console, f"The old inherits from {inherited.old}, the new from {inherited.new}.")
    if not diff.keys:
        _say(console, NOTHING)
        return
    ours = frozenset(inherited.changed if inherited else ())
    for heading, names in (
        ("Only the new runs", diff.modules_added),
        ("Only the old runs", diff.modules_removed),
    ):
        _modules(console, heading, names, ours)
    groups = list(_groups(diff))
    aligned = console.width >= WIDE
    widest = max((len(name) for _, rows in groups for _, name, _ in rows if aligned), default=0)
    for table, entries in groups:
        _say(console, table, style="bold")
        most = min(LONGEST_VALUE, (console.width - NARROWEST) // 2)
        rows = [Row(_cells(*entry, shape=(widest, most), inherited=ours)) for entry in entries]
        fit, cut = fitting(COLUMNS, rows, console.width)
        emit(console, list(grid(fit, cut, console.width))[1:])
    if ours:
        emit(console, [Text("")])
        _say(console, MEANING, style="dim")


def _modules(
    console: Console, heading: str, names: tuple[str, ...], inherited: frozenset[str]
) -> None:
    if not names:
        return
    _say(console, heading, style="bold")
    for name in names:
        by = f" ({INHERITED})" if f"{name}.{ENABLED}" in inherited else ""
        _say(console, f"{name}{by}", indent=2)


def _groups(diff: StrategyDiff) -> Iterator[Group]:
    """The settings that differ by table: of modules, then sections, then what a plan decides."""
    for name, changes in diff.params_changed.items():
        yield f"[{name}]", [(f"{name}.{key}", key, change) for key, change in changes.items()]
    for table, changes in _tables(diff.globals_changed).items():
        heading = "As a plan decides" if table == AS_PLANNED else f"[{table}]"
        entries = [(f"{table}.{key}", key, change) for key, change in changes.items()]
        yield heading, entries


def _tables(changes: Mapping[str, Change]) -> dict[str, dict[str, Change]]:
    """The changes of each section; what a plan decides itself comes last."""
    tables: dict[str, dict[str, Change]] = {}
    for key in sorted(changes, key=lambda key: (key.startswith(AS_PLANNED), key)):
        table, _, rest = key.partition(".")
        tables.setdefault(table, {})[rest] = changes[key]
    return tables


def _cells(
    whole: str, key: str, change: Change, *, shape: tuple[int, int], inherited: frozenset[str]
) -> tuple[str, ...]:
    """`shape`: to what width keys are filled, and the longest value."""
    widest, most = shape
    texts = (one_line(_text(value), most) for value in (change.old, change.new))
    by = INHERITED if whole in inherited else ""
    return (key.ljust(widest), *(text.ljust(LEAST if widest else 0) for text in texts), by)


LEAST = 12
"""Least width of a value, so that the tables stand under each other."""
NARROWEST = 16
"""Columns that a key and the gaps need."""
WIDE = 80
"""Columns of a window from which they do."""


def _text(value: object) -> str:
    """A value as a file has it, but for what is not set."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(entry)}" for name, entry in value.items())
    return "none" if value is None else str(value)


def _say(console: Console, text: str, *, indent: int = 0, style: str = "") -> None:
    emit(console, sentence(text, console.width, indent=indent, style=style))
