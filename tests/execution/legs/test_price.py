"""Limit prices to the tick: the scenarios P10 and P11, by their numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from steelyard.brokers.broker import Asset
from steelyard.execution.legs.price import rounded
from steelyard.orders import Side

ASSET = Asset(symbol="A", currency="USD", tradable=True, lot_size=Decimal(1))


@pytest.mark.parametrize(
    ("number", "side", "price", "due"),
    [
        ("P10: under 1 a price has four decimals", Side.BUY, "0.4712", "0.4712"),
        ("P10: and a fifth is rounded", Side.SELL, "0.47121", "0.4713"),
        ("P11: a buy is rounded down", Side.BUY, "142.135", "142.13"),
        ("P11: a sale up", Side.SELL, "142.135", "142.14"),
        ("a whole tick stays", Side.SELL, "142.13", "142.13"),
    ],
)
def test_a_limit_is_never_worse_than_what_was_meant(number: str, side: Side, price: str, due: str):
    assert rounded(Decimal(price), side, ASSET) == Decimal(due), number
