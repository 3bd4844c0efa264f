"""Every bound is one: of the root, of any node, from any point, with any multipliers."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from builders.tables import TIE, account_of, brute_force, every_set, table
from builders.worlds import seeds
from steelyard.arrays import PAD, row_sums
from steelyard.ledger import clashes, feasible
from steelyard.modules.tables import NormTable, Tables, evaluate
from steelyard.planning.search.beam import _largest, beam, greedy
from steelyard.planning.search.branch_and_bound import branch_and_bound
from steelyard.planning.search.extend import extend, indicator, with_order
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.relax import (
    ELIMINATED,
    ROUNDS,
    SHIFTS,
    best_additions,
    bounds,
    least_eigenvalue,
    relaxation,
    removable_diagonal,
)
from steelyard.planning.search.root_bound import root_bound

ROUNDING = 1e-11
SEEDS = seeds(40, 150)


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_a_node_is_bounded_from_any_point_and_with_any_multipliers(steps):
    for seed in SEEDS:
        problem = table(seed, orders=8)
        random = np.random.default_rng([seed, steps])
        rows, allowed, room = nodes_of(random, problem, 6)
        mu = random.choice([0.0, 0.01, 0.3, 5.0], (6, len(problem.limits[1])))
        start = random.random((6, problem.m)) if steps > 1 else None

        answer = bounds(relaxation(problem), rows, allowed, room, mu, steps, start)

        assert (answer.mu >= 0).all()
        for k in range(6):
            best, with_each = completions(problem, rows[k], allowed[k], int(room[k]))
            assert answer.bound[k] >= best - ROUNDING, (seed, k)
            assert (answer.with_order[k] >= with_each - ROUNDING).all(), (seed, k)
            assert (answer.with_order[k][~allowed[k]] == -np.inf).all()


def nodes_of(random, problem, count):
    """Random sets in distinct securities, random orders that may join them, random room."""
    rows = every_set(problem.m, problem.depth)
    rows = rows[~clashes(problem.account, rows) & ((rows >= 0).sum(axis=1) < problem.depth)]
    rows = rows[random.integers(0, len(rows), count)]
    allowed = problem.allowed(rows) & (random.random((count, problem.m)) < 0.7)
    return rows, allowed, random.integers(1, 1 + problem.depth - (rows >= 0).sum(axis=1))


def completions(problem, row, allowed, room):
    """The best net of the sets with a row and <= `room` of those allowed, and with each."""
    rows, net = brute_force(problem)
    some = set(row[row >= 0].tolist())
    extra = [set(other[other >= 0].tolist()) - some for other in rows]
    free = set(np.flatnonzero(allowed).tolist())
    fits = [
        some <= set(other.tolist()) and more <= free and len(more) <= room
        for other, more in zip(rows, extra, strict=True)
    ]
    best, with_each = -np.inf, np.full(problem.m, -np.inf)
    for k in np.flatnonzero(fits):
        best = max(best, net[k])
        for j in extra[k]:
            with_each[j] = max(with_each[j], net[k])
    return best, with_each


def test_the_root_bound_is_above_the_best_set_whatever_the_multipliers():
    for seed in SEEDS:
        problem = table(seed, orders=8)
        best = float(brute_force(problem)[1].max())
        random = np.random.default_rng(seed)
        mu = random.exponential(1.0, (5, len(problem.limits[1])))
        rows, allowed = np.full((5, 1), PAD), np.ones((5, problem.m), dtype=bool)

        start = bounds(relaxation(problem), rows, allowed, np.full(5, problem.depth), mu, 1).bound
        root = root_bound(relaxation(problem))

        assert (start >= best - ROUNDING).all(), seed
        assert root.bound >= best - ROUNDING, seed
        assert (root.mu >= 0).all()


def test_the_relaxation_is_exact_on_sets_and_what_is_left_is_positive_semidefinite():
    for seed in SEEDS:
        problem = table(seed, orders=9)
        relaxed = relaxation(problem)
        rows = every_set(problem.m, problem.depth)
        rows = rows[
            ~clashes(replace(problem.account, conflicts=np.zeros((9, 9), dtype=bool)), rows)
        ]
        x = indicator(rows, problem.m)
        squares = Tables(problem.tables.linear, problem.tables.quadratic, ())

        value = x @ relaxed.linear - np.einsum("ki,ij,kj->k", x, relaxed.quadratic, x)

        assert value == pytest.approx(evaluate(squares, rows), abs=1e-12)
        assert np.linalg.eigvalsh(relaxed.quadratic)[0] >= -1e-12 * max(
            1.0, np.abs(relaxed.quadratic).max()
        )


@pytest.mark.parametrize("size", [1, 2, 7, ELIMINATED, ELIMINATED + 3])
def test_an_eigenvalue_is_never_over_the_least_there_is_and_close_under_it(size):
    rng = np.random.default_rng(size)
    for own in (0.0, 0.1, 0.5, 3.0):
        factors = rng.normal(size=(size, 2))
        matrix = factors @ factors.T + own * np.diag(rng.uniform(0.5, 2, size))
        scale = np.sqrt(np.diag(matrix))
        matrix /= np.outer(scale, scale)
        due = max(0.0, np.linalg.eigvalsh(matrix)[0])

        assert due - 1 / SHIFTS**ROUNDS - 1e-8 <= least_eigenvalue(matrix) <= due + 1e-12


def test_of_equals_the_first_are_the_largest():
    values = np.array([1.0, 3.0, 2.0, 3.0, 2.0, -np.inf, 2.0])

    assert sorted(_largest(values, 4).tolist()) == [1, 2, 3, 4]
    assert sorted(_largest(values, 7).tolist()) == list(range(7))


def test_independent_curvature_is_made_linear_whole():
    diagonal = np.array([1.0, 4.0, 0.0, 2.5])

    assert removable_diagonal(np.diag(diagonal)) == pytest.approx(diagonal)
    assert removable_diagonal(np.ones((3, 3))).tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    assert removable_diagonal(np.zeros((2, 2))).tolist() == [0, 0]


def test_the_best_additions_are_the_best():
    for seed in seeds(50, 200):
        random = np.random.default_rng(seed)
        problem = table(seed, orders=6)
        slope = np.where(random.random((3, 6)) < 0.2, -np.inf, random.normal(size=(3, 6)).round(1))
        room = random.integers(1, 5, 3)

        total, chosen, forced = best_additions(problem, slope, room)

        for k in range(3):
            best, with_each = _best_by_trying(problem, slope[k], int(room[k]))
            assert total[k] == pytest.approx(best)
            assert forced[k] == pytest.approx(with_each)
            assert slope[k][chosen[k][chosen[k] >= 0]].sum() == pytest.approx(best)


def _best_by_trying(problem, slope, room):
    free = [j for j in range(problem.m) if np.isfinite(slope[j])]
    best, with_each = 0.0, np.full(problem.m, -np.inf)
    for size in range(1, room + 1):
        for some in itertools.combinations(free, size):
            if len({int(problem.account.security[j]) for j in some}) < size:
                continue
            value = slope[list(some)].sum()
            best = max(best, value)
            with_each[list(some)] = np.maximum(with_each[list(some)], value)
    return best, with_each


def test_an_extension_is_worth_and_allowed_what_the_set_is():
    for seed in SEEDS:
        problem = table(seed, orders=8, depth=4)
        rows = nodes_of(np.random.default_rng(seed), problem, 5)[0]

        answer = extend(problem, rows)

        for k, j in itertools.product(range(5), range(problem.m)):
            longer = with_order(rows, np.array([k]), np.array([j]))
            if j in rows[k]:
                assert not answer.allowed[k, j]
            else:
                assert answer.net[k, j] == pytest.approx(
                    evaluate(problem.tables, longer)[0], abs=1e-9
                )
                assert answer.allowed[k, j] == (
                    not clashes(problem.account, np.append(rows[k], j)[None, :])[0]
                )
                assert answer.feasible[k, j] == feasible(problem.account, longer)[0]


def test_a_set_that_is_exactly_on_a_limit_is_found_whichever_order_joins_last():
    """Sums in another order than the ledger's differ in the last bit: no set is lost by it."""
    due = np.arange(5)
    for seed in seeds(25, 100):
        delta = np.random.default_rng(seed).uniform(0.05, 0.1, 5)
        cap = float(row_sums(delta, due[None, :])[0]) / 2
        problem = Problem(
            Tables(delta, np.zeros((5, 5)), ()),
            account_of(np.arange(5), delta, turnover_cap=cap),
            5,
        )
        assert feasible(problem.account, due[None, :])[0]

        for last in due:
            assert extend(problem, np.append(np.delete(due, last), PAD)[None, :]).feasible[0, last]
        assert branch_and_bound(problem, [], max_nodes=1000).pool.rows[0].tolist() == due.tolist()


