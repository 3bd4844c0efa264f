"""Best-first branch and bound over sets of orders: the best set, and the proof that none is better.

1. Start from the sets that the beam, the proposals and greed found.
2. Take the open nodes of highest bound, 64 at a time. A node includes some orders and may add
   others.
3. Evaluate each of its one-order extensions exactly; keep the feasible ones.            extend
4. Bound what more orders could add, from where its parent's bound was found.
   relax.bounds
5. Branch in order of the bound with each order, later branches without the earlier ones; drop what
   cannot come within 1e-9 of the best set.
6. Stop when no node is open (proven), or at the budget: then the highest open bound is the
   certificate.

Every set within 1e-9 of the best is kept, up to 1,000, since exact ties are for the reference
evaluator.
Tolerances are absolute: a score is of order 1 (design.md 5), so that 1e-9 is far below what anyone
can tell apart and far above rounding.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from steelyard.arrays import PAD, BoolArray, FloatArray, IntArray, distinct, rounded_up
from steelyard.ledger import debt_paid, feasible
from steelyard.modules.candidates import Scores
from steelyard.modules.tables import evaluate
from steelyard.planning.keep import Pool, merge
from steelyard.planning.search.extend import extend, with_order
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.relax import bounds, relaxation
from steelyard.planning.search.root_bound import Root, root_bound

SLACK = 2e-9
"""A node is dropped if its bound is this far under the best set: twice the tie."""

NODES_AT_ONCE = 64
OFFERED_AT_ONCE = 1_000
STEPS = 8
"""Frank-Wolfe steps at a node."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the search found and how far that is from the best there is.

    pool      the best sets, best first; possibly empty
    bound     no feasible set has a larger net; equals the best set's when proven, else rounded up
    root      the bound before branching, with its multipliers
    nodes     branched
    stopped   None when the search was exhausted, else which budget ended it: "nodes" or "seconds"
    """

    pool: Pool
    bound: float
    root: Root
    nodes: int
    stopped: str | None

    @property
    def proven(self) -> bool:
        """Is the best set of the pool (or doing nothing) proven best?"""
        return self.stopped is None


@dataclass(frozen=True, slots=True)
class _Family:
    """Siblings: a set of orders and those that may join it, best bound first; child i may not use
    order[:i].

    row      (d,)  the set
    orders   (c,)  what joins it
    bounds   (c,)  of the set with that order
    z        (c,)  of each order, where the parent's bound was found, with mu (p,)
    room     orders that may join
    """

    row: IntArray
    orders: IntArray
    bounds: FloatArray
    z: FloatArray
    mu: FloatArray
    room: int


@dataclass
class _Open:
    """Open nodes by bound; of a family only the best open child lies in the heap."""

    heap: list[tuple[float, int, _Family, int]] = field(default_factory=list)
    count: int = 0

    def push(self, family: _Family, child: int) -> None:
        """Add a child, if the family has that many."""
        if child < len(family.orders):
            self.count += 1
            heapq.heappush(self.heap, (-float(family.bounds[child]), self.count, family, child))

    @property
    def bound(self) -> float:
        """Highest bound of all open nodes."""
        return -self.heap[0][0] if self.heap else -np.inf

    def take(self, least: float, most: int) -> list[tuple[_Family, int]]:
        """The open nodes of highest bound >= `least`; their next siblings open in their place."""
        nodes: list[tuple[_Family, int]] = []
        while self.heap and len(nodes) < most and self.bound >= least:
            _, _, family, child = heapq.heappop(self.heap)
            nodes.append((family, child))
            self.push(family, child + 1)
        return nodes


@dataclass(frozen=True, slots=True)
class _Nodes:
    """A batch: rows (k, d), allowed (k, m), room (k,), its bound (k,), z (k, m), mu (k, p)."""

    rows: IntArray
    allowed: BoolArray
    room: IntArray
    bound: FloatArray
    z: FloatArray
    mu: FloatArray


def branch_and_bound(
    problem: Problem,
    seeds: Iterable[IntArray],
    *,
    max_nodes: int,
    timed_out: Callable[[], bool] | None = None,
    root: Root | None = None,
) -> Proof:
    """Search all sets of at most `problem.depth` orders.

    seeds       canonical rows (k, depth) to start from; infeasible ones are ignored
    max_nodes   nodes to branch at most, at least 1: the same on every machine
    timed_out   asked before each batch; True stops the search
    root        of this problem, if it is known
    """
    root = root or root_bound(relaxation(problem))
    pool = Pool(np.zeros((0, problem.depth), dtype=np.int64), np.zeros(0), 0)
    for rows in seeds:
        pool = _offer(problem, pool, rows)
    opened, nodes, stopped = _Open(), 1, None
    if problem.m:
        pool = _branch(problem, root, _first(problem, root), pool, opened)
    while opened.heap and opened.bound >= _best(problem, pool) - SLACK:
        if nodes >= max_nodes or (timed_out is not None and timed_out()):
            stopped = "nodes" if nodes >= max_nodes else "seconds"
            break
        batch = opened.take(_best(problem, pool) - SLACK, min(NODES_AT_ONCE, max_nodes - nodes))
        pool = _branch(problem, root, _gather(problem, batch), pool, opened)
        nodes += len(batch)
    best = _best(problem, pool)
    return Proof(
        pool,
        best if stopped is None else max(best, rounded_up(min(opened.bound, root.bound))),
        root,
        nodes,
        stopped,
    )


def _best(problem: Problem, pool: Pool) -> float:
    """Net of the best set; doing nothing is one too, but where something must be done."""
    nothing = -np.inf if problem.account.owes else 0.0
    return max(nothing, float(pool.net[0])) if len(pool.net) else nothing


def _first(problem: Problem, root: Root) -> _Nodes:
    """The node of all sets."""
    rows, allowed = (
        np.full((1, problem.depth), PAD, dtype=np.int64),
        np.ones((1, problem.m), dtype=np.bool_),
    )
    return _Nodes(
        rows,
        allowed,
        np.array([problem.depth]),
        np.array([root.bound]),
        root.z[None, :],
        root.mu[None, :],
    )


def _gather(problem: Problem, nodes: list[tuple[_Family, int]]) -> _Nodes:
    """The nodes of (family, child) as arrays."""
    allowed = np.zeros((len(nodes), problem.m), dtype=np.bool_)
    z = np.zeros((len(nodes), problem.m))
    for k, (family, child) in enumerate(nodes):
        later = family.orders[child + 1 :]
        allowed[k, later] = True
        z[k, later] = family.z[child + 1 :]
    orders = np.array([family.orders[child] for family, child in nodes])
    rows = with_order(np.stack([family.row for family, _ in nodes]), np.arange(len(nodes)), orders)
    room = np.array([family.room - 1 for family, _ in nodes])
    bound = np.array([family.bounds[child] for family, child in nodes])
    return _Nodes(
        rows,
        allowed & problem.allowed(rows),
        room,
        bound,
        z,
        np.stack([family.mu for family, _ in nodes]),
    )


def _branch(problem: Problem, root: Root, nodes: _Nodes, pool: Pool, opened: _Open) -> Pool:
    """Evaluate a batch's extensions, then open the families that may hold a better set."""
    extended = extend(problem, nodes.rows)
    pool = _offer_best(
        problem,
        pool,
        nodes.rows,
        np.where(extended.feasible & nodes.allowed, extended.net, -np.inf),
    )
    deep = np.flatnonzero((nodes.room > 1) & nodes.allowed.any(axis=1))
    if not len(deep):
        return pool
    rows, room = nodes.rows[deep], nodes.room[deep]
    bounded = bounds(
        root.relaxed, rows, nodes.allowed[deep], room, nodes.mu[deep], STEPS, nodes.z[deep]
    )
    with_order_bound = np.minimum(
        bounded.with_order, np.minimum(bounded.bound, nodes.bound[deep])[:, None]
    )
    ranked = np.argsort(-with_order_bound, axis=1, kind="stable")
    counts = (with_order_bound >= _best(problem, pool) - SLACK).sum(axis=1)
    for k in np.flatnonzero(counts):
        orders = ranked[k, : counts[k]].copy()
        family = _Family(
            rows[k],
            orders,
            with_order_bound[k, orders],
            bounded.z[k, orders],
            bounded.mu[k],
            int(room[k]),
        )
        opened.push(family, 0)
    return pool


