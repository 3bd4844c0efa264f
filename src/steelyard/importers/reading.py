"""Files to rows of cells: what every form shares.

A file is looked at before it is opened, read whole under a cap, and cut into rows. A row whose
cells do not fit (`values.py`) is rejected with its line and reason, and the others go on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from steelyard.errors import InputError, RejectedRow, did_you_mean
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.memory import Memory
from steelyard.importers.opening import Where, blocks, empty
from steelyard.importers.statement import Source
from steelyard.importers.values import NOTHING, BadCell, shown
from steelyard.notices import Notice

T = TypeVar("T")
MOST_REJECTED = 10_000
"""Rejected lines after which a large file is read no further."""
MAX_TEXT = 10_000
"""Most characters in a cell."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
CODECS: Mapping[Literal["utf-8", "cp1252"], str] = {"utf-8": "utf-8-sig", "cp1252": "cp1252"}
"""Encoding -> by what it is read, the likelier first."""
DELIMITERS = (",", ";", "\t")
NEW_LINE = b"\n"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: `line` is 1-based with the header, `cells` are stripped, by column."""

    line: int
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """The cell of a column, empty where the file has no such column."""
        return self.cells.get(column, "")

    def optional(self, column: str, parse: Callable[..., T], *more: Any) -> T | None:
        """`parse(cell, column, *more)` of a cell; None where it is empty."""
        cell = self.get(column)
        return parse(cell, column, *more) if cell else None


@dataclass(frozen=True)
class Table:
    """A file cut into rows.

    file       its name, for messages
    columns    as the header gives them, in lower case
    rows       those with the right number of cells
    rejected   those without
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    rejected: tuple[RejectedRow, ...]
    warnings: tuple[Notice, ...] = ()


@dataclass
class Rejects:
    """The rejected rows of one file, gathered while it is read."""

    file: str
    rows: list[RejectedRow] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Are they so many that reading on would tell nobody more?"""
        return len(self.rows) >= MOST_REJECTED

    def add(self, line: int, reason: str) -> None:
        """Note a line and why it cannot be used."""
        self.rows.append(RejectedRow(self.file, line, reason))


def read_text(path: Where, limits: FileLimits = LIMITS) -> str:
    """The text of a regular file, plain or gzip, UTF-8; raises InputError for any other."""
    source = open_source(path, limits)
    if source.encoding != "utf-8":
        raise _not_utf_8(source)
    return source.text


def _not_utf_8(source: Source) -> InputError:
    """What is wrong with a content that is no UTF-8 text, and where."""
    path, content = source.path, source.content
    if content.startswith(UTF_16):
        return InputError(
            f"{path} is UTF-16 text. {NOTHING} Save it as UTF-8.",
            code="utf_16",
            place=str(path),
            hint="save it as UTF-8",
        )
    nul = content.find(b"\0")
    if nul >= 0:
        what = f"line {content.count(NEW_LINE, 0, nul) + 1} holds a NUL byte"
        return InputError(
            f"{path} is not text: {what}. {NOTHING} Give a CSV file.",
            code="nul_byte",
            place=str(path),
            hint="give a CSV file",
        )
    return bad_byte(path, content, 1)


def bad_byte(path: Where, content: bytes, line: int) -> InputError:
    """The error of the first byte that is not UTF-8; `line` is the number of the first one."""
    start = _first_bad(content)
    line += content.count(NEW_LINE, 0, start)
    what = f"line {line} holds the byte 0x{content[start]:02x}"
    return InputError(
        f"{path} is not UTF-8 text: {what}. {NOTHING} Save it as UTF-8.",
        code="not_utf_8",
        place=f"{path} line {line}",
        hint="save it as UTF-8",
    )


def _first_bad(content: bytes) -> int:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def open_source(path: Where, limits: FileLimits = LIMITS) -> Source:
    """A regular file, plain or gzip, opened once: for who recognises and reads it.

    UTF-8, UTF-16 with its mark, else cp1252 where every byte is a character of it; "" = no text.
    """
    content = b"".join(blocks(path, limits, "max_bytes"))
    if not content.strip():
        raise empty(path)
    if content.startswith(UTF_16):
        return Source(path, content, content.decode("utf-16", errors="replace"), "utf-16", limits)
    if b"\0" in content:
        return Source(path, content, "", "", limits)
    for encoding, codec in CODECS.items():
        try:
            return Source(path, content, content.decode(codec), encoding, limits)
        except UnicodeDecodeError:
            continue
    return Source(path, content, "", "", limits)


def delimiter_of(header: str) -> str:
    """Comma, unless the header has none and has semicolons or tabs."""
    return next((sign for sign in DELIMITERS if sign in header), ",")


def split(
    text: str, file: str, delimiter: str | None = None, line: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """`csv_rows` of a whole text; without a delimiter, that of the first line."""
    sign = delimiter or delimiter_of(text.lstrip().partition("\n")[0])
    return csv_rows(io.StringIO(text, newline=""), file, sign, line)


def csv_rows(
    lines: Iterable[str], file: str, sign: str, line: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank; the line is where the row begins.

    sign   between cells
    line   number of the first line
    Raises InputError for quotes that do not close and for cells over 10,000 characters.
    """
    reader, first = csv.reader(lines, delimiter=sign, strict=True), line
    try:
        for cells in reader:
            if cells and len(max(cells, key=len)) > MAX_TEXT:
                raise _too_long(file, line)
            stripped = [cell.strip(" \t\r\n") for cell in cells]
            if any(stripped):
                yield line, stripped
            line = first + reader.line_num
    except csv.Error as error:
        if "field limit" in str(error):
            raise _too_long(file, line) from error
        advice = "A cell with a comma or a quote needs double quotes around it."
        raise InputError(
            f"{file} line {line} is not CSV: {error}. {NOTHING} {advice}",
            code="not_csv",
            place=f"{file} line {line}",
            hint=advice,
        ) from error


