"""The documents' records to what the planner takes, and what was assumed on the way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from steelyard.compat.records import (
    CORE,
    PlannerContext,
    PortfolioContext,
    Position,
    Security,
    is_number,
    shown,
)
from steelyard.compat.repositories import LastTraded, day
from steelyard.errors import InputError
from steelyard.market import Market, Quote
from steelyard.money import ZERO, FxRate, FxTable
from steelyard.portfolio import Holding, Snapshot, TaxLot
from steelyard.portfolio import Security as HouseSecurity
from steelyard.targets import Targets

MAX_DIFFERENCE = 0.02
"""Values that say the same thing may differ by this much, as a fraction."""
OTHER = "OTHER"
NOTHING = "Nothing was planned."
ACCOUNT_CURRENCY = "EUR"
"""Of an account that names no currency at all: the documents'."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What `planner.plan` takes; `value` in the account's currency, `said` for people."""

    snapshot: Snapshot
    market: Market
    targets: Targets | None
    groups: Mapping[str, Mapping[str, float]]
    value: float
    said: tuple[str, ...]


@dataclass
class Prices:
    """Where the price of each symbol came from: the first source that has one."""

    context: PlannerContext
    as_of: date
    old: list[str] = field(default_factory=list)
    from_positions: list[str] = field(default_factory=list)
    from_costs: list[str] = field(default_factory=list)

    def of(self, symbol: str, position: Position | None) -> Decimal | None:
        """Price, own currency: the caller's, the history's newest, the position's, its cost."""
        given = (self.context.current_prices or {}).get(
            symbol, self.context.portfolio_context.current_prices.get(symbol)
        )
        if given is not None:
            return exact(given, f"current price of {symbol}")
        quote = self.context.history.quotes.get(symbol) if self.context.history else None
        if quote is not None:
            if self.context.history and self.context.history.last != self.as_of:
                self.old.append(symbol)
            return quote.price
        if position is not None and position.current_price is not None:
            self.from_positions.append(symbol)
            return exact(position.current_price, f"current_price of {symbol}")
        cost = _average(self.context.portfolio_context, position)
        if cost is not None:
            self.from_costs.append(symbol)
            return exact(cost, f"avg_price of {symbol}")
        return None

    def said(self) -> Iterator[str]:
        """What a reader must know of the prices."""
        if self.old and self.context.history:
            last = self.context.history.last
            yield (
                f"The price history ends on {last} and the plan is of {self.as_of}: old prices were"
                f" used for {_listed(self.old)}."
            )
        if self.from_positions:
            yield (
                f"No current prices were given for {_listed(self.from_positions)}: the "
                "current_price of the position was used."
            )
        if self.from_costs:
            yield (
                f"Nothing says what {_listed(self.from_costs)} costs now: the average cost was "
                "used, so no gain or loss shows there."
            )


def exact(number: float, what: str) -> Decimal:
    """A positive number as an exact decimal; raises InputError for anything else."""
    if not is_number(number) or number <= 0:
        raise InputError(f"The {what} is {number!r}; it must be a number above 0. {NOTHING}")
    return Decimal(str(number))


def _fraction(number: float | None, what: str) -> float | None:
    if number is None:
        return None
    if not is_number(number) or not 0 <= number <= 1:
        raise InputError(f"The {what} is {number!r}; it must be a fraction from 0 to 1. {NOTHING}")
    return float(number)


def _listed(symbols: Iterable[str]) -> str:
    return ", ".join(sorted(symbols))


def _average(context: PortfolioContext, position: Position | None) -> float | None:
    if position is None:
        return None
    return (
        position.avg_price
        if position.avg_price is not None
        else context.position_avg_prices.get(position.symbol)
    )


def base_currency(context: PlannerContext) -> str:
    """The account's currency: given, else the history's, else the one that everything is in.

    Raises InputError when there are several and none is named.
    """
    if context.base_currency is not None:
        return context.base_currency
    if context.history is not None:
        return context.history.fx.base
    found = {position.currency for position in context.positions} | {
        s.currency for s in context.securities if s.currency
    }
    if len(found) > 1:
        raise InputError(
            f"Positions and securities are in {_listed(found)}: say which the account counts in, "
            f"base_currency. {NOTHING}"
        )
    return found.pop() if found else ACCOUNT_CURRENCY


