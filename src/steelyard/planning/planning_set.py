"""The planning set and its Context: what is held, what may be bought, and every array the modules
read.

Weights are of the pre-trade value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np

from steelyard.arrays import FloatArray, frozen
from steelyard.errors import did_you_mean, one_line
from steelyard.estimates import trends
from steelyard.estimates.estimate import estimate
from steelyard.estimates.regime import detect
from steelyard.market import Market
from steelyard.modules.context import AbsentTarget, Context, Grouping
from steelyard.modules.registry import Kind
from steelyard.money import ZERO, ExactMoney
from steelyard.notices import Coverage, Notice
from steelyard.orders import Side
from steelyard.planning.findings import Findings
from steelyard.planning.valuation import Priced, Valuation
from steelyard.portfolio import BucketState, Holding, Snapshot
from steelyard.strategies import Strategy
from steelyard.targets import Targets

YEAR_DAYS = 365.25

LABEL_SHOWN = 60
"""Characters of a group's name in a warning."""

ABSENT_TOLD = 5
"""Targets that cannot be bought, each with a warning of its own; the others share one."""

WHY_ABSENT = {
    "no_price": "no price",
    "no_rate": "no exchange rate",
    "stale_rate": "old exchange rate",
    "stale_price": "old price",
}
"""Rule that kept a target out of the planning set -> why, in a few words."""

Eligible = Callable[[Context], Iterable[str]]
"""Which securities of a wide context may be bought: what the mask filters let through."""


def build_context(
    snapshot: Snapshot,
    market: Market,
    strategy: Strategy,
    valuation: Valuation,
    *,
    targets: Targets | None,
    state: BucketState,
    seed: int,
    eligible: Eligible,
    findings: Findings,
) -> Context:
    """The Context of the planning set: held, targeted, or eligible and affordable.

    eligible   asked only without targets: with them, nothing else may be bought
    """
    priced = valuation.priced
    held = [symbol for symbol, p in priced.items() if p.quantity > 0]
    if targets is not None:
        members = {
            *held,
            *(
                symbol
                for symbol, weight in targets.weights.items()
                if weight > 0 and symbol in priced and priced[symbol].fresh
            ),
        }
    else:
        means = _means(valuation, snapshot)
        offered = [
            symbol
            for symbol, p in priced.items()
            if p.fresh and p.security.lot_size * p.price * p.rate <= means
        ]
        wide = _context(
            snapshot, market, strategy, valuation, sorted({*held, *offered}), None, state, seed
        )
        members = {*held, *(set(eligible(wide)) & set(offered) if len(offered) > len(held) else ())}
    ctx = _context(snapshot, market, strategy, valuation, sorted(members), targets, state, seed)
    ctx = replace(ctx, absent=_absent(ctx, targets, findings))
    _note_absent(ctx, market, findings)
    _note_coverage(ctx, findings)
    _note_groups(ctx, findings)
    _note_costs(ctx, findings)
    _note_regime(ctx, strategy, findings)
    return ctx


def _means(valuation: Valuation, snapshot: Snapshot) -> Decimal:
    """What could pay for one lot: all spendable cash and everything that may be sold, base
    currency.
    """
    sellable = sum((p.value for p in valuation.priced.values() if p.security.allow_sell), ZERO)
    return snapshot.cash.get(snapshot.base_currency, ZERO) - valuation.open_buys + sellable


