"""The records of possible orders: what is wanted, the table of whole orders, rows of them.

m candidates · k sequences in a batch · d steps deep"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray
from steelyard.ledger import Account
from steelyard.modules.tables import Tables
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.sentences import Sentence

RowPredicate = Callable[[IntArray], BoolArray]
"""(k, d) rows -> (k,) True where the row may be a plan."""


TRAILING_STOP = "trailing_stop"
"""Tag of an exit that may not wait: no rule over trade dates holds it up."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one calculator wants in one security: a signed change of weight per size.

    weights           each > 0 for a buy, < 0 for a sell; the planner turns each into at most one
                      order
    priority_weight   0..2, multiplies the priority
    why               a sentence whose numbers are its facts
    tags              words for people and patterns
    """

    side: Side
    symbol: str
    weights: tuple[float, ...]
    priority_weight: float
    why: Sentence
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Why a row is in the table: the calculator, its sentence and its tags."""

    source: str
    why: Sentence
    tags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Orders:
    """Whole orders as arrays, m of them, sells first, then by symbol and size.

    ids          (m,)  c1, c2, … of the candidate table; None where the table has no such row
    security     (m,)  index into the context
    is_buy       (m,)
    quantity     (m,)  exact, a multiple of the lot or the whole holding
    delta        (m,)  signed change of weight
    cost         (m,)  commission + half spread + conversion margin, of value
    tax          (m,)  tax money of a sale, of value (negative for a loss); 0 when not charged
    full_exit    (m,)
    proposals    (m,)  who asked for it, first is the one that sized it
    refined_from (m,)  the quantity that a size was fitted from; None where it was not; empty where
                 none was
    free         (m,)  not charged the hurdle: what is traded whatever the score gains; None = none
    account      the cash walk over these rows: what fits together (`ledger.feasible`,
                 `ledger.fill`)
    """

    ids: tuple[str | None, ...]
    security: IntArray
    is_buy: BoolArray
    quantity: tuple[Decimal, ...]
    delta: FloatArray
    cost: FloatArray
    tax: FloatArray
    full_exit: BoolArray
    proposals: tuple[tuple[Proposal, ...], ...]
    account: Account
    refined_from: tuple[Decimal | None, ...] = ()
    free: BoolArray | None = None

    @property
    def hurdled(self) -> FloatArray:
        """(m,) 1 where the hurdle is charged, else 0."""
        return np.ones(self.m) if self.free is None else np.where(self.free, 0.0, 1.0)

    @property
    def m(self) -> int:
        """Number of rows."""
        return len(self.ids)

    def side(self, j: int) -> Side:
        """Of order j."""
        return Side.BUY if self.is_buy[j] else Side.SELL

    def after(self, weights: FloatArray, row: Iterable[int]) -> FloatArray:
        """(n,) weights after the orders of `row`, both of pre-trade value."""
        end = weights.copy()
        for j in row:
            end[self.security[j]] += self.delta[j]
        return end


@dataclass(frozen=True, kw_only=True)
class Candidates(Orders):
    """The table of possible orders: what the calculators ask for, sized, and what it is worth.

    priority     (m,)  0..1, of what the order gains alone
    together     (m,)  0..1, the same of what it gains alone or with one order of the other side, if
                 that is feasible: a sale that funds a buy, a buy that is funded
    tables       the score collapsed onto the rows
    alone        (m,)  net of the order alone, feasible or not
    paired       (m,)  best net of the order alone or with one of the other side, if feasible; -inf
                 if neither is
    draws        category -> rows in order of priority, cut as the strategy says: what patterns and
                 generators draw from; a `weight_based` sale counts as `rebalance_sells`, a buy as
                 `rebalance_buys`; per security and side only the row of highest priority
    pool         per security and side the row of highest priority, of every category and not cut,
                 in order of priority
    diverse      (m,)  what a diverse draw orders by, in the place of priority; None where draws are
                 by priority alone
    predicates   what row filters let through
    base         rows that are traded together whatever the score gains; empty = nothing is
    cover        sales that bring together what is due; empty = nothing is
    """

    priority: FloatArray
    together: FloatArray
    tables: Tables
    alone: FloatArray
    paired: FloatArray
    draws: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    pool: tuple[int, ...] = ()
    diverse: FloatArray | None = None
    predicates: tuple[RowPredicate, ...] = ()
    base: tuple[int, ...] = ()
    cover: tuple[int, ...] = ()

    @property
    def appeal(self) -> FloatArray:
        """(m,) what draws are ordered by, 0..1."""
        return self.priority if self.diverse is None else self.diverse

    @property
    def pull(self) -> FloatArray:
        """(m,) what an order may be drawn for: its priority, or its worth with another."""
        return np.maximum(self.priority, self.together)

    def by_appeal(self, rows: Iterable[int]) -> list[int]:
        """Rows as they are drawn; of equal appeal those worth most with another first, then as in
        the table.
        """
        return sorted(rows, key=lambda j: (-self.appeal[j], -self.together[j], j))


@dataclass(frozen=True, slots=True)
class Batch:
    """Numbered sequences: `rows` (k, d) candidate indices, sells first, PAD at the end.

    origin   (k,)  index into `names`: which module proposed the row
    """

    number: int
    rows: IntArray
    origin: IntArray
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a batch is worth: `net` (k,) improvement over hold after charges, -inf where
    infeasible.

    others   feasible sequences of the batch that are not among its rows: none is of the best few
    """

    number: int
    rows: IntArray
    net: FloatArray
    others: int = 0


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a mask filter says of a table.

    keep      (m,)  False = the order may not be traded
    drops     row -> why, for each row that is not kept
    unknown   (symbol, metric) pairs that the rule needed and nobody supplied
    """

    keep: BoolArray
    drops: Mapping[int, Drop]
    unknown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which proposals stay: of all that come, in any order, the `most` of highest value.

    value   rows (k, d) -> (k,) each row's own, whatever batch it comes in; -inf = never stays
    """

    value: Callable[[IntArray], FloatArray]
    most: int
