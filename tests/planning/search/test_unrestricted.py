"""The continuous optimum: a bound that nothing exceeds, close to that of another solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.tables import value
from builders.worlds import SOME
from steelyard.planning.score.model import ScoreModel
from steelyard.planning.search.unrestricted import GAP, Room, best_vertex, unrestricted


def instance(seed: int, n: int = 6, tight: bool = True) -> tuple[ScoreModel, np.ndarray, Room]:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(n)) * (0.97 if tight else 0.6)
    start = np.append(weights, 1 - weights.sum())
    factors = rng.normal(size=(n + 1, 3)) * 0.5
    factors[-1] = 0
    curvature = np.eye(n + 1) * rng.uniform(0.5, 5) + factors @ factors.T
    goal = np.append(rng.dirichlet(np.ones(n)) * 0.95, 0.05)
    slope = 2 * curvature @ goal + rng.normal(size=n + 1) * 0.2
    spread = rng.normal(size=(n + 1, 4)) * 0.1
    spread[-1] = 0
    model = ScoreModel(0.3, slope, curvature, ((rng.uniform(0, 1), spread @ spread.T),))
    rate = np.full(n, 0.003)
    size = np.concatenate([rng.uniform(0, 0.3, n), weights * rng.integers(0, 2, n)])
    return (
        model,
        start,
        Room(
            size, np.concatenate([1 + rate, rate - 1]), np.full(2 * n, 0.01),
            max(0.0, start[-1] - 0.02),
        ),
    )  # fmt: skip


HALF_A_POINT = 0.005


def payable(room: Room, trade: np.ndarray) -> bool:
    return bool(
        (trade >= -1e-12).all()
        and (trade <= room.size + 1e-12).all()
        and room.use @ trade <= room.cash + 1e-9
    )


@SOME
@given(st.integers(0, 10_000), st.booleans())
def test_no_payable_trade_exceeds_the_bound(seed, tight):
    model, start, room = instance(seed, tight=tight)
    free = unrestricted(model, start, room)
    rng = np.random.default_rng(seed + 1)
    n = len(start) - 1

    for _ in range(50):
        trade = rng.random(2 * n) * room.size
        trade *= rng.random()
        if payable(room, trade):
            change = trade[:n] - trade[n:]
            after = start + np.append(change, -change.sum())
            assert (
                value(model, after) - value(model, start) - room.charge @ trade
                <= free.bound + 1e-12
            )


@SOME
@given(st.integers(0, 10_000))
def test_the_best_vertex_is_payable_and_no_random_trade_beats_it(seed):
    _, start, room = instance(seed)
    rng = np.random.default_rng(seed)
    slope = rng.normal(size=2 * (len(start) - 1))

    best = best_vertex(slope, room)

    assert payable(room, best)
    for _ in range(50):
        trade = rng.random(len(slope)) * room.size
        if payable(room, trade):
            assert slope @ trade <= slope @ best + 1e-12


def test_most_instances_close_their_gap_and_all_come_near():
    gaps = [
        free.bound - free.net for free in (unrestricted(*instance(seed)) for seed in range(100))
    ]

    assert np.median(gaps) <= 10 * GAP
    assert max(gaps) <= HALF_A_POINT


def test_nothing_to_trade_gains_nothing():
    model, start, room = instance(3)

    free = unrestricted(
        model, start, Room(np.zeros_like(room.size), room.use, room.charge, room.cash)
    )

    assert (free.net, free.bound) == (0.0, 0.0)
    assert free.weights == pytest.approx(start[:-1])


def test_an_empty_portfolio_has_an_answer():
    model = ScoreModel(0.0, np.array([0.5]), np.array([[1.0]]), ())

    free = unrestricted(model, np.array([1.0]), Room(np.zeros(0), np.zeros(0), np.zeros(0), 0.9))

    assert (free.net, free.bound, len(free.weights)) == (0.0, 0.0, 0)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(40))
def test_clarabel_finds_the_same_optimum(seed):
    import clarabel
    from scipy import sparse

    model, start, room = instance(seed)
    n = len(start) - 1
    k, variance = model.norms[0]
    B = np.vstack([np.hstack([np.eye(n), -np.eye(n)]), np.append(-np.ones(n), np.ones(n))])
    # maximise slope.z - z'Hz - k t - charge.x with z = z0 + Bx, |Lz| <= t
    quadratic = sparse.csc_matrix(
        np.triu(
            np.block(
                [[2 * B.T @ model.curvature @ B, np.zeros((2 * n, 1))], [np.zeros((1, 2 * n + 1))]]
            )
        )
    )
    linear = np.append(-(B.T @ (model.slope - 2 * model.curvature @ start)) + room.charge, k)
    values, vectors = np.linalg.eigh(variance)
    root = (vectors * np.sqrt(np.maximum(values, 0))).T
    A = sparse.csc_matrix(
        np.vstack(
            [
                np.hstack([np.eye(2 * n), np.zeros((2 * n, 1))]),
                np.hstack([-np.eye(2 * n), np.zeros((2 * n, 1))]),
                np.append(room.use, 0)[None, :],
                np.append(np.zeros(2 * n), -1)[None, :],
                np.hstack([-root @ B, np.zeros((n + 1, 1))]),
            ]
        )
    )
    b = np.concatenate([room.size, np.zeros(2 * n), [room.cash], [0.0], root @ start])
    cones = [clarabel.NonnegativeConeT(4 * n + 1), clarabel.SecondOrderConeT(n + 2)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False

    solution = clarabel.DefaultSolver(quadratic, linear, A, b, cones, settings).solve()

    x = np.array(solution.x)[:-1]
    best = value(model, start + B @ x) - value(model, start) - room.charge @ x
    free = unrestricted(model, start, room)
    assert free.net - 1e-7 <= best <= free.bound + 1e-7
