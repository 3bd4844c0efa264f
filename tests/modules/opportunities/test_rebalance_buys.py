"""Rebalance buys: groups under their target."""

import pytest

from builders.context import context
from steelyard.modules.opportunities.rebalance_buys import Params, rebalance_buys

TWO = ["Tech", "Energy"]


def test_securities_of_a_group_under_its_target_are_offered_up_to_the_shortfall():
    ctx = context(
        "A B C", weights=[0.6, 0.4, 0], targets=[0.55, 0.35, 0.10],
        sectors=["Tech", "Energy", "Health"], base_weight=0.02,
    )  # fmt: skip

    (buy,) = rebalance_buys(ctx, Params())

    why = "Health is 0.0\u00a0% of the invested part, 10.0\u00a0pp under its target"
    assert buy.symbol == "C"
    assert buy.weights == pytest.approx((0.02, 0.04, 0.08, 0.10))
    assert buy.tags == ("rebalance", "underweight_health")
    assert buy.why.text == why


def test_a_shortfall_of_exactly_the_threshold_is_left_alone():
    def fires(weight):
        ctx = context("A B", weights=[weight, 1 - weight], targets=0.5, sectors=TWO)
        return bool(rebalance_buys(ctx, Params(underweight_threshold=0.02)))

    assert [fires(0.48), fires(0.4799)] == [False, True]


def test_a_security_of_two_sectors_belongs_to_both():
    ctx = context(
        "A B C", weights=[0.8, 0.1, 0.1], sectors=["Tech", "Energy;Health", "Health"],
        sector_targets={"Tech": 0.4, "Health": 0.5, "Energy": 0.1},
    )  # fmt: skip

    groups = {c.symbol: c.why.facts["group"] for c in rebalance_buys(ctx, Params())}

    assert groups == {"B": "Health", "C": "Health"}


def test_without_any_target_no_group_is_under_one():
    assert rebalance_buys(context("A B", sectors=TWO), Params()) == []


def test_a_group_that_nobody_in_the_planning_set_has_changes_nothing():
    def bought(**more):
        targets = {"Tech": 0.5, "Energy": 0.5, **more}
        ctx = context("A B", weights=[0.3, 0.7], sectors=TWO, sector_targets=targets)
        return rebalance_buys(ctx, Params())

    assert bought() == bought(Space=0.0) != []


def test_what_may_not_be_bought_is_left_alone():
    ctx = context("A B", weights=[0.8, 0.2], targets=0.5, sectors=TWO, can_buy="A")

    assert rebalance_buys(ctx, Params()) == []
