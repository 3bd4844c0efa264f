"""What a self-contained request says, as records; `services/wire` is their JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from steelyard.compat.records import PortfolioContext, Position, Security

MOST_ORDERS = 10
"""Of a sequence: as many as a proposal may have at all."""
CATEGORIES = (
    "profit_taking",
    "averaging_down",
    "rebalance_sells",
    "rebalance_buys",
    "opportunity_buys",
)
"""The documents' five lists."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """A possible trade.

    price             per share, in `currency`
    value_eur         in the account's currency, costs not in it
    priority          0..1 of ours; higher goes first
    paired_priority   the same of it with one order of the other side; None = not told
    """

    side: str
    symbol: str
    name: str
    quantity: float
    price: float
    value_eur: float
    currency: str
    priority: float
    reason: str
    tags: tuple[str, ...] = ()
    paired_priority: float | None = None


@dataclass(frozen=True, kw_only=True)
class AskedPosition(Position):
    """A position, with figures that are checked and not used; account's currency, fraction."""

    unrealized_pnl: float | None = None
    unrealized_pnl_pct: float | None = None


@dataclass(frozen=True, kw_only=True)
class AskedSecurity(Security):
    """A security, as a request describes it; market_cap is not used."""

    isin: str = ""
    sector: str | None = None
    current_price: float | None = None
    market_cap: float | None = None
    dividend_yield: float | None = None
    quality: float | None = None
    allow_sell: bool = True


@dataclass(frozen=True, kw_only=True)
class Account:
    """What the evaluator's and the coordinator's requests say of the whole account.

    Figures beside `available_cash` are checked and not used. `target_allocation` stands where no
    target weights are given.
    """

    total_value_eur: float
    available_cash: float
    invested_value: float
    num_positions: int
    target_allocation: Mapping[str, float] | None = None
    country_weights: Mapping[str, float] = field(default_factory=dict)
    industry_weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Closes:
    """Past prices: T dates, and per symbol T closes in its own currency, None where there is none.

    adjusted   the closes contain dividends
    """

    dates: tuple[str, ...]
    prices: Mapping[str, tuple[float | None, ...]]
    adjusted: bool = True


@dataclass(frozen=True, kw_only=True)
class Evaluators:
    """Which evaluators a request names; the topology decides."""

    urls: tuple[str, ...] = ()
    load_balancing: str = "round_robin"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of any of the four kinds; each says some of this.

    portfolio_context   of the account
    opportunities       the documents' lists -> possible trades
    sequences           to be evaluated
    feasibility, combinatorial, filters, settings, parameters   rules, by the documents' names
    strategy            more rules, in any spelling of a strategy, over the others
    exchange_rates      currency -> units of the account's for one of it
    """

    portfolio_context: PortfolioContext | Account | None = None
    positions: tuple[AskedPosition, ...] = ()
    securities: tuple[AskedSecurity, ...] = ()
    available_cash: float | None = None
    target_weights: Mapping[str, float] | None = None
    current_prices: Mapping[str, float] | None = None
    transaction_cost_fixed: float | None = None
    transaction_cost_percent: float | None = None
    recently_sold: tuple[str, ...] | None = None
    ineligible_symbols: tuple[str, ...] | None = None
    opportunities: Mapping[str, tuple[Action, ...]] = field(default_factory=dict)
    sequences: tuple[tuple[Action, ...], ...] = ()
    feasibility: Mapping[str, Any] = field(default_factory=dict)
    combinatorial: Mapping[str, Any] = field(default_factory=dict)
    filters: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 500
    market_regime: str | None = None
    evaluator_config: Evaluators | None = None
    as_of: str | None = None
    base_currency: str = "EUR"
    exchange_rates: Mapping[str, float] = field(default_factory=dict)
    closes: Closes | None = None
    strategy: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    @property
    def rules(self) -> dict[str, Any]:
        """All of them, by the documents' names."""
        groups = (self.feasibility, self.combinatorial, self.filters, self.settings)
        costs = {
            name: getattr(self, name)
            for name in ("transaction_cost_fixed", "transaction_cost_percent")
            if getattr(self, name) is not None
        }
        rules: dict[str, Any] = {}
        for group in (*groups, self.parameters, costs):
            rules |= group
        return rules

    @property
    def actions(self) -> Iterator[Action]:
        """All that it names."""
        for category in self.opportunities.values():
            yield from category
        for sequence in self.sequences:
            yield from sequence
