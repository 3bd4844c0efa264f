"""Where each price is from: its file, its day, and the unit in which it was quoted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from steelyard.plans.account import HoldingShown, KeptOutShown
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.fold import first
from steelyard.report.exhibits.words import counted
from steelyard.sentences import FORMATS

UNNAMED = "no file named"


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price; `unit` is what the file said, the price is in the currency."""

    symbol: str
    price: Decimal
    currency: str
    unit: str
    on: str
    source: str


@dataclass(frozen=True, slots=True)
class Prices:
    """The exhibit.

    said   one line: the file and day of all, or of most
    rows   those that are of another file or day, or were quoted in another unit
    """

    said: str
    rows: tuple[PriceRow, ...]

    @property
    def shown(self) -> int:
        """Rows that a page lists."""
        return len(first(self.rows)[0])

    @property
    def more(self) -> int:
        """Rows that it only counts."""
        return len(self.rows) - self.shown


def prices(plan: Plan) -> Prices:
    """The exhibit of a plan: what most prices have in common is told once."""
    positions: list[HoldingShown | KeptOutShown] = [*plan.holdings, *plan.kept_out]
    rows = [
        PriceRow(
            h.symbol, h.price, h.currency, h.price_unit or h.currency,
            FORMATS["date"](h.price_on), h.price_source or UNNAMED,
        )
        for h in positions
        if h.price is not None and h.price_on is not None
    ]  # fmt: skip
    if not rows:
        return Prices("No price is used.", ())
    (source, on), count = Counter((row.source, row.on) for row in rows).most_common(1)[0]
    usual = [(row.source, row.on) == (source, on) for row in rows]
    prices_are = "All prices are" if all(usual) else counted(count, "price is", "prices are")
    said = f"{prices_are} of {on}, from {source}."
    if not all(usual):
        said += f" {counted(len(rows) - count, 'is', 'are')} of another file or day."
    apart = [
        row
        for row, as_most in zip(rows, usual, strict=True)
        if not as_most or row.unit != row.currency
    ]
    return Prices(said, tuple(apart))
