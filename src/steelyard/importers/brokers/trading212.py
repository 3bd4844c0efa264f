"""Trading 212, history as CSV: transactions of at most a year, folded into holdings and lots.

Columns come and go, so they are read by name. Totals are in the currency of the account, after
fees. What the file does not begin with is not known: a sale of more than was bought is refused,
and cash is read only where the file begins with a deposit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from steelyard.errors import InputError, RejectedRow
from steelyard.importers import values
from steelyard.importers.amounts import amount
from steelyard.importers.fold import BEGIN, Entry, Folded, Kind, fold
from steelyard.importers.options import is_isin
from steelyard.importers.reading import Row, Table, parse_rows, split, table_of
from steelyard.importers.registry import Importer
from steelyard.importers.statement import Passed, Source, Statement
from steelyard.importers.values import NOTHING, BadCell, shown
from steelyard.notices import Notice

TITLE = "Trading 212 history"
SHARES, PRICE, PRICE_UNIT = "no._of_shares", "price_/_share", "currency_(price_/_share)"
TOTAL, TOTAL_UNIT = "total", "currency_(total)"
OLD_TOTAL = re.compile(r"total_\(([a-z]{3})\)")
"""`Total (EUR)`: the currency of the account in the name of the column."""
FROM, TO = "currency_conversion_from_amount", "currency_conversion_to_amount"
TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)")
MICROSECONDS = 6
TRADES = {
    f"{order} {side}": kind
    for order in ("market", "limit", "stop", "stop limit")
    for side, kind in (("buy", Kind.BUY), ("sell", Kind.SELL))
}
MOVES = {
    "transfer in": Kind.IN,
    "transfer out": Kind.OUT,
    "stock distribution": Kind.IN,
}
SPLIT_OPEN, SPLIT_CLOSE = "stock split open", "stock split close"
"""Shares after a split and before it: two rows of one time."""
DEPOSITS = ("deposit", "transfer in")
PAYMENTS = ("withdrawal", "transfer out", "new card cost", "spending", "card debit", "fee")
"""Actions that only ever take cash, with whatever sign."""
RECEIPTS = (
    "deposit",
    "transfer in",
    "dividend",
    "interest on cash",
    "lending interest",
    "share lending interest",
    "spending cashback",
    "result adjustment",
    "card credit",
    "return of capital",
)
"""Actions whose sign counts."""


@dataclass
class History:
    """What has been read so far."""

    file: str
    currency: str = ""
    entries: list[Entry] = field(default_factory=list)
    splits: dict[tuple[datetime, str], dict[str, Row]] = field(default_factory=dict)
    passed: list[Passed] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    rows: dict[tuple[str, ...], int] = field(default_factory=dict)


def recognises(source: Source) -> bool:
    """A header that begins with Action, Time and names shares or a ticker."""
    cells = {cell.strip().strip('"') for cell in source.head.partition("\n")[0].split(",")}
    return {"Action", "Time"} <= cells and bool({"Ticker", "No. of shares", "ISIN"} & cells)


def read(source: Source) -> Statement:
    """What the transactions leave."""
    table = table_of(split(source.text, source.name), source.name, ("action", "time"), (), {})
    history = History(source.name, _old_currency(table))
    rejected = list(parse_rows(table, lambda row: _row(history, row)))
    for (at, _), rows in history.splits.items():
        try:
            history.entries.append(_split(at, rows))
        except BadCell as error:
            rejected.append(error.row(source.name, min(row.line for row in rows.values())))
    folded = fold(history.entries, source.name)
    return _statement(source, history, folded, rejected)


def _statement(
    source: Source, history: History, folded: Folded, rejected: Iterable[RejectedRow]
) -> Statement:
    """The fold, and what must be said of it first."""
    whole = folded.whole and not history.unknown
    notices = list(_notices(history, folded))
    bases = {balance.currency for balance in folded.balances}
    return Statement(
        file=source.name,
        form=TITLE,
        as_of=folded.as_of,
        positions=folded.positions,
        balances=folded.balances if whole else (),
        passed=tuple(history.passed),
        guessed=tuple(notices),
        rejected=tuple(sorted((*rejected, *folded.rejected), key=lambda row: row.line)),
        base=bases.pop() if len(bases) == 1 else "",
        complete=whole,
    )


def _notices(history: History, folded: Folded) -> Iterator[Notice]:
    """What must be said of a fold first: from when to when, and whether cash is known."""
    days = [entry.at.date() for entry in history.entries]
    if days:
        message = (
            f"Holdings are what the transactions from {min(days)} to {max(days)} add up to; "
            f"what was bought before, and a split without rows, is not in them: {BEGIN}."
        )
        yield Notice(code="folded", message=message, head=True)
    if not folded.whole:
        yield folded.cash_unknown
    elif history.unknown:
        names = ", ".join(sorted({*history.unknown}))
        message = (
            f"Cash is not known: rows of actions that are not known ({names}) may move it. "
            "No cash was read. Add CASH:CUR rows of your own."
        )
        yield Notice(code="cash_unknown", message=message, head=True)


def _old_currency(table: Table) -> str:
    """The currency in the name of the column Total, of older files; "" = a column beside it."""
    old = [match[1].upper() for name in table.columns if (match := OLD_TOTAL.fullmatch(name))]
    if len(old) > 1:
        reason = f"{table.file} has totals in {' and '.join(old)}"
        raise InputError(
            f"{reason}. {NOTHING} Keep one of the columns.",
            place=table.file,
            code="several_totals",
            value=" and ".join(old),
            hint="keep one of the columns",
        )
    return (old or [""])[0]


def _row(history: History, row: Row) -> None:
    """One transaction into the history; raises BadCell for one that cannot be used."""
    _once(history, row)
    action, at = row.get("action").lower(), _time(row.get("time"))
    shares = _shares(row)
    if action in {SPLIT_OPEN, SPLIT_CLOSE}:
        rows = history.splits.setdefault((at, row.get("ticker") or row.get("isin")), {})
        if action in rows:
            raise BadCell(f"a second row {shown(action)} of one split", code="twice")
        rows[action] = row
    elif action in TRADES or (action in MOVES and shares):
        kind = TRADES.get(action) or MOVES[action]
        history.entries.append(_trade(history, row, at, kind, shares))
    elif action == "currency conversion":
        history.entries.append(_cash_entry(row, at, _conversion(history, row)))
    elif action.startswith((*PAYMENTS, *RECEIPTS)):
        _add_cash(history, row, at, action)
    elif shares:
        reason = f"action {shown(row.get('action'))} is not known and moves {shares} shares"
        raise BadCell(reason, code="unknown_action", column="action", value=row.get("action"))
    else:
        name = shown(row.get("action"))
        history.passed.append(Passed(row.line, f"row of the unknown action {name}"))
        history.unknown.append(name)


def _once(history: History, row: Row) -> None:
    """Refuse a row that stands there already: two files of overlapping years put together."""
    cells = tuple(row.cells.values())
    line = history.rows.setdefault(cells, row.line)
    if line != row.line and row.get("id"):
        reason = f"this row stands on line {line} already"
        raise BadCell(reason, code="twice", column="id", value=row.get("id"))


def _time(text: str) -> datetime:
    """`2023-01-04 14:30:02`, with or without parts of a second."""
    match = TIME.fullmatch(text)
    if not match:
        reason = f"time {shown(text)} is not like 2023-01-04 14:30:02"
        raise BadCell(reason, code="bad_date", column="time", value=text)
    day = values.day(match[1], "time")
    clock, _, parts = match[2].partition(".")
    try:
        at = datetime.fromisoformat(f"{day} {clock}")
    except ValueError as error:
        raise BadCell(
            f"time {shown(text)} is not a time of the day",
            code="bad_time",
            column="time",
            value=text,
        ) from error
    return at.replace(microsecond=int(parts[:MICROSECONDS].ljust(MICROSECONDS, "0")))


def _shares(row: Row) -> Decimal:
    """Shares of a row, 0 where it moves none."""
    shares = amount(row.get(SHARES), SHARES) or Decimal(0)
    if shares < 0:
        raise BadCell(
            f"{shown(row.get(SHARES))} shares: the action says the direction",
            code="shares_below_zero",
            column=SHARES,
            value=row.get(SHARES),
        )
    return shares


def _trade(history: History, row: Row, at: datetime, kind: Kind, shares: Decimal) -> Entry:
    """A buy, a sale or a transfer of shares, with what it moves of cash."""
    if not shares:
        raise BadCell("a trade without shares", code="missing", column=SHARES)
    cell, trades = row.get(PRICE_UNIT), kind in {Kind.BUY, Kind.SELL}
    # the price of a transfer is that of its day, not what the shares cost
    price = amount(row.get(PRICE), PRICE) if trades else None
    unit = values.unit(cell, PRICE_UNIT) if cell else None
    if price is not None and unit is None:
        raise BadCell(f"{PRICE_UNIT} is missing", code="missing", column=PRICE_UNIT)
    return Entry(
        line=row.line,
        at=at,
        kind=kind,
        symbol=_symbol(row),
        quantity=shares,
        currency=unit.currency if unit else "",
        unit=unit.minor if unit else "",
        price=unit.major(price) if unit and price is not None else None,
        cash=_paid(history, row, kind),
        name=row.get("name"),
        isin=_isin(row),
    )


def _paid(history: History, row: Row, kind: Kind) -> tuple[tuple[str, Decimal], ...]:
    """What a trade does to cash: the total is after fees and has no sign of its own."""
    if kind in {Kind.IN, Kind.OUT}:
        return ()
    currency, total = _total(history, row)
    return ((currency, -abs(total) if kind is Kind.BUY else abs(total)),)


def _total(history: History, row: Row) -> tuple[str, Decimal]:
    """Currency and total of a row; raises BadCell where it has none."""
    old = next((name for name in row.cells if OLD_TOTAL.fullmatch(name)), "")
    total = amount(row.get(old or TOTAL), TOTAL)
    if total is None:
        raise BadCell("total is missing", code="missing", column=TOTAL)
    cell = history.currency if old else row.get(TOTAL_UNIT)
    unit = values.unit(cell, TOTAL_UNIT)
    return unit.currency, unit.major(total)


def _add_cash(history: History, row: Row, at: datetime, action: str) -> None:
    """A row that moves cash alone."""
    currency, total = _total(history, row)
    change = -abs(total) if action.startswith(PAYMENTS) and not _back(action) else total
    opens = action.startswith(DEPOSITS) and change > 0
    history.entries.append(_cash_entry(row, at, ((currency, change),), opens=opens))


def _back(action: str) -> bool:
    """Does it pay back, though it begins like a payment: Spending cashback, a refund?"""
    return any(word in action for word in ("cashback", "refund", "reversal"))


def _cash_entry(
    row: Row, at: datetime, cash: tuple[tuple[str, Decimal], ...], *, opens: bool = False
) -> Entry:
    return Entry(line=row.line, at=at, kind=Kind.CASH, cash=cash, opens=opens)


def _conversion(history: History, row: Row) -> tuple[tuple[str, Decimal], ...]:
    """Both sides of a conversion, else its total; the fee is in what arrives."""
    sides = list[tuple[str, Decimal]]()
    for column, sign in ((FROM, -1), (TO, 1)):
        number = amount(row.get(column), column)
        if number is not None:
            unit = values.unit(row.get(f"currency_({column})"), f"currency_({column})")
            sides.append((unit.currency, sign * abs(unit.major(number))))
    if len(sides) == 1:
        raise BadCell("a conversion with one side", code="missing", column=FROM)
    return tuple(sides) or (_total(history, row),)


def _symbol(row: Row) -> str:
    """The ticker, else the ISIN."""
    return values.symbol(row.get("ticker") or row.get("isin"))


def _isin(row: Row) -> str:
    isin = row.get("isin").upper()
    return isin if is_isin(isin) else ""


def _split(at: datetime, rows: Mapping[str, Row]) -> Entry:
    """A split of its two rows; raises BadCell where one of them is missing."""
    if {*rows} != {SPLIT_OPEN, SPLIT_CLOSE}:
        missing = SPLIT_OPEN if SPLIT_CLOSE in rows else SPLIT_CLOSE
        raise BadCell(
            f"a split has two rows of one time, and {shown(missing)} is missing",
            code="half_a_split",
            value=missing,
        )
    after, before = (_shares(rows[action]) for action in (SPLIT_OPEN, SPLIT_CLOSE))
    if not after or not before:
        raise BadCell("a split without shares", code="missing", column=SHARES)
    row = rows[SPLIT_OPEN]
    unit = row.get(PRICE_UNIT)
    return Entry(
        line=row.line,
        at=at,
        kind=Kind.SPLIT,
        symbol=_symbol(row),
        currency=values.unit(unit, PRICE_UNIT).currency if unit else "",
        ratio=Fraction(after) / Fraction(before),
        before=before,
        name=row.get("name"),
        isin=_isin(row),
    )


IMPORTER = Importer(name="trading212", title=TITLE, recognises=recognises, read=read)
