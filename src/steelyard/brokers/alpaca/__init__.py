"""Alpaca over HTTP, with its own small client."""

from steelyard.brokers.alpaca.broker import AlpacaBroker, open_alpaca

__all__ = ["AlpacaBroker", "open_alpaca"]
