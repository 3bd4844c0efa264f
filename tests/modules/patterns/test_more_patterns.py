"""Sales alone, mixes, opportunities first, deep moves, raised cash, cheap ways: each pattern keeps
its own intent.
"""

from dataclasses import replace

import numpy as np
import pytest

from builders.context import candidates, context
from steelyard.arrays import PAD, frozen
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.cash_generation import Params as Cash
from steelyard.modules.patterns.cash_generation import cash_generation
from steelyard.modules.patterns.cost_optimized import Params as Cheap
from steelyard.modules.patterns.cost_optimized import cost_optimized
from steelyard.modules.patterns.deep_rebalance import deep_rebalance
from steelyard.modules.patterns.mixed_strategy import mixed_strategy
from steelyard.modules.patterns.multi_sell import Params as Several
from steelyard.modules.patterns.multi_sell import multi_sell
from steelyard.modules.patterns.opportunity_first import opportunity_first
from steelyard.settings import Limits


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


def costing(table, *costs):
    """The table with its own cost of each order, of value."""
    each = frozen(np.array(costs))
    return replace(table, cost=each, account=replace(table.account, cost=each))


# multi_sell


def test_multi_sell_sells_two_and_more_at_once_and_buys_nothing():
    ctx = context("A B C D", weights=[0.2] * 4)
    table = candidates(
        ctx,
        "sell A .05 .7 profit_taking",
        "sell B .05 .9 rebalance_sells",
        "sell C .05 .8 weight_based",
        "buy D .05 .9 rebalance_buys",
    )

    assert orders(ctx, table, multi_sell(ctx, table, Several())) == [
        ["-B", "-C"],
        ["-B", "-C", "-A"],
    ]


def test_one_sale_is_not_several():
    ctx = context("A B", weights=[0.2] * 2)
    table = candidates(ctx, "sell A .05 .9 profit_taking", "buy B .05 .9 rebalance_buys")

    assert multi_sell(ctx, table, Several()).shape == (0, 5)


@pytest.mark.parametrize(("depth", "most", "longest"), [(1, 5, 0), (2, 5, 2), (5, 2, 2), (5, 3, 3)])
def test_sales_keep_to_the_depth_and_to_their_number(depth, most, longest):
    ctx = context("A B C D", weights=[0.2] * 4, max_depth=depth)
    table = candidates(ctx, *[f"sell {symbol} .05 .9 profit_taking" for symbol in "ABCD"])

    assert (
        max(
            (
                len(row)
                for row in orders(ctx, table, multi_sell(ctx, table, Several(max_sells=most)))
            ),
            default=0,
        )
        == longest
    )


# mixed_strategy


def test_mixed_strategy_mixes_one_or_two_sales_with_one_or_two_buys_of_any_kind():
    ctx = context("A B C D E F", weights=[0.15] * 6)
    table = candidates(
        ctx,
        *(
            "sell A .05 .9 profit_taking",
            "sell B .05 .8 rebalance_sells",
            "sell C .05 .7 rebalance_sells",
        ),
        *(
            "buy D .03 .9 opportunity_buys",
            "buy E .03 .8 averaging_down",
            "buy F .03 .7 rebalance_buys",
        ),
    )

    found = orders(ctx, table, mixed_strategy(ctx, table, NoParams()))

    assert found == [["-A", "+D"], ["-A", "+D", "+E"], ["-A", "-B", "+D"], ["-A", "-B", "+D", "+E"]]


@pytest.mark.parametrize("order", ["sell A .05 .9 profit_taking", "buy A .05 .9 opportunity_buys"])
def test_one_side_alone_is_no_mix(order):
    ctx = context("A", weights=[0.2])

    assert mixed_strategy(ctx, candidates(ctx, order), NoParams()).shape == (0, 5)


def test_a_mix_without_a_buy_that_cash_pays_for_is_none():
    ctx = context("A B", weights=[0.5] * 2)
    table = candidates(ctx, "sell A .05 .9 profit_taking", "buy B .30 .9 opportunity_buys")

    assert mixed_strategy(ctx, table, NoParams()).shape == (0, 5)


def test_a_mix_keeps_to_the_depth():
    ctx = context("A B C D", weights=[0.2] * 4, max_depth=3)
    table = candidates(
        ctx,
        *[f"sell {s} .05 .9 profit_taking" for s in "AB"],
        *[f"buy {s} .05 .9 opportunity_buys" for s in "CD"],
    )

    assert orders(ctx, table, mixed_strategy(ctx, table, NoParams())) == [
        ["-A", "+C"],
        ["-A", "+C", "+D"],
        ["-A", "-B", "+C"],
    ]


# opportunity_first


