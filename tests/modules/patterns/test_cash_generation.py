"""Cash generation: the fewest sales that raise the cash that is wanted, and nothing bought."""

from builders.context import proposed
from steelyard.modules.patterns.cash_generation import Params, cash_generation
from steelyard.settings import Limits

LADDER = (
    "sell A .02 .9 profit_taking", "sell B .08 .5 rebalance_sells", "sell C .05 .7 weight_based",
)  # fmt: skip


def raising(amount, *lines, **options):
    """What is sold to raise the cash, of holdings of 25 % each and 1 % cash."""
    options = {"symbols": "A B C D", "weights": 0.2475, "cash": 0.01, **options}
    return proposed(
        cash_generation, Params(cash_weight=amount), options.pop("symbols"), *lines, **options
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
    sales = ("sell A .05 .9 profit_taking", "sell B .06 .9 profit_taking")
    poor = {"symbols": "A B", "weights": [0.4, 0.6], "cash": 0.0}

    assert raising(0.05, *sales, cost=0.001, **poor) == [["-B"]]


def test_the_cash_that_is_wanted_is_the_reserve_or_what_targets_or_score_ask_for():
    def sold(reserve, targets):
        limits = Limits(cash_reserve_weight=reserve)
        return raising(None, *LADDER, limits=limits, targets=targets)

    assert sold(0.02, [0.2475] * 4) == [["-A"]]  # the reserve; targets leave 1 % to cash
    assert sold(0.02, [0.2375, 0.2275, 0.2275, 0.2275]) == [["-B"]]  # targets leave 8 % to cash
    assert sold(0.02, None) == [["-C"]]  # the score prefers 5 %
    assert sold(0.06, None) == [["-C"]]
    assert sold(0.07, None) == [["-B"]]
