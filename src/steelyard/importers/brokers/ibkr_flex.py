"""Interactive Brokers, Flex queries as XML or CSV: open positions with their lots, and cash.

XML goes through ibflex (extra `ibkr`), which is given the sections and fields that are read here
and nothing else: its lists of fields and words lag behind what the broker adds. What has a document
type or entities is refused before it is parsed. CSV may hold several sections with their headers.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any

from steelyard.errors import InputError, LimitExceeded, RejectedRow, one_line
from steelyard.importers import values
from steelyard.importers.amounts import amount
from steelyard.importers.brokers.ibkr import NO_CASH, Ending, Open, balances, positions
from steelyard.importers.brokers.ibkr_trades import COLUMNS as TRADED
from steelyard.importers.brokers.ibkr_trades import TRADE, Line, folded
from steelyard.importers.reading import split
from steelyard.importers.registry import Importer
from steelyard.importers.statement import Passed, Source, Statement
from steelyard.importers.values import NOTHING, BadCell, shown

TITLE = "IBKR Flex query"
MOST_CHARACTERS = 32 * 1024 * 1024
"""Largest XML that is parsed: its tree takes some ten times as much memory."""
UNSAFE = ("<!DOCTYPE", "<!ENTITY")
MESSAGE_CHARACTERS = 200
DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[;, T].*)?")
DATES = ("reportDate", "toDate", "openDateTime")
NUMBERS = (
    "position",
    "multiplier",
    "markPrice",
    "costBasisPrice",
    "positionValue",
    "endingCash",
    "endingSettledCash",
)
WORDS = (
    "accountId",
    "assetCategory",
    "subCategory",
    "currency",
    "symbol",
    "isin",
    "description",
    "levelOfDetail",
    "side",
)
CODES = ("assetCategory", "currency", "levelOfDetail", "side")
LONGEST_CODE = 20
FIELDS = frozenset((*DATES, *NUMBERS, *WORDS))
COLUMNS = {
    "ClientAccountID": "accountId",
    "CurrencyPrimary": "currency",
    "AssetClass": "assetCategory",
    "SubCategory": "subCategory",
    "Symbol": "symbol",
    "ISIN": "isin",
    "Description": "description",
    "ReportDate": "reportDate",
    "ToDate": "toDate",
    "Quantity": "position",
    "Multiplier": "multiplier",
    "MarkPrice": "markPrice",
    "CostBasisPrice": "costBasisPrice",
    "PositionValue": "positionValue",
    "LevelOfDetail": "levelOfDetail",
    "OpenDateTime": "openDateTime",
    "Side": "side",
    "EndingCash": "endingCash",
    "EndingSettledCash": "endingSettledCash",
}
"""Column of the CSV -> attribute of the XML."""
OPEN, ENDING = "OpenPosition", "CashReportCurrency"
ROWS = {OPEN: "OpenPositions", ENDING: "CashReport"}
"""Element -> the section of the statement in which it stands."""
MOVES = {"Trade": "Trades", "CorporateAction": "CorporateActions", "Transfer": "Transfers"}
"""Elements that move shares -> their section."""
POSITION = frozenset(("symbol", "position", "markPrice", "currency"))
CASH = frozenset(("currency", "endingCash"))
"""Fields by which a section of the CSV is recognised."""
RECORDS = frozenset(("BOF", "BOA", "BOS", "EOS", "EOA", "EOF"))
"""What the lines that frame files, accounts and sections begin with."""
BASE = "BASE_SUMMARY"
FORMAT = "Choose the date format yyyy-MM-dd in the settings of the query and run it again."
ADD = "Add the section Open Positions (and Cash Report) to the query and run it again."


Words = Mapping[str, str]
Numbers = Mapping[str, Decimal | None]
Days = Mapping[str, date | None]
Record = tuple[Words, Numbers, Days]
"""A row of either form by the names of the XML."""


@dataclass
class Query:
    """What a query holds, in the order of the file.

    sections   how many of those that are read it has
    listed     is open positions among them?
    traded     has it trades?
    """

    file: str
    opens: list[Open] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    bases: set[str] = field(default_factory=set)
    sections: int = 0
    listed: bool = False
    traded: bool = False
    others: list[Line] = field(default_factory=list)


def recognises(source: Source) -> bool:
    """The root element of Flex, or a header with the names that Flex gives columns."""
    if "<FlexQueryResponse" in source.head:
        return True
    lines = source.head.replace('"', "").splitlines()[:4]
    return any(_is_header(_cells(line), first=True) for line in lines)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]


def read(source: Source) -> Statement:
    """Positions, lots and cash of the last day that each account has."""
    query = _of_xml(source) if source.text.lstrip().startswith("<") else _of_csv(source)
    if not query.sections and any("buySell" in cells for _, cells in query.others):
        return folded(query.others, source.name, TITLE, query.rejected)
    if query.traded and not query.listed:
        reason = f"{source.name} has trades and no open positions: what is owned is not in it"
        raise InputError(
            f"{reason}. {NOTHING} {ADD}", code="no_positions", place=source.name, hint=ADD
        )
    if not query.sections and not query.rejected:
        reason = f"{source.name} has neither open positions nor a cash report"
        raise InputError(
            f"{reason}. {NOTHING} {ADD}", code="no_section", place=source.name, hint=ADD
        )
    days = _last_days(query)
    opens = [row for row in query.opens if row.price_on == days[row.account]]
    endings = [row for row in query.endings if row.on == days[row.account]]
    older = [row.line for row in query.opens if row.price_on != days[row.account]]
    older += [row.line for row in query.endings if row.on != days[row.account]]
    holdings, rejected = positions(opens, source.name)
    as_of = max((day for day in days.values() if day), default=None)
    cash, guessed = balances(endings, as_of)
    return Statement(
        file=source.name,
        form=TITLE,
        as_of=as_of,
        positions=holdings,
        balances=cash,
        passed=(*query.passed, *(Passed(line, "row of an earlier day") for line in older)),
        guessed=guessed if endings else (*guessed, NO_CASH),
        rejected=tuple(sorted((*query.rejected, *rejected), key=lambda row: row.line)),
        base=query.bases.pop() if len(query.bases) == 1 else "",
        complete=bool(endings),
    )


def _last_days(query: Query) -> dict[str, date | None]:
    """The last day on which each account reports; None where it has rows without a day."""
    days = dict[str, date | None]()
    for account, day in [(row.account, row.price_on) for row in query.opens] + [
        (row.account, row.on) for row in query.endings
    ]:
        before = days.setdefault(account, day)
        days[account] = max(day, before) if day and before else day or before
    return days


def _of_csv(source: Source) -> Query:
    """Rows under the header of their section; a section that is not read is passed over."""
    query, header, names = Query(source.name), list[str](), list[str]()
    for line, cells in split(source.text, source.name):
        if cells[0] in RECORDS:
            query.passed.append(Passed(line, "record"))
            continue
        row = cells[2:] if cells[0] in {"HEADER", "DATA"} else cells
        if cells[0] == "HEADER" or _is_header(row, first=not header):
            names = [TRADED.get(name, "") for name in row]
            header = [COLUMNS.get(name, "") for name in row]
            query.sections += _is_read(header)
            query.listed |= POSITION.issubset(header)
            query.traded |= TRADE.issubset(names)
        else:
            _add(query, line, header, row)
            _add_other(query, line, header, names, row)
    return query


def _is_header(row: Sequence[str], *, first: bool) -> bool:
    """Names of columns; a later section is known by the names that every section begins with."""
    return (
        {"ClientAccountID", "CurrencyPrimary"} <= {*row}
        or (first and {"Symbol", "CurrencyPrimary"} <= {*row})
        or {"Buy/Sell", "TradeDate", "CurrencyPrimary"} <= {*row}
    )


def _is_read(header: Sequence[str]) -> bool:
    return POSITION.issubset(header) or CASH.issubset(header)


def _add(query: Query, line: int, header: Sequence[str], row: Sequence[str]) -> None:
    """A row of positions or cash to the query; of another section, it is passed over."""
    if not _is_read(header):
        query.passed.append(Passed(line, "row of another section"))
        return
    try:
        if len(row) != len(header):
            reason = f"{len(row)} cells where the header has {len(header)}"
            raise BadCell(reason, code="bad_row")
        cells = dict.fromkeys(FIELDS, "") | dict(zip(header, row, strict=True))
        numbers = {name: amount(cells[name], name) for name in NUMBERS}
        days = {name: _day(cells[name], name) for name in DATES}
        _add_record(
            query, line, OPEN if POSITION.issubset(header) else ENDING, (cells, numbers, days)
        )
    except BadCell as error:
        query.rejected.append(error.row(query.file, line))


def _add_other(
    query: Query, line: int, header: Sequence[str], names: Sequence[str], row: Sequence[str]
) -> None:
    """A trade, or another row with a quantity: what is folded where no position is stated."""
    if _is_read(header) or "quantity" not in names:
        return
    if len(row) == len(names):
        query.others.append((line, dict(zip(names, row, strict=True))))
    elif not query.sections and TRADE.issubset(names):
        cell = BadCell(f"{len(row)} cells where the header has {len(names)}", code="bad_row")
        query.rejected.append(cell.row(query.file, line))


def _add_record(query: Query, line: int, tag: str, record: Record) -> None:
    """A row as the XML names its fields; raises BadCell."""
    if tag == OPEN:
        query.opens.append(_open(line, *record))
    elif record[0]["currency"] != BASE:
        query.endings.append(_ending(line, *record))


def _day(text: str, column: str) -> date | None:
    """A day as 2026-01-09 or 20260109; with slashes it could be the 3rd of April or March 4th."""
    if text in {"", "-", "--", "N/A", "MULTI"}:
        return None
    match = DAY.fullmatch(text)
    if not match:
        reason = f"{column} {shown(text)} is not a date like 2026-01-09"
        raise BadCell(
            f"{reason}. {FORMAT}", code="bad_date", column=column, value=text, hint=FORMAT
        )
    return values.day("-".join(match.group(1, 2, 3)), column)


def _open(line: int, fields: Words, numbers: Numbers, days: Days) -> Open:
    """A position or a lot; raises BadCell for one without a quantity or on another side."""
    quantity, level = numbers["position"], fields["levelOfDetail"].upper()
    if quantity is None:
        raise BadCell("position is missing", code="missing", column="position")
    if level not in {"SUMMARY", "LOT", ""}:
        reason = f"levelOfDetail {shown(level)} is neither SUMMARY nor LOT"
        raise BadCell(reason, code="bad_row", column="levelOfDetail", value=level)
    side = fields["side"].upper()
    if side in {"LONG", "SHORT"} and quantity and (side == "SHORT") != (quantity < 0):
        reason = f"side {side} with a position of {quantity}: long or short?"
        raise BadCell(reason, code="two_readings", column="side", value=side)
    return Open(
        line=line,
        account=fields["accountId"],
        lot=level == "LOT",
        kind=fields["assetCategory"],
        sort=fields["subCategory"],
        currency=fields["currency"],
        symbol=fields["symbol"],
        isin=fields["isin"],
        name=fields["description"],
        quantity=quantity,
        multiplier=numbers["multiplier"],
        price=numbers["markPrice"],
        cost=numbers["costBasisPrice"],
        value=numbers["positionValue"],
        opened=days["openDateTime"],
        price_on=days["reportDate"],
    )


def _ending(line: int, fields: Words, numbers: Numbers, days: Days) -> Ending:
    """Cash of a currency; raises BadCell for a row without it."""
    whole = numbers["endingCash"]
    if whole is None:
        raise BadCell("endingCash is missing", code="missing", column="endingCash")
    return Ending(
        line=line,
        account=fields["accountId"],
        currency=values.currency(fields["currency"]),
        amount=whole,
        settled=numbers["endingSettledCash"],
        on=days["toDate"] or days["reportDate"],
    )


def _of_xml(source: Source) -> Query:
    """The rows of the sections that are read, typed by ibflex."""
    ibflex = _ibflex()
    query, root = Query(source.name), _tree(source)
    _check_sections(root, source.name)
    lines = {tag: _lines(source.text, tag) for tag in ROWS}
    for statement in root.iter("FlexStatement"):
        query.sections += sum(statement.find(name) is not None for name in ROWS.values())
        query.listed |= statement.find(ROWS[OPEN]) is not None
        query.traded |= statement.find("Trades/Trade") is not None
        query.bases.update(
            base for info in statement.iter("AccountInformation") if (base := info.get("currency"))
        )
        whole = {name: statement.get(name, "") for name in ("accountId", "toDate")}
        for tag, section in ROWS.items():
            for element in statement.iterfind(f"{section}/{tag}"):
                line = next(lines[tag], 0)
                try:
                    _add_typed(query, line, ibflex, tag, whole | element.attrib)
                except BadCell as error:
                    query.rejected.append(error.row(source.name, line))
    _add_others(query, root, source.text)
    return query


def _check_sections(root: ET.Element, file: str) -> None:
    """Raise InputError for a row that stands outside its section: it would be passed over."""
    for tag, section in {**ROWS, **MOVES}.items():
        inside = sum(1 for _ in root.iterfind(f".//{section}/{tag}"))
        if inside != sum(1 for _ in root.iter(tag)):
            hint = "Run the query again."
            raise InputError(
                f"{file} has a row {tag} outside {section}: it is not as Interactive Brokers "
                f"writes it. {NOTHING} {hint}",
                code="row_outside",
                place=file,
                value=tag,
                limit=section,
                hint=hint,
            )


def _add_others(query: Query, root: ET.Element, text: str) -> None:
    """Trades and other rows that move shares, for where no position is stated."""
    for tag, section in MOVES.items():
        lines = _lines(text, tag)
        for statement in root.iter("FlexStatement"):
            whole = {"accountId": statement.get("accountId", "")}
            for element in statement.iterfind(f"{section}/{tag}"):
                query.others.append((next(lines, 0), whole | element.attrib))


def _ibflex() -> Any:
    """The parser of ibflex; raises InputError where it is not installed."""
    try:
        return import_module("ibflex.parser")
    except ImportError as error:
        hint = "pip install 'ibflex[web]>=1.1,<2', or Steelyard with its extra [ibkr]"
        raise InputError(
            f"Flex queries as XML are read through ibflex, which is not installed. {NOTHING} "
            f"Install it with {hint}, or export the query as CSV.",
            code="missing_extra",
            value="ibflex",
            hint=hint,
        ) from error


def _tree(source: Source) -> ET.Element:
    """The root of a file without document type and entities, and not over the cap."""
    text, file = source.text, source.name
    if len(text) > MOST_CHARACTERS:
        size = f"{file} has {len(text):,} characters; of XML at most {MOST_CHARACTERS:,} are read"
        hint = "Ask the query for open positions and the cash report alone."
        raise LimitExceeded(f"{size}. {NOTHING} {hint}", place=file, value=len(text), hint=hint)
    if any(word in text for word in UNSAFE):
        reason = f"{file} has a document type or entities, which no Flex query has"
        raise InputError(f"{reason}. {NOTHING}", code="unsafe_xml", place=file)
    try:
        return ET.fromstring(text)  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, ValueError) as error:
        reason = f"{file} is not whole XML: {one_line(str(error), MESSAGE_CHARACTERS)}"
        hint = "Export the query again."
        raise InputError(f"{reason}. {NOTHING} {hint}", code="bad_xml", place=file) from error


def _lines(text: str, tag: str) -> Iterator[int]:
    """The line of each element of a name, in the order of the text."""
    line, place = 1, 0
    for match in re.finditer(rf"<{tag}[\s/>]", text):
        line += text.count("\n", place, match.start())
        place = match.start()
        yield line


def _add_typed(query: Query, line: int, ibflex: Any, tag: str, cells: Mapping[str, str]) -> None:
    """A row as ibflex reads it; what it raises is the reason why the line is rejected."""
    usual = getattr(ibflex.Types, tag).__annotations__
    fields = {name: cell for name, cell in cells.items() if name in FIELDS and name in usual}
    for name in DATES:
        if name in fields:
            day = _day(fields[name], name)
            fields[name] = day.isoformat() if day else ""
    if tag == ENDING and fields.get("currency") == BASE:
        return
    _check_cells(fields)
    try:
        record = ibflex.parse_data_element(ET.Element(tag, fields))
    except (ibflex.FlexParserError, ArithmeticError, AttributeError, LookupError, TypeError) as why:
        reason = one_line(str(why), MESSAGE_CHARACTERS)
        raise BadCell(f"ibflex does not read it: {reason}", code="bad_row") from why
    typed = {name: getattr(record, name, None) for name in FIELDS}
    words = {name: "" if typed[name] is None else _word(typed[name]) for name in WORDS}
    numbers = {name: typed[name] for name in NUMBERS}
    days = {name: _date(typed[name]) for name in DATES}
    days["reportDate"] = days["reportDate"] or _day(cells["toDate"], "toDate")
    _add_record(query, line, tag, (words, numbers, days))


def _check_cells(fields: Mapping[str, str]) -> None:
    """Raise BadCell for what ibflex would take for a number, like NaN, or would repeat whole."""
    for name, cell in fields.items():
        if name in NUMBERS:
            amount(cell, name)
        elif name in CODES and len(cell) > LONGEST_CODE:
            reason = f"{name} {shown(cell)} is not known"
            raise BadCell(reason, code="unknown_kind", column=name, value=cell)


def _word(value: Any) -> str:
    """A word; of an enumeration the word of the file."""
    return str(value.value if isinstance(value, Enum) else value)


def _date(value: Any) -> date | None:
    return value.date() if isinstance(value, datetime) else value


IMPORTER = Importer(name="ibkr-flex", title=TITLE, recognises=recognises, read=read, extra="ibkr")
