"""The documents' records to what the planner takes, and what was assumed on the way."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from steelyard.compat import prices
from steelyard.compat.prices import Prices, apart, average, exact, listed
from steelyard.compat.records import (
    CORE,
    NOTHING,
    PlannerContext,
    PortfolioContext,
    Position,
    Security,
    is_number,
    shown,
    unusable,
)
from steelyard.compat.repositories import LastTraded, day
from steelyard.errors import InputError
from steelyard.importers import Inputs
from steelyard.market import Market
from steelyard.money import ZERO
from steelyard.portfolio import Holding, Snapshot, TaxLot
from steelyard.portfolio import Security as HouseSecurity
from steelyard.targets import Targets

OTHER = "OTHER"
ACCOUNT_CURRENCY = "EUR"
"""Of an account that names no currency at all: the documents'."""
NEVER = LastTraded(None, None)
Trades = Mapping[str, LastTraded]


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What `planner.plan` takes; `value` in the account's currency, `said` for people."""

    snapshot: Snapshot
    market: Market
    targets: Targets | None
    groups: Mapping[str, Mapping[str, float]]
    value: float
    said: tuple[str, ...]

    @property
    def inputs(self) -> Inputs:
        """As the importers would have read them."""
        return Inputs(
            snapshot=self.snapshot,
            market=self.market,
            targets=self.targets,
            warnings=(),
            as_of_from="argument",
        )


def _fraction(number: float | None, what: str) -> float | None:
    if number is None:
        return None
    if not is_number(number) or not 0 <= number <= 1:
        raise unusable(f"The {what}", repr(number), "a fraction from 0 to 1")
    return float(number)


def _currencies(context: PlannerContext) -> set[str]:
    securities = {security.currency for security in context.securities if security.currency}
    return securities | {position.currency for position in context.positions}


def base_currency(context: PlannerContext) -> str:
    """The account's currency: given, else the history's, else the one that everything is in.

    Raises InputError when there are several and none is named.
    """
    if context.base_currency is not None:
        return context.base_currency
    if context.history is not None:
        return context.history.fx.base
    currencies = _currencies(context)
    if len(currencies) > 1:
        what = f"Positions and securities are in {listed(currencies)}"
        raise InputError(
            f"{what}: say which the account counts in, base_currency. {NOTHING}",
            code="base_unsettled",
            place="base_currency",
            value=listed(currencies),
            hint="say which the account counts in",
        )
    return currencies.pop() if currencies else ACCOUNT_CURRENCY


def foreign(context: PlannerContext, base: str) -> set[str]:
    """Currencies that need a rate which neither a position nor the history has."""
    rated = {base, *(context.history.fx.rates if context.history else ())}
    rated |= {p.currency for p in context.positions if p.currency_rate is not None}
    return _currencies(context) - rated


def convert(
    context: PlannerContext, bucket: str, rates: Mapping[str, float], trades: Trades
) -> Converted:
    """Snapshot, market and targets of the documents' records.

    rates    units of the account's currency for one unit of each, beside those of the positions
    trades   symbol -> dates of the last buy and sale
    Raises InputError for records that contradict each other or are not usable.
    """
    elsewhere = _check_buckets(context, bucket)
    base = base_currency(context)
    as_of, said = _as_of(context)
    context = prices.until(context, as_of)
    targets = _targets(context.target_weights)
    positions = {position.symbol: position for position in context.positions}
    securities = {security.symbol: security for security in context.securities}
    _check_symbols(context, positions, securities)
    symbols = sorted({*positions, *securities, *(targets.weights if targets else ())})
    sources = Prices(context, as_of)
    quoted = {symbol: sources.of(symbol, positions.get(symbol)) for symbol in symbols}
    snapshot = Snapshot(
        as_of=as_of,
        base_currency=base,
        holdings=tuple(_holdings(context, symbols, positions, trades)),
        cash=MappingProxyType({base: _cash(context.available_cash)}),
        securities=tuple(
            _security(symbol, securities.get(symbol), positions.get(symbol), context, base)
            for symbol in symbols
        ),
        bucket=bucket,
    )
    quotes = {symbol: price for symbol, price in quoted.items() if price is not None}
    priced = prices.market(context, quotes, prices.fx(context, base, rates, as_of), as_of)
    value, differing = _value(snapshot, priced, context)
    return Converted(
        snapshot=snapshot,
        market=priced,
        targets=targets,
        groups=_groups(context.portfolio_context),
        value=value,
        said=(
            *(*said, *_unlisted(positions.keys() - securities.keys()), *sources.said()),
            *(*differing, *prices.rates_apart(context, base, as_of), *elsewhere),
        ),
    )


