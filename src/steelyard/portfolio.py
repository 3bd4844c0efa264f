"""What is owned and what is known of it: securities, tax lots, holdings, buckets, the snapshot.

Records only; importers and brokers fill them, the planner reads them. Quantities, prices and cash
are `Decimal`, in shares and in the named currency; dates are calendar dates of the exchange.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, Protocol

import steelyard.proxies  # noqa: F401 - its records can be pickled
from steelyard.errors import InputError, each
from steelyard.money import ZERO, no_number
from steelyard.orders import Order, Side

FUND_TYPES = frozenset({"ETF", "ETC", "MUTUALFUND"})
PRODUCT_TYPES = ("EQUITY", *sorted(FUND_TYPES), "BOND", "OPTION", "FUTURE", "CRYPTO", "CASHLIKE")
"""What is known of; OTHER is none of these, and "" is not known: one name, or a fund?"""
SPREAD_TYPES = FUND_TYPES | {"CASHLIKE"}
"""More than the fate of one company, issuer or coin: no single-name rule is for them."""
MULTIPLIERS = {"BOND": Decimal("0.01"), "OPTION": Decimal(100)}
"""Value of one piece at a quoted price of 1, where no file says: bonds are quoted per 100."""
NOT_TRADED_TYPES = frozenset({"OPTION", "FUTURE"})
"""Valued and kept out of trading, as every short is."""

FUNDING_STEPS = ((1.0, 1.0), (0.8, 0.8), (0.6, 0.6), (0.4, 0.4))
"""(held part of the budget, aggression from there on); under the last step nothing is bought."""
DRAWDOWN_STEPS = ((0.15, 1.0), (0.25, 0.7), (0.35, 0.3))
"""(fall from the high-water mark, aggression under it); from the last step on nothing is bought."""
DRAWDOWN_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Security:
    """What may be traded.

    product_type         of PRODUCT_TYPES; "" = unknown
    lot_size             shares; orders are multiples of it
    multiplier           value of one share at a price of 1
    isin                 "" = unknown
    classes              dimension -> name; "" is the dimension `class`
    preference           within a class, lowest first; None = none
    substitute           name of the group of near equals; "" = none
    sectors, countries   names; several share the weight evenly; none = spread over all groups
                         present
    dividend_yield       fraction a year; None = unknown
    quality              fundamental score 0..1; None = unknown
    expected_return      a year, -0.5..0.5; None = not stated
    priority_multiplier  > 0; buys x, sells divided by it
    """

    symbol: str
    currency: str
    name: str = ""
    product_type: str = "EQUITY"
    lot_size: Decimal = Decimal(1)
    sectors: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    group: str | None = None
    dividend_yield: float | None = None
    quality: float | None = None
    priority_multiplier: float = 1.0
    allow_buy: bool = True
    allow_sell: bool = True
    multiplier: Decimal = Decimal(1)
    isin: str = ""
    classes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    preference: int | None = None
    substitute: str = ""
    expected_return: float | None = None

    def __post_init__(self) -> None:
        """Raises InputError for a lot or a multiplier that is no number above 0."""
        figures = {"lot size": self.lot_size, "multiplier": self.multiplier}
        wrong = [
            f"its {name} {reason}"
            for name, figure in figures.items()
            if (reason := no_number(figure, positive=True))
        ]
        _usable(f"The security {self.symbol}", wrong, "bad_security")

    @property
    def is_fund(self) -> bool:
        """Funds count as several names."""
        return self.product_type in FUND_TYPES

    @property
    def is_spread(self) -> bool:
        """Known to be no single name: exempt from the position cap."""
        return self.product_type in SPREAD_TYPES

    @property
    def is_unknown(self) -> bool:
        """One name, or a fund? No file says."""
        return not self.product_type


@dataclass(frozen=True, slots=True)
class TaxLot:
    """Shares bought together: `unit_cost` per share in the security's currency, None = unknown.

    account   where they lie; "" = the file names none
    """

    quantity: Decimal
    acquired: date | None = None
    unit_cost: Decimal | None = None
    account: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of one security with their lots, oldest first; Σ lots = quantity.

    quantity       negative = short; 0 = sold out, and only the dates count
    price          as the holdings file gives it, in the security's currency; None when it does not
    sold_at_loss   did the last sale take a lot at a loss
    lost_on        last sale that did, where that is known to be another one
    """

    symbol: str
    quantity: Decimal
    lots: tuple[TaxLot, ...]
    price: Decimal | None = None
    last_bought: date | None = None
    last_sold: date | None = None
    sold_at_loss: bool = False
    lost_on: date | None = None

    @property
    def last_loss(self) -> date | None:
        """Last sale that took a lot at a loss; None where none is known."""
        return self.last_sold if self.sold_at_loss else self.lost_on

    def __post_init__(self) -> None:
        """Raises InputError for figures that are none, and for lots that are not the quantity."""
        wrong = [*_of_holding(self)]
        if not wrong:
            lots = sum((lot.quantity for lot in self.lots), ZERO)
            if lots != self.quantity:
                wrong = [f"its quantity is {self.quantity:f} and its lots sum to {lots:f}"]
        _usable(f"The holding of {self.symbol}", wrong, "bad_holding")

    @property
    def average_cost(self) -> Decimal | None:
        """Cost per share over all lots; None without shares or a cost of each lot."""
        costs = [lot.unit_cost * lot.quantity for lot in self.lots if lot.unit_cost is not None]
        if len(costs) != len(self.lots) or not self.quantity:
            return None
        return sum(costs, ZERO) / self.quantity

    @property
    def acquired(self) -> date | None:
        """Oldest acquisition date that is known."""
        return min((lot.acquired for lot in self.lots if lot.acquired is not None), default=None)

    @property
    def held_since(self) -> date | None:
        """Mean acquisition date of the shares whose date is known, to the nearest day."""
        dated = [(lot.quantity, lot.acquired) for lot in self.lots if lot.acquired is not None]
        shares = sum((quantity for quantity, _ in dated), ZERO)
        if not shares:
            return None
        days = sum((quantity * day.toordinal() for quantity, day in dated), ZERO)
        return date.fromordinal(round(days / shares))


