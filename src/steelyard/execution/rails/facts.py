"""All that the rails may know, as one record; a datum that could not be had is None, and blocks.

Money is in the base currency where a name ends in `_base`, otherwise in the security's; weights are
fractions of the value of what is traded; times carry their offset and are the broker's. Numbers of
the day and of the run come from the journal, so that a restart forgets none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from steelyard.brokers.broker import (
    Asset,
    BrokerAccount,
    Capabilities,
    MarketClock,
    Mode,
    Quote,
    Session,
    Ticket,
)
from steelyard.execution.halt import Switch
from steelyard.execution.settings import Limits, PaperHistoryNeeds
from steelyard.orders import Side

Purpose = Literal["plan", "flatten"]
"""An approved plan stands behind the orders, or a person who sells everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedOrder:
    """What a plan allows at one of its steps: so much, and no other symbol, side or currency.

    price        of a share, as planned
    full_exit    the whole holding: the broker's exact quantity, which may be no whole lot
    multiplier   money of one unit at a price of 1
    filled       of it, that has been filled or still works at the broker: not to be sent again
    """

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    currency: str
    full_exit: bool = False
    multiplier: Decimal = Decimal(1)
    filled: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """The plan that was approved.

    as_of          day of its prices
    made_at        when it was made, by the broker's clock; None where a paper market has no such
    problems       codes of what may be wrong with it
    heads          codes of the warnings that are told first
    degraded       an evaluator, a plugin or a module failed while it was made
    reproducible   the same inputs give the same plan
    value_base     of what was held, without deposits that had not arrived
    deposits_base  which may have arrived since, or a part of them
    keep_base      cash that its buys leave alone: the reserve, or what it ends with if that is less
    weights        after it, cash included: sum 1
    holdings       symbol -> shares that it stood on
    approved       step -> what may be sent
    """

    plan_id: str
    as_of: date
    made_at: datetime | None
    problems: tuple[str, ...]
    heads: tuple[str, ...]
    degraded: bool
    reproducible: bool
    value_base: Decimal
    keep_base: Decimal
    weights: Mapping[str, Decimal]
    holdings: Mapping[str, Decimal]
    approved: Mapping[int, ApprovedOrder]
    deposits_base: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """The order at hand.

    step          of the plan; with `flatten` any number
    attempt       0 for the first ticket of the step
    fx_rate       base currency per unit of the ticket's
    fx_at         when that was so; None = not told
    fee_base      what it will cost, as far as it is known
    multiplier    money of one unit at a price of 1
    free_shares   held and bound by no open order and no reservation
    duplicate     this id, or an order of ours for the same symbol and side, is already out
    full_exit     it sells all that is held
    """

    ticket: Ticket
    step: int
    attempt: int
    fx_rate: Decimal | None
    fx_at: datetime | None
    fee_base: Decimal | None
    free_shares: Decimal | None
    duplicate: bool | None
    full_exit: bool = False
    multiplier: Decimal = Decimal(1)

    @property
    def buys(self) -> bool:
        """Does it take money?"""
        return self.ticket.side is Side.BUY

    @property
    def value(self) -> Decimal:
        """At its limit, in the security's currency."""
        return self.ticket.quantity * self.ticket.limit_price * self.multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFacts:
    """What has been sent, from the journal: the day is the session's.

    orders_today         in all runs
    orders_in_run        in this one
    last_order_at        None = none yet
    turnover_base        filled and open today, buys and sells, without the order at hand
    rejects_in_row       since the last order that was taken, this run
    rejects              of this run
    failures             runs of the last 24 hours that failed, since the last that did not
    failed_sells_base    money that sells of this run did not bring
    """

    orders_today: int
    orders_in_run: int
    last_order_at: datetime | None
    turnover_base: Decimal
    rejects_in_row: int
    rejects: int
    failures: int
    failed_sells_base: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFacts:
    """A person's consent, as it was recorded.

    plan_id, amount_base   what was typed in
    heads                  codes of warnings that were typed in
    used_by                the run that used it; "" = none yet
    """

    plan_id: str
    amount_base: Decimal
    heads: tuple[str, ...]
    expires_at: datetime
    used_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperHistory:
    """Runs on paper that ended well: how many, on how many days, and what nobody explained."""

    runs: int
    days: int
    unexplained: int


@dataclass(frozen=True, slots=True)
class Lock:
    """The run lock: is the file locked by us, with which fence, and which is the newest."""

    locked: bool
    fence: int
    newest_fence: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The last comparison of books and broker; `frozen` says why the account is, "" = it is not."""

    clean: bool
    at: datetime
    frozen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a rail is asked with.

    limits            of the mode; `history_needs` of live
    run_id            "" before there is a run
    subject           what an arm binds: the plan's id, or the id of a `flatten`
    amount_base       money of all orders of the subject, buys and sells
    host, key         what address and key of the broker say; None where it has none
    pinned_account    the account that may trade live
    builds            process or record -> build and settings as a hash; all have to agree
    newest_event_at   the latest time in the journal, by the broker's clock; now, if it is empty
    run_started_at    None before there is a run
    previous_session  the day of trading before the session's
    holdings          symbol -> shares now, of the account or the bucket that is traded
    fills             symbol -> signed shares that this run has filled
    values_base       symbol -> value now, with open orders and reservations, the order's left out
    sectors           symbol -> sector; used where a limit is set
    free_cash_base    money that buys may take: arrived, and bound by no order or reservation
    quotes            symbol -> newest quote
    assets            symbol -> what the broker says of it
    restricted        symbols that nobody may trade; None = the list is not readable
    last_trades       (symbol, side) -> newest fill of another run; None = not readable
    equity_base       value now, and `equity_open_base` at the session's opening
    """

    limits: Limits
    history_needs: PaperHistoryNeeds
    mode: Mode
    purpose: Purpose = "plan"
    run_id: str = ""
    subject: str | None
    amount_base: Decimal | None
    host: Mode | None
    key: Mode | None
    pinned_account: str | None
    account: BrokerAccount | None
    capabilities: Capabilities | None
    history: PaperHistory | None
    arm: ArmFacts | None
    switch: Switch | None
    lock: Lock | None
    reconciliation: Reconciliation | None
    builds: Mapping[str, str] | None
    free_disk_bytes: int | None
    journal_writable: bool | None
    clock: MarketClock | None
    session: Session | None
    previous_session: date | None
    newest_event_at: datetime | None
    run_started_at: datetime | None
    plan: PlanFacts | None
    order: OrderFacts | None
    day: DayFacts | None
    holdings: Mapping[str, Decimal] | None
    fills: Mapping[str, Decimal] | None
    values_base: Mapping[str, Decimal] | None
    sectors: Mapping[str, str] | None
    free_cash_base: Decimal | None
    quotes: Mapping[str, Quote] | None
    assets: Mapping[str, Asset] | None
    restricted: frozenset[str] | None
    last_trades: Mapping[tuple[str, Side], datetime] | None
    equity_open_base: Decimal | None
    equity_base: Decimal | None
