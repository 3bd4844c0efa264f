"""Both sides read, and again where they differ: a snapshot may be older than the last fill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from steelyard.brokers.broker import Broker
from steelyard.errors import BrokerError
from steelyard.execution.reconcile.compare import compare
from steelyard.execution.reconcile.records import (
    Break,
    Opening,
    Ours,
    Reconciliation,
    Theirs,
    Tolerances,
)

PAUSES = (5.0, 10.0, 15.0)
"""Seconds before each of three more readings."""
LOOK_BACK = timedelta(days=3)
"""Activities are dated by the day, and told late: so much before the opening is asked for."""


def reconcile(
    broker: Broker,
    ours: Callable[[], Ours],
    tolerances: Tolerances | None = None,
    pauses: Sequence[float] = PAUSES,
) -> Reconciliation:
    """Compare an account until both sides agree, at most `pauses` times more.

    ours   books what the broker tells anew, and says what the journal has then
    """
    result = _once(broker, ours, tolerances)
    for pause in pauses:
        if result.clean:
            break
        try:
            broker.wait(pause)
        except BrokerError:
            break  # it stays at what was read
        result = replace(_once(broker, ours, tolerances), reads=result.reads + 1)
    return result


def opened(broker: Broker) -> Opening:
    """The account now, with what it already counts; raises BrokerError where it cannot be read."""
    account = broker.account()
    since = account.at - LOOK_BACK
    fills, activities = broker.fills(since), broker.activities(since)
    return Opening(
        at=account.at,
        positions=MappingProxyType({each.symbol: each.quantity for each in account.positions}),
        cash=MappingProxyType({each.currency: each.amount for each in account.cash}),
        seen=frozenset(fill.exec_id for fill in fills)
        | frozenset(each.activity_id for each in activities),
    )


def _once(
    broker: Broker, ours: Callable[[], Ours], tolerances: Tolerances | None
) -> Reconciliation:
    """One reading of both sides; what could not be read is a break, never "none"."""
    mine = ours()
    try:
        theirs = _read(broker, mine)
        result = compare(mine, theirs, tolerances)
        near = [line.symbol for line in result.positions if line.broker != line.expected]
        if near:
            theirs = replace(theirs, whole=_whole(broker, near))
            result = compare(mine, theirs, tolerances)
    except BrokerError as error:
        why = f"the broker could not be read, which says nothing of what it has: {error}"
        unread = Break(level="unread", code="unread", subject=mine.account, why=why)
        return Reconciliation(account=mine.account, at=mine.opening.at, breaks=(unread,))
    newest = max((fill.at for fill in mine.fills), default=None)
    if result.clean or newest is None or theirs.account.at >= newest:
        return result
    stale = f" (its snapshot of {theirs.account.at.isoformat()} is older than the last fill)"
    return replace(result, breaks=tuple(_longer(each, stale) for each in result.breaks))


def _longer(broken: Break, more: str) -> Break:
    of_snapshot = broken.level in {"position", "cash"}
    return replace(broken, why=broken.why + more) if of_snapshot else broken


def _read(broker: Broker, ours: Ours) -> Theirs:
    since = ours.opening.at - LOOK_BACK
    account = broker.account()
    return Theirs(
        account=account,
        orders=tuple(broker.orders(since)),
        fills=tuple(broker.fills(since)),
        activities=tuple(broker.activities(since)),
    )


def _whole(broker: Broker, symbols: Sequence[str]) -> frozenset[str]:
    """Symbols of which there are no parts, those that the broker does not describe among them.

    Asked only where the sides differ at all: a broker may count its questions.
    """
    if broker.capabilities.fractional == "none":
        return frozenset(symbols)
    assets = broker.assets(symbols)
    return frozenset(
        symbol for symbol in symbols if symbol not in assets or assets[symbol].lot_size >= 1
    )
