"""What everything is worth, in exact money: the first stage of a plan.

Refuses when the value is unknown: a held security without a fresh price or without an exchange
rate, prices that are no daily history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from steelyard.errors import PlanRefused, did_you_mean, each
from steelyard.market import Market
from steelyard.money import ZERO, FxRate
from steelyard.notices import Drop, Stop
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.findings import Findings
from steelyard.portfolio import Holding, Security, Snapshot
from steelyard.sentences import say
from steelyard.settings import Limits

LEAST_HISTORY = 20
"""Dates from which prices are a history that estimates are made of, and no longer a few quotes."""

MOST_DAYS_APART = 3
"""Median days between the closes of a daily history: over a weekend there are three."""


@dataclass(frozen=True, slots=True)
class Priced:
    """One security with what its value needs: `rate` in base per unit, `fresh` by the limit."""

    security: Security
    holding: Holding | None
    price: Decimal
    on: date
    rate: Decimal
    fresh: bool

    @property
    def quantity(self) -> Decimal:
        """Shares held."""
        return self.holding.quantity if self.holding else ZERO

    @property
    def value(self) -> Decimal:
        """Held value, base currency."""
        return self.quantity * self.price * self.rate


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a security has no value: no price, or no usable rate.

    why     for the refusal; what it is near to, if anything, stands in `near`
    drop    for the ledger
    """

    why: str
    drop: Drop
    near: str = ""


@dataclass(frozen=True)
class Valuation:
    """The portfolio in exact money.

    priced        symbol -> everything with a price and a rate, held or not, sorted by symbol
    unusable      symbol -> why it cannot be traded: no fresh price, or no rate
    value         base currency
    cash_rates    currency -> base per unit, for every currency of cash
    open_buys     money that open buys may still take, base currency
    """

    priced: Mapping[str, Priced]
    unusable: Mapping[str, Drop]
    value: Decimal
    cash_rates: Mapping[str, Decimal]
    open_buys: Decimal


def value_portfolio(case: Case, findings: Findings) -> Valuation:
    """Price everything that is held, targeted or listed.

    Raises PlanRefused when a held security or a balance of cash cannot be valued, when the value is
    negative, or when the prices are not daily.
    """
    snapshot, market, limits = case.snapshot, case.market, case.strategy.limits
    _refuse_sparse(market)
    holdings = {holding.symbol: holding for holding in snapshot.holdings}
    unvalued: list[str] = []
    priced: dict[str, Priced] = {}
    unusable: dict[str, Drop] = {}
    for symbol in _symbols(case):
        security = snapshot.security(symbol) or Security(symbol, snapshot.base_currency)
        quote = _price(security, holdings.get(symbol), snapshot, market, limits)
        if isinstance(quote, Priced):
            priced[symbol] = quote
            if quote.fresh:
                continue
        if symbol in holdings and holdings[symbol].quantity > 0:
            unvalued.append(f"{symbol}: {_why_unvalued(quote, market, limits)}")
        else:
            unusable[symbol] = _why_unusable(quote, market, limits)
            findings.stops.append(Stop(symbol, None, "input", unusable[symbol]))
    rates = {currency: _rate(currency, snapshot, market, limits) for currency in snapshot.balances}
    unvalued += [
        f"cash in {currency}: {_no_rate(currency, snapshot, market, limits).why}"
        for currency, rate in rates.items()
        if rate is None
    ]
    if unvalued:
        raise PlanRefused(
            "The value of the portfolio is unknown, so nothing was planned:\n"
            + "\n".join(f"  {line}" for line in unvalued)
            + "\nAdd the missing price or rate, or leave a security out with --exclude SYMBOL.",
            code="value_unknown",
            faults=each("value_unknown", unvalued),
            hint="add the missing price or rate, or leave a security out with --exclude SYMBOL",
        )
    cash_rates = {currency: rate.rate for currency, rate in rates.items() if rate is not None}
    cash = sum((amount * cash_rates[c] for c, amount in snapshot.balances.items()), ZERO)
    value = sum((p.value for p in priced.values()), cash)
    if value < 0:
        raise PlanRefused(
            f"The portfolio is worth {value:,.2f} {snapshot.base_currency}: more is owed than "
            "owned. Nothing was planned; check the cash.",
            code="owes_more_than_it_owns",
            value=f"{value:.2f} {snapshot.base_currency}",
            limit="above 0",
            hint="check the cash",
        )
    return Valuation(priced, unusable, value, cash_rates, _open_buys(snapshot, priced))


def _symbols(case: Case) -> list[str]:
    """Everything that is held, targeted or listed, and not left out."""
    snapshot, targets = case.snapshot, case.target_weights
    symbols = {holding.symbol for holding in snapshot.holdings}
    symbols |= {security.symbol for security in snapshot.securities}
    symbols |= set(targets.weights) if targets else set()
    return sorted(symbols - set(snapshot.excluded))


