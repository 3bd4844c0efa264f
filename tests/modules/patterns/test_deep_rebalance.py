"""Deep rebalance: the largest moves of both sides, half of the steps each."""

from builders.context import proposed
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.deep_rebalance import deep_rebalance


def rows(symbols, *lines, **options):
    return proposed(deep_rebalance, NoParams(), symbols, *lines, **options)


def test_the_largest_moves_come_first_in_half_of_the_steps():
    lines = (
        "sell A .02 .9 rebalance_sells", "sell B .10 .5 rebalance_sells",
        "sell C .06 .7 weight_based", "buy D .02 .9 rebalance_buys", "buy E .12 .4 rebalance_buys",
        "buy F .05 .8 weight_based",
    )  # fmt: skip

    assert rows("A B C D E F", *lines, weights=0.15, max_depth=4) == [["-B", "-C", "+E", "+F"]]


def test_of_equal_moves_the_higher_priority_comes_first():
    lines = (
        "sell A .05 .5 rebalance_sells",
        "sell B .05 .9 rebalance_sells",
        "buy C .05 .9 rebalance_buys",
    )

    assert rows("A B C", *lines, weights=0.3, max_depth=2) == [["-B", "+C"]]


def test_it_needs_both_sides_and_a_step_for_each():
    sale, buy = "sell A .05 .9 rebalance_sells", "buy B .05 .9 rebalance_buys"

    def pair(sale, buy, depth=5):
        return rows("A B", sale, buy, weights=0.4, max_depth=depth)

    assert pair(sale, buy) == [["-A", "+B"]]
    assert pair("sell A .05 .9 profit_taking", buy) == []
    assert pair(sale, "buy B .05 .9 opportunity_buys") == []
    assert pair(sale, "buy B .80 .9 rebalance_buys") == []
    assert pair(sale, buy, depth=1) == []
