"""Contexts built by hand: only what the score reads has values, the rest is neutral filling.

`context_for` builds one from arrays, `golden` is the file of vectors, `golden_context` one of its
contexts, `some_context` one drawn from a seed, `terms_of` what the registry makes of a context. All
are functions and live for the session, so that hypothesis may use them.
"""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from builders.paths import GOLDEN as golden_folder
from steelyard.estimates.estimate import METRICS, Estimates
from steelyard.estimates.trends import Trends
from steelyard.modules.context import Context, Grouping
from steelyard.modules.registry import Kind, modules
from steelyard.portfolio import BucketState, Security
from steelyard.settings import Groups, Rules, Score

GOLDEN = golden_folder / "scoring_golden.json"


def grouping(dimension, labels_of):
    """labels_of: one tuple of labels per security, empty = spread over all groups present."""
    labels = tuple(sorted({label for own in labels_of for label in own}))
    shares = np.zeros((len(labels_of), len(labels)))
    for i, own in enumerate(labels_of):
        for label in own or labels:
            shares[i, labels.index(label)] = 1 / len(own or labels)
    return Grouping(
        dimension, labels, shares, np.array([bool(own) for own in labels_of], dtype=bool)
    )


def build(
    n,
    *,
    cash=0.1,
    weights=None,
    targets=None,
    mix=None,
    mu=0.065,
    quality=0.55,
    yields=0.02,
    vol=0.25,
    drawdown=0.4,
    correlation=None,
    funds=(),
    sectors=None,
    countries=None,
    score=None,
    groups=None,
):

    def full(values):
        return np.array(np.broadcast_to(np.asarray(values, dtype=float), (n,)))

    held = full(weights) if weights is not None else np.full(n, (1 - cash) / max(n, 1))
    if mix is None:
        base = targets if targets is not None and np.sum(targets) > 0 else np.ones(n)
        mix = np.asarray(base) / max(np.sum(base), 1e-300)
    estimates = Estimates(
        full(mu),
        full(vol),
        full(quality),
        full(drawdown),
        np.eye(n) if correlation is None else np.asarray(correlation, dtype=float),
        0.0,
        {name: np.zeros(n, bool) for name in METRICS},
    )
    yes = np.ones(n, dtype=bool)
    return Context(
        as_of=date(2022, 12, 28),
        base_currency="USD",
        symbols=tuple(f"S{i:02d}" for i in range(n)),
        securities=tuple(Security(f"S{i:02d}", "USD") for i in range(n)),
        holdings=(None,) * n,
        prices=full(10),
        fx=full(1),
        quantities=held * 10_000,
        sellable=held * 10_000,
        weights=held,
        target_weights=None if targets is None else full(targets),
        average_cost=full(np.nan),
        years_held=full(np.nan),
        days_since_bought=full(np.nan),
        days_since_sold=full(np.nan),
        tradable=yes,
        can_buy=yes,
        can_sell=yes,
        is_fund=np.array([i in funds for i in range(n)], dtype=bool),
        dividend_yield=full(yields),
        neutral_mix=full(mix),
        sectors=grouping("sector", sectors or [(f"sector {i % 3}",) for i in range(n)]),
        countries=grouping("country", countries or [(f"country {i % 2}",) for i in range(n)]),
        estimates=estimates,
        cash_weight=cash,
        spendable_weight=cash,
        value=100_000.0,
        min_order_weight=0.005,
        seed=0,
        state=BucketState(),
        rules=Rules(score=score or Score(), groups=groups or Groups()),
        trends=Trends(full(np.nan), full(np.nan)),
    )


def draw(seed, n, *, with_targets, **overrides):
    """A context of n securities: correlated, some funds, some unlabelled, some with two sectors."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, n + 2))
    covariance = factors @ factors.T
    scale = np.sqrt(np.diag(covariance))
    parts = rng.dirichlet(np.ones(n + 1))
    labels = [(), ("sector 0",), ("sector 1",), ("sector 0", "sector 2")]
    options = {
        "cash": float(parts[-1]),
        "weights": parts[:-1],
        "targets": rng.dirichlet(np.ones(n + 1))[:-1] if with_targets else None,
        "mu": rng.uniform(0.03, 0.1, n),
        "quality": rng.uniform(0.2, 0.9, n),
        "yields": rng.uniform(0, 0.06, n),
        "vol": rng.uniform(0.1, 0.6, n),
        "drawdown": rng.uniform(0.1, 0.9, n),
        "correlation": covariance / np.outer(scale, scale),
        "funds": tuple(np.flatnonzero(rng.random(n) < 0.3)),
        "sectors": [labels[k] for k in rng.integers(0, 4, n)],
    }
    return build(n, **(options | overrides))


def from_registry(ctx):
    """What the planner does: every registered term whose needs are met."""
    missing = "target_weights" if ctx.target_weights is None else "no_target_weights"
    return tuple(
        module.call(ctx, module.params())
        for module in modules(Kind.TERM).values()
        if missing not in module.needs
    )


def of_golden(golden, *, with_targets, profile="balanced", **overrides):
    neutral, rows = golden["options"]["neutral"], golden["securities"]

    def known(key, name=None):
        return [neutral[name or key] if row[key] is None else row[key] for row in rows]

    options = {
        "targets": golden["targets"] if with_targets else None,
        "mu": known("mu"),
        "quality": known("quality"),
        "yields": known("yield"),
        "vol": known("vol"),
        "drawdown": known("drawdown"),
        "correlation": golden["correlation"],
        "funds": tuple(i for i, row in enumerate(rows) if row["kind"] == "ETF"),
        "sectors": [tuple(row["industries"]) for row in rows],
        "countries": [tuple(row["countries"]) for row in rows],
        "score": Score(profile=profile),
    }
    return build(len(rows), **(options | overrides))


@pytest.fixture(scope="session")
def context_for():
    return build


@pytest.fixture(scope="session")
def some_context():
    return draw


@pytest.fixture(scope="session")
def terms_of():
    return from_registry


@pytest.fixture(scope="session")
def golden():
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def golden_context():
    return of_golden
