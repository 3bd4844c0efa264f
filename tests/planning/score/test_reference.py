"""What is published: exact sums, nothing clipped in the score, bars clipped and marked."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.planning.score.reference import TermValue, evaluate
from steelyard.planning.score.weights import term_weights
from steelyard.settings import Score

SEEDS = st.integers(0, 2**32 - 1)
PROFILES = st.sampled_from(["balanced", "conservative", "aggressive"])


@given(seed=SEEDS, n=st.integers(1, 9), with_targets=st.booleans(), profile=PROFILES)
@settings(deadline=None)
def test_the_score_is_the_sum_of_weights_times_terms_and_a_term_of_shares_times_parts(
    some_context, terms_of, seed, n, with_targets, profile
):
    ctx = some_context(seed, n, with_targets=with_targets, score=Score(profile=profile))
    terms = terms_of(ctx)

    evaluation = evaluate(
        terms, term_weights(ctx, [term.name for term in terms]), ctx.weights, ctx.cash_weight
    )

    assert evaluation.score == pytest.approx(
        sum(term.weight * term.value for term in evaluation.terms), abs=1e-12, rel=0
    )
    assert math.fsum(term.weight for term in evaluation.terms) == pytest.approx(1, abs=1e-12)
    for term in evaluation.terms:
        assert math.fsum(part.share for part in term.parts) == pytest.approx(1, abs=1e-12)
        assert term.value == pytest.approx(
            sum(part.share * part.scaled for part in term.parts), abs=1e-12, rel=0
        )


@given(low=st.floats(-9, 9), more=st.floats(0, 9))
def test_a_bar_stays_in_0_to_1_rises_with_the_value_and_is_marked_exactly_when_clipped(low, more):
    less, greater = (TermValue("mine", 1.0, value, ()) for value in (low, low + more))

    assert 0 <= less.shown <= greater.shown <= 1
    assert less.off_scale == (not 0 <= low <= 1)


@pytest.mark.parametrize("with_targets", [True, False])
@pytest.mark.parametrize(
    ("n", "weights", "cash"),
    [
        (0, [], 1.0), (1, [0.0], 1.0), (1, [1.0], 0.0), (3, [0.0, 0.0, 0.0], 1.0),
        (3, [0.0, 1.0, 0.0], 0.0), (2, [0.7, 0.5], -0.2),
    ],
    ids=["nothing", "one, all cash", "one security", "all cash", "one holding", "negative cash"],
)  # fmt: skip
def test_nothing_turns_into_a_number_that_is_not_one(
    context_for, terms_of, n, weights, cash, with_targets
):
    ctx = context_for(
        n, weights=np.array(weights), cash=cash,
        targets=np.full(n, 0.9 / max(n, 1)) if with_targets else None,
    )  # fmt: skip
    terms = terms_of(ctx)

    evaluation = evaluate(
        terms, term_weights(ctx, [term.name for term in terms]), ctx.weights, cash
    )

    assert math.isfinite(evaluation.score)
    assert all(
        math.isfinite(part.raw) and math.isfinite(part.scaled)
        for term in evaluation.terms
        for part in term.parts
    )


def test_zero_targets_mean_all_cash_and_all_cash_fits_them(context_for, terms_of):
    ctx = context_for(2, weights=[0.5, 0.5], cash=0.0, targets=[0.0, 0.0])
    terms = terms_of(ctx)

    evaluation = evaluate(terms, term_weights(ctx, [term.name for term in terms]), np.zeros(2), 1.0)

    assert {term.name: term.value for term in evaluation.terms}["target_fit"] == 1
