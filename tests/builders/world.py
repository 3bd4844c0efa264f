"""Whole small worlds without files: what `plan` takes, and what stands between its stages.

>>> world("AA 40 @ 100", "BB 0 @ 50", cash="1000", targets={"AA": 0.5}).plan().verdict.action
'act'
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from steelyard import strategies
from steelyard.market import Market, Quote
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, Module
from steelyard.money import ZERO, FxRate, FxTable
from steelyard.orders import Order, Side
from steelyard.planning.case import Case
from steelyard.planning.contexts import context_of
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.planner import plan
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.solve import LOCAL, Solution, Steps, solved
from steelyard.planning.valuation import Valuation
from steelyard.planning.wishes import find_opportunities
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState, Holding, Security, Snapshot, TaxLot
from steelyard.strategies import ModuleChoice, Strategy
from steelyard.strategies.strategy import OnFailure
from steelyard.targets import Targets, TargetsFailed

AS_OF = date(2024, 3, 15)
SECTIONS = ("costs", "limits", "search", "planner", "score", "groups")
SESSIONS = 300
"""Enough for every estimate but the longest ones."""


@dataclass(frozen=True, repr=False, eq=False)
class World:
    """The arguments of `plan`."""

    snapshot: Snapshot
    market: Market
    strategy: Strategy
    targets: Targets | TargetsFailed | None = None
    state: BucketState | None = None

    def __repr__(self) -> str:
        """What a person needs to see of a world that breaks a rule; prices, but no history."""
        quotes = " ".join(
            f"{symbol}={quote.price}" for symbol, quote in sorted(self.market.quotes.items())
        )
        usual = strategies.default()
        sections = {
            name: getattr(self.strategy, name)
            for name in SECTIONS
            if getattr(self.strategy, name) != getattr(usual, name)
        }
        off = [
            choice.module.qualified
            for kind in Kind
            for choice in self.strategy.choices[kind]
            if not choice.enabled
        ]
        prices = f"quotes {quotes}, {len(self.market.dates)} sessions"
        return (
            f"World({self.snapshot}, {prices}, {sections}, off {off}, {self.targets}, {self.state})"
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def having(self, **changes: Any) -> World:
        """With other fields of its own, of its snapshot, of its market, or of sections of rules.

        >>> BUSY.having(cash={}, limits={"max_turnover_weight": 0.1}).snapshot.cash
        {}
        """
        parts: dict[str, Any] = {}
        for name in ("snapshot", "market", "strategy"):
            record = getattr(self, name)
            names = [key for key in changes if key in record.__dataclass_fields__]
            own = {key: changes.pop(key) for key in names}
            for key in {*own} & {*SECTIONS}:
                own[key] = getattr(record, key).model_copy(update=own[key])
            parts[name] = replace(record, **own)
        return replace(self, **{**parts, **changes})

    def plan(self, **options: Any) -> Plan:
        options = {"targets": self.targets, "state": self.state, **options}
        return plan(self.snapshot, self.market, self.strategy, **options)

    @functools.cached_property
    def planned(self) -> Plan:
        """The plan without options, made once."""
        return self.plan()

    @functools.cached_property
    def prepared(self) -> Prepared:
        """Context, objective and table as `plan` makes them, made once."""
        return prepared(self)

    @property
    def case(self) -> Case:
        return Case(
            snapshot=self.snapshot, market=self.market, strategy=self.strategy,
            targets=self.targets, state=self.state or BucketState(),
        )  # fmt: skip

    @property
    def rates(self) -> dict[str, Decimal]:
        """Base per unit of every currency of the world."""
        fx = self.market.fx
        latest = {
            currency: fx.latest(currency, self.snapshot.as_of) for currency in (*fx.rates, fx.base)
        }
        return {currency: rate.rate for currency, rate in latest.items() if rate is not None}

    @property
    def cash(self) -> Decimal:
        """All cash, base currency."""
        cash = self.snapshot.cash
        return sum(
            (cash[currency] * self.rates[currency] for currency in cash if cash[currency]), ZERO
        )

    @property
    def open_buys(self) -> Decimal:
        """Money that open buys may take, base currency."""
        total = ZERO
        for order in self.snapshot.open_orders:
            if order.side is Side.BUY:
                security = self.snapshot.security(order.symbol)
                price = order.limit_price or self.market.quotes[order.symbol].price
                currency = security.currency if security else self.snapshot.base_currency
                total += order.open_quantity * price * self.rates[currency]
        return total

    def held(self, symbol: str) -> Decimal:
        owned = {holding.symbol: holding.quantity for holding in self.snapshot.holdings}
        return owned.get(symbol, ZERO)


@dataclass(frozen=True)
class Prepared:
    """What stands after the first four stages of a plan."""

    valuation: Valuation
    ctx: Context
    objective: Objective
    table: Candidates
    findings: Findings = field(repr=False)


def prepared(of: World) -> Prepared:
    """Context, objective and table as `plan` makes them."""
    guard = Guard()
    case, valuation, ctx = context_of(of.case, guard.findings)
    objective = objective_of(ctx, case.strategy, guard)
    table = find_opportunities(ctx, objective, case.strategy, guard)
    return Prepared(valuation, ctx, objective, table, guard.findings)


def solution(of: World, steps: Steps = LOCAL) -> Solution:
    """What the document of the world's plan is written from."""
    return solved(of.case, steps)[0]


