"""Every broker as a small world: ten AA at 100, BB at 50, and 10,000 dollars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.alpaca.exchange import START, Exchange
from benchmarks.alpaca.server import serving

from builders.alpaca import adapter
from builders.paper import EARLY, EXACT
from steelyard.brokers.broker import Broker, BrokerOrder, Ticket
from steelyard.brokers.by_file import FileBroker, FileFill, open_file
from steelyard.brokers.paper import Opening, PaperPrice, Script, open_paper
from steelyard.brokers.recording import Recorder
from steelyard.brokers.replay import open_replay
from steelyard.orders import Side

OPENING = Opening(
    as_of=date(2026, 3, 10), base_currency="USD", positions={"AA": Decimal(10)},
    cash={"USD": Decimal(10_000)},
    prices={"AA": PaperPrice(Decimal(100), "USD"), "BB": PaperPrice(Decimal(50), "USD")},
)  # fmt: skip
ROUGH = Script(
    seed=3, partial=1.0, told_twice=1.0, visible_after_s=5.0, errors_in_success=0.0,
    cancelled_that_filled=1.0, ghost_after_s=(1.0, 5.0),
)  # fmt: skip
PLAIN = replace(EXACT, instant=False)
"""Exact prices, fills a little later."""
KINDS = ("paper", "rough paper", "alpaca", "file", "replay")


@dataclass(frozen=True)
class World:
    """A broker, and how it is left and connected to again."""

    broker: Broker
    again: Callable[[], Broker]


def order(name: str, side: str, symbol: str, quantity: str, limit: str) -> Ticket:
    """An order in dollars."""
    return Ticket(
        client_order_id=name, symbol=symbol, side=Side(side), quantity=Decimal(quantity),
        limit_price=Decimal(limit), currency="USD",
    )  # fmt: skip


def settle(broker: Broker) -> None:
    """Let everything happen that is to happen; a person hands in what was ordered."""
    if isinstance(broker, FileBroker):
        broker.take(_by_hand(row) for row in broker.account().open_orders)
    for _ in range(6):
        broker.wait(10.0)


def _by_hand(row: BrokerOrder) -> FileFill:
    return FileFill(
        date=START.date(), symbol=row.symbol, side=row.side,
        quantity=row.quantity - row.filled_quantity, price=row.limit_price or Decimal(0),
        commission=Decimal(0), execution_id=f"x-{row.client_order_id}",
    )  # fmt: skip


@contextmanager
def worlds(kind: str, folder: Path) -> Iterator[Iterator[World]]:
    """One world; for a recorded day two: what is recorded, then what is played back."""
    with ExitStack() as ends:

        def world(connect: Callable[[], Any]) -> World:
            def again() -> Any:
                broker = connect()
                ends.callback(broker.close)
                return broker

            return World(again(), again)

        if kind == "alpaca":
            server = ends.enter_context(serving(Exchange()))
            yield iter([world(lambda: adapter(server))])
        elif kind == "file":
            yield iter([world(lambda: open_file(folder / "f.db", "tests", OPENING, _now))])
        elif kind == "replay":
            yield _played_back(world(lambda: _patient(folder)).broker)
        else:
            yield iter([world(lambda: _patient(folder, ROUGH if "rough" in kind else PLAIN))])


def _now() -> datetime:
    return START + timedelta(seconds=1)


def _patient(folder: Path, script: Script = PLAIN) -> Broker:
    return open_paper(folder / "p.db", "tests", OPENING, script)


def _played_back(paper: Broker) -> Iterator[World]:
    lines: list[str] = []
    recorder = Recorder(paper, lines.append)
    recorder.clock()
    yield World(recorder, lambda: recorder)
    played = open_replay(lines, "day.jsonl")
    yield World(played, lambda: played)


def sums(broker: Broker) -> dict[str, Decimal]:
    """Shares and dollars that the fills come to, each once."""
    moves: dict[str, Decimal] = {}
    for fill in {fill.exec_id: fill for fill in broker.fills(EARLY)}.values():
        sign = 1 if fill.side is Side.BUY else -1
        moves[fill.symbol] = moves.get(fill.symbol, Decimal(0)) + sign * fill.quantity
        moves["USD"] = moves.get("USD", Decimal(0)) - sign * fill.value - fill.fee
    return moves