def foreign(context: PlannerContext, base: str) -> set[str]:
    """Currencies that need a rate which neither a position nor the history has."""
    known = {
        position.currency for position in context.positions if position.currency_rate is not None
    }
    known |= {base, *(context.history.fx.rates if context.history else ())}
    wanted = {position.currency for position in context.positions} | {
        s.currency for s in context.securities if s.currency
    }
    return wanted - known


def convert(
    context: PlannerContext,
    bucket: str,
    rates: Mapping[str, float],
    trades: Mapping[str, LastTraded],
) -> Converted:
    """Snapshot, market and targets of the documents' records.

    rates    units of the account's currency for one unit of each, beside those of the positions
    trades   symbol -> dates of the last buy and sale
    Raises InputError for records that contradict each other or are not usable.
    """
    elsewhere = _check_buckets(context, bucket)
    base = base_currency(context)
    as_of, said = _as_of(context)
    context = _until(context, as_of)
    targets = _targets(context.target_weights)
    positions = {position.symbol: position for position in context.positions}
    securities = {security.symbol: security for security in context.securities}
    _check_symbols(context, positions, securities)
    prices = Prices(context, as_of)
    symbols = sorted({*positions, *securities, *(targets.weights if targets else ())})
    found = {symbol: prices.of(symbol, positions.get(symbol)) for symbol in symbols}
    quoted = {symbol: price for symbol, price in found.items() if price is not None}
    house = tuple(
        _security(symbol, securities.get(symbol), positions.get(symbol), context, base)
        for symbol in symbols
    )
    gone = (
        _gone(symbol, traded)
        for symbol, traded in sorted(trades.items())
        if symbol in found and symbol not in positions
    )
    unlisted = sorted(set(positions) - set(securities))
    if unlisted:
        said += (
            (
                f"No security describes {_listed(unlisted)}: it may not be sold, as for a security "
                "that does not opt in."
            ),
        )
    snapshot = Snapshot(
        as_of=as_of,
        base_currency=base,
        holdings=(
            *(
                _holding(position, context, trades.get(position.symbol))
                for position in context.positions
            ),
            *gone,
        ),
        cash=MappingProxyType({base: _cash(context.available_cash)}),
        securities=house,
        bucket=bucket,
    )
    market = _market(context, quoted, _fx(context, base, rates, as_of), as_of)
    value, differing = _value(snapshot, market, context)
    return Converted(
        snapshot=snapshot,
        market=market,
        targets=targets,
        groups=_groups(context.portfolio_context),
        value=value,
        said=(*said, *prices.said(), *differing, *_rates_apart(context, base, as_of), *elsewhere),
    )


def _check_buckets(context: PlannerContext, bucket: str) -> Iterable[str]:
    """Whose the records are; a sentence where they name no bucket and the plan is of another."""
    owners = {position.bucket_id for position in context.positions} | {
        security.bucket_id for security in context.securities
    }
    if len(owners) > 1:
        raise InputError(
            f"The positions and securities belong to {_listed(owners)}; a plan is of one bucket. "
            f"{NOTHING} Give those of one."
        )
    if owners <= {bucket}:
        return ()
    if owners != {CORE}:
        raise InputError(
            f"The positions and securities belong to {_listed(owners)}, and the plan is of "
            f"{bucket}. {NOTHING}"
        )
    return (
        (
            f"The positions and securities name no bucket beside {CORE}, and were planned as those "
            f"of {bucket}."
        ),
    )


def _check_symbols(
    context: PlannerContext, positions: Mapping[str, Position], securities: Mapping[str, Security]
) -> None:
    for what, records, unique in (
        ("position", context.positions, positions),
        ("security", context.securities, securities),
    ):
        if len(records) != len(unique):
            raise InputError(f"A symbol has more than one {what}. {NOTHING} Join them.")
    for symbol, position in positions.items():
        security = securities.get(symbol)
        if security is not None and security.currency not in {None, position.currency}:
            raise InputError(
                f"{symbol} is a position in {position.currency} and a security in "
                f"{security.currency}. {NOTHING}"
            )


def _as_of(context: PlannerContext) -> tuple[date, tuple[str, ...]]:
    given = day(context.as_of, "as_of")
    if given is not None:
        return given, ()
    if context.history is not None and context.history.last is not None:
        return context.history.last, ()
    today = datetime.now().astimezone().date()
    return today, (f"Neither a date nor a price history was given: as of today, {today}.",)


