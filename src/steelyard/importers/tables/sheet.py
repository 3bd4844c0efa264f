"""A broker's table cut into lines: which cells mean which field, and what is no holding.

Around the table stand lines above it, totals, footers, further tables; the header may come again
for each account. Numbers stay cells here: `columns.py` reads them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from steelyard.errors import InputError, RejectedRow, did_you_mean, one_line
from steelyard.importers import reading
from steelyard.importers.amounts import NOTHING as NO_NUMBER
from steelyard.importers.amounts import Notation
from steelyard.importers.statement import Passed, Source
from steelyard.importers.values import NOTHING, BadCell, shown

CURRENCY = "{cur}"
"""Stands in a header cell of a form for a currency code: `value in {cur}`."""
AFTER = "+"
"""`+value` is the column without a name behind the column `value`."""
LINES_OF_HEAD = 60
MOST_TEXT = 120
"""Characters of a name or a label that are kept."""
WORDS_OF_FOOTER = 5
"""One cell of as many words under a table is a sentence, not a holding."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CURRENCY_AT_END = re.compile(r"(?<=[ (])[a-z]{3}(?=\)?$)")
OWN_HANDS = "Export the file again, or map its columns by hand (--map symbol=COLUMN)."
EXPORT_AGAIN = "correct the cell, or export the file again"


@dataclass(frozen=True, kw_only=True)
class Form:
    """A table of positions as one broker writes it.

    broker      for people: "Schwab"
    columns     field -> header cells that mean it, in lower case, of every year and language
    required    fields without which a file is refused
    signs       header cells by which it is recognised; `enough` of them make a header
    types       word of the type column -> product type, or CASH
    currency    of every figure; "" = the file says
    notation    how it writes numbers where commas separate cells; None = each file is looked at
    dated       find the day of the statement above or under the table: groups y, m, d
    account     finds the account above a table
    sections    each account has a table of its own, under a line of its name
    totals      first cells of total rows
    footer      finds the last line of the file
    next_table  header cells of a table that is passed over, `next_rows` what its rows are
    closing     what ends a whole file, for people: "total row"; "" = nothing does
    uncounted   rows without a count are accounts of cash where the total says so
    """

    name: str
    broker: str
    columns: Mapping[str, Sequence[str]]
    required: Sequence[str]
    signs: frozenset[str]
    enough: int
    types: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    currency: str = ""
    notation: Notation | None = None
    dated: Sequence[re.Pattern[str]] = ()
    account: re.Pattern[str] | None = None
    sections: bool = False
    totals: frozenset[str] = frozenset()
    footer: re.Pattern[str] | None = None
    next_table: frozenset[str] = frozenset()
    next_rows: str = ""
    closing: str = ""
    uncounted: bool = False

    @property
    def title(self) -> str:
        """For people: "Schwab positions"."""
        return f"{self.broker} positions"


@dataclass(frozen=True, slots=True)
class Header:
    """Where the columns are: field -> place; `names` as the file writes them; `width` of a row."""

    places: Mapping[str, int]
    names: Mapping[str, str]
    width: int
    base: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: field -> cell, empty where the broker writes that there is nothing.

    names   of the columns, for messages
    table   which table of the file, from 0
    """

    line: int
    cells: Mapping[str, str]
    names: Mapping[str, str]
    account: str
    table: int


@dataclass
class Sheet:
    """A file cut: rows that may be holdings or cash, totals, and what was passed over."""

    file: str
    form: Form
    delimiter: str
    lines: list[Line] = field(default_factory=list)
    totals: list[Line] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    as_of: date | None = None
    base: str = ""
    tables: int = 0
    closed: bool = False

    def reject(self, line: int, error: BadCell) -> None:
        """Note a line that cannot be used, with the broker and what to do."""
        hint = error.hint or EXPORT_AGAIN
        reason = f"{error} ({self.form.title})"
        self.rejected.append(
            RejectedRow(
                self.file, line, reason, error.code, error.column, error.value, error.limit, hint
            )
        )


@lru_cache(maxsize=4096)
def plain(cell: str) -> str:
    """A header cell or a word as it is compared: lower case, one blank, straight apostrophes."""
    return " ".join(cell.lower().replace("\u2019", "'").replace("\ufeff", "").split())


def recognises(source: Source, form: Form) -> bool:
    """Does a header of the form stand near the beginning of a file?"""
    return _delimiter(source, form) is not None


def cut(source: Source, form: Form) -> Sheet:
    """The rows of a file; raises InputError where there is no such table, or its header is bad."""
    delimiter = _delimiter(source, form)
    if delimiter is None:
        what = f"{source.name} has no header of {form.title}"
        raise InputError(
            f"{what}. {NOTHING} {OWN_HANDS}", code="no_header", place=source.name, hint=OWN_HANDS
        )
    sheet = Sheet(source.name, form, delimiter)
    cutter = _Cutter(sheet)
    rows = _limited(reading.split(source.text, source.name, delimiter), source)
    line, cells = next(rows, (0, []))
    while cells:
        after, following = next(rows, (0, []))
        cutter.take(line, cells, following)
        line, cells = after, following
    return sheet


def _limited(
    rows: Iterator[tuple[int, list[str]]], source: Source
) -> Iterator[tuple[int, list[str]]]:
    most = source.limits.max_rows
    for count, row in enumerate(rows):
        if count >= most:
            raise source.limits.exceeded("max_rows", source.name, f"has more than {most:,} rows")
        yield row


def _delimiter(source: Source, form: Form) -> str | None:
    """What separates the cells of the header."""
    for text in source.head.splitlines()[:LINES_OF_HEAD]:
        for sign in reading.DELIMITERS:
            if sign in text and is_header(cells_of(text, sign), form):
                return sign
    return None


def cells_of(text: str, delimiter: str) -> list[str]:
    """The cells of one line, as far as it has any."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []


