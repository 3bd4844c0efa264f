"""Rates by which a file of holdings values what is quoted in another currency than the account's.

A broker that states values in both has a rate of its own; rows of one currency must agree on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal

from steelyard.canonical import plain
from steelyard.errors import RejectedRow
from steelyard.importers.statement import ONE, Position, Statement

DIGITS = Context(prec=8)
AGREES = Decimal("0.01")
"""How far one row may be from the rate of all, as a fraction."""
CENT = Decimal("0.01")


def stated_rates(
    statement: Statement, positions: Iterable[Position]
) -> tuple[dict[str, Decimal], list[RejectedRow]]:
    """Currency -> units of the base for one, and the rows that contradict the others."""
    by_currency: dict[str, list[tuple[Position, Decimal, Decimal]]] = {}
    for row in positions:
        value = _worth(row)
        if value and row.base_value and row.currency not in {"", statement.base}:
            by_currency.setdefault(row.currency, []).append((row, value, row.base_value))
    rates, rejected = dict(statement.rates), list[RejectedRow]()
    for currency, rows in by_currency.items():
        total = sum(abs(value) for _, value, _ in rows)
        rate = DIGITS.divide(sum(abs(base) for _, _, base in rows), total)
        rates.setdefault(currency, rate)
        for row, value, base in rows:
            if abs(value * rate - base) > max(AGREES * abs(base), CENT):
                reason = (
                    f"{row.symbol} is worth {plain(value)} {currency} and {plain(base)} "
                    f"{statement.base}; other rows count one {currency} as {plain(rate)}"
                )
                rejected.append(
                    RejectedRow(statement.file, row.line, reason, "two_rates", "value", plain(base))
                )
    return rates, rejected


def _worth(row: Position) -> Decimal | None:
    """The value as the file states it, else quantity x price; None where it has neither."""
    if row.value is not None or row.price is None:
        return row.value
    return row.quantity * row.price * (row.multiplier or ONE)
