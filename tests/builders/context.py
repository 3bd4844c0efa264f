"""Small contexts and candidate tables by hand, in the domain's notation.

>>> ctx = context("A B", weights=[0.3, 0.2], prices=[90, 110], quality=[0.8, 0.4])
>>> ctx.symbols, round(ctx.cash_weight, 12)
(('A', 'B'), 0.5)
>>> table = candidates(ctx, "sell A .10 .9 profit_taking", "buy B .05 .8 opportunity_buys")
>>> table.ids, table.draws["opportunity_buys"], table.pool
(('c1', 'c2'), (1,), (0, 1))

Symbols must be sorted, as the planner sorts them. Whatever is not said is neutral: price 100, one
share a lot, half the portfolio spread evenly over the securities, the rest cash, no targets, no
dates, no costs of purchase, quality as if missing, everything may be traded, portfolio value
100,000, base order 1 %.
All arrays are read-only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from steelyard.arrays import PAD, frozen
from steelyard.estimates.estimate import METRICS, Estimates
from steelyard.estimates.regime import UNKNOWN, Regime
from steelyard.estimates.trends import Trends
from steelyard.ledger import Account
from steelyard.modules.candidates import Candidates, Proposal
from steelyard.modules.context import Context
from steelyard.modules.patterns import NoParams
from steelyard.modules.tables import Tables
from steelyard.planning.draws import draw, drawn
from steelyard.planning.planning_set import grouping, neutral_mix
from steelyard.portfolio import BucketState, Holding, Security, TaxLot
from steelyard.sentences import say
from steelyard.settings import Groups, Limits, Planner, Rules, Score, Search
from steelyard.settings import Regime as RegimeRules

AS_OF = date(2022, 12, 28)
VALUE = 100_000.0
INVESTED = 0.5

Numbers = Sequence[float] | float | None


def context(
    symbols: str = "A B",
    *,
    weights: Numbers = None,
    targets: Numbers = None,
    prices: Numbers = 100.0,
    fx: Numbers = 1.0,
    lot_sizes: Numbers = 1.0,
    average_cost: Numbers = np.nan,
    years_held: Numbers = np.nan,
    days_since_bought: Numbers = np.nan,
    days_since_sold: Numbers = np.nan,
    quality: Numbers | None = None,
    multipliers: Numbers = 1.0,
    momentum: Numbers = np.nan,
    peaks: Numbers = np.nan,
    dividend_yield: Numbers | None = None,
    expected_return: Numbers = 0.065,
    volatility: Numbers = 0.25,
    drawdown: Numbers = 0.40,
    correlation: Any = None,
    volatility_ratio: float = np.nan,
    regime: Regime | None = None,
    regimes: RegimeRules | None = None,
    can_buy: str | None = None,
    can_sell: str | None = None,
    funds: str = "",
    sectors: Sequence[str] = (),
    countries: Sequence[str] = (),
    sector_targets: Mapping[str, float] | None = None,
    country_targets: Mapping[str, float] | None = None,
    mix: Numbers = None,
    cash: float | None = None,
    base_weight: float = 0.01,
    max_depth: int = 5,
    seed: int = 0,
    limits: Limits | None = None,
    score: Score | None = None,
) -> Context:
    """A Context of a few securities.

    symbols              sorted, separated by spaces; an empty string is an empty portfolio
    weights, targets     of value; 0 = not held; targets None = no targets
    can_buy, can_sell    symbols that may be; None = all
    funds                symbols that are funds
    sectors, countries   a label for each security, several separated by `;`, an empty one = none
    correlation          (n, n); None = .4 between any two
    mix                  what cash is looked through into; None = as the planner does
    cash                 of value; default: what the weights leave
    """
    names = tuple(symbols.split())
    n = len(names)

    def full(numbers: Numbers) -> np.ndarray:
        return frozen(np.array(np.broadcast_to(np.asarray(numbers, dtype=np.float64), (n,))))

    weights = full(INVESTED / max(n, 1) if weights is None else weights)
    goals = None if targets is None else full(targets)
    shares = np.divide(weights * VALUE, full(prices) * full(fx))
    yields = full(0.02 if dividend_yield is None else dividend_yield)
    known = set() if quality is None else {"quality"}
    quality = full(0.55 if quality is None else quality)
    cash_weight = 1 - float(weights.sum()) if cash is None else cash
    estimates = Estimates(
        full(expected_return),
        full(volatility),
        quality,
        full(drawdown),
        frozen(np.where(np.eye(n) > 0, 1.0, 0.4) if correlation is None else np.array(correlation)),
        0.0,
        MappingProxyType({metric: frozen(np.full(n, metric not in known)) for metric in METRICS}),
    )
    securities = tuple(
        Security(
            name,
            "USD",
            product_type="ETF" if name in funds.split() else "EQUITY",
            lot_size=Decimal(repr(float(lot))),
            priority_multiplier=float(factor),
            dividend_yield=None if dividend_yield is None else float(paid),
        )
        for name, lot, factor, paid in zip(
            names, full(lot_sizes), full(multipliers), yields, strict=True
        )
    )
    ctx = Context(
        as_of=AS_OF,
        base_currency="USD",
        symbols=names,
        securities=securities,
        holdings=tuple(
            _holding(name, quantity) for name, quantity in zip(names, shares, strict=True)
        ),
        prices=full(prices),
        fx=full(fx),
        quantities=frozen(shares),
        sellable=frozen(shares.copy()),
        weights=weights,
        target_weights=goals,
        average_cost=full(average_cost),
        years_held=full(years_held),
        days_since_bought=full(days_since_bought),
        days_since_sold=full(days_since_sold),
        tradable=frozen(np.ones(n, dtype=np.bool_)),
        can_buy=_members(names, can_buy),
        can_sell=_members(names, can_sell),
        is_fund=_members(names, funds),
        dividend_yield=yields,
        neutral_mix=full(0.0 if mix is None else mix),
        sectors=grouping("sector", _labels(sectors, n)),
        countries=grouping("country", _labels(countries, n)),
        estimates=estimates,
        cash_weight=cash_weight,
        spendable_weight=cash_weight,
        value=VALUE,
        min_order_weight=0.005,
        seed=seed,
        state=BucketState(),
        rules=Rules(
            limits=limits or Limits(), planner=Planner(base_trade_weight=base_weight),
            search=Search(scope="candidates", max_depth=max_depth), score=score or Score(),
            groups=Groups(sector=dict(sector_targets or {}), country=dict(country_targets or {})),
            regime=regimes or RegimeRules(),
        ),
        trends=Trends(full(momentum), full(peaks), volatility_ratio),
        regime=regime or UNKNOWN,
    )  # fmt: skip
    return replace(ctx, neutral_mix=neutral_mix(ctx)) if mix is None else ctx


def _labels(texts: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """`["Tech", "Tech;Energy", ""]`: one label, two of half each, and none."""
    return [tuple(part for part in text.split(";") if part) for text in texts or [""] * n]


def with_correlation(ctx: Context, history: str, *alike: tuple[str, str, float]) -> Context:
    """The context with correlations of pairs, else .4, and the symbols that have a history."""
    matrix = ctx.estimates.correlation.copy()
    for a, b, value in alike:
        i, j = ctx.symbols.index(a), ctx.symbols.index(b)
        matrix[i, j] = matrix[j, i] = value
    missing = {**ctx.estimates.missing, "correlation": frozen(~_members(ctx.symbols, history))}
    return replace(
        ctx,
        estimates=replace(
            ctx.estimates, correlation=frozen(matrix), missing=MappingProxyType(missing)
        ),
    )


def candidates(
    ctx: Context, *orders: str, cost: float = 0.0, conflicts: Sequence[tuple[int, int]] = ()
) -> Candidates:
    """A finished table from orders like `"sell A .10 .9 profit_taking weight_based"`.

    An order is side, symbol, size of value, priority, then who proposed it. Rows are sorted as the
    planner sorts them: sells first, by symbol, larger sizes first. `cost` is that of every order,
    of value; `conflicts` are pairs of rows. Draws and pool are not cut: every priority over 0 is
    drawn.
    """
    rows = sorted(
        (_order(ctx, order) for order in orders), key=lambda row: (row[0], row[1], -row[2])
    )
    m = len(rows)
    is_buy = np.array([row[0] for row in rows], dtype=np.bool_)
    security = np.array([row[1] for row in rows], dtype=np.int64)
    size = np.array([row[2] for row in rows], dtype=np.float64)
    delta = np.where(is_buy, size, -size)
    costs = np.full(m, cost)
    account = Account(
        security=frozen(security), delta=frozen(delta), cost=frozen(costs),
        conflicts=frozen(_conflicts(m, conflicts)), cash=ctx.cash_weight,
        spendable=ctx.spendable_weight, reserve=ctx.reserve_weight,
        settled_only=ctx.limits.funding == "settled", turnover_cap=ctx.limits.max_turnover_weight,
        group_shares=frozen(np.zeros((m, 0))), group_weights=frozen(np.zeros(0)), group_cap=None,
    )  # fmt: skip
    nothing = frozen(np.zeros(m))
    table = Candidates(
        ids=tuple(f"c{j + 1}" for j in range(m)),
        security=account.security,
        is_buy=frozen(is_buy),
        quantity=tuple(
            Decimal(round(float(w * VALUE / (ctx.prices[i] * ctx.fx[i])))) for _, i, w, _, _ in rows
        ),
        delta=account.delta,
        cost=account.cost,
        tax=nothing,
        full_exit=frozen(~is_buy & np.isclose(size, ctx.weights[security] if m else 0.0)),
        priority=frozen(np.array([row[3] for row in rows], dtype=np.float64)),
        proposals=tuple(
            tuple(Proposal(source, say("by hand"), ()) for source in row[4]) for row in rows
        ),
        account=account,
        tables=Tables(nothing, frozen(np.zeros((m, m))), ()),
        alone=frozen(np.array([row[3] for row in rows], dtype=np.float64)),
        paired=nothing,
        together=frozen(np.array([row[3] for row in rows], dtype=np.float64)),
    )
    every = replace(ctx.rules, planner=Planner(priority_threshold=0))
    draws = MappingProxyType(drawn(replace(ctx, rules=every), table))
    return replace(table, draws=draws, pool=draw(table, range(m), 0.0))


def orders(ctx: Context, table: Candidates, rows: Any) -> list[list[str]]:
    """Rows as `["-A", "+B"]`."""
    sign = {True: "+", False: "-"}
    return [
        [sign[bool(table.is_buy[j])] + ctx.symbols[table.security[j]] for j in row if j != PAD]
        for row in rows
    ]


def proposed(
    pattern: Any,
    params: Any,
    symbols: str,
    *lines: str,
    cost: float = 0.0,
    conflicts: Sequence[tuple[int, int]] = (),
    **options: Any,
) -> list[list[str]]:
    """What a pattern proposes for the orders of `lines` in a context of `options`, as `orders`."""
    ctx = context(symbols, **options)
    table = candidates(ctx, *lines, cost=cost, conflicts=conflicts)
    rows = pattern(ctx, table, params)
    assert rows.shape[1] == ctx.search.max_depth
    return orders(ctx, table, rows)


def sized(pattern: Any, symbols: str, *lines: str, **options: Any) -> list[list[str]]:
    """What a pattern without settings proposes, with the size of each order, like `+A .05`."""
    ctx = context(symbols, **options)
    table = candidates(ctx, *lines)
    rows = pattern(ctx, table, NoParams())
    named = orders(ctx, table, rows)
    return [
        [
            f"{name} {abs(float(table.delta[j])):.2f}".replace(" 0.", " .")
            for name, j in zip(names, row, strict=False)
        ]
        for names, row in zip(named, rows, strict=True)
    ]


def read_only(record: Any) -> bool:
    """Is every array in a record, however deep, closed to writing?"""
    if isinstance(record, np.ndarray):
        return not record.flags.writeable
    parts = fields(record) if hasattr(record, "__dataclass_fields__") else ()
    return all(read_only(getattr(record, part.name)) for part in parts)


def _order(ctx: Context, order: str) -> tuple[bool, int, float, float, tuple[str, ...]]:
    side, symbol, size, priority, *sources = order.split()
    return side == "buy", ctx.symbols.index(symbol), float(size), float(priority), tuple(sources)


def _conflicts(m: int, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    matrix = np.zeros((m, m), dtype=np.bool_)
    for a, b in pairs:
        matrix[a, b] = matrix[b, a] = True
    return matrix


def _holding(symbol: str, quantity: float) -> Holding | None:
    shares = Decimal(repr(float(quantity)))
    return Holding(symbol, shares, (TaxLot(shares),)) if quantity > 0 else None


def _members(names: tuple[str, ...], chosen: str | None) -> np.ndarray:
    return frozen(
        np.array([chosen is None or name in chosen.split() for name in names], dtype=np.bool_)
    )