def is_header(cells: Sequence[str], form: Form) -> bool:
    """Does a row name enough of the form's columns, and none of another table?"""
    return _heading(cells, form) == "this table"


def _heading(cells: Sequence[str], form: Form) -> Literal["", "this table", "next table"]:
    """Of which table a row is the header."""
    names = {plain(cell) for cell in cells if cell}
    if len(names & form.next_table) > 1:
        return "next table"
    if names & form.signs:
        names |= {_templated(name) for name in names}
    return "this table" if len(names & form.signs) >= form.enough else ""


def _names(cells: Sequence[str]) -> list[str]:
    """Header cells as they are compared; one without a name is called by the one before it."""
    names = [plain(cell) for cell in cells]
    return [
        name or (AFTER + names[place - 1] if place and names[place - 1] else "")
        for place, name in enumerate(names)
    ]


def _templated(name: str) -> str:
    """`value in eur` as `value in {cur}`."""
    return CURRENCY_AT_END.sub(CURRENCY, name)


def header_of(cells: Sequence[str], form: Form, file: str, line: int) -> Header:
    """The columns of a header row; InputError for a required one that is not there, or is twice."""
    names = _names(cells)
    width = max((place + 1 for place, cell in enumerate(cells) if cell), default=0)
    places: dict[str, int] = {}
    base = ""
    for meaning, aliases in form.columns.items():
        at = [
            place
            for place, name in enumerate(names)
            if name and (name in aliases or _templated(name) in aliases)
        ]
        if len(at) > 1:
            raise _twice(cells, at, form, f"{file} line {line}")
        if at:
            places[meaning] = at[0]
            templated = names[at[0]] not in aliases
            base = _currency_at_end(names[at[0]]) if templated else base
    _check_required(cells, places, form, f"{file} line {line}")
    shown_names = {meaning: cells[place] or meaning for meaning, place in places.items()}
    return Header(places, shown_names, max(width, *(p + 1 for p in places.values())), base)


def _currency_at_end(name: str) -> str:
    match = CURRENCY_AT_END.search(name)
    return match[0].upper() if match else ""


def _twice(cells: Sequence[str], at: Sequence[int], form: Form, place: str) -> InputError:
    what = " and ".join(shown(cells[column]) for column in at)
    return InputError(
        f"{place} names {what}, which mean the same in {form.title}. {NOTHING} Keep one of them.",
        code="column_twice",
        place=place,
        hint="keep one of them",
    )


def _check_required(
    cells: Sequence[str], places: Mapping[str, int], form: Form, place: str
) -> None:
    missing = [meaning for meaning in form.required if meaning not in places]
    if not missing:
        return
    alias = form.columns[missing[0]][0]
    near = did_you_mean(alias, [plain(cell) for cell in cells if cell])
    names = one_line(", ".join(cell for cell in cells if cell), MOST_TEXT)
    raise InputError(
        f"{place} has no column {shown(alias)}, which {form.title} need.{near} "
        f"It names {shown(names)}. {NOTHING} {OWN_HANDS}",
        code="no_column",
        place=f"{place}, column {alias}",
        hint=OWN_HANDS,
    )


