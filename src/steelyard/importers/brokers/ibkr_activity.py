"""Interactive Brokers, activity statement as CSV: many tables in one file.

Column 1 names the section, column 2 says what the row is: Header, Data, SubTotal, Total, Notes. A
section may have several headers; a file may hold the statements of several accounts. Read are the
sections in English; in another language the file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from steelyard.errors import InputError, RejectedRow
from steelyard.importers import values
from steelyard.importers.amounts import amount
from steelyard.importers.brokers.ibkr import NO_CASH, Ending, Open, balances, positions
from steelyard.importers.reading import split
from steelyard.importers.registry import Importer
from steelyard.importers.statement import Passed, Source, Statement
from steelyard.importers.values import NOTHING, BadCell, shown
from steelyard.notices import Notice

TITLE = "IBKR activity statement"
OPEN, CASH, ACCOUNT = "Open Positions", "Cash Report", "Account Information"
TRADES = "Trades"
INFO = "Financial Instrument Information"
SECTIONS = ("Statement", ACCOUNT, OPEN, CASH, INFO)
FIRST = re.compile(r"\s*\"?[^\",\n]{1,60}\"?,\"?Header\"?,")
DATA = re.compile(r"^\"?[^\",\n]{1,60}\"?,\"?Data\"?,", re.MULTILINE)
DAY = re.compile(r"([A-Z][a-z]+) ([0-9]{1,2}), ([0-9]{4})")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
BASE_SUMMARY = "Base Currency Summary"
CASH_ROWS = ("Ending Cash", "Ending Settled Cash")
REQUIRED = {
    OPEN: ("Asset Category", "Currency", "Symbol", "Quantity", "Close Price"),
    CASH: ("Currency Summary", "Currency", "Total"),
}
LANGUAGE = "Set the language to English in the settings of the statement and export it again."


@dataclass(frozen=True, slots=True)
class Line:
    """A data row of a section, by the header above it."""

    number: int
    section: str
    account: str
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """The cell of a column, empty where the section has no such column."""
        return self.cells.get(column, "")


@dataclass
class Reading:
    """What has been read of a file so far."""

    file: str
    accounts: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    last: str = ""
    traded: bool = False


def recognises(source: Source) -> bool:
    """Rows that begin with a section and the word Header, then the word Data."""
    return bool(FIRST.match(source.head) and DATA.search(source.head))


def read(source: Source) -> Statement:
    """Open positions with their lots, ending cash, the day and the base currency."""
    reading = _lines(source)
    _check(reading)
    as_of = _as_of(reading)
    infos = _infos(reading)
    rows = [row for line in reading.lines if (row := _open(line, infos, reading))]
    endings = _endings(reading)
    holdings, rejected = positions(rows, source.name)
    cash, guessed = balances(endings, as_of)
    bases = {line.get("Field Value") for line in _bases(reading)}
    has_cash = bool(endings)
    return Statement(
        file=source.name,
        form=TITLE,
        as_of=as_of,
        positions=holdings,
        balances=cash,
        passed=tuple(reading.passed),
        guessed=tuple(_notices(reading, guessed, has_cash)),
        rejected=tuple(sorted((*reading.rejected, *rejected), key=lambda row: row.line)),
        base=bases.pop() if len(bases) == 1 else "",
        complete=has_cash,
    )


def _notices(reading: Reading, guessed: Iterable[Notice], has_cash: bool) -> Iterator[Notice]:
    """What was decided, what is not known, and an end where no statement ends."""
    yield from guessed
    if not has_cash:
        yield NO_CASH
    if reading.last in REQUIRED:
        message = (
            f"The file ends inside {reading.last}, where a whole statement goes on: rows may be "
            "missing. If any is, export the statement again."
        )
        yield Notice(code="may_be_cut", message=message, head=True)


def _lines(source: Source) -> Reading:
    """The data rows of the sections that are read, each under its header and account."""
    reading, header, account = Reading(source.name), dict[str, list[str]](), ""
    for number, cells in split(source.text, source.name):
        section, word, rest = cells[0], (cells[1:2] or [""])[0], cells[2:]
        reading.last = section
        reading.traded |= section == TRADES and word == "Data"
        if section not in SECTIONS:
            continue
        if word == "Header":
            header[section] = rest
        elif word in {"SubTotal", "Total"}:
            reading.passed.append(Passed(number, "total"))
        elif word == "Data":
            columns = _fitting(reading, number, section, header.get(section), rest)
            if columns is None:
                continue
            if section == ACCOUNT and columns.get("Field Name") == "Account":
                account = columns.get("Field Value", "").partition(" (")[0]
            name = columns.get("Account", "") if section in REQUIRED else ""
            reading.lines.append(Line(number, section, name or account, columns))
        elif section in REQUIRED and word != "Notes":
            reason = f"{shown(word)} is no kind of row; a row is Header, Data, SubTotal or Total"
            reading.rejected.append(RejectedRow(source.name, number, reason, "bad_row", value=word))
    return reading


def _fitting(
    reading: Reading, number: int, section: str, header: list[str] | None, cells: list[str]
) -> dict[str, str] | None:
    """Cells by column; a row that does not fit its header is rejected."""
    if header is None:
        reason = f"{section} has no Header row above this one"
    elif any(cells[len(header) :]):
        reason = f"{len(cells)} cells where the header of {section} has {len(header)}"
    else:
        return {name: cell for name, cell in zip(header, cells, strict=False) if name}
    if section in REQUIRED:
        reading.rejected.append(RejectedRow(reading.file, number, reason, "bad_row"))
    return None


def _check(reading: Reading) -> None:
    """Raise InputError for a file without the sections and columns that are read."""
    sections = {line.section for line in reading.lines}
    file = reading.file
    if not sections.intersection((OPEN, CASH)) and not reading.rejected:
        if sections.intersection(("Statement", ACCOUNT)) and any(
            line.get("Field Name") for line in reading.lines
        ):
            reason = f"{file} has neither a section {OPEN} nor a section {CASH}"
            hint = "Export an Activity Statement with both."
        else:
            reason = f"{file} is an activity statement without the sections {OPEN} and {CASH}"
            reason, hint = f"{reason} in English", LANGUAGE
        raise InputError(f"{reason}. {NOTHING} {hint}", code="no_section", place=file, hint=hint)
    if reading.traded and OPEN not in sections:
        hint = "Export an Activity Statement with both sections."
        reason = f"{file} has {TRADES} and no {OPEN}: what is owned is not in it"
        raise InputError(f"{reason}. {NOTHING} {hint}", code="no_positions", place=file, hint=hint)
    for line in reading.lines:
        missing = [name for name in REQUIRED.get(line.section, ()) if name not in line.cells]
        if missing:
            columns = " and no column ".join(missing)
            reason = f"{file} line {line.number}: {line.section} has no column {columns}"
            raise InputError(
                f"{reason}. {NOTHING} {LANGUAGE}",
                code="no_column",
                place=f"{file} line {line.number}",
                value=missing[0],
                hint=LANGUAGE,
            )


def _named(reading: Reading, section: str, name: str) -> Iterator[Line]:
    """The rows of a section of fields that have a name."""
    for line in reading.lines:
        if line.section == section and line.get("Field Name") == name:
            yield line


def _as_of(reading: Reading) -> date | None:
    """The last day of the period; None where the file has none. Raises for another language."""
    days = [_last_day(line, reading.file) for line in _named(reading, "Statement", "Period")]
    if len(set(days)) > 1:
        named = " and ".join(str(day) for day in sorted(set(days)))
        reason = f"{reading.file} holds statements of several days ({named})"
        hint = "Give the statements of one day."
        raise InputError(f"{reason}. {NOTHING} {hint}", code="several_days", place=reading.file)
    return days[0] if days else None


def _last_day(line: Line, file: str) -> date:
    """`January 9, 2026`, or the end of `January 1, 2025 - December 31, 2025`."""
    text = line.get("Field Value")
    match = DAY.fullmatch(text.rpartition(" - ")[2])
    if match and match[1] in MONTHS:
        first = date(max(int(match[3]), 1), MONTHS.index(match[1]) + 1, 1)
        day = first + timedelta(days=int(match[2]) - 1)
        if day.month == first.month:
            return day
    reason = f"{file} line {line.number}: the period {shown(text)} is not read"
    raise InputError(
        f"{reason}; it reads like January 9, 2026. {NOTHING} {LANGUAGE}",
        code="bad_period",
        place=f"{file} line {line.number}",
        value=text,
        hint=LANGUAGE,
    )


def _infos(reading: Reading) -> dict[str, Line | None]:
    """What is known of each symbol; nothing of a symbol that two securities have."""
    infos = dict[str, Line | None]()
    for line in reading.lines:
        for name in line.get("Symbol").split(",") if line.section == INFO else ():
            other = infos.setdefault(name.strip(), line)
            if other and other.get("Security ID") != line.get("Security ID"):
                infos[name.strip()] = None
    return infos


def _open(line: Line, infos: Mapping[str, Line | None], reading: Reading) -> Open | None:
    """One row of open positions; None for other rows and for those that are rejected."""
    if line.section != OPEN:
        return None
    try:
        return _row(line, infos.get(line.get("Symbol")))
    except BadCell as error:
        reading.rejected.append(error.row(reading.file, line.number))
        return None


def _row(line: Line, info: Line | None) -> Open:
    """A row with its numbers read; raises BadCell."""
    word = line.get("DataDiscriminator")
    if word not in {"Summary", "Lot", ""}:
        reason = f"{shown(word)} is neither Summary nor Lot"
        raise BadCell(reason, code="bad_row", column="DataDiscriminator", value=word)
    quantity = amount(line.get("Quantity"), "Quantity")
    if quantity is None:
        raise BadCell("Quantity is missing", code="missing", column="Quantity")
    opened = line.get("Open").partition(",")[0]
    return Open(
        line=line.number,
        account=line.account,
        lot=word == "Lot",
        kind=line.get("Asset Category"),
        sort=info.get("Type") if info else "",
        currency=line.get("Currency"),
        symbol=line.get("Symbol"),
        isin=info.get("Security ID") if info else "",
        name=info.get("Description") if info else "",
        quantity=quantity,
        multiplier=_number(line, "Mult") or (_number(info, "Multiplier") if info else None),
        price=_number(line, "Close Price"),
        cost=_number(line, "Cost Price"),
        value=_number(line, "Value"),
        opened=values.day(opened, "Open") if opened not in {"", "-"} else None,
    )


def _number(line: Line, column: str) -> Decimal | None:
    return amount(line.get(column), column)


def _endings(reading: Reading) -> list[Ending]:
    """Ending cash of every account and currency; the summary in the base currency is their sum,
    and the only row there is of an account in one currency.
    """
    lines = dict[tuple[str, str], dict[str, Line]]()
    ends = [line for line in reading.lines if line.section == CASH and _word(line) in CASH_ROWS]
    several = {line.account for line in ends if line.get("Currency") != BASE_SUMMARY}
    bases = {line.account: line.get("Field Value") for line in _bases(reading)}
    for line in ends:
        summary = line.get("Currency") == BASE_SUMMARY
        if not (summary and line.account in several):
            word = _word(line)
            currency = bases.get(line.account, "") if summary else line.get("Currency")
            per_currency = lines.setdefault((line.account, currency), {})
            if word in per_currency:
                before = per_currency[word].number
                reason = f"{word} of {shown(line.get('Currency'))} stands on line {before} already"
                row = RejectedRow(reading.file, line.number, reason, "twice", "Currency")
                reading.rejected.append(row)
            per_currency.setdefault(word, line)
    return [
        ending
        for (account, currency), rows in lines.items()
        if (ending := _ending(account, currency, rows, reading))
    ]


def _word(line: Line) -> str:
    return line.get("Currency Summary")


def _bases(reading: Reading) -> Iterator[Line]:
    return _named(reading, ACCOUNT, "Base Currency")


def _ending(
    account: str, currency: str, rows: Mapping[str, Line], reading: Reading
) -> Ending | None:
    """One currency; where only the settled part stands, it is all there is."""
    line = next(iter(rows.values()))
    try:
        whole, settled = (
            _number(rows[word], "Total") if word in rows else None for word in CASH_ROWS
        )
        total = settled if whole is None else whole
        if total is None:
            raise BadCell("Total is missing", code="missing", column="Total")
        name = values.currency(currency, "Currency")
        return Ending(
            line=line.number, account=account, currency=name, amount=total, settled=settled
        )
    except BadCell as error:
        reading.rejected.append(error.row(reading.file, line.number))
        return None


IMPORTER = Importer(name="ibkr-activity", title=TITLE, recognises=recognises, read=read)
