"""Total return, quality, income: plain sums, monotone in their inputs, neutral where unknown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.modules.scoring.income import Params as IncomeParams
from steelyard.modules.scoring.income import income
from steelyard.modules.scoring.quality import Params as QualityParams
from steelyard.modules.scoring.quality import quality
from steelyard.modules.scoring.total_return import Params as TotalReturnParams
from steelyard.modules.scoring.total_return import total_return
from steelyard.planning.score.reference import evaluate
from steelyard.planning.score.weights import term_weights

CASES = [  # the term, its metric, what cash counts, and the anchors
    (total_return, TotalReturnParams(), "mu", 0.02, (0.02, 0.11)),
    (quality, QualityParams(), "quality", 0.55, (0.30, 0.75)),
    (income, IncomeParams(), "yields", 0.02, (0.0, 0.04)),
]


@pytest.mark.parametrize(("make", "params", "metric", "of_cash", "anchor"), CASES)
def test_the_raw_figure_is_the_sum_with_cash_at_its_own_value(
    context_for, make, params, metric, of_cash, anchor
):
    ctx = context_for(2, **{metric: [0.1, 0.3]})
    term = make(ctx, params)

    value = evaluate([term], {term.name: 1.0}, np.array([0.5, 0.2]), 0.3).terms[0]

    raw = 0.5 * 0.1 + 0.2 * 0.3 + 0.3 * of_cash
    assert value.parts[0].raw == pytest.approx(raw)
    assert value.value == pytest.approx((raw - anchor[0]) / (anchor[1] - anchor[0]))


@pytest.mark.parametrize(("make", "params", "metric"), [case[:3] for case in CASES])
@given(
    low=st.floats(0, 0.5), more=st.floats(1e-6, 0.5), w=st.floats(0, 1), bought=st.floats(1e-3, 1)
)
def test_a_better_input_never_hurts_those_who_hold_or_buy_it(
    context_for, make, params, metric, low, more, w, bought
):
    def values(shares):
        term = make(context_for(2, **{metric: [shares, 0.05]}), params)
        before, after = np.array([w, 0.2]), np.array([w + bought, 0.2])
        return [
            evaluate([term], {term.name: 1.0}, state, 0.8 - state[0]).score
            for state in (before, after)
        ]

    (hold, plan), (hold_better, plan_better) = values(low), values(low + more)

    assert plan_better >= plan
    assert plan_better - hold_better > plan - hold - 1e-12


@pytest.mark.parametrize(
    ("make", "params", "metric"),
    [(quality, QualityParams(), "quality"), (income, IncomeParams(), "yields")],
)
def test_a_neutral_metric_makes_every_state_equal(context_for, make, params, metric):
    term = make(context_for(3, **{metric: {"quality": 0.55, "yields": 0.02}[metric]}), params)

    worth = [
        evaluate([term], {term.name: 1.0}, np.array(w), 1 - sum(w)).score
        for w in ([0, 0, 0], [1, 0, 0], [0.2, 0.5, 0.1])
    ]

    assert worth == pytest.approx([worth[0]] * 3, abs=1e-12)


@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(1, 6), with_targets=st.booleans(),
    more=st.floats(1e-6, 0.3),
)  # fmt: skip
@settings(deadline=None)
@pytest.mark.parametrize("metric", ["mu", "quality", "yields"])
def test_the_whole_score_of_what_holds_a_security_rises_with_its_inputs(
    some_context, terms_of, metric, seed, n, with_targets, more
):
    ctx = some_context(seed, n, with_targets=with_targets)
    now = {
        "mu": ctx.estimates.expected_return, "quality": ctx.quality, "yields": ctx.dividend_yield,
    }[metric].copy()  # fmt: skip
    now[0] += more
    better = some_context(seed, n, with_targets=with_targets, **{metric: now})

    def score(of):
        terms = terms_of(of)
        return evaluate(
            terms, term_weights(of, [term.name for term in terms]), ctx.weights, ctx.cash_weight
        ).score

    assert score(better) >= score(ctx)