@dataclass
class _Cutter:
    """Takes the rows of a file in order."""

    sheet: Sheet
    header: Header | None = None
    account: str = ""
    new_section: bool = False
    over: bool = False

    def take(self, line: int, cells: list[str], following: list[str]) -> None:
        """Put one row where it belongs; `following` is the one after it."""
        form, heading = self.sheet.form, _heading(cells, self.sheet.form)
        text = ", ".join(cell for cell in cells if cell)
        alone = sum(map(bool, cells)) == 1
        if self.over:
            self._pass(line, form.next_rows)
        elif heading == "next table":
            self.over = self.sheet.closed = True
            self._pass(line, "header of another table")
        elif heading:
            self._begin(line, cells)
        elif not self._note(line, text):
            if alone and form.sections and is_header(following, form):
                self._enter(one_line(text, MOST_TEXT))
                self._pass(line, "line above the table")
            elif alone and self._is_prose(cells, text):
                self._pass(line, "line under the table" if self.header else "line above the table")
            else:
                self._row(line, cells)

    def _pass(self, line: int, what: str) -> None:
        self.sheet.passed.append(Passed(line, what))

    def _enter(self, account: str) -> None:
        self.account, self.new_section = account, True

    def _is_prose(self, cells: list[str], text: str) -> bool:
        """A sentence under the table; above it, whatever stands alone."""
        # in a row of empty cells a few words are the name of a holding that lost its numbers
        apart = len(cells) == 1 or self.sheet.form.footer is not None
        return self.header is None or (apart and len(text.split()) >= WORDS_OF_FOOTER)

    def _begin(self, line: int, cells: list[str]) -> None:
        sheet, place = self.sheet, f"{self.sheet.file} line {line}"
        if self.header is not None and not (sheet.form.sections and self.new_section):
            what = f"{place} is a second header of {sheet.form.title}"
            hint = "Give each table as a file of its own."
            raise InputError(
                f"{what}. {NOTHING} {hint}", code="two_headers", place=place, hint=hint
            )
        self.header = header_of(cells, sheet.form, sheet.file, line)
        self.new_section = False
        sheet.base = self.header.base or sheet.base
        sheet.tables += 1

    def _note(self, line: int, text: str) -> bool:
        """Is it a line that gives the account, the day or the end? If so it is noted."""
        form = self.sheet.form
        account = form.account.match(text) if form.account else None
        dated = next((day for day in (p.search(text) for p in form.dated) if day), None)
        last = form.footer.match(text) if form.footer else None
        if account:
            self._enter(one_line(account["account"], MOST_TEXT))
        if dated and (account or last or self.header is None):
            self._date(line, dated.groupdict(), text)
        if last:
            self.sheet.closed = True
        if account or last:
            self._pass(line, "line under the table" if self.header else "line above the table")
        return bool(account or last)

    def _date(self, line: int, parts: Mapping[str, str], text: str) -> None:
        try:
            day = calendar_day(parts)
        except ValueError:
            reason = f"{shown(text)} has no day of the calendar"
            self.sheet.reject(line, BadCell(reason, code="bad_date", value=text))
            return
        other = self.sheet.as_of
        if other not in {None, day}:
            reason = f"the file is of {other} and of {day}; give one file for each day"
            self.sheet.reject(line, BadCell(reason, code="two_dates", value=str(day)))
        self.sheet.as_of = day

    def _row(self, line: int, cells: list[str]) -> None:
        if self.header is None:
            self.sheet.reject(line, BadCell("it stands above the header", code="above_header"))
            return
        misfit = _misfit(cells, self.header)
        if misfit is not None:
            self.sheet.reject(line, misfit)
            return
        places = self.header.places.items()
        fields = {name: "" if cells[at] in NO_NUMBER else cells[at] for name, at in places}
        account = one_line(fields.get("account", ""), MOST_TEXT) or self.account
        row = Line(line, fields, self.header.names, account, self.sheet.tables - 1)
        first = plain(next(cell for cell in cells if cell))
        total = first in self.sheet.form.totals and not _counted(fields)
        (self.sheet.totals if total else self.sheet.lines).append(row)


def _counted(fields: Mapping[str, str]) -> bool:
    return any(map(str.isdigit, fields.get("quantity", "")))


def _misfit(cells: Sequence[str], header: Header) -> BadCell | None:
    """Why a row does not fit its header: fewer cells, or cells behind the last column."""
    width = header.width
    if len(cells) >= width and not any(cells[width:]):
        return None
    count = max(place + 1 for place, cell in enumerate(cells) if cell)
    hint = "a comma inside a cell needs double quotes around it; a file that ends here was cut"
    reason = f"{count if count > width else len(cells)} cells where the header has {width}"
    return BadCell(reason, code="cells", hint=hint)


def calendar_day(parts: Mapping[str, str]) -> date:
    """A date of the groups y, m, d, a month also by its first three letters; may raise ValueError.

    >>> calendar_day({"y": "2026", "m": "Jan", "d": "9"})
    datetime.date(2026, 1, 9)
    """
    month = parts["m"].lower()
    number = MONTHS.index(month[:3]) + 1 if month.isalpha() else int(month)
    return date(int(parts["y"]), number, int(parts["d"]))
