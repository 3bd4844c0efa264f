"""Bounds and proofs on made problems, against plain enumeration."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.worlds import SOME
from steelyard.arrays import PAD
from steelyard.ledger import Account, feasible
from steelyard.modules.tables import NormTable, Tables, evaluate
from steelyard.planning.search.beam import beam, greedy
from steelyard.planning.search.branch_and_bound import branch_and_bound
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.relax import relaxation
from steelyard.planning.search.root_bound import root_bound

MANY = 100_000
TIE = 1e-9


@st.composite
def problems(draw, *, free=False):
    """Random concave scores, sizes, tight money, conflicts, caps; `free` = none binds."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    m, n = draw(st.integers(1, 9)), draw(st.integers(1, 6))
    security = np.sort(random.integers(0, n, m))
    delta = np.where(random.random(m) < 0.4, -1, 1) * random.choice([0.02, 0.05, 0.1, 0.17], m)
    order = np.lexsort((security, delta > 0))
    security, delta = security[order], delta[order]
    factor = random.normal(size=(n, n)) * draw(st.sampled_from([0.0, 0.5, 2.0]))
    curvature = np.outer(delta, delta) * (factor @ factor.T)[np.ix_(security, security)]
    linear = random.normal(0.01, 0.03, m).round(draw(st.sampled_from([2, 15])))
    norms = ()
    if draw(st.booleans()):
        spread = np.abs(random.normal(0.2, 0.05, n))
        variance = (
            np.outer(delta, delta)
            * (np.outer(spread, spread) * np.where(np.eye(n) > 0, 1, 0.3))[
                np.ix_(security, security)
            ]
        )
        start = 0.03
        norms = (
            NormTable(
                0.4, start, random.normal(0, 0.2, m) * np.sqrt(np.diag(variance) * start), variance
            ),
        )
    conflicts = np.zeros((m, m), dtype=bool)
    if m > 1 and draw(st.booleans()):
        a, b = random.choice(m, 2, replace=False)
        conflicts[a, b] = conflicts[b, a] = True
    cash = 5.0 if free else draw(st.sampled_from([0.01, 0.1, 0.5, -0.1]))
    capped = not free and draw(st.booleans())
    account = Account(
        security=security, delta=delta, cost=np.abs(delta) * 0.002, conflicts=conflicts, cash=cash,
        spendable=cash, reserve=0.02, settled_only=not free and draw(st.booleans()),
        turnover_cap=None if free else draw(st.sampled_from([None, 0.15])),
        group_shares=(security % 2 == 0).astype(float)[:, None] if capped else np.zeros((m, 0)),
        group_weights=np.array([0.3]) if capped else np.zeros(0),
        group_cap=0.35 if capped else None,
    )  # fmt: skip
    return Problem(Tables(linear, curvature, norms), account, draw(st.integers(1, 4)))


def every_set(problem):
    """All feasible sets with their net, and nothing."""
    rows = [
        row
        for size in range(problem.depth + 1)
        for row in itertools.combinations(range(problem.m), size)
    ]
    cells = np.array([[*row, *[PAD] * (problem.depth - len(row))] for row in rows], dtype=np.int64)
    net = np.where(feasible(problem.account, cells), evaluate(problem.tables, cells), -np.inf)
    return cells, net


@SOME
@given(problems())
def test_the_proof_finds_the_best_set_and_every_tie(problem):
    cells, net = every_set(problem)

    proof = branch_and_bound(problem, [], max_nodes=MANY)

    assert proof.stopped is None
    best = max(0.0, float(net.max()))
    assert proof.bound == pytest.approx(best, abs=TIE)
    if best > TIE:
        assert proof.pool.net[0] == pytest.approx(best, abs=1e-12)
        ties = {
            tuple(row)
            for row, value in zip(cells.tolist(), net, strict=True)
            if value >= best - TIE / 2
        }
        assert ties <= {tuple(row) for row in proof.pool.rows.tolist()}


@SOME
@given(problems(), st.integers(1, 3))
def test_a_search_that_is_stopped_never_claims_too_little(problem, nodes):
    _, net = every_set(problem)

    proof = branch_and_bound(problem, [], max_nodes=nodes)

    assert proof.bound >= max(0.0, float(net.max())) - TIE


@SOME
@given(problems())
def test_time_that_is_up_stops_the_search_and_the_bound_still_holds(problem):
    _, net = every_set(problem)

    proof = branch_and_bound(problem, [], max_nodes=MANY, timed_out=lambda: True)

    assert proof.stopped in {None, "seconds"}
    assert proof.bound >= max(0.0, float(net.max())) - TIE


@SOME
@given(problems())
def test_the_root_bound_is_a_bound(problem):
    _, net = every_set(problem)

    root = root_bound(relaxation(problem))

    assert root.bound >= max(0.0, float(net.max())) - TIE
    assert (root.mu >= 0).all()


@SOME
@given(problems(), st.sampled_from([1, 3, 20]))
def test_what_the_beam_and_the_greedy_list_offer_may_be_a_plan(problem, width):
    mu = root_bound(relaxation(problem)).mu
    offered = [*beam(problem, mu, width), greedy(problem)]

    for rows in offered:
        assert rows.shape[1] == problem.depth
        assert feasible(problem.account, rows).all()


@SOME
@given(problems(free=True))
def test_a_wide_beam_finds_the_best_of_small_problems_that_money_does_not_bind(problem):
    _, net = every_set(problem)

    proof = np.concatenate(
        [*beam(problem, root_bound(relaxation(problem)).mu, 1000), greedy(problem)]
    )

    assert evaluate(problem.tables, proof).max(initial=0.0) >= net.max() - TIE


@SOME
@given(problems())
def test_a_row_predicate_is_never_broken_and_the_best_permitted_set_is_found(problem):
    def permit(rows):
        return ~(rows == 0).any(axis=1)

    ruled = Problem(problem.tables, problem.account, problem.depth, (permit,))
    cells, net = every_set(problem)
    permitted = np.where(permit(cells), net, -np.inf)

    proof = branch_and_bound(ruled, [cells[-1:]], max_nodes=MANY)

    assert permit(proof.pool.rows).all()
    assert proof.pool.net[:1].max(initial=0.0) == pytest.approx(
        max(0.0, float(permitted.max())), abs=TIE
    )


@SOME
@given(problems(), st.randoms(use_true_random=False))
def test_the_seeds_change_nothing_but_the_work(problem, random):
    cells, _ = every_set(problem)
    some = cells[sorted(random.sample(range(len(cells)), min(3, len(cells))))]

    with_seeds, without = (
        branch_and_bound(problem, [some], max_nodes=MANY),
        branch_and_bound(problem, [], max_nodes=MANY),
    )

    assert with_seeds.bound == pytest.approx(without.bound, abs=TIE)
    if len(without.pool.net) and without.pool.net[0] > TIE:
        assert with_seeds.pool.rows[0].tolist() == without.pool.rows[0].tolist()
