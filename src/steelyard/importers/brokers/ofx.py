"""OFX and QFX, statements of investments, as SGML or XML through ofxtools (extra `ofx`).

Positions where the file lists them (INVPOSLIST), else its transactions folded (`ofx_trades.py`).
Names and tickers stand in SECLIST under CUSIPs or ISINs; bonds are quoted per 100 of par, options
per share of a contract. The tree of ofxtools is read, not its models: those refuse a whole file for
any field that a bank writes in its own way.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from steelyard.canonical import plain
from steelyard.errors import InputError, RejectedRow
from steelyard.importers import values
from steelyard.importers.bonds import bond_multiplier
from steelyard.importers.fold import BEGIN, Entry, fold
from steelyard.importers.ofx.security import Securities, day, number, unit_of
from steelyard.importers.ofx.trades import DATES, JOURNALS, TRANSACTIONS, Transaction, entry_of
from steelyard.importers.ofx.tree import Tree, is_ofx, text_of
from steelyard.importers.registry import Importer
from steelyard.importers.statement import Balance, Passed, Position, Source, Statement
from steelyard.importers.values import NOTHING, BadCell, shown
from steelyard.notices import Notice

TITLE = "OFX statement"
KINDS = {
    "POSSTOCK": "",
    "POSMF": "MUTUALFUND",
    "POSDEBT": "BOND",
    "POSOPT": "OPTION",
    "POSOTHER": "OTHER",
}
"""A stock may be a fund that is traded like one."""
BANK = ("STMTRS", "CCSTMTRS")
"""Statements of bank accounts and of cards."""
NOT_FOLDED = ("BUYOPT", "SELLOPT", "CLOSUREOPT")
"""Known, so that their lines can be named."""
NO_CASH = Notice(
    code="cash_unknown",
    message=(
        "Cash is not known: the statement has no INVBAL. No cash was read. Add CASH:CUR rows of "
        "your own."
    ),
    head=True,
)


@dataclass
class Reading:
    """What has been read of the statements of a file."""

    file: str
    lines: Mapping[ET.Element, int]
    securities: Securities
    positions: list[Position] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    guessed: list[Notice] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    bases: set[str] = field(default_factory=set)
    complete: bool = True


def read(source: Source) -> Statement:
    """Positions and cash of every investment account in the file."""
    tree = Tree(source)
    statements = list(tree.root.iter("INVSTMTRS"))
    if not statements:
        raise _no_investments(tree)
    lines = tree.lines((*KINDS, *TRANSACTIONS, *JOURNALS, *NOT_FOLDED, "INVBAL"))
    reading = Reading(source.name, lines, Securities(tree.root))
    for statement in statements:
        _read_statement(reading, statement)
    reading.guessed.extend(reading.securities.notices())
    return Statement(
        file=source.name,
        form=TITLE,
        as_of=max(reading.days, default=None),
        positions=tuple(reading.positions),
        balances=tuple(reading.balances) if reading.complete else (),
        passed=tuple(reading.passed),
        guessed=tuple(reading.guessed),
        rejected=tuple(sorted(reading.rejected, key=lambda row: row.line)),
        base=reading.bases.pop() if len(reading.bases) == 1 else "",
        complete=reading.complete,
    )


def _no_investments(tree: Tree) -> InputError:
    """What else the file may be."""
    bank = any(next(tree.root.iter(tag), None) is not None for tag in BANK)
    what = "is the statement of a bank account or card" if bank else "has no investment statement"
    hint = "Download the file of the investment account."
    return InputError(
        f"{tree.file} {what}: it lists no holdings. {NOTHING} {hint}",
        code="no_holdings",
        place=tree.file,
        hint=hint,
    )


def _read_statement(reading: Reading, statement: ET.Element) -> None:
    """One account: positions, else transactions; cash; the day."""
    account = text_of(statement, "INVACCTFROM/ACCTID")
    try:
        currency = values.currency(text_of(statement, "CURDEF"), "CURDEF")
        as_of = day(text_of(statement, "DTASOF"), "DTASOF")
    except BadCell as error:
        raise InputError(
            f"{reading.file}: {error}. {NOTHING} Download the file again.",
            code=error.code,
            place=reading.file,
            value=error.value,
        ) from error
    reading.bases.add(currency)
    listed, balance = statement.find("INVPOSLIST"), statement.find("INVBAL")
    if as_of and (listed is not None or balance is not None):
        reading.days.append(as_of)
    if listed is not None:
        for element in listed:
            _add_position(reading, element, account, currency)
        reading.complete &= balance is not None
        reading.guessed += [] if balance is not None else [NO_CASH]
    else:
        _fold(reading, statement, account, currency)
    if balance is not None:
        _add_balance(reading, balance, account, currency)


def _add_position(reading: Reading, element: ET.Element, account: str, currency: str) -> None:
    line = reading.lines.get(element, 0)
    try:
        if element.tag not in KINDS:
            raise BadCell(f"{shown(element.tag)} is no kind of position", code="unknown_kind")
        reading.positions.append(_position(reading, element, line, (account, currency)))
    except BadCell as error:
        reading.rejected.append(error.row(reading.file, line))


def _position(reading: Reading, element: ET.Element, line: int, owner: tuple[str, str]) -> Position:
    """One position, of an (account, currency); raises BadCell."""
    row = element.find("INVPOS")
    security = reading.securities.of(row)
    kind, quantity = KINDS[element.tag], _quantity(row)
    price, value = number(row, "UNITPRICE"), number(row, "MKTVAL")
    multiplier = security.shares_per_contract if kind == "OPTION" else None
    if kind == "BOND":
        multiplier = bond_multiplier(quantity, price, value, None)
    return Position(
        line=line,
        symbol=security.symbol,
        quantity=quantity,
        currency=unit_of(row, owner[1]),
        price=price,
        price_on=day(text_of(row, "DTPRICEASOF"), "DTPRICEASOF"),
        multiplier=multiplier,
        product_type=kind,
        name=security.name,
        isin=security.isin,
        average_cost=number(row, "AVGCOSTBASIS"),
        account=owner[0],
        value=value,
    )


def _quantity(row: ET.Element | None) -> Decimal:
    """Units, negative for a short position whichever way the bank signs it."""
    units, side = number(row, "UNITS"), text_of(row, "POSTYPE").upper()
    if units is None:
        raise BadCell("UNITS is missing", code="missing", column="UNITS")
    if side not in {"LONG", "SHORT"}:
        reason = f"POSTYPE {shown(side)} is neither LONG nor SHORT"
        raise BadCell(reason, code="bad_cell", column="POSTYPE", value=side)
    if side == "LONG" and units < 0:
        reason = f"POSTYPE LONG with {plain(units)} units: long or short?"
        raise BadCell(reason, code="two_readings", column="POSTYPE", value=plain(units))
    return -abs(units) if side == "SHORT" else units


def _add_balance(reading: Reading, balance: ET.Element, account: str, currency: str) -> None:
    """Available cash; a balance on margin is not part of it, and is said."""
    line = reading.lines.get(balance, 0)
    try:
        cash, margin = number(balance, "AVAILCASH"), number(balance, "MARGINBALANCE")
        if cash is None:
            raise BadCell("AVAILCASH is missing", code="missing", column="AVAILCASH")
    except BadCell as error:
        reading.rejected.append(error.row(reading.file, line))
        return
    reading.balances.append(
        Balance(line=line, currency=currency, amount=cash, account=account, label="AVAILCASH")
    )
    if margin:
        message = (
            f"A margin balance of {plain(margin)} {currency} on line {line} was not counted as "
            "cash; add a CASH row where it is."
        )
        reading.guessed.append(Notice(code="margin_balance", message=message, head=True))


def _fold(reading: Reading, statement: ET.Element, account: str, currency: str) -> None:
    """An account without a list of positions: its transactions folded."""
    listed, balance = statement.find("INVTRANLIST"), statement.find("INVBAL")
    if listed is None and balance is None:
        hint = "Download positions, or all transactions since the account was opened."
        raise InputError(
            f"{reading.file} has neither INVPOSLIST nor INVTRANLIST. {NOTHING} {hint}",
            code="no_holdings",
            place=reading.file,
            hint=hint,
        )
    elements = [] if listed is None else [item for item in listed if item.tag not in DATES]
    folded = fold(_entries(reading, elements, account, currency), reading.file)
    reading.positions.extend(folded.positions)
    reading.rejected.extend(folded.rejected)
    if folded.as_of:
        reading.days.append(folded.as_of)
        message = (
            "Holdings are what the transactions add up to; what was bought before is not in "
            f"them: {BEGIN}."
        )
        reading.guessed.append(Notice(code="folded", message=message, head=True))
    if balance is not None:
        return
    reading.complete &= folded.whole
    if folded.whole:
        reading.balances.extend(folded.balances)
    else:
        reading.guessed.append(folded.cash_unknown)


def _entries(
    reading: Reading, elements: Sequence[ET.Element], account: str, currency: str
) -> Iterator[Entry]:
    """What each transaction moves; the others are rejected by line, or passed over."""
    lines = dict[str, int]()
    for element in elements:
        line = reading.lines.get(element, 0)
        try:
            fitid = next((id_of.text or "" for id_of in element.iter("FITID")), "")
            if fitid and lines.setdefault(fitid, line) != line:
                reason = f"FITID {shown(fitid)} stands on line {lines[fitid]} already"
                raise BadCell(reason, code="twice", column="FITID", value=fitid)
            entry = entry_of(Transaction(element, line, account, currency, reading.securities))
        except BadCell as error:
            reading.rejected.append(error.row(reading.file, line))
            continue
        if entry:
            yield entry
        else:
            reading.passed.append(Passed(line, "move inside the account"))


IMPORTER = Importer(name="ofx", title=TITLE, recognises=is_ofx, read=read, extra="ofx")
