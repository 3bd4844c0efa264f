"""A statement to files of our own: the holdings, what else is known of the securities, the mapping.

Read again they say the same, but for what their columns cannot hold: names and the day of a price.
A text that a spreadsheet would run is written with an apostrophe before it, which stays when it is
read; symbols, numbers and days cannot be one.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from steelyard.canonical import plain
from steelyard.importers.book import money_market
from steelyard.importers.cash_words import CASH, PREFIX
from steelyard.importers.holdings import COLUMNS
from steelyard.importers.statement import ONE, Balance, Position, Statement
from steelyard.importers.values import MAX_DIGITS, MINOR_UNITS
from steelyard.money import ZERO
from steelyard.portfolio import MULTIPLIERS, NOT_TRADED_TYPES

OF_SECURITIES = ("symbol", "name", "product_type", "currency", "multiplier", "isin")
CASHLIKE = "CASHLIKE"
RUN = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet runs."""


def holdings_text(statement: Statement) -> str:
    """The statement in our own form; rows of one lot, and of one balance, as one."""
    positions, money = money_market(statement.positions, ())
    rows = [_row(position) for position in joined(positions)]
    return _table(COLUMNS, [*rows, *map(_cash_row, summed([*statement.balances, *money]))])


def needs_securities(statement: Statement) -> list[str]:
    """Symbols that are worth something else, or traded, where only our own form is read."""
    return [
        row.symbol
        for row in statement.positions
        if row.product_type in {*MULTIPLIERS, *NOT_TRADED_TYPES}
        or row.multiplier not in {None, ONE}
    ]


def securities_text(statement: Statement) -> str:
    """A securities file of the symbols of which the file says more; empty if of none."""
    rows: dict[str, dict[str, str]] = {}
    for position in money_market(statement.positions, ())[0]:
        multiplier = "" if position.multiplier is None else plain(position.multiplier)
        more = {
            "name": inert(position.name),
            "product_type": position.product_type,
            "multiplier": multiplier,
            "isin": position.isin,
        }
        row = rows.setdefault(position.symbol, {"currency": position.currency})
        row |= {column: cell for column, cell in more.items() if cell and not row.get(column)}
    rows = {symbol: row for symbol, row in rows.items() if row.keys() - {"currency"}}
    cells = [{"symbol": symbol, **row} for symbol, row in sorted(rows.items())]
    return _table(OF_SECURITIES, cells) if cells else ""


def mapping_text(columns: Mapping[str, str], alias: Mapping[str, str]) -> str:
    """A mapping file of what was used."""
    lines = ["# field of ours = column of the file", "[columns]"]
    lines += [f"{name} = {_toml(column)}" for name, column in sorted(columns.items())]
    if alias:
        lines += ["", "# what stands left is read as what stands right", "[alias]"]
        lines += [f"{_toml(old)} = {_toml(new)}" for old, new in sorted(alias.items())]
    return "\n".join(lines) + "\n"


def inert(text: str) -> str:
    """A text that no spreadsheet runs.

    >>> inert("=1+1"), inert("Apple")
    ("'=1+1", 'Apple')
    """
    return f"'{text}" if text.startswith(RUN) else text


def joined(positions: Iterable[Position]) -> list[Position]:
    """The rows, those of one lot as one: our own form has a lot once. A row twice stays twice."""
    lots: dict[tuple[object, ...], list[Position]] = {}
    for row in positions:
        lots.setdefault((row.account, row.symbol, row.acquired), []).append(row)
    return [row for rows in lots.values() for row in (rows if _repeated(rows) else [_lot(rows)])]


def _repeated(rows: Sequence[Position]) -> bool:
    """Is one of them the same as another?"""
    return len({replace(row, line=0) for row in rows}) < len(rows)


def _lot(rows: Sequence[Position]) -> Position:
    if len(rows) == 1:
        return rows[0]
    quantity = sum((row.quantity for row in rows), ZERO)
    costs = [row.average_cost * row.quantity for row in rows if row.average_cost is not None]
    whole = len(costs) == len(rows) and quantity
    return replace(
        rows[0],
        quantity=quantity,
        price=next((row.price for row in rows if row.price is not None), None),
        average_cost=sum(costs, ZERO) / quantity if whole else None,
        last_bought=max((row.last_bought for row in rows if row.last_bought), default=None),
        last_sold=max((row.last_sold for row in rows if row.last_sold), default=None),
        sold_at_loss=any(row.sold_at_loss for row in rows),
    )


def summed(balances: Iterable[Balance]) -> list[Balance]:
    """The balances, those of one currency, account and day as one."""
    rows: dict[tuple[object, ...], Balance] = {}
    for row in balances:
        key = (row.account, row.bucket, row.currency, row.settles)
        first = rows.get(key)
        rows[key] = replace(first, amount=first.amount + row.amount) if first else row
    return list(rows.values())


def _row(position: Position) -> dict[str, str]:
    parts = MINOR_UNITS[position.unit][1] if position.unit else 1
    return {
        "symbol": position.symbol,
        "quantity": _number(position.quantity),
        "price": _number(position.price, parts),
        "average_cost": _number(position.average_cost, parts),
        "acquired": _day(position.acquired),
        "last_bought": _day(position.last_bought),
        "last_sold": _day(position.last_sold),
        "sold_at_loss": "true" if position.sold_at_loss else "",
        "currency": position.unit or position.currency,
        "account": inert(position.account),
        "bucket": inert(position.bucket),
    }


def _cash_row(balance: Balance) -> dict[str, str]:
    return {
        "symbol": f"{PREFIX}{balance.currency}" if balance.currency else CASH,
        "quantity": _number(balance.amount),
        "account": inert(balance.account),
        "bucket": inert(balance.bucket),
        "settles": _day(balance.settles),
    }


def _number(value: Decimal | None, parts: int = 1) -> str:
    """Plain digits; of a fraction as many as are read again."""
    return "" if value is None else plain(value * parts if parts > 1 else value)[:MAX_DIGITS]


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _table(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _toml(text: str) -> str:
    """A basic string: JSON's, but for one control character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
