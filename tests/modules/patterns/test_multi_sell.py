"""Several sales: two and more at once, nothing bought."""

from builders.context import proposed
from steelyard.modules.patterns.multi_sell import Params, multi_sell


def test_two_and_more_are_sold_at_once_and_nothing_bought():
    lines = (
        "sell A .05 .7 profit_taking", "sell B .05 .9 rebalance_sells",
        "sell C .05 .8 weight_based", "buy D .05 .9 rebalance_buys",
    )  # fmt: skip

    rows = proposed(multi_sell, Params(), "A B C D", *lines, weights=0.2)

    assert rows == [["-B", "-C"], ["-B", "-C", "-A"]]


def test_one_sale_is_not_several():
    lines = ("sell A .05 .9 profit_taking", "buy B .05 .9 rebalance_buys")

    assert proposed(multi_sell, Params(), "A B", *lines, weights=0.2) == []


def test_sales_keep_to_the_depth_and_to_their_number():
    sales = [f"sell {symbol} .05 .9 profit_taking" for symbol in "ABCD"]

    def longest(depth, most):
        params = Params(max_sells=most)
        rows = proposed(multi_sell, params, "A B C D", *sales, weights=0.2, max_depth=depth)
        return max(map(len, rows), default=0)

    assert [longest(*case) for case in ((1, 5), (2, 5), (5, 2), (5, 3))] == [0, 2, 2, 3]
