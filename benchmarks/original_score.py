"""The end-state score of the first implementation, as a formula: what its recorded plans were made
for.

Only used to say what our plans are worth under it. Three sums over holdings, weighted by value of
the total (cash counts 0), and a balance of country groups with dividends and quality; balanced
profile:
    .35 total return + .25 diversification + .20 promise + .15 stability + .05 x .5
Rounded to three decimals at the end, as there. `with_groups=False` is the score as that program
computed it after its first simulated trade: it had lost the map from country to group, so that no
group had any weight.
Checked against the recorded scores of its own plans (tests/benchmarks).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

WEIGHTS = {"total_return": 0.35, "diversification": 0.25, "promise": 0.20, "stability": 0.15}
OPINION = 0.05 * 0.5
BEST_RETURN, WIDTH_BELOW, WIDTH_ABOVE, LEAST_RETURN_SCORE = 0.12, 0.06, 0.12, 0.15
WORST_DEVIATION = 0.3

Bands = tuple[tuple[float, float, float, float], ...]
"""(up to, score at `from`, slope, from): the first band whose `up to` is not exceeded counts."""

SORTINO: Bands = (
    (0, 0, 0, 0),
    (1, 0, 0.6, 0),
    (1.5, 0.6, 0.4, 1),
    (2, 0.8, 0.4, 1.5),
    (math.inf, 1, 0, 2),
)
VOLATILITY: Bands = (
    (0.15, 1, 0, 0),
    (0.25, 1, -3, 0.15),
    (0.40, 0.7, -0.4 / 0.15, 0.25),
    (0.60, 0.3, -1, 0.40),
    (math.inf, 0.1, 0, 0),
)
DRAWDOWN: Bands = (
    (0.10, 1, 0, 0),
    (0.20, 1, -2, 0.10),
    (0.30, 0.8, -2, 0.20),
    (0.50, 0.6, -2, 0.30),
    (math.inf, 0.2, -1, 0.50),
)
SHARPE: Bands = (
    (0, 0, 0, 0),
    (0.5, 0, 0.8, 0),
    (1, 0.4, 0.6, 0.5),
    (2, 0.7, 0.3, 1),
    (math.inf, 1, 0, 2),
)


def original_score(
    portfolio: Mapping[str, Any], values: Mapping[str, float], *, with_groups: bool
) -> float:
    """Score 0..1 of holdings.

    portfolio   one of the recorded inputs
    values      symbol -> held value, EUR; weights are of the total before trading, as there
    """
    total = float(portfolio["total_value_eur"])
    owned = {s["symbol"]: s for s in portfolio["securities"] if values.get(s["symbol"], 0) > 0}
    weights = {symbol: values[symbol] / total for symbol in owned}
    parts = {
        "total_return": _weighted(
            weights, {symbol: _total_return(s["metrics"]) for symbol, s in owned.items()}
        ),
        "diversification": (
            _portfolio_score(portfolio, owned, weights, with_groups=with_groups) / 100
        ),
        "promise": _weighted(
            weights, {symbol: _promise(s["metrics"]) for symbol, s in owned.items()}
        ),
        "stability": _weighted(
            weights, {symbol: _stability(s["metrics"]) for symbol, s in owned.items()}
        ),
    }
    return round(min(1.0, sum(WEIGHTS[name] * part for name, part in parts.items()) + OPINION), 3)


def _weighted(weights: Mapping[str, float], scores: Mapping[str, float]) -> float:
    return math.fsum(weight * scores[symbol] for symbol, weight in weights.items())


def _total_return(metrics: Mapping[str, float]) -> float:
    total = metrics["CAGR_5Y"] + metrics["DIVIDEND_YIELD"]
    if total <= 0:
        return LEAST_RETURN_SCORE
    width = WIDTH_BELOW if total < BEST_RETURN else WIDTH_ABOVE
    return LEAST_RETURN_SCORE + (1 - LEAST_RETURN_SCORE) * math.exp(
        -((total - BEST_RETURN) ** 2) / (2 * width**2)
    )


def _promise(metrics: Mapping[str, float]) -> float:
    return (
        0.35 * metrics["CONSISTENCY_SCORE"]
        + 0.25 * metrics["FINANCIAL_STRENGTH"]
        + 0.25 * metrics["DIVIDEND_CONSISTENCY"]
        + 0.15 * _band(SORTINO, metrics["SORTINO"])
    )


def _stability(metrics: Mapping[str, float]) -> float:
    drawdown = max(0.0, _band(DRAWDOWN, abs(metrics["MAX_DRAWDOWN"])))
    return (
        0.5 * _band(VOLATILITY, metrics["VOLATILITY_ANNUAL"])
        + 0.3 * drawdown
        + 0.2 * _band(SHARPE, metrics["SHARPE"])
    )


def _portfolio_score(
    portfolio: Mapping[str, Any],
    owned: Mapping[str, Mapping[str, Any]],
    weights: Mapping[str, float],
    *,
    with_groups: bool,
) -> float:
    """0..100: .4 balance of country groups, .3 dividends, .3 quality."""
    groups = dict.fromkeys(portfolio["country_targets"], 0.0)
    if with_groups:
        for symbol, weight in weights.items():
            groups[portfolio["country_to_group"][owned[symbol]["country"]]] += weight
    deviation: float = sum(
        abs(groups[name] - float(target)) for name, target in portfolio["country_targets"].items()
    ) / len(groups)
    balance = max(0.0, 100 * (1 - deviation / WORST_DEVIATION))
    dividends = min(
        100.0,
        30
        + 1000 * _weighted(weights, {symbol: s["dividend_yield"] for symbol, s in owned.items()}),
    )
    quality = 100 * _weighted(weights, {symbol: s["quality_score"] for symbol, s in owned.items()})
    return round(0.4 * round(balance, 1) + 0.3 * round(dividends, 1) + 0.3 * round(quality, 1), 1)


def _band(bands: Bands, value: float) -> float:
    _, start, slope, since = next(band for band in bands if value <= band[0])
    return start + slope * (value - since)
