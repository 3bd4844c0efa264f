"""Without targets: what is over the position cap is trimmed to it, and the cash is priced."""

import pytest

from builders.each import each
from builders.world import world
from steelyard.plans.verify import check
from steelyard.settings import Limits, Score

FEW = ("BB 60 @ 100", "CC 50 @ 100", "DD 40 @ 100", "EE 50 @ 100")
MANY = ("BB 120 @ 100", "CC 120 @ 100", "DD 110 @ 100", "EE 120 @ 100", "FF 120 @ 100")


def concentrated(shares, *others, cash, **sections):
    return world(f"AA {shares} @ 100", *others, cash=cash, sessions=800, **sections)


def after(plan, symbol="AA"):
    return next((row.weight for row in plan.holdings_after if row.symbol == symbol), 0.0)


def test_a_holding_over_the_cap_comes_back_towards_it_however_much_cash_there_is():
    def trimmed(shares, others, cash):
        plan = concentrated(shares, *others, cash=cash).plan()

        (sale,) = (step for step in plan.steps if step.symbol == "AA")
        assert sale.side.value == "sell"
        assert after(plan) < sale.weight_before - 0.05
        assert after(plan) < 0.26
        assert check(plan.document()).failed == ()

    each(
        {
            "70 % among few": (700, FEW, "10000"),
            "70 % beside cash alone": (700, (), "30000"),
            "31 % among many": (310, MANY, "9000"),
            "31 % among many, and much cash": (400, MANY, "30000"),
        },
        trimmed,
    )


def test_a_trim_for_the_cap_stops_at_the_cap():
    plan = concentrated(700, cash="30000").plan()

    assert [(step.symbol, step.quantity) for step in plan.steps] == [("AA", 500)]
    assert after(plan) == pytest.approx(0.2)


def test_a_higher_cap_is_a_higher_limit_of_sales_too():
    plan = concentrated(310, *MANY, cash="2000", limits=Limits(max_position_weight=0.35)).plan()

    assert "AA" not in {step.symbol for step in plan.steps if step.side.value == "sell"}


def test_a_hold_says_whether_nothing_fits_or_what_fits_only_loses():
    dear = Score(order_hurdle=0.1)
    targets = {"AA": 0.45, "BB": 0.5}
    lines = ("AA 490 @ 100", "BB 460 @ 100")
    loses = world(*lines, cash="5000", targets=targets, score=dear).plan()
    fits = world("AA 1 @ 100", cash="20", targets={"AA": 0.8, "BB": 0.15}).plan()

    assert loses.verdict.text.startswith("Hold. Every order list found loses by the score: the")
    assert "changes it by −" in loses.verdict.text
    assert fits.verdict.text == (
        "Hold. No order takes a holding towards its target, and not past it, within lots, limits "
        "and the least order."
    )
    for plan in (loses, fits):
        assert check(plan.document()).failed == ()
