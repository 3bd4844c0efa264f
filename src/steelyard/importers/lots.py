"""Rows of holdings to lots: each judged against what it states and against others of its symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from steelyard.canonical import plain
from steelyard.errors import RejectedRow
from steelyard.importers.bonds import may_be_bond
from steelyard.importers.statement import ONE, Position
from steelyard.money import ZERO
from steelyard.portfolio import Holding, TaxLot

VALUE_TOLERANCE = Decimal("0.01")
"""A stated value may differ from quantity x price by this fraction: brokers round prices."""
CENT = Decimal("0.01")
HALF_DIGIT = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Listing:
    """How a symbol is quoted and what the file says of it; "" or None = it does not.

    unit   a minor unit, like GBp, where the price was read from one
    on     the day of the price
    line   where the price stands
    """

    currency: str = ""
    unit: str = ""
    on: date | None = None
    line: int = 0
    name: str = ""
    product_type: str = ""
    multiplier: Decimal | None = None
    isin: str = ""


@dataclass
class Lots:
    """Rows of holdings, judged one after the other.

    own   our own form: a lot is written on purpose, so two of one day are a slip
    """

    file: str
    own: bool
    rows: dict[str, list[Position]] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)

    def take(self, row: Position) -> None:
        """Add a row, or reject it."""
        others = self.rows.get(row.symbol, [])
        fault = self._wrong_value(row) or self._bond(row) or self._against(row, others)
        if fault is None:
            self.rows.setdefault(row.symbol, []).append(row)
        else:
            self.rejected.append(fault)

    def _fault(self, row: Position, code: str, reason: str, **more: str) -> RejectedRow:
        return RejectedRow(self.file, row.line, reason, code, **more)

    def _wrong_value(self, row: Position) -> RejectedRow | None:
        """A row whose stated value is not its quantity times its price: one of them is wrong."""
        if row.value is None or row.price is None or row.product_type == "FUTURE":
            return None
        value = row.quantity * row.price * (row.multiplier or ONE)
        slack = VALUE_TOLERANCE * abs(row.value) + HALF_DIGIT * abs(row.quantity) * _digit(
            row.price
        )
        if abs(value - row.value) <= max(slack, CENT):
            return None
        what = f"{row.symbol} is {plain(row.quantity)} at {plain(row.price)}, worth {plain(value)}"
        hint = _why_so(row, value)
        reason = f"{what}, and the file says {plain(row.value)}; {hint}"
        return self._fault(
            row, "value_differs", reason, value=plain(value), limit=plain(row.value), hint=hint
        )

    def _bond(self, row: Position) -> RejectedRow | None:
        """A row that may be a bond, which would be worth a hundredth, where nothing says it."""
        if row.product_type or row.value is not None or row.multiplier is not None:
            return None
        if not may_be_bond(row.symbol, row.price):
            return None
        value = row.quantity * (row.price or ONE)
        hint = "say its product_type in the securities file (--securities)"
        reason = (
            f"{row.symbol} is a CUSIP, and no file says what it is: as shares it is worth "
            f"{plain(value)}, as a bond, quoted per 100, {plain(value / 100)}; {hint}"
        )
        return self._fault(row, "bond_or_shares", reason, value=plain(value), hint=hint)

    def _against(self, row: Position, others: Sequence[Position]) -> RejectedRow | None:
        """A row that contradicts another of its symbol."""
        for other in others:
            if row.price and other.price and row.price != other.price:
                reason = f"{row.symbol} has the price {row.price} here"
                return self._fault(row, "two_prices", f"{reason} and {other.price} in another lot")
            if row.currency and other.currency and row.currency != other.currency:
                reason = f"{row.symbol} is in {row.currency} here"
                return self._fault(
                    row, "two_currencies", f"{reason} and in {other.currency} in another lot"
                )
            if row.quantity * other.quantity < 0:
                reason = f"{row.symbol} is short on one line and long on line {other.line}"
                return self._fault(row, "long_and_short", f"{reason}; write what they come to")
            if row.acquired == other.acquired and (
                self.own or row == replace(other, line=row.line)
            ):
                when = f"acquired {row.acquired}" if row.acquired else "without a date"
                rule = "lots of one symbol need different dates in `acquired`"
                rule = rule if self.own else "the same row twice would be counted twice"
                reason = f"{row.symbol} {when} stands on line {other.line} already; {rule}"
                return self._fault(row, "same_lot", reason)
        return None

    def holding(self, symbol: str) -> Holding:
        """The lots of a symbol as one holding; a row of 0 gives its dates alone."""
        rows = sorted(self.rows[symbol], key=lambda row: row.acquired or date.min)
        lots = tuple(
            TaxLot(row.quantity, row.acquired, row.average_cost, row.account)
            for row in rows
            if row.quantity
        )
        bought = [row.last_bought or row.acquired for row in rows]
        return Holding(
            symbol=symbol,
            quantity=sum((lot.quantity for lot in lots), ZERO),
            lots=lots,
            price=next((row.price for row in rows if row.price), None),
            last_bought=max((on for on in bought if on), default=None),
            last_sold=max((row.last_sold for row in rows if row.last_sold), default=None),
            sold_at_loss=any(row.sold_at_loss for row in rows),
            lost_on=max((row.lost_on for row in rows if row.lost_on), default=None),
        )

    def listing(self, symbol: str) -> Listing:
        """How a symbol is quoted, by the rows that say."""
        rows = self.rows[symbol]
        priced = next((row for row in rows if row.price), rows[0])
        return Listing(
            currency=next((row.currency for row in rows if row.currency), ""),
            unit=priced.unit,
            on=priced.price_on,
            line=priced.line,
            name=next((row.name for row in rows if row.name), ""),
            product_type=next((row.product_type for row in rows if row.product_type), ""),
            multiplier=next((row.multiplier for row in rows if row.multiplier), None),
            isin=next((row.isin for row in rows if row.isin), ""),
        )


def _digit(price: Decimal) -> Decimal:
    """The last digit that a price is written with: as much of it may be rounding."""
    exponent = price.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) else ZERO


def _why_so(row: Position, value: Decimal) -> str:
    """The likely cause, by the factor between the two values."""
    factor = abs(value / row.value) if row.value else ZERO
    near = {
        Decimal(100): "pence, or a bond quoted per 100? say BOND or its multiplier in --securities",
        Decimal("0.01"): "an option of 100 shares? say OPTION or its multiplier in --securities",
        Decimal(1000): "a decimal sign read as one of thousands?",
    }
    for typical, cause in near.items():
        if abs(factor / typical - 1) < VALUE_TOLERANCE:
            return cause
    return "correct the line, or leave it out with --exclude"
