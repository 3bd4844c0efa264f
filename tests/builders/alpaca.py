"""The Alpaca adapter on the loopback server, with time that the exchange keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.alpaca.exchange import Exchange
from benchmarks.alpaca.server import Server, serving
from steelyard.brokers.alpaca import AlpacaBroker
from steelyard.brokers.alpaca.access import Access, Secret
from steelyard.brokers.alpaca.web import Timing, Web


class Time:
    """Seconds that pass when somebody sleeps; the exchange's too."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange, self.seconds, self.slept = exchange, 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.slept.append(seconds)
        self.exchange.tick(seconds)


def adapter(server: Server, time: Time | None = None, **timing: Any) -> AlpacaBroker:
    """The adapter, connected to a server."""
    time = time or Time(server.exchange)
    access = Access("paper", server.address, server.address, Secret("key"), Secret("secret"))
    settings = {
        "now": lambda: 1000.0, "steady": lambda: time.seconds, "sleep": time.sleep,
        "chance": lambda: 0.5, "connect_s": 2.0, "read_s": 0.1, **timing,
    }  # fmt: skip
    return AlpacaBroker(Web(access, Timing(**settings)), "paper", lambda: server.exchange.now)


@contextmanager
def alpaca(exchange: Exchange | None = None) -> Iterator[tuple[AlpacaBroker, Server]]:
    """An adapter and its server."""
    with serving(exchange or Exchange()) as server:
        broker = adapter(server)
        yield broker, server
        broker.close()