@dataclass(frozen=True, slots=True)
class BucketState:
    """What a bucket remembers between plans.

    previous_verdict   keeps an act verdict until the net falls under `score.latch_share` of the
                       minimum
    funding            fraction of the bucket's target budget that it holds; None = not tracked
    high_water_mark    highest unit value so far; None = not tracked
    unit_value         value of one unit now: deposits and withdrawals change the number of units,
                       not this; None = not tracked
    dividends          symbol -> money set aside to buy more of what paid it, in the security's
                       currency
    realised_gain      net gain of this year's sales so far, base currency; None = not told
    """

    previous_verdict: Literal["act", "hold"] | None = None
    funding: float | None = None
    high_water_mark: float | None = None
    unit_value: float | None = None
    dividends: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    realised_gain: Decimal | None = None

    def __post_init__(self) -> None:
        """Raises InputError for a figure that is no finite number: it could scale no buy."""
        figures = {
            "funding": self.funding,
            "high_water_mark": self.high_water_mark,
            "unit_value": self.unit_value,
        }
        wrong = [
            f"its {name} is {figure}"
            for name, figure in figures.items()
            if figure is not None and not math.isfinite(figure)
        ]
        wrong += [
            f"its dividend of {symbol} is {amount}"
            for symbol, amount in self.dividends.items()
            if not amount.is_finite()
        ]
        if wrong:
            raise InputError(
                f"The state of a bucket is not usable: {', '.join(wrong)}. Nothing was planned; "
                "correct it.",
                code="bucket_state",
                faults=each("bucket_state", wrong),
                hint="correct it",
            )

    @property
    def drawdown(self) -> float:
        """Fall of the unit value from its high-water mark, 0 where it is not tracked."""
        if self.high_water_mark is None or self.unit_value is None or self.high_water_mark <= 0:
            return 0.0
        # rounded, so that a fall to exactly a step is at the step
        return max(0.0, round(1 - self.unit_value / self.high_water_mark, DRAWDOWN_DECIMALS))

    @property
    def aggression(self) -> float:
        """How buys are scaled, 0..1: the smaller of funding and drawdown step; exits never."""
        funded = (
            1.0
            if self.funding is None
            else next((step for least, step in FUNDING_STEPS if self.funding >= least), 0.0)
        )
        return min(
            funded, next((step for most, step in DRAWDOWN_STEPS if self.drawdown < most), 0.0)
        )


@dataclass(frozen=True, slots=True)
class Settling:
    """Money on its way, from or for trades that are done: `amount` arrives (or leaves) on a day."""

    currency: str
    amount: Decimal
    on: date


@dataclass(frozen=True, slots=True)
class Flow:
    """Money that the owner brings (`amount` > 0) or takes out (< 0), in a currency, on a day."""

    currency: str
    amount: Decimal
    on: date

    def __post_init__(self) -> None:
        """Raises InputError for no amount: it would be neither brought nor taken out."""
        if not self.amount.is_finite() or not self.amount:
            raise InputError(
                f"A flow of {self.currency} {self.amount} is none. Nothing was planned. Give an "
                "amount above 0 for a deposit, below 0 for a withdrawal.",
                code="flow_amount",
                place=f"{self.currency} on {self.on}",
                value=self.amount,
                limit="not 0",
                hint="give an amount above 0 for a deposit, below 0 for a withdrawal",
            )


