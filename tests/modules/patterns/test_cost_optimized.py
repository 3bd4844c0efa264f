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


def with_a_small_one(conflicts=()):
    """A and a little of B pay for D; the little costs more than it brings."""
    ctx = context("A B D", weights=[0.3, 0.3, 0.3], cash=0.1)
    lines = (
        "sell A .10 .9 rebalance_sells", "sell B .004 .8 rebalance_sells",
        "buy D .10 .9 rebalance_buys",
    )  # fmt: skip
    return ctx, candidates(ctx, *lines, conflicts=conflicts)


def test_the_cheapest_way_leaves_out_what_hardly_moves_the_end():
    best = with_a_small_one()

    ctx, table = best
    linear = frozen(np.array([0.01, 0.001, 0.01]))  # the best rebalance has all three
    table = replace(table, tables=replace(table.tables, linear=linear))
    # of what is moved, .104, the small sale is .004
    assert cheapest(ctx, table, 0.0005, 0.003, 0.001, tolerance=0.05) == [["-A", "+D"]]
    assert cheapest(ctx, table, 0.0005, 0.003, 0.001, tolerance=0.03) == [["-A", "-B", "+D"]]


def test_as_much_sold_of_another_holding_is_another_end_however_cheap():
    ctx = context("A B C D", weights=[0.3, 0.25, 0.25, 0.19], cash=0.01, limits=TIGHT)
    lines = (
        "sell A .10 .9 rebalance_sells", "sell B .05 .8 rebalance_sells",
        "sell C .05 .7 weight_based", "buy D .10 .9 rebalance_buys",
    )  # fmt: skip
    table = candidates(ctx, *lines)

    assert cheapest(ctx, table, 0.003, 0.0005, 0.0005, 0.001) == [["-A", "+D"]]


def test_without_a_rebalance_there_is_no_cheaper_one():
    ctx = context("A B", weights=0.3)
    for line in ("sell A .1 .9 rebalance_sells", "buy B .1 .9 rebalance_buys"):
        assert cheapest(ctx, candidates(ctx, line)) == [], line