def test_the_beam_offers_only_sets_that_may_be_a_plan_each_once():
    for seed in SEEDS:
        problem = table(seed, orders=9)

        for rows in beam(problem, root_bound(relaxation(problem)).mu, 7):
            assert feasible(problem.account, rows).all()
            assert len(np.unique(rows, axis=0)) == len(rows) <= 4 * 7


def test_greed_is_payable_and_never_lowers():
    for seed in SEEDS:
        problem = table(seed, orders=9)

        lists = [greedy(replace(problem, depth=depth)) for depth in range(1, 6)]

        net = [float(evaluate(problem.tables, row)[0]) for row in lists]
        assert all(feasible(problem.account, row)[0] and problem.permits(row)[0] for row in lists)
        assert net[0] >= 0
        assert all(after >= before - 1e-12 for before, after in itertools.pairwise(net))


def test_a_known_root_saves_its_calculation_and_changes_nothing():
    problem = table(41, orders=9)
    root = root_bound(relaxation(problem))

    start, longer = (
        branch_and_bound(problem, [], max_nodes=1000, root=usable) for usable in (root, None)
    )

    assert start.root is root
    assert start.bound == longer.bound
    assert start.pool.rows.tolist() == longer.pool.rows.tolist()


def test_a_limit_that_nothing_uses_costs_nothing():
    """Sales that bring no settled money and cost nothing: the row of cash is all 0."""
    delta = np.full(3, -0.1)
    account = account_of(np.arange(3), delta, cash=0.2, settled_only=True)
    problem = Problem(Tables(np.array([0.02, 0.01, -0.01]), np.zeros((3, 3)), ()), account, 3)

    proof = branch_and_bound(problem, [], max_nodes=100)

    assert proof.proven
    assert proof.bound == pytest.approx(0.03)


def test_the_norm_of_an_account_that_holds_only_cash_is_bounded_from_its_tip():
    """Without risk at the start the slope of the norm is not defined there."""
    delta, spread = np.full(4, 0.1), np.array([0.1, 0.2, 0.3, 0.4])
    norm = NormTable(0.5, 1e-18, np.zeros(4), np.outer(delta * spread, delta * spread))
    problem = Problem(
        Tables(np.full(4, 0.0101), np.zeros((4, 4)), (norm,)), account_of(np.arange(4), delta), 4
    )

    proof = branch_and_bound(problem, [], max_nodes=100)

    assert proof.proven
    assert proof.bound == pytest.approx(float(brute_force(problem)[1].max()), abs=TIE)
