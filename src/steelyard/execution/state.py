"""What an account is worth now, and how far it is from its targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from steelyard.brokers.broker import Broker, BrokerAccount, Quote
from steelyard.errors import BrokerError
from steelyard.money import ZERO

NOTHING = "No state of the portfolio was made, and nothing was sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPosition:
    """Shares at the middle of the market.

    price    currency of the security
    value    base currency
    weight   of the whole portfolio
    target   None where there are no targets; 0 where they do not name it
    """

    symbol: str
    quantity: Decimal
    price: Decimal
    currency: str
    value: Decimal
    weight: Decimal
    target: Decimal | None

    @property
    def drift(self) -> Decimal | None:
        """Weight less target; None without targets."""
        return None if self.target is None else self.weight - self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioState:
    """An account at a moment.

    value         positions and cash, base currency
    cash          currency -> amount, on trade date
    cash_weight   of all currencies together
    positions     by symbol; what is targeted and not there is a position of 0
    """

    account: str
    at: datetime
    base_currency: str
    value: Decimal
    cash: Mapping[str, Decimal]
    cash_weight: Decimal
    positions: tuple[HeldPosition, ...]

    @property
    def weights(self) -> Mapping[str, Decimal]:
        """Symbol -> weight."""
        return MappingProxyType({each.symbol: each.weight for each in self.positions})

    @property
    def drift(self) -> Decimal | None:
        """Half the sum of absolute deviations from target, cash included; None without targets."""
        drifts = [each.drift for each in self.positions]
        if any(drift is None for drift in drifts) or not drifts:
            return None
        off = [drift for drift in drifts if drift is not None]
        return (sum(map(abs, off), ZERO) + abs(sum(off, ZERO))) / 2


def portfolio_state(
    broker: Broker,
    targets: Mapping[str, Decimal] | None = None,
    rates: Mapping[str, Decimal] | None = None,
    multipliers: Mapping[str, Decimal] | None = None,
) -> PortfolioState:
    """The portfolio of an account, as the broker has it now.

    targets       symbol -> weight
    rates         currency -> base per unit; the base currency needs none
    multipliers   symbol -> value of one share at a price of 1, where that is not 1
    Raises BrokerError where the broker does not answer, has no usable quote of a position, or a
    currency has no rate: what is not known is not worth nothing.
    """
    account = broker.account()
    symbols = sorted({each.symbol for each in account.positions} | set(targets or {}))
    quotes = broker.quotes(symbols) if symbols else {}
    all_rates = {account.base_currency: Decimal(1), **(rates or {})}
    values = {
        symbol: _value(account, symbol, quotes, all_rates, multipliers or {}) for symbol in symbols
    }
    money = sum(
        (each.amount * _rate(all_rates, each.currency) for each in account.cash if each.amount),
        ZERO,
    )
    whole = sum(values.values(), ZERO) + money
    if not whole > 0:
        text = f"The account {account.account_id} is worth {whole} {account.base_currency}"
        raise BrokerError(
            f"{text}: it has no weights. {NOTHING}", code="account_no_equity", value=whole
        )
    positions = (
        _position(account, symbol, quotes, (values[symbol], whole), targets) for symbol in symbols
    )
    return PortfolioState(
        account=account.account_id,
        at=account.at,
        base_currency=account.base_currency,
        value=whole,
        cash=MappingProxyType({each.currency: each.amount for each in account.cash}),
        cash_weight=money / whole,
        positions=tuple(positions),
    )


def _position(
    account: BrokerAccount,
    symbol: str,
    quotes: Mapping[str, Quote],
    values: tuple[Decimal, Decimal],
    targets: Mapping[str, Decimal] | None,
) -> HeldPosition:
    """One line; `values` are its own and the whole portfolio's."""
    quote = quotes.get(symbol)
    return HeldPosition(
        symbol=symbol,
        quantity=account.position(symbol).quantity,
        price=ZERO if quote is None else _middle(quote),
        currency="" if quote is None else quote.currency,
        value=values[0],
        weight=values[0] / values[1],
        target=None if targets is None else targets.get(symbol, ZERO),
    )


def _value(
    account: BrokerAccount,
    symbol: str,
    quotes: Mapping[str, Quote],
    rates: Mapping[str, Decimal],
    multipliers: Mapping[str, Decimal],
) -> Decimal:
    """Worth of a position, base currency; what is not there needs no quote."""
    quantity = account.position(symbol).quantity
    if not quantity:
        return ZERO
    quote = quotes.get(symbol)
    if quote is None or not _middle(quote) > 0:
        raise BrokerError(
            f"{account.account_id} has {quantity} {symbol} and the broker has no usable quote of "
            f"it. {NOTHING}",
            code="no_quote",
            place=symbol,
        )
    unit = _middle(quote) * multipliers.get(symbol, Decimal(1))
    return quantity * unit * _rate(rates, quote.currency)


def _rate(rates: Mapping[str, Decimal], currency: str) -> Decimal:
    if currency not in rates:
        raise BrokerError(
            f"There is no rate of {currency}; without one it is worth nothing that is known. "
            f"{NOTHING} Give its rate.",
            code="account_no_rate",
            place=currency,
            hint="give its rate",
        )
    return rates[currency]


def _middle(quote: Quote) -> Decimal:
    return (quote.bid + quote.ask) / 2
