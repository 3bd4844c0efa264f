"""Small random tables of every kind that the search may meet; the answers by trying all sets."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import lru_cache

import numpy as np

from steelyard.arrays import PAD
from steelyard.ledger import Account, feasible
from steelyard.modules.tables import evaluate
from steelyard.planning.collapse import collapse
from steelyard.planning.score.charges import ChargeRates
from steelyard.planning.score.model import Point, ScoreModel
from steelyard.planning.search.problem import Problem

TIE = 1e-9
MOST_ORDERS = 10


def table(seed, *, orders=None, depth=None, securities=None):
    """Half are tight in cash; caps, conflicts, predicates, sizes, norms, odd accounts by chance."""
    random = np.random.default_rng(seed)

    def chance(share):
        return bool(random.random() < share)

    n = securities or int(random.integers(1, 8))
    m = int(random.choice([0, 1, *range(2, MOST_ORDERS + 1)])) if orders is None else orders
    all_cash, tight = chance(0.05), seed % 2 == 0
    cash = (
        1.0
        if all_cash
        else random.choice([0.0, 0.005, 0.02])
        if tight
        else random.uniform(0.05, 0.3)
    )
    weights = random.dirichlet(np.ones(n)) * (1 - cash)
    aims = random.dirichlet(np.ones(n)) * random.uniform(0.8, 1.0)
    security, delta = orders_of(random, weights, aims, m)
    model = score_of(random, weights, cash, aims)
    cost = random.choice([0.0, 2e-4]) + random.choice([0.0, 0.002]) * np.abs(delta)
    rates = ChargeRates(random.choice([0.0, 2.0, 5.0]), 0.0, random.choice([0.0, 1e-3]))
    tables = collapse(model, np.append(weights, cash), security, delta, cost, np.zeros(m), rates)
    shares = (
        random.integers(0, 2, (n, int(random.integers(1, 4)))).astype(float)
        if chance(0.3)
        else np.zeros((n, 0))
    )
    conflicts = np.triu(random.random((m, m)) < (0.15 if chance(0.4) else 0.0), 1)
    account = Account(
        security=security,
        delta=delta,
        cost=cost,
        conflicts=conflicts | conflicts.T,
        cash=cash,
        spendable=cash * random.choice([1.0, 1.0, 0.5]),
        reserve=random.choice([0.0, 0.01, 0.04]),
        settled_only=chance(0.15),
        turnover_cap=float(np.abs(delta).sum()) * random.uniform(0.05, 0.4)
        if chance(0.3)
        else None,
        group_shares=shares[security],
        group_weights=weights @ shares,
        group_cap=random.uniform(0.2, 0.7) if shares.shape[1] else None,
    )
    predicates = (
        (at_most_one_of(set(random.permutation(m)[: m // 2].tolist())),) if chance(0.2) else ()
    )
    return Problem(tables, account, depth or int(random.integers(1, 6)), predicates)


def orders_of(random, weights, aims, m):
    """Towards the aim in several sizes, some of them full exits; sells first."""
    security = np.sort(random.integers(0, len(weights), m))
    gap = (aims - weights)[security]
    sizes = gap * random.choice([0.25, 0.5, 0.75, 1.0, 1.3], m)
    exits = (gap < 0) & (random.random(m) < 0.2)
    delta = np.where(
        exits,
        -weights[security],
        np.where(np.abs(sizes) < 1e-4, 1e-4, np.maximum(sizes, -weights[security])),
    )
    order = np.lexsort((security, delta > 0))
    return security[order], delta[order]


def score_of(random, weights, cash, aims):
    """A concave score: squares around aims, groups, factors; up to two norms; maybe no variance."""
    n = len(weights)
    size = random.choice([0.0, 0.2, 1.0, 5.0])
    groups, factors = (
        random.integers(0, 2, (n, 2)),
        random.normal(size=(n + 1, 2)) * random.choice([0.0, 0.5]),
    )
    curvature = size * np.eye(n + 1) + factors @ factors.T
    curvature[:n, :n] += random.choice([0.0, 0.5]) * groups @ groups.T
    slope = 2 * curvature @ np.append(aims, 1 - aims.sum()) + np.append(
        random.normal(0, random.choice([0.0, 0.05, 0.3]), n), 0.0
    )
    return ScoreModel(
        0.0, slope, (curvature + curvature.T) / 2,
        tuple(norm_of(random, n) for _ in range(random.integers(0, 3))),
    )  # fmt: skip


def norm_of(random, n):
    """k and the variance of holdings; cash does not move."""
    common = random.normal(size=(n, 3)) * random.choice([0.0, 0.1])
    variance = np.zeros((n + 1, n + 1))
    variance[:n, :n] = common @ common.T + np.diag(random.random(n) * random.choice([0.0, 0.04]))
    return float(random.choice([0.0, 0.1, 0.5])), (variance + variance.T) / 2


def at_most_one_of(some):
    """A row predicate."""
    few = np.array(sorted(some), dtype=np.int64)
    return lambda rows: np.isin(rows, few).sum(axis=1) <= 1


def value(model, z):
    return Point.at(model, z).value()


def gradient(model, z):
    return Point.at(model, z).gradient()


def mirrored(pairs, depth, *, cash=1.0):
    """`pairs` of like securities, of which half of the best may be bought: many ties."""
    n = pairs
    aims = np.full(n, 1.0 / n)
    model = ScoreModel(0.0, np.append(2 * aims, 0.0), np.diag(np.append(np.ones(n), 0.0)), ())
    delta, security = np.full(n, 0.5 / n), np.arange(n)
    tables = collapse(
        model, np.append(np.zeros(n), 1.0), security, delta, np.zeros(n), np.zeros(n),
        ChargeRates(0.0, 0.0, 0.0),
    )  # fmt: skip
    return Problem(tables, account_of(security, delta, cash=cash), depth)


def account_of(security, delta, *, cash=1.0, **limits):
    """An account where nothing binds but what is said."""
    m = len(security)
    plain = Account(
        security=security, delta=delta, cost=np.zeros(m), conflicts=np.zeros((m, m), dtype=bool),
        cash=cash, spendable=cash, reserve=0.0, settled_only=False, turnover_cap=None,
        group_shares=np.zeros((m, 0)), group_weights=np.zeros(0), group_cap=None,
    )  # fmt: skip
    return replace(plain, **limits)


@lru_cache(maxsize=128)
def every_set(m, depth):
    """(k, depth) all sets of at most `depth` of m orders, the empty one first."""
    rows = [
        (*row, *[PAD] * (depth - size))
        for size in range(min(m, depth) + 1)
        for row in itertools.combinations(range(m), size)
    ]
    return np.array(rows, dtype=np.int64).reshape(len(rows), depth)


def brute_force(problem):
    """All sets that may be a plan, with their net."""
    rows = every_set(problem.m, problem.depth)
    rows = rows[feasible(problem.account, rows) & problem.permits(rows)]
    return rows, evaluate(problem.tables, rows)
