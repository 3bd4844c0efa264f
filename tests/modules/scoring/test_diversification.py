"""Diversification: cash looked through, aims, groups that count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.tables import gradient
from steelyard.modules.scoring.diversification import Params, diversification
from steelyard.modules.terms import end_state
from steelyard.planning.score.model import build_model
from steelyard.planning.score.reference import evaluate
from steelyard.settings import DiversificationParts, Groups, Score

SEEDS = st.integers(0, 2**32 - 1)
ALONE = {"diversification": 1.0}


def of(ctx, w=None, cash=None):
    """Parts by name at an end state, the present one unless given."""
    evaluation = evaluate(
        [diversification(ctx, Params())], ALONE, ctx.weights if w is None else np.array(w),
        ctx.cash_weight if cash is None else cash,
    )  # fmt: skip
    return {part.name: part for part in evaluation.terms[0].parts}


@given(seed=SEEDS, n=st.integers(1, 9), with_targets=st.booleans(), moved=st.floats(-0.5, 0.5))
@settings(deadline=None)
def test_moving_money_between_cash_and_the_neutral_mix_changes_nothing(
    some_context, seed, n, with_targets, moved
):
    ctx = some_context(seed, n, with_targets=with_targets)

    before, after = of(ctx), of(ctx, ctx.weights + moved * ctx.neutral_mix, ctx.cash_weight - moved)

    for name, part in before.items():
        assert after[name].raw == pytest.approx(part.raw, abs=1e-12, rel=0)


@given(seed=SEEDS, n=st.integers(1, 9))
@settings(deadline=None)
def test_on_target_every_part_is_at_its_top_and_pulls_nowhere(some_context, seed, n):
    ctx = some_context(seed, n, with_targets=True)
    term = diversification(ctx, Params())
    at_target = end_state(ctx.target_weights, ctx.target_cash)

    slope = gradient(build_model([term], ALONE), at_target)

    assert slope == pytest.approx(np.zeros(n + 1), abs=1e-12)
    assert all(
        part.scaled == pytest.approx(1, abs=1e-12)
        for part in of(ctx, ctx.target_weights, ctx.target_cash).values()
    )


def test_a_fund_counts_as_several_names(context_for):
    shares, fund = (
        context_for(2, weights=[0.5, 0.5], cash=0.0),
        context_for(2, weights=[0.5, 0.5], cash=0.0, funds=(1,)),
    )

    assert of(shares)["conc"].raw == pytest.approx(-0.5)
    assert of(fund)["conc"].raw == pytest.approx(-0.25 - 0.25 / 10)


def test_one_holding_is_minus_one_in_plain_figures(context_for):
    ctx = context_for(3, weights=[1.0, 0.0, 0.0], cash=0.0, countries=[("US",), ("US",), ("DE",)])

    assert {name: part.raw for name, part in of(ctx).items()} == pytest.approx(
        {"conc": -1, "ind": -1, "country": -1, "rao": -1}
    )


def test_several_sectors_share_the_weight_and_an_unlabelled_security_is_spread_over_all(
    context_for,
):
    ctx = context_for(3, weights=[0.4, 0.4, 0.2], cash=0.0, sectors=[("A",), ("A", "B"), ()])

    # A = .4 + .2 + .1, B = .2 + .1
    assert of(ctx)["ind"].raw == pytest.approx(-(0.7**2 + 0.3**2))


def test_a_grouping_with_one_group_drops_out_and_the_others_take_its_share(context_for):
    ctx = context_for(4, countries=[("US",)] * 4)

    shares = {name: part.share for name, part in of(ctx).items()}

    assert shares == pytest.approx({"conc": 0.35 / 0.85, "ind": 0.25 / 0.85, "rao": 0.25 / 0.85})


def test_if_only_silent_parts_have_a_share_the_term_is_constant(context_for):
    score = Score(diversification_parts=DiversificationParts(conc=0, ind=0, country=1, rao=0))
    ctx = context_for(3, countries=[("US",)] * 3, score=score)

    assert of(ctx)["country"].share == 1
    slope = gradient(
        build_model([diversification(ctx, Params())], ALONE),
        end_state(ctx.weights, ctx.cash_weight),
    )
    assert slope == pytest.approx(np.full(4, slope[0]))


def test_group_targets_are_the_aim_of_their_part_and_only_of_it(context_for):
    sectors = [("A",), ("B",)]
    ctx = context_for(
        2, weights=[0.7, 0.3], cash=0.0, sectors=sectors, groups=Groups(sector={"A": 0.6})
    )
    plain = context_for(2, weights=[0.7, 0.3], cash=0.0, sectors=sectors)

    shares, untold = of(ctx), of(plain)

    # B has no target: 0
    assert shares["ind"].raw == pytest.approx(-(0.1**2 + 0.3**2))
    assert shares["ind"].scaled == pytest.approx(1 + shares["ind"].raw / 0.22)
    assert all(shares[name] == untold[name] for name in ("conc", "country", "rao"))


def test_group_targets_stand_beside_security_targets(context_for):
    ctx = context_for(
        2, targets=[0.5, 0.5], sectors=[("A",), ("B",)], groups=Groups(sector={"A": 0.8, "B": 0.2})
    )

    on_target = of(ctx, [0.5, 0.5], 0.0)

    assert on_target["ind"].raw == pytest.approx(-2 * 0.3**2)
    assert on_target["conc"].scaled == 1


def test_a_target_of_a_group_that_nobody_has_changes_nothing(context_for):
    groups = Groups(sector={"A": 0.6, "B": 0.3})
    more = Groups(sector={"A": 0.6, "B": 0.3, "Nowhere": 0.1})
    sectors = [("A",), ("B",)]

    assert of(context_for(2, sectors=sectors, groups=groups)) == of(
        context_for(2, sectors=sectors, groups=more)
    )


@pytest.mark.parametrize("name", ["conc", "ind", "country", "rao"])
def test_a_part_that_measures_from_an_aim_keeps_its_width(context_for, name):
    plain = {part.name: part for part in diversification(context_for(4), Params()).parts}[name]
    aimed = {
        part.name: part
        for part in diversification(context_for(4, targets=[0.2] * 4), Params()).parts
    }[name]

    assert aimed.hi - aimed.lo == pytest.approx(plain.hi - plain.lo)
    assert aimed.hi == 0


def test_all_cash_is_seen_as_the_neutral_mix(context_for):
    ctx = context_for(4, weights=np.zeros(4), cash=1.0, mix=[0.1, 0.2, 0.3, 0.4])

    assert of(ctx)["conc"].raw == pytest.approx(-(0.01 + 0.04 + 0.09 + 0.16))
