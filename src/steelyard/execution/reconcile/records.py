"""What is compared, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from steelyard.brokers.broker import Activity, BrokerAccount, BrokerFill, BrokerOrder
from steelyard.money import ZERO

Level = Literal["unread", "order", "position", "cash", "books"]

MARKED = "acknowledged/"
GRAIN = Decimal("0.0001")
"""Money finer than this is not kept, so that it is not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An account at a moment at which both sides agreed.

    positions   symbol -> shares
    cash        currency -> amount, on trade date
    seen        ids of executions and activities that are counted in it, however they are dated,
                and marks of differences that a person acknowledged
    """

    at: datetime
    positions: Mapping[str, Decimal]
    cash: Mapping[str, Decimal]
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What the journal says of an account.

    orders   client ids of every order of ours since the opening
    fills    executions of them that are booked
    books    symbol -> book -> shares; None = there are no books to compare
    """

    account: str
    opening: Opening
    orders: frozenset[str]
    fills: tuple[BrokerFill, ...]
    books: Mapping[str, Mapping[str, Decimal]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """What the broker says of it.

    whole   symbols of which it has no parts of a share
    """

    account: BrokerAccount
    orders: tuple[BrokerOrder, ...]
    fills: tuple[BrokerFill, ...]
    activities: tuple[Activity, ...]
    whole: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """By how much the sides may differ.

    shares   where a symbol has parts of a share; of whole ones by nothing
    cash     of each currency
    """

    shares: Decimal = Decimal("0.000001")
    cash: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One thing on which the sides differ.

    subject        symbol, currency, client order id, execution id or account
    ours, broker   each side's figure; None = it has none
    """

    level: Level
    code: str
    subject: str
    why: str
    ours: Decimal | None = None
    broker: Decimal | None = None
    tolerance: Decimal = ZERO

    @property
    def difference(self) -> Decimal | None:
        """The broker's less ours; None where one of them is no figure."""
        return None if self.ours is None or self.broker is None else self.broker - self.ours

    @property
    def mark(self) -> str:
        """By which it is known again: with other figures it is another difference."""
        return f"{MARKED}{self.code}/{self.subject}/{self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """Shares of a symbol: opening + fills + actions + foreign = expected.

    actions   splits and other changes without an order
    foreign   fills of orders that are not ours
    booked    shares in all books, before actions and foreign; None where there are no books
    owned     of them in a book of somebody
    """

    symbol: str
    opening: Decimal
    fills: Decimal
    actions: Decimal
    foreign: Decimal
    broker: Decimal
    booked: Decimal | None = None
    owned: Decimal | None = None

    @property
    def expected(self) -> Decimal:
        """What the broker should have."""
        return self.opening + self.fills + self.actions + self.foreign

    @property
    def unassigned(self) -> Decimal | None:
        """Of the broker's shares those that are nobody's; None where there are no books."""
        if self.owned is None:
            return None
        return self.broker - self.actions - self.foreign - self.owned


@dataclass(frozen=True, slots=True, kw_only=True)
class CashLine:
    """Money of a currency: opening + sells - buys - fees + explained + foreign = expected."""

    currency: str
    opening: Decimal
    sells: Decimal
    buys: Decimal
    fees: Decimal
    explained: Decimal
    foreign: Decimal
    broker: Decimal

    @property
    def expected(self) -> Decimal:
        """What the broker should have."""
        return self.opening + self.sells - self.buys - self.fees + self.explained + self.foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What came of it.

    at          of the broker's snapshot; of the question where it could not be read
    explained   activities that account for a difference
    foreign     executions of orders that are not ours
    reads       how often the broker was read
    seen        ids of executions and activities, for the next opening
    """

    account: str
    at: datetime
    breaks: tuple[Break, ...]
    positions: tuple[PositionLine, ...] = ()
    cash: tuple[CashLine, ...] = ()
    explained: tuple[Activity, ...] = ()
    foreign: tuple[BrokerFill, ...] = ()
    reads: int = 1
    seen: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def clean(self) -> bool:
        """Do both sides agree?"""
        return not self.breaks

    @property
    def opening(self) -> Opening | None:
        """What the next one begins with: the broker's figures; None where it was not read."""
        if any(each.level == "unread" for each in self.breaks):
            return None
        positions = {line.symbol: line.broker for line in self.positions if line.broker}
        cash = {line.currency: line.broker for line in self.cash}
        frozen = MappingProxyType(positions), MappingProxyType(cash)
        return Opening(at=self.at, positions=frozen[0], cash=frozen[1], seen=self.seen)
