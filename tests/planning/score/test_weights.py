"""Weights of the terms: profile, mode, and what happens when a term is not there."""

import math

import pytest

from steelyard.errors import ModuleError
from steelyard.planning.score.weights import term_weights
from steelyard.settings import Score

FIVE = ["total_return", "diversification", "quality", "stability", "income"]


def test_with_targets_fit_has_half_and_the_profile_the_other_half(context_for):
    ctx = context_for(2, targets=[0.5, 0.4])

    weights = term_weights(ctx, [*FIVE, "target_fit"])

    assert list(weights.values()) == pytest.approx([0.175, 0.125, 0.10, 0.075, 0.025, 0.50])


def test_without_targets_cash_has_a_tenth_and_the_profile_the_rest(context_for):
    ctx = context_for(2, score=Score(profile="aggressive"))

    weights = term_weights(ctx, [*FIVE, "cash"])

    assert list(weights.values()) == pytest.approx([0.405, 0.18, 0.225, 0.045, 0.045, 0.10])


def test_a_term_that_is_not_there_leaves_its_part_to_the_others_in_proportion(context_for):
    ctx = context_for(2, targets=[0.5, 0.4])

    weights = term_weights(ctx, ["total_return", "target_fit"])

    assert weights == pytest.approx({"total_return": 0.175 / 0.675, "target_fit": 0.5 / 0.675})
    assert math.fsum(weights.values()) == pytest.approx(1)


def test_a_fit_weight_of_zero_leaves_all_to_the_profile(context_for):
    ctx = context_for(2, targets=[0.5, 0.4], score=Score(target_fit_weight=0.0))

    weights = term_weights(ctx, [*FIVE, "target_fit"])

    assert weights["target_fit"] == 0
    assert weights["total_return"] == pytest.approx(0.35)


def test_if_no_named_term_has_a_share_all_weights_are_zero(context_for):
    assert term_weights(context_for(2, score=Score(cash_weight=0.0)), ["cash"]) == {"cash": 0.0}
    assert term_weights(context_for(2), []) == {}


@pytest.mark.parametrize(
    ("name", "targets", "mode"),
    [("cash", [0.5, 0.4], "with"), ("target_fit", None, "without"), ("luck", None, "without")],
)
def test_a_term_without_a_share_in_this_mode_is_refused_by_name(context_for, name, targets, mode):
    with pytest.raises(ModuleError, match=f"'{name}' has no weight {mode} target weights"):
        term_weights(context_for(2, targets=targets), [*FIVE, name])