class SoldLot(Protocol):
    """Shares of a lot that a step sells; `gain` in base currency, None = not known."""

    @property
    def acquired(self) -> date | None: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def unit_cost(self) -> Decimal | None: ...
    @property
    def gain(self) -> Decimal | None: ...
    @property
    def account(self) -> str: ...


class Traded(Protocol):
    """A step of a plan."""

    @property
    def side(self) -> Side: ...
    @property
    def symbol(self) -> str: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def price(self) -> Decimal: ...
    @property
    def lots(self) -> Sequence[SoldLot]: ...


class Planned(Protocol):
    """What `Snapshot.after` reads of a plan."""

    @property
    def as_of(self) -> date: ...
    @property
    def base_currency(self) -> str: ...
    @property
    def bucket(self) -> str: ...
    @property
    def cash_after(self) -> Mapping[str, Decimal]: ...
    @property
    def steps(self) -> Sequence[Traded]: ...


def _usable(what: str, wrong: Sequence[str], code: str) -> None:
    """Raise InputError with everything that is wrong with a record."""
    if wrong:
        raise InputError(
            f"{what} is not usable: {'; '.join(wrong)}. Nothing was planned; correct it.",
            code=code,
            place=what,
            faults=each(code, wrong, what),
            hint="correct it",
        )


def _of_holding(holding: Holding) -> Iterator[str]:
    """What is wrong with each figure of a holding."""
    if reason := no_number(holding.quantity, positive=False):
        yield f"its quantity {reason}"
    if holding.price is not None and (reason := no_number(holding.price, positive=True)):
        yield f"its price {reason}"
    for lot in holding.lots:
        if reason := no_number(lot.quantity, positive=False):
            yield f"the quantity of a lot {reason}"
        if lot.unit_cost is not None and (reason := no_number(lot.unit_cost, positive=False)):
            yield f"the cost of a lot {reason}"


def _twice(what: str, rows: Sequence[Security | Holding], count: int) -> Iterator[str]:
    """Symbols that stand more than once, of `count` different ones."""
    if count == len(rows):
        return
    symbols = [row.symbol for row in rows]
    for symbol in sorted({symbol for symbol in symbols if symbols.count(symbol) > 1}):
        yield f"{symbol} stands more than once in its {what}"


def _with(cash: Mapping[str, Decimal], settling: Iterable[Settling | Flow]) -> dict[str, Decimal]:
    """Balances with amounts on top, sorted by currency."""
    whole = dict(cash)
    for entry in settling:
        whole[entry.currency] = whole.get(entry.currency, ZERO) + entry.amount
    return dict(sorted(whole.items()))


