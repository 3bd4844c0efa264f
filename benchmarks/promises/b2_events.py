"""Events of an order come in any order, and more than once: where it ends is always the same."""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from benchmarks.promises import lives
from benchmarks.promises.broker_process import ACCOUNT
from benchmarks.promises.databases import Profile
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from steelyard.brokers.broker import BrokerFill, BrokerOrder, Ticket
from steelyard.brokers.paper import Script, open_paper
from steelyard.execution.begin import start
from steelyard.execution.desk import Desk, Halted, look
from steelyard.execution.evidence import Intended
from steelyard.execution.journal import rows
from steelyard.execution.journal.changes import set_leg
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import leased, now
from steelyard.execution.journal.rows import LegRow
from steelyard.execution.legs import watch
from steelyard.execution.legs.send import write_intent
from steelyard.execution.legs.watch import _booked as booked
from steelyard.execution.legs.watch import state_of, take
from steelyard.execution.states import LegState, of_status
from steelyard.orders import OrderStatus

PROMISE = "Whatever order the events of an order come in, and however often, it ends the same."
HOW = (
    "Every sequence of up to six events of one order (accepted, parts filled, filled, cancel asked "
    "for, cancelled, expired, rejected; some of them twice, some contradicting each other) is "
    "handed to the code that books them, one event an answer, and then the whole of what the "
    "broker has, as the next look at it would. Counted as bad: a sequence after which the state "
    "of the order, its fills, or the shares and cash of the books differ from those of any other "
    "sequence of its kind, and one that raises anything else than a halt."
)
MUTANT = "an order that is told to be over is so at once, and what is filled later is not booked"
PARTS = (Decimal(4), Decimal(7))
START = datetime(2026, 3, 10, 15, tzinfo=UTC)
S = OrderStatus
KINDS: Mapping[str, tuple[OrderStatus | int, ...]] = {
    "filled": (S.WORKING, 0, S.PARTLY_FILLED, 1, S.FILLED, 0),
    "cancelled after a part": (S.WORKING, 0, S.CANCELLING, S.CANCELLED, 0, S.CANCELLED),
    "cancelled": (S.NEW, S.WORKING, S.CANCELLING, S.CANCELLED, S.CANCELLED, S.WORKING),
    "filled while it was cancelled": (S.WORKING, S.CANCELLING, 0, 1, S.FILLED, 1),
    "expired after a part": (S.WORKING, 0, S.PARTLY_FILLED, S.EXPIRED, S.EXPIRED, 0),
    "rejected": (S.NEW, S.REJECTED, S.REJECTED),
}
"""Events: a status, or the number of a part that is filled; the last status but one is its end."""
ENDS = {S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED}


@dataclass(frozen=True, slots=True)
class Stage:
    """A desk with one order that was sent, and the journal as it is then."""

    desk: Desk
    leg: LegRow
    journal: sqlite3.Connection


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """All sequences of all kinds."""
    del profile  # all of them, always
    sequences = bad = 0
    with ExitStack() as stack:
        stage = stack.enter_context(_stage(Path(stack.enter_context(TemporaryDirectory()))))
        if mutant:
            stack.enter_context(patch.object(watch, "state_of", _hasty))
            stack.enter_context(patch.object(watch, "_booked", _in_time))
        for kind, events in KINDS.items():
            ends = Counter(_walk(stage, events))
            sequences += ends.total()
            bad += ends.total() - max(ends.values())
            if len(ends) > 1:
                print(f"B2: {kind} ends in {ends}", file=sys.stderr)
    return Figure("B2", sequences, bad, note=f"{len(KINDS)} kinds, one end state each")


@contextmanager
def _stage(home: Path) -> Iterator[Stage]:
    """A run on the paper broker, and one order of it, which was accepted."""
    journal = Journal(lambda: sqlite3.connect(":memory:", isolation_level=None), b"k" * 32, now=now)
    broker = open_paper(home / "paper.db", ACCOUNT, lives.opening(), Script(instant=True))
    with leased(journal, home, ACCOUNT) as lease:
        desk = start(lives.room(home, journal, broker), lease, lives.document())
        leg, each = desk.legs[0], desk.approved.instructions[0]
        ticket = Ticket(
            client_order_id=leg.client_order_id, symbol=each.symbol, side=each.side,
            quantity=each.quantity, limit_price=each.price, currency=each.currency,
        )  # fmt: skip
        sent = write_intent(desk, look(desk, [each.symbol]), Intended(ticket, each, 1), leg)
        with journal.writing(lease) as change:
            sent = set_leg(change, desk.run, sent, LegState.ACCEPTED)
        yield Stage(desk, sent, _copy(_connection(journal)))
    journal.close()


