"""The default estimates by two implementations that share no code: plain Python, and ours.

`builders/plain_score.py` is held to the vectors that were made before either, then made the file
of the default options, and the product is held to that file.
"""

import json

import numpy as np
import pytest

from builders.demo import growth
from builders.paths import GOLDEN
from builders.plain_score import DATES, NEW, OLD, rounded, table, vectors
from steelyard.estimates.estimate import estimate
from steelyard.settings import Score

BEFORE = json.loads((GOLDEN / "scoring_golden.json").read_text(encoding="utf-8"))
DEFAULTS = json.loads((GOLDEN / "defaults_golden.json").read_text(encoding="utf-8"))
NEAR = {"abs": 1e-8, "rel": 0}
TERMS = {
    "total_return": "tr", "diversification": "div", "quality": "q", "stability": "stab",
    "income": "inc", "target_fit": "fit",
}  # fmt: skip

pytestmark = pytest.mark.real_quotes


def distance(ours, theirs, place=""):
    """Largest difference of two nests of numbers over what both have, and where it is."""
    if isinstance(theirs, dict):
        shared = sorted(ours.keys() & theirs.keys())
        each = [distance(ours[key], theirs[key], f"{place}.{key}") for key in shared]
    elif isinstance(theirs, list):
        each = [distance(a, b, place) for a, b in zip(ours, theirs, strict=True)]
    elif isinstance(theirs, str | bool):
        return (0.0 if ours == theirs else np.inf), place
    else:
        return abs(ours - theirs), place
    return max(each, default=(0.0, place))


def test_the_plain_implementation_has_the_figures_that_were_made_before_it():
    plain = vectors(OLD, DATES)

    compared = [
        distance(ours, theirs)
        for part in ("estimators", "demo")
        for ours, theirs in zip(plain[part], BEFORE[part]["cases"], strict=True)
    ]

    assert [(off, where) for off, where in compared if off > 1e-8] == []
    assert len(compared) == 6


def test_the_stored_vectors_are_those_that_the_plain_implementation_makes():
    assert distance(rounded(vectors(NEW, DATES)), DEFAULTS) <= (2e-9, "~")


@pytest.mark.parametrize("case", DEFAULTS["estimators"], ids=lambda case: case["as_of"])
def test_the_default_estimates_are_the_vectors(case):
    dates, closes = table()
    symbols, until = case["symbols"], dates.index(case["as_of"]) + 1
    rows = np.array([closes[symbol][:until] for symbol in symbols], dtype=np.float64).T
    unknown = np.full(len(symbols), np.nan)

    figures = estimate(
        rows, settings=Score(), dividend_yield=unknown, fundamental_quality=unknown,
        stated_return=np.array([case["stated"].get(symbol, np.nan) for symbol in symbols]),
        adjusted=True,
    )  # fmt: skip

    ours = {
        "mu": figures.expected_return, "vol": figures.volatility, "quality": figures.quality,
        "drawdown": figures.drawdown, "corr": figures.correlation,
    }  # fmt: skip
    off = {key: float(np.abs(values - np.array(case[key])).max()) for key, values in ours.items()}
    assert {key: value for key, value in off.items() if value > 1e-8} == {}
    assert figures.shrinkage == pytest.approx(case["delta"], **NEAR)
    lacking = [bool(case["stated"]) and symbol not in case["stated"] for symbol in symbols]
    assert figures.missing["expected_return"].tolist() == lacking


@pytest.mark.parametrize("case", DEFAULTS["demo"], ids=lambda case: case["as_of"])
def test_the_demo_holds_at_the_score_of_the_vectors_under_the_defaults(case):
    for profile, points in case["score"].items():
        hold = growth(case["as_of"], profile, str(case["cash_money"])).planned.score
        assert hold.hold == pytest.approx(points, **NEAR)
        if profile == "balanced":
            raw = {part.name: part.raw_hold for term in hold.terms for part in term.parts}
            assert {TERMS[term.name]: term.hold for term in hold.terms} == pytest.approx(
                case["terms"], **NEAR
            )
            assert raw == pytest.approx(case["raw"], **NEAR)