def _offer_best(problem: Problem, pool: Pool, rows: IntArray, value: FloatArray) -> Pool:
    """Offer the extensions (k, m) that could enter the pool, best first."""
    which, orders = np.nonzero(value > _floor(pool))
    best_first = np.argsort(-value[which, orders], kind="stable")
    for start in range(0, len(best_first), OFFERED_AT_ONCE):
        some = best_first[start : start + OFFERED_AT_ONCE]
        if value[which[some[0]], orders[some[0]]] <= _floor(pool):
            break
        pool = _offer(problem, pool, with_order(rows, which[some], orders[some]))
    return pool


def _floor(pool: Pool) -> float:
    """What a set must be worth to be looked at: as much as the worst in a filled pool."""
    return float(pool.net[-1]) - SLACK if len(pool.net) else -np.inf


def _offer(problem: Problem, pool: Pool, rows: IntArray) -> Pool:
    """The pool with the rows that are new, feasible by the ledger and permitted."""
    fresh = distinct(rows)
    if len(pool.rows):
        old = {tuple(row) for row in pool.rows.tolist()}
        fresh = fresh[[tuple(row) not in old for row in fresh.tolist()]]
    fresh = fresh[(fresh >= 0).any(axis=1)]
    fresh = fresh[feasible(problem.account, fresh) & debt_paid(problem.account, fresh)]
    fresh = fresh[problem.permits(fresh)]
    return merge(pool, Scores(0, fresh, evaluate(problem.tables, fresh))) if len(fresh) else pool
