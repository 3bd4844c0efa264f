"""Executions that a person hands in: at least `date, symbol, side, quantity, price, commission,
execution_id`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from steelyard.errors import RowsRejected
from steelyard.importers import reading, values
from steelyard.importers.opening import Where
from steelyard.importers.reading import Row
from steelyard.importers.values import BadCell
from steelyard.notices import Notice
from steelyard.orders import Side

COLUMNS = ("date", "symbol", "side", "quantity", "price", "commission", "execution_id")
ALIASES = {"action": "side", "qty": "quantity", "fee": "commission", "fees": "commission"}
SIDES = {"buy": Side.BUY, "bot": Side.BUY, "sell": Side.SELL, "sld": Side.SELL}
MOST = Decimal("1e15")


@dataclass(frozen=True, slots=True, kw_only=True)
class FillLine:
    """A row: `commission` in the currency of the security, `line` 1-based with the header."""

    date: date
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    commission: Decimal
    execution_id: str
    line: int


def read_fills(path: Where) -> tuple[tuple[FillLine, ...], tuple[Notice, ...]]:
    """(rows, what to tell of the file); raises InputError, and RowsRejected with every bad row."""
    table = reading.read_table(path, required=COLUMNS, readable=COLUMNS, aliases=ALIASES)
    rows: list[FillLine] = []
    rejected = reading.parse_rows(table, lambda row: rows.append(_fill(row)))
    if rejected:
        raise RowsRejected(rejected)
    return tuple(rows), table.warnings


def _fill(row: Row) -> FillLine:
    return FillLine(
        date=values.day(row.get("date"), "date"),
        symbol=values.symbol(row.get("symbol")),
        side=_side(row.get("side")),
        quantity=values.positive(row.get("quantity"), "quantity", MOST),
        price=values.positive(row.get("price"), "price", MOST),
        commission=values.amount(row.get("commission") or "0", "commission"),
        execution_id=row.get("execution_id"),
        line=row.line,
    )


def _side(text: str) -> Side:
    side = SIDES.get(text.strip().lower())
    if side is None:
        raise BadCell(
            f"{values.shown(text)} is neither buy nor sell",
            code="bad_side",
            column="side",
            value=text,
            limit="buy, sell",
        )
    return side