@dataclass(frozen=True)
class Snapshot:
    """A portfolio at one date.

    cash         currency -> settled balance; may be negative
    settling     money that is not settled yet, beside `cash`
    securities   everything that is held or may be traded, in any order
    excluded     symbols left out on the user's word; every page says so
    flows        money that the plan is made for: none of it is in `cash` yet
    """

    as_of: date
    base_currency: str
    holdings: tuple[Holding, ...]
    cash: Mapping[str, Decimal]
    securities: tuple[Security, ...]
    bucket: str = "core"
    open_orders: tuple[Order, ...] = ()
    excluded: tuple[str, ...] = ()
    settling: tuple[Settling, ...] = ()
    flows: tuple[Flow, ...] = ()
    _by_symbol: Mapping[str, Security] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises InputError for a symbol that stands twice, and for cash that is no number."""
        by_symbol = {security.symbol: security for security in self.securities}
        object.__setattr__(self, "_by_symbol", MappingProxyType(by_symbol))
        wrong = [
            *_twice("securities", self.securities, len(by_symbol)),
            *_twice("holdings", self.holdings, len({h.symbol for h in self.holdings})),
        ]
        money = [*self.cash.items(), *((row.currency, row.amount) for row in self.settling)]
        for currency, amount in money:
            if reason := no_number(amount, positive=False):
                wrong.append(f"its cash in {currency} {reason}")
        _usable("The snapshot", wrong, "bad_snapshot")

    @property
    def settled(self) -> dict[str, Decimal]:
        """Currency -> settled balance, with what has settled by the date itself; sorted."""
        return _with(self.cash, (entry for entry in self.settling if entry.on <= self.as_of))

    @property
    def pending(self) -> tuple[Settling, ...]:
        """Money that settles after the date, first things first."""
        later = (entry for entry in self.settling if entry.on > self.as_of and entry.amount)
        return tuple(sorted(later, key=lambda entry: (entry.on, entry.currency, entry.amount)))

    @property
    def balances(self) -> dict[str, Decimal]:
        """Currency -> settled and pending money after all flows, of those where there is any."""
        whole = _with(_with(self.cash, self.settling), self.flows)
        named = {entry.currency for entry in self._moving}
        return {c: amount for c, amount in whole.items() if amount or c in named}

    def available(self, funding: Literal["proceeds", "settled"]) -> dict[str, Decimal]:
        """Currency -> money that counts as there: what is to leave is gone at once, what is to
        arrive counts where proceeds may pay.
        """
        coming = self._moving
        counted = [
            entry
            for entry in coming
            if funding == "proceeds" or entry.amount < 0 or entry.on <= self.as_of
        ]
        return _with(self.settled, counted)

    @property
    def _moving(self) -> tuple[Settling | Flow, ...]:
        """All that is not in the settled balances."""
        return (*self.pending, *self.flows)

    @property
    def before_flows(self) -> Snapshot:
        """The same without what the owner brings and takes out."""
        return replace(self, flows=())

    def after(self, plan: Planned) -> Snapshot:
        """The portfolio once every step of a plan is done at its price, in full.

        The lots sold are those that the steps name; a buy is a lot of the plan's day at its price.
        Cash is what the plan leaves, deposits in it and withdrawals gone; what settles later still
        does. Raises InputError for a plan of another snapshot.
        """
        own = {"day": self.as_of, "base currency": self.base_currency, "bucket": self.bucket}
        other = {"day": plan.as_of, "base currency": plan.base_currency, "bucket": plan.bucket}
        for what, value in own.items():
            if other[what] != value:
                raise _of_another(f"its {what} is {other[what]}, and the snapshot's {value}")
        owned = {holding.symbol: holding for holding in self.holdings}
        account = _only({lot.account for holding in self.holdings for lot in holding.lots})
        for step in plan.steps:
            before = owned.get(step.symbol) or Holding(step.symbol, ZERO, ())
            owned[step.symbol] = _done(before, step, self.as_of, account)
        pending = _with({}, self.settling)
        cash = {
            currency: amount - pending.get(currency, ZERO)
            for currency, amount in plan.cash_after.items()
        }
        return replace(
            self,
            holdings=tuple(owned[symbol] for symbol in sorted(owned)),
            cash=MappingProxyType(cash),
            flows=(),
        )

    def security(self, symbol: str) -> Security | None:
        """The record of a symbol; None when the snapshot does not know it."""
        return self._by_symbol.get(symbol)

    def open_quantity(self, symbol: str, side: Side) -> Decimal:
        """Shares of `symbol` that open orders of that side may still trade."""
        return sum(
            (
                order.open_quantity
                for order in self.open_orders
                if order.symbol == symbol and order.side is side
            ),
            ZERO,
        )


def _done(holding: Holding, step: Traded, on: date, account: str) -> Holding:
    """A holding after one order."""
    if step.side is Side.BUY:
        lot = TaxLot(step.quantity, on, step.price, account)
        return replace(
            holding,
            quantity=holding.quantity + step.quantity,
            lots=(*holding.lots, lot),
            last_bought=on,
        )
    lost = any(lot.gain is not None and lot.gain < 0 for lot in step.lots)
    return replace(
        holding,
        quantity=holding.quantity - step.quantity,
        lots=_without(holding, step),
        last_sold=on,
        sold_at_loss=lost,
        lost_on=on if lost else holding.last_loss,
    )


def _without(holding: Holding, step: Traded) -> tuple[TaxLot, ...]:
    """The lots of a holding less those that a step sells."""
    sold: dict[tuple[date | None, Decimal | None, str], Decimal] = {}
    for part in step.lots:
        key = (part.acquired, part.unit_cost, part.account)
        sold[key] = sold.get(key, ZERO) + part.quantity
    lots: list[TaxLot] = []
    for lot in holding.lots:
        key = (lot.acquired, lot.unit_cost, lot.account)
        less = min(lot.quantity, sold.get(key, ZERO))
        sold[key] = sold.get(key, ZERO) - less
        if lot.quantity > less:
            lots.append(replace(lot, quantity=lot.quantity - less))
    missing = sum(sold.values(), ZERO)
    if missing or sum((part.quantity for part in step.lots), ZERO) != step.quantity:
        what = f"it sells {step.quantity:f} {step.symbol}"
        raise _of_another(f"{what}, {missing:f} of them in lots that the snapshot does not have")
    return tuple(lots)


def _only(accounts: set[str]) -> str:
    return accounts.pop() if len(accounts) == 1 else ""


def _of_another(why: str) -> InputError:
    return InputError(
        f"The plan is not of this snapshot: {why}. Nothing was changed; give the snapshot that the "
        "plan was made of.",
        code="plan_of_another",
        hint="give the snapshot that the plan was made of",
    )
