"""Whole lots: the scenarios P04 to P09 in a portfolio, and leftovers by largest remainder."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from builders.rebalance import PLAIN, account, rows, told
from steelyard.portfolio import Security
from steelyard.rebalance.rounding import Sized, leftovers, stepped


def test_p04_an_exit_is_the_holding_to_its_last_digit():
    plans = rows(account("SQQQ 7.2273576 @ 41.5", "A 0 @ 1", cash="0"), {"A": "0.9"})

    assert plans["SQQQ"].quantity == Decimal("7.2273576")


def test_p05_a_part_is_rounded_down_to_the_step():
    plans = rows(account("A 10 @ 100", cash="0"), {"A": "0.68765433"})

    assert plans["A"].quantity == Decimal("3.123456")


@pytest.mark.parametrize(
    ("weight", "due"), [("0.109", "BUY 1000"), ("0.008", "HOLD rounds_to_zero")]
)
def test_p06_p07_whole_shares(weight: str, due: str):
    rules = replace(PLAIN, drift_band_weight=Decimal(0))

    assert told(rows(account("A 0 @ 100", cash="10000", step="1"), {"A": weight}, rules)) == {
        "A": due
    }


def test_p08_what_rounding_leaves_buys_the_nearest_to_one_more():
    plans = rows(account("A 0 @ 300", "B 0 @ 700", cash="10000", step="1"), {"A": ".5", "B": ".5"})

    assert {symbol: row.quantity for symbol, row in plans.items()} == {"A": 17, "B": 7}
    assert sum(row.trade_amount for row in plans.values()) == 10_000  # cash ends at 0


def test_p09_what_the_broker_leaves_of_an_exit_is_dust():
    plans = rows(account("Z 0.0000004 @ 100", "A 99.5 @ 100", cash="50"), {"A": "1"})

    assert told(plans) == {"A": "HOLD within_band", "Z": "HOLD dust"}


def test_securities_have_steps_of_their_own():
    owned = account("A 0 @ 300", "B 0 @ 300", cash="1000")
    mixed = (Security("A", "USD", lot_size=Decimal(1)), owned.securities[1])

    plans = rows(replace(owned, securities=mixed), {"A": ".5", "B": ".5"})

    assert (plans["A"].quantity, plans["B"].quantity) == (1, Decimal("1.666666"))


def test_a_step_more_goes_to_the_largest_remainder_and_only_where_its_target_is_nearer_then():
    one = Decimal(1)
    buys = [
        Sized("A", Decimal("2.6"), Decimal("2.6"), Decimal(2), one, Decimal(10)),
        Sized("B", Decimal("2.9"), Decimal("2.9"), Decimal(2), one, Decimal(10)),
        Sized("C", Decimal("2.5"), Decimal("2.5"), Decimal(2), one, Decimal(10)),
    ]

    assert leftovers(buys, Decimal(10)) == {"A": 2, "B": 3, "C": 2}
    assert leftovers(buys, Decimal(99)) == {"A": 3, "B": 3, "C": 2}


def test_a_ceiling_is_not_passed_by_a_step_more():
    buy = Sized("A", Decimal("2.9"), Decimal("2.9"), Decimal(2), Decimal(1), Decimal(10))

    assert leftovers([replace(buy, most=Decimal("2.9"))], Decimal(99)) == {"A": 2}
    assert leftovers([replace(buy, most=Decimal(3))], Decimal(99)) == {"A": 3}


def test_a_whole_number_of_steps_stays():
    assert stepped(Decimal("0.3"), Decimal("0.1")) == Decimal("0.3")
