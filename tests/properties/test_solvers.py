"""Second opinions, nightly: SCIP on searches, Clarabel on the relaxation (group `oracles`)."""

import numpy as np
import pytest
from benchmarks.instances import Shape, instance

from steelyard.planning.search.beam import beam, greedy
from steelyard.planning.search.branch_and_bound import branch_and_bound
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.relax import relaxation
from steelyard.planning.search.root_bound import root_bound

SHAPES = (
    Shape(20, 40, 5), Shape(20, 40, 5, tight_cash=True),
    Shape(20, 40, 5, tight_cash=True, caps=True, conflicts=True), Shape(30, 60, 4, caps=True),
    Shape(30, 50, 8, conflicts=True),
)  # fmt: skip
SOLVER = 2e-6
"""What SCIP's tolerances of 1e-6 leave open, in units of score."""
LOOSE = 0.05
"""How much of the improvement the root bound may lose to the optimum of the same relaxation."""

pytestmark = pytest.mark.nightly


def problem_of(shape, seed):
    drawn = instance(shape, seed)
    return Problem(drawn.tables, drawn.account, shape.depth)


def factor(matrix):
    """L with L'L = matrix, for a matrix that is positive semidefinite but for rounding."""
    values, vectors = np.linalg.eigh(matrix)
    rows = values > 1e-14 * values[-1]
    return np.sqrt(values[rows])[:, None] * vectors[:, rows].T


def lifted(norm):
    """L with |L (1, x)|^2 the variance of x."""
    return factor(
        np.block(
            [
                [np.array([[norm.v0]]), norm.linear[None, :] / 2],
                [norm.linear[:, None] / 2, norm.quadratic],
            ]
        )
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(10))
def test_scip_finds_no_better_set(shape, seed):
    problem = problem_of(shape, seed)
    root = root_bound(relaxation(problem))

    proof = branch_and_bound(
        problem, [greedy(problem), *beam(problem, root.mu, 20)], max_nodes=10**6, root=root
    )

    assert proof.proven
    assert proof.bound == pytest.approx(solved_by_scip(problem), abs=SOLVER)


def solved_by_scip(problem):
    import pyscipopt as scip

    model = scip.Model()
    model.hideOutput()
    model.setParam("numerics/feastol", 1e-9)
    model.setParam("limits/gap", 0.0)
    x = [model.addVar(vtype="B") for _ in range(problem.m)]

    def total(numbers, variables):
        return scip.quicksum(float(a) * b for a, b in zip(numbers, variables, strict=True))

    def squares(L):
        """Sum of the squares of L (1, x)."""
        y = [model.addVar(lb=None) for _ in L]
        for row, variable in zip(L, y, strict=True):
            model.addCons(variable == float(row[0]) + total(row[1:], x))
        return scip.quicksum(v * v for v in y)

    curvature = model.addVar(lb=0.0)
    model.addCons(squares(np.pad(factor(problem.tables.quadratic), ((0, 0), (1, 0)))) <= curvature)
    terms = [curvature]
    for norm in problem.tables.norms:
        root = model.addVar(lb=0.0)
        model.addCons(squares(lifted(norm)) <= root * root)
        terms.append(norm.k * (root - float(np.sqrt(norm.v0))))
    model.addCons(scip.quicksum(x) <= problem.depth)
    for use, limit in zip(*problem.limits, strict=True):
        model.addCons(total(use, x) <= float(limit))
    for i, j in zip(*np.nonzero(np.triu(problem.blocked[:-1], 1)), strict=True):
        model.addCons(x[i] + x[j] <= 1)
    value = model.addVar(lb=None)
    model.addCons(value <= total(problem.tables.linear, x) - scip.quicksum(terms))
    model.setObjective(value, "maximize")
    model.optimize()
    assert model.getStatus() == "optimal"
    return model.getObjVal()


@pytest.mark.parametrize("shape", [*SHAPES, Shape(50, 100, 10), Shape(100, 200, 5)])
@pytest.mark.parametrize("seed", range(3))
def test_the_root_bound_is_hardly_above_the_optimum_of_the_relaxation(shape, seed):
    problem = problem_of(shape, seed)
    relaxed = relaxation(problem)

    root = root_bound(relaxed)

    optimum = solved_by_clarabel(relaxed)
    assert optimum - 1e-7 <= root.bound <= optimum * (1 + LOOSE)


def solved_by_clarabel(relaxed):
    """The most over shares 0..1 of orders, one a security, <= `depth`, within linear limits."""
    import clarabel
    from scipy import sparse

    problem, norms = relaxed.problem, relaxed.problem.tables.norms
    A, b = problem.limits
    m, q = problem.m, len(norms)
    one_each = np.eye(len(problem.groups))[problem.place].T
    inequalities = np.vstack([A, one_each, np.ones((1, m)), -np.eye(m)])
    rows = [np.hstack([inequalities, np.zeros((len(inequalities), q))])]
    right = [np.concatenate([b, np.ones(len(one_each)), [problem.depth], np.zeros(m)])]
    cones = [clarabel.NonnegativeConeT(len(inequalities))]
    for k, norm in enumerate(norms):
        L = lifted(norm)
        cone = np.zeros((len(L) + 1, m + q))
        cone[0, m + k], cone[1:, :m] = -1.0, -L[:, 1:]
        rows.append(cone)
        right.append(np.concatenate([[0.0], L[:, 0]]))
        cones.append(clarabel.SecondOrderConeT(len(L) + 1))
    P = np.zeros((m + q, m + q))
    P[:m, :m] = 2 * relaxed.quadratic
    cost = np.concatenate([-relaxed.linear, [norm.k for norm in norms]])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    matrix = sparse.csc_matrix(np.vstack(rows))
    proof = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(P)), cost, matrix, np.concatenate(right), cones, settings
    ).solve()
    assert str(proof.status) == "Solved"
    return -proof.obj_val + sum(norm.k * float(np.sqrt(norm.v0)) for norm in norms)
