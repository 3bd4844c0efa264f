"""The contract of a broker: what execution asks it, what it answers, and what it can do.

A question that gets no answer raises `BrokerError`; it never returns an empty answer. Only `submit`
and `cancel` change anything, each is sent once, and what became of it may be unknown. Quantities
are in shares, prices in the currency of the security, money in the named currency, all `Decimal`
parsed from text. Times carry their offset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from steelyard.orders import TERMINAL, OrderStatus, Side

Mode = Literal["paper", "live"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a broker can do; the conformance suite holds each of them.

    simulated             no real market stands behind: some figures cannot be had of it
    dedups_client_id      a second order of the same client id is refused
    dedup_window          for how long it is; None = for ever
    lookup_by_client_id   an order can be asked for by its client id
    lists_all_orders      open and closed ones, completely
    replays_executions    fills of a time that we were away are told again
    visibility_delay_s    an accepted order may be absent from answers for so long
    terminal_is_final     no fill comes after cancelled, expired or rejected
    fractional            parts of a share: by quantity, by amount only, or not at all
    errors_in_2xx         an answer of success may carry an error
    reauth_every          a person has to log in so often; None = never
    serves                orders are sent; only read; or written to a file for a person
    """

    simulated: bool
    dedups_client_id: bool
    dedup_window: timedelta | None
    lookup_by_client_id: bool
    lists_all_orders: bool
    replays_executions: bool
    visibility_delay_s: float
    terminal_is_final: bool
    fractional: Literal["qty", "notional", "none"]
    errors_in_2xx: bool
    reauth_every: timedelta | None
    serves: Literal["orders", "read", "file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order to send: limit, good for the day.

    client_order_id   ours, from `execution.ids`
    """

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrder:
    """An order as the broker has it.

    client_order_id   "" where it has none
    broker_id         the broker's own
    limit_price       None for an order of another kind
    status            UNKNOWN for a word that is not known: never filled, never failed
    filled_quantity   as the broker sums it up; the fills decide
    reason            of a reject, in the broker's words; "" = none
    """

    client_order_id: str
    broker_id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal | None
    status: OrderStatus
    filled_quantity: Decimal
    average_price: Decimal | None = None
    created_at: datetime | None = None
    reason: str = ""

    @property
    def over(self) -> bool:
        """Has it ended? Fills may still come where `terminal_is_final` is not."""
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFill:
    """One execution.

    exec_id   the broker's, unique in the account
    value     money that changed hands, > 0, before the fee; the broker's own figure
    fee       what it cost, >= 0
    settles   when its money is settled; None = not told
    """

    exec_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    value: Decimal
    fee: Decimal
    currency: str
    at: datetime
    settles: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What changed cash or shares without an order of anybody.

    kind     DIVIDEND, INTEREST, FEE, CONVERSION, DEPOSIT, WITHDRAWAL, SPLIT or OTHER
    cash     currency -> signed change; a conversion has two
    symbol   "" = of no security
    shares   signed change
    """

    activity_id: str
    kind: str
    at: datetime
    cash: Mapping[str, Decimal]
    symbol: str = ""
    shares: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of a symbol; `available` are not bound by open orders."""

    symbol: str
    quantity: Decimal
    available: Decimal


@dataclass(frozen=True, slots=True)
class CashBalance:
    """Money of a currency.

    amount      on trade date: sales and buys count when they are filled
    settled     of it, that has arrived for good
    spendable   what the broker lets new buys take, without credit
    """

    currency: str
    amount: Decimal
    settled: Decimal
    spendable: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccount:
    """Positions, cash and open orders, read so that they fit each other.

    account_id   as the broker names it
    blocked      why it may not trade, in the broker's words; "" = it may
    """

    account_id: str
    mode: Mode
    at: datetime
    base_currency: str
    positions: tuple[Position, ...]
    cash: tuple[CashBalance, ...]
    open_orders: tuple[BrokerOrder, ...]
    blocked: str = ""

    def position(self, symbol: str) -> Position:
        """Of a symbol; none held is a position of 0."""
        for position in self.positions:
            if position.symbol == symbol:
                return position
        return Position(symbol, Decimal(0), Decimal(0))

    def balance(self, currency: str) -> CashBalance:
        """Of a currency; none is a balance of 0."""
        for balance in self.cash:
            if balance.currency == currency:
                return balance
        return CashBalance(currency, Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Best prices now.

    symbol, currency   as the answer names them, not as they were asked for
    reference          last official close, adjusted for splits; None = not told
    volume             mean shares a day over 20 days; None = not told
    """

    symbol: str
    currency: str
    bid: Decimal
    ask: Decimal
    at: datetime
    reference: Decimal | None = None
    volume: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What the broker says of a security.

    lot_size        an order is a multiple of it
    tick            prices are a multiple of it at `price`s from 1 on; `small_tick` under 1
    least_notional  smallest order in money of its currency
    """

    symbol: str
    currency: str
    tradable: bool
    lot_size: Decimal
    tick: Decimal = Decimal("0.01")
    small_tick: Decimal = Decimal("0.0001")
    least_notional: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class MarketClock:
    """The broker's time; `local` is ours at the same moment, None where it is not a real market."""

    now: datetime
    is_open: bool
    local: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One day of trading, early closes included."""

    day: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker has the order."""

    order: BrokerOrder


@dataclass(frozen=True, slots=True)
class Rejected:
    """It does not, and never will under this id.

    code   FUNDS, QUANTITY, NOT_TRADABLE, NOT_FRACTIONAL, BELOW_MINIMUM, PRICE, WASH, DAY_TRADE,
           INTRADAY_MARGIN, SHORTABLE, SESSION, DUPLICATE, ACCOUNT or OTHER
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The answer does not say whether it has it: to be asked for, never sent again blindly."""

    reason: str


Reply = Accepted | Rejected | Unknown


class Broker(Protocol):
    """One account at a broker."""

    @property
    def name(self) -> str:
        """paper, alpaca, file, …"""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    def account(self) -> BrokerAccount:
        """Positions, cash and open orders that fit each other."""

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Newest quotes; a symbol without a usable one is absent."""

    def assets(self, symbols: Sequence[str]) -> Mapping[str, Asset]:
        """What may be traded and how; a symbol that the broker does not have is absent."""

    def clock(self) -> MarketClock:
        """Its time."""

    def calendar(self, first: date, last: date) -> Sequence[Session]:
        """Sessions of these days, both included; BrokerError past what it knows."""

    def submit(self, ticket: Ticket) -> Reply:
        """Send an order once."""

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """An order by our id; None = it does not see it now, which proves nothing."""

    def cancel(self, client_order_id: str) -> None:
        """Ask for a cancel, once; the order says later whether it came to pass."""

    def orders(self, since: datetime) -> Sequence[BrokerOrder]:
        """Every order since, open and closed, to the last page."""

    def fills(self, since: datetime) -> Sequence[BrokerFill]:
        """Every execution since; in any order, and maybe more than once."""

    def activities(self, since: datetime) -> Sequence[Activity]:
        """Dividends, conversions, splits, … since."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""
