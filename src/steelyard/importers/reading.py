"""Files to checked cells: what every form shares.

A file is looked at before it is opened, read whole under a cap, and cut into rows with their line
numbers. A cell becomes a value through one of the functions at the end; what does not fit raises
BadCell, and the row is rejected with its number and reason while the others go on.
"""

from __future__ import annotations

import csv
import io
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from steelyard.canonical import plain
from steelyard.errors import InputError, RejectedRow, did_you_mean
from steelyard.notices import Notice

MAX_BYTES = 64 * 1024 * 1024
"""Largest file, and largest content of a compressed one."""
MAX_ROWS = 1_000_000
"""Most rows of a file that is read cell by cell."""
MAX_TEXT = 10_000
"""Most characters in a cell."""
MAX_DIGITS = 40
"""Most characters in a number."""
MAX_EXPONENT = 12
"""Numbers like 1e6 are read up to this power of ten, either way."""
MAX_QUANTITY = Decimal("1e12")
MAX_PRICE = Decimal("1e12")
MAX_CASH = Decimal("1e15")
MAX_RATE = Decimal("1e9")
SHOWN_CHARACTERS = 40
"""How much of a cell a message repeats."""

WHOLE = 100
"""Percent."""

NOTHING = "Nothing was planned."

GZIP_MAGIC = b"\x1f\x8b"
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = (",", ";", "\t")

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-/^=]{0,31}")
CURRENCY = re.compile(r"[A-Z]{3}")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3}))?")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


class BadCell(ValueError):
    """A cell does not hold what its column promises; the text is the reason, without file and
    line.
    """


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: `line` is 1-based and counts the header, `cells` are stripped, by
    column.
    """

    line: int
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """The cell of a column, empty where the file has no such column."""
        return self.cells.get(column, "")


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
    """The text of a regular file, plain or gzip, UTF-8 with or without a byte order mark.

    Raises InputError when it is missing, no regular file, over 64 MiB, empty or not text.
    """
    content = _content(path)
    if content.startswith(GZIP_MAGIC):
        content = _decompress(content, path)
    if not content.strip():
        raise InputError(f"{path} is empty. {NOTHING} Give a CSV file with a header line.")
    if content.startswith(SPREADSHEETS):
        raise InputError(
            f"{path} is a spreadsheet, not CSV. {NOTHING} Save it as CSV (UTF-8) and give that "
            "file."
        )
    if content.startswith(UTF_16):
        raise InputError(f"{path} is UTF-16 text. {NOTHING} Save it as UTF-8.")
    nul = content.find(b"\0")
    if nul >= 0:
        line = content.count(b"\n", 0, nul) + 1
        raise InputError(
            f"{path} is not text: line {line} holds a NUL byte. {NOTHING} Give a CSV file."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path} is not UTF-8 text: line {line} holds the byte 0x{content[error.start]:02x}. "
            f"{NOTHING} Save it as UTF-8."
        ) from error


def _content(path: Path) -> bytes:
    try:
        # looked at before it is opened: opening a FIFO would wait forever
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a directory" if stat.S_ISDIR(found.st_mode) else "not a regular file"
            raise InputError(f"{path} is {kind}. {NOTHING} Give a CSV file.")
        if found.st_size > MAX_BYTES:
            raise InputError(
                f"{path} has {found.st_size:,} bytes; at most {MAX_BYTES:,} are read. {NOTHING}"
            )
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
        raise InputError(
            f"{path} holds more than one gzip stream. {NOTHING} Unpack it and give the CSV file."
        )
    return text


def delimiter_of(header: str) -> str:
    """Comma, unless the header has none and has semicolons or tabs."""
    return next((sign for sign in DELIMITERS if sign in header), ",")


def split(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank; the line is where the row begins.

    Raises InputError for quotes that do not close and for cells over 10,000 characters.
    """
    sign = delimiter_of(text.lstrip().partition("\n")[0])
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
        raise InputError(
            f"{file} line {line} is not CSV: {error}. {NOTHING} A cell with a comma or a quote "
            "needs double quotes around it."
        ) from error


def _too_long(file: str, line: int) -> InputError:
    return InputError(
        f"{file} line {line}: a cell has more than {MAX_TEXT:,} characters. {NOTHING}"
    )


def column_name(cell: str) -> str:
    """Header cell as a column: lower case, `_` for spaces."""
    return cell.lower().replace(" ", "_").replace("-", "_")


def read_table(
    path: Path,
    *,
    required: Sequence[str],
    known: Sequence[str],
    aliases: Mapping[str, str] | None = None,
) -> Table:
    """A file cut into rows by a header of known columns.

    required   columns without which the file is refused
    known      every column that is read; others are a warning
    aliases    spelling -> column
    Raises InputError for a file that is no such table.
    """
    return table_of(split(read_text(path), path.name), path.name, required, known, aliases or {})