def _until(context: PlannerContext, as_of: date) -> PlannerContext:
    """The context without what its history has after the date; raises InputError if that is all."""
    history = context.history
    if history is None or history.last is None or history.last <= as_of:
        return context
    sessions = int(np.searchsorted(history.dates, np.datetime64(as_of, "D"), side="right"))
    if not sessions:
        raise InputError(
            f"as_of is {as_of} and the price history begins on {history.dates[0]}. {NOTHING} Give a"
            " later date."
        )
    known = ((symbol, _quote(history, symbol, sessions, as_of)) for symbol in history.symbols)
    cut = replace(
        history,
        dates=history.dates[:sessions],
        closes=history.closes[:sessions],
        quotes=MappingProxyType({symbol: quote for symbol, quote in known if quote is not None}),
    )
    return replace(context, portfolio_context=replace(context.portfolio_context, history=cut))


def _quote(history: Market, symbol: str, sessions: int, as_of: date) -> Quote | None:
    """The newest price at or before a date; None without any."""
    newest = history.quotes.get(symbol)
    if newest is not None and newest.on <= as_of:
        return newest
    closes = history.closes[:sessions, history.symbols.index(symbol)]
    known = np.flatnonzero(np.isfinite(closes))
    return (
        Quote(symbol, Decimal(str(closes[known[-1]])), history.dates[known[-1]].astype(object))
        if len(known)
        else None
    )


def _targets(weights: Mapping[str, float] | None) -> Targets | None:
    if weights is None:
        return None
    for symbol, weight in weights.items():
        if not is_number(weight):
            raise InputError(
                f"The target weight of {symbol} is {shown(weight)}; it must be a fraction of value."
                f" {NOTHING}"
            )
    return Targets(
        MappingProxyType({symbol: float(weight) for symbol, weight in sorted(weights.items())})
    )


def _rates_apart(context: PlannerContext, base: str, as_of: date) -> Iterator[str]:
    """Sentences on rates of positions that the history has otherwise."""
    for currency, rate in sorted(_stated(context.positions, base).items()):
        known = context.history.fx.latest(currency, as_of) if context.history else None
        if known is not None and _apart(rate, float(known.rate)):
            yield (
                f"One {currency} is {float(known.rate):g} {base} in the history and {rate:g} in the"
                " positions: the former was used."
            )


def _stated(positions: Iterable[Position], base: str) -> dict[str, float]:
    """The rates that positions state; raises InputError where they contradict each other."""
    rates: dict[str, float] = {}
    for position in positions:
        if position.currency_rate is None:
            continue
        rate = float(exact(position.currency_rate, f"currency_rate of {position.symbol}"))
        known = 1.0 if position.currency == base else rates.setdefault(position.currency, rate)
        if rate != known:
            other = (
                "it is the account's currency"
                if position.currency == base
                else f"another position has {known:g}"
            )
            raise InputError(
                f"The currency_rate of {position.symbol} is {rate:g} {base} for one "
                f"{position.currency}; {other}. {NOTHING}"
            )
    return rates


def _cash(amount: float) -> Decimal:
    if not is_number(amount):
        raise InputError(f"available_cash is {amount!r}; it must be a number. {NOTHING}")
    return Decimal(str(amount))


def _holding(position: Position, context: PlannerContext, traded: LastTraded | None) -> Holding:
    quantity = (
        ZERO
        if is_number(position.quantity) and position.quantity == 0
        else exact(position.quantity, f"quantity of {position.symbol}")
    )
    cost = _average(context.portfolio_context, position)
    unit_cost = None if cost is None else exact(cost, f"avg_price of {position.symbol}")
    bought = day(position.first_bought_at, f"first_bought_at of {position.symbol}")
    sold = day(position.last_sold_at, f"last_sold_at of {position.symbol}")
    last = day(position.last_bought_at, f"last_bought_at of {position.symbol}")
    return Holding(
        symbol=position.symbol,
        quantity=quantity,
        lots=(TaxLot(quantity, bought, unit_cost),) if quantity else (),
        last_bought=traded.bought if traded and traded.bought else last,
        last_sold=traded.sold if traded and traded.sold else sold,
    )


def _gone(symbol: str, traded: LastTraded) -> Holding:
    """What was sold whole keeps its dates: it may not be bought back at once."""
    return Holding(
        symbol=symbol, quantity=ZERO, lots=(), last_bought=traded.bought, last_sold=traded.sold
    )


