"""Rebalance sells: groups over their target, and concentration without target weights."""

import pytest

from builders.changes import proposing
from builders.context import context
from builders.world import world
from steelyard.modules.opportunities.rebalance_sells import Params, rebalance_sells
from steelyard.plans.verify import check
from steelyard.sentences import again
from steelyard.settings import Groups, Limits

EIGHT = "A B C D E F G H"


def test_holdings_of_a_group_over_its_target_are_offered_for_sale():
    # cash of 20 % is looked through: tech is .50 + .2 * .5 = .60 against a target of .50
    ctx = context("A B", weights=[0.50, 0.30], targets=[0.50, 0.50], sectors=["Tech", "Energy"])

    (sale,) = rebalance_sells(ctx, Params())

    assert sale.symbol == "A"
    assert sale.weights == pytest.approx((-0.10,))
    assert sale.tags == ("rebalance", "overweight_tech")


def test_a_quarter_and_half_of_the_position_are_offered_up_to_the_excess_of_the_group():
    ctx = context(
        "A B C", weights=[0.20, 0.50, 0.30], targets=[0.10, 0.30, 0.60],
        sectors=["Tech", "Tech", "Energy"],
    )  # fmt: skip

    sizes = {c.symbol: c.weights for c in rebalance_sells(ctx, Params())}

    assert sizes["A"] == pytest.approx((-0.05, -0.10))
    assert sizes["B"] == pytest.approx((-0.125, -0.25))


def test_an_excess_of_exactly_the_threshold_is_left_alone():
    def fires(weight):
        ctx = context("A B", weights=[weight, 1 - weight], targets=0.5, sectors=["Tech", "Energy"])
        return bool(rebalance_sells(ctx, Params(overweight_threshold=0.02)))

    assert [fires(0.52), fires(0.5201)] == [False, True]


def test_countries_count_like_sectors_and_the_wider_excess_gives_the_reason():
    ctx = context(
        "A B C", weights=[0.40, 0.30, 0.30], targets=[0.35, 0.15, 0.50], sectors=["X", "Y", "Z"],
        countries=["US", "US", "CH"],
    )  # fmt: skip

    groups = {c.symbol: c.why.facts["group"] for c in rebalance_sells(ctx, Params())}

    assert groups == {"A": "US", "B": "US"}


def test_an_unlabelled_fund_is_not_sold_for_a_group_that_it_is_only_spread_over():
    ctx = context(
        "A B F", weights=[0.5, 0.2, 0.3], targets=[0.3, 0.4, 0.3], sectors=["Tech", "Energy", ""]
    )

    assert [c.symbol for c in rebalance_sells(ctx, Params())] == ["A"]


def test_group_targets_of_the_strategy_win_over_target_weights():
    ctx = context(
        "A B", weights=[0.5, 0.5], targets=[0.5, 0.5], sectors=["Tech", "Energy"],
        sector_targets={"Tech": 0.3, "Energy": 0.7},
    )  # fmt: skip

    (sale,) = rebalance_sells(ctx, Params())

    assert (sale.symbol, sale.why.facts["off"]) == ("A", pytest.approx(0.2))


def test_a_group_that_the_strategy_does_not_name_has_a_target_of_nothing():
    ctx = context(
        "A B", weights=[0.18, 0.18], sectors=["Tech", "Energy"], sector_targets={"Tech": 0.5}
    )

    (sale,) = rebalance_sells(ctx, Params())

    assert (sale.symbol, sale.weights) == ("B", pytest.approx((-0.045, -0.09)))


def test_a_dimension_with_one_group_says_nothing():
    ctx = context("A B", weights=[0.5, 0.5], targets=[0.2, 0.2], countries=["US", "US"])

    assert rebalance_sells(ctx, Params()) == []


def test_with_target_weights_concentration_is_the_business_of_the_targets():
    ctx = context("A B C", weights=[0.8, 0.1, 0.1], targets=[0.8, 0.1, 0.1])

    assert rebalance_sells(ctx, Params()) == []