def test_opportunities_come_before_other_buys_of_higher_priority():
    ctx = context("A B C", weights=[0.3, 0.3, 0.2])
    table = candidates(
        ctx,
        "buy A .05 .4 opportunity_buys",
        "buy B .10 .9 averaging_down",
        "buy C .10 .8 rebalance_buys",
    )

    # 20 % in cash less a reserve of 2 %: one of the dearer buys still fits
    assert orders(ctx, table, opportunity_first(ctx, table, NoParams())) == [["+A", "+B"]]


def test_without_an_opportunity_that_cash_pays_for_nothing_comes_first():
    ctx = context("A B", weights=[0.4] * 2)

    assert opportunity_first(
        ctx, candidates(ctx, "buy A .05 .9 averaging_down"), NoParams()
    ).shape == (0, 5)
    dear = candidates(ctx, "buy A .05 .9 averaging_down", "buy B .50 .9 opportunity_buys")
    assert opportunity_first(ctx, dear, NoParams()).shape == (0, 5)


def test_opportunity_first_sells_nothing():
    ctx = context("A B", weights=[0.5] * 2)
    table = candidates(ctx, "sell A .10 .9 profit_taking", "buy B .05 .9 opportunity_buys")

    assert opportunity_first(ctx, table, NoParams()).shape == (0, 5)


# deep_rebalance


def test_the_largest_moves_come_first_in_half_of_the_steps():
    ctx = context("A B C D E F", weights=[0.15] * 6, max_depth=4)
    table = candidates(
        ctx,
        *(
            "sell A .02 .9 rebalance_sells",
            "sell B .10 .5 rebalance_sells",
            "sell C .06 .7 weight_based",
        ),
        *(
            "buy D .02 .9 rebalance_buys",
            "buy E .12 .4 rebalance_buys",
            "buy F .05 .8 weight_based",
        ),
    )

    assert orders(ctx, table, deep_rebalance(ctx, table, NoParams())) == [["-B", "-C", "+E", "+F"]]


def test_of_equal_moves_the_higher_priority_comes_first():
    ctx = context("A B C", weights=[0.3] * 3, max_depth=2)
    table = candidates(
        ctx,
        "sell A .05 .5 rebalance_sells",
        "sell B .05 .9 rebalance_sells",
        "buy C .05 .9 rebalance_buys",
    )

    assert orders(ctx, table, deep_rebalance(ctx, table, NoParams())) == [["-B", "+C"]]


@pytest.mark.parametrize(
    ("sale", "buy", "depth"),
    [
        ("sell A .05 .9 profit_taking", "buy B .05 .9 rebalance_buys", 5),
        ("sell A .05 .9 rebalance_sells", "buy B .05 .9 opportunity_buys", 5),
        ("sell A .05 .9 rebalance_sells", "buy B .80 .9 rebalance_buys", 5),
        ("sell A .05 .9 rebalance_sells", "buy B .05 .9 rebalance_buys", 1),
    ],
)
def test_a_deep_rebalance_needs_both_sides_and_a_step_for_each(sale, buy, depth):
    ctx = context("A B", weights=[0.4] * 2, max_depth=depth)

    assert deep_rebalance(ctx, candidates(ctx, sale, buy), NoParams()).shape == (0, depth)


# cash_generation


def raising(cash, *sold, **options):
    """What is sold to raise the cash, of holdings of 20 % each and 1 % cash."""
    depth = options.pop("max_depth", 5)
    ctx = context("A B C D", weights=[0.2475] * 4, cash=0.01, max_depth=depth, **options)
    table = candidates(ctx, *sold)
    return orders(ctx, table, cash_generation(ctx, table, Cash(cash_weight=cash)))


LADDER = (
    "sell A .02 .9 profit_taking",
    "sell B .08 .5 rebalance_sells",
    "sell C .05 .7 weight_based",
)


def test_the_fewest_sales_raise_the_cash_and_the_last_is_the_smallest_that_is_enough():
    assert raising(0.05, *LADDER) == [["-C"]]
    assert raising(0.07, *LADDER) == [["-B"]]
    assert raising(0.11, *LADDER) == [["-B", "-A"]]
    assert raising(0.12, *LADDER) == [["-B", "-C"]]


def test_a_sale_of_exactly_what_is_missing_is_enough():
    assert raising(0.03, *LADDER) == [["-A"]]


def test_where_sales_do_not_raise_enough_all_that_fit_are_made():
    assert raising(0.5, *LADDER) == [["-B", "-C", "-A"]]
    assert raising(0.5, *LADDER, max_depth=2) == [["-B", "-C"]]


def test_with_the_cash_that_is_wanted_nothing_is_sold():
    assert raising(0.01, *LADDER) == []
    assert raising(0.005, *LADDER) == []


