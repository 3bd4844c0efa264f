"""The records that travel inside planning: Context, Candidate, Candidates, Batch, Scores.

All arrays are read-only. Weights and costs are fractions of the pre-trade value V, so that every
figure is the same whatever the size and the currency of the account.

n securities · m candidates · k sequences in a batch · d steps deep · g groups of one dimension
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date

from steelyard.arrays import BoolArray, FloatArray
from steelyard.estimates.estimate import Estimates
from steelyard.estimates.regime import UNKNOWN, Regime
from steelyard.money import ExactMoney
from steelyard.portfolio import BucketState, Holding, Security
from steelyard.settings import Costs, Groups, Limits, Planner, Score, Search
from steelyard.settings import Regime as RegimeRules


@dataclass(frozen=True, slots=True)
class Grouping:
    """One dimension of groups, for example sectors.

    dimension   "sector" or "country"
    labels      (g,)
    shares      (n, g)  rows sum to 1: a security without a label is spread over all groups present
    labelled    (n,)    False where the row was spread
    """

    dimension: str
    labels: tuple[str, ...]
    shares: FloatArray
    labelled: BoolArray

    @property
    def counts(self) -> bool:
        """Fewer than two groups say nothing about a portfolio: not drawn, not scored."""
        return len(self.labels) > 1


@dataclass(frozen=True, slots=True)
class AbsentTarget:
    """A target that no order can buy, of value, and why in a few words: `no price`."""

    symbol: str
    target: float
    why: str


@dataclass(frozen=True, kw_only=True)
class Context:
    """The planning set at the as-of date: held, targeted, or eligible and affordable; sorted by
    symbol.

    symbols            (n,)
    securities         (n,)  their records
    holdings           (n,)  what is held, None where nothing is
    prices             (n,)  newest price, the security's currency
    fx                 (n,)  base per unit of that currency
    quantities         (n,)  shares held
    sellable           (n,)  shares not reserved by open sells
    lot_sizes          (n,)  shares
    weights            (n,)  held, of value
    target_weights     (n,)  of value, 0 where absent; None without targets
    average_cost       (n,)  per share, the security's currency, NaN unknown
    years_held         (n,)  since the oldest lot, NaN unknown or not held
    days_since_bought  (n,)  NaN unknown or never
    days_since_sold    (n,)  NaN unknown or never
    tradable           (n,)  priced and fresh
    can_buy, can_sell  (n,)  tradable, and allowed by security and strategy
    is_fund            (n,)
    quality            (n,)  0..1, neutral where missing (see `estimates.missing`)
    dividend_yield     (n,)  a year, neutral where missing
    priority_multiplier (n,)
    neutral_mix        (n,)  sums to 1: what cash is looked through into
    momentum           (n,)  growth of twelve months less the newest, NaN unknown
    peaks              (n,)  highest close since the oldest lot, the security's currency, NaN
                       unknown or not held
    volatility_ratio         of the held mix: volatility of a month over that of a year, NaN unknown
    regime                   of the market, from the history of an index
    regimes                  the cash that each regime wants
    sectors, countries       groupings over the same n
    cash_weight              all cash, of value; 1 - sum of weights
    spendable_weight         base cash less open buys, of value
    open_buys_weight         money that open buys may still take, of value: in cash_weight, but
                             promised
    value                    V, base currency, > 0
    min_order_weight         least order, of value
    base_weight              unit of the money ladder, of value
    seed                     of every random draw
    absent                   targets outside the planning set: without a price they cannot be bought
    exact                    the money behind the weights; None where only floats are known
    """

    as_of: date
    base_currency: str
    symbols: tuple[str, ...]
    securities: tuple[Security, ...]
    holdings: tuple[Holding | None, ...]
    prices: FloatArray
    fx: FloatArray
    quantities: FloatArray
    sellable: FloatArray
    lot_sizes: FloatArray
    weights: FloatArray
    target_weights: FloatArray | None
    average_cost: FloatArray
    years_held: FloatArray
    days_since_bought: FloatArray
    days_since_sold: FloatArray
    tradable: BoolArray
    can_buy: BoolArray
    can_sell: BoolArray
    is_fund: BoolArray
    quality: FloatArray
    dividend_yield: FloatArray
    priority_multiplier: FloatArray
    neutral_mix: FloatArray
    sectors: Grouping
    countries: Grouping
    estimates: Estimates
    cash_weight: float
    spendable_weight: float
    value: float
    min_order_weight: float
    base_weight: float
    seed: int
    state: BucketState
    costs: Costs
    limits: Limits
    planner: Planner
    search: Search
    score: Score
    groups: Groups
    momentum: FloatArray
    peaks: FloatArray
    volatility_ratio: float = math.nan
    regime: Regime = UNKNOWN
    regimes: RegimeRules = field(default_factory=RegimeRules)
    open_buys_weight: float = 0.0
    absent: tuple[AbsentTarget, ...] = ()
    exact: ExactMoney | None = None

    @property
    def n(self) -> int:
        """Number of securities in the planning set."""
        return len(self.symbols)

    @property
    def held(self) -> BoolArray:
        """(n,) True where something is held."""
        return self.quantities > 0

    @property
    def gain(self) -> FloatArray:
        """(n,) price over average cost less 1, NaN where the cost is unknown."""
        return self.prices / self.average_cost - 1

    @property
    def lot_weight(self) -> FloatArray:
        """(n,) one lot, of value."""
        return self.prices * self.fx * self.lot_sizes / self.value

    @property
    def absent_target(self) -> float:
        """Weight of all targets that cannot be bought."""
        return math.fsum(one.target for one in self.absent)

    @property
    def target_cash(self) -> float:
        """What the targets leave for cash; 0 without targets."""
        return (
            0.0
            if self.target_weights is None
            else max(0.0, 1 - float(self.target_weights.sum()) - self.absent_target)
        )

    @property
    def reserve_weight(self) -> float:
        """Cash that must stay, of value."""
        return self.limits.cash_reserve_weight
