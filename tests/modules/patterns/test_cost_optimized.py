"""Cost optimized: of the lists that end alike, the cheapest."""

from dataclasses import replace

import numpy as np

from builders.context import candidates, context, orders
from steelyard.arrays import frozen
from steelyard.modules.patterns.cost_optimized import Params, cost_optimized
from steelyard.settings import Limits

TIGHT = Limits(max_turnover_weight=0.1, cash_reserve_weight=0.0)


def cheapest(ctx, table, *costs, **params):
    """What is proposed when each order has its own cost, of value."""
    each = frozen(np.array(costs or [0.0] * table.m))
    table = replace(table, cost=each, account=replace(table.account, cost=each))
    return orders(ctx, table, cost_optimized(ctx, table, Params(**params)))


def two_ways(conflicts=()):
    """10 % of A, or 5 % of B and 5 % of C, pay for D; A is the first and the dearest."""
    ctx = context("A B C D", weights=[0.3, 0.25, 0.25, 0.19], cash=0.01, limits=TIGHT)
    lines = (
        "sell A .10 .9 rebalance_sells", "sell B .05 .8 rebalance_sells",
        "sell C .05 .7 weight_based", "buy D .10 .9 rebalance_buys",
    )  # fmt: skip
    return ctx, candidates(ctx, *lines, conflicts=conflicts)


def a_or_b(other):
    """10 % of A, which is dear, or `other` of B pays for C."""
    ctx = context("A B C", weights=0.3)
    sales = ("sell A .125 .9 rebalance_sells", f"sell B {other} .8 rebalance_sells")
    return ctx, candidates(ctx, *sales, "buy C .10 .7 rebalance_buys")


def test_the_cheapest_way_need_not_be_the_one_of_fewest_orders():
    assert cheapest(*two_ways(), 0.003, 0.0005, 0.0005, 0.001) == [["-B", "-C", "+D"]]
    assert cheapest(*two_ways(), 0.0009, 0.0005, 0.0005, 0.001) == [["-A", "+D"]]


def test_another_end_state_is_not_cheaper_but_other():
    # .12125 differs from .125 by 3 % of the larger
    assert cheapest(*a_or_b(0.12125), 0.002, 0, 0, tolerance=0.02) == [["-A", "+C"]]
    assert cheapest(*a_or_b(0.12125), 0.002, 0, 0, tolerance=0.04) == [["-B", "+C"]]


def test_an_amount_that_differs_by_exactly_the_tolerance_is_the_same():
    assert cheapest(*a_or_b(0.09375), 0.002, 0, 0, tolerance=0.25) == [["-B", "+C"]]
    assert cheapest(*a_or_b(0.09375), 0.002, 0, 0, tolerance=0.2499) == [["-A", "+C"]]


def test_without_a_rebalance_there_is_no_cheaper_one():
    ctx = context("A B", weights=0.3)
    for line in ("sell A .1 .9 rebalance_sells", "buy B .1 .9 rebalance_buys"):
        assert cheapest(ctx, candidates(ctx, line)) == [], line


def test_a_cheap_list_keeps_every_limit():
    apart = two_ways(conflicts=[(1, 2)])

    assert cheapest(*apart, 0.003, 0.0005, 0.0005, 0.001) == [["-A", "+D"]]
