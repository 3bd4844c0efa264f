"""The worksheet's records: what a person changes of a plan, and what comes of it.

Weights, scores and turnover are fractions (of value less withdrawals); money is exact, of the base
currency where nothing else is said; a quantity is signed: bought > 0, sold < 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from steelyard.plans.orders import PlanCosts
from steelyard.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Edits:
    """What differs from the calculated plan.

    quantities   symbol -> signed shares; 0 = struck; what is not in it is as calculated
    locked       symbols that planning again leaves as they are, struck ones too
    """

    quantities: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    locked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Broken:
    """A limit that the orders break.

    code     the rule: `min_order`, `cash`, `max_position`, the name of a filter
    why      the sentence, from its facts
    value    what the orders come to, and what the rule allows; None where it has no number
    symbol   of the order that it is about; None = the orders together
    """

    code: str
    why: Sentence
    value: float | None
    limit: float | None
    symbol: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowest:
    """The least that a balance ever is on the ladder of cash, its own currency, and when."""

    amount: Decimal
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account under some orders: none (before), the calculated ones, the edited ones.

    orders     how many
    score      of the end state, before charges
    net        what it gains on holding, after charges; 0 before
    drift      None without targets
    costs      commission, spread and conversion; `tax` is payable later, None = not estimated
    turnover   half of all that is sold and bought, of value
    cash       what stays of each currency once all has settled
    lowest     of each currency
    cash_weight   what no open buy takes, before costs, of value
    outside    symbols, `class NAME`, and CASH that end outside their bands
    """

    orders: int
    score: float
    net: float
    drift: float | None
    costs: PlanCosts
    turnover: float
    cash: Mapping[str, Decimal]
    lowest: Mapping[str, Lowest]
    cash_weight: float
    outside: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A security that is held, targeted or traded.

    lot, owned      shares; an order is a multiple of the lot, or all that is owned
    price           of one share as quoted, `currency`; `fx_rate` base per unit
    calculated      the plan's order, signed; 0 = none
    edited          the order now
    notional_base, cost   of the order now, > 0; 0 without one
    weight, weight_calculated, weight_after   before, after the plan, after the order now
    target, band    None without
    adds            what the edited orders lose without this one, of the score; None without one,
                    or where it was not asked
    broken          limits that this order breaks by itself
    """

    symbol: str
    name: str
    currency: str
    lot: Decimal
    owned: Decimal
    price: Decimal
    fx_rate: Decimal
    calculated: Decimal
    edited: Decimal
    locked: bool
    notional_base: Decimal
    cost: Decimal
    weight: float
    weight_calculated: float
    weight_after: float
    target: float | None
    band: tuple[float, float] | None
    adds: float | None
    broken: tuple[Broken, ...]

    @property
    def changed(self) -> bool:
        """Is it another order than the calculated one?"""
        return self.calculated != self.edited

    @property
    def struck(self) -> bool:
        """Is the calculated order gone?"""
        return bool(self.calculated) and not self.edited


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """The edited orders less the calculated ones: negative where the edit costs.

    score           of net
    base_per_year   the same as money a year, base currency, as the plan says what orders add
    drift           None without targets
    cost            of trading, base currency
    """

    score: float
    base_per_year: Decimal
    drift: float | None
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A worksheet: three standings side by side, every row, every broken limit.

    may_be_traded   does no limit stop it?
    headline        what the edit costs, in a sentence
    sentences       what must be said besides: broken limits first
    """

    plan_id: str
    base_currency: str
    edits: Edits
    before: Standing
    calculated: Standing
    edited: Standing
    against: Against
    rows: tuple[Row, ...]
    broken: tuple[Broken, ...]
    headline: Sentence
    sentences: tuple[Sentence, ...]

    @property
    def may_be_traded(self) -> bool:
        """Does no limit stop it?"""
        return not self.broken

    @property
    def changed(self) -> tuple[str, ...]:
        """Symbols whose order is another than the calculated one."""
        return tuple(row.symbol for row in self.rows if row.changed)

    def row(self, symbol: str) -> Row | None:
        """The row of a symbol; None where it is neither held, targeted nor traded."""
        return next((row for row in self.rows if row.symbol == symbol), None)
