"""What each book gained: realised by its matches, unrealised at marks, and what it earned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from steelyard.execution.attribution.books import Books
from steelyard.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """A book's gain in a currency.

    realised     of shares that went out, fees taken off; of those whose cost is known
    unrealised   of shares that are there; of those that have a mark and a known cost
    income       dividends and interest less fees without a trade
    value        of shares that have a mark
    incomplete   what is in none of these figures, in words; () = they are whole
    """

    book: str
    currency: str
    realised: Decimal
    unrealised: Decimal
    income: Decimal
    value: Decimal
    incomplete: tuple[str, ...]

    @property
    def total(self) -> Decimal | None:
        """All of it; None where something is missing."""
        return None if self.incomplete else self.realised + self.unrealised + self.income


def performance(books: Books, marks: Mapping[str, Decimal]) -> tuple[Performance, ...]:
    """A line for each book and currency, by name.

    marks   symbol -> worth of one share in its currency; a symbol without one is said, not left out
    """
    pairs = {(lot.book, lot.currency) for lot in books.lots}
    pairs |= {(match.book, match.currency) for match in books.matches}
    pairs |= {(each.book, each.currency) for each in books.income}
    return tuple(_line(books, book, currency, marks) for book, currency in sorted(pairs))


def _line(books: Books, book: str, currency: str, marks: Mapping[str, Decimal]) -> Performance:
    own = book, currency
    lots = [lot for lot in books.lots if (lot.book, lot.currency) == own]
    matches = [each for each in books.matches if (each.book, each.currency) == own]
    income = [each.amount for each in books.income if (each.book, each.currency) == own]
    marked = [(lot, lot.quantity * marks[lot.symbol]) for lot in lots if lot.symbol in marks]
    missing = {f"{lot.symbol} has no mark" for lot in lots if lot.symbol not in marks}
    missing |= {f"the cost of {lot.symbol} is not known" for lot in lots if lot.cost is None}
    missing |= {
        f"what {each.symbol} realised is not known" for each in matches if each.gain is None
    }
    return Performance(
        book=book,
        currency=currency,
        realised=sum((each.gain for each in matches if each.gain is not None), ZERO),
        unrealised=sum((worth - lot.cost for lot, worth in marked if lot.cost is not None), ZERO),
        income=sum(income, ZERO),
        value=sum((worth for _, worth in marked), ZERO),
        incomplete=tuple(sorted(missing)),
    )
