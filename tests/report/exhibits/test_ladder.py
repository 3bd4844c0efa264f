"""Cash: the lowest balance, balances carried forward, and what is said of them."""

from decimal import Decimal

from builders import plans as sample
from steelyard.plans.account import CashRung
from steelyard.report.exhibits import ladder


def test_a_ladder_marks_the_lowest_balance_and_carries_balances_forward():
    plan = sample.growth()
    (usd,) = ladder.cash(plan).ladders
    after = plan.cash_after["USD"]

    assert usd.lowest.text == "8,812"
    assert [(day.traded, day.settled, day.lowest) for day in usd.days] == [
        (after, Decimal(10374), True),
        (after, after, False),
    ]


def test_a_balance_below_zero_is_said_and_drawn():
    plan = sample.overdrawn()
    exhibit = ladder.cash(plan)

    assert exhibit.ladders[0].up.low < 0
    assert exhibit.heading == "Cash is below zero in USD"


def test_a_base_balance_under_the_reserve_is_not_called_above_it():
    plan = sample.growth()
    rung = CashRung(
        date=plan.as_of, currency="USD", balance=Decimal(1), kind="settled", estimated=False
    )

    exhibit = ladder.cash(plan.model_copy(update={"cash_ladder": (rung,)}))
    assert exhibit.heading == "Cash never falls below zero"