def world(
    *lines: str,
    cash: str | Mapping[str, str] = "0",
    targets: Mapping[str, float] | None = None,
    sectors: Mapping[str, str] = MappingProxyType({}),
    foreign: Sequence[str] = (),
    lots: Mapping[str, str] = MappingProxyType({}),
    funds: Sequence[str] = (),
    cost_prices: Mapping[str, str] = MappingProxyType({}),
    orders: Sequence[Order] = (),
    state: BucketState | None = None,
    sessions: int = SESSIONS,
    **sections: Any,
) -> World:
    """A world from lines like `"AA 40 @ 100"`: symbol, shares, price in its currency.

    cash       of the base currency USD, or by currency
    foreign    symbols in EUR, 1.25 USD each
    lots       symbol -> lot size
    sections   of the strategy, like `limits=Limits(…)`
    """
    parts = [line.replace("@", "").split() for line in lines]
    quantities = {symbol: Decimal(shares) for symbol, shares, _ in parts}
    prices = {symbol: Decimal(price) for symbol, _, price in parts}
    securities = tuple(
        Security(
            symbol, "EUR" if symbol in foreign else "USD", f"{symbol} Inc",
            "ETF" if symbol in funds else "EQUITY", Decimal(lots.get(symbol, "1")),
            tuple(name for name in sectors.get(symbol, "").split(";") if name),
        )
        for symbol in quantities
    )  # fmt: skip
    costs = {symbol: Decimal(cost) for symbol, cost in cost_prices.items()}
    holdings = tuple(
        Holding(symbol, shares, (TaxLot(shares, date(2020, 1, 2), costs.get(symbol)),))
        for symbol, shares in quantities.items()
        if shares > 0
    )
    amounts = {"USD": cash} if isinstance(cash, str) else cash
    balances = {currency: Decimal(amount) for currency, amount in amounts.items()}
    snapshot = Snapshot(AS_OF, "USD", holdings, balances, securities, open_orders=tuple(orders))
    goals = None if targets is None else Targets(MappingProxyType(dict(targets)))
    strategy = replace(strategies.default(), **sections)
    return World(snapshot, market(prices, sessions), strategy, goals, state)