def _refuse_sparse(market: Market) -> None:
    """Refuse weekly or monthly closes: estimates take them for days, and ages count them."""
    dates = market.dates
    if len(dates) < LEAST_HISTORY:
        return
    apart = float(np.median(np.diff(dates).astype(np.int64)))
    if apart > MOST_DAYS_APART:
        raise PlanRefused(
            f"The prices are {apart:g} days apart (median of {len(dates)} dates, {dates[0]} to "
            f"{dates[-1]}); closes at most {MOST_DAYS_APART} days apart are asked for. Returns and "
            "volatility would be taken for those of days, and the age of a price is counted in "
            "dates of the file. Nothing was planned: give daily closes, or fewer than "
            f"{LEAST_HISTORY} dates, from which nothing is estimated.",
            code="prices_not_daily",
            value=f"{apart:g} days apart",
            limit=f"{MOST_DAYS_APART} days",
            hint=f"give daily closes, or fewer than {LEAST_HISTORY} dates",
        )


def _price(
    security: Security, holding: Holding | None, snapshot: Snapshot, market: Market, limits: Limits
) -> Priced | Missing:
    quote = market.quotes.get(security.symbol)
    if quote is None:
        near = did_you_mean(security.symbol, list(market.symbols))
        return Missing(
            "no price", Drop("no_price", None, None, say("no price; it is not traded")), near
        )
    rate = _rate(security.currency, snapshot, market, limits)
    if rate is None:
        return _no_rate(security.currency, snapshot, market, limits)
    return Priced(
        security,
        holding,
        quote.price,
        quote.on,
        rate.rate,
        market.age(quote.on) <= limits.max_stale_sessions,
    )


def _rate(currency: str, snapshot: Snapshot, market: Market, limits: Limits) -> FxRate | None:
    rate = market.fx.latest(currency, snapshot.as_of)
    if rate is None or market.fx.base == currency:
        return rate
    return rate if _rate_age(rate, snapshot, market) <= limits.max_stale_sessions else None


def _rate_age(rate: FxRate, snapshot: Snapshot, market: Market) -> int:
    return (
        market.age(rate.on) if len(market.dates) else int(np.busday_count(rate.on, snapshot.as_of))
    )


def _no_rate(currency: str, snapshot: Snapshot, market: Market, limits: Limits) -> Missing:
    """Why `_rate` gives none: there is none, or the newest is too old."""
    pair = f"exchange rate from {currency} into {snapshot.base_currency}"
    rate = market.fx.latest(currency, snapshot.as_of)
    if rate is None:
        return Missing(
            f"no {pair}",
            Drop("no_rate", None, None, say("no {pair:text}; it is not traded", pair=pair)),
        )
    age, limit = _rate_age(rate, snapshot, market), limits.max_stale_sessions
    sentence = (
        f"the newest {pair} is of {rate.on}, {age} sessions before the as-of date; at most {limit} "
        "are allowed (limits.max_stale_sessions)"
    )
    why = say(
        "the newest {pair:text}, of {on:date}, is {age:count} sessions old; at most {limit:count} "
        "are allowed",
        pair=pair,
        on=rate.on,
        age=age,
        limit=limit,
    )
    return Missing(sentence, Drop("stale_rate", float(age), float(limit), why))


def _why_unvalued(quote: Priced | Missing, market: Market, limits: Limits) -> str:
    if isinstance(quote, Missing):
        return f"{quote.why}.{quote.near}" if quote.near else quote.why
    return (
        f"its newest price is of {quote.on}, {market.age(quote.on)} sessions before the as-of "
        f"date; at most {limits.max_stale_sessions} are allowed (limits.max_stale_sessions)"
    )


def _why_unusable(quote: Priced | Missing, market: Market, limits: Limits) -> Drop:
    if isinstance(quote, Missing):
        return quote.drop
    age, limit = market.age(quote.on), limits.max_stale_sessions
    why = say(
        "its price is {age:count} sessions old; at most {limit:count} are allowed",
        age=age,
        limit=limit,
    )
    return Drop("stale_price", float(age), float(limit), why)


def _open_buys(snapshot: Snapshot, priced: Mapping[str, Priced]) -> Decimal:
    total = ZERO
    for order in snapshot.open_orders:
        quoted = priced.get(order.symbol)
        if order.side is not Side.BUY or not order.open_quantity:
            continue
        if quoted is None:
            raise PlanRefused(
                f"The open buy {order.client_order_id} of {order.symbol} cannot be valued: it has "
                "no price. Nothing was planned.",
                code="open_buy_without_price",
                place=order.symbol,
                value=order.client_order_id,
            )
        total += order.open_quantity * (order.limit_price or quoted.price) * quoted.rate
    return total
