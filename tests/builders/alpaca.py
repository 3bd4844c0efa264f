"""The Alpaca adapter on the loopback server, with time that the exchange keeps."""

from __future__ import annotations

import ssl
from typing import Any

from benchmarks.alpaca.exchange import Exchange
from benchmarks.alpaca.server import Server

from steelyard.brokers.alpaca import AlpacaBroker
from steelyard.brokers.alpaca.access import Access, Secret
from steelyard.brokers.alpaca.web import Timing, Web

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: loading certificates takes longer than a test."""


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
    return AlpacaBroker(Web(access, Timing(**settings), TLS), "paper", lambda: server.exchange.now)
