"""Interactive Brokers, Flex queries of trades without open positions: folded into holdings.

Cash is not read: trades alone do not say with how much an account began. An exchange of currencies
moves no shares; a row of another section that moves shares has no rule and is refused by its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, time

from steelyard.errors import InputError, RejectedRow
from steelyard.importers import values
from steelyard.importers.amounts import amount
from steelyard.importers.brokers.ibkr import Open, position
from steelyard.importers.fold import BEGIN, Entry, Folded, Kind, fold
from steelyard.importers.statement import Passed, Statement
from steelyard.importers.values import NOTHING, BadCell, shown
from steelyard.notices import Notice

COLUMNS = {
    "ClientAccountID": "accountId",
    "CurrencyPrimary": "currency",
    "AssetClass": "assetCategory",
    "SubCategory": "subCategory",
    "Symbol": "symbol",
    "ISIN": "isin",
    "Description": "description",
    "Multiplier": "multiplier",
    "Quantity": "quantity",
    "Buy/Sell": "buySell",
    "TradeDate": "tradeDate",
    "DateTime": "dateTime",
    "TradePrice": "tradePrice",
    "TradeMoney": "tradeMoney",
    "LevelOfDetail": "levelOfDetail",
}
"""Column of the CSV -> attribute of the XML."""
TRADE = frozenset(("buySell", "tradeDate", "quantity", "tradePrice", "currency"))
"""Fields by which a section of trades is recognised."""
SIDES = {"BUY": Kind.BUY, "SELL": Kind.SELL}
AT = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[;, T]+([0-9]{2}):?([0-9]{2}):?([0-9]{2}))?")
DAYS = "Choose the date format yyyy-MM-dd in the settings of the query and run it again."
EXECUTIONS = "Choose Executions for the section Trades and run the query again."
Line = tuple[int, Mapping[str, str]]
"""A line and its cells, by the names of the XML."""


def folded(
    rows: Iterable[Line], file: str, form: str, rejected: Iterable[RejectedRow]
) -> Statement:
    """What the trades leave; raises InputError where no row is an execution."""
    entries, refused, passed = list[Entry](), list(rejected), list[Passed]()
    for line, cells in rows:
        try:
            entry = _entry(line, cells)
        except BadCell as error:
            refused.append(error.row(file, line))
            continue
        if entry is None:
            passed.append(Passed(line, "row that moves no shares"))
        else:
            entries.append(entry)
    if not entries and not refused:
        raise InputError(
            f"{file} has no executed trade. {NOTHING} {EXECUTIONS}",
            code="no_trades",
            place=file,
            hint=EXECUTIONS,
        )
    result = fold(entries, file)
    return Statement(
        file=file,
        form=form,
        as_of=result.as_of,
        positions=result.positions,
        passed=tuple(passed),
        guessed=_notices(entries, result),
        rejected=tuple(sorted((*refused, *result.rejected), key=lambda row: row.line)),
        complete=False,
    )


def _notices(entries: Iterable[Entry], result: Folded) -> tuple[Notice, ...]:
    """From when to when the trades are, and that cash is not known."""
    first = min((entry.at.date() for entry in entries), default=None)
    message = (
        f"Holdings are what the trades from {first} to {result.as_of} add up to; what was bought "
        f"before, and a split or transfer the query leaves out, is not in them: {BEGIN}."
    )
    cash = (
        "Cash is not known: trades do not say with how much the account began. No cash was read. "
        "Add the Cash Report and Open Positions to the query, or CASH:CUR rows of your own."
    )
    return (
        Notice(code="folded", message=message, head=True),
        Notice(code="cash_unknown", message=cash, head=True),
    )


def _entry(line: int, cells: Mapping[str, str]) -> Entry | None:
    """A trade; None = no shares move; raises BadCell."""
    quantity = amount(cells.get("quantity", ""), "quantity")
    if "buySell" not in cells:
        if quantity:
            reason = f"a row that is no trade moves {quantity} shares, and there is no rule for it"
            hint = "add Open Positions to the query"
            raise BadCell(f"{reason}; {hint}", code="no_rule", column="quantity", hint=hint)
        return None
    if cells.get("levelOfDetail", "").upper() not in {"", "EXECUTION"} or _exchange(cells):
        return None
    kind = SIDES.get(cells["buySell"].upper())
    if kind is None:
        word = cells["buySell"]
        reason = f"buySell {shown(word)} is neither BUY nor SELL"
        raise BadCell(reason, code="bad_row", column="buySell", value=word)
    if not quantity:
        raise BadCell("quantity is missing", code="missing", column="quantity")
    if kind is Kind.BUY and quantity < 0:
        reason = f"buySell BUY with a quantity of {quantity}: bought or sold?"
        raise BadCell(reason, code="two_readings", column="quantity", value=str(quantity))
    price, money = (amount(cells.get(name, ""), name) for name in ("tradePrice", "tradeMoney"))
    if price is None:
        raise BadCell("tradePrice is missing", code="missing", column="tradePrice")
    row = Open(
        line=line,
        account=cells.get("accountId", ""),
        kind=cells.get("assetCategory", ""),
        sort=cells.get("subCategory", ""),
        currency=cells.get("currency", ""),
        symbol=cells.get("symbol", ""),
        isin=cells.get("isin", ""),
        name=cells.get("description", ""),
        quantity=abs(quantity),
        multiplier=amount(cells.get("multiplier", ""), "multiplier"),
        price=price,
        value=None if money is None else abs(money),
    )
    return _trade(row, kind, _time(cells.get("dateTime") or cells.get("tradeDate", "")))


def _exchange(cells: Mapping[str, str]) -> bool:
    """Is it a trade of currencies: by its category, or without one by having no ISIN or symbol?"""
    kind = cells.get("assetCategory", "").upper()
    return kind == "CASH" or not (kind or cells.get("symbol") or cells.get("isin"))


def _trade(row: Open, kind: Kind, at: datetime) -> Entry:
    traded = position(row)
    return Entry(
        line=row.line,
        at=at,
        kind=kind,
        symbol=traded.symbol,
        quantity=traded.quantity,
        currency=traded.currency,
        price=traded.price,
        account=traded.account,
        name=traded.name,
        isin=traded.isin,
        product_type=traded.product_type,
        multiplier=traded.multiplier,
    )


def _time(text: str) -> datetime:
    """`20240102;093000`, `2024-01-02, 09:30:00` or a day alone."""
    match = AT.fullmatch(text)
    if not match:
        reason = f"{shown(text)} is not a date like 2026-01-09. {DAYS}"
        raise BadCell(reason, code="bad_date", column="tradeDate", value=text, hint=DAYS)
    day = values.day("-".join(match.group(1, 2, 3)), "tradeDate")
    try:
        hour, minute, second = (int(part or 0) for part in match.group(4, 5, 6))
        clock = time(hour, minute, second)
    except ValueError as error:
        reason = f"{shown(text)} is no time of the day"
        raise BadCell(reason, code="bad_time", column="dateTime", value=text) from error
    return datetime.combine(day, clock)
