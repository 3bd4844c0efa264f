"""What everything is worth, in exact money: the first stage of a plan.

Refuses when the value is unknown: a held security without a fresh price or without an exchange
rate, a price of tomorrow, prices that are no daily history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from steelyard.ages import LEAST_HISTORY, MOST_DAYS_APART, days_apart, is_daily, weekdays
from steelyard.errors import PlanRefused, did_you_mean, each
from steelyard.market import Market, Quote
from steelyard.money import ZERO, FxRate
from steelyard.notices import Drop, Stop
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.findings import Findings
from steelyard.planning.flows import brought_of, refuse_flows, refuse_too_much, withdrawn_of
from steelyard.planning.kept_out import KeptOut, counts_nothing, drop_of, not_traded, warning
from steelyard.portfolio import Holding, Security, Snapshot
from steelyard.sentences import say
from steelyard.settings import Limits


@dataclass(frozen=True, slots=True)
class Priced:
    """One security with what its value needs: `rate` in base per unit, `fresh` by the limit."""

    security: Security
    holding: Holding | None
    quote: Quote
    rate: Decimal
    fresh: bool

    @property
    def price(self) -> Decimal:
        """As quoted, the security's currency."""
        return self.quote.price

    @property
    def on(self) -> date:
        """Session of the price."""
        return self.quote.on

    @property
    def unit_price(self) -> Decimal:
        """What one share costs, the security's currency: price x multiplier."""
        return self.quote.price * self.security.multiplier

    @property
    def share(self) -> Decimal:
        """What one share costs, base currency."""
        return self.unit_price * self.rate

    @property
    def quantity(self) -> Decimal:
        """Shares held."""
        return self.holding.quantity if self.holding else ZERO

    @property
    def value(self) -> Decimal:
        """Held value, base currency."""
        return self.quantity * self.share


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

    priced        symbol -> what may be traded and has a price and a rate, sorted by symbol
    unusable      symbol -> why it cannot be traded: no fresh price, no rate, kept out
    kept_out      what is held and not traded, sorted by symbol
    value         base currency, after flows: deposits are in it, withdrawals are not
    withdrawn     what the owner takes out, base currency
    brought       what the owner brings, base currency
    cash_rates    currency -> base per unit, for every currency of cash or of a flow
    open_buys     money that open buys may still take, base currency
    """

    priced: Mapping[str, Priced]
    unusable: Mapping[str, Drop]
    kept_out: tuple[KeptOut, ...]
    value: Decimal
    cash_rates: Mapping[str, Decimal]
    open_buys: Decimal
    withdrawn: Decimal = ZERO
    brought: Decimal = ZERO

    @property
    def before_withdrawals(self) -> Decimal:
        """All that is owned and brought, base currency."""
        return self.value + self.withdrawn


@dataclass(slots=True)
class _Sheet:
    """What valuing fills: see `Valuation`; `unvalued` are lines of a refusal."""

    priced: dict[str, Priced] = field(default_factory=dict)
    unusable: dict[str, Drop] = field(default_factory=dict)
    kept_out: list[KeptOut] = field(default_factory=list)
    unvalued: list[str] = field(default_factory=list)


def value_portfolio(case: Case, findings: Findings) -> Valuation:
    """Price everything that is held, targeted or listed.

    Raises PlanRefused when a held security or a balance of cash cannot be valued, when a price is
    of a later day, when the value is negative, or when the prices are not daily.
    """
    snapshot, market, limits = case.snapshot, case.market, case.strategy.limits
    _refuse_sparse(market)
    holdings = {holding.symbol: holding for holding in snapshot.holdings}
    sheet = _Sheet()
    for symbol in _symbols(case):
        security = snapshot.security(symbol) or Security(symbol, snapshot.base_currency)
        _enter(sheet, security, holdings.get(symbol), case)
    findings.stops.extend(
        Stop(symbol, None, "input", drop) for symbol, drop in sheet.unusable.items()
    )
    rates = {currency: _rate(currency, snapshot, market, limits) for currency in snapshot.balances}
    owned = snapshot.before_flows.balances
    sheet.unvalued += [
        f"cash in {currency}: {_no_rate(currency, snapshot, market, limits).why}"
        for currency, rate in rates.items()
        if rate is None and currency in owned
    ]
    refuse_flows(snapshot, rates)
    if sheet.unvalued:
        raise PlanRefused(
            "The value of the portfolio is unknown, so nothing was planned:\n"
            + "\n".join(f"  {line}" for line in sheet.unvalued)
            + "\nAdd the missing price or rate, or leave a security out with --exclude SYMBOL.",
            code="value_unknown",
            faults=each("value_unknown", sheet.unvalued),
            hint="add the missing price or rate, or leave a security out with --exclude SYMBOL",
        )
    cash_rates = {currency: rate.rate for currency, rate in rates.items() if rate is not None}
    kept_out = tuple(sheet.kept_out)
    cash = sum((amount * cash_rates[c] for c, amount in snapshot.balances.items()), ZERO)
    traded = sum((priced.value for priced in sheet.priced.values()), cash)
    value = sum((position.value for position in kept_out), traded)
    withdrawn = withdrawn_of(snapshot, cash_rates)
    refuse_too_much(snapshot, value, withdrawn)
    if value < 0:
        raise PlanRefused(
            f"The portfolio is worth {value:,.2f} {snapshot.base_currency}: more is owed than "
            "owned. Nothing was planned; check the cash.",
            code="owes_more_than_it_owns",
            value=f"{value:.2f} {snapshot.base_currency}",
            limit="above 0",
            hint="check the cash",
        )
    if kept_out:
        findings.warnings.append(warning(kept_out, value, snapshot.base_currency))
    open_buys = _open_buys(snapshot, {**sheet.priced, **quoted(kept_out)})
    return Valuation(
        priced=sheet.priced,
        unusable=sheet.unusable,
        kept_out=kept_out,
        value=value,
        cash_rates=cash_rates,
        open_buys=open_buys,
        withdrawn=withdrawn,
        brought=brought_of(snapshot, cash_rates),
    )


def _enter(sheet: _Sheet, security: Security, holding: Holding | None, case: Case) -> None:
    """One security to its place: tradable, not usable, kept out, or a reason to refuse."""
    symbol, market, limits = security.symbol, case.market, case.strategy.limits
    quantity = holding.quantity if holding else ZERO
    rule, quote = not_traded(security, holding), market.quotes.get(symbol)
    if rule is not None and (not quantity or counts_nothing(security, quote)):
        sheet.unusable[symbol] = drop_of(rule, holding, quote)
        if holding is not None and quantity:
            sheet.kept_out.append(KeptOut(security, holding, None, None, sheet.unusable[symbol]))
        return
    priced = _price(security, holding, case.snapshot, market, limits)
    usable = isinstance(priced, Priced) and priced.fresh
    if quantity and not usable:
        sheet.unvalued.append(f"{symbol}: {_why_unvalued(priced, case.snapshot, limits)}")
    elif rule is not None and holding is not None and isinstance(priced, Priced):
        sheet.unusable[symbol] = drop = drop_of(rule, holding, quote)
        sheet.kept_out.append(KeptOut(security, holding, priced.quote, priced.rate, drop))
    else:
        if isinstance(priced, Priced):
            sheet.priced[symbol] = priced
        if not usable:
            sheet.unusable[symbol] = _why_unusable(priced, case.snapshot, limits)


def quoted(kept_out: tuple[KeptOut, ...]) -> dict[str, Priced]:
    """What is kept out as open orders are valued by it."""
    return {
        k.security.symbol: Priced(k.security, k.holding, k.quote, k.rate, fresh=False)
        for k in kept_out
        if k.quote is not None and k.rate is not None
    }


def _symbols(case: Case) -> list[str]:
    """Everything that is held, targeted or listed, and not left out."""
    snapshot, targets = case.snapshot, case.target_weights
    symbols = {holding.symbol for holding in snapshot.holdings}
    symbols |= {security.symbol for security in snapshot.securities}
    symbols |= set(targets.weights) if targets else set()
    return sorted(symbols - set(snapshot.excluded))


def _refuse_sparse(market: Market) -> None:
    """Refuse weekly or monthly closes: estimates take them for those of days."""
    dates = market.dates
    if not is_daily(dates):
        apart = days_apart(dates)
        raise PlanRefused(
            f"The prices are {apart:g} days apart (median of {len(dates)} dates, {dates[0]} to "
            f"{dates[-1]}); closes at most {MOST_DAYS_APART} days apart are asked for. Returns and "
            "volatility would be taken for those of days. Nothing was planned: give daily closes, "
            f"or fewer than {LEAST_HISTORY} dates, from which nothing is estimated.",
            code="prices_not_daily",
            value=f"{apart:g} days apart",
            limit=f"{MOST_DAYS_APART} days",
            hint=f"give daily closes, or fewer than {LEAST_HISTORY} dates",
        )


def _price(
    security: Security, holding: Holding | None, snapshot: Snapshot, market: Market, limits: Limits
) -> Priced | Missing:
    symbol = security.symbol
    if symbol in market.withheld:
        return Missing(market.withheld[symbol].why.text, market.withheld[symbol])
    quote = market.quotes.get(symbol)
    if quote is None:
        near = did_you_mean(symbol, list(market.symbols))
        return Missing(
            "no price", Drop("no_price", None, None, say("no price; it is not traded")), near
        )
    age = weekdays(quote.on, snapshot.as_of)
    if quote.on > snapshot.as_of:
        raise PlanRefused(
            f"The price of {symbol} is of {quote.on}, after the day of the plan "
            f"({snapshot.as_of}). Nothing was planned: correct its date, or plan as of a later day "
            "(--as-of).",
            code="price_after_day",
            place=symbol,
            value=quote.on,
            limit=snapshot.as_of,
            hint="correct its date, or plan as of a later day (--as-of)",
        )
    rate = _rate(security.currency, snapshot, market, limits)
    if rate is None:
        return _no_rate(security.currency, snapshot, market, limits)
    return Priced(security, holding, quote, rate.rate, fresh=age <= limits.max_stale_sessions)


def _rate(currency: str, snapshot: Snapshot, market: Market, limits: Limits) -> FxRate | None:
    rate = market.fx.latest(currency, snapshot.as_of)
    if rate is None or market.fx.base == currency:
        return rate
    return rate if weekdays(rate.on, snapshot.as_of) <= limits.max_stale_sessions else None


def _no_rate(currency: str, snapshot: Snapshot, market: Market, limits: Limits) -> Missing:
    """Why `_rate` gives none: there is none, or the newest is too old."""
    pair = f"exchange rate from {currency} into {snapshot.base_currency}"
    rate = market.fx.latest(currency, snapshot.as_of)
    if rate is None:
        return Missing(
            f"no {pair}",
            Drop("no_rate", None, None, say("no {pair:text}; it is not traded", pair=pair)),
        )
    age, limit = weekdays(rate.on, snapshot.as_of), limits.max_stale_sessions
    sentence = (
        f"the newest {pair} is of {rate.on} and {age} weekdays old; at most {limit} are allowed "
        "(limits.max_stale_sessions)"
    )
    why = say(
        "the newest {pair:text}, of {on:date}, is {age:count} weekdays old; at most {limit:count} "
        "are allowed",
        pair=pair,
        on=rate.on,
        age=age,
        limit=limit,
    )
    return Missing(sentence, Drop("stale_rate", float(age), float(limit), why))


def _why_unvalued(quote: Priced | Missing, snapshot: Snapshot, limits: Limits) -> str:
    if isinstance(quote, Missing):
        return f"{quote.why}.{quote.near}" if quote.near else quote.why
    return (
        f"its newest price is of {quote.on} and {weekdays(quote.on, snapshot.as_of)} weekdays old; "
        f"at most {limits.max_stale_sessions} are allowed (limits.max_stale_sessions)"
    )


def _why_unusable(quote: Priced | Missing, snapshot: Snapshot, limits: Limits) -> Drop:
    if isinstance(quote, Missing):
        return quote.drop
    age, limit = weekdays(quote.on, snapshot.as_of), limits.max_stale_sessions
    why = say(
        "its price is {age:count} weekdays old; at most {limit:count} are allowed",
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
        price = (order.limit_price or quoted.price) * quoted.security.multiplier
        total += order.open_quantity * price * quoted.rate
    return total