def _unlisted(symbols: Collection[str]) -> Iterator[str]:
    if symbols:
        rule = "it may not be sold, as for a security that does not opt in"
        yield f"No security describes {listed(symbols)}: {rule}."


def _check_buckets(context: PlannerContext, bucket: str) -> tuple[str, ...]:
    """Whose the records are; a sentence where they name no bucket and the plan is of another."""
    owners = {p.bucket_id for p in context.positions} | {s.bucket_id for s in context.securities}
    whose = f"The positions and securities belong to {listed(owners)}"
    if len(owners) > 1:
        raise InputError(
            f"{whose}; a plan is of one bucket. {NOTHING} Give those of one.",
            code="several_buckets",
            value=listed(owners),
            limit="one bucket",
            hint="give those of one",
        )
    if owners <= {bucket}:
        return ()
    if owners != {CORE}:
        raise InputError(
            f"{whose}, and the plan is of {bucket}. {NOTHING}",
            code="another_bucket",
            value=listed(owners),
            limit=bucket,
        )
    name_none = f"The positions and securities name no bucket beside {CORE}"
    return (f"{name_none}, and were planned as those of {bucket}.",)


def _check_symbols(
    context: PlannerContext, positions: Mapping[str, Position], securities: Mapping[str, Security]
) -> None:
    for what, records, unique in (
        ("position", context.positions, positions),
        ("security", context.securities, securities),
    ):
        if len(records) != len(unique):
            raise InputError(
                f"A symbol has more than one {what}. {NOTHING} Join them.",
                code="symbol_twice",
                place=what,
                hint="join them",
            )
    for symbol in positions.keys() & securities.keys():
        here, there = positions[symbol].currency, securities[symbol].currency
        if there not in {None, here}:
            both = f"a position in {here} and a security in {there}"
            raise InputError(
                f"{symbol} is {both}. {NOTHING}",
                code="currencies_differ",
                place=symbol,
                value=here,
                limit=there,
            )


def _as_of(context: PlannerContext) -> tuple[date, tuple[str, ...]]:
    named = day(context.as_of, "as_of")
    if named is not None:
        return named, ()
    if context.history is not None and context.history.last is not None:
        return context.history.last, ()
    today = datetime.now().astimezone().date()
    return today, (f"Neither a date nor a price history was given: as of today, {today}.",)


def _targets(weights: Mapping[str, float] | None) -> Targets | None:
    if weights is None:
        return None
    for symbol, weight in weights.items():
        if not is_number(weight):
            raise unusable(f"The target weight of {symbol}", shown(weight), "a fraction of value")
    return Targets.of({symbol: float(weight) for symbol, weight in weights.items()})


def _cash(amount: float) -> Decimal:
    if not is_number(amount):
        raise unusable("available_cash", repr(amount), "a number")
    return Decimal(str(amount))


def _holdings(
    context: PlannerContext,
    symbols: Iterable[str],
    positions: Mapping[str, Position],
    trades: Trades,
) -> Iterator[Holding]:
    """What is held, and what was sold whole, which may not be bought back at once."""
    for symbol, position in positions.items():
        yield _holding(position, context.portfolio_context, trades.get(symbol, NEVER))
    for symbol in sorted(trades.keys() & set(symbols) - positions.keys()):
        dates = trades[symbol]
        yield Holding(symbol, ZERO, (), last_bought=dates.bought, last_sold=dates.sold)