def _context(
    snapshot: Snapshot,
    market: Market,
    strategy: Strategy,
    valuation: Valuation,
    members: list[str],
    targets: Targets | None,
    state: BucketState,
    seed: int,
) -> Context:
    rows = [valuation.priced[symbol] for symbol in members]
    # worth nothing, as when debts equal all that is held: no weight means anything, so all are 0
    # and nothing trades
    worth = valuation.value > 0
    value = float(valuation.value) if worth else 1.0
    quantities = _floats(p.quantity for p in rows)
    prices, fx = _floats(p.price for p in rows), _floats(p.rate for p in rows)
    weights = quantities * prices * fx / value * worth
    reserved = _floats(
        min(snapshot.open_quantity(p.security.symbol, Side.SELL), p.quantity) for p in rows
    )
    fresh = np.array([p.fresh and worth for p in rows], dtype=np.bool_)
    money = _exact_money(rows, snapshot, valuation)
    cash = float(money.cash + valuation.open_buys) / value * worth
    closes = market.base_closes(
        members, [p.security.currency for p in rows], strategy.limits.max_stale_sessions
    )
    estimates = estimate(
        closes,
        settings=strategy.score,
        dividend_yield=_floats(_or_nan(p.security.dividend_yield) for p in rows),
        fundamental_quality=_floats(_or_nan(p.security.quality) for p in rows),
        adjusted=market.adjusted,
    )
    yields = _floats(_or_nan(p.security.dividend_yield) for p in rows)
    min_order = min_order_weight(strategy, value)
    target_weights = (
        None if targets is None else _floats(targets.weights.get(symbol, 0.0) for symbol in members)
    )
    return Context(
        as_of=snapshot.as_of,
        base_currency=snapshot.base_currency,
        symbols=tuple(members),
        securities=tuple(p.security for p in rows),
        holdings=tuple(p.holding for p in rows),
        prices=prices,
        fx=fx,
        quantities=quantities,
        sellable=frozen(quantities - reserved),
        lot_sizes=_floats(p.security.lot_size for p in rows),
        weights=frozen(weights),
        target_weights=target_weights,
        average_cost=_floats(_or_nan(p.holding.average_cost if p.holding else None) for p in rows),
        years_held=_floats(
            _days(snapshot.as_of, p.holding.acquired if p.holding else None) / YEAR_DAYS
            for p in rows
        ),
        days_since_bought=_floats(_days(snapshot.as_of, last_bought(p.holding)) for p in rows),
        days_since_sold=_floats(
            _days(snapshot.as_of, p.holding.last_sold if p.holding else None) for p in rows
        ),
        tradable=frozen(fresh),
        can_buy=frozen(
            fresh & _flags(p.security.allow_buy for p in rows) & strategy.limits.allow_buy
        ),
        can_sell=frozen(
            fresh & _flags(p.security.allow_sell for p in rows) & strategy.limits.allow_sell
        ),
        is_fund=frozen(_flags(p.security.is_fund for p in rows)),
        quality=estimates.quality,
        dividend_yield=frozen(np.where(np.isnan(yields), strategy.score.neutral.yield_, yields)),
        priority_multiplier=_floats(p.security.priority_multiplier for p in rows),
        neutral_mix=neutral_mix(target_weights, quantities > 0),
        sectors=grouping("sector", [p.security.sectors for p in rows]),
        countries=grouping("country", [p.security.countries for p in rows]),
        estimates=estimates,
        cash_weight=cash,
        spendable_weight=float(money.spendable) / value * worth,
        open_buys_weight=float(valuation.open_buys) / value * worth,
        value=value,
        min_order_weight=min_order,
        base_weight=max(min_order, strategy.planner.base_trade_weight),
        seed=seed,
        state=state,
        costs=strategy.costs,
        limits=strategy.limits,
        planner=strategy.planner,
        search=strategy.search,
        score=strategy.score,
        groups=strategy.groups,
        momentum=frozen(trends.momentum(closes)),
        peaks=frozen(
            trends.peaks(
                _own_closes(market, members),
                market.dates,
                [p.holding.acquired if p.holding else None for p in rows],
            )
        ),
        volatility_ratio=trends.volatility_ratio(closes, weights),
        regime=detect(
            market.index, snapshot.as_of, strategy.regime, strategy.limits.max_stale_sessions
        ),
        regimes=strategy.regime,
        exact=money,
    )