def _too_long(file: str, line: int) -> InputError:
    what = f"a cell has more than {MAX_TEXT:,} characters"
    return InputError(
        f"{file} line {line}: {what}. {NOTHING}",
        code="cell_too_long",
        place=f"{file} line {line}",
        limit=MAX_TEXT,
    )


def column_name(cell: str) -> str:
    """Header cell as a column: lower case, `_` for spaces."""
    return cell.lower().replace(" ", "_").replace("-", "_")


def read_table(
    path: Where,
    *,
    required: Sequence[str],
    readable: Sequence[str],
    aliases: Mapping[str, str] | None = None,
    limits: FileLimits = LIMITS,
) -> Table:
    """A file cut into rows by a header of known columns.

    required   columns without which the file is refused
    readable   every column that is read, `class.*` for all that begin so; others are a warning
    aliases    spelling -> column
    Raises InputError for a file that is no such table.
    """
    begins = path.begins if isinstance(path, Memory) else 1
    rows = split(read_text(path, limits), path.name, line=begins)
    return table_of(rows, path.name, required, readable, aliases or {}, limits)


def table_of(
    rows: Iterable[tuple[int, list[str]]],
    file: str,
    required: Sequence[str],
    readable: Sequence[str],
    aliases: Mapping[str, str],
    limits: FileLimits = LIMITS,
) -> Table:
    """The table of rows already split; the first is the header."""
    lines = iter(rows)
    _, header = next(lines, (1, []))
    columns = tuple(aliases.get(name, name) for name in map(column_name, header))
    check_columns(file, header, columns, required)
    rejects, good = Rejects(file), list[Row]()
    for line, cells in lines:
        if counted(line, cells, len(columns), rejects):
            good.append(Row(line, dict(zip(columns, cells, strict=True))))
        if len(good) + len(rejects.rows) > limits.max_rows:
            raise limits.exceeded("max_rows", file, f"has more than {limits.max_rows:,} rows")
    warnings = tuple(unknown_columns(file, columns, readable))
    return Table(file, columns, tuple(good), tuple(rejects.rows), warnings)


def check_columns(
    file: str, header: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    """Raise InputError for a header that lacks a required column or has one twice."""
    missing = [name for name in required if name not in columns]
    if missing:
        reads = f"its first line reads {shown(','.join(header))}"
        rule = f"The first line must name the columns, at least {','.join(required)}."
        absent = " and no column ".join(missing)
        raise InputError(
            f"{file} has no column {absent}; {reads}. {NOTHING} {rule}",
            code="missing_column",
            place=f"{file} line 1",
            value=shown(",".join(header)),
            limit=", ".join(required),
            hint=rule,
        )
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        what = f"{file} has the column {shown(twice[0])} more than once"
        raise InputError(
            f"{what}. {NOTHING} Keep one of them.",
            code="column_twice",
            place=f"{file} line 1, column {shown(twice[0])}",
            hint="keep one of them",
        )


def counted(line: int, cells: Sequence[str], width: int, rejects: Rejects) -> bool:
    """Has the row as many cells as the header? If not it is rejected."""
    if len(cells) == width:
        return True
    hint = " A decimal comma or a comma in a name needs double quotes around the cell."
    hint = hint if len(cells) > width else ""
    rejects.add(line, f"{len(cells)} cells where the header has {width}.{hint}")
    return False


def unknown_columns(file: str, columns: Sequence[str], readable: Sequence[str]) -> Iterable[Notice]:
    """Say which columns are not read."""
    stems = tuple(name[:-1] for name in readable if name.endswith("*"))
    for name in columns:
        if name not in readable and not (stems and name.startswith(stems)):
            near = did_you_mean(name, readable)
            message = f"The column {shown(name)} of {file} is not read.{near}"
            yield Notice(code="unknown_column", message=message)


def parse_rows(table: Table, parse: Callable[[Row], None]) -> tuple[RejectedRow, ...]:
    """Parse every row; the rejected rows of the table and of the parsing, by line."""
    rejects = Rejects(table.file, list(table.rejected))
    for row in table.rows:
        try:
            parse(row)
        except BadCell as error:
            rejects.rows.append(error.row(table.file, row.line))
    return tuple(sorted(rejects.rows, key=lambda rejected: rejected.line))
