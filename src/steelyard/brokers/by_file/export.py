"""Approved legs as CSV, for a person or a broker's own program to place.

generic   symbol, side, quantity, limit_price, waits_for
ibkr      basket file of Trader Workstation: fields of the header in any order, a row an order
          (www.ibkrguides.com/traderworkstation/basket-fields.htm)
schwab    the fields of Schwab's order ticket, by name; its upload format is for advisers and not
          published, so this one is for typing from
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from steelyard.canonical import plain
from steelyard.errors import InputError, did_you_mean, one_line
from steelyard.orders import Side

ACTIVE = ("=", "+", "-", "@", "|", "%")
"""What a spreadsheet takes for the beginning of a formula or a command."""


LONGEST_CELL = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A leg to place.

    waits_for   the symbols whose sales have to bring its money first; () = none
    """

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal
    currency: str
    waits_for: Sequence[str] = ()


Row = Callable[[Line], Sequence[str]]


def _generic(line: Line) -> Sequence[str]:
    waits = " ".join(line.waits_for)
    return (
        safe(line.symbol), line.side.value, plain(line.quantity), plain(line.limit_price),
        safe(waits),
    )  # fmt: skip


def _ibkr(line: Line) -> Sequence[str]:
    return (
        line.side.value.upper(), plain(line.quantity), safe(line.symbol), "STK", "SMART",
        safe(line.currency), "DAY", "LMT", plain(line.limit_price), line.client_order_id,
    )  # fmt: skip


def _schwab(line: Line) -> Sequence[str]:
    return (
        line.side.value.capitalize(), plain(line.quantity), safe(line.symbol), "Limit",
        plain(line.limit_price), "Day Only",
    )  # fmt: skip


FORMS: Mapping[str, tuple[Sequence[str], Row]] = MappingProxyType({
    "generic": (("symbol", "side", "quantity", "limit_price", "waits_for"), _generic),
    "ibkr": (
        ("Action", "Quantity", "Symbol", "SecType", "Exchange", "Currency", "TimeInForce",
         "OrderType", "LmtPrice", "BasketTag"),
        _ibkr,
    ),
    "schwab": (("Action", "Quantity", "Symbol", "Order Type", "Limit Price", "Timing"), _schwab),
})  # fmt: skip


def exported(lines: Sequence[Line], form: str = "generic") -> str:
    """The lines as CSV text, sells first; raises InputError for a form that is not there."""
    if form not in FORMS:
        raise InputError(
            f"There is no form {form!r} of an orders file.{did_you_mean(form, list(FORMS))} "
            f"It is one of {', '.join(FORMS)}. Nothing was written.",
            code="unknown_form", place="--format", value=form,
        )  # fmt: skip
    header, row = FORMS[form]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    ordered = sorted(lines, key=lambda line: line.side is Side.BUY)
    writer.writerows(row(line) for line in ordered)
    return text.getvalue()


def safe(text: str) -> str:
    """Text on one line that no spreadsheet takes for a formula: a quote goes before one.

    >>> safe("VT"), safe("=1+1")
    ('VT', "'=1+1")
    """
    line = one_line(text, LONGEST_CELL)
    return f"'{line}" if line.startswith(ACTIVE) else line
