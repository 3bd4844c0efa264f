"""The vectors made before the code: raw figures, terms, scores, slopes, charges, to 1e-6."""

import json

import numpy as np
import pytest

from builders.paths import GOLDEN
from builders.tables import gradient, value
from steelyard.modules.terms import end_state
from steelyard.planning.score.charges import charge_rates
from steelyard.planning.score.model import build_model
from steelyard.planning.score.reference import evaluate
from steelyard.planning.score.weights import term_weights
from steelyard.settings import PROFILES, Groups, Score

VECTORS = json.loads((GOLDEN / "scoring_golden.json").read_text(encoding="utf-8"))
NEAR = {"abs": 1e-6, "rel": 0}
CASES = [pytest.param(case, id=f"{case['name']}-{case['mode']}") for case in VECTORS["cases"]]
SETS = [
    pytest.param(orders, id="+".join(f"{o['symbol']}{o['quantity']}" for o in orders["orders"]))
    for orders in VECTORS["trades"]["sets"]
]


@pytest.fixture(params=CASES)
def case(request):
    return request.param


@pytest.fixture
def scored(golden, golden_context, terms_of, case):
    """(terms, weights, evaluation) of the case under a profile."""

    def under(profile):
        groups = Groups(
            sector=case.get("industry_targets", {}), country=case.get("country_targets", {})
        )
        ctx = golden_context(
            golden, with_targets=case["mode"] == "targets", profile=profile, groups=groups
        )
        terms = terms_of(ctx)
        weights = term_weights(ctx, [term.name for term in terms])
        return terms, weights, evaluate(terms, weights, np.array(case["weights"]), case["cash"])

    return under


def test_the_defaults_are_the_options_of_the_vectors(golden):
    options = golden["options"]
    ours = Score().model_dump(mode="json", by_alias=True)

    shared = {key: value for key, value in options.items() if key in ours}
    assert {key: ours[key] for key in shared} == shared
    assert {name: profile.model_dump() for name, profile in PROFILES.items()} == options["profiles"]
    assert set(options) - set(ours) == {"profiles"}


def test_every_raw_and_scaled_figure_is_reproduced(case, scored):
    _, _, evaluation = scored("balanced")
    parts = {part.name: part for term in evaluation.terms for part in term.parts}

    assert {name: part.raw for name, part in parts.items()} == pytest.approx(case["raw"], **NEAR)
    assert {name: part.scaled for name, part in parts.items()} == pytest.approx(
        case["scaled"], **NEAR
    )


def test_every_term_and_its_bar_is_reproduced(case, scored):
    _, _, evaluation = scored("balanced")

    assert {term.name: term.value for term in evaluation.terms} == pytest.approx(
        case["terms"], **NEAR
    )
    assert {term.name: term.shown for term in evaluation.terms} == pytest.approx(
        case["display"], **NEAR
    )


def test_the_score_of_every_profile_is_reproduced(case, scored):
    assert {name: scored(name)[2].score for name in case["score"]} == pytest.approx(
        case["score"], **NEAR
    )


def test_the_array_form_has_the_same_score_and_the_given_slope(case, scored):
    terms, weights, evaluation = scored("balanced")
    model, z = build_model(terms, weights), end_state(np.array(case["weights"]), case["cash"])

    assert value(model, z) == pytest.approx(evaluation.score, abs=1e-12, rel=0)
    if case.get("gradient_balanced") is not None:  # null at all cash, where volatility has an edge
        assert gradient(model, z) == pytest.approx(np.array(case["gradient_balanced"]), **NEAR)


@pytest.mark.parametrize("orders", SETS)
def test_every_order_set_ends_where_it_must_and_is_charged_what_it_must(
    golden, golden_context, terms_of, orders
):
    trades = golden["trades"]
    ctx = golden_context(golden, with_targets=True, profile=trades["profile"])
    names = [row["symbol"] for row in golden["securities"]]
    start = next(
        case
        for case in golden["cases"]
        if case["name"] == trades["start"] and case["mode"] == trades["mode"]
    )
    terms = terms_of(ctx)
    weights = term_weights(ctx, [term.name for term in terms])
    end, cash, cost = (
        np.array(start["weights"]),
        start["cash"],
        sum(o["cost"] for o in orders["orders"]) / trades["value"],
    )

    for order in orders["orders"]:
        moved = order["quantity"] * order["price"] / trades["value"]
        end[names.index(order["symbol"])] += moved
        cash -= moved
    change = (
        evaluate(terms, weights, end, cash).score
        - evaluate(terms, weights, np.array(start["weights"]), start["cash"]).score
    )
    rates, count = charge_rates(ctx, weights), len(orders["orders"])
    net = change - rates.total(cost, 0.0, count)

    assert end == pytest.approx(np.array(orders["end_weights"]), **NEAR)
    assert (cash, cash - cost) == pytest.approx(
        (orders["end_cash_score"], orders["end_cash_ledger"]), **NEAR
    )
    assert change == pytest.approx(orders["score_change"], **NEAR)
    assert (rates.cost * cost, rates.hurdle * count) == pytest.approx(
        (orders["cost_charge"], orders["hurdle"]), **NEAR
    )
    assert net == pytest.approx(orders["net_improvement"], **NEAR)
    assert ("act" if net >= ctx.score.min_improvement else "hold") == orders["verdict"]


def test_tax_is_charged_for_the_years_it_comes_early(golden, golden_context, terms_of):
    tax = golden["tax"]
    ctx = golden_context(golden, with_targets=True)
    weights = term_weights(ctx, [term.name for term in terms_of(ctx)])

    rates = charge_rates(ctx, weights)

    assert ctx.score.neutral.mu == tax["rate_of_return"]
    assert ctx.score.tax_years == tax["years"]
    assert rates.total(0.0, tax["tax_money"] / tax["value"], 0) == pytest.approx(
        tax["score_charge"], **NEAR
    )
