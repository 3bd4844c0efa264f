"""The search on random tables, class by class: what it proves, in how many nodes, and what making
lists alone would miss.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.instances import Instance, Shape, every_set, instance
from steelyard.planning.search.beam import beam, greedy
from steelyard.planning.search.branch_and_bound import branch_and_bound
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.relax import relaxation
from steelyard.planning.search.root_bound import root_bound
from steelyard.settings import Search

POOL, MOST_OF_A_SIDE, SETS = 12, 4, 1_000
"""What the product's generator draws from and how many sets it makes, by default."""
PROOF = 1e-9


@dataclass(frozen=True, slots=True)
class Solved:
    """The best set that a search found, and how much better any set could be.

    net     improvement over hold
    bound   no set is better than this; None = nothing is known
    nodes   None where there are none
    """

    net: float
    bound: float | None = None
    nodes: int | None = None


Solve = Callable[[Instance], Solved]


@dataclass(frozen=True, slots=True)
class Class:
    """Instances of one kind and the time that a proof may take, in seconds; None = no aim."""

    label: str
    shape: Shape
    aim: float | None
    count: int = 12


CLASSES = (
    Class("n=50, m=60, D=5, cash only", Shape(50, 60, 5), 0.025),
    Class("the same, cash tight", Shape(50, 60, 5, tight_cash=True), 0.025),
    Class(
        "the same, all constraints",
        Shape(50, 60, 5, tight_cash=True, caps=True, conflicts=True),
        None,
    ),
    Class("n=200, m=300, D=5, cash only", Shape(200, 300, 5), 0.120),
    Class(
        "the same, all constraints",
        Shape(200, 300, 5, tight_cash=True, caps=True, conflicts=True),
        None,
    ),
    Class("n=50, m=100, D=10", Shape(50, 100, 10), 1.0),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One class: how many were proven, nodes, and gaps as shares of the improvement.

    gaps          of the search: 0 where it proved its set best
    enumeration   what capped enumeration misses of the best set that the search found
    greed         the same of the greedy list
    """

    proven: int
    count: int
    nodes: float
    gaps: tuple[float, ...]
    enumeration: tuple[float, ...]
    greed: tuple[float, ...]


def problem_of(drawn: Instance) -> Problem:
    """The instance as the search takes it."""
    return Problem(drawn.tables, drawn.account, drawn.shape.depth)


def search(drawn: Instance, settings: Search | None = None) -> Solved:
    """What the product does with a table: bound, greed, beam, branch and bound, within its default
    budget of nodes.
    """
    budget, problem = settings or Search(), problem_of(drawn)
    root = root_bound(relaxation(problem))
    seeds = [greedy(problem), *beam(problem, root.mu, budget.beam_width)]
    proof = branch_and_bound(problem, seeds, max_nodes=budget.max_nodes, root=root)
    return Solved(max(0.0, float(proof.pool.net.max(initial=0.0))), proof.bound, proof.nodes)


def greed(drawn: Instance) -> Solved:
    """The list that a greedy planner makes."""
    return Solved(max(0.0, float(drawn.net(greedy(problem_of(drawn)))[0])))


def outcome(kind: Class, solve: Solve = search) -> Outcome:
    """Solve every instance of a class, by the search and by the two that do not search."""
    problems = [instance(kind.shape, seed) for seed in range(kind.count)]
    answers = [solve(problem) for problem in problems]
    gaps = tuple(
        np.inf if solved.bound is None else gap(solved.net, solved.bound) for solved in answers
    )
    return Outcome(
        proven=sum(share <= PROOF for share in gaps),
        count=kind.count,
        nodes=statistics.median(solved.nodes or 0 for solved in answers),
        gaps=gaps,
        enumeration=tuple(
            gap(capped_enumeration(problem).net, solved.net)
            for problem, solved in zip(problems, answers, strict=True)
        ),
        greed=tuple(
            gap(greed(problem).net, solved.net)
            for problem, solved in zip(problems, answers, strict=True)
        ),
    )


def gap(net: float, best: float) -> float:
    """What is missing to `best`, as a share of `best`; 0 where nothing improves."""
    return max(0.0, best - net) / best if best > 0 else 0.0


def capped_enumeration(problem: Instance) -> Solved:
    """What making sets without looking ahead finds: seeded combinations of a few promising orders,
    no proof.

    The pool is one size per security and side, by what the order gains alone or with one order of
    the other side.
    """
    promise = _promise(problem)
    pool: list[int] = []
    for j in np.argsort(-promise, kind="stable"):
        if problem.account.security[j] not in problem.account.security[pool] and promise[j] > 0:
            pool.append(int(j))
    pool = pool[:POOL]
    if not pool:
        return Solved(0.0)
    sets = every_set(len(pool), min(problem.shape.depth, len(pool)))
    rows = np.where(sets < 0, -1, np.array(pool)[sets])
    sides = np.where(rows < 0, 0, np.where(problem.account.delta[rows] > 0, 1, -1))
    rows = rows[
        ((sides > 0).sum(axis=1) <= MOST_OF_A_SIDE) & ((sides < 0).sum(axis=1) <= MOST_OF_A_SIDE)
    ]
    drawn = np.random.default_rng(problem.seed).permutation(len(rows))[:SETS]
    return Solved(max(0.0, float(problem.net(rows[drawn]).max(initial=0.0))))


def _promise(problem: Instance) -> np.ndarray:
    """(m,) the best net of each order alone or with one of the other side."""
    m, is_buy = problem.shape.m, problem.account.delta > 0
    best = problem.net(np.arange(m, dtype=np.int64)[:, None])
    sells, buys = np.flatnonzero(~is_buy), np.flatnonzero(is_buy)
    pairs = np.stack(np.meshgrid(sells, buys, indexing="ij"), axis=-1).reshape(-1, 2)
    net = problem.net(pairs).reshape(len(sells), len(buys))
    best[sells] = np.maximum(best[sells], net.max(axis=1, initial=-np.inf))
    best[buys] = np.maximum(best[buys], net.max(axis=0, initial=-np.inf))
    return np.asarray(best)
