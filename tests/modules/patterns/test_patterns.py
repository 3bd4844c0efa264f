"""Patterns: one intent each, affordable, sells first, room for buys."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.context import candidates, context
from steelyard.arrays import PAD
from steelyard.ledger import feasible
from steelyard.modules.patterns import NoParams, padded_rows, profit_taking, rebalance
from steelyard.modules.patterns.averaging_down import averaging_down
from steelyard.modules.patterns.direct_buy import direct_buy
from steelyard.modules.patterns.single_best import single_best
from steelyard.modules.registry import Kind, modules

SIX = "A B C D E F"


def orders(ctx, table, rows):
    """Rows as `["-A", "+B"]`."""
    return [
        [
            ("+" if table.is_buy[j] else "-") + ctx.symbols[table.security[j]]
            for j in row
            if j != PAD
        ]
        for row in rows
    ]


def test_direct_buy_takes_buys_of_every_kind_by_priority_while_cash_lasts():
    ctx = context("A B C D", weights=[0.2] * 4)
    table = candidates(
        ctx,
        "buy A .05 .6 rebalance_buys",
        "buy B .05 .9 averaging_down",
        "buy C .05 .7 opportunity_buys",
        "buy D .05 .5 weight_based",
    )

    assert orders(ctx, table, direct_buy(ctx, table, NoParams())) == [["+B", "+C", "+A"]]


def test_a_buy_that_is_too_dear_does_not_block_the_next():
    ctx = context("A B", weights=[0.45] * 2)
    table = candidates(ctx, "buy A .50 .9 rebalance_buys", "buy B .05 .5 rebalance_buys")

    assert orders(ctx, table, direct_buy(ctx, table, NoParams())) == [["+B"]]


def test_direct_buy_finds_nothing_without_cash_or_without_buys():
    poor = context("A B", weights=[0.5] * 2)

    assert direct_buy(poor, candidates(poor, "buy A .05 .9 rebalance_buys"), NoParams()).shape == (
        0,
        5,
    )
    rich = context("A B", weights=[0.2] * 2)
    assert direct_buy(
        rich, candidates(rich, "sell A .05 .9 rebalance_sells"), NoParams()
    ).shape == (0, 5)


def test_averaging_down_buys_only_what_fell_and_sells_nothing():
    ctx = context("A B C", weights=[0.2] * 3)
    table = candidates(
        ctx,
        "buy A .05 .6 averaging_down",
        "buy B .05 .9 opportunity_buys",
        "sell C .1 .9 profit_taking",
    )

    assert orders(ctx, table, averaging_down(ctx, table, NoParams())) == [["+A"]]


def test_averaging_down_finds_nothing_when_nothing_fell():
    ctx = context("A", weights=[0.2])

    assert averaging_down(
        ctx, candidates(ctx, "buy A .05 .9 opportunity_buys"), NoParams()
    ).shape == (0, 5)


def test_profit_taking_pays_for_buys_with_more_and_more_winners():
    ctx = context("A B C D", weights=[0.25] * 4, cash=0.02)
    table = candidates(
        ctx,
        "sell A .06 .9 profit_taking",
        "sell B .06 .8 profit_taking",
        "buy C .05 .7 averaging_down",
        "buy D .05 .6 weight_based",
    )

    rows = profit_taking.profit_taking(ctx, table, profit_taking.Params(max_sells=2))

    assert orders(ctx, table, rows) == [["-A", "+C"], ["-A", "-B", "+C", "+D"]]


def test_rebalance_sells_the_overweight_and_buys_the_underweight():
    ctx = context("A B C D", weights=[0.25] * 4, cash=0.02)
    table = candidates(
        ctx,
        "sell A .06 .5 rebalance_sells",
        "sell B .10 .8 weight_based",
        "sell C .10 .9 profit_taking",
        "buy D .05 .6 rebalance_buys",
    )

    rows = rebalance.rebalance(ctx, table, rebalance.Params(max_sells=2))

    assert orders(ctx, table, rows) == [["-B", "+D"], ["-B", "-A", "+D"]]


@pytest.mark.parametrize("module", [profit_taking, rebalance])
def test_without_sales_there_is_nothing_to_redeploy(module):
    ctx = context("A B", weights=[0.2] * 2)
    table = candidates(ctx, "buy A .05 .9 rebalance_buys averaging_down")

    assert getattr(module, module.__name__.rpartition(".")[2])(
        ctx, table, module.Params()
    ).shape == (0, 5)


def test_sales_never_take_every_step_while_there_are_buys():
    ctx = context(SIX, weights=[0.1] * 6, max_depth=3)
    sells = [f"sell {symbol} .05 .9 rebalance_sells" for symbol in "ABCDE"]
    table = candidates(ctx, *sells, "buy F .05 .9 rebalance_buys")

    rows = rebalance.rebalance(ctx, table, rebalance.Params(max_sells=10))

    assert orders(ctx, table, rows) == [["-A", "+F"], ["-A", "-B", "+F"]]


def test_without_buys_sales_may_take_every_step():
    ctx = context("A B C", weights=[0.3] * 3, max_depth=2)
    table = candidates(ctx, *[f"sell {symbol} .05 .9 rebalance_sells" for symbol in "ABC"])

    assert orders(ctx, table, rebalance.rebalance(ctx, table, rebalance.Params())) == [
        ["-A"],
        ["-A", "-B"],
    ]


def test_a_depth_of_one_leaves_no_room_for_a_sale_and_a_buy():
    ctx = context("A B", weights=[0.3] * 2, max_depth=1)
    table = candidates(ctx, "sell A .05 .9 rebalance_sells", "buy B .05 .9 rebalance_buys")

    assert rebalance.rebalance(ctx, table, rebalance.Params()).shape == (0, 1)


def test_sales_that_conflict_do_not_go_together():
    ctx = context("A B C D", weights=[0.2] * 4)
    table = candidates(
        ctx,
        *[f"sell {s} .05 .9 rebalance_sells" for s in "ABC"],
        "buy D .05 .9 rebalance_buys",
        conflicts=[(0, 1)],
    )

    assert orders(ctx, table, rebalance.rebalance(ctx, table, rebalance.Params())) == [
        ["-A", "+D"],
        ["-A", "-C", "+D"],
    ]


def test_a_sale_that_cannot_be_paid_for_is_left_out():
    # it costs more than it brings, and there is no cash
    ctx = context("A B", weights=[0.5] * 2)
    table = candidates(ctx, "sell A .05 .9 rebalance_sells", cost=0.06)

    assert rebalance.rebalance(ctx, table, rebalance.Params()).shape == (0, 5)


def test_single_best_is_the_feasible_order_of_highest_priority():
    ctx = context("A B C", weights=[0.3] * 3)
    table = candidates(
        ctx,
        "buy A .50 .9 opportunity_buys",
        "sell B .10 .7 profit_taking",
        "buy C .05 .6 rebalance_buys",
    )

    assert orders(ctx, table, single_best(ctx, table, NoParams())) == [["-B"]]


def test_single_best_finds_nothing_when_nothing_is_feasible():
    ctx = context("A", weights=[1.0])

    assert single_best(ctx, candidates(ctx, "buy A .05 .9 opportunity_buys"), NoParams()).shape == (
        0,
        5,
    )


def test_equal_sequences_are_listed_once_and_empty_ones_never():
    assert padded_rows([[2, 1], [], [1, 2], [3]], 3).tolist() == [[2, 1, PAD], [3, PAD, PAD]]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sell", "buy"]),
            st.sampled_from(SIX.split()),
            st.sampled_from([0.02, 0.05, 0.1]),
            st.sampled_from([0.1, 0.5, 0.5, 0.9]),
            st.sampled_from(
                [
                    "profit_taking",
                    "rebalance_sells",
                    "rebalance_buys",
                    "averaging_down",
                    "opportunity_buys",
                    "weight_based",
                ]
            ),
        ),
        max_size=12,
        unique_by=lambda order: order[:3],
    ),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.03, 0.2]),
)
def test_every_row_of_every_pattern_is_a_set_that_the_ledger_allows(wanted, depth, cash):
    ctx = context(SIX, weights=[(1 - cash) / 6] * 6, cash=cash, max_depth=depth)
    table = candidates(ctx, *(" ".join(map(str, order)) for order in wanted), cost=0.0005)

    for module in modules(Kind.PATTERN).values():
        found = module.call(ctx, table, module.params())
        for rows in found.values() if isinstance(found, Mapping) else [found]:
            assert rows.shape[1] == depth
            assert feasible(table.account, rows).all()
            assert (rows >= 0).any(axis=1).all()
            for row in rows:
                sides = table.is_buy[row[row >= 0]]
                assert (np.diff(sides.astype(int)) >= 0).all()
