"""Text in columns for a window of any width: what the terminal view is made of.

Strings come in, `rich.text.Text` lines go out. Nothing is ever cut: a window that is too narrow
loses the columns that matter least, then the widest column of words wraps; U+00A0 does not break.
(Rich's own tables can neither drop a column nor put a sentence under a row.) Every string passes
`visible`: text from files is shown and never obeyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from steelyard.report import visible
from steelyard.sentences import SPACE

PROSE = 100
"""Longest line of a sentence, terminal columns: what reads well in a wide window."""
GAP = 2
LEAST_WORDS = 8
"""Columns of the terminal under which a column of words is not squeezed."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `drop` 0 stays whatever happens, otherwise the highest number leaves first."""

    head: str
    align: Literal["left", "right"] = "left"
    drop: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A cell for each column, sentences to stand under them, and the style of the cells."""

    cells: tuple[str, ...]
    under: tuple[str, ...] = ()
    style: str = ""


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` terminal columns, broken at spaces; a longer word is broken inside.

    >>> wrap("sold 12 at 4.00", 8)
    ['sold 12', 'at 4.00']
    """
    lines = [""]
    for word in visible(text).split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
            continue
        first, *rest = chop_cells(word, width) or [""]
        lines[-1:] = [lines[-1], first] if lines[-1] else [first]
        lines += rest
    return lines


def sentence(text: str, width: int, *, indent: int = 0, style: str = "") -> Iterator[Text]:
    """A wrapped paragraph, each line indented, none longer than `PROSE`."""
    for line in wrap(text, max(LEAST_WORDS, min(width, PROSE) - indent)):
        yield _line(" " * indent + line, style)


def emit(console: Console, lines: Iterable[Text]) -> None:
    """Print lines as they are: no mark-up, no wrapping, no cutting."""
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False)


def table(console: Console, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    """Print rows that begin at the edge of the window, with the columns that fit it."""
    fit, cut = fitting(columns, rows, console.width, indent=0)
    emit(console, grid(fit, cut, console.width, indent=0))


def fitting(
    columns: Sequence[Column], rows: Sequence[Row], width: int, *, indent: int = 2
) -> tuple[list[Column], list[Row]]:
    """The columns that fit a window, and their cells; an empty one that may go goes anyway."""
    room = width - indent
    filled = [any(row.cells[i] for row in rows) for i in range(len(columns))]
    chosen = [i for i, column in enumerate(columns) if filled[i] or not column.drop]
    natural = _natural(columns, rows)
    while sum(natural[i] for i in chosen) + GAP * (len(chosen) - 1) > room:
        least = max(chosen, key=lambda i: columns[i].drop)
        if not columns[least].drop:
            break
        chosen.remove(least)
    cut = [replace(row, cells=tuple(row.cells[i] for i in chosen)) for row in rows]
    return [columns[i] for i in chosen], cut


def grid(
    columns: Sequence[Column], rows: Sequence[Row], width: int, *, indent: int = 2
) -> Iterator[Text]:
    """Heads and rows, aligned; a column of words wraps where all of them together are too wide."""
    widths = _widths(columns, rows, width - indent)
    heads = tuple(column.head for column in columns)
    if any(heads):
        yield from _aligned(columns, heads, widths, indent, "dim")
    inset = indent + (widths[0] + GAP if columns[0].align == "right" else GAP)
    for row in rows:
        yield from _aligned(columns, tuple(map(visible, row.cells)), widths, indent, row.style)
        for text in row.under:
            yield from sentence(text, width, indent=inset)


def _natural(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """Width of each column's widest cell."""
    return [
        max([cell_len(column.head), *(cell_len(visible(row.cells[i])) for row in rows)])
        for i, column in enumerate(columns)
    ]


def _widths(columns: Sequence[Column], rows: Sequence[Row], room: int) -> list[int]:
    """Natural widths, but for the widest column of words, which gives way."""
    widths = _natural(columns, rows)
    over = sum(widths) + GAP * (len(widths) - 1) - room
    words = [i for i, column in enumerate(columns) if column.align == "left"]
    if over > 0 and words:
        widest = max(words, key=lambda i: widths[i])
        widths[widest] = max(min(LEAST_WORDS, widths[widest]), widths[widest] - over)
    return widths


def _aligned(
    columns: Sequence[Column],
    cells: tuple[str, ...],
    widths: Sequence[int],
    indent: int,
    style: str,
) -> Iterator[Text]:
    """One row, over several lines when a column of words had to wrap."""
    sized = zip(cells, widths, strict=True)
    stacks = [wrap(cell, width) if cell_len(cell) > width else [cell] for cell, width in sized]
    for level in range(max(map(len, stacks))):
        parts = []
        for column, width, stack in zip(columns, widths, stacks, strict=True):
            text = stack[level] if level < len(stack) else ""
            space = " " * (width - cell_len(text))
            parts.append(space + text if column.align == "right" else text + space)
        yield _line(" " * indent + (" " * GAP).join(parts), style)


def _line(text: str, style: str) -> Text:
    return Text(text.rstrip().replace(SPACE, " "), style=style)
