"""The planning set and its Context: what is held, what may be bought, every array modules read.

Weights are of the pre-trade value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, flags, floats, frozen
from steelyard.estimates.trends import Trends, momentum, peaks, volatility_ratio
from steelyard.market import Market
from steelyard.modules.context import (
    LEFT_OUT,
    AbsentTarget,
    ClassBand,
    Context,
    Grouping,
    PastTrade,
)
from steelyard.money import ZERO, ExactMoney
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.costs import exact, min_order_weight
from steelyard.planning.decisions import note_decisions
from steelyard.planning.estimated import History, estimated, regime_of
from steelyard.planning.findings import Findings
from steelyard.planning.harvest import lent, partners
from steelyard.planning.lot_rules import note_lots
from steelyard.planning.remarks import remark, why_absent
from steelyard.planning.valuation import Priced, Valuation
from steelyard.portfolio import Holding, Security, Snapshot
from steelyard.strategies import Strategy
from steelyard.targets import CASH, Band, Targets

if TYPE_CHECKING:
    from steelyard.calculations.cache import Calculations

YEAR_DAYS = 365.25


def members(case: Case, valuation: Valuation) -> tuple[str, ...]:
    """The planning set, sorted: held, and targeted, or without targets buyable and affordable.

    What filters bar is barred as an order; a security that may not be bought for now still belongs
    to what is looked at.
    """
    priced, limits = valuation.priced, case.strategy.limits
    symbols = {symbol for symbol, p in priced.items() if p.quantity > 0}
    if case.target_weights is not None:
        symbols |= {
            symbol
            for symbol, weight in case.target_weights.weights.items()
            if weight > 0 and symbol in priced and priced[symbol].fresh
        }
        symbols |= partners(case, valuation)
    elif limits.allow_buy and valuation.value > 0:
        means = _means(case, valuation)
        symbols |= {
            symbol
            for symbol, p in priced.items()
            if p.fresh and p.security.allow_buy and p.security.lot_size * p.share <= means
        }
    return tuple(sorted(symbols))


def _means(case: Case, valuation: Valuation) -> Decimal:
    """What could pay for one lot, base currency: spendable cash and all that may be sold."""
    sellable = sum((p.value for p in valuation.priced.values() if p.security.allow_sell), ZERO)
    cash = _payable(case.snapshot.available("proceeds"), case, valuation)
    return cash - valuation.open_buys + sellable


def build_context(
    case: Case,
    valuation: Valuation,
    symbols: tuple[str, ...],
    findings: Findings,
    like: Context | None = None,
    calculations: Calculations | None = None,
) -> Context:
    """The Context of the planning set `symbols`; what is missing or odd in it is noted.

    like   of the same history: its estimates stand where they would come out the same
    calculations   what was calculated before; None = nothing is kept
    """
    ctx = lent(_context(case, valuation, symbols, like, calculations), case, findings)
    # before anybody asks: no reason of a calculator or of a target lets a bear average down
    ctx = replace(ctx, can_buy=frozen(ctx.can_buy & ~ctx.falls_in_bear))
    ctx = replace(ctx, neutral_mix=neutral_mix(ctx))
    note_decisions(ctx, case.strategy, findings)
    remark(ctx, case.market, case.strategy, findings)
    note_lots(ctx, findings)
    return ctx


def _context(
    case: Case,
    valuation: Valuation,
    symbols: tuple[str, ...],
    like: Context | None,
    calculations: Calculations | None,
) -> Context:
    snapshot, market, strategy = case.snapshot, case.market, case.strategy
    rows = [valuation.priced[symbol] for symbol in symbols]
    securities, holdings = tuple(p.security for p in rows), tuple(p.holding for p in rows)
    # worth nothing, as when debts equal all that is held: no weight means anything, so all are 0
    # and nothing trades
    worth = valuation.value > 0
    value = float(valuation.value) if worth else 1.0
    since = [h.held_since if h else None for h in holdings]
    quantities, prices = floats(p.quantity for p in rows), floats(p.unit_price for p in rows)
    fx = floats(p.rate for p in rows)
    multipliers = floats(s.multiplier for s in securities)
    weights = frozen(quantities * prices * fx / value * worth)
    targets = case.target_weights
    target_weights = (
        None if targets is None else floats(targets.weights.get(symbol, 0.0) for symbol in symbols)
    )
    fresh = flags(p.fresh and worth for p in rows)
    stale = strategy.limits.max_stale_sessions
    history = History(market, securities, stale)
    closes = history.closes()
    yields = floats(s.dividend_yield for s in securities)
    money = _exact_money(rows, case, valuation)
    cash = _worth(snapshot.balances, valuation)
    available = snapshot.available(strategy.limits.funding)
    ctx = Context(
        as_of=snapshot.as_of,
        base_currency=snapshot.base_currency,
        symbols=symbols,
        securities=securities,
        holdings=holdings,
        prices=prices,
        fx=fx,
        quantities=quantities,
        sellable=frozen(quantities - _reserved(rows, snapshot)),
        weights=weights,
        target_weights=target_weights,
        average_cost=frozen(floats(h.average_cost if h else None for h in holdings) * multipliers),
        years_held=frozen(_days(snapshot.as_of, since) / YEAR_DAYS),
        days_since_bought=_days(snapshot.as_of, map(last_bought, holdings)),
        days_since_sold=_days(snapshot.as_of, (h.last_sold if h else None for h in holdings)),
        tradable=fresh,
        can_buy=_allowed(fresh, strategy.limits.allow_buy, (s.allow_buy for s in securities)),
        can_sell=_allowed(fresh, strategy.limits.allow_sell, (s.allow_sell for s in securities)),
        is_fund=flags(s.is_fund for s in securities),
        dividend_yield=frozen(np.where(np.isnan(yields), strategy.score.neutral.yield_, yields)),
        neutral_mix=frozen(np.zeros(len(rows))),  # of the whole context, see `build_context`
        sectors=grouping("sector", [s.sectors for s in securities]),
        countries=grouping("country", [s.countries for s in securities]),
        estimates=like.estimates
        if like is not None and _estimates_alike(like, symbols, strategy)
        else estimated(history, closes, strategy.score, calculations),
        trends=Trends(
            momentum=frozen(momentum(closes)),
            peaks=frozen(_peaks(market, symbols, since) * multipliers),
            volatility_ratio=volatility_ratio(closes, weights),
        ),
        regime=regime_of(market, snapshot.as_of, strategy, calculations),
        follows_regime=case.follows_regime,
        cash_weight=float(cash) / value * worth,
        spendable_weight=float(money.spendable) / value * worth,
        open_buys_weight=float(valuation.open_buys) / value * worth,
        deposits_weight=float(valuation.brought) / value * worth,
        awaited_weight=float(cash - _worth(available, valuation)) / value * worth,
        kept_out_weight=math.fsum(abs(float(k.value)) for k in valuation.kept_out) / value * worth,
        value=value,
        min_order_weight=min_order_weight(strategy, value),
        seed=case.seed,
        state=case.state,
        rules=strategy.rules,
        classed=tuple(s.symbol for s in securities if targets is not None and targets.has(s)),
        absent=_absent(case, valuation, symbols),
        **_bands(case, securities),
        past=_past(snapshot),
    )
    return _reserving(ctx, money, case, valuation)


def _past(snapshot: Snapshot) -> tuple[PastTrade, ...]:
    """Trades on record of whatever is or was held, or is being bought, by symbol."""
    rows = {holding.symbol: holding for holding in snapshot.holdings}
    buying = {order.symbol for order in snapshot.open_orders if order.side is Side.BUY}
    past = []
    for symbol in sorted({*rows, *buying}):
        holding, security = rows.get(symbol), snapshot.security(symbol)
        lost = holding.last_loss if holding else None
        # a loss without its day may be of yesterday: what could breach a rule is taken to
        undated = holding is not None and holding.sold_at_loss and lost is None
        bought = snapshot.as_of if symbol in buying else last_bought(holding)
        substitute = security.substitute if security else ""
        if bought or lost or undated:
            day = snapshot.as_of if undated else lost
            past.append(PastTrade(symbol, substitute, bought, day, undated=undated))
    return tuple(past)


def _bands(case: Case, securities: Sequence[Security]) -> dict[str, Any]:
    """Half widths of the bands: those of the targets file, else the strategy's.

    Of cash a width that is relative to a target of nothing is none: the absolute one stands.
    """
    targets, rules = case.target_weights, case.strategy.rebalance
    if targets is None:
        return {}
    usual = Band(rules.drift_band_weight, rules.band_relative)
    weights = [targets.weights.get(security.symbol, 0.0) for security in securities]
    own = [_own_band(targets, security, usual) for security in securities]
    halves = [band.half(weight) or 0.0 for band, weight in zip(own, weights, strict=True)]
    centre = max(targets.cash, case.strategy.limits.cash_reserve_weight)
    of_cash = targets.bands.get(CASH, usual).half(centre) or 0.0
    return {
        "band_half": floats(halves),
        "cash_band_half": of_cash if centre else rules.drift_band_weight,
        "class_bands": tuple(_class_bands(targets, securities, usual)),
    }


def _own_band(targets: Targets, security: Security, usual: Band) -> Band:
    """Of a member without a row of its own as wide as that of its class: its target follows that
    of the class, so that it is off it by no more.
    """
    name = security.classes.get(targets.dimension)
    target = targets.classes.get(name, 0.0) if name is not None else 0.0
    if not target or security.symbol in {*targets.bands, *(targets.own or {})}:
        return targets.bands.get(security.symbol, usual)
    return Band(targets.class_bands.get(name or "", usual).half(target))


def _class_bands(
    targets: Targets, securities: Sequence[Security], usual: Band
) -> Iterable[ClassBand]:
    for name, target in sorted(targets.classes.items()):
        half = targets.class_bands.get(name, usual).half(target) or 0.0
        named = [s.classes.get(targets.dimension) == name for s in securities]
        members = tuple(i for i, inside in enumerate(named) if inside)
        yield ClassBand(name, max(0.0, target - half), target + half, members)


def _estimates_alike(like: Context, symbols: tuple[str, ...], strategy: Strategy) -> bool:
    """Do symbols and rules that estimates are made by not differ? A price is no rule."""
    beside = {"order_hurdle": 0.0, "min_improvement": 0.0}
    alike = like.score.model_copy(update=beside) == strategy.score.model_copy(update=beside)
    stale = like.limits.max_stale_sessions == strategy.limits.max_stale_sessions
    return alike and stale and like.symbols == symbols


def _reserving(ctx: Context, money: ExactMoney, case: Case, valuation: Valuation) -> Context:
    """The context with what buys leave and sales restore: the reserve may follow the regime."""
    limits, promised = case.strategy.limits, valuation.open_buys
    owned = case.snapshot.before_flows
    before = _payable(owned.balances, case, valuation) - promised
    settled = _payable(owned.available(limits.funding), case, valuation) - promised
    reserve = exact(ctx.reserve_weight) * valuation.value
    keeps, due = min(reserve, max(settled, ZERO)), reserve if before < 0 else min(reserve, before)
    return replace(ctx, exact=replace(money, keeps=keeps, due=due))


def _exact_money(rows: list[Priced], case: Case, valuation: Valuation) -> ExactMoney:
    """The decimals that the cash walk is in; the reserve is not in them yet."""
    snapshot, limits, promised = case.snapshot, case.strategy.limits, valuation.open_buys
    return ExactMoney(
        shares=tuple(p.share for p in rows),
        value=valuation.value,
        spendable=_payable(snapshot.available(limits.funding), case, valuation) - promised,
        keeps=ZERO,
        whole=_payable(snapshot.balances, case, valuation),
        due=ZERO,
        open_buys=promised,
        rates=tuple(p.rate for p in rows),
        withdrawn=valuation.withdrawn,
    )


def _payable(balances: Mapping[str, Decimal], case: Case, valuation: Valuation) -> Decimal:
    """What balances are good for in base currency: foreign ones pay for being converted."""
    base, margin = case.snapshot.base_currency, exact(case.strategy.costs.fx_percent)
    worth = _worth(balances, valuation)
    foreign = _worth({c: abs(a) for c, a in balances.items() if c != base}, valuation)
    return worth - margin * foreign


def _worth(balances: Mapping[str, Decimal], valuation: Valuation) -> Decimal:
    """Balances in base currency; an empty one needs no rate."""
    rates = valuation.cash_rates
    return sum((amount * rates[c] for c, amount in balances.items() if amount), ZERO)


def _reserved(rows: list[Priced], snapshot: Snapshot) -> FloatArray:
    """Shares that open sells may still take, (n,)."""
    return floats(
        min(snapshot.open_quantity(p.security.symbol, Side.SELL), p.quantity) for p in rows
    )


def _allowed(fresh: BoolArray, strategy: bool, securities: Iterable[bool]) -> BoolArray:
    return frozen(fresh & flags(securities) & strategy)


def _absent(case: Case, valuation: Valuation, symbols: tuple[str, ...]) -> tuple[AbsentTarget, ...]:
    """Targets outside the planning set, largest first."""
    if case.target_weights is None:
        return ()
    inside, unusable = set(symbols), valuation.unusable
    absent = [
        AbsentTarget(symbol, weight, why_absent(unusable[symbol]))
        if symbol in unusable
        else AbsentTarget(symbol, weight, LEFT_OUT)
        for symbol, weight in case.target_weights.weights.items()
        if weight > 0 and symbol not in inside
    ]
    return tuple(sorted(absent, key=lambda target: (-target.target, target.symbol)))


def _peaks(market: Market, symbols: Sequence[str], since: Sequence[date | None]) -> FloatArray:
    """(n,) highest close of each since it is held, its own currency; only rows since then."""
    dated = [day for day in since if day is not None]
    first = 0 if not dated else int(np.searchsorted(market.dates, np.datetime64(min(dated), "D")))
    rows = slice(first, None)
    return peaks(market.own_closes(symbols, rows), market.dates[rows], since)


def neutral_mix(ctx: Context) -> FloatArray:
    """What cash is looked through into: the targets' mix, else even over held names, or all.

    Not over names that are over their cap: no cash may go into them. Where all that is held is, it
    is even over what else may be bought, and where nothing may, over nothing.
    """
    targets, held = ctx.target_weights, ctx.held
    if targets is not None and targets.sum() > 0:
        return frozen(targets / targets.sum())
    shared = held & (ctx.over_cap == 0)
    if not shared.any():
        shared = ~held & (ctx.can_buy if held.any() else True)
    return frozen(shared / max(1, int(shared.sum())))


def grouping(dimension: str, named: list[tuple[str, ...]]) -> Grouping:
    """Shares (n, g) over the groups that somebody names; a row without one is spread over all."""
    labels = tuple(sorted({label for names in named for label in names}))
    column = {label: i for i, label in enumerate(labels)}
    shares = np.zeros((len(named), len(labels)))
    for i, names in enumerate(named):
        for label in set(names):
            shares[i, column[label]] = 1 / len(set(names))
        if not names and labels:
            shares[i] = 1 / len(labels)
    return Grouping(dimension, labels, frozen(shares), flags(bool(names) for names in named))


def last_bought(holding: Holding | None) -> date | None:
    """Newest buy that is known; the newest lot stands in for it."""
    if holding is None:
        return None
    dates = [lot.acquired for lot in holding.lots if lot.acquired is not None]
    return holding.last_bought or max(dates, default=None)


def _days(as_of: date, days: Iterable[date | None]) -> FloatArray:
    """Days from each date to `as_of`, NaN where there is none."""
    return floats(None if day is None else (as_of - day).days for day in days)
