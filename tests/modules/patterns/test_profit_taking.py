"""Profit taking: more and more winners pay for buys."""

from builders.context import proposed
from steelyard.modules.patterns.profit_taking import Params, profit_taking


def test_more_and_more_winners_pay_for_buys():
    lines = (
        "sell A .06 .9 profit_taking", "sell B .06 .8 profit_taking", "buy C .05 .7 averaging_down",
        "buy D .05 .6 weight_based",
    )  # fmt: skip

    rows = proposed(profit_taking, Params(max_sells=2), "A B C D", *lines, weights=0.25, cash=0.02)

    assert rows == [["-A", "+C"], ["-A", "-B", "+C", "+D"]]


def test_without_sales_there_is_nothing_to_redeploy():
    buy = "buy A .05 .9 rebalance_buys averaging_down"

    assert proposed(profit_taking, Params(), "A B", buy, weights=0.2) == []


def test_without_targets_what_is_sold_goes_into_opportunities_and_the_rest_by_priority():
    lines = (
        "sell A .12 .9 profit_taking", "buy B .05 .4 opportunity_buys",
        "buy C .05 .6 averaging_down", "buy D .05 .2 of_a_plugin",
    )  # fmt: skip

    due = [["-A", "+C", "+B", "+D"]]
    assert proposed(profit_taking, Params(), "A B C D", *lines, weights=0.2, cash=0.2) == due
