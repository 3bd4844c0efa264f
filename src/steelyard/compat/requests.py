"""Self-contained requests to what planning takes: records in, a case and its strategy out.

A request carries the account, its prices and its rules. What the documents' shapes do not say is
assumed, and every assumption is a sentence. `services/wire` is their JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from steelyard.ages import DateArray
from steelyard.compat.asked import Account, Action, Asked, AskedPosition, AskedSecurity, Closes
from steelyard.compat.asked_rules import strategy_of
from steelyard.compat.convert import Converted, convert
from steelyard.compat.prices import apart
from steelyard.compat.records import CORE, PlannerContext, PortfolioContext
from steelyard.errors import InputError
from steelyard.market import Market, Quote
from steelyard.money import FxRate, FxTable
from steelyard.notices import Notice
from steelyard.planning.case import Case


def order_of(asked: Asked) -> tuple[Case, tuple[Notice, ...]]:
    """What a request asks to plan, and what was assumed; raises InputError, SettingsError."""
    context, assumed = context_of(asked)
    converted = convert(context, CORE, _rates(asked), {})
    strategy, idle = strategy_of(asked, converted)
    sentences = (*assumed, *converted.said, *_checked(asked, converted), *idle)
    case = Case(
        snapshot=_as_listed(asked, converted),
        market=converted.market,
        strategy=strategy,
        targets=converted.targets,
        seed=asked.seed,
    )
    return case, tuple(Notice(code="request", message=text) for text in sentences)


def _as_listed(asked: Asked, converted: Converted) -> Any:
    """The snapshot with the ISINs of the request."""
    isins = {security.symbol: security.isin for security in asked.securities}
    snapshot = converted.snapshot
    securities = (replace(s, isin=isins.get(s.symbol, "")) for s in snapshot.securities)
    return replace(snapshot, securities=tuple(securities))


def context_of(asked: Asked) -> tuple[PlannerContext, tuple[str, ...]]:
    """The documents' planner context of a request, and what was assumed for it."""
    positions, of_positions = _positions(asked)
    securities, of_securities = _securities(asked, positions)
    prices, of_prices = _prices(asked, positions)
    account = asked.portfolio_context
    targets = asked.target_weights
    if targets is None and isinstance(account, Account):
        targets = account.target_allocation
    context = PlannerContext(
        portfolio_context=_facts(asked),
        positions=positions,
        securities=securities,
        available_cash=_cash(asked),
        current_prices=prices,
        target_weights=targets,
        base_currency=asked.base_currency,
        as_of=asked.as_of,
    )
    return context, (*of_positions, *of_securities, *of_prices)


def _cash(asked: Asked) -> float:
    if asked.available_cash is not None:
        return asked.available_cash
    if isinstance(asked.portfolio_context, Account):
        return asked.portfolio_context.available_cash
    return float(asked.feasibility.get("available_cash", 0.0))


def _facts(asked: Asked) -> PortfolioContext:
    """Groups, yields, scores and closes, wherever the request has them."""
    account = asked.portfolio_context
    facts = account if isinstance(account, PortfolioContext) else PortfolioContext()
    if isinstance(account, Account):
        facts = replace(
            facts,
            country_weights=account.country_weights,
            industry_weights=account.industry_weights,
        )
    yields = {s.symbol: s.dividend_yield for s in asked.securities if s.dividend_yield is not None}
    scores = {s.symbol: s.quality for s in asked.securities if s.quality is not None}
    return replace(
        facts,
        security_dividends=yields,
        security_scores=scores,
        history=None if asked.closes is None else _history(asked, asked.closes),
    )


def _history(asked: Asked, closes: Closes) -> Market:
    symbols = tuple(sorted(closes.prices))
    rows = {symbol: closes.prices[symbol] for symbol in symbols}
    for symbol, row in rows.items():
        if len(row) != len(closes.dates):
            raise InputError(
                f"closes has {len(closes.dates)} dates and {len(row)} prices of {symbol}. Nothing "
                "was planned; give one price for each date, null where there is none.",
                code="closes_uneven",
                place=f"closes.prices.{symbol}",
                value=len(row),
                limit=len(closes.dates),
            )
    dates = np.array(closes.dates, dtype="datetime64[D]")
    table = np.array([rows[symbol] for symbol in symbols], dtype=np.float64).T
    table = table.reshape(len(dates), len(symbols))
    quotes = {}
    for k, symbol in enumerate(symbols):
        priced = np.flatnonzero(np.isfinite(table[:, k]))
        if len(priced):
            last = int(priced[-1])
            price = Decimal(repr(float(table[last, k])))
            quotes[symbol] = Quote(symbol, price, dates[last].astype(object))
    return Market(
        symbols=symbols,
        dates=dates,
        closes=table,
        quotes=quotes,
        fx=_constant_rates(asked, dates),
        adjusted=closes.adjusted,
        source="the closes of the request",
    )


def _constant_rates(asked: Asked, dates: DateArray) -> FxTable:
    """The rates of a request on every day of its closes: it says no others."""
    days = [day.astype(object) for day in dates]
    rates = {
        currency: tuple(FxRate(currency, Decimal(str(rate)), day) for day in days)
        for currency, rate in sorted(_rates(asked).items())
        if currency != asked.base_currency
    }
    return FxTable(asked.base_currency, MappingProxyType(rates))


