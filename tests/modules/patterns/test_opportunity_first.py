"""Opportunity first: new names before other buys, nothing sold."""

from builders.context import proposed, sized
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.opportunity_first import opportunity_first


def rows(symbols, *lines, weights):
    return proposed(opportunity_first, NoParams(), symbols, *lines, weights=weights)


def test_opportunities_come_before_other_buys_of_higher_priority():
    lines = (
        "buy A .05 .4 opportunity_buys",
        "buy B .10 .9 averaging_down",
        "buy C .10 .8 rebalance_buys",
    )

    # 20 % in cash less a reserve of 2 %: one of the dearer buys still fits
    assert rows("A B C", *lines, weights=[0.3, 0.3, 0.2]) == [["+A", "+B"]]


def test_without_an_opportunity_that_cash_pays_for_nothing_comes_first():
    other, dear = "buy A .05 .9 averaging_down", "buy B .50 .9 opportunity_buys"

    assert rows("A B", other, weights=0.4) == []
    assert rows("A B", other, dear, weights=0.4) == []


def test_nothing_is_sold():
    lines = ("sell A .10 .9 profit_taking", "buy B .05 .9 opportunity_buys")

    assert rows("A B", *lines, weights=0.5) == []


def test_an_opportunity_that_does_not_fit_is_tried_in_its_smaller_sizes():
    lines = ("buy A .50 .9 opportunity_buys", "buy A .05 .2 opportunity_buys")

    assert sized(opportunity_first, "A B", *lines, weights=0.45) == [["+A .05"]]
