"""The search against trying all sets, on random tables; and what must not change its answer."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from builders.tables import TIE, account_of, brute_force, every_set, mirrored, table
from builders.worlds import seeds
from steelyard.arrays import PAD
from steelyard.modules.tables import NormTable, Tables
from steelyard.planning.search import branch_and_bound as searching
from steelyard.planning.search.beam import beam, greedy
from steelyard.planning.search.branch_and_bound import branch_and_bound
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.relax import relaxation
from steelyard.planning.search.root_bound import root_bound

CHUNKS, EACH = 4, len(seeds(125, 500))
"""500 tables, 2,000 nightly."""
MANY = 100_000
ROUNDING = 1e-11


def solve(problem, *, seeded=False, max_nodes=MANY):
    root = root_bound(relaxation(problem))
    seeds = [*beam(problem, root.mu, 5), greedy(problem)] if seeded else []
    return branch_and_bound(problem, seeds, max_nodes=max_nodes, root=root)


def best_of(pool):
    return max(0.0, float(pool.net.max(initial=0.0)))


def tuples(rows):
    return {tuple(row) for row in rows.tolist()}


def wrong(problem, proof):
    """What a proof says that trying all sets does not; None when they agree."""
    rows, net = brute_force(problem)
    best = float(net.max())  # the empty set is among them
    ties = tuples(rows[(net >= best - TIE + ROUNDING) & (rows >= 0).any(axis=1)])
    faults = {
        "not proven": not proof.proven, "best": abs(best_of(proof.pool) - best) > ROUNDING,
        "bound": abs(proof.bound - best) > ROUNDING, "root": proof.root.bound < best - ROUNDING,
        "infeasible": not tuples(proof.pool.rows) <= tuples(rows),
        "ties": best > TIE and not ties <= tuples(proof.pool.rows),
    }  # fmt: skip
    return [name for name, fault in faults.items() if fault] or None


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_search_finds_what_trying_all_sets_finds(chunk):
    seeds = range(chunk * EACH, (chunk + 1) * EACH)

    mismatches = {
        seed: faults
        for seed in seeds
        if (faults := wrong(problem := table(seed), solve(problem, seeded=seed % 3 == 0)))
    }

    assert mismatches == {}


def test_the_random_tables_are_of_every_kind():
    problems = [table(seed) for seed in range(400)]
    answers = [float(brute_force(problem)[1].max()) for problem in problems]

    assert {problem.depth for problem in problems} == {1, 2, 3, 4, 5}
    assert {len(problem.tables.norms) for problem in problems} == {0, 1, 2}
    assert {0, 1, 10} <= {problem.m for problem in problems}
    for kind in (
        [p.account.turnover_cap is not None for p in problems],
        [p.account.group_cap is not None for p in problems],
        [p.account.settled_only for p in problems],
        [p.account.conflicts.any() for p in problems],
        [bool(p.predicates) for p in problems],
        [p.account.cash == 1.0 for p in problems],
        [p.m > len(p.groups) > 0 for p in problems],
        [best > TIE for best in answers],
    ):
        assert 10 < sum(kind) < 390


def test_a_bound_is_never_below_the_best_set_and_never_rises_with_more_nodes():
    for seed in seeds(40, 160):
        problem = table(seed, orders=10)
        best = float(brute_force(problem)[1].max())

        proofs = [solve(problem, max_nodes=nodes) for nodes in (1, 2, 5, 20, MANY)]

        levels = [proof.bound for proof in proofs]
        assert min(levels) >= best - ROUNDING, seed
        assert all(after <= before + ROUNDING for before, after in itertools.pairwise(levels)), seed
        assert all(
            proof.nodes <= nodes for proof, nodes in zip(proofs, (1, 2, 5, 20, MANY), strict=True)
        ), seed
        assert all(
            best_of(proof.pool) == pytest.approx(best, abs=ROUNDING)
            for proof in proofs
            if proof.proven
        ), seed


def test_every_tie_is_returned():
    problem = mirrored(9, 4)

    proof = solve(problem)

    assert wrong(problem, proof) is None
    assert (proof.pool.net >= proof.pool.net[0] - TIE).sum() == 126  # 9 choose 4


def test_of_more_ties_than_a_pool_holds_as_many_as_it_holds_are_returned():
    problem = mirrored(14, 5)  # 2,002 ties

    proof = solve(problem)

    assert proof.proven
    assert len(proof.pool.net) == 1_000
    assert np.ptp(proof.pool.net) <= TIE


@pytest.mark.parametrize("at_once", [1, 7])
def test_how_many_nodes_are_taken_at_once_changes_only_the_work(at_once, monkeypatch):
    for seed in range(40):
        problem = table(seed, orders=9)
        usual = solve(problem)
        with monkeypatch.context() as changed:
            changed.setattr(searching, "NODES_AT_ONCE", at_once)
            other = solve(problem)

        assert other.bound == pytest.approx(usual.bound, abs=ROUNDING)
        assert _winners(other) == _winners(usual)


def test_the_order_of_the_candidates_changes_nothing_but_their_indices():
    random = np.random.default_rng(3)
    for seed in range(60):
        problem = table(seed, orders=9)
        new = random.permutation(problem.m)
        if problem.predicates:
            continue

        usual, other = solve(problem), solve(permuted(problem, new))

        assert other.bound == pytest.approx(usual.bound, abs=ROUNDING)
        back = {tuple(sorted(int(new[j]) for j in row)) for row in _winners(other)}
        assert back == _winners(usual)


def _winners(proof):
    """The sets that are best to the last digits that mean something, without PAD."""
    if best_of(proof.pool) <= TIE:
        return set()
    best = proof.pool.rows[proof.pool.net >= proof.pool.net[0] - ROUNDING]
    return {tuple(j for j in row if j != PAD) for row in best.tolist()}


def permuted(problem, new):
    """Row i of the new table is row new[i] of the old one."""
    tables, account = problem.tables, problem.account
    norms = tuple(
        NormTable(norm.k, norm.v0, norm.linear[new], norm.quadratic[np.ix_(new, new)])
        for norm in tables.norms
    )
    rows = {
        name: getattr(account, name)[new] for name in ("security", "delta", "cost", "group_shares")
    }
    moved = replace(account, conflicts=account.conflicts[np.ix_(new, new)], **rows)
    return Problem(
        Tables(tables.linear[new], tables.quadratic[np.ix_(new, new)], norms), moved, problem.depth
    )


@pytest.mark.parametrize("scale", [1e6, 1e-6])
def test_a_score_on_another_scale_has_the_same_best_set(scale):
    for seed in range(40):
        problem = replace(table(seed, orders=8), predicates=())
        tables = problem.tables
        norms = tuple(replace(norm, k=norm.k * scale) for norm in tables.norms)
        scaled = Problem(
            Tables(tables.linear * scale, tables.quadratic * scale, norms),
            problem.account,
            problem.depth,
        )

        proof = solve(scaled)

        best = float(brute_force(scaled)[1].max())
        assert proof.proven
        assert best_of(proof.pool) == pytest.approx(best, rel=1e-9, abs=1e-15)
        assert proof.root.bound >= best * (1 - 1e-9)


def test_a_row_that_stands_in_the_table_twice_is_taken_once():
    for seed in range(40):
        once = replace(table(seed, orders=6), predicates=())
        twice = permuted(once, np.repeat(np.arange(6), 2))

        assert wrong(twice, solve(twice)) is None
        assert solve(twice).bound == pytest.approx(solve(once).bound, abs=ROUNDING)


def test_orders_of_next_to_nothing_do_no_harm():
    for seed in range(40):
        problem = replace(table(seed, orders=8), predicates=())
        tiny = np.where(np.arange(8) % 3 == 0, 1e-12 / np.abs(problem.account.delta), 1.0)
        tables = problem.tables
        norms = tuple(
            NormTable(norm.k, norm.v0, norm.linear * tiny, norm.quadratic * np.outer(tiny, tiny))
            for norm in tables.norms
        )
        account = replace(
            problem.account, delta=problem.account.delta * tiny, cost=problem.account.cost * tiny
        )
        small = Problem(
            Tables(tables.linear * tiny, tables.quadratic * np.outer(tiny, tiny), norms),
            account,
            problem.depth,
        )

        assert wrong(small, solve(small)) is None


def test_curvature_that_rounding_made_slightly_negative_does_no_harm():
    random = np.random.default_rng(11)
    for seed in range(40):
        problem = replace(table(seed, orders=8), predicates=())
        noise = random.normal(size=(8, 8)) * 1e-15
        tables = replace(
            problem.tables, quadratic=problem.tables.quadratic + noise + noise.T - 1e-15 * np.eye(8)
        )
        noisy = Problem(tables, problem.account, problem.depth)

        assert wrong(noisy, solve(noisy)) is None


def test_curvature_without_the_structure_of_securities_is_searched_all_the_same():
    random = np.random.default_rng(12)
    for seed in range(40):
        problem = replace(table(seed, orders=8), predicates=())
        factors = random.normal(size=(8, 3)) * 0.1
        other = Problem(
            replace(problem.tables, quadratic=factors @ factors.T), problem.account, problem.depth
        )

        assert relaxation(other).linear is other.tables.linear or len(other.groups) == other.m
        assert wrong(other, solve(other)) is None


def test_the_best_permitted_set_is_found_behind_thousands_that_are_not():
    problem = mirrored(14, 5)
    only = every_set(14, 5)[-1]

    ruled = replace(
        problem,
        predicates=(lambda rows: (rows == only).all(axis=1) | ((rows >= 0).sum(axis=1) < 4),),
    )
    proof = solve(ruled)

    assert proof.pool.rows[0].tolist() == only.tolist()
    assert proof.bound == pytest.approx(solve(problem).bound, abs=ROUNDING)


def test_without_orders_doing_nothing_is_proven():
    proof = solve(table(5, orders=0))

    assert (proof.proven, proof.bound, proof.root.bound, len(proof.pool.net)) == (True, 0.0, 0.0, 0)


def test_without_a_way_to_pay_doing_nothing_is_proven():
    problem = Problem(
        Tables(np.array([0.1, 0.2]), np.zeros((2, 2)), ()),
        account_of(np.array([0, 1]), np.full(2, 0.1), cash=0.05),
        2,
    )

    proof = solve(problem)

    assert (proof.proven, proof.bound, len(proof.pool.net)) == (True, 0.0, 0)


def test_selling_everything_is_found_where_it_is_best():
    """The variance at the end is 0 but for rounding, where a root has no slope."""
    random = np.random.default_rng(8)
    weights = random.dirichlet(np.ones(5))
    factors = random.normal(size=(5, 2))
    V = factors @ factors.T + 0.1 * np.eye(5)
    delta = -weights
    norm = NormTable(
        0.5, float(weights @ V @ weights), 2 * delta * (V @ weights), np.outer(delta, delta) * V
    )
    problem = Problem(
        Tables(np.full(5, -1e-3), np.zeros((5, 5)), (norm,)),
        account_of(np.arange(5), delta, cash=0.0),
        5,
    )

    proof = solve(problem)

    assert proof.proven
    assert proof.pool.rows[0].tolist() == [0, 1, 2, 3, 4]
    assert proof.bound >= brute_force(problem)[1].max() - ROUNDING