def _exact_money(rows: list[Priced], snapshot: Snapshot, valuation: Valuation) -> ExactMoney:
    """The decimals that the cash floor is judged by."""
    balances = snapshot.cash.items()
    cash = sum((amount * valuation.cash_rates[c] for c, amount in balances if amount), ZERO)
    return ExactMoney(
        shares=tuple(p.price * p.rate for p in rows),
        value=valuation.value,
        cash=cash - valuation.open_buys,
        spendable=snapshot.cash.get(snapshot.base_currency, ZERO) - valuation.open_buys,
    )


def _absent(ctx: Context, targets: Targets | None, findings: Findings) -> tuple[AbsentTarget, ...]:
    """Targets outside the planning set, largest first."""
    if targets is None:
        return ()
    known = set(ctx.symbols)
    rules = {stop.symbol: stop.drop.rule for stop in findings.stops if stop.stage == "input"}
    absent = [
        AbsentTarget(symbol, weight, WHY_ABSENT.get(rules.get(symbol, ""), "left out"))
        for symbol, weight in targets.weights.items()
        if weight > 0 and symbol not in known
    ]
    return tuple(sorted(absent, key=lambda one: (-one.target, one.symbol)))


def _note_absent(ctx: Context, market: Market, findings: Findings) -> None:
    """Warn of every target that cannot be bought: a slip in a symbol looks like this."""
    for one in ctx.absent[:ABSENT_TOLD]:
        near = (
            did_you_mean(one.symbol, list(market.symbols))
            if one.why == WHY_ABSENT["no_price"]
            else ""
        )
        message = (
            f"The target of {one.symbol}, {100 * one.target:.1f} % of value, cannot be bought: "
            f"{one.why}.{near}"
        )
        findings.warnings.append(
            Notice(code="untradable_target", message=message, symbol=one.symbol)
        )
    rest = ctx.absent[ABSENT_TOLD:]
    if rest:
        total = 100 * math.fsum(one.target for one in rest)
        more = (
            f"{len(rest)} more target{'' if len(rest) == 1 else 's'}, {total:.1f} % of value "
            "together, cannot be bought"
        )
        findings.warnings.append(
            Notice(
                code="untradable_target", message=f"{more}; each stands under what is not traded."
            )
        )


def _own_closes(market: Market, members: list[str]) -> FloatArray:
    """Closes (T, n) in each security's own currency, NaN where there is none."""
    columns = {symbol: i for i, symbol in enumerate(market.symbols)}
    own = np.full((len(market.dates), len(members)), np.nan)
    for k, symbol in enumerate(members):
        if symbol in columns:
            own[:, k] = market.closes[:, columns[symbol]]
    return own


def min_order_weight(strategy: Strategy, value: float) -> float:
    """Least order, of value: its commission stays under `max_cost_share` of it, and it is not
    dust.
    """
    least = max(strategy.limits.min_trade_base / value, strategy.limits.min_trade_weight)
    # in decimals, as both were written: close to each other, floats would leave noise to divide by
    spare = float(
        Decimal(repr(strategy.limits.max_cost_share)) - Decimal(repr(strategy.costs.percent))
    )
    return max(least, strategy.costs.fixed / spare / value) if spare > 0 else least


def neutral_mix(target_weights: FloatArray | None, held: np.ndarray) -> FloatArray:
    """What cash is looked through into: the targets' mix, else even over held names, else even over
    all.
    """
    if target_weights is not None and target_weights.sum() > 0:
        return frozen(target_weights / target_weights.sum())
    chosen = held if held.any() else np.ones(len(held), dtype=np.bool_)
    return frozen(chosen / max(1, int(chosen.sum())))


def grouping(dimension: str, named: list[tuple[str, ...]]) -> Grouping:
    """Shares (n, g) over the groups that somebody names; nobody's group is spread over all of
    them.
    """
    labels = tuple(sorted({label for names in named for label in names}))
    column = {label: i for i, label in enumerate(labels)}
    shares = np.zeros((len(named), len(labels)))
    for i, names in enumerate(named):
        for label in set(names):
            shares[i, column[label]] = 1 / len(set(names))
        if not names and labels:
            shares[i] = 1 / len(labels)
    return Grouping(
        dimension, labels, frozen(shares), frozen(_flags(bool(names) for names in named))
    )


