"""The books of all owners against the broker: what is in no book is unassigned, and no break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from steelyard.canonical import plain
from steelyard.execution.reconcile.records import Break, PositionLine, Tolerances
from steelyard.money import ZERO


def books_breaks(
    rows: Iterable[PositionLine], whole: frozenset[str], tolerances: Tolerances
) -> Iterator[Break]:
    """Symbols of which the books have more than the broker: somebody owns what is not there."""
    for row in rows:
        tolerance = ZERO if row.symbol in whole else tolerances.shares
        if row.unassigned is not None and not row.unassigned >= -tolerance:
            owned = row.broker - row.unassigned
            yield Break(
                level="books",
                code="books_exceed_broker",
                subject=row.symbol,
                why=f"the books have {plain(owned)} {row.symbol}, the broker has "
                f"{plain(row.broker)}",
                ours=owned,
                broker=row.broker,
                tolerance=tolerance,
            )