def _holding(position: Position, facts: PortfolioContext, traded: LastTraded) -> Holding:
    symbol, quantity = position.symbol, ZERO
    if not is_number(position.quantity) or position.quantity != 0:
        quantity = exact(position.quantity, f"quantity of {symbol}")
    cost = average(facts, position)
    unit_cost = None if cost is None else exact(cost, f"avg_price of {symbol}")
    first, last, sold = (
        day(getattr(position, name), f"{name} of {symbol}")
        for name in ("first_bought_at", "last_bought_at", "last_sold_at")
    )
    return Holding(
        symbol=symbol,
        quantity=quantity,
        lots=(TaxLot(quantity, first, unit_cost),) if quantity else (),
        last_bought=traded.bought or last,
        last_sold=traded.sold or sold,
    )


def _security(
    symbol: str,
    security: Security | None,
    position: Position | None,
    context: PlannerContext,
    base: str,
) -> HouseSecurity:
    facts = context.portfolio_context
    rules = security or Security(symbol=symbol, allow_buy=position is None, allow_sell=False)
    industry = rules.industry or facts.security_industries.get(symbol)
    country = rules.country or facts.security_countries.get(symbol)
    dividends, scores = facts.security_dividends, facts.security_scores
    multiplier = exact(rules.priority_multiplier, f"priority_multiplier of {symbol}")
    return HouseSecurity(
        symbol=symbol,
        currency=rules.currency or (position.currency if position else base),
        name=rules.name,
        product_type=rules.product_type or "EQUITY",
        lot_size=exact(rules.min_lot, f"min_lot of {symbol}"),
        sectors=_names(industry, facts.industry_to_group),
        countries=_names(country, facts.country_to_group),
        dividend_yield=_fraction(dividends.get(symbol), f"dividend yield of {symbol}"),
        quality=_fraction(scores.get(symbol), f"score of {symbol}"),
        priority_multiplier=float(multiplier),
        allow_buy=rules.allow_buy and rules.active,
        allow_sell=rules.allow_sell,
    )


def _names(text: str | None, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Names separated by commas, each as its group where groups are given."""
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    return tuple(dict.fromkeys(groups.get(name, OTHER) if groups else name for name in names))


def _groups(facts: PortfolioContext) -> Mapping[str, Mapping[str, float]]:
    groups = {"country": dict(facts.country_weights), "sector": dict(facts.industry_weights)}
    return {name: weights for name, weights in groups.items() if weights}


def _value(
    snapshot: Snapshot, market: Market, context: PlannerContext
) -> tuple[float, Iterator[str]]:
    """Value of the account as far as it can be told, and sentences on values that differ."""
    worth: dict[str, float] = {}
    for holding in snapshot.holdings:
        security = snapshot.security(holding.symbol)
        quote = market.quotes.get(holding.symbol)
        rate = market.fx.latest(security.currency, snapshot.as_of) if security else None
        if quote is not None and rate is not None:
            worth[holding.symbol] = float(holding.quantity * quote.price * rate.rate)
    cash = float(snapshot.cash[snapshot.base_currency])
    return math.fsum(worth.values()) + cash, _differing(worth, cash, context)


def _differing(worth: Mapping[str, float], cash: float, context: PlannerContext) -> Iterator[str]:
    values = {p.symbol: p.market_value_eur for p in context.positions}
    stated = {symbol: value for symbol, value in values.items() if value is not None}
    for symbol, value in sorted({**context.portfolio_context.positions, **stated}.items()):
        if symbol not in worth:
            what = f"The portfolio context values {symbol} at {value:,.2f}"
            yield f"{what}, and no position or price of it was given."
        elif apart(value, worth[symbol]):
            what = f"{symbol} is worth {worth[symbol]:,.2f} by quantity, price and rate"
            yield f"{what}, and {value:,.2f} as given: the former was used."
    total, invested = context.portfolio_context.total_value, math.fsum(worth.values())
    if total is not None and apart(total, invested) and apart(total, invested + cash):
        worth_now = f"positions are worth {invested:,.2f}, with cash {invested + cash:,.2f}"
        yield f"total_value is {total:,.2f}; {worth_now}: the latter was used."
