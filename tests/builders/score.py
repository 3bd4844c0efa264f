"""Contexts built by hand: only what the score reads has values, the rest is neutral filling.

`context_for` builds one from arrays, `golden` is the file of vectors, `golden_context` one of its
contexts, `some_context` one drawn from a seed, `terms_of` what the registry makes of a context. All
are functions and live for the session, so that hypothesis may use them.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from builders.context import context
from builders.paths import GOLDEN as golden_folder
from steelyard.modules.registry import Kind, modules
from steelyard.settings import Groups, Score

GOLDEN = golden_folder / "scoring_golden.json"


def build(n, *, cash=0.1, weights=None, funds=(), sectors=None, countries=None, groups=None, **own):
    """A context of n securities S00, S01, …: `funds` are numbers, labels are tuples."""
    symbols = [f"S{i:02d}" for i in range(n)]
    targets = own.get("targets")
    if "mix" not in own and targets is not None and np.sum(targets) > 0:
        own["mix"] = np.asarray(targets) / np.sum(targets)
    renamed = {"mu": "expected_return", "yields": "dividend_yield", "vol": "volatility"}
    groups = groups or Groups()
    return context(
        " ".join(symbols),
        **{"mix": 1 / max(n, 1), "correlation": np.eye(n), "prices": 10.0}
        | {renamed.get(name, name): values for name, values in own.items()},
        cash=cash,
        weights=np.full(n, (1 - cash) / max(n, 1)) if weights is None else weights,
        funds=" ".join(symbols[i] for i in funds),
        sectors=[";".join(labels) for labels in sectors or [(f"s{i % 3}",) for i in range(n)]],
        countries=[";".join(labels) for labels in countries or [(f"c{i % 2}",) for i in range(n)]],
        sector_targets=groups.sector,
        country_targets=groups.country,
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
        "cash": float(parts[-1]), "weights": parts[:-1],
        "targets": rng.dirichlet(np.ones(n + 1))[:-1] if with_targets else None,
        "mu": rng.uniform(0.03, 0.1, n), "quality": rng.uniform(0.2, 0.9, n),
        "yields": rng.uniform(0, 0.06, n), "vol": rng.uniform(0.1, 0.6, n),
        "drawdown": rng.uniform(0.1, 0.9, n), "correlation": covariance / np.outer(scale, scale),
        "funds": tuple(np.flatnonzero(rng.random(n) < 0.3)),
        "sectors": [labels[k] for k in rng.integers(0, 4, n)],
    }  # fmt: skip
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

    def metric(key):
        return [neutral[key] if row[key] is None else row[key] for row in rows]

    options = {
        "targets": golden["targets"] if with_targets else None, "mu": metric("mu"),
        "quality": metric("quality"), "yields": metric("yield"), "vol": metric("vol"),
        "drawdown": metric("drawdown"), "correlation": golden["correlation"],
        "funds": tuple(i for i, row in enumerate(rows) if row["kind"] == "ETF"),
        "sectors": [tuple(row["industries"]) for row in rows],
        "countries": [tuple(row["countries"]) for row in rows], "score": Score(profile=profile),
    }  # fmt: skip
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