def _positions(asked: Asked) -> tuple[tuple[AskedPosition, ...], tuple[str, ...]]:
    """What is held; without positions, what the named sales sell."""
    if asked.positions or asked.portfolio_context is not None:
        return asked.positions, ()
    sold: dict[str, Action] = {}
    for action in asked.actions:
        if action.side == "SELL":
            most = sold.setdefault(action.symbol, action)
            sold[action.symbol] = max(most, action, key=lambda a: a.quantity)
    positions = tuple(
        AskedPosition(
            symbol=symbol,
            quantity=action.quantity,
            current_price=action.price,
            currency=action.currency,
        )
        for symbol, action in sold.items()
    )
    names = ", ".join(sorted(sold))
    text = f"No positions were given: as many shares as are to be sold are held of {names}."
    return positions, (text,) if sold else ()


def _securities(
    asked: Asked, positions: Iterable[AskedPosition]
) -> tuple[tuple[AskedSecurity, ...], tuple[str, ...]]:
    """What may be traded; what is only held, or only named in a trade, beside."""
    described = {security.symbol: security for security in asked.securities}
    closed, sold = set(asked.ineligible_symbols or ()), set(asked.recently_sold or ())
    owned = {position.symbol: position.currency for position in positions}
    others = {action.symbol: action for action in asked.actions if action.symbol not in described}
    more = [
        AskedSecurity(symbol=symbol, name=action.name, currency=action.currency)
        for symbol, action in others.items()
    ]
    securities = tuple(
        replace(
            security,
            currency=security.currency or owned.get(security.symbol),
            industry=security.industry or security.sector,
            allow_buy=security.allow_buy and security.symbol not in closed,
            allow_sell=security.allow_sell and security.symbol not in closed | sold,
        )
        for security in (*asked.securities, *more)
    )
    assumed = []
    if others:
        names = ", ".join(sorted(others))
        assumed.append(f"No security describes {names}: traded in single shares, as a share.")
    if any(security.market_cap is not None for security in asked.securities):
        assumed.append("market_cap is not used.")
    return securities, tuple(assumed)


def _prices(
    asked: Asked, positions: Iterable[AskedPosition]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Prices beside those of positions and closes: the caller's, the securities', the trades'."""
    closes = asked.closes.prices if asked.closes is not None else {}
    own = {p.symbol for p in positions if p.current_price is not None} | closes.keys()
    prices = dict(asked.current_prices or {})
    for security in asked.securities:
        if security.current_price is not None and security.symbol not in own:
            prices.setdefault(security.symbol, security.current_price)
    for action in asked.actions:
        if action.symbol not in own:
            prices.setdefault(action.symbol, action.price)
    derived = []
    for position in positions:
        if position.current_price is not None and position.symbol not in closes:
            prices.setdefault(position.symbol, position.current_price)
    for position in positions:
        symbol, rate = position.symbol, _rates(asked).get(position.currency)
        if position.currency == asked.base_currency:
            rate = 1.0
        value, priced = position.market_value_eur, symbol in prices or symbol in own
        if not priced and value is not None and rate is not None and position.quantity > 0:
            prices[symbol] = value / position.quantity / rate
            derived.append(symbol)
    text = f"No price was given for {', '.join(sorted(derived))}: its value by its shares is used."
    return prices, (text,) if derived else ()


def _rates(asked: Asked) -> dict[str, float]:
    """Rates of the request; of a currency without one what its largest position is worth."""
    rates = dict(asked.exchange_rates)
    stated = {p.currency for p in asked.positions if p.currency_rate is not None}
    largest: dict[str, AskedPosition] = {}
    for position in asked.positions:
        value, currency = position.market_value_eur, position.currency
        if value is None or currency in {*rates, *stated, asked.base_currency}:
            continue
        if position.current_price and position.quantity > 0:
            most = largest.setdefault(currency, position)
            largest[currency] = max(most, position, key=lambda p: p.market_value_eur or 0.0)
    for currency, position in largest.items():
        shares = position.quantity * (position.current_price or math.nan)
        rates[currency] = float(f"{(position.market_value_eur or 0.0) / shares:.6g}")
    return rates


def _checked(asked: Asked, converted: Converted) -> Iterator[str]:
    """Sentences on figures of the request that differ from what its parts come to."""
    derived = sorted(_rates(asked).keys() - asked.exchange_rates.keys())
    if derived:
        rates = ", ".join(f"1 {c} = {_rates(asked)[c]:g} {asked.base_currency}" for c in derived)
        yield f"No exchange rate was given: told from values and prices of positions, {rates}."
    if isinstance(asked.portfolio_context, Account):
        yield from _account_apart(asked.portfolio_context, asked, converted)
    if asked.recently_sold:
        names = ", ".join(sorted(asked.recently_sold))
        yield f"Sold recently, so not sold again in this plan: {names}."
    if asked.market_regime is not None:
        yield (
            f"market_regime {asked.market_regime} is not used: the regime is told from the "
            "history of an index."
        )
    config = asked.evaluator_config
    if config is not None and (config.urls or config.load_balancing != "round_robin"):
        yield "evaluator_config is not used: the topology says which evaluators there are."


def _account_apart(account: Account, asked: Asked, converted: Converted) -> Iterator[str]:
    cash = _cash(asked)
    worth = converted.value - cash
    figures = (
        ("total_value_eur", account.total_value_eur, converted.value),
        ("invested_value", account.invested_value, worth),
        ("available_cash", account.available_cash, cash),
        ("num_positions", account.num_positions, len(asked.positions)),
    )
    for name, stated, ours in figures:
        if apart(float(stated), float(ours)):
            yield f"portfolio_context.{name} is {stated:,g}; {ours:,g} was used."