def _connection(journal: Journal) -> sqlite3.Connection:
    assert isinstance(journal.connection, sqlite3.Connection)
    return journal.connection


def _copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:")
    connection.backup(copy)
    return copy


def _walk(stage: Stage, events: Sequence[OrderStatus | int]) -> Iterator[tuple[Any, ...]]:
    """The end of every sequence of some of the events, each taken from the one before it."""
    connection = _connection(stage.desk.journal)
    whole = _snapshot(stage, events)

    def from_here(
        here: sqlite3.Connection, rest: tuple[OrderStatus | int, ...]
    ) -> Iterator[tuple[Any, ...]]:
        for event in dict.fromkeys(rest):
            number = rest.index(event)
            here.backup(connection)
            _happens(stage, *_answer(stage, events, event))
            after = _copy(connection)
            _happens(stage, *whole)
            yield _end(stage)
            yield from from_here(after, rest[:number] + rest[number + 1 :])
            after.close()

    yield from from_here(stage.journal, tuple(events))


def _happens(stage: Stage, orders: Mapping[str, BrokerOrder], fills: list[BrokerFill]) -> None:
    with suppress(Halted):  # a fill after the end is booked, and then the run stands still
        take(stage.desk, orders, fills)


def _end(stage: Stage) -> tuple[Any, ...]:
    journal = stage.desk.journal
    leg = stage.desk.legs[0]
    stock, cash = rows.balances(journal, ACCOUNT)
    fills = tuple(sorted(row.exec_id for row in rows.fills(journal)))
    return leg.state.value, fills, tuple(stock.items()), tuple(cash.items())


def _parts(events: Sequence[OrderStatus | int]) -> list[int]:
    return sorted({event for event in events if isinstance(event, int)})


def _filled(events: Sequence[OrderStatus | int]) -> Decimal:
    return sum((PARTS[part] for part in _parts(events)), Decimal(0))


def _snapshot(
    stage: Stage, events: Sequence[OrderStatus | int]
) -> tuple[dict[str, BrokerOrder], list[BrokerFill]]:
    """All that the broker has in the end."""
    end = next(each for each in events if isinstance(each, OrderStatus) and each in ENDS)
    order = _order(stage.leg, end, _filled(events))
    fills = [_fill(stage.leg, part) for part in _parts(events)]
    return {order.client_order_id: order}, fills


def _answer(
    stage: Stage, events: Sequence[OrderStatus | int], event: OrderStatus | int
) -> tuple[dict[str, BrokerOrder], list[BrokerFill]]:
    """One event alone; an order that is over says how much of it was filled."""
    if isinstance(event, int):
        return {}, [_fill(stage.leg, event)]
    filled = _filled(events) if event in ENDS else Decimal(0)
    order = _order(stage.leg, event, filled)
    return {order.client_order_id: order}, []


def _order(leg: LegRow, status: OrderStatus, filled: Decimal) -> BrokerOrder:
    return BrokerOrder(
        client_order_id=leg.client_order_id, broker_id="7", symbol=leg.symbol, side=leg.side,
        quantity=leg.quantity, limit_price=leg.limit_price, status=status, filled_quantity=filled,
    )  # fmt: skip


def _fill(leg: LegRow, part: int) -> BrokerFill:
    quantity = PARTS[part]
    return BrokerFill(
        exec_id=f"e{part}", client_order_id=leg.client_order_id, symbol=leg.symbol, side=leg.side,
        quantity=quantity, price=leg.limit_price, value=quantity * leg.limit_price,
        fee=Decimal("0.05"), currency="USD", at=leg.sent_at or START,
    )  # fmt: skip


def _in_time(desk: Desk, legs: Mapping[str, LegRow], news: Sequence[BrokerFill]) -> Halted | None:
    """The other half of the mutant."""
    return booked(desk, legs, [f for f in news if not legs[f.client_order_id].over])


def _hasty(leg: LegRow, order: BrokerOrder | None, filled: Decimal) -> LegState:
    """The mutant."""
    if order is not None and order.over:
        return of_status(order.status)
    return state_of(leg, order, filled)


if __name__ == "__main__":
    script(measure)
