"""The desk: what one run works with, and what it looks at before it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from steelyard.brokers.broker import Asset, Broker, BrokerAccount, MarketClock, Mode, Quote, Session
from steelyard.errors import BrokerError, NotExecuted
from steelyard.execution.answers import account_of, usable
from steelyard.execution.approved import Approved
from steelyard.execution.halt import Switch
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal, Lease
from steelyard.execution.journal.rows import FillRow, LegRow, RunRow
from steelyard.execution.rails.facts import ArmFacts, PaperHistory
from steelyard.execution.request import Request
from steelyard.execution.sessions import CLOSED, Calendar, narrowed, trading
from steelyard.execution.settings import Limits, PaperHistoryNeeds
from steelyard.execution.working import Working
from steelyard.money import ZERO
from steelyard.orders import Side

Answer = TypeVar("Answer")


class Halted(NotExecuted):
    """The run stands still: nothing further is sent for it until somebody looked."""

    code = "halted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the rails ask and a run does not change.

    host, key    what address and key of the broker say; None where it has none
    builds       process or record -> build and settings as a hash: all have to agree
    restricted   symbols that nobody may trade; None = the list is not readable
    """

    needs: PaperHistoryNeeds
    history: PaperHistory | None = None
    host: Mode | None = None
    key: Mode | None = None
    pinned_account: str | None = None
    arm: ArmFacts | None = None
    builds: Mapping[str, str] | None = None
    restricted: frozenset[str] | None = None
    free_disk_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What one run works with; the journal has its state, so this has none.

    engaged   looks at the kill switch
    failed    told when the run has failed: too many of those engage it
    show      told after every change, to draw
    """

    journal: Journal
    lease: Lease
    broker: Broker
    approved: Approved
    request: Request
    run_id: str
    limits: Limits
    working: Working
    standing: Standing
    engaged: Callable[[], Switch]
    failed: Callable[[], None]
    show: Callable[[Desk], None] = field(default=lambda _: None)

    @property
    def run(self) -> RunRow:
        """The run as the journal has it now."""
        return rows.run(self.journal, self.run_id)

    @property
    def legs(self) -> list[LegRow]:
        """Every attempt of the run, as the journal has it now."""
        return rows.legs(self.journal, self.run_id)

    def probe(self, point: str) -> None:
        """Tell where it is, for tests that kill here."""
        self.journal.probe(point)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the broker says now; None is what it did not say.

    filled   symbol -> signed shares of this run that were booked when the account was read
    booked   client order id -> shares, the same
    """

    filled: Mapping[str, Decimal]
    booked: Mapping[str, Decimal]
    account: BrokerAccount | None
    clock: MarketClock | None
    session: Session | None
    previous_session: date | None
    assets: Mapping[str, Asset] | None
    quotes: Mapping[str, Quote] | None


def look(desk: Desk, symbols: Sequence[str]) -> Sight:
    """Account, session, assets and quotes; what fails is None, and blocks what needs it.

    To be asked while no order works, so that account and books are of one moment.
    """
    clock = _asked(desk.broker.clock)
    now = CLOSED if clock is None else trading(calendar(desk, clock.now.date()), clock.now)
    fills = rows.fills(desk.journal, run_id=desk.run_id)
    return Sight(
        filled=signed(fills),
        booked=by_order(fills),
        account=_asked(lambda: account_of(desk.broker)),
        clock=clock,
        session=now.session,
        previous_session=now.previous,
        assets=_asked(lambda: desk.broker.assets(symbols)),
        quotes=_asked(lambda: usable(desk.broker.quotes(symbols))),
    )


def refreshed(desk: Desk, sight: Sight, symbol: str) -> Sight:
    """The same with the time and one quote as they are now."""
    newest = _asked(lambda: usable(desk.broker.quotes([symbol])))
    quotes = None if newest is None else {**(sight.quotes or {}), **newest}
    if newest is not None and symbol not in newest and quotes is not None:
        quotes.pop(symbol, None)
    return replace(sight, clock=_asked(desk.broker.clock), quotes=quotes)


def by_order(fills: Iterable[FillRow]) -> dict[str, Decimal]:
    """Client order id -> shares that are booked."""
    sums: dict[str, Decimal] = {}
    for fill in fills:
        sums[fill.client_order_id] = sums.get(fill.client_order_id, ZERO) + fill.quantity
    return sums


def signed(fills: Iterable[FillRow]) -> dict[str, Decimal]:
    """Symbol -> shares bought less shares sold."""
    sums: dict[str, Decimal] = {}
    for fill in fills:
        change = fill.quantity if fill.side is Side.BUY else -fill.quantity
        sums[fill.symbol] = sums.get(fill.symbol, ZERO) + change
    return sums


def calendar(desk: Desk, day: date) -> Calendar:
    """Sessions near a day: the broker's, and the exchange's where one is set."""
    return narrowed(desk.broker.calendar, desk.working.exchange, day)


def _asked(question: Callable[[], Answer]) -> Answer | None:
    try:
        return question()
    except BrokerError:
        return None


def value_of(account: BrokerAccount, approved: Approved, quotes: Mapping[str, Quote]) -> Decimal:
    """Equity in base currency: positions at the middle of their quotes, else as planned."""
    total = sum(
        (balance.amount * approved.rates.get(balance.currency, Decimal("NaN")))
        for balance in account.cash
        if balance.amount
    ) or Decimal(0)
    for position in account.positions:
        total += position.quantity * unit_value(position.symbol, approved, quotes)
    return total


def unit_value(symbol: str, approved: Approved, quotes: Mapping[str, Quote]) -> Decimal:
    """One share in base currency; NaN where neither quote nor plan has a price, which blocks.

    Where everything is sold, what nobody prices is worth nothing: it keeps nothing else from it.
    """
    nothing = ZERO if approved.purpose == "flatten" else Decimal("NaN")
    quote = quotes.get(symbol)
    price = approved.prices.get(symbol, nothing) if quote is None else (quote.bid + quote.ask) / 2
    rate = approved.rates.get(approved.currencies.get(symbol, ""), nothing)
    return price * approved.multipliers.get(symbol, Decimal(1)) * rate
