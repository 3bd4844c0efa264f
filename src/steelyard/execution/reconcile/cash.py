"""Money of each currency: opening + sells - buys - fees + what activities explain = broker's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from steelyard.brokers.broker import Activity, BrokerFill
from steelyard.canonical import plain
from steelyard.execution.reconcile.records import (
    GRAIN,
    Break,
    CashLine,
    Ours,
    Theirs,
    Tolerances,
)
from steelyard.money import ZERO
from steelyard.orders import Side


def lines(
    ours: Ours, theirs: Theirs, explained: Iterable[Activity], others: Iterable[BrokerFill]
) -> tuple[CashLine, ...]:
    """A line for each currency of either side, by name."""
    new = tuple(fill for fill in ours.fills if fill.exec_id not in ours.opening.seen)
    sells = _sums((fill.currency, fill.value) for fill in new if fill.side is Side.SELL)
    buys = _sums((fill.currency, fill.value) for fill in new if fill.side is Side.BUY)
    fees = _sums((fill.currency, fill.fee) for fill in new)
    foreign = _sums((fill.currency, proceeds(fill)) for fill in others)
    changes = _sums(change for activity in explained for change in activity.cash.items())
    broker = {balance.currency: balance.amount for balance in theirs.account.cash}
    opening = ours.opening.cash
    sums: tuple[Mapping[str, Decimal], ...] = opening, sells, buys, fees, foreign, changes, broker
    return tuple(
        CashLine(
            currency=currency,
            opening=opening.get(currency, ZERO),
            sells=sells.get(currency, ZERO),
            buys=buys.get(currency, ZERO),
            fees=fees.get(currency, ZERO),
            explained=changes.get(currency, ZERO),
            foreign=foreign.get(currency, ZERO),
            broker=broker.get(currency, ZERO),
        )
        for currency in sorted(set().union(*sums))
    )


def cash_breaks(rows: Iterable[CashLine], tolerances: Tolerances) -> Iterator[Break]:
    """Currencies whose money differs by more than may be."""
    for row in rows:
        if not abs(row.broker - row.expected) <= tolerances.cash + GRAIN / 2:
            yield Break(
                level="cash",
                code="cash_differs",
                subject=row.currency,
                why=f"{plain(row.expected)} {row.currency} are expected, the broker has "
                f"{plain(row.broker)}",
                ours=row.expected,
                broker=row.broker,
                tolerance=tolerances.cash,
            )


def proceeds(fill: BrokerFill) -> Decimal:
    """What an execution does to cash: a sale's value or a buy's, less the fee."""
    return (fill.value if fill.side is Side.SELL else -fill.value) - fill.fee


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> Mapping[str, Decimal]:
    total: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        total[currency] += amount
    return total
