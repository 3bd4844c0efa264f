"""A search over whole lots in stretches of nodes, so that another process may go on.

Of a stretch only what it changes is written, as numbers: nodes that it opened, nodes opened before
that it branched, lists that it met. From all stretches the search stands where it stood, to the
last bit: a node's bound is taken again where it was taken, and must come out the same.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray
from steelyard.calculations.digest import digest
from steelyard.planning.score.model import Point
from steelyard.planning.search.lot_branching import Best, Node, Tree
from steelyard.planning.search.lots import NONE, LotList, LotProblem
from steelyard.planning.search.relaxation import Relaxation
from steelyard.planning.search.relaxed import Spot, bound
from steelyard.planning.search.response import Open


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """What the nodes `start` to `stop` of a search changed: k nodes opened, r lists met.

    count         number of the newest node at the end
    branched      (b,)        nodes that were open before and are no more
    number        (k,)        of the nodes opened that are still open
    bound, cap    (k,)        see `Node`
    least, most   (k, w)      what each allows, with none (k, n) and cash (k, 2)
    change        (k, n + 1)  where its bound was taken, with price (k,) of cash, prices (k, p)
    way, lots     (r, n)      of the lists
    """

    start: int
    stop: int
    count: int
    branched: IntArray
    number: IntArray
    bound: FloatArray
    cap: FloatArray
    least: IntArray
    most: IntArray
    none: BoolArray
    cash: FloatArray
    change: FloatArray
    price: FloatArray
    prices: FloatArray
    way: IntArray
    lots: IntArray


class Record(Protocol):
    """Where the stretches of a search are stored; `search` is the hash of what it begins with."""

    def due(self) -> bool:
        """Is it time to store one?"""

    def read(self, search: str) -> Sequence[Stretch]:
        """Those that are stored, from the first node on without a gap."""

    def write(self, search: str, stretch: Stretch) -> None:
        """Store one that begins where the last one ended."""

    def went_on(self, nodes: int) -> None:
        """The search stands at so many nodes, by what is stored."""

    def passed_over(self, search: str) -> None:
        """What is stored is not of this search: drop it."""


@dataclass
class Watch:
    """A search whose nodes are stored; what is stored is looked up when it is first due.

    numbers, nodes   open nodes, and branched ones, as they are stored
    lists            how many of the best's are stored
    """

    relaxed: Relaxation
    best: Best
    record: Record
    search: str
    numbers: set[int] = field(default_factory=lambda: {0})
    nodes: int = 0
    lists: int = 0
    begun: bool = False

    @classmethod
    def of(cls, relaxed: Relaxation, root: Node, best: Best, record: Record) -> Watch:
        """Of the search that begins with a root and the best list by then."""
        return cls(relaxed, best, record, _search(relaxed.problem, root, best.net))

    def __call__(self, tree: Tree) -> None:
        """After each node; brings the search forward once, to where it is stored."""
        if not self.record.due():
            return
        if not self.begun:
            self.begun = True
            self._go_on(tree)
        if tree.nodes > self.nodes:
            self.record.write(self.search, self._stretch(tree))
            self.numbers = {number for _, number, _ in tree.open}
            self.nodes, self.lists = tree.nodes, len(self.best.lists)

    def _go_on(self, tree: Tree) -> None:
        stretches = self.record.read(self.search)
        if not stretches:
            return
        nodes = _still_open(self.relaxed, stretches)
        if nodes is None:
            self.record.passed_over(self.search)
            return
        last = stretches[-1]
        self.numbers, self.nodes = set(nodes), last.stop
        if last.stop <= tree.nodes:
            return
        for stretch in stretches:
            for way, lots in zip(stretch.way, stretch.lots, strict=True):
                self.best.offer(LotList(way, lots))
        self.lists = len(self.best.lists)
        tree.open = [(-node.bound, number, node) for number, node in nodes.items()]
        heapq.heapify(tree.open)
        tree.nodes, tree.count = last.stop, last.count
        self.record.went_on(last.stop)

    def _stretch(self, tree: Tree) -> Stretch:
        """What is not stored yet."""
        problem = self.relaxed.problem
        n, w, p = problem.n, len(problem.ways), len(problem.limits)
        now = {number: node for _, number, node in tree.open}
        numbers = sorted(now.keys() - self.numbers)
        nodes = [now[number] for number in numbers]
        lists = self.best.lists[self.lists :]
        return Stretch(
            start=self.nodes,
            stop=tree.nodes,
            count=tree.count,
            branched=np.array(sorted(self.numbers - now.keys()), dtype=np.int64),
            number=np.array(numbers, dtype=np.int64),
            bound=np.array([node.bound for node in nodes], dtype=np.float64),
            cap=np.array([node.cap for node in nodes], dtype=np.float64),
            least=_rows([node.open.least for node in nodes], w, np.int64),
            most=_rows([node.open.most for node in nodes], w, np.int64),
            none=_rows([node.open.none == 0 for node in nodes], n, np.bool_),
            cash=_rows([node.open.cash for node in nodes], 2, np.float64),
            change=_rows([node.spot.change for node in nodes], n + 1, np.float64),
            price=np.array([node.spot.cash for node in nodes], dtype=np.float64),
            prices=_rows([node.spot.limits for node in nodes], p, np.float64),
            way=_rows([listed.way for listed in lists], n, np.int64),
            lots=_rows([listed.lots for listed in lists], n, np.int64),
        )


def _rows(rows: Sequence[Any], width: int, kind: type) -> Any:
    """(k, width), also of none."""
    return np.array(rows, dtype=kind).reshape(len(rows), width)


def _search(problem: LotProblem, root: Node, net: float) -> str:
    """Hash of all that the order of the nodes is a function of, but what `permits` asks."""
    arrays = {part.name: getattr(problem, part.name) for part in fields(problem)}
    del arrays["permits"]
    spot = (root.spot.change, root.spot.cash, root.spot.limits)
    return digest(**arrays, root=root.open, spot=spot, bound=root.bound, net=net).hex()


def _still_open(relaxed: Relaxation, stretches: Sequence[Stretch]) -> dict[int, Node] | None:
    """Number -> node after the last stretch; None where they are not of this search."""
    rows: dict[int, tuple[Stretch, int]] = {}
    count = 0
    for stretch in stretches:
        for number in stretch.branched.tolist():
            if number and rows.pop(number, None) is None:
                return None
        new = stretch.number.tolist()
        if not _fits(relaxed.problem, stretch) or any(not count < k <= stretch.count for k in new):
            return None
        rows.update({number: (stretch, k) for k, number in enumerate(new)})
        count = stretch.count
    nodes = {number: _node(relaxed, *row) for number, row in rows.items()}
    same = all(node.bound == rows[k][0].bound[rows[k][1]] for k, node in nodes.items())
    return nodes if same else None


def _fits(problem: LotProblem, stretch: Stretch) -> bool:
    """Are the arrays those of the problem, and the lists lists?"""
    n, ways, p, k = problem.n, problem.ways, len(problem.limits), len(stretch.number)
    shapes = (stretch.least.shape, stretch.change.shape, stretch.prices.shape)
    if shapes != ((k, len(ways)), (k, n + 1), (k, p)) or stretch.way.shape[1] != n:
        return False
    row, security = np.nonzero(stretch.way != NONE)
    way = stretch.way[row, security]
    return bool(((way >= 0) & (way < len(ways))).all()) and bool(
        (ways.security[way] == security).all()
    )


def _node(relaxed: Relaxation, stretch: Stretch, k: int) -> Node:
    """A node as it was; its bound is taken again."""
    none = np.where(stretch.none[k], 0.0, -math.inf)
    low, high = stretch.cash[k].tolist()
    allowed = Open(stretch.least[k], stretch.most[k], none, (low, high))
    change = stretch.change[k]
    point = Point.at(relaxed.problem.model, relaxed.start + change)
    spot = Spot(change, point, float(stretch.price[k]), stretch.prices[k])
    return Node(allowed, spot, bound(relaxed, allowed, spot), float(stretch.cap[k]))
