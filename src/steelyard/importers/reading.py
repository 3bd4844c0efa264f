"""Files to rows of cells: what every form shares.

A file is looked at before it is opened, read whole under a cap, and cut into rows. A row whose
cells do not fit (`values.py`) is rejected with its line and reason, and the others go on.
"""

from __future__ import annotations

import csv
import io
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from steelyard.errors import InputError, RejectedRow, did_you_mean
from steelyard.importers.statement import Source
from steelyard.importers.values import NOTHING, BadCell, shown
from steelyard.notices import Notice

T = TypeVar("T")
MAX_BYTES = 64 * 1024 * 1024
"""Largest file, and largest content of a compressed one."""
MAX_ROWS = 1_000_000
"""Most rows of a file that is read cell by cell."""
MAX_TEXT = 10_000
"""Most characters in a cell."""
GZIP_MAGIC = b"\x1f\x8b"
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
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

    def add(self, line: int, reason: str) -> None:
        """Note a line and why it cannot be used."""
        self.rows.append(RejectedRow(self.file, line, reason))


def read_text(path: Path) -> str:
    """The text of a regular file, plain or gzip, UTF-8; raises InputError for any other."""
    content = _content(path)
    if content.startswith(GZIP_MAGIC):
        content = _decompress(content, path)
    if not content.strip():
        raise InputError(f"{path} is empty. {NOTHING} Give a CSV file with a header line.")
    if content.startswith(SPREADSHEETS):
        advice = "Save it as CSV (UTF-8) and give that file."
        raise InputError(f"{path} is a spreadsheet, not CSV. {NOTHING} {advice}")
    if content.startswith(UTF_16):
        raise InputError(f"{path} is UTF-16 text. {NOTHING} Save it as UTF-8.")
    nul = content.find(b"\0")
    if nul >= 0:
        what = f"line {content.count(NEW_LINE, 0, nul) + 1} holds a NUL byte"
        raise InputError(f"{path} is not text: {what}. {NOTHING} Give a CSV file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(NEW_LINE, 0, error.start) + 1
        what = f"line {line} holds the byte 0x{content[error.start]:02x}"
        raise InputError(
            f"{path} is not UTF-8 text: {what}. {NOTHING} Save it as UTF-8."
        ) from error


def open_source(path: Path) -> Source:
    """A regular file, plain or gzip, opened once: for who recognises and reads it.

    UTF-8, UTF-16 with its mark, else cp1252 where every byte is a character of it; "" = no text.
    """
    content = _content(path)
    if content.startswith(GZIP_MAGIC):
        content = _decompress(content, path)
    if not content.strip():
        raise InputError(f"{path} is empty. {NOTHING} Give a CSV file with a header line.")
    if content.startswith(SPREADSHEETS):
        advice = "Save it as CSV (UTF-8) and give that file."
        raise InputError(f"{path} is a spreadsheet, not CSV. {NOTHING} {advice}")
    if content.startswith(UTF_16):
        return Source(path, content, content.decode("utf-16", errors="replace"), "utf-16")
    if b"\0" in content:
        return Source(path, content, "", "")
    try:
        return Source(path, content, content.decode("utf-8-sig"), "utf-8")
    except UnicodeDecodeError:
        try:
            return Source(path, content, content.decode("cp1252"), "cp1252")
        except UnicodeDecodeError:
            return Source(path, content, "", "")


def _content(path: Path) -> bytes:
    try:
        # looked at before it is opened: opening a FIFO would wait forever
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise InputError(f"{path} is {kind}. {NOTHING} Give a CSV file.")
        if status.st_size > MAX_BYTES:
            size = f"{status.st_size:,} bytes; at most {MAX_BYTES:,} are read"
            raise InputError(f"{path} has {size}. {NOTHING}")
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist. {NOTHING} Check the path.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} could not be read: {reason}. {NOTHING}") from error


def _decompress(content: bytes, path: Path) -> bytes:
    """Unpack gzip, never past the cap."""
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = unpack.decompress(content, MAX_BYTES + 1)
    except zlib.error as error:
        raise InputError(f"{path} is damaged gzip: {error}. {NOTHING}") from error
    if len(text) > MAX_BYTES:
        raise InputError(f"{path} unpacks to more than {MAX_BYTES:,} bytes. {NOTHING}")
    if not unpack.eof:
        raise InputError(f"{path} is damaged gzip: it ends too early. {NOTHING}")
    if unpack.unused_data.strip(b"\0"):
        advice = "Unpack it and give the CSV file."
        raise InputError(f"{path} holds more than one gzip stream. {NOTHING} {advice}")
    return text


def delimiter_of(header: str) -> str:
    """Comma, unless the header has none and has semicolons or tabs."""
    return next((sign for sign in DELIMITERS if sign in header), ",")


def split(text: str, file: str, delimiter: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank; the line is where the row begins.

    delimiter   None = that of the first line

    Raises InputError for quotes that do not close and for cells over 10,000 characters.
    """
    sign = delimiter or delimiter_of(text.lstrip().partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(len(cell) > MAX_TEXT for cell in cells):
                raise _too_long(file, line)
            stripped = [cell.strip(" \t\r\n") for cell in cells]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        if len(text) > csv.field_size_limit() and "field limit" in str(error):
            raise _too_long(file, line) from error
        advice = "A cell with a comma or a quote needs double quotes around it."
        raise InputError(f"{file} line {line} is not CSV: {error}. {NOTHING} {advice}") from error


def _too_long(file: str, line: int) -> InputError:
    what = f"a cell has more than {MAX_TEXT:,} characters"
    return InputError(f"{file} line {line}: {what}. {NOTHING}")


def column_name(cell: str) -> str:
    """Header cell as a column: lower case, `_` for spaces."""
    return cell.lower().replace(" ", "_").replace("-", "_")


def read_table(
    path: Path,
    *,
    required: Sequence[str],
    readable: Sequence[str],
    aliases: Mapping[str, str] | None = None,
) -> Table:
    """A file cut into rows by a header of known columns.

    required   columns without which the file is refused
    readable   every column that is read, `class.*` for all that begin so; others are a warning
    aliases    spelling -> column
    Raises InputError for a file that is no such table.
    """
    return table_of(split(read_text(path), path.name), path.name, required, readable, aliases or {})


def table_of(
    rows: Iterable[tuple[int, list[str]]],
    file: str,
    required: Sequence[str],
    readable: Sequence[str],
    aliases: Mapping[str, str],
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
        if len(good) + len(rejects.rows) > MAX_ROWS:
            what = f"{file} has more than {MAX_ROWS:,} rows"
            raise InputError(f"{what}. {NOTHING} Give a smaller file.")
    warnings = tuple(_unknown(file, columns, readable))
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
        raise InputError(f"{file} has no column {absent}; {reads}. {NOTHING} {rule}")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        what = f"{file} has the column {shown(twice[0])} more than once"
        raise InputError(f"{what}. {NOTHING} Keep one of them.")


def counted(line: int, cells: Sequence[str], width: int, rejects: Rejects) -> bool:
    """Has the row as many cells as the header? If not it is rejected."""
    if len(cells) == width:
        return True
    hint = " A decimal comma or a comma in a name needs double quotes around the cell."
    hint = hint if len(cells) > width else ""
    rejects.add(line, f"{len(cells)} cells where the header has {width}.{hint}")
    return False


def _unknown(file: str, columns: Sequence[str], readable: Sequence[str]) -> Iterable[Notice]:
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
