"""From figures to the choice: dominance, weighted sums, and who may be the plan."""

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builders.changes import USUAL, with_term
from steelyard.modules.terms import BlackBox, Part, Term
from steelyard.planning.modes.judge import rounded
from steelyard.planning.modes.objectives import SIGNS, frontier, values
from steelyard.settings import Evaluation

FIGURES = st.lists(
    st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, 1.0])] * 4), min_size=1, max_size=12
)


def dominates(a, b):
    better = [s * x > s * y for s, x, y in zip(SIGNS, a, b, strict=True)]
    worse = [s * x < s * y for s, x, y in zip(SIGNS, a, b, strict=True)]
    return any(better) and not any(worse)


@given(FIGURES)
def test_the_frontier_is_what_no_other_dominates_each_point_once(rows):
    on = frontier(np.array(rows))

    for k, row in enumerate(rows):
        beaten = any(dominates(other, row) for other in rows)
        assert on[k] == (not beaten and row not in rows[:k])


@given(FIGURES, st.tuples(*[st.floats(0.1, 1)] * 4))
def test_the_chosen_point_has_the_largest_sum_of_scaled_objectives(rows, shares):
    figures, on = np.array(rows), frontier(np.array(rows))
    worth = values(figures, on, np.array(shares))

    points = [row for row, there in zip(rows, on, strict=True) if there]
    assert (np.isfinite(worth) == on).all()
    best = figures[int(worth.argmax())]
    for other in points:  # moving along one objective alone can only lose
        assert not dominates(other, best)
    for a, b in itertools.combinations(np.flatnonzero(on).tolist(), 2):
        scaled = (figures[a] - figures[b]) * SIGNS
        if (scaled >= 0).all():
            assert worth[a] >= worth[b]


def test_figures_are_rounded_to_nine_digits_and_keep_their_sign():
    figures = np.array([[0.0, -123456789.987, 1.00000000049, -1e-300]])
    np.testing.assert_array_equal(rounded(figures), [[0.0, -123456790.0, 1.0, -1e-300]])


def test_a_strategy_of_paths_says_what_was_drawn_and_proves_nothing():
    strategy = replace(USUAL.strategy, evaluation=Evaluation(mode="monte_carlo", paths=500))
    plan = replace(USUAL, strategy=strategy).plan()

    sampled = plan.certificate.sampled
    assert (sampled.paths, sampled.tail) == (500, 0.05)
    assert plan.certificate.status == "bounded"
    assert sampled.mean - sampled.hold_mean > 4 * sampled.standard_error
    assert plan.choice_rule is not None
    assert plan.outlook.fan.points[0].hold_p50 == plan.value


def test_a_black_box_is_asked_once_for_each_list_and_counts_in_every_scenario():
    """It likes CC, whatever prices do: lists that hold it are ahead by that, drawn or not."""
    asked = []

    def liking(ctx, _):
        i = ctx.symbols.index("CC")

        def raw(weights, cash):
            asked.append(weights.tobytes())
            return float(weights[i] > 0)

        return Term("liking", (Part("liking", 1.0, 0.0, 1.0, raw, BlackBox(1.0)),))

    strategy = with_term(USUAL.strategy, "liking", liking, 0.3)
    drawn = replace(strategy, evaluation=Evaluation(mode="monte_carlo", paths=100))
    plan = replace(USUAL, strategy=drawn).plan()

    assert "CC" in {step.symbol for step in plan.steps}
    assert len(asked) < 10 * plan.outlook.compared
