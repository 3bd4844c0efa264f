"""Single best: the one feasible order of highest priority."""

from builders.context import proposed
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.single_best import single_best


def test_it_is_the_feasible_order_of_highest_priority():
    lines = (
        "buy A .50 .9 opportunity_buys",
        "sell B .10 .7 profit_taking",
        "buy C .05 .6 rebalance_buys",
    )

    assert proposed(single_best, NoParams(), "A B C", *lines, weights=0.3) == [["-B"]]


def test_when_nothing_is_feasible_there_is_none():
    assert proposed(single_best, NoParams(), "A", "buy A .05 .9 opportunity_buys", weights=1) == []
