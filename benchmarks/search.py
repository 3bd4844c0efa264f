"""The table by which a search over one candidate table is measured: times, proofs, gaps, by class of instance.

A search is any function of an instance; `capped_enumeration` is the one to beat, the reason for searching at all.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.instances import Instance, Shape, every_set, instance

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
    Class("the same, all constraints", Shape(50, 60, 5, tight_cash=True, caps=True, conflicts=True), None),
    Class("n=200, m=300, D=5, cash only", Shape(200, 300, 5), 0.120),
    Class("the same, all constraints", Shape(200, 300, 5, tight_cash=True, caps=True, conflicts=True), None),
    Class("n=50, m=100, D=10", Shape(50, 100, 10), 1.0),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One class measured: seconds, share proven, gaps as a share of the improvement."""

    label: str
    aim: float | None
    seconds: tuple[float, ...]
    proven: float
    nodes: float | None
    gaps: tuple[float, ...]


def measure(solve: Solve, kind: Class) -> Measured:
    """Solve every instance of a class twice and time the second run."""
    seconds: list[float] = []
    gaps: list[float] = []
    nodes: list[int] = []
    for seed in range(kind.count):
        problem = instance(kind.shape, seed)
        solve(problem)
        start = time.perf_counter()
        found = solve(problem)
        seconds.append(time.perf_counter() - start)
        nodes += [] if found.nodes is None else [found.nodes]
        gaps.append(np.inf if found.bound is None else gap(found.net, found.bound))
    proven = sum(share <= PROOF for share in gaps) / kind.count
    return Measured(kind.label, kind.aim, tuple(seconds), proven, statistics.median(nodes) if nodes else None, tuple(gaps))


def gap(net: float, best: float) -> float:
    """What is missing to `best`, as a share of `best`; 0 where nothing improves."""
    return max(0.0, best - net) / best if best > 0 else 0.0


def table(rows: Sequence[Measured]) -> str:
    """The rows as Markdown."""
    lines = [
        "| instances | aim, ms | median, ms | largest, ms | proven | nodes, median | largest gap, % of improvement |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        widest = "not known" if np.isinf(max(row.gaps)) else f"{100 * max(row.gaps):.2f}"
        aim = "" if row.aim is None else f"{1e3 * row.aim:.0f}"
        nodes = "" if row.nodes is None else f"{row.nodes:.0f}"
        times = f"{1e3 * statistics.median(row.seconds):.1f} | {1e3 * max(row.seconds):.1f}"
        lines.append(f"| {row.label} | {aim} | {times} | {100 * row.proven:.0f} % | {nodes} | {widest} |")
    return "\n".join(lines)


def capped_enumeration(problem: Instance) -> Solved:
    """What making sets without looking ahead finds: seeded combinations of a few promising orders, no proof.

    The pool is one size per security and side, by what the order gains alone or with one order of the other side.
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
    rows = rows[((sides > 0).sum(axis=1) <= MOST_OF_A_SIDE) & ((sides < 0).sum(axis=1) <= MOST_OF_A_SIDE)]
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