def table_of(
    rows: Iterable[tuple[int, list[str]]],
    file: str,
    required: Sequence[str],
    known: Sequence[str],
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
            raise InputError(
                f"{file} has more than {MAX_ROWS:,} rows. {NOTHING} Give a smaller file."
            )
    return Table(
        file, columns, tuple(good), tuple(rejects.rows), tuple(_unknown(file, columns, known))
    )


def check_columns(
    file: str, header: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    """Raise InputError for a header that lacks a required column or has one twice."""
    missing = [name for name in required if name not in columns]
    if missing:
        form = ",".join(required)
        raise InputError(
            f"{file} has no column {' and no column '.join(missing)}; its first line reads "
            f"{shown(','.join(header))}. {NOTHING} The first line must name the columns, at least "
            f"{form}."
        )
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise InputError(
            f"{file} has the column {shown(twice[0])} more than once. {NOTHING} Keep one of them."
        )


def counted(line: int, cells: Sequence[str], width: int, rejects: Rejects) -> bool:
    """Has the row as many cells as the header? If not it is rejected."""
    if len(cells) == width:
        return True
    hint = (
        " A decimal comma or a comma in a name needs double quotes around the cell."
        if len(cells) > width
        else ""
    )
    rejects.add(line, f"{len(cells)} cells where the header has {width}.{hint}")
    return False


def _unknown(file: str, columns: Sequence[str], known: Sequence[str]) -> Iterable[Notice]:
    for name in columns:
        if name not in known:
            yield Notice(
                code="unknown_column",
                message=(
                    f"The column {shown(name)} of {file} is not read.{did_you_mean(name, known)}"
                ),
            )


def parse_rows(table: Table, parse: Callable[[Row], None]) -> tuple[RejectedRow, ...]:
    """Parse every row; the rejected rows of the table and of the parsing, by line."""
    rejects = Rejects(table.file, list(table.rejected))
    for row in table.rows:
        try:
            parse(row)
        except BadCell as error:
            rejects.add(row.line, str(error))
    return tuple(sorted(rejects.rows, key=lambda rejected: rejected.line))


def shown(text: str) -> str:
    """Foreign text in a message: quoted, without control characters, cut.

    >>> shown("12\\x1b[31m")
    "'12\\\\x1b[31m'"
    """
    return ascii(text) if len(text) <= SHOWN_CHARACTERS else ascii(text[:SHOWN_CHARACTERS]) + "…"


def number(text: str, column: str) -> Decimal:
    """Plain decimal number in the digits 0-9, with an exponent up to 12.

    >>> number("1.50", "price"), number("1e3", "price")
    (Decimal('1.50'), Decimal('1E+3'))
    """
    match = NUMBER.fullmatch(text) if len(text) <= MAX_DIGITS else None
    if match is None or abs(int(match[1] or 0)) > MAX_EXPONENT:
        raise BadCell(f"{column} {shown(text)} {_why_no_number(text)}")
    return Decimal(text)


def _why_no_number(text: str) -> str:
    """What is wrong with a text that is not a number here, and what to write instead."""
    if not text:
        return "is missing"
    if len(text) > MAX_DIGITS:
        return f"has more than {MAX_DIGITS} characters"
    if NOT_FINITE.fullmatch(text):
        return "is not a finite number"
    if "_" in text:
        return "has underscores; write 1000, not 1_000"
    if not text.isascii() and any(sign.isdigit() for sign in text):
        return "has other digits than 0-9"
    if text.endswith("%"):
        share = text[:-1].rstrip(" ")
        own = NUMBER.fullmatch(share)
        return (
            f"is a percentage; write {plain(Decimal(share) / 100)} for {share}%"
            if own
            else "is a percentage; write 0.12 for 12%"
        )
    if "," in text or "'" in text:
        return "has a comma or an apostrophe; write 1234.5"
    return (
        "is not a number"
        if NUMBER.fullmatch(text) is None
        else f"has an exponent over {MAX_EXPONENT}"
    )


def positive(text: str, column: str, most: Decimal) -> Decimal:
    """A number above 0 and at most `most`."""
    value = number(text, column)
    if value <= 0:
        raise BadCell(f"{column} {shown(text)} must be above 0")
    if value > most:
        raise BadCell(f"{column} {shown(text)} is over {most:,f}, the most that is read")
    return value


def amount(text: str, column: str) -> Decimal:
    """Money, of either sign."""
    value = number(text, column)
    if abs(value) > MAX_CASH:
        raise BadCell(f"{column} {shown(text)} is over {MAX_CASH:,f}, the most that is read")
    return value


def fraction(text: str, column: str) -> float:
    """A number from 0 to 1."""
    value = number(text, column)
    if not 0 <= value <= 1:
        raise BadCell(
            f"{column} {shown(text)} must be a fraction from 0 to 1; {as_fraction(value)}"
        )
    return float(value)


def as_fraction(percent: Decimal) -> str:
    """How a percentage is written here, by the number that was given where it may be one.

    >>> as_fraction(Decimal(8))
    '8% is 0.08'
    """
    return f"{plain(percent)}% is {plain(percent / 100)}" if 1 < percent <= WHOLE else "12% is 0.12"


def day(text: str, column: str) -> date:
    """A date as 2022-12-28."""
    if ISO_DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise BadCell(f"{column} {shown(text)} is not a day of the calendar") from error
    raise BadCell(
        f"{column} {shown(text)} is not a date; write 2022-12-28"
        if text
        else f"{column} is missing"
    )


def symbol(text: str) -> str:
    """A symbol in upper case."""
    upper = text.upper() if text.isascii() else text
    if not SYMBOL.fullmatch(upper):
        raise BadCell(
            f"symbol {shown(text)} is not usable; it begins with A-Z or 0-9, then up to 31 of A-Z "
            "0-9 . - / ^ ="
            if text
            else "symbol is missing"
        )
    return upper


def currency(text: str, column: str = "currency") -> str:
    """A currency code in upper case."""
    upper = text.upper() if text.isascii() else text
    if not CURRENCY.fullmatch(upper):
        raise BadCell(
            f"{column} {shown(text)} is not a currency code; write three letters like USD"
        )
    return upper


def flag(text: str, column: str) -> bool:
    """`true` or `false`."""
    lower = text.lower()
    if lower not in {"true", "false"}:
        raise BadCell(f"{column} {shown(text)} must be true or false")
    return lower == "true"


def names(text: str) -> tuple[str, ...]:
    """Names separated by `;`, each once, in order."""
    return tuple(
        dict.fromkeys(part for part in (piece.strip(" \t") for piece in text.split(";")) if part)
    )
