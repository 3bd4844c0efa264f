"""Random instances: a function of shape and seed, with every constraint able to bind."""

import dataclasses

import numpy as np
import pytest
from benchmarks.instances import Instance, Shape, brute_force, every_set, instance, random_rows
from benchmarks.search import (
    CLASSES,
    Class,
    Solved,
    capped_enumeration,
    gap,
    greed,
    outcome,
    search,
)

from builders.tables import value
from steelyard.ledger import feasible

SMALL = Shape(6, 14, 4)
SHAPES = [
    SMALL, dataclasses.replace(SMALL, tight_cash=True), dataclasses.replace(SMALL, caps=True),
    dataclasses.replace(SMALL, conflicts=True),
    dataclasses.replace(SMALL, tight_cash=True, caps=True, conflicts=True),
]  # fmt: skip
SEEDS = range(10)


def after(problem: Instance, row: np.ndarray) -> np.ndarray:
    """z after the orders of one row."""
    z = problem.start.copy()
    for j in row[row >= 0]:
        z[problem.account.security[j]] += problem.account.delta[j]
        z[-1] -= problem.account.delta[j]
    return z


def test_the_same_shape_and_seed_give_the_same_arrays_and_another_seed_others():
    first, same, other = (instance(SMALL, seed) for seed in (3, 3, 4))

    assert np.array_equal(first.tables.linear, same.tables.linear)
    assert np.array_equal(first.account.delta, same.account.delta)
    assert not np.array_equal(first.account.delta, other.account.delta)


def test_the_collapsed_score_is_that_of_the_end_state_less_charges():
    for shape in SHAPES:
        problem = instance(shape, 1)
        rows = every_set(shape.m, shape.depth)[::37]
        hold, nets = value(problem.model, problem.start), problem.net(rows)
        for row, net in zip(rows[np.isfinite(nets)], nets[np.isfinite(nets)], strict=True):
            chosen = row[row >= 0]
            cost = float(problem.account.cost[chosen].sum())
            gain = value(problem.model, after(problem, row)) - hold
            charge = problem.rates.total(cost, 0.0, len(chosen))
            assert net == pytest.approx(gain - charge, abs=1e-10), shape


def test_a_table_lists_sells_first_and_never_sells_more_than_is_held():
    for kind in [kind.shape for kind in CLASSES] + SHAPES:
        problem = instance(kind, 0)
        delta, security = problem.account.delta, problem.account.security
        assert len(delta) == kind.m
        assert np.all(np.diff(delta > 0) >= 0)
        assert np.all(delta[delta < 0] >= -problem.world.weights[security[delta < 0]] - 1e-15)
        assert max(np.unique(security, return_counts=True)[1]) <= kind.sizes


def test_the_score_is_concave():
    problem = instance(Shape(20, 40, 4), 0)

    assert np.linalg.eigvalsh(problem.model.curvature)[0] > -1e-12
    assert all(k >= 0 and np.linalg.eigvalsh(V)[0] > -1e-12 for k, V in problem.model.norms)


def test_each_constraint_forbids_sets_that_the_plain_instance_allows():
    rows = every_set(SMALL.m, SMALL.depth)

    def allowed(shape):
        return sum(int(feasible(instance(shape, seed).account, rows).sum()) for seed in SEEDS)

    without = allowed(SMALL)
    for shape in SHAPES[1:]:
        assert 0 < allowed(shape) < 0.98 * without, shape


def test_brute_force_is_at_least_every_other_search():
    problems = [instance(shape, seed) for shape in SHAPES for seed in SEEDS]

    ahead = []
    for problem in problems:
        net, row = brute_force(problem)
        ahead.append(net - capped_enumeration(problem).net)
        assert not row or net == pytest.approx(problem.net(np.array([row]))[0])

    assert min(ahead) >= -1e-12
    assert max(ahead) > 1e-6


def test_every_set_holds_each_combination_once_and_refuses_too_many():
    rows = every_set(7, 3)

    assert len(rows) == 1 + 7 + 21 + 35
    assert len({tuple(row) for row in rows.tolist()}) == len(rows)
    with pytest.raises(ValueError, match="brute force stops"):
        every_set(60, 6)


def test_a_shape_with_more_orders_than_sizes_is_refused():
    with pytest.raises(ValueError, match="9 orders cannot be in 2 securities"):
        instance(Shape(2, 9, 3), 0)


def test_random_rows_are_distinct_orders_in_ascending_order():
    rows = random_rows(8, 5, 1000, seed=0)

    assert rows.min() == 0
    assert rows.max() == 7
    assert np.all(np.diff(rows, axis=1) > 0)


def test_the_search_proves_what_brute_force_finds():
    for shape in SHAPES:
        for seed in SEEDS:
            problem = instance(shape, seed)
            answer, best = search(problem), brute_force(problem)[0]
            assert answer.net == pytest.approx(best, abs=1e-9)
            assert answer.bound == pytest.approx(best, abs=1e-9)
            assert greed(problem).net <= best + 1e-12


def test_an_outcome_counts_proofs_and_states_gaps_as_shares_of_the_improvement():
    kind = Class("small", SMALL, aim=0.01, count=3)

    proven = outcome(kind)
    half = outcome(kind, lambda p: Solved(brute_force(p)[0] / 2, brute_force(p)[0]))
    unknown = outcome(kind, capped_enumeration)

    assert (proven.proven, proven.gaps) == (3, (0.0, 0.0, 0.0))
    assert (half.proven, half.gaps) == (0, pytest.approx((0.5, 0.5, 0.5)))
    assert (unknown.proven, unknown.gaps) == (0, (np.inf, np.inf, np.inf))
    assert unknown.enumeration == (0.0, 0.0, 0.0)
    assert gap(0.0, 0.0) == 0.0
