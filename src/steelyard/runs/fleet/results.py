"""What a fleet came to, as whoever looks after it needs it: worst first, and the totals.

First the accounts without a plan, then those whose plan is doubtful, then those that must trade
whatever the score gains, then those that should, and last those that hold; within each the largest
drift first, or where there are no targets the largest improvement.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from steelyard.canonical import plain, published
from steelyard.money import ZERO
from steelyard.store.fleets import AccountRow

STANDINGS: Final = ("failed", "problem", "shortfall", "band", "new money", "trade", "hold")
"""How an account stands, worst first: a word for people and files."""
OCCASIONS: Final = (("shortfall", "shortfall"), ("band", "band"), ("new_money", "new money"))
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""With what a cell begins that a spreadsheet would calculate."""
FIELDS: Final = (
    "account", "folder", "standing", "verdict", "orders", "improvement", "drift_before",
    "drift_after", "turnover", "cost", "value", "currency", "as_of", "problems", "plan_id", "note",
    "error", "seconds",
)  # fmt: skip


def standing(row: AccountRow) -> str:
    """One of `STANDINGS`."""
    if row.error is not None:
        return "failed"
    if row.problems:
        return "problem"
    for occasion, word in OCCASIONS:
        if occasion in row.occasions:
            return word
    return "trade" if row.verdict == "act" else "hold"


def worst_first(rows: Iterable[AccountRow]) -> list[AccountRow]:
    """The accounts in the order in which their owner should look at them."""

    def place(row: AccountRow) -> tuple[int, float, float, str]:
        drift = -1.0 if row.drift_before is None else row.drift_before
        return STANDINGS.index(standing(row)), -drift, -(row.improvement or 0.0), row.account

    return sorted(rows, key=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """All accounts that count in one currency."""

    currency: str
    accounts: int
    value: Decimal
    traded: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """All accounts: how many stand how, their orders, their money by currency."""

    accounts: int
    standings: dict[str, int]
    orders: int
    money: tuple[Total, ...]


def totals_of(rows: Sequence[AccountRow]) -> Totals:
    """The totals of a fleet."""
    words = [standing(row) for row in rows]
    currencies = sorted({row.base_currency for row in rows if row.base_currency is not None})
    return Totals(
        accounts=len(rows),
        standings={word: words.count(word) for word in STANDINGS if word in words},
        orders=sum(row.orders or 0 for row in rows),
        money=tuple(
            _total(currency, [row for row in rows if row.base_currency == currency])
            for currency in currencies
        ),
    )


def _total(currency: str, rows: Sequence[AccountRow]) -> Total:
    traded = (Decimal(repr(row.turnover or 0.0)) * (row.value or ZERO) for row in rows)
    return Total(
        currency=currency,
        accounts=len(rows),
        value=sum((row.value or ZERO for row in rows), ZERO),
        traded=sum(traded, ZERO),
        cost=sum((row.cost or ZERO for row in rows), ZERO),
    )


def documents(rows: Iterable[AccountRow]) -> list[dict[str, Any]]:
    """`[{account, plan_id, improvement, error}]`, by account."""
    return [
        {
            "account": row.account,
            "plan_id": row.plan_id,
            "improvement": None if row.improvement is None else published(row.improvement),
            "error": row.error,
        }
        for row in sorted(rows, key=lambda row: (row.account, row.folder))
    ]


def table(rows: Iterable[AccountRow]) -> str:
    """The accounts as CSV, in the order that they come in; fractions and exact amounts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for row in rows:
        writer.writerow([_cell(row, name) for name in FIELDS])
    return text.getvalue()


CELLS: Final[dict[str, Callable[[AccountRow], Any]]] = {
    "standing": standing,
    "currency": lambda row: row.base_currency,
    "cost": lambda row: None if row.cost is None else plain(row.cost),
    "value": lambda row: None if row.value is None else plain(row.value),
    "seconds": lambda row: f"{row.seconds:.3f}",
}


def _cell(row: AccountRow, name: str) -> str:
    value = CELLS[name](row) if name in CELLS else getattr(row, name)
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(published(value))
    text = " ".join(str(value).split())
    # a name of an account is nobody's formula
    unsafe = name in {"account", "folder", "note", "error"} and text.startswith(FORMULA)
    return f"'{text}" if unsafe else text
