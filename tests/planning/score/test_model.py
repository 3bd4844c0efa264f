"""The array form: concave, equal to the readable reference, its slope that of differences."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.tables import gradient, value
from steelyard.errors import ModuleError, PlanRefused
from steelyard.modules.terms import Linear, Norm, Part, Quadratic, Term, end_state
from steelyard.planning.score.model import Point, build_model
from steelyard.planning.score.reference import evaluate
from steelyard.planning.score.weights import term_weights
from steelyard.settings import Groups

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 9)
GROUPS = st.sampled_from(
    [
        Groups(),
        Groups(sector={"sector 0": 0.6, "sector 1": 0.4}),
        Groups(country={"country 1": 0.7}),
    ]
)


@pytest.fixture(scope="session")
def case(some_context, terms_of):
    """(context, terms, weights, model) of a seed."""

    def made(seed, n, with_targets, groups):
        ctx = some_context(seed, n, with_targets=with_targets, groups=groups)
        terms = terms_of(ctx)
        weights = term_weights(ctx, [term.name for term in terms])
        return ctx, terms, weights, build_model(terms, weights)

    return made


@given(seed=SEEDS, n=SIZES, with_targets=st.booleans(), groups=GROUPS)
@settings(deadline=None)
def test_the_score_is_concave_also_outside_of_real_portfolios(case, seed, n, with_targets, groups):
    *_, model = case(seed, n, with_targets, groups)
    a, b = np.random.default_rng(seed).normal(0, 1, (2, n + 1))

    assert value(model, (a + b) / 2) >= (value(model, a) + value(model, b)) / 2 - 1e-9


@given(seed=SEEDS, n=SIZES, with_targets=st.booleans(), groups=GROUPS)
@settings(deadline=None)
def test_a_point_that_moved_is_the_point_made_there(case, seed, n, with_targets, groups):
    *_, model = case(seed, n, with_targets, groups)
    rng = np.random.default_rng(seed)
    z, d = rng.normal(0, 1, (2, n + 1)) * (rng.random((2, n + 1)) < 0.6)

    moved, there = Point.at(model, z).moved(Point.at(model, d), 0.3), Point.at(model, z + 0.3 * d)

    assert moved.value() == pytest.approx(there.value(), abs=1e-12)
    if min([1.0, *(v for _, _, v in there.norms)]) > 1e-6:
        assert moved.gradient() == pytest.approx(there.gradient(), abs=1e-9)


@given(seed=SEEDS, n=SIZES, with_targets=st.booleans(), groups=GROUPS)
@settings(deadline=None)
def test_every_matrix_is_symmetric_and_positive_semidefinite_and_every_norm_counts_against(
    case, seed, n, with_targets, groups
):
    _, terms, _, model = case(seed, n, with_targets, groups)
    own = [part.shape for term in terms for part in term.parts]
    matrices = [model.curvature, *(V for _, V in model.norms)]
    matrices += [
        s.curvature if isinstance(s, Quadratic) else s.variance
        for s in own
        if not isinstance(s, Linear)
    ]

    for matrix in matrices:
        assert np.allclose(matrix, matrix.T, atol=1e-14)
        assert np.linalg.eigvalsh(matrix)[0] >= -1e-12
    assert all(k >= 0 for k, _ in model.norms)


@given(seed=SEEDS, n=SIZES, with_targets=st.booleans(), groups=GROUPS, all_cash=st.booleans())
@settings(deadline=None)
def test_the_array_form_is_the_readable_reference(case, seed, n, with_targets, groups, all_cash):
    ctx, terms, weights, model = case(seed, n, with_targets, groups)
    w, cash = (np.zeros(n), 1.0) if all_cash else (ctx.weights, ctx.cash_weight)

    assert value(model, end_state(w, cash)) == pytest.approx(
        evaluate(terms, weights, w, cash).score, abs=1e-9, rel=0
    )


@given(seed=SEEDS, n=SIZES, with_targets=st.booleans(), groups=GROUPS)
@settings(deadline=None)
def test_each_part_is_its_own_readable_formula(case, seed, n, with_targets, groups):
    ctx, terms, *_ = case(seed, n, with_targets, groups)
    z = end_state(ctx.weights, ctx.cash_weight)

    for term in terms:
        for part in term.parts:
            alone = build_model(
                [Term(term.name, (Part(part.name, 1.0, 0.0, 1.0, part.raw, part.shape),))],
                {term.name: 1.0},
            )
            assert value(alone, z) == pytest.approx(
                part.raw(ctx.weights, ctx.cash_weight), abs=1e-12, rel=0
            ), part.name


@given(seed=SEEDS, n=SIZES, with_targets=st.booleans(), groups=GROUPS)
@settings(deadline=None)
def test_the_slope_is_what_small_differences_give(case, seed, n, with_targets, groups):
    ctx, *_, model = case(seed, n, with_targets, groups)
    # away from w = 0, where the norm has an edge
    z = end_state(0.5 * ctx.weights + 0.5 / n, 0.1)
    step = 1e-5

    slopes = [
        (value(model, z + step * e) - value(model, z - step * e)) / (2 * step)
        for e in np.eye(n + 1)
    ]

    assert gradient(model, z) == pytest.approx(np.array(slopes), abs=1e-6, rel=1e-6)


def test_the_arrays_cannot_be_written_to(case):
    *_, model = case(1, 3, True, Groups())

    for array in (model.slope, model.curvature, model.norms[0][1]):
        assert not array.flags.writeable


def term(shape):
    return Term("mine", (Part("one", 1.0, 0.0, 1.0, lambda w, cash: 0.0, shape),))


@pytest.mark.parametrize(
    "shape",
    [
        Linear(np.nan, np.ones(3)),
        Linear(0.0, np.array([1.0, np.inf, 0.0])),
        Quadratic(0.0, np.ones(3), np.full((3, 3), np.nan)),
    ],
)
def test_a_part_that_is_not_finite_is_named_and_not_scored(shape):
    with pytest.raises(ModuleError, match=r"mine, part one.*not finite"):
        build_model([term(shape)], {"mine": 1.0})


def test_a_part_of_another_size_is_named_and_not_scored():
    good, bad = term(Linear(0.0, np.ones(3))), term(Norm(np.eye(4)))

    with pytest.raises(ModuleError, match=r"\(4, 4\), where 3"):
        build_model([good, bad], {"mine": 1.0})


def test_without_any_term_nothing_is_planned():
    with pytest.raises(PlanRefused, match="No score term is left"):
        build_model([], {})


def test_each_part_counts_with_weight_and_share_over_the_width_of_its_anchors():
    part = Part("one", 0.5, 1.0, 3.0, lambda w, cash: 5.0, Linear(5.0, np.array([8.0])))

    model = build_model([Term("mine", (part,))], {"mine": 0.4})

    assert model.constant == pytest.approx(0.4 * 0.5 * (5 - 1) / 2)
    assert model.slope == pytest.approx([0.4 * 0.5 * 8 / 2])


def test_building_the_model_costs_little_beside_looping_over_the_portfolio(some_context, terms_of):
    ctx = some_context(0, 25, with_targets=True)
    terms = terms_of(ctx)
    weights = term_weights(ctx, [term.name for term in terms])

    def best_of(action):
        spans = []
        for _ in range(5):
            begin = time.perf_counter()
            action()
            spans.append(time.perf_counter() - begin)
        return min(spans)

    # a ratio within one run, so that a slow machine does not matter: about a half when written
    assert best_of(lambda: build_model(terms, weights)) < 3 * best_of(
        lambda: evaluate(terms, weights, ctx.weights, ctx.cash_weight)
    )


@given(seed=SEEDS, n=SIZES, with_targets=st.booleans(), groups=GROUPS)
@settings(deadline=None)
def test_what_is_separable_can_be_taken_out_of_the_curvature(case, seed, n, with_targets, groups):
    ctx, terms, weights, model = case(seed, n, with_targets, groups)
    own, on_cash = ("target_fit", np.ones(n + 1)) if with_targets else ("cash", np.eye(n + 1)[-1])
    if not with_targets and ((ctx.over_cap > 0) & ctx.can_sell).any():
        on_cash = np.zeros(n + 1)  # what is over its cap counts as cash: none stands alone
    part = next(term for term in terms if term.name == own).parts[0]
    rest = model.curvature - np.diag(model.separable)

    factor = weights[own] * part.share / (part.hi - part.lo)
    assert model.separable == pytest.approx(factor * on_cash, rel=1e-14)
    assert np.linalg.eigvalsh(rest)[0] >= -1e-12 * np.abs(rest).max()
