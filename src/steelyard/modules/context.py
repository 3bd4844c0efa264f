"""The records that travel inside planning: Context, Candidate, Candidates, Batch, Scores.

All arrays are read-only. Weights and costs are fractions of the pre-trade value V, so that every
figure is the same whatever the size and the currency of the account.

n securities · m candidates · k sequences in a batch · d steps deep · g groups of one dimension
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, flags, floats, frozen
from steelyard.calculations.digest import digest
from steelyard.estimates.estimate import Estimates
from steelyard.estimates.regime import UNKNOWN, Regime
from steelyard.estimates.trends import Trends
from steelyard.lots import LotRule, LotsSold, first_of, ordered
from steelyard.money import ExactMoney
from steelyard.portfolio import BucketState, Holding, Security, TaxLot
from steelyard.settings import Costs, Groups, Limits, Lots, Planner, Rules, Score, Search


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


ROUNDING = 1e-12
"""A weight this close to a limit is at it: sums of weights carry rounding."""

NOISE = 1e-9
"""A price this close to its cost, as a fraction, is at it."""


@dataclass(frozen=True, slots=True)
class ClassBand:
    """The band of a class: least and most weight of its members together, indices of them."""

    name: str
    low: float
    high: float
    members: tuple[int, ...]


LEFT_OUT = "left out"
"""Why a target is absent that the user excluded; every other reason is a price or rate."""


@dataclass(frozen=True, slots=True)
class AbsentTarget:
    """A target that no order can buy, of value, and why in a few words: `no price`."""

    symbol: str
    target: float
    why: str


@dataclass(frozen=True, slots=True)
class PastTrade:
    """When a security was traded last, held or sold out, of the planning set or not.

    substitute     name of its group of near equals; "" = none
    bought         the last buy; today where a buy is open
    sold_at_loss   the last sale where that was at a loss; today where its day is not given
    undated        is its day not given?
    """

    symbol: str
    substitute: str
    bought: date | None
    sold_at_loss: date | None
    undated: bool = False


@dataclass(frozen=True, kw_only=True)
class Context:
    """The planning set at the as-of date: held, targeted, or eligible and affordable; sorted by
    symbol.

    symbols            (n,)
    securities         (n,)  their records
    holdings           (n,)  what is held, None where nothing is
    prices             (n,)  newest price of one share, the security's currency: as quoted x the
                             security's multiplier, so that price x fx x shares is money
    fx                 (n,)  base per unit of that currency
    quantities         (n,)  shares held
    sellable           (n,)  shares not reserved by open sells
    weights            (n,)  held, of value
    target_weights     (n,)  of value, 0 where absent; None without targets
    average_cost       (n,)  of one share, the security's currency, like `prices`; NaN unknown
    years_held         (n,)  mean over the shares of dated lots, NaN unknown or not held
    days_since_bought  (n,)  NaN unknown or never
    days_since_sold    (n,)  NaN unknown or never
    tradable           (n,)  priced and fresh
    can_buy, can_sell  (n,)  tradable, and allowed by security and strategy
    is_fund            (n,)
    dividend_yield     (n,)  a year, neutral where missing
    neutral_mix        (n,)  sums to 1: what cash is looked through into
    sectors, countries       groupings over the same n
    estimates                return, risk, quality, correlation, neutral where missing
    trends                   momentum, peaks (like `prices`), volatility of late
    regime                   of the market, from the history of an index
    follows_regime           do its limits bind: reserve, buys
    cash_weight              all cash, settled or not, of value; 1 - sum of weights but for what is
                             kept out of trading
    spendable_weight         cash that may pay, of value: foreign balances less their conversion,
                             less open buys
    open_buys_weight         money that open buys may still take, of value: in cash_weight, but
                             promised
    awaited_weight           money that settles later and may not pay yet, of value: in cash_weight
    kept_out_weight          sum of the sizes of what is held and not traded, of value: shorts,
                             options and futures
    deposits_weight          money that the owner brings, of value: in cash_weight
    band_half                (n,) half width of the band around each target, of value; None without
    cash_band_half           the same of cash
    class_bands              of classes with a target
    value                    V, base currency, > 0
    min_order_weight         least order, of value
    seed                     of every random draw
    state                    what the bucket remembers
    rules                    the sections of the strategy
    classed                  symbols of classes with a target: theirs follow from it, 0 too
    absent                   targets outside the planning set: without a price they cannot be bought
    exact                    the money behind the weights; None where only floats are known
    past                     trades that are on record, sold-out securities too, by symbol
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
    dividend_yield: FloatArray
    neutral_mix: FloatArray
    sectors: Grouping
    countries: Grouping
    estimates: Estimates
    trends: Trends
    cash_weight: float
    spendable_weight: float
    value: float
    min_order_weight: float
    seed: int
    state: BucketState
    rules: Rules
    regime: Regime = UNKNOWN
    follows_regime: bool = False
    open_buys_weight: float = 0.0
    awaited_weight: float = 0.0
    kept_out_weight: float = 0.0
    classed: tuple[str, ...] = ()
    deposits_weight: float = 0.0
    band_half: FloatArray | None = None
    cash_band_half: float = 0.0
    class_bands: tuple[ClassBand, ...] = ()
    absent: tuple[AbsentTarget, ...] = ()
    exact: ExactMoney | None = None
    past: tuple[PastTrade, ...] = ()

    @cached_property
    def sha256(self) -> bytes:
        """Hash of all of it, 32 bytes."""
        return digest(context=self)

    @property
    def n(self) -> int:
        """Number of securities in the planning set."""
        return len(self.symbols)

    @property
    def costs(self) -> Costs:
        """What an order costs."""
        return self.rules.costs

    @property
    def limits(self) -> Limits:
        """What a plan may never break."""
        return self.rules.limits

    @property
    def planner(self) -> Planner:
        """What patterns and generators draw, and the unit of the money ladder."""
        return self.rules.planner

    @property
    def search(self) -> Search:
        """Scope, depth and limits of the search."""
        return self.rules.search

    @property
    def score(self) -> Score:
        """Weights, anchors and neutral values of the score."""
        return self.rules.score

    @property
    def groups(self) -> Groups:
        """Targets of sectors and countries."""
        return self.rules.groups

    @property
    def lots(self) -> Lots:
        """Which tax lots a sale takes, and what it may realise."""
        return self.rules.lots

    @cached_property
    def lot_rule(self) -> LotRule:
        """How lots are chosen and taxed on the day of the plan."""
        return LotRule.of(self.rules, self.as_of)

    @cached_property
    def lot_order(self) -> tuple[tuple[TaxLot, ...], ...]:
        """(n,) the lots of each holding in the order in which a sale takes them."""
        rows = zip(self.holdings, self.prices.tolist(), self.securities, strict=True)
        return tuple(
            tuple(ordered(holding.lots, self.lot_rule, Decimal(repr(price)) / security.multiplier))
            if holding is not None
            else ()
            for holding, price, security in rows
        )

    def lots_sold(self, i: int, quantity: Decimal) -> LotsSold:
        """The lots that a sale of security i takes, and how much of each."""
        return first_of(self.lot_order[i], quantity)

    def gain_of(self, i: int, lot: TaxLot) -> float | None:
        """Gain of one share of a lot of security i, its currency; None when the cost is unknown."""
        if lot.unit_cost is None:
            return None
        return float(self.prices[i]) - float(lot.unit_cost * self.securities[i].multiplier)

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Symbol -> its place in every (n,) array."""
        return {symbol: i for i, symbol in enumerate(self.symbols)}

    @cached_property
    def lot_sizes(self) -> FloatArray:
        """(n,) shares."""
        return floats(security.lot_size for security in self.securities)

    @cached_property
    def single_name(self) -> BoolArray:
        """(n,) what single-name rules may move: an unknown type only where targets decide."""
        decided = self.target_weights is not None
        names = (not s.is_spread and (decided or not s.is_unknown) for s in self.securities)
        return flags(names)

    @cached_property
    def caps(self) -> FloatArray:
        """(n,) most that a buy may make of each, of value: the cap or the target over it.

        inf for funds; a type that nobody knows is capped: what the answer could forbid waits.
        """
        cap = np.full(self.n, self.limits.max_position_weight)
        if self.target_weights is not None:
            cap = np.maximum(cap, self.target_weights)
        return frozen(np.where(flags(s.is_spread for s in self.securities), np.inf, cap))

    @cached_property
    def over_cap(self) -> FloatArray:
        """(n,) what each holding is over its cap, of value; 0 for a fund, and for a type that
        nobody knows: it may be a fund.
        """
        known = flags(not s.is_unknown for s in self.securities)
        over = np.where(known, self.weights - self.caps, 0.0)
        return frozen(np.where(over > ROUNDING, over, 0.0))

    @cached_property
    def priority_multiplier(self) -> FloatArray:
        """(n,)"""
        return floats(security.priority_multiplier for security in self.securities)

    @property
    def quality(self) -> FloatArray:
        """(n,) 0..1, neutral where missing (see `estimates.missing`)."""
        return self.estimates.quality

    @property
    def base_weight(self) -> float:
        """Unit of the money ladder, of value."""
        return max(self.min_order_weight, self.planner.base_trade_weight)

    @property
    def held(self) -> BoolArray:
        """(n,) True where something is held."""
        return self.quantities > 0

    @property
    def gain(self) -> FloatArray:
        """(n,) price over average cost less 1, NaN where the cost is unknown."""
        return self.prices / self.average_cost - 1

    @cached_property
    def lot_weight(self) -> FloatArray:
        """(n,) one lot, of value."""
        return frozen(self.prices * self.fx * self.lot_sizes / self.value)

    @cached_property
    def unpriced(self) -> tuple[AbsentTarget, ...]:
        """Targets without a usable price, largest first."""
        return tuple(absent for absent in self.absent if absent.why != LEFT_OUT)

    @cached_property
    def sales_wait(self) -> BoolArray:
        """(n,) held without a target, and not sold for it while another target has no price.

        A slip in a symbol looks like that: what it means may be what is held.
        """
        if self.target_weights is None or not self.unpriced:
            return frozen(np.zeros(self.n, dtype=np.bool_))
        answered = set(self.classed)
        without = flags(symbol not in answered for symbol in self.symbols)
        return frozen(self.held & (self.target_weights == 0) & without)

    @property
    def is_short(self) -> bool:
        """Is cash under 0, or not enough for withdrawals, with all that is on its way?"""
        return self.exact is not None and self.exact.is_short

    @property
    def keeps_weight(self) -> float:
        """Cash that buys leave, of value: the reserve, or what there was before any flow."""
        money = self.exact
        worth = money is not None and money.value > 0
        return float(money.keeps) / self.value if money and worth else self.reserve_weight

    @property
    def absent_target(self) -> float:
        """Weight of all targets that cannot be bought."""
        return math.fsum(absent.target for absent in self.absent)

    @property
    def target_cash(self) -> float:
        """What the targets leave for cash; 0 without targets."""
        return (
            0.0
            if self.target_weights is None
            else max(0.0, 1 - float(self.target_weights.sum()) - self.absent_target)
        )

    @property
    def own_cash(self) -> float:
        """All cash that is not promised and not on its way, of value."""
        return self.cash_weight - self.open_buys_weight - self.awaited_weight

    @property
    def regime_cash(self) -> float | None:
        """Cash that the regime of the market wants, of value; None where it is unknown."""
        rules = self.rules.regime
        wanted = {"bull": rules.bull_cash, "bear": rules.bear_cash, "sideways": rules.sideways_cash}
        return wanted.get(self.regime.name)

    @property
    def in_bear(self) -> bool:
        """Do the limits of a bear market bind?"""
        return self.follows_regime and self.regime.name == "bear"

    @property
    def least_cash(self) -> float:
        """Cash that the limits ask for, of value: their own, or that of a regime that binds."""
        wanted = self.regime_cash if self.follows_regime else None
        return max(self.limits.cash_reserve_weight, wanted or 0.0)

    @property
    def unspent_weight(self) -> float:
        """Cash over that which this plan may not spend, of value: its buys have a budget."""
        if not self.in_bear:
            return 0.0
        return (1 - self.rules.regime.bear_buys) * max(0.0, self.own_cash - self.least_cash)

    @property
    def reserve_weight(self) -> float:
        """Cash that must stay, of value."""
        return self.least_cash + self.unspent_weight

    @property
    def preferred_cash(self) -> float:
        """Cash that the score wants without targets, of value."""
        own, wanted = self.score.cash_target, self.regime_cash
        if wanted is None or not self.follows_regime:
            return own
        bounds = {"bull": min(own, wanted), "bear": max(own, wanted)}
        return bounds.get(self.regime.name, own)

    @cached_property
    def falls_in_bear(self) -> BoolArray:
        """(n,) held below its cost in a bear market: no more of it is bought."""
        barred = self.in_bear and not self.rules.regime.bear_averaging_down
        return frozen(self.held & (self.gain < -NOISE) & barred)
