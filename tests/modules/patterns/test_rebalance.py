"""Rebalance: sells the overweight, buys the underweight; room for buys, and what cannot be paid."""

from builders.context import proposed
from steelyard.modules.patterns.rebalance import Params, rebalance

BUY_A = "buy A .05 .9 rebalance_buys averaging_down"


def rows(symbols, *lines, params=None, **options):
    return proposed(rebalance, params or Params(), symbols, *lines, **options)


def sales(symbols):
    return [f"sell {symbol} .05 .9 rebalance_sells" for symbol in symbols]


def test_the_overweight_is_sold_and_the_underweight_bought():
    lines = (
        "sell A .06 .5 rebalance_sells", "sell B .10 .8 weight_based",
        "sell C .10 .9 profit_taking", "buy D .05 .6 rebalance_buys",
    )  # fmt: skip

    two = rows("A B C D", *lines, params=Params(max_sells=2), weights=0.25, cash=0.02)

    assert two == [["-B", "+D"], ["-B", "-A", "+D"]]


def test_without_sales_there_is_nothing_to_redeploy():
    assert rows("A B", BUY_A, weights=0.2) == []


def test_sales_never_take_every_step_while_there_are_buys():
    buy, many = "buy F .05 .9 rebalance_buys", Params(max_sells=10)

    deep = rows("A B C D E F", *sales("ABCDE"), buy, params=many, weights=0.1, max_depth=3)

    assert deep == [["-A", "+F"], ["-A", "-B", "+F"]]


def test_without_buys_sales_may_take_every_step():
    assert rows("A B C", *sales("ABC"), weights=0.3, max_depth=2) == [["-A"], ["-A", "-B"]]


def test_a_depth_of_one_leaves_no_room_for_a_sale_and_a_buy():
    assert rows("A B", *sales("A"), "buy B .05 .9 rebalance_buys", weights=0.3, max_depth=1) == []


def test_sales_that_conflict_do_not_go_together():
    lines = (*sales("ABC"), "buy D .05 .9 rebalance_buys")

    apart = rows("A B C D", *lines, conflicts=[(0, 1)], weights=0.2)

    assert apart == [["-A", "+D"], ["-A", "-C", "+D"]]


def test_a_sale_that_cannot_be_paid_for_is_left_out():
    # it costs more than it brings, and there is no cash
    assert rows("A B", *sales("A"), cost=0.06, weights=0.5) == []


def test_without_targets_what_is_sold_goes_into_opportunities_and_the_rest_by_priority():
    lines = (
        "sell A .12 .9 rebalance_sells", "buy B .05 .4 opportunity_buys",
        "buy C .05 .6 averaging_down", "buy D .05 .2 of_a_plugin",
    )  # fmt: skip

    due = [["-A", "+C", "+B", "+D"]]
    assert proposed(rebalance, Params(), "A B C D", *lines, weights=0.2, cash=0.2) == due
