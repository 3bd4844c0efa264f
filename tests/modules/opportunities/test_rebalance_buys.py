"""Rebalance buys: groups under their target."""

import pytest

from builders.context import context
from steelyard.modules.opportunities.rebalance_buys import Params, rebalance_buys


def test_securities_of_a_group_under_its_target_are_offered_up_to_the_shortfall():
    ctx = context(
        "A B C",
        weights=[0.6, 0.4, 0],
        targets=[0.55, 0.35, 0.10],
        sectors=["Tech", "Energy", "Health"],
        base_weight=0.02,
    )

    (found,) = rebalance_buys(ctx, Params())

    assert found.symbol == "C"
    assert found.weights == pytest.approx((0.02, 0.04, 0.08, 0.10))
    assert found.tags == ("rebalance", "underweight_health")
    assert (
        found.why.text == "Health is 0.0\u00a0% of the invested part, 10.0\u00a0pp under its target"
    )


@pytest.mark.parametrize(("weight", "fires"), [(0.48, False), (0.4799, True)])
def test_a_shortfall_of_exactly_the_threshold_is_left_alone(weight, fires):
    ctx = context(
        "A B", weights=[weight, 1 - weight], targets=[0.50, 0.50], sectors=["Tech", "Energy"]
    )

    assert bool(rebalance_buys(ctx, Params(underweight_threshold=0.02))) is fires


def test_a_security_of_two_sectors_belongs_to_both():
    ctx = context(
        "A B C",
        weights=[0.8, 0.1, 0.1],
        sectors=["Tech", "Energy;Health", "Health"],
        sector_targets={"Tech": 0.4, "Health": 0.5, "Energy": 0.1},
    )

    found = {c.symbol: c.why.facts["group"] for c in rebalance_buys(ctx, Params())}

    assert found == {"B": "Health", "C": "Health"}


def test_without_any_target_no_group_is_under_one():
    assert rebalance_buys(context("A B", sectors=["Tech", "Energy"]), Params()) == []


def test_a_group_that_nobody_in_the_planning_set_has_changes_nothing():
    plain = context(
        "A B",
        weights=[0.3, 0.7],
        sectors=["Tech", "Energy"],
        sector_targets={"Tech": 0.5, "Energy": 0.5},
    )
    more = context(
        "A B",
        weights=[0.3, 0.7],
        sectors=["Tech", "Energy"],
        sector_targets={"Tech": 0.5, "Energy": 0.5, "Space": 0.0},
    )

    assert rebalance_buys(plain, Params()) == rebalance_buys(more, Params())


def test_what_may_not_be_bought_is_left_alone():
    ctx = context(
        "A B", weights=[0.8, 0.2], targets=[0.5, 0.5], sectors=["Tech", "Energy"], can_buy="A"
    )

    assert rebalance_buys(ctx, Params()) == []
