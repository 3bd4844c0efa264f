"""Adaptive: nine variants, each with a portfolio made for it, and what keeps each of them still."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from builders.adaptive import WEAK, WORLDS, adapting
from builders.changes import described, exact, off
from builders.context import candidates, context, orders, with_correlation
from builders.world import world
from steelyard.arrays import PAD
from steelyard.estimates.regime import Regime
from steelyard.ledger import feasible
from steelyard.modules.patterns.adaptive import VARIANTS, adaptive
from steelyard.modules.patterns.adaptive.choices import ALL, Params
from steelyard.modules.registry import Kind
from steelyard.settings import Limits, Score
from steelyard.settings import Regime as RegimeRules

every_variant = pytest.mark.parametrize("name", ALL)


def buys(symbols, *sizes, source="rebalance_buys"):
    return [f"buy {symbol} {size} .9 {source}" for symbol in symbols for size in sizes]


def sales(symbols, *sizes):
    return [f"sell {symbol} {size} .9 rebalance_sells" for symbol in symbols for size in sizes]


ANY_WEIGHT = Limits(max_position_weight=1)
THREE = {"symbols": "A B C", "weights": [0.55, 0.22, 0.08], "limits": ANY_WEIGHT}
FOUR = {"symbols": "A B C D", "funds": "A B C D"}
GAP_BUYS = buys("BC", 0.01, 0.03, 0.06, 0.08)

PORTFOLIOS = {
    # look-through weights US .60, CH .27, JP .13
    "geographic_gap": (
        {
            **THREE,
            "countries": ["US", "CH", "JP"],
            "country_targets": {"US": 0.5, "CH": 0.3, "JP": 0.2},
        },
        GAP_BUYS,
        ["+C 0.06", "+B 0.03"],
    ),
    # look-through weights Tech .60, Energy .27, Health .13
    "sector_gap": (
        {
            **THREE,
            "sectors": ["Tech", "Energy", "Health"],
            "sector_targets": {"Tech": 0.5, "Energy": 0.3, "Health": 0.2},
        },
        GAP_BUYS,
        ["+C 0.06", "+B 0.03"],
    ),
    # CH is .08 under and so is Energy: only C is in both
    "joint_gap": (
        {
            "symbols": "A B C D",
            "weights": [0.56, 0.11, 0.10, 0.11],
            "countries": ["US", "CH", "CH", "US"],
            "sectors": ["Tech", "Tech", "Energy", "Energy"],
            "country_targets": {"US": 0.65, "CH": 0.35},
            "sector_targets": {"Tech": 0.65, "Energy": 0.35},
            "limits": ANY_WEIGHT,
        },
        [
            f"buy {s} {w} .{9 - (s == 'C')} rebalance_buys"
            for s in "BCD"
            for w in (0.02, 0.04, 0.08)
        ],
        ["+C 0.08"],
    ),
    # US .10 over, CH .10 under, no cash to speak of
    "geographic_swap": (
        {
            "symbols": "A B C",
            "weights": [0.30, 0.30, 0.38],
            "countries": ["US", "US", "CH"],
            "country_targets": {"US": 0.5, "CH": 0.5},
            "volatility": 0.10,
        },
        sales("AB", 0.15, 0.09) + buys("C", 0.02, 0.04, 0.08),
        ["-A 0.09", "+C 0.08"],
    ),
    # A is .20 over the cap of .15; E shares its sector, C and D do not
    "concentration_trim": (
        {
            "symbols": "A B C D E",
            "weights": [0.35, 0.14, 0.14, 0.14, 0.14],
            "sectors": ["Tech", "Tech", "Energy", "Health", "Tech"],
            "volatility": 0.10,
        },
        sales("A", 0.30, 0.20, 0.10) + buys("BCDE", 0.01, source="opportunity_buys"),
        ["-A 0.20", "+C 0.01", "+D 0.01", "+B 0.01", "+E 0.01"],
    ),
    # A swings most, D least; the whole swings by more than .15 a year
    "risk_reduction": (
        {**FOUR, "weights": [0.3, 0.3, 0.2, 0.15], "volatility": [0.5, 0.3, 0.2, 0.1]},
        sales("AB", 0.10, 0.05) + buys("CD", 0.05, 0.02, source="opportunity_buys"),
        ["-A 0.05", "+D 0.05"],
    ),
    "quality_upgrade": (
        {**FOUR, "weights": 0.24, "quality": [0.5, 0.3, 0.4, 0.7], "volatility": 0.1},
        sales("ABC", 0.10, 0.05) + buys("AD", 0.05, 0.02, source="opportunity_buys"),
        ["-B 0.05", "+D 0.05"],
    ),
    # the holdings yield .017; only C yields more than .02
    "income_gap": (
        {
            "symbols": "A B C",
            "weights": [0.76, 0.1, 0.04],
            "dividend_yield": [0.015, 0.015, 0.06],
            "funds": "A B C",
            "volatility": 0.1,
        },
        buys("BC", 0.01, 0.02, 0.04, source="opportunity_buys"),
        ["+C 0.04"],
    ),
    # .23 of cash, .02 of it a reserve; B is .12 under its target, C .06
    "cash_drag": (
        {
            "symbols": "A B C",
            "weights": [0.37, 0.2, 0.2],
            "targets": [0.37, 0.32, 0.26],
            "regime": Regime("unknown"),
        },
        buys("BC", 0.03, 0.06, 0.12, source="weight_based"),
        ["+B 0.12", "+C 0.06"],
    ),
}
"""Variant -> options of a context, possible orders, what the variant proposes there."""


def weak(name, *lines, **changes):
    """The portfolio made for a variant, some options changed, perhaps with other orders."""
    options, usual, _ = PORTFOLIOS[name]
    ctx = context(**{**options, **changes})
    return ctx, candidates(ctx, *(lines or usual))


def sized(ctx, table, row):
    """A list of orders as `["-A 0.06", "+B 0.05"]`."""
    return [
        f"{order} {abs(table.delta[j]):.2f}"
        for order, j in zip(orders(ctx, table, [row])[0], row, strict=True)
    ]


def proposed(name, ctx, table, **params):
    return sized(ctx, table, VARIANTS[name](ctx, table, Params(**params)))


@every_variant
def test_each_variant_answers_the_portfolio_made_for_it_and_the_other_eight_do_not(name):
    ctx, table = weak(name)
    answer = PORTFOLIOS[name][2]

    others = {other: sorted(proposed(other, ctx, table)) for other in ALL if other != name}
    alone = adaptive(ctx, table, Params(variants=(name,)))

    assert proposed(name, ctx, table) == answer
    assert len(others) == 8
    assert sorted(answer) not in others.values()
    assert [sized(ctx, table, [j for j in row if j != PAD]) for row in alone[name]] == [answer]
    assert list(alone) == [name]
    assert proposed(name, ctx, replace(table, draws={}, pool=())) == [], "more than may be drawn"


def test_the_pattern_is_all_its_variants_in_their_order():
    ctx, table = weak("joint_gap")

    every = adaptive(ctx, table, Params())

    alone = {name: set(VARIANTS[name](ctx, table, Params())) for name in ALL}
    rows = {name: [set(row) - {PAD} for row in block.tolist()] for name, block in every.items()}
    assert rows == {name: [row] if row else [] for name, row in alone.items()}
    assert list(every) == list(ALL)
    assert sum(map(len, every.values())) == 4


STILL = {
    "geographic_gap": [
        {"country_targets": {}}, {"country_targets": {"US": 0.6, "CH": 0.27, "JP": 0.13}},
        {"country_targets": {"US": 0.57, "CH": 0.289, "JP": 0.141}},
        {"countries": ["US", "US", "US"]}, {"cash": 0.02},
    ],
    "sector_gap": [
        {"sector_targets": {}},
        {"sector_targets": {"Tech": 0.589, "Energy": 0.279, "Health": 0.132}}, {"cash": 0.02},
    ],
    "joint_gap": [
        {"country_targets": {"US": 0.73, "CH": 0.27}},
        {"sector_targets": {"Tech": 0.73, "Energy": 0.27}},
        {"sectors": ["Tech", "Tech", "Tech", "Energy"]},
        {"sectors": ["Tech", "Tech", "", "Energy"]}, {"cash": 0.02},
    ],
    "geographic_swap": [
        {"country_targets": {"US": 0.61, "CH": 0.39}}, {"country_targets": {}},
        {"countries": ["US", "US", "US"]}, {"limits": Limits(funding="settled")}, {"max_depth": 1},
    ],
    "concentration_trim": [{"weights": [0.15, 0.14, 0.14, 0.14, 0.14]}, {"funds": "A"}],
    "risk_reduction": [
        {"volatility": [0.14, 0.12, 0.11, 0.10]}, {"volatility": [0.1, 0.1, 0.3, 0.3]},
        {"volatility": [0.0] * 4}, {"limits": Limits(funding="settled", cash_reserve_weight=0.05)},
        {"max_depth": 1},
    ],
    "quality_upgrade": [
        {"quality": [0.5, 0.51, 0.52, 0.69]}, {"quality": [0.5, 0.5, 0.5, 0.1]},
        {"weights": [0.0] * 4}, {"limits": Limits(funding="settled", cash_reserve_weight=0.04)},
        {"max_depth": 1},
    ],
    "income_gap": [
        {"dividend_yield": [0.02, 0.02, 0.06]}, {"dividend_yield": [0.015, 0.015, 0.02]},
        {"quality": [0.5, 0.5, 0.5]}, {"weights": [0.0] * 3}, {"cash": 0.02},
    ],
    "cash_drag": [
        {"targets": [0.37, 0.25, 0.2]}, {"limits": Limits(cash_reserve_weight=0.18)},
        {"regime": Regime("bear"), "regimes": RegimeRules(bear_cash=0.19)},
    ],
}  # fmt: skip


@every_variant
def test_a_variant_is_still_where_the_portfolio_is_not_weak_or_cannot_be_helped(name):
    answers = [(changes, proposed(name, *weak(name, **changes))) for changes in STILL[name]]

    assert [case for case in answers if case[1]] == []


# Gaps


def test_the_cash_there_is_goes_to_the_gaps_in_proportion():
    # .05 may be spent on gaps of .07 and .03
    for name in ("geographic_gap", "sector_gap"):
        assert proposed(name, *weak(name, cash=0.07)) == ["+C 0.03", "+B 0.01"]


def test_a_buy_that_is_too_dear_does_not_stop_those_after_it():
    lines = ("buy C .07 .9 rebalance_buys", "buy B .03 .9 rebalance_buys")

    assert proposed("geographic_gap", *weak("geographic_gap", *lines, cash=0.08)) == ["+B 0.03"]


def test_the_second_security_of_a_group_gets_what_the_first_leaves():
    ctx, table = weak(
        "geographic_gap", "buy B .08 .9 rebalance_buys", "buy C .08 .8 rebalance_buys",
        "buy C .04 .7 rebalance_buys", weights=[0.6, 0.1, 0.1], countries=["US", "CH", "CH"],
        country_targets={"US": 0.5, "CH": 0.5},
    )  # fmt: skip

    assert proposed("geographic_gap", ctx, table) == ["+B 0.08", "+C 0.08"]
    assert proposed("geographic_gap", *weak("geographic_gap", max_depth=1)) == ["+C 0.06"]


def test_an_order_of_several_sectors_counts_for_each_by_its_share():
    # half of C is Health, .07 under its target: twice as much of C closes the same gap
    ctx, table = weak(
        "sector_gap",
        sectors=["Tech", "Energy", "Health;Tech"],
        sector_targets={"Tech": 0.6, "Energy": 0.27, "Health": 0.13},
    )

    assert proposed("sector_gap", ctx, table) == ["+C 0.08"]


def test_of_several_joint_gaps_the_largest_sum_comes_first_and_none_is_overfilled():
    ctx, table = weak(
        "joint_gap", *buys("BCD", 0.02, 0.06, 0.09), weights=[0.66, 0.05, 0.05, 0.04],
        countries=["US", "CH", "JP", "CH"], sectors=["Tech", "Energy", "Energy", "Energy"],
        country_targets={"US": 0.6, "CH": 0.28, "JP": 0.12},
        sector_targets={"Tech": 0.6, "Energy": 0.4}, limits=ANY_WEIGHT,
    )  # fmt: skip

    # CH is .09 under, JP .02, Energy .11: B takes all of CH, C what is left of Energy
    assert proposed("joint_gap", ctx, table) == ["+B 0.09", "+C 0.02"]


def test_a_swap_moves_no_more_than_the_smaller_gap_takes():
    near = {"country_targets": {"US": 0.567, "CH": 0.433}}
    small = weak("geographic_swap", "sell A .046 .9 x", "buy C .04 .9 x", **near)

    assert proposed("geographic_swap", *weak("geographic_swap", **near)) == []
    assert proposed("geographic_swap", *small) == ["-A 0.05", "+C 0.04"]


# Concentration, risk, quality


def test_the_money_of_a_trim_is_spread_and_takes_nothing_over_the_cap():
    lines = ["sell A .20 .9 rebalance_sells", *buys("BCDE", 0.01, 0.05, 0.09, 0.2, source="x")]
    ctx, table = weak("concentration_trim", *lines, weights=[0.35, 0.14, 0.05, 0.05, 0.14])

    spread = ["-A 0.20", "+C 0.05", "+D 0.05", "+B 0.01", "+E 0.01"]
    assert proposed("concentration_trim", ctx, table) == spread


def test_where_nothing_can_be_bought_a_trim_is_a_sale_alone():
    ctx, table = weak("concentration_trim", "sell A .20 .9 rebalance_sells")

    assert proposed("concentration_trim", ctx, table) == ["-A 0.20"]


def test_in_a_calm_whole_only_a_holding_that_swings_out_of_proportion_is_sold():
    # A and B alike calm, C a fifth of the whole with more than half of the variance
    calm = {"volatility": [0.08, 0.08, 0.30, 0.02], "weights": [0.4, 0.3, 0.2, 0.05]}
    ctx, table = weak(
        "risk_reduction", "sell A .05 .9 x", "sell C .05 .8 x", "buy D .05 .9 x", **calm
    )

    assert proposed("risk_reduction", ctx, table) == ["-C 0.05", "+D 0.05"]
    assert proposed("risk_reduction", ctx, table, risk_share=10.0) == []


def test_what_moves_with_the_rest_is_riskier_than_what_swings_more_alone():
    ctx = context("A B C D", weights=[0.2, 0.2, 0.4, 0.1], volatility=[0.3, 0.32, 0.3, 0.1])
    ctx = with_correlation(ctx, "A B C D", ("A", "C", 0.9), ("A", "B", 0.0), ("B", "C", 0.0))
    table = candidates(ctx, "sell A .05 .8 x", "sell B .05 .9 x", "buy D .05 .9 x")

    assert proposed("risk_reduction", ctx, table) == ["-A 0.05", "+D 0.05"]


def test_a_step_of_quality_of_exactly_the_difference_is_enough():
    # .7 - .5 is .19999999999999996 in floats
    ctx, table = weak("quality_upgrade", quality=[0.6, 0.5, 0.6, 0.7])

    assert proposed("quality_upgrade", ctx, table) == ["-B 0.05", "+D 0.05"]


# Income, cash


def test_the_highest_sound_yield_is_bought_first_and_no_more_than_is_missing():
    ctx, table = weak(
        "income_gap", *buys("BC", 0.01, 0.02, 0.04, 0.06, source="x"),
        dividend_yield=[0.015, 0.05, 0.06], weights=[0.5, 0.0, 0.0], quality=[0.5, 0.55, 0.9],
    )  # fmt: skip

    # .0025 a year is missing: .06 of C brings .0024, which leaves too little for an order
    assert proposed("income_gap", ctx, table) == ["+C 0.06"]
    assert proposed("income_gap", ctx, table, yield_target=0.025) == ["+C 0.06", "+B 0.06"]


def test_cash_is_brought_to_the_reserve_of_the_regime():
    rules = RegimeRules(bull_cash=0.01, sideways_cash=0.1, bear_cash=0.15)

    def cash_after(regime):
        ctx, table = weak("cash_drag", regime=Regime(regime), regimes=rules)
        bought = VARIANTS["cash_drag"](ctx, table, Params())
        return ctx.cash_weight - math.fsum(table.delta[bought])

    after = [cash_after(regime) for regime in ("bull", "sideways", "bear", "unknown")]
    assert after == pytest.approx([0.05, 0.11, 0.17, 0.05])


def test_without_targets_and_gaps_idle_cash_is_spread_evenly():
    ctx = context("A B C", weights=0.2)
    table = candidates(ctx, *buys("ABC", 0.12, 0.2, 0.3, source="x"))

    assert proposed("cash_drag", ctx, table) == ["+A 0.12", "+B 0.12", "+C 0.12"]


# Any portfolio


@given(st.data())
def test_whatever_a_variant_proposes_may_be_a_plan_sells_first_from_what_was_drawn(data):
    symbols = "ABCDE"[: data.draw(st.integers(1, 5))]

    def each(numbers, extra=0):
        n = len(symbols) + extra
        return data.draw(st.lists(numbers, min_size=n, max_size=n))

    raw = each(st.floats(0, 1), extra=1)
    assume(sum(raw) > 0)
    label = st.sampled_from(["", "X", "Y", "X;Y"])
    ctx = context(
        " ".join(symbols),
        weights=[part / sum(raw) for part in raw[:-1]],
        countries=each(label),
        sectors=each(label),
        country_targets={"X": 0.7, "Y": 0.3},
        sector_targets={"X": 0.2, "Y": 0.8},
        volatility=each(st.floats(0.01, 0.9)),
        quality=each(st.floats(0, 1)),
        dividend_yield=each(st.floats(0, 0.1)),
        max_depth=data.draw(st.integers(1, 5)),
        limits=Limits(
            funding=data.draw(st.sampled_from(["proceeds", "settled"])),
            max_turnover_weight=data.draw(st.sampled_from([None, 0.02, 0.1])),
        ),
    )
    side, size = st.sampled_from(["buy", "sell"]), st.sampled_from([0.01, 0.04, 0.1, 0.2])
    lines = data.draw(st.lists(st.tuples(side, st.sampled_from(symbols), size), unique=True))
    table = candidates(ctx, *[f"{s} {name} {w} .5 x" for s, name, w in lines], cost=0.0005)

    drawn = {(int(table.security[j]), bool(table.is_buy[j])) for j in table.pool}
    for variant in VARIANTS.values():
        row = variant(ctx, table, Params())
        bought = [bool(table.is_buy[j]) for j in row]
        assert len(row) <= ctx.search.max_depth
        assert feasible(table.account, np.array([row], dtype=np.int64)).all()
        assert bought == sorted(bought)
        assert {(int(table.security[j]), bool(table.is_buy[j])) for j in row} <= drawn


# Parameters


def test_variants_are_named_once_each_and_at_least_one_maybe_as_a_list_from_toml():
    for variants in ((), ("cash_drag", "cash_drag"), ("cash",), "cash_drag"):
        with pytest.raises(ValidationError):
            Params(variants=variants)
    assert Params(variants=["cash_drag", "joint_gap"]).variants == ("cash_drag", "joint_gap")


# From public inputs


@every_variant
def test_from_public_inputs_a_variant_alone_makes_a_plan_that_no_other_one_makes(name):
    plan = WORLDS[name].planned

    assert plan.verdict.action == "act"
    assert plan.certificate.scope == "proposals"
    assert plan.proposed_by == (f"adaptive.{name}",)
    others = [adapting(WEAK[name], other).plan() for other in ALL if other != name]
    assert set(exact(plan)) not in [set(exact(other)) for other in others]


def test_the_volatility_that_is_too_much_is_that_of_the_profile_unless_it_is_set():
    def reduces(profile, **params):
        # the whole swings by .175 a year
        calmer = {"volatility": [0.375, 0.225, 0.15, 0.075], "score": Score(profile=profile)}
        ctx, table = weak("risk_reduction", **calmer)
        return bool(proposed("risk_reduction", ctx, table, risk_share=20.0, **params))

    profiles = ("conservative", "balanced", "aggressive")
    assert [reduces(profile) for profile in profiles] == [True, True, False]
    assert [reduces(profile, volatility_target=0.18) for profile in profiles] == [False] * 3


def test_without_any_known_yield_income_is_not_looked_for_and_the_plan_says_why():
    of = adapting(world("AA 250 @ 100", "BB 100 @ 100", cash="50000"), "income_gap")
    paying = described(of, dividend_yield={"BB": 0.06})

    def says(plan):
        return [w.message for w in plan.warnings if w.code == "no_yields"]

    nothing = "income_gap of the pattern adaptive finds nothing: no dividend yield is known"
    (message,) = says(of.plan())
    assert nothing in message
    assert "dividend_yield in the securities file" in message
    assert says(paying.plan()) == []
    assert says(off(of, Kind.PATTERN, "adaptive").plan()) == []
