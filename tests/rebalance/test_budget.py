"""Buys within the money: in proportion, and what is too small gives its share to the others."""

from __future__ import annotations

from decimal import Decimal

from steelyard.rebalance.budget import within
from steelyard.rebalance.records import Charges

FREE = dict.fromkeys("ABC", Charges())
LEAST = Decimal(5)


def amounts(*money: object) -> dict[str, Decimal]:
    return {name: Decimal(str(amount)) for name, amount in zip("ABC", money, strict=False)}


def test_w09_all_become_smaller_in_proportion():
    assert within(amounts(4000, 3000, 1000), FREE, Decimal(6000), LEAST) == amounts(3000, 2250, 750)


def test_w10_what_comes_under_the_least_order_goes_to_the_others_once():
    smaller = within(amounts(600, 392, 8), FREE, Decimal(500), LEAST)

    assert smaller.keys() == {"A", "B"}
    assert sum(smaller.values()) == Decimal(500)
    assert smaller["A"] / smaller["B"] == Decimal(600) / Decimal(392)


def test_costs_are_paid_from_the_same_money():
    charged = dict.fromkeys("AB", Charges(Decimal(10), Decimal("0.01")))

    smaller = within(amounts(1000, 1000), charged, Decimal(1030), LEAST)

    assert smaller == amounts(500, 500)  # 2 x (500 + 5 + 10)


def test_money_for_the_fixed_costs_alone_buys_nothing():
    charged = {"A": Charges(Decimal(10))}

    assert within(amounts(1000), charged, Decimal(10), LEAST) == {}
