"""Direct buy: buys of every kind by priority, while cash lasts."""

from builders.context import proposed, sized
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.direct_buy import direct_buy


def bought(symbols, *lines, weights):
    return proposed(direct_buy, NoParams(), symbols, *lines, weights=weights)


def test_buys_of_every_kind_come_by_priority_while_cash_lasts():
    rows = bought(
        "A B C D", "buy A .05 .6 rebalance_buys", "buy B .05 .9 averaging_down",
        "buy C .05 .7 opportunity_buys", "buy D .05 .5 weight_based", weights=0.2,
    )  # fmt: skip

    assert rows == [["+B", "+C", "+A"]]


def test_a_buy_that_is_too_dear_does_not_block_the_next():
    lines = ("buy A .50 .9 rebalance_buys", "buy B .05 .5 rebalance_buys")

    assert bought("A B", *lines, weights=0.45) == [["+B"]]


def test_without_cash_or_without_buys_there_is_nothing():
    assert bought("A B", "buy A .05 .9 rebalance_buys", weights=0.5) == []
    assert bought("A B", "sell A .05 .9 rebalance_sells", weights=0.2) == []


def test_a_buy_that_does_not_fit_is_tried_in_its_smaller_sizes_largest_first():
    lines = (
        "buy A .20 .9 rebalance_buys",
        "buy A .08 .6 rebalance_buys",
        "buy A .04 .3 rebalance_buys",
        "buy B .50 .5 opportunity_buys",
    )

    assert sized(direct_buy, "A B", *lines, weights=0.44) == [["+A .08"]]
    assert sized(direct_buy, "A B", *lines, weights=0.38) == [["+A .20"]]
