"""Rates by which a file of holdings values what is quoted in another currency than the account's.

A broker that states values in both has a rate of its own; rows of one currency must agree on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal

from steelyard.canonical import plain
from steelyard.errors import RejectedRow
from steelyard.importers.statement import ONE, Balance, Position, Statement
from steelyard.money import ZERO

DIGITS = Context(prec=8)
AGREES = Decimal("0.01")
"""How far one row may be from the rate of all, as a fraction."""
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class _Valued:
    """A row with its value in its own currency and in that of the account; 0 = not stated."""

    line: int
    name: str
    currency: str
    value: Decimal
    base_value: Decimal


def stated_rates(
    statement: Statement, positions: Iterable[Position], balances: Iterable[Balance]
) -> tuple[dict[str, Decimal], list[RejectedRow]]:
    """Currency -> units of the base for one, and the rows that contradict the others.

    Of the base itself one is one; where the file does not name it, a currency may turn out to be.
    """
    by_currency: dict[str, list[_Valued]] = {}
    for row in (*map(_of_position, positions), *map(_of_balance, balances)):
        if row.value and row.base_value and row.currency:
            by_currency.setdefault(row.currency, []).append(row)
    rates, rejected = dict(statement.rates), list[RejectedRow]()
    for currency, rows in by_currency.items():
        total = sum(abs(row.value) for row in rows)
        rate = DIGITS.divide(sum(abs(row.base_value) for row in rows), total)
        if currency == statement.base:
            rate = ONE
        else:
            rates.setdefault(currency, rate)
        for row in rows:
            slack = max(AGREES * abs(row.base_value), CENT)
            if abs(row.value * rate - row.base_value) > slack:
                rejected.append(_contradicted(statement, row, rate))
    return rates, rejected


def _contradicted(statement: Statement, row: _Valued, rate: Decimal) -> RejectedRow:
    reason = (
        f"{row.name} is worth {plain(row.value)} {row.currency} and {plain(row.base_value)} "
        f"{statement.base}; one {row.currency} counts as {plain(rate)}"
    )
    value = plain(row.base_value)
    return RejectedRow(statement.file, row.line, reason, "two_rates", "value", value)


def _of_position(row: Position) -> _Valued:
    value = row.value
    if value is None and row.price is not None:
        value = row.quantity * row.price * (row.multiplier or ONE)
    return _Valued(row.line, row.symbol, row.currency, value or ZERO, row.base_value or ZERO)


def _of_balance(row: Balance) -> _Valued:
    name = row.label or f"CASH:{row.currency}"
    return _Valued(row.line, name, row.currency, row.amount, row.base_value or ZERO)