def test_without_targets_a_holding_far_over_an_even_share_is_trimmed_on_the_money_ladder():
    ctx = context(EIGHT, weights=[0.19] + [0.1] * 7, base_weight=0.01)

    (sale,) = rebalance_sells(ctx, Params(concentration_factor=1.5))

    assert rebalance_sells(ctx, Params()) == []  # buys know the position cap alone

    assert sale.symbol == "A"
    assert sale.weights == pytest.approx((-0.02, -0.04, -0.08, -0.095))
    assert sale.tags == ("rebalance", "concentration")
    assert sale.why.text == "19.0\u00a0% of value, over 1.50 times an even share of 12.5\u00a0%"


def test_exactly_the_factor_times_an_even_share_is_left_alone():
    def fires(weight):
        ctx = context(EIGHT, weights=[weight] + [0.1] * 7)
        return bool(rebalance_sells(ctx, Params(concentration_factor=1.5)))

    assert [fires(0.1875), fires(0.1876)] == [False, True]


def test_a_holding_over_the_position_cap_may_come_down_to_it():
    ctx = context("A B", weights=[0.38, 0.20], base_weight=0.01)

    (sale,) = rebalance_sells(ctx, Params())

    assert sale.symbol == "A"
    assert sale.weights == pytest.approx((-0.02, -0.04, -0.08, -0.16, -0.18))
    assert "18.0\u00a0pp over the position cap of 20.0\u00a0%" in sale.why.text


def test_back_to_the_cap_is_in_whole_lots_under_it():
    ctx = context("A B", weights=[0.3105, 0.1], prices=100)  # a lot is .001 of value

    (sale,) = rebalance_sells(ctx, Params())

    assert min(sale.weights) == pytest.approx(-0.111)


def test_what_is_over_the_cap_comes_back_to_it_even_where_its_group_is_over_by_less():
    ctx = context(
        "A B C", weights=[0.4, 0.3, 0.2], sectors=["Tech", "Energy", "Energy"], funds="B C",
        sector_targets={"Tech": 0.35, "Energy": 0.65},
    )  # fmt: skip

    (sale,) = (c for c in rebalance_sells(ctx, Params()) if c.symbol == "A")

    assert min(sale.weights) == pytest.approx(-0.2)


def test_funds_are_exempt_from_the_position_cap():
    ctx = context("A B", weights=[0.36, 0.20], funds="A", limits=Limits(max_position_weight=0.2))

    assert rebalance_sells(ctx, Params()) == []


def test_what_may_not_be_sold_is_left_alone():
    assert rebalance_sells(context("A B", weights=[0.8, 0.1], can_sell="B"), Params()) == []


def test_with_group_targets_only_a_holding_is_offered_once_for_the_group_else_for_its_size():
    ctx = context(
        "A B C", weights=[0.3, 0.3, 0.4], sectors=["Tech", "Energy", "Energy"],
        sector_targets={"Tech": 0.2, "Energy": 0.8},
        limits=Limits(max_position_weight=0.35),
    )  # fmt: skip

    tags = {c.symbol: c.tags[1] for c in rebalance_sells(ctx, Params())}

    assert tags == {"A": "overweight_tech", "C": "concentration"}


def test_a_group_is_told_at_its_share_of_what_is_invested_and_verify_derives_it():
    """Half of what is invested is Tech; with half in cash, spread as the targets, it looks less."""
    of = world(
        "AA 250 @ 100", "BB 250 @ 100", cash="50000", sectors={"AA": "Tech", "BB": "Energy"},
        groups=Groups(sector={"Tech": 0.1, "Energy": 0.9}), targets={"AA": 0.1, "BB": 0.9},
    )  # fmt: skip
    asked = {wish.symbol: wish.why for wish in rebalance_sells(of.prepared.ctx, Params())}
    assert asked["AA"].facts["weight"] == pytest.approx(0.5)
    assert "50.0" in asked["AA"].text

    of = (proposing(world(
        "AA 400 @ 100", "BB 500 @ 100", "CC 0 @ 50", cash="10000", sessions=60,
        sectors={"AA": "Tech", "BB": "Energy", "CC": "Energy"},
        groups=Groups(sector={"Tech": 0.1, "Energy": 0.9}),
    )))  # fmt: skip
    document = of.plan().document()
    told = [step for step in document["steps"] if "invested part" in step["reason_template"]]
    assert told
    assert check(document).ok
    for step in told:
        step["facts"]["weight"] += 0.1
        step["reason"] = again(step["reason_template"], step["facts"])
        step["narrative"] = again(step["template"], step["facts"])
    failed = check(document).failed
    assert any("share" in row.name for row in failed)
