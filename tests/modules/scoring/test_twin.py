"""Every formula of a score term again, in plain loops as `docs/scoring.md` writes it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.tables import gradient
from steelyard import arrays
from steelyard.arrays import Factored, dense
from steelyard.modules import contract_terms
from steelyard.modules.terms import end_state
from steelyard.planning.score.model import build_model
from steelyard.planning.score.weights import term_weights
from steelyard.settings import Groups

GROUPS = st.sampled_from(
    [
        Groups(),
        Groups(sector={"sector 0": 0.6, "sector 1": 0.4}),
        Groups(country={"country 1": 0.7}),
    ]
)


def plain(ctx, w, cash):
    """Part name -> raw figure."""
    some = range(ctx.n)
    estimates, correlation = ctx.estimates, ctx.estimates.correlation
    u = [w[i] + cash * ctx.neutral_mix[i] for i in some]
    aims = [0.0 if ctx.target_weights is None else ctx.neutral_mix[i] for i in some]
    names = [ctx.score.fund_names if ctx.is_fund[i] else 1.0 for i in some]
    off = [u[i] - aims[i] for i in some]
    neutral = ctx.score.neutral
    figures = {
        "conc": -math.fsum(off[i] ** 2 / names[i] for i in some),
        "rao": -math.fsum(off[i] * correlation[i][j] * off[j] for i in some for j in some),
        "ind": -by_group(ctx.sectors, ctx.groups.sector, u, aims),
        "country": -by_group(ctx.countries, ctx.groups.country, u, aims),
        "vol": -math.sqrt(
            max(
                1e-18,
                math.fsum(
                    w[i]
                    * estimates.volatility[i]
                    * correlation[i][j]
                    * estimates.volatility[j]
                    * w[j]
                    for i in some
                    for j in some
                ),
            )
        ),
        "dd": -math.fsum(w[i] * estimates.drawdown[i] for i in some),
        "q": math.fsum(w[i] * ctx.quality[i] for i in some) + cash * neutral.quality,
    }
    if ctx.target_weights is not None:
        misses = [(w[i] - ctx.target_weights[i]) ** 2 for i in some]
        figures["fit"] = -math.fsum([*misses, (cash - ctx.target_cash) ** 2])
    return figures


def by_group(grouping, targets, u, aims):
    """Sum over the groups of (share - target)^2."""
    total = []
    for g, label in enumerate(grouping.labels):
        share = math.fsum(u[i] * row[g] for i, row in enumerate(grouping.shares))
        aim = math.fsum(aims[i] * row[g] for i, row in enumerate(grouping.shares))
        total.append((share - (targets.get(label, 0.0) if targets else aim)) ** 2)
    return math.fsum(total)


@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(1, 12), with_targets=st.booleans(), groups=GROUPS,
    scale=st.sampled_from([1.0, 0.1, 3.0]),
)  # fmt: skip
@settings(deadline=None)
def test_every_part_is_its_formula_in_plain_loops(
    some_context, terms_of, seed, n, with_targets, groups, scale
):
    ctx = some_context(seed, n, with_targets=with_targets, groups=groups)
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.ones(n)) * scale * (rng.random(n) < 0.7)
    cash = 1 - float(w.sum())
    due = plain(ctx, w.tolist(), cash)

    figures = {part.name: part.raw(w, cash) for term in terms_of(ctx) for part in term.parts}

    assert due.keys() & figures.keys() >= {"conc", "rao", "vol", "dd", "q"}
    for name in due.keys() & figures.keys():
        assert figures[name] == pytest.approx(due[name], abs=1e-12, rel=1e-12), name


@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(1, 12), with_targets=st.booleans(), groups=GROUPS
)  # fmt: skip
@settings(deadline=None)
def test_of_many_securities_the_parts_are_the_same_formulas_over_factors(
    some_context, terms_of, seed, n, with_targets, groups
):
    ctx = some_context(seed, n, with_targets=with_targets, groups=groups)
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.ones(n)) * (rng.random(n) < 0.7)
    cash = 1 - float(w.sum())
    due, few = plain(ctx, w.tolist(), cash), model_of(terms_of(ctx), ctx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "LARGEST_DENSE", n - 1)
        many_ctx = in_factors(ctx)
        terms = [contract_terms.term(many_ctx, t.name, t) for t in terms_of(many_ctx)]
        many = model_of(terms, many_ctx)

    figures = {part.name: part.raw(w, cash) for term in terms for part in term.parts}
    for name in due.keys() & figures.keys():
        # an eigenvalue is right to rounding of the largest, and volatility is a root of such sums
        assert figures[name] == pytest.approx(due[name], abs=3e-8 if name == "vol" else 1e-12)
    z = end_state(w, cash)
    assert isinstance(many.curvature, Factored)
    assert dense(many.curvature) == pytest.approx(few.curvature, abs=1e-11)
    assert dense(many.norms[0][1]) == pytest.approx(few.norms[0][1], abs=1e-11)
    assert np.array_equal(many.separable, few.separable)
    assert many.slope == pytest.approx(few.slope, abs=1e-11)
    assert gradient(many, z) == pytest.approx(gradient(few, z), abs=1e-6)


def in_factors(ctx):
    """The context with the same correlation as factors of both signs."""
    values, vectors = np.linalg.eigh(ctx.estimates.correlation - np.eye(ctx.n) / 2)
    few = Factored(np.full(ctx.n, 0.5), vectors, values)
    return replace(ctx, estimates=replace(ctx.estimates, correlation=few))


def model_of(terms, ctx):
    return build_model(terms, term_weights(ctx, [term.name for term in terms]), ctx.n + 1)