def market(
    prices: Mapping[str, Decimal],
    sessions: int = SESSIONS,
    fx: Decimal = Decimal("1.25"),
    walks: Mapping[str, int] | None = None,
) -> Market:
    """Random walks that end at the given prices, by symbol or by the seed in `walks`."""
    symbols = tuple(sorted(prices))
    days = session_days(sessions)
    columns = [
        float(prices[symbol]) * walk((walks or {}).get(symbol, seed_of(symbol)), sessions)
        for symbol in symbols
    ]
    closes = np.stack(columns, axis=1) if columns else np.zeros((sessions, 0))
    closes.setflags(write=False)
    last = days[-1].astype(object)
    quotes = {symbol: Quote(symbol, price, last) for symbol, price in prices.items()}
    rates = FxTable(
        "USD",
        MappingProxyType({"EUR": tuple(FxRate("EUR", fx, day) for day in days.astype(object))}),
    )
    return Market(symbols, days, closes, quotes, rates, True, "made")


def session_days(sessions: int) -> np.ndarray:
    """The last weekdays up to the as-of date."""
    every = np.arange(
        np.datetime64(AS_OF - timedelta(days=2 * sessions + 7)), np.datetime64(AS_OF) + 1
    )
    return every[np.is_busday(every)][-sessions:]


def seed_of(symbol: str) -> int:
    return sum(ord(letter) * 31**place for place, letter in enumerate(symbol))


@functools.cache
def walk(seed: int, sessions: int) -> np.ndarray:
    """A path of prices that ends at 1, (sessions,)."""
    random = np.random.default_rng(seed)
    steps = 0.0003 + (0.008 + 0.01 * random.random()) * random.standard_normal(sessions)
    path = np.exp(np.cumsum(steps))
    path /= path[-1]
    path.setflags(write=False)
    return path


def choosing(strategy: Strategy, kind: Kind, change: Callable[[ModuleChoice], Any]) -> Strategy:
    """The strategy with every choice of a kind changed: `change` gives the new fields of one."""
    choices = tuple(replace(choice, **change(choice)) for choice in strategy.choices[kind])
    return replace(strategy, choices=MappingProxyType({**strategy.choices, kind: choices}))


def without(strategy: Strategy, kind: Kind, *names: str) -> Strategy:
    """The strategy with some modules of a kind off."""
    return choosing(strategy, kind, lambda c: {"enabled": c.enabled and c.module.name not in names})


def only(strategy: Strategy, kind: Kind, *names: str) -> Strategy:
    """The strategy with these modules of a kind alone, as far as they are on."""
    return choosing(strategy, kind, lambda c: {"enabled": c.enabled and c.module.name in names})


def with_on(strategy: Strategy, kind: Kind, *names: str) -> Strategy:
    """The strategy with these modules of a kind on as well."""
    return choosing(strategy, kind, lambda c: {"enabled": c.enabled or c.module.name in names})


def with_module(strategy: Strategy, module: Module, on_failure: OnFailure = "block") -> Strategy:
    """The strategy with a module from outside, on: what a plugin would add."""
    added = ModuleChoice(module, True, module.params(), "strategy file", on_failure)
    choices = (*strategy.choices[module.kind], added)
    return replace(strategy, choices=MappingProxyType({**strategy.choices, module.kind: choices}))


def with_call(strategy: Strategy, kind: Kind, name: str, call: Any) -> Strategy:
    """The strategy with one module's function replaced: what a faulty plugin would do."""
    return choosing(
        strategy,
        kind,
        lambda c: {"module": replace(c.module, call=call)} if c.module.name == name else {},
    )


def with_params(strategy: Strategy, kind: Kind, name: str, **params: Any) -> Strategy:
    """The strategy with other parameters of one module."""
    return choosing(
        strategy,
        kind,
        lambda c: {"params": c.module.params(**params)} if c.module.name == name else {},
    )


BUSY = world(
    "AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20", "DD 90 @ 310", "EE 0 @ 75", "FF 33 @ 12",
    cash={"USD": "9000", "EUR": "500"},
    targets={"AA": 0.2, "BB": 0.2, "CC": 0.15, "DD": 0.2, "EE": 0.15},
    sectors={"AA": "Tech", "BB": "Energy", "CC": "Health", "DD": "Tech;Energy"},
    foreign=("BB",),
)  # fmt: skip
"""A world with something of everything."""
