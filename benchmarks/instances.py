"""Random candidate tables for the search: the score collapsed onto m orders, and the account that
binds them.

One instance is a function of its shape and seed alone. n securities, m orders, depth d. The score
is of the product's kind and size (balanced profile, targets given, its anchors and charges):
squared deviations from the targets and of sectors, countries and common movement, linear terms, one
volatility over five factors and own noise. Each security of an instance is wanted in several sizes,
of which a plan may take one.

    tight_cash   the account holds hardly more than its reserve: every buy needs a sale
    caps         turnover and group caps low enough to bind
    conflicts    pairs that may not go together

Weights are fractions of pre-trade value. What is random here is made up, so no row says anything of
a real portfolio; only times and gaps of searches over it may be quoted.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from steelyard.arrays import PAD, FloatArray, IntArray, frozen
from steelyard.ledger import Account, feasible
from steelyard.modules.tables import Tables, evaluate
from steelyard.planning.collapse import collapse
from steelyard.planning.score.charges import ChargeRates
from steelyard.planning.score.model import ScoreModel
from steelyard.settings import Costs, Score

HELD, TARGETED = 0.6, 0.6
"""Shares of all securities; who is not held is targeted too."""
VALUE_PER_SECURITY = 2_500.0
CASH, RESERVE, TIGHT_CASH = 0.05, 0.02, 0.021
SECTORS, COUNTRIES, FACTORS = 9, 10, 5
FACTOR_VOLATILITY, OWN_VOLATILITY = (0.16, 0.07, 0.06, 0.05, 0.04), (0.11, 0.27)
MOST_LOTS_PER_SIZE = 4
CONFLICT_SHARE = 0.05
TURNOVER_CAP = 0.6
"""Of what the largest orders of a full-length plan would turn over."""
GROUP_ROOM = 1.02
"""The group cap, over the third largest group."""
MOST_SETS = 3_000_000
"""Brute force refuses more."""

Generator = np.random.Generator


@dataclass(frozen=True, slots=True)
class Shape:
    """What an instance looks like: m orders in n securities, at most `depth` in a plan, `sizes` per
    security.
    """

    n: int
    m: int
    depth: int
    tight_cash: bool = False
    caps: bool = False
    conflicts: bool = False
    sizes: int = 3


@dataclass(frozen=True)
class World:
    """Who is held, wanted and expected to do what.

    weights, targets        (n,)    of value
    cash                            of value
    mu, quality, income, fall (n,)  a year, 0..1, a year, 0..1
    loadings                (n, K)  so that the covariance is loadings loadings' + diag(own ** 2)
    own                     (n,)    volatility of its own, a year
    sectors, countries      (n, g)  one 1 a row
    """

    weights: FloatArray
    targets: FloatArray
    cash: float
    mu: FloatArray
    quality: FloatArray
    income: FloatArray
    fall: FloatArray
    loadings: FloatArray
    own: FloatArray
    sectors: FloatArray
    countries: FloatArray

    @property
    def covariance(self) -> FloatArray:
        """(n, n)"""
        return np.asarray(self.loadings @ self.loadings.T + np.diag(self.own**2))

    @property
    def volatility(self) -> FloatArray:
        """(n,)"""
        return np.asarray(np.sqrt((self.loadings**2).sum(axis=1) + self.own**2))


@dataclass(frozen=True)
class Instance:
    """A table to search, and the score before it was collapsed: `score.value(model, start +
    moves)`.

    start   (n + 1,)  weights and cash of hold
    """

    shape: Shape
    seed: int
    world: World
    model: ScoreModel
    start: FloatArray
    rates: ChargeRates
    tables: Tables
    account: Account

    def collapse(self) -> Tables:
        """The tables once more: what a plan pays before any search."""
        account = self.account
        return collapse(
            self.model,
            self.start,
            account.security,
            account.delta,
            account.cost,
            np.zeros(self.shape.m),
            self.rates,
        )

    def net(self, rows: IntArray) -> FloatArray:
        """(k,) net improvement of each row (k, d), -inf where it may not be a plan."""
        return np.where(feasible(self.account, rows), evaluate(self.tables, rows), -np.inf)


def instance(shape: Shape, seed: int) -> Instance:
    """The instance of that shape and seed; raises ValueError for a shape that no table has."""
    if shape.m > shape.n * shape.sizes or min(shape.n, shape.sizes, shape.depth) < 1:
        raise ValueError(
            f"{shape.m} orders cannot be in {shape.n} securities of at most {shape.sizes} sizes, or"
            " a count is under 1"
        )
    rng = np.random.default_rng(
        [seed, shape.n, shape.m, shape.sizes, shape.tight_cash, shape.caps, shape.conflicts]
    )
    world = _world(shape, rng)
    model, rates, start = score_model(world), _rates(), np.append(world.weights, world.cash)
    security, delta = _orders(shape, world, rng)
    costs, value = Costs(), VALUE_PER_SECURITY * shape.n
    cost = costs.fixed / value + costs.percent * np.abs(delta)
    tables = collapse(model, start, security, delta, cost, np.zeros(shape.m), rates)
    return Instance(
        shape,
        seed,
        world,
        model,
        frozen(start),
        rates,
        tables,
        _account(shape, world, security, delta, cost, rng),
    )


def _world(shape: Shape, rng: Generator) -> World:
    n = shape.n
    cash = TIGHT_CASH if shape.tight_cash else CASH
    owned, targeted = (_some(n, share, rng) for share in (HELD, TARGETED))
    targeted |= ~owned  # so that there is something to do in every security
    raw, aim = np.exp(rng.normal(0, 0.55, n)) * owned, np.exp(rng.normal(0, 0.6, n)) * targeted
    loadings = np.column_stack(
        [rng.uniform(0.6, 1.4, n), rng.normal(0, 1, (n, FACTORS - 1))]
    ) * np.array(FACTOR_VOLATILITY)
    return World(
        weights=frozen((1 - cash) * raw / raw.sum()),
        targets=frozen(0.99 * aim / aim.sum()),
        cash=cash,
        mu=frozen(rng.normal(0.065, 0.01, n)),
        quality=frozen(rng.uniform(0.35, 0.75, n)),
        income=frozen(np.maximum(0.0, rng.normal(0.022, 0.018, n))),
        fall=frozen(rng.uniform(0.2, 0.6, n)),
        loadings=frozen(loadings),
        own=frozen(rng.uniform(*OWN_VOLATILITY, n)),
        sectors=frozen(np.eye(SECTORS)[rng.integers(0, SECTORS, n)]),
        countries=frozen(np.eye(COUNTRIES)[rng.integers(0, COUNTRIES, n)]),
    )


def _some(n: int, share: float, rng: Generator) -> npt.NDArray[np.bool_]:
    """(n,) a share of all, at least one."""
    chosen = np.zeros(n, dtype=np.bool_)
    chosen[rng.permutation(n)[: max(1, round(share * n))]] = True
    return chosen


def coefficients() -> dict[str, float]:
    """Part -> points of score per unit of its raw figure, as the product weighs the parts when
    there are targets.
    """
    settings = Score()
    profile, anchors, of_profile = (
        settings.profile_weights(),
        settings.anchors,
        1 - settings.target_fit_weight,
    )
    spread, calm = (
        settings.diversification_parts.normalised(),
        settings.stability_parts.normalised(),
    )
    weights = {
        "fit": settings.target_fit_weight,
        **{name: of_profile * profile["div"] * share for name, share in spread.items()},
        **{name: of_profile * profile["stab"] * share for name, share in calm.items()},
        **{name: of_profile * profile[name] for name in ("tr", "q", "inc")},
    }
    return {name: _per_unit(weight, getattr(anchors, name)) for name, weight in weights.items()}


def score_model(world: World) -> ScoreModel:
    """The score of a world; constants, which no order changes, are left out."""
    settings, each, n = Score(), coefficients(), len(world.weights)
    mix = world.targets / world.targets.sum()
    seen = np.column_stack([np.eye(n), mix])  # cash looked through into the mix of the targets
    inner = {
        "conc": np.eye(n),
        "ind": world.sectors @ world.sectors.T,
        "country": world.countries @ world.countries.T,
        "rao": world.covariance / np.outer(world.volatility, world.volatility),
    }
    squares = [
        (each["fit"], np.eye(n + 1), np.append(world.targets, 1 - world.targets.sum())),
        *(
            (each[name], seen.T @ matrix @ seen, np.append(mix, 0.0))
            for name, matrix in inner.items()
        ),
    ]
    slope = (
        each["tr"] * np.append(world.mu, settings.risk_free)
        + each["q"] * np.append(world.quality, settings.neutral.quality)
        + each["inc"] * np.append(world.income, settings.neutral.yield_)
        - each["dd"] * np.append(world.fall, 0.0)
    )
    slope = slope + sum(2 * k * matrix @ aim for k, matrix, aim in squares)
    curvature = sum((k * matrix for k, matrix, _ in squares), np.zeros((n + 1, n + 1)))
    variance = np.zeros((n + 1, n + 1))
    variance[:-1, :-1] = world.covariance
    return ScoreModel(
        0.0,
        frozen(slope),
        frozen((curvature + curvature.T) / 2),
        ((each["vol"], frozen(variance)),),
    )


def _per_unit(weight: float, anchor: tuple[float, float]) -> float:
    return weight / (anchor[1] - anchor[0])


def _rates() -> ChargeRates:
    settings = Score()
    lo, hi = settings.anchors.tr
    share = (1 - settings.target_fit_weight) * settings.profile_weights()["tr"]
    per_return = max(share / (hi - lo), settings.min_score_per_return)
    return ChargeRates(
        per_return * settings.cost_aversion / settings.holding_years, 0.0, settings.order_hurdle
    )


def _orders(shape: Shape, world: World, rng: Generator) -> tuple[IntArray, FloatArray]:
    """Securities and signed sizes of m orders: towards the target in whole lots, sells first,
    largest gaps only.
    """
    gaps = world.targets - world.weights
    rows: list[tuple[int, float]] = []
    for i in np.argsort(-np.abs(gaps), kind="stable"):
        lots = int(rng.integers(shape.sizes, MOST_LOTS_PER_SIZE * shape.sizes + 1))
        wholes = [math.ceil(lots * size / shape.sizes) for size in range(shape.sizes, 0, -1)]
        rows += [(int(i), float(gaps[i]) * whole / lots) for whole in wholes]
    # whole securities first, then what is missing to m of the next: the last has fewer sizes
    rows = sorted(rows[: shape.m], key=lambda row: (row[1] > 0, row[0], -abs(row[1])))
    return frozen(np.array([i for i, _ in rows], dtype=np.int64)), frozen(
        np.array([delta for _, delta in rows])
    )


def _account(
    shape: Shape,
    world: World,
    security: IntArray,
    delta: FloatArray,
    cost: FloatArray,
    rng: Generator,
) -> Account:
    shares = (
        np.concatenate([world.sectors, world.countries], axis=1)
        if shape.caps
        else np.zeros((shape.n, 0))
    )
    groups = world.weights @ shares
    conflicts = np.zeros((shape.m, shape.m), dtype=np.bool_)
    if shape.conflicts:
        drawn = np.triu(rng.random((shape.m, shape.m)) < CONFLICT_SHARE, 1) & (
            security[:, None] != security[None, :]
        )
        conflicts = drawn | drawn.T
    largest = np.sort(np.abs(delta))[::-1][: shape.depth]
    return Account(
        security=security,
        delta=delta,
        cost=frozen(cost),
        conflicts=frozen(conflicts),
        cash=world.cash,
        spendable=world.cash,
        reserve=RESERVE,
        settled_only=False,
        turnover_cap=TURNOVER_CAP * float(largest.sum()) / 2 if shape.caps else None,
        group_shares=frozen(shares[security]),
        group_weights=frozen(groups),
        group_cap=GROUP_ROOM * float(np.sort(groups)[-3]) if shape.caps else None,
    )


@lru_cache(maxsize=4)
def every_set(m: int, depth: int) -> IntArray:
    """(k, depth) every set of at most `depth` of m orders, the empty one first.

    Raises ValueError over `MOST_SETS`.
    """
    count = sum(math.comb(m, size) for size in range(depth + 1))
    if count > MOST_SETS:
        raise ValueError(
            f"{count:,d} sets of at most {depth} of {m} orders; brute force stops at {MOST_SETS:,d}"
        )
    rows = np.full((count, depth), PAD, dtype=np.int64)
    at = 1
    for size in range(1, depth + 1):
        block = np.fromiter(
            itertools.chain.from_iterable(itertools.combinations(range(m), size)), dtype=np.int64
        ).reshape(-1, size)
        rows[at : at + len(block), :size] = block
        at += len(block)
    return frozen(rows)


def brute_force(problem: Instance) -> tuple[float, tuple[int, ...]]:
    """The best net improvement and its set, by trying all: 0 and the empty set if nothing improves.

    Raises ValueError over `MOST_SETS` sets.
    """
    rows = every_set(problem.shape.m, problem.shape.depth)
    net = problem.net(rows)
    best = int(np.argmax(net))
    return float(net[best]), tuple(int(j) for j in rows[best] if j != PAD)


def random_rows(m: int, depth: int, count: int, seed: int) -> IntArray:
    """(count, depth) sets of exactly `depth` different orders, indices ascending."""
    rng = np.random.default_rng([seed, m, depth])
    drawn = np.sort(rng.integers(0, m - depth + 1, (count, depth)), axis=1)
    return frozen(np.asarray(drawn + np.arange(depth), dtype=np.int64))
