"""How many of what a file has, in the words of all who show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from steelyard.importers.book import HoldingsFile
from steelyard.importers.lots import Listing
from steelyard.portfolio import NOT_TRADED_TYPES, Holding

JOINTS = frozenset(
    {
        *("of", "without", "that", "with", "in", "dated", "from", "under", "over", "to", "at"),
        *("on", "above", "below", "between", "before", "after", "by", "for", "per"),
    }
)
"""Words that end the noun of a phrase."""


def tally(accounts: Sequence[HoldingsFile], passed: Iterable[str] = ()) -> str:
    """Holdings, cash, what is kept out of trading, and what was passed over.

    passed   what each row is that was
    """
    rows = [
        (holding, file.listings[holding.symbol]) for file in accounts for holding in file.holdings
    ]
    kinds = Counter(_kept_out(*row) for row in rows if row[0].quantity)
    parts = [
        counted(kinds.pop("", 0), "holding"),
        *(f"{counted(count, what)} kept out of trading" for what, count in kinds.items()),
        counted(sum(file.cash_rows for file in accounts), "cash row"),
    ]
    empty = sum(not holding.quantity for holding, _ in rows)
    if empty:
        parts.append(f"{counted(empty, 'sold-out holding')} whose dates count")
    for what, count in Counter(passed).items():
        parts.append(f"{counted(count, what)} passed over")
    return ", ".join(parts)


def _kept_out(holding: Holding, listing: Listing) -> str:
    """As what a holding is valued and never traded; empty for one that may be."""
    if listing.product_type in NOT_TRADED_TYPES:
        return listing.product_type.lower()
    return "short position" if holding.quantity < 0 else ""


def counted(count: int, what: str) -> str:
    """A count and its noun, in the plural where it is due.

    >>> counted(2, "row of an earlier day"), counted(2, "dividend activity"), counted(1, "footer")
    ('2 rows of an earlier day', '2 dividend activities', '1 footer')
    >>> counted(3, "line above the tables"), counted(2, "line under the table")
    ('3 lines above the tables', '2 lines under the table')
    """
    if count == 1:
        return f"1 {what}"
    words = what.replace(",", " ,").split(" ")
    at = next((i for i, word in enumerate(words) if i and word in {*JOINTS, ","}), len(words))
    noun = words[at - 1]
    words[at - 1] = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {' '.join(words).replace(' ,', ',')}"
