"""Defects of an earlier rebalancer that ours must not have, each by its number."""

from __future__ import annotations

from decimal import Decimal

from builders.rebalance import PLAIN, account, rows, told
from steelyard.orders import Order, Side
from steelyard.rebalance import Direction


def test_d1_a_buy_is_the_gap_and_not_the_whole_target():
    # 3,800 was sent for a position of 3,000 with a target of 5,000
    assert told(rows(account("A 30 @ 100", cash="7000"), {"A": "0.5"})) == {"A": "BUY 2000"}


def test_d3_d4_nothing_is_taken_off_a_buy_and_the_last_one_is_not_short_of_money():
    plans = rows(account("A 0 @ 100", "B 0 @ 50", cash="10000"), {"A": ".5", "B": ".5"})

    assert {row.trade_amount for row in plans.values()} == {5000}


def test_d7_a_short_is_not_passed_over_in_silence():
    plans = rows(account("Z -10 @ 100", cash="6000"), {"A": "0"}, PLAIN)

    assert (plans["Z"].direction, plans["Z"].reason) == (Direction.BLOCKED, "short")
    assert plans["Z"].needs_rebalance


def test_d9_shares_of_open_orders_are_not_sold_again():
    part = Order("o", "A", Side.SELL, Decimal(60), None)

    plans = rows(account("A 100 @ 100", orders=(part,)), {"A": "0.2"})

    assert plans["A"].quantity == 40


def test_an_amount_of_nothing_has_no_side():
    # a plan of needs = true and amount 0 was a sale of 0
    for row in rows(account("A 50 @ 100", "B 50 @ 100"), {"A": ".5", "B": ".5"}).values():
        assert (row.direction, row.trade_amount) == (Direction.HOLD, 0)