def last_bought(holding: Holding | None) -> date | None:
    """Newest buy that is known; the newest lot stands in for it."""
    if holding is None:
        return None
    dates = [lot.acquired for lot in holding.lots if lot.acquired is not None]
    return holding.last_bought or max(dates, default=None)


def _note_coverage(ctx: Context, findings: Findings) -> None:
    neutral = ctx.score.neutral
    used = {
        "expected_return": neutral.mu,
        "volatility": neutral.vol,
        "quality": neutral.quality,
        "drawdown": neutral.drawdown,
        "correlation": neutral.corr,
    }
    for i, (symbol, security) in enumerate(zip(ctx.symbols, ctx.securities, strict=True)):
        findings.coverage += [
            Coverage(symbol=symbol, metric=metric, used=used.get(metric))
            for metric, missing in ctx.estimates.missing.items()
            if missing[i]
        ]
        if security.dividend_yield is None:
            findings.coverage.append(
                Coverage(symbol=symbol, metric="dividend_yield", used=neutral.yield_)
            )
        if not security.sectors and not security.is_fund:
            findings.coverage.append(Coverage(symbol=symbol, metric="sector", used=None))
        if not security.countries and not security.is_fund:
            findings.coverage.append(Coverage(symbol=symbol, metric="country", used=None))
        if ctx.quantities[i] > 0 and np.isnan(ctx.average_cost[i]):
            findings.coverage.append(Coverage(symbol=symbol, metric="average_cost", used=None))


def _note_costs(ctx: Context, findings: Findings) -> None:
    if ctx.costs.percent >= ctx.limits.max_cost_share:
        findings.warnings.append(
            Notice(
                code="costs_high",
                message=(
                    f"A commission of {100 * ctx.costs.percent:.2f} % is never under "
                    f"{100 * ctx.limits.max_cost_share:.2f} % of an order; the smallest order is "
                    f"{100 * ctx.limits.min_trade_weight:.2f} % of value instead."
                ),
            )
        )


def _note_groups(ctx: Context, findings: Findings) -> None:
    """Warn of targets of sectors and countries that no security has: a slip in a name would say
    nothing else.
    """
    for grouping, wanted in ((ctx.sectors, ctx.groups.sector), (ctx.countries, ctx.groups.country)):
        for label in wanted:
            if label in grouping.labels:
                continue
            near = one_line(did_you_mean(label, grouping.labels), 2 * LABEL_SHOWN)
            message = (
                f"No security of this plan has the {grouping.dimension} "
                f"{one_line(label, LABEL_SHOWN)}, to which groups.{grouping.dimension} gives a "
                f"target of {100 * wanted[label]:.1f} %. {near}"
            ).rstrip()
            findings.warnings.append(Notice(code="unknown_group", message=message))


def _note_regime(ctx: Context, strategy: Strategy, findings: Findings) -> None:
    """Say that the market regime is unknown where a module that runs asks for it."""
    asking = [
        choice.module
        for kind in Kind
        for choice in strategy.enabled(kind)
        if "market_regime" in choice.module.needs
    ]
    if ctx.regime.why is not None and asking:
        message = (
            f"The market regime is unknown: {ctx.regime.why.text}. "
            f"{', '.join(module.name for module in asking)} did not run."
        )
        findings.warnings.append(
            Notice(code="regime_unknown", message=message, module=asking[0].qualified)
        )


def _floats(values: Iterable[Decimal | float]) -> FloatArray:
    return frozen(np.array([float(value) for value in values], dtype=np.float64))


def _flags(values: Iterable[bool]) -> np.ndarray:
    return np.array(list(values), dtype=np.bool_)


def _or_nan(value: Decimal | float | None) -> Decimal | float:
    return float("nan") if value is None else value


def _days(as_of: date, then: date | None) -> float:
    return float("nan") if then is None else float((as_of - then).days)