def test_nothing_is_bought_with_what_is_raised():
    assert raising(0.05, *LADDER, "buy D .01 .9 rebalance_buys") == [["-C"]]


def test_costs_do_not_raise_cash():
    ctx = context("A B", weights=[0.4, 0.6], cash=0.0)
    table = candidates(
        ctx, "sell A .05 .9 profit_taking", "sell B .06 .9 profit_taking", cost=0.001
    )

    assert orders(ctx, table, cash_generation(ctx, table, Cash(cash_weight=0.05))) == [["-B"]]


@pytest.mark.parametrize(
    ("reserve", "targets", "sold"),
    [
        (0.02, [0.2475] * 4, ["-A"]),  # the reserve; targets leave 1 % to cash
        (0.02, [0.2375, 0.2275, 0.2275, 0.2275], ["-B"]),  # targets leave 8 % to cash
        (0.02, None, ["-C"]),  # the score prefers 5 %
        (0.06, None, ["-C"]),
        (0.07, None, ["-B"]),
    ],
)
def test_the_cash_that_is_wanted_is_the_reserve_or_what_targets_or_score_ask_for(
    reserve, targets, sold
):
    assert raising(None, *LADDER, limits=Limits(cash_reserve_weight=reserve), targets=targets) == [
        sold
    ]


# cost_optimized


def two_ways(**options):
    """10 % of A, or 5 % of B and 5 % of C, pay for D; A is the first and the dearest."""
    ctx = context("A B C D", weights=[0.3, 0.25, 0.25, 0.19], cash=0.01, **options)
    table = candidates(
        ctx,
        *(
            "sell A .10 .9 rebalance_sells",
            "sell B .05 .8 rebalance_sells",
            "sell C .05 .7 weight_based",
        ),
        "buy D .10 .9 rebalance_buys",
    )
    return ctx, table


def test_the_cheapest_way_need_not_be_the_one_of_fewest_orders():
    ctx, table = two_ways(limits=Limits(max_turnover_weight=0.1, cash_reserve_weight=0.0))

    assert orders(
        ctx, table, cost_optimized(ctx, costing(table, 0.003, 0.0005, 0.0005, 0.001), Cheap())
    ) == [["-B", "-C", "+D"]]
    assert orders(
        ctx, table, cost_optimized(ctx, costing(table, 0.0009, 0.0005, 0.0005, 0.001), Cheap())
    ) == [["-A", "+D"]]


def test_another_end_state_is_not_cheaper_but_other():
    ctx = context("A B C", weights=[0.3, 0.3, 0.3])
    table = costing(
        candidates(
            ctx,
            "sell A .10 .9 rebalance_sells",
            "sell B .097 .8 rebalance_sells",
            "buy C .10 .7 rebalance_buys",
        ),
        0.002,
        0.0,
        0.0,
    )

    assert orders(ctx, table, cost_optimized(ctx, table, Cheap(tolerance=0.02))) == [["-A", "+C"]]
    assert orders(ctx, table, cost_optimized(ctx, table, Cheap(tolerance=0.04))) == [["-B", "+C"]]


def test_an_amount_that_differs_by_exactly_the_tolerance_is_the_same():
    ctx = context("A B C", weights=[0.3, 0.3, 0.3])
    table = costing(
        candidates(
            ctx,
            "sell A .125 .9 rebalance_sells",
            "sell B .09375 .8 rebalance_sells",
            "buy C .1 .7 rebalance_buys",
        ),
        0.002,
        0.0,
        0.0,
    )

    assert orders(ctx, table, cost_optimized(ctx, table, Cheap(tolerance=0.25))) == [["-B", "+C"]]
    assert orders(ctx, table, cost_optimized(ctx, table, Cheap(tolerance=0.2499))) == [["-A", "+C"]]


@pytest.mark.parametrize("missing", ["sell", "buy"])
def test_without_a_rebalance_there_is_no_cheaper_one(missing):
    ctx = context("A B", weights=[0.3, 0.3])
    both = {"sell": "sell A .1 .9 rebalance_sells", "buy": "buy B .1 .9 rebalance_buys"}

    table = candidates(ctx, *(order for side, order in both.items() if side != missing))

    assert cost_optimized(ctx, table, Cheap()).shape == (0, 5)


def test_a_cheap_list_keeps_every_limit():
    ctx, table = two_ways(limits=Limits(max_turnover_weight=0.1, cash_reserve_weight=0.0))
    apart = table.account.conflicts.copy()
    apart[1, 2] = apart[2, 1] = True
    table = costing(
        replace(table, account=replace(table.account, conflicts=frozen(apart))),
        0.003,
        0.0005,
        0.0005,
        0.001,
    )

    assert orders(ctx, table, cost_optimized(ctx, table, Cheap())) == [["-A", "+D"]]
