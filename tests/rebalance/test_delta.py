"""One position to its target: the scenarios P01 to P05, by their numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from steelyard.rebalance import Thresholds, position_delta

HUNDRED = Decimal(100)


@pytest.mark.parametrize(
    ("number", "current", "target", "price", "due"),
    [
        ("P01: 0.90 is no order", "10", "10.009", "100", ("no_change", "0")),
        ("P02: nor is 1.00", "10", "10.01", "100", ("no_change", "0")),
        ("P03: 0.009 of a dear share is", "0.109", "0.1", "600000", ("sell_excess", "0.009")),
        ("P04: all of it, to its last digit", "7.2273576", "0", "40", ("sell_excess", "7.2273576")),
        ("P05: part of it, rounded down", "10", "6.8765433", "100", ("sell_excess", "3.123456")),
        ("a buy is rounded down too", "0", "3.1234567", "100", ("buy_more", "3.123456")),
        ("5.00 is an order", "0", "0.05", "100", ("buy_more", "0.05")),
        ("P09: dust is left alone", "0.0000004", "0", "100", ("no_change", "0")),
    ],
)
def test_what_takes_a_position_to_its_target(
    number: str, current: str, target: str, price: str, due: tuple[str, str]
):
    delta = position_delta("A", Decimal(current), Decimal(target), Decimal(price))

    assert (delta.action, str(delta.quantity)) == due, number
    assert delta.delta == Decimal(target) - Decimal(current)


@pytest.mark.parametrize(("wish", "due"), [("10.9", "10"), ("0.8", "0")])
def test_p06_p07_whole_shares_are_rounded_down_and_none_is_no_order(wish: str, due: str):
    whole = Thresholds(quantity_step=Decimal(1))

    assert position_delta("A", Decimal(0), Decimal(wish), HUNDRED, whole).quantity == Decimal(due)


def test_the_message_says_what_is_done():
    buys, sells, stays = (
        position_delta("SPY", Decimal(10), Decimal(target), HUNDRED) for target in (12, 9, 10)
    )

    assert (buys.message, sells.message) == ("buy 2 SPY", "sell 1 of 10 SPY")
    assert stays.message == "SPY stays at 10: 0.00 is no order"