def _security(
    symbol: str,
    security: Security | None,
    position: Position | None,
    context: PlannerContext,
    base: str,
) -> HouseSecurity:
    facts = context.portfolio_context
    known = security or Security(symbol=symbol, allow_buy=position is None, allow_sell=False)
    countries = _names(
        known.country or facts.security_countries.get(symbol), facts.country_to_group
    )
    return HouseSecurity(
        symbol=symbol,
        currency=known.currency or (position.currency if position else base),
        name=known.name,
        product_type=known.product_type or "EQUITY",
        lot_size=exact(known.min_lot, f"min_lot of {symbol}"),
        sectors=_names(
            known.industry or facts.security_industries.get(symbol), facts.industry_to_group
        ),
        countries=countries,
        dividend_yield=_fraction(
            facts.security_dividends.get(symbol), f"dividend yield of {symbol}"
        ),
        quality=_fraction(facts.security_scores.get(symbol), f"score of {symbol}"),
        priority_multiplier=float(
            exact(known.priority_multiplier, f"priority_multiplier of {symbol}")
        ),
        allow_buy=known.allow_buy and known.active,
        allow_sell=known.allow_sell,
    )


def _names(text: str | None, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Names separated by commas, each as its group where groups are given."""
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    return tuple(dict.fromkeys(groups.get(name, OTHER) if groups else name for name in names))


def _groups(context: PortfolioContext) -> Mapping[str, Mapping[str, float]]:
    groups = {"country": dict(context.country_weights), "sector": dict(context.industry_weights)}
    return {name: weights for name, weights in groups.items() if weights}


def _fx(context: PlannerContext, base: str, rates: Mapping[str, float], as_of: date) -> FxTable:
    """The history's rates, and beside them those of positions and service as of the plan's date."""
    if context.history is not None and context.history.fx.base != base:
        raise InputError(
            f"The account counts in {base} and the history's rates are into "
            f"{context.history.fx.base}. {NOTHING}"
        )
    given = _stated(context.positions, base)
    table = dict(context.history.fx.rates) if context.history else {}
    for currency, rate in sorted({**given, **rates}.items()):
        if currency != base and currency not in table:
            table[currency] = (FxRate(currency, Decimal(str(rate)), as_of),)
    return FxTable(base, MappingProxyType(table))


def _market(
    context: PlannerContext, prices: Mapping[str, Decimal], fx: FxTable, as_of: date
) -> Market:
    """The history with the given prices as newest quotes; without one a single session."""
    history = context.history
    symbols = tuple(sorted(prices))
    dates = np.array([as_of], dtype="datetime64[D]")
    if history is not None and len(history.dates):
        dates = history.dates
    closes = np.full((len(dates), len(symbols)), np.nan)
    for k, symbol in enumerate(symbols):
        if history is not None and symbol in history.symbols:
            closes[:, k] = history.closes[:, history.symbols.index(symbol)]
        else:
            closes[-1, k] = float(prices[symbol])
    closes.setflags(write=False)
    quotes = {
        symbol: Quote(symbol, price, _quoted_on(history, symbol, price, as_of))
        for symbol, price in prices.items()
    }
    return Market(
        symbols=symbols,
        dates=dates,
        closes=closes,
        quotes=MappingProxyType(quotes),
        fx=fx,
        adjusted=history.adjusted if history else True,
        source=history.source if history else "the caller's prices",
        index=history.index if history else None,
    )


def _quoted_on(history: Market | None, symbol: str, price: Decimal, as_of: date) -> date:
    """A price of the history keeps its date, so that an old one is seen to be old."""
    quote = history.quotes.get(symbol) if history else None
    return quote.on if quote is not None and quote.price == price else as_of


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
    told = {
        position.symbol: position.market_value_eur
        for position in context.positions
        if position.market_value_eur is not None
    }
    for symbol, value in sorted({**context.portfolio_context.positions, **told}.items()):
        if symbol not in worth:
            yield (
                f"The portfolio context values {symbol} at {value:,.2f}, and no position or price "
                "of it was given."
            )
        elif _apart(value, worth[symbol]):
            yield (
                f"{symbol} is worth {worth[symbol]:,.2f} by quantity, price and rate, and "
                f"{value:,.2f} as given: the former was used."
            )
    total, held = context.portfolio_context.total_value, math.fsum(worth.values())
    if total is not None and _apart(total, held) and _apart(total, held + cash):
        yield (
            f"total_value is {total:,.2f}; positions are worth {held:,.2f}, with cash "
            f"{held + cash:,.2f}: the latter was used."
        )


def _apart(a: float, b: float) -> bool:
    return abs(a - b) > MAX_DIFFERENCE * max(abs(a), abs(b))
