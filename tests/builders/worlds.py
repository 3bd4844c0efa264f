"""Hypothesis strategies for whole small worlds: ugly, but valid."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from types import MappingProxyType

from hypothesis import settings
from hypothesis import strategies as st

from builders.world import AS_OF, World, market, with_params, without
from steelyard import strategies
from steelyard.modules.registry import Kind
from steelyard.money import ZERO
from steelyard.orders import Order, Side
from steelyard.portfolio import BucketState, Holding, Security, Snapshot, TaxLot
from steelyard.settings import Costs, Limits, Planner, Score, Search
from steelyard.targets import Targets

SYMBOLS = ("AB", "B2", "CD", "D", "E.F", "G-9", "ZZ")
EUR = Decimal("1.0837")
SECTORS = ("Energy", "Health Care", "Technology")
COUNTRIES = ("DE", "US")
QUALITIES = (None, 0.1, 0.9)
SAME_WALK = 7
USUAL = 60
"""Examples of a property; the nightly profile has more."""

NIGHTLY = settings.default.max_examples > USUAL
SOME = settings(max_examples=settings.default.max_examples if NIGHTLY else 24)
"""For rules of whole plans and searches: 24 examples, 500 nightly."""
FEWER = settings(max_examples=settings.default.max_examples // (4 if NIGHTLY else 10))
"""For rules beside the invariants, each example a plan or two: 6 examples, 125 nightly."""


def seeds(usual: int, nightly: int) -> range:
    """So many seeds of random cases, and so many in the nightly profile."""
    return range(nightly if NIGHTLY else usual)


FEWEST_SESSIONS, SOME_SESSIONS, MANY_SESSIONS = 1, 60, 300

usual_prices = st.sampled_from(
    [Decimal(text) for text in ("12.34", "48.5", "99.99", "150", "310.07", "5")]
)
prices = st.one_of(usual_prices, usual_prices, st.decimals(Decimal("0.05"), Decimal(900), places=2))
lot_sizes = st.sampled_from([Decimal(1)] * 4 + [Decimal(10), Decimal("0.001"), Decimal("0.25")])


@st.composite
def securities(draw: st.DrawFn, symbol: str) -> Security:
    return Security(
        symbol, draw(st.sampled_from(["USD", "USD", "EUR"])), f"{symbol} name",
        draw(st.sampled_from(["EQUITY", "EQUITY", "EQUITY", "ETF"])), draw(lot_sizes),
        draw(st.sampled_from([(), *((name,) for name in SECTORS), SECTORS[:2]])),
        draw(st.sampled_from([(), *((name,) for name in COUNTRIES)])),
        quality=draw(st.sampled_from(QUALITIES)),
        dividend_yield=draw(st.sampled_from([None, 0.0, 0.05])),
        priority_multiplier=draw(st.sampled_from([1.0, 1.0, 0.5, 3.0])),
        allow_buy=draw(st.sampled_from([True] * 5 + [False])),
        allow_sell=draw(st.sampled_from([True] * 5 + [False])),
    )  # fmt: skip


@st.composite
def holdings(draw: st.DrawFn, symbol: str) -> Holding:
    """Whole, fractional or dusty; one lot or two; with or without dates and costs."""
    whole = st.sampled_from([150, 40, 400, 2500, 7, 1]).map(Decimal)
    shares = st.one_of(whole, whole, st.decimals(Decimal("0.0001"), 50, places=4))
    parts = draw(st.lists(shares, min_size=1, max_size=2))
    ages = [None, *(AS_OF - timedelta(days=days) for days in (2000, 2000, 200, 20))]
    lots = tuple(
        TaxLot(part, draw(st.sampled_from(ages)), draw(st.one_of(st.none(), prices)))
        for part in parts
    )
    sold = draw(st.sampled_from([None, None, None, AS_OF - timedelta(days=30)]))
    return Holding(symbol, sum(parts, ZERO), lots, last_sold=sold)


@st.composite
def targets(draw: st.DrawFn, symbols: tuple[str, ...]) -> Targets | None:
    """None, all or some of the symbols, also unheld ones; what is left is cash."""
    if not symbols or draw(st.booleans()):
        return None
    parts = [draw(st.sampled_from([2, 3, 5, 1, 0])) for _ in symbols]
    cash = draw(st.integers(0, 3))
    whole = max(1, sum(parts) + cash)
    weights = {symbol: part / whole for symbol, part in zip(symbols, parts, strict=True)}
    return Targets(MappingProxyType(weights))


@st.composite
def rules(draw: st.DrawFn) -> strategies.Strategy:
    """Default modules under drawn costs, limits, score and search."""
    costs = Costs(
        fixed=draw(st.sampled_from([2.0, 2.0, 0.0, 25.0])),
        percent=draw(st.sampled_from([0.002, 0.002, 0.0, 0.03])),
        spread_bps=draw(st.sampled_from([0.0, 0.0, 12.5])),
        fx_percent=draw(st.sampled_from([0.0, 0.0015])),
    )
    limits = Limits(
        cash_reserve_weight=draw(st.sampled_from([0.02, 0.0, 0.3])),
        max_position_weight=draw(st.sampled_from([0.2, 0.6, 1.0])),
        max_group_weight=draw(st.sampled_from([None, None, 0.35])),
        max_turnover_weight=draw(st.sampled_from([None, None, 0.1])),
        funding=draw(st.sampled_from(["proceeds", "proceeds", "settled"])),
    )
    score = Score(
        profile=draw(st.sampled_from(["balanced", "conservative", "aggressive"])),
        min_improvement=draw(st.sampled_from([0.005, 0.005, 0.0, 0.05])),
        tax_rate=draw(st.sampled_from([0.0, 0.0, 0.25])),
    )
    chosen = replace(
        strategies.default(), costs=costs, limits=limits, score=score,
        search=Search(max_depth=draw(st.sampled_from([5, 5, 1, 2, 3]))),
        planner=Planner(priority_threshold=draw(st.sampled_from([0.3, 0.0]))),
    )  # fmt: skip
    most = draw(st.sampled_from([40, 40, 40, 1000]))
    chosen = with_params(chosen, Kind.SEQUENCE, "enhanced_combinatorial", max_combinations=most)
    off = [(), (), ("weight_based",), ("opportunity_buys", "rebalance_buys")]
    return without(chosen, Kind.OPPORTUNITY, *draw(st.sampled_from(off)))


@st.composite
def open_orders(
    draw: st.DrawFn, symbols: tuple[str, ...], owned: dict[str, Decimal]
) -> tuple[Order, ...]:
    if not symbols or draw(st.integers(0, 3)):
        return ()
    symbol = draw(st.sampled_from(symbols))
    side = draw(st.sampled_from([Side.BUY, Side.SELL])) if owned.get(symbol) else Side.BUY
    if side is Side.SELL:
        quantity = owned[symbol] * draw(st.sampled_from([Decimal("0.5"), Decimal(1)]))
    else:
        quantity = Decimal(draw(st.integers(1, 90)))
    limit = draw(st.sampled_from([None, Decimal("11.5")]))
    return (Order("open-1", symbol, side, quantity, limit),)


@st.composite
def worlds(draw: st.DrawFn, most: int = 6) -> World:
    """A snapshot with its market, strategy and targets; its value is never negative."""
    symbols = SYMBOLS[: most - draw(st.integers(0, most))]
    equal = draw(st.booleans()) and draw(st.booleans())
    one_price = draw(prices)
    quoted = {symbol: one_price if equal else draw(prices) for symbol in symbols}
    listed = tuple(draw(securities(symbol)) for symbol in symbols)
    if equal:
        listed = tuple(replace(listed[0], symbol=security.symbol) for security in listed)
    owned = tuple(draw(holdings(symbol)) for symbol in symbols if draw(st.integers(0, 3)))
    rate = {"USD": Decimal(1), "EUR": EUR}
    currency = {security.symbol: security.currency for security in listed}
    invested = sum((h.quantity * quoted[h.symbol] * rate[currency[h.symbol]] for h in owned), ZERO)
    cash = {"USD": draw(balances(invested))}
    if draw(st.integers(0, 3)) == 0:
        cash["EUR"] = draw(st.decimals(0, 3000, places=2))
    orders = draw(open_orders(symbols, {h.symbol: h.quantity for h in owned}))
    snapshot = Snapshot(AS_OF, "USD", owned, cash, listed, open_orders=orders)
    sessions = draw(st.sampled_from([MANY_SESSIONS, MANY_SESSIONS, SOME_SESSIONS, FEWEST_SESSIONS]))
    walks = dict.fromkeys(symbols, SAME_WALK) if equal else {}
    state = draw(st.sampled_from([None, BucketState("act"), BucketState("hold")]))
    return World(
        snapshot, market(quoted, sessions, EUR, walks), draw(rules()), draw(targets(symbols)), state
    )


@st.composite
def balances(draw: st.DrawFn, invested: Decimal) -> Decimal:
    """Cash of about the size of the holdings, none, or a debt of up to half of them."""
    shares = ["0.06", "0.06", "0.3", "1.5", "0.0001", "0", "-0.01", "-0.5"]
    share = Decimal(draw(st.sampled_from(shares)))
    around = max(invested, Decimal(20_000)) if share > 0 else invested
    return (around * share).quantize(Decimal("0.01"), ROUND_UP if share > 0 else ROUND_DOWN)
