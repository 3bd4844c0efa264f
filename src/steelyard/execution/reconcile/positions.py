"""Shares of each symbol: opening + fills + corporate actions + fills of others = broker's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from steelyard.brokers.broker import Activity, BrokerFill
from steelyard.buckets.books import UNASSIGNED
from steelyard.canonical import plain
from steelyard.execution.reconcile.records import Break, Ours, PositionLine, Theirs, Tolerances
from steelyard.money import ZERO
from steelyard.orders import Side


def lines(
    ours: Ours, theirs: Theirs, actions: Iterable[Activity], others: Iterable[BrokerFill]
) -> tuple[PositionLine, ...]:
    """A line for each symbol of either side, by name."""
    new = (fill for fill in ours.fills if fill.exec_id not in ours.opening.seen)
    fills, foreign = _shares(new), _shares(others)
    changes: dict[str, Decimal] = defaultdict(Decimal)
    for action in actions:
        if action.symbol:
            changes[action.symbol] += action.shares
    broker = {position.symbol: position.quantity for position in theirs.account.positions}
    opening = ours.opening.positions
    books = ours.books or {}
    symbols = opening.keys() | fills.keys() | foreign.keys() | changes.keys() | broker.keys()
    return tuple(
        PositionLine(
            symbol=symbol,
            opening=opening.get(symbol, ZERO),
            fills=fills.get(symbol, ZERO),
            actions=changes.get(symbol, ZERO),
            foreign=foreign.get(symbol, ZERO),
            broker=broker.get(symbol, ZERO),
            booked=None if ours.books is None else sum(books.get(symbol, {}).values(), ZERO),
            owned=None if ours.books is None else _owned(books.get(symbol, {})),
        )
        for symbol in sorted(symbols | books.keys())
    )


def position_breaks(
    rows: Iterable[PositionLine], whole: frozenset[str], tolerances: Tolerances
) -> Iterator[Break]:
    """Symbols whose shares differ by more than may be."""
    for row in rows:
        tolerance = ZERO if row.symbol in whole else tolerances.shares
        if not abs(row.broker - row.expected) <= tolerance:
            yield Break(
                level="position",
                code="shares_differ",
                subject=row.symbol,
                why=f"{plain(row.expected)} {row.symbol} are expected, the broker has "
                f"{plain(row.broker)}",
                ours=row.expected,
                broker=row.broker,
                tolerance=tolerance,
            )


def _shares(fills: Iterable[BrokerFill]) -> Mapping[str, Decimal]:
    """Symbol -> bought less sold."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        total[fill.symbol] += fill.quantity if fill.side is Side.BUY else -fill.quantity
    return total


def _owned(parts: Mapping[str, Decimal]) -> Decimal:
    return sum((part for book, part in parts.items() if book != UNASSIGNED), ZERO)
