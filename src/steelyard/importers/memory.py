"""Tables of Python values as the files that they would be: read by what reads files.

    lists       a dict, rows as dicts, a frame, an open file  → names of columns and rows
    shapes      one argument's data                           → Memory

What comes in is dicts, rows as dicts, columns as lists, frames of pandas and polars, open files.
Nothing here imports pandas or polars: a frame is what has columns that give lists.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from steelyard.errors import InputError
from steelyard.importers.values import NOTHING

FIRST = 2
"""The line of the first row: the names of the columns are line 1."""
MISSING = frozenset({"NaTType", "NAType"})
"""What pandas has where there is no day, and where there is nothing."""
FORMS = "a dict, a list of dicts, a DataFrame, an open file or the path of a file"


@dataclass(frozen=True, slots=True)
class Memory:
    """A table of an argument as the CSV that it would be.

    name      of the argument, for messages
    content   UTF-8
    places    what each row from line 2 on is called: `holdings['VT']`; () = by its line
    begins    number of its first line; 0 = a header that was put before what a person wrote
    """

    name: str
    content: bytes
    places: tuple[str, ...] = ()
    begins: int = 1

    def __str__(self) -> str:
        return self.name

    def place(self, line: int) -> str:
        """What a line is called."""
        row = line - FIRST
        return self.places[row] if 0 <= row < len(self.places) else f"{self.name} line {line}"


@dataclass(frozen=True, slots=True)
class Rows:
    """A table as names of columns and rows of Python values; `places` as in `Memory`."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    places: Sequence[str] = ()

    def memory(self, name: str) -> Memory:
        """The table as text; raises InputError for a value that no cell can have."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for n, row in enumerate(self.rows):
            try:
                writer.writerow(["" if value is None else cell(value) for value in row])
            except TypeError as error:
                place = self.places[n] if n < len(self.places) else f"{name}[{n}]"
                raise InputError(
                    f"{place}: {error}. {NOTHING}", code="bad_value", place=place
                ) from error
        return Memory(name, text.getvalue().encode(), tuple(self.places))


def cell(value: object) -> str:
    """The text of a value in a file, by which a float becomes a decimal; TypeError for another.

    >>> cell(0.1), cell(True), cell(float("nan")), cell(date(2022, 12, 28)), cell(("IT", "Oil"))
    ('0.1', 'true', '', '2022-12-28', 'IT;Oil')
    """
    if isinstance(value, float):
        return "" if value != value else repr(float(value))  # noqa: PLR0124 - NaN is not itself
    if isinstance(value, str):
        return " ".join(value.splitlines())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return "" if value != value else str(value)  # noqa: PLR0124 - a decimal NaN
    return _other_cell(value)


def _other_cell(value: object) -> str:
    """The text of what is neither a text nor a number of Python."""
    if type(value).__name__ in MISSING:
        return ""
    if isinstance(value, date):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    if isinstance(value, tuple | list | frozenset | set):
        return ";".join(map(cell, sorted(value) if isinstance(value, frozenset | set) else value))
    if type(value).__name__ == "datetime64":
        return str(value)[:10]
    item = getattr(value, "item", None)  # a number of numpy
    plain = item() if callable(item) else value
    if isinstance(plain, str | int | float):
        return cell(plain)
    raise TypeError(f"{_kind(value)} is no text, number or day")


def is_frame(data: object) -> bool:
    """Has it columns, each of which gives a list? DataFrames of pandas and polars do."""
    return hasattr(data, "columns") and hasattr(data, "__getitem__")


def is_mapping(data: object) -> bool:
    """A dict, or a Series of pandas, which has a value for each name too."""
    return isinstance(data, Mapping) or (hasattr(data, "items") and hasattr(data, "index"))


def items(data: Any) -> list[tuple[Any, Any]]:
    """Names and values of a mapping."""
    return list(data.items())


def frame(data: Any, name: str, index: str) -> Rows:
    """A frame; an index that says something is a column, called `index` where it has no name."""
    columns, values = _index(data, name, index)
    for column in data.columns:
        if not isinstance(column, str) and not hasattr(column, "strftime"):
            hint = f"Give one level of texts, like {name}['Close']"
            raise InputError(
                f"{name} has a column named {column!r}. {NOTHING} {hint}.",
                code="bad_columns",
                place=name,
                value=repr(column),
                hint=hint,
            )
        columns.append(str(column))
        values.append(_list(data[column]))
    return Rows(
        columns, zip(*values, strict=True), _numbered(name, len(values[0]) if values else 0)
    )


def _index(data: Any, name: str, index: str) -> tuple[list[str], list[list[Any]]]:
    """The levels of an index that says something, as columns: one of names, texts or days."""
    own = getattr(data, "index", None)
    if own is None or not hasattr(own, "names"):
        return [], []
    levels = [_list(own.get_level_values(level)) for level in range(len(own.names))]
    labels = [label for label in own.names if label is not None]
    counted = not labels and all(isinstance(value, int) for value in levels[0])
    if counted or (hasattr(own, "step") and not labels):
        return [], []
    if len(levels) > 1 and len(labels) < len(levels):
        raise InputError(
            f"{name} has an index of {len(levels)} levels, not all of them named. {NOTHING} Name "
            "them, or call reset_index().",
            code="bad_index",
            place=name,
            hint="name them, or call reset_index()",
        )
    return [str(label) for label in labels] or [index], levels


def _list(column: Any) -> list[Any]:
    """The values of a column: pandas and numpy say `tolist`, polars `to_list`."""
    give = getattr(column, "tolist", None) or getattr(column, "to_list", None)
    return list(give()) if give else list(column)


def _numbered(name: str, count: int) -> list[str]:
    return [f"{name}[{n}]" for n in range(count)]


def rows(data: Iterable[Mapping[str, Any]], name: str) -> Rows:
    """Rows as dicts; a key that a row does not have is an empty cell."""
    entries = list(data)
    for n, entry in enumerate(entries):
        if not is_mapping(entry):
            raise unusable(f"{name}[{n}]", entry, "a dict of columns")
    columns = list(dict.fromkeys(chain.from_iterable(entries)))
    cells = ([entry.get(column) for column in columns] for entry in entries)
    return Rows([str(column) for column in columns], cells, _numbered(name, len(entries)))


def columns_of(data: Mapping[str, Any], name: str) -> Rows:
    """Columns as lists of one length."""
    values = [_list(column) for column in data.values()]
    lengths = {len(column) for column in values}
    if len(lengths) > 1:
        raise InputError(
            f"The columns of {name} have {' and '.join(map(str, sorted(lengths)))} values. "
            f"{NOTHING} Give as many in each.",
            code="columns_of_lengths",
            place=name,
        )
    return Rows([str(key) for key in data], zip(*values, strict=True), _numbered(name, *lengths))


def is_columns(data: Mapping[str, Any], key: str) -> bool:
    """Is it a dict of columns, of which one is called `key`?"""
    names = {str(name).lower() for name in data}
    return key in names and all(is_list(column) for column in data.values())


def is_list(value: object) -> bool:
    """A list, tuple, array or Series, no text."""
    return not isinstance(value, str | bytes | Mapping) and hasattr(value, "__len__")


def opened(data: Any, name: str) -> Memory:
    """What an open file, a StringIO or a BytesIO has."""
    content = data.read()
    return Memory(name, content.encode() if isinstance(content, str) else bytes(content))


def path_of(data: str | Path, name: str) -> Path:
    """A path as text; a text of several lines is none."""
    if "\n" in str(data):
        hint = f"Write {name}=io.StringIO(text)"
        raise InputError(
            f"{name} is a text of several lines, and a text is the path of a file. {NOTHING} "
            f"{hint}.",
            code="text_for_path",
            place=name,
            hint=hint,
        )
    return Path(data)


def unusable(place: str, value: object, due: str) -> InputError:
    """The error of data in a form that nobody reads."""
    return InputError(
        f"{place} is {_kind(value)}; give {due}. {NOTHING}",
        code="bad_form",
        place=place,
        value=type(value).__name__,
        limit=due,
    )


def _kind(value: object) -> str:
    """`a dict`, `an int`."""
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"
