"""Best-first branch and bound over sets of orders: the best set, and the proof that none is better.

1. Start from the sets that the beam, the proposals and greed found.
2. Take the open nodes of highest bound, 64 at a time. A node includes some orders and may add others.
3. Evaluate each of its one-order extensions exactly; keep the feasible ones.            extend
4. Bound what more orders could add.                                                     relax.bounds
5. Branch in order of the bound with each order, later branches without the earlier ones; drop what cannot come
   within 1e-9 of the best set.
6. Stop when no node is open (proven), or at the budget: then the highest open bound is the certificate.

Every set within 1e-9 of the best is kept, up to 1,000, since exact ties are for the reference evaluator.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from steelyard.context import PAD, BoolArray, IntArray, Scores
from steelyard.ledger import feasible
from steelyard.money import FloatArray
from steelyard.search.evaluate import evaluate
from steelyard.search.extend import extend, with_order
from steelyard.search.keep import Pool, merge
from steelyard.search.problem import Problem
from steelyard.search.relax import Relaxation, bounds, relaxation
from steelyard.search.root_bound import Root, root_bound

SLACK = 2e-9
"""A node is dropped only if its bound is this far under the best set: twice the tie, to be on the safe side of rounding."""

NODES_AT_ONCE = 64
STEPS = 4
"""Frank-Wolfe steps at a node."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the search found and how far that is from the best there is.

    pool      the best sets, best first; possibly empty
    bound     no feasible set has a larger net; equals the best set's when proven
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
    """Siblings: a set of orders and those that may join it, best bound first; child i may not use order[:i]."""

    row: IntArray
    orders: IntArray
    bounds: FloatArray
    room: int


@dataclass
class _Open:
    """Open nodes by bound; only the best child of a family that is not yet taken lies in the heap."""

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
        """The open nodes of highest bound, if it reaches `least`; their next siblings open in their place."""
        taken: list[tuple[_Family, int]] = []
        while self.heap and len(taken) < most and self.bound >= least:
            _, _, family, child = heapq.heappop(self.heap)
            taken.append((family, child))
            self.push(family, child + 1)
        return taken


def branch_and_bound(
    problem: Problem, seeds: Iterable[IntArray], *, max_nodes: int, timed_out: Callable[[], bool] | None = None, root: Root | None = None
) -> Proof:
    """Search all sets of at most `problem.depth` orders.

    seeds       canonical rows (k, depth) to start from; infeasible ones are ignored
    max_nodes   nodes to branch at most: the same on every machine
    timed_out   asked after each batch; True stops the search
    """
    relaxed = relaxation(problem)
    root = root or root_bound(relaxed)
    pool = Pool(np.zeros((0, problem.depth), dtype=np.int64), np.zeros(0), 0)
    for rows in seeds:
        pool = _offer(problem, pool, rows)
    opened = _Open()
    if problem.m:
        empty = np.full(problem.depth, PAD, dtype=np.int64)
        first = _Node(empty[None, :], np.ones((1, problem.m), dtype=np.bool_), np.array([problem.depth]), np.array([root.bound]))
        pool = _branch(problem, relaxed, first, root.mu, pool, opened)
    nodes, stopped = 1, None
    while taken := opened.take(_best(pool) - SLACK, NODES_AT_ONCE):
        pool = _branch(problem, relaxed, _gather(problem, taken), root.mu, pool, opened)
        nodes += len(taken)
        if nodes >= max_nodes or (timed_out is not None and timed_out()):
            stopped = "nodes" if nodes >= max_nodes else "seconds"
            break
    if stopped is not None and opened.bound < _best(pool) - SLACK:
        stopped = None
    best = _best(pool)
    return Proof(pool, best if stopped is None else max(best, min(opened.bound, root.bound)), root, nodes, stopped)


@dataclass(frozen=True, slots=True)
class _Node:
    """A batch of nodes: rows (k, d), allowed (k, m), room (k,), inherited bound (k,)."""

    rows: IntArray
    allowed: BoolArray
    room: IntArray
    bound: FloatArray


def _best(pool: Pool) -> float:
    """Net of the best set; doing nothing is always one."""
    return max(0.0, float(pool.net[0])) if len(pool.net) else 0.0


def _gather(problem: Problem, taken: list[tuple[_Family, int]]) -> _Node:
    """The nodes of (family, child) as arrays."""
    rows = np.stack([family.row for family, _ in taken])
    orders = np.array([family.orders[child] for family, child in taken])
    allowed = np.zeros((len(taken), problem.m), dtype=np.bool_)
    for k, (family, child) in enumerate(taken):
        allowed[k, family.orders[child + 1 :]] = True
    rows = with_order(rows, np.arange(len(taken)), orders)
    allowed &= problem.allowed(rows)
    room = np.array([family.room - 1 for family, _ in taken])
    return _Node(rows, allowed, room, np.array([family.bounds[child] for family, child in taken]))


def _branch(problem: Problem, relaxed: Relaxation, node: _Node, mu: FloatArray, pool: Pool, opened: _Open) -> Pool:
    """Evaluate the extensions of a batch of nodes, then open the families that may still hold a better set."""
    found = extend(problem, node.rows)
    value = np.where(found.feasible & node.allowed, found.net, -np.inf)
    pool = _offer_best(problem, pool, node.rows, value)
    deep = np.flatnonzero((node.room > 1) & node.allowed.any(axis=1))
    if not len(deep):
        return pool
    rows, allowed, room = node.rows[deep], node.allowed[deep], node.room[deep]
    bounded = bounds(relaxed, rows, allowed, room, np.tile(mu, (len(deep), 1)), STEPS)
    with_order_bound = np.minimum(bounded.with_order, np.minimum(bounded.bound, node.bound[deep])[:, None])
    least = _best(pool) - SLACK
    for k in range(len(deep)):
        orders = np.flatnonzero(with_order_bound[k] >= least)
        if len(orders):
            ranked = orders[np.lexsort((orders, -with_order_bound[k, orders]))]
            opened.push(_Family(rows[k], ranked, with_order_bound[k, ranked], int(room[k])), 0)
    return pool


def _offer_best(problem: Problem, pool: Pool, rows: IntArray, value: FloatArray) -> Pool:
    """Offer the extensions (k, m) that could enter the pool."""
    floor = float(pool.net[-1]) - SLACK if len(pool.net) else -np.inf
    which, orders = np.nonzero(value > floor)
    if not len(which):
        return pool
    best_first = np.argsort(-value[which, orders], kind="stable")[:MOST_OFFERED]
    return _offer(problem, pool, with_order(rows, which[best_first], orders[best_first]))


MOST_OFFERED = 1_000


def _offer(problem: Problem, pool: Pool, rows: IntArray) -> Pool:
    """The pool with those rows that are new, feasible by the ledger and permitted by the predicates."""
    # with an index, since without one numpy imports its masked arrays: a sixth of a one-shot plan
    fresh, _ = np.unique(rows, axis=0, return_index=True)
    if len(pool.rows):
        known = {tuple(row) for row in pool.rows.tolist()}
        fresh = fresh[[tuple(row) not in known for row in fresh.tolist()]]
    fresh = fresh[(fresh >= 0).any(axis=1)]
    fresh = fresh[feasible(problem.account, fresh)]
    fresh = fresh[problem.permits(fresh)]
    return merge(pool, Scores(0, fresh, evaluate(problem.tables, fresh))) if len(fresh) else pool
