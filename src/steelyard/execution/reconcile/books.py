"""The books of all owners against the broker: what is in no book is unassigned, and no break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from steelyard.canonical import plain
from steelyard.execution.reconcile.records import Break, PositionLine, Tolerances
from steelyard.money import ZERO


def books_breaks(
    rows: Iterable[PositionLine], whole: frozenset[str], tolerances: Tolerances
) -> Iterator[Break]:
    """Symbols of which the books have more than the broker, where shares agree otherwise: somebody
    owns what is not there.
    """
    for row in rows:
        tolerance = ZERO if row.symbol in whole else tolerances.shares
        if row.booked is None or not abs(row.broker - row.expected) <= tolerance:
            continue
        broker = row.broker - row.actions - row.foreign
        if not row.booked - broker <= tolerance:
            yield Break(
                level="books",
                code="books_exceed_broker",
                subject=row.symbol,
                why=f"the books have {plain(row.booked)} {row.symbol}, the broker has "
                f"{plain(broker)}",
                ours=row.booked,
                broker=broker,
                tolerance=tolerance,
            )
