"""Alpaca's JSON to records: what is absent stays absent, and what is not understood is not guessed.

Fields that nobody knows are passed over. A word for a status that is not known is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from steelyard.brokers.broker import (
    Activity,
    Asset,
    BrokerFill,
    BrokerOrder,
    CashBalance,
    Position,
    Quote,
    Session,
)
from steelyard.errors import BrokerError, one_line
from steelyard.money import ZERO
from steelyard.orders import OrderStatus, Side

CURRENCY = "USD"
ZONE = ZoneInfo("America/New_York")
CENT = Decimal("0.01")
NINE_PLACES, WHOLE = Decimal("1e-9"), Decimal(1)
LEAST_NOTIONAL = Decimal(1)
LONGEST_NUMBER = 60
VOLUME_DAYS = 20
STATUSES: Mapping[str, OrderStatus] = MappingProxyType({
    "new": OrderStatus.WORKING, "accepted": OrderStatus.NEW, "pending_new": OrderStatus.NEW,
    "accepted_for_bidding": OrderStatus.NEW, "held": OrderStatus.WORKING,
    "calculated": OrderStatus.WORKING, "stopped": OrderStatus.WORKING,
    "suspended": OrderStatus.WORKING, "done_for_day": OrderStatus.WORKING,
    "partially_filled": OrderStatus.PARTLY_FILLED, "pending_cancel": OrderStatus.CANCELLING,
    "pending_replace": OrderStatus.WORKING, "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED, "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
})  # fmt: skip
"""`replaced` is not here: the order that replaced it is looked at instead."""
REPLACED = "replaced"
KINDS: Mapping[str, str] = MappingProxyType({
    "DIV": "DIVIDEND", "INT": "INTEREST", "FEE": "FEE", "CFEE": "FEE", "PTC": "FEE",
    "CSD": "DEPOSIT", "CSW": "WITHDRAWAL", "SPLIT": "SPLIT", "SSP": "SPLIT",
})  # fmt: skip
FLAGS = ("trading_blocked", "account_blocked", "trade_suspended_by_user")


def order_of(data: Any) -> BrokerOrder:
    """An order; raises BrokerError where it has no id, symbol, side or number of shares."""
    row = _object(data, "an order")
    filled = number(row, "filled_qty") or ZERO
    quantity = number(row, "qty")
    return BrokerOrder(
        client_order_id=str(row.get("client_order_id") or ""), broker_id=_text(row, "id"),
        symbol=_text(row, "symbol"), side=side_of(row),
        quantity=quantity if quantity is not None else filled,
        limit_price=number(row, "limit_price"), status=status_of(row), filled_quantity=filled,
        average_price=number(row, "filled_avg_price"), created_at=_moment(row.get("created_at")),
        reason=one_line(str(row.get("reject_reason") or ""), 200),
    )  # fmt: skip


def status_of(row: Mapping[str, Any]) -> OrderStatus:
    """Whole words only; anything else is UNKNOWN."""
    word = row.get("status")
    return (
        STATUSES.get(word.lower(), OrderStatus.UNKNOWN)
        if isinstance(word, str)
        else OrderStatus.UNKNOWN
    )


def side_of(row: Mapping[str, Any]) -> Side:
    """A short sale is a sale too."""
    word = str(row.get("side", "")).lower()
    if word in {"buy", "sell", "sell_short"}:
        return Side.BUY if word == "buy" else Side.SELL
    raise nonsense(f"a side {one_line(word, 20)!r}")


def position_of(data: Any) -> Position:
    """Shares; those that are available are all where nothing is said of them."""
    row = _object(data, "a position")
    quantity = needed(row, "qty")
    if str(row.get("side", "")).lower() == "short" and quantity > 0:
        quantity = -quantity
    available = number(row, "qty_available")
    return Position(_text(row, "symbol"), quantity, quantity if available is None else available)


def cash_of(row: Mapping[str, Any], bound: Decimal) -> CashBalance:
    """Money without credit: buying power counts only where it is not borrowed.

    bound   what open buys may take
    """
    cash = needed(row, "cash")
    limits = [cash - bound]
    own = number(row, "non_marginable_buying_power")
    if own is None and number(row, "multiplier") == 1:
        own = number(row, "buying_power")
    if own is not None:
        limits.append(own)
    withdrawable = number(row, "cash_withdrawable")
    settled = cash if withdrawable is None else min(cash, withdrawable)
    return CashBalance(_currency(row), cash, max(settled, ZERO), max(min(limits), ZERO))


def blocked(row: Mapping[str, Any]) -> str:
    """Why it may not trade; "" = it may. Flags that are absent are not set."""
    status = str(row.get("status", "absent"))
    reasons = [] if status.upper() == "ACTIVE" else [f"status {one_line(status, 30)}"]
    return ", ".join(
        reasons + [flag for flag in FLAGS if not (row.get(flag) is None or row[flag] is False)]
    )


def asset_of(data: Any) -> Asset:
    """Parts of a share where the broker says so, else whole ones."""
    row = _object(data, "an asset")
    lot = NINE_PLACES if row.get("fractionable") is True else WHOLE
    step = number(row, "min_trade_increment")
    return Asset(
        symbol=_text(row, "symbol"), currency=CURRENCY,
        tradable=row.get("tradable") is True and str(row.get("status", "")).lower() == "active",
        lot_size=step if step is not None and step > 0 else lot, least_notional=LEAST_NOTIONAL,
    )  # fmt: skip


def quote_of(symbol: str, data: Any, days: Sequence[Any]) -> Quote | None:
    """Of the latest quote and daily bars adjusted for splits; None = not usable."""
    row = data if isinstance(data, dict) else {}
    bid, ask, at = number(row, "bp"), number(row, "ap"), _moment(row.get("t"))
    if bid is None or ask is None or at is None or min(bid, ask) <= 0:
        return None
    bars = [bar for bar in days if isinstance(bar, dict)]
    volumes = [number(bar, "v") for bar in bars[-VOLUME_DAYS:]]
    shares = [volume for volume in volumes if volume is not None]
    whole = len(shares) == VOLUME_DAYS
    return Quote(
        symbol=symbol, currency=CURRENCY, bid=bid, ask=ask, at=at,
        reference=number(bars[-1], "c") if bars else None,
        volume=sum(shares, ZERO) / VOLUME_DAYS if whole else None,
    )  # fmt: skip


def session_of(data: Any) -> Session:
    """A day of the calendar; its times are New York's."""
    row = _object(data, "a day of the calendar")
    try:
        day = date.fromisoformat(_text(row, "date"))
        hours = (time.fromisoformat(_text(row, name)) for name in ("open", "close"))
        opens, closes = (datetime.combine(day, hour, ZONE).astimezone(UTC) for hour in hours)
    except ValueError as error:
        raise nonsense("a day of the calendar that is none") from error
    if not opens < closes:
        raise nonsense(f"a session that closes before it opens on {day}")
    return Session(day, opens, closes)


def fill_of(data: Any, client_order_id: str) -> BrokerFill:
    """An execution of the account's activities; regulatory fees come apart, as activities."""
    row = _object(data, "a fill")
    quantity, price, at = (
        needed(row, "qty"),
        needed(row, "price"),
        _moment(row.get("transaction_time")),
    )
    if at is None or not (quantity > 0 and price > 0):
        raise nonsense("a fill without time, shares or price")
    return BrokerFill(
        exec_id=_text(row, "id"), client_order_id=client_order_id, symbol=_text(row, "symbol"),
        side=side_of(row), quantity=quantity, price=price,
        value=(quantity * price).quantize(CENT, ROUND_HALF_EVEN), fee=ZERO, currency=CURRENCY,
        at=at,
    )  # fmt: skip


def activity_of(data: Any) -> Activity:
    """What is no execution; a kind that nobody knows is OTHER, with its money."""
    row = _object(data, "an activity")
    word = _text(row, "activity_type").upper()
    amount, shares = number(row, "net_amount"), number(row, "qty")
    kind = KINDS.get(word, "DIVIDEND" if word.startswith("DIV") else "OTHER")
    if word == "JNLC" and amount:
        kind = "DEPOSIT" if amount > 0 else "WITHDRAWAL"
    day = _moment(row.get("created_at")) or _noon(_text(row, "date"))
    return Activity(
        activity_id=_text(row, "id"), kind=kind, at=day,
        cash={CURRENCY: amount} if amount else {}, symbol=str(row.get("symbol") or ""),
        shares=(shares or ZERO) if kind in {"SPLIT", "OTHER"} else ZERO,
    )  # fmt: skip


def number(row: Mapping[str, Any], name: str) -> Decimal | None:
    """A figure that may be absent or null; raises BrokerError for one that is none."""
    figure = row.get(name)
    if figure is None or figure == "":
        return None
    if isinstance(figure, bool) or not isinstance(figure, (str, int, Decimal)):
        raise nonsense(f"{name} that is no number")
    try:
        exact = Decimal(figure if len(str(figure)) <= LONGEST_NUMBER else "NaN")
    except InvalidOperation as error:
        raise nonsense(f"{name} {one_line(str(figure), 30)!r}") from error
    if not exact.is_finite():
        raise nonsense(f"{name} {one_line(str(figure), 30)!r}")
    return exact


def needed(row: Mapping[str, Any], name: str) -> Decimal:
    """A figure that must be there."""
    figure = number(row, name)
    if figure is None:
        raise nonsense(f"no {name}")
    return figure


def nonsense(what: str) -> BrokerError:
    """An answer that cannot be used."""
    return BrokerError(
        f"Alpaca's answer has {what}: it is not used.", code="broker_nonsense",
        hint="ask again; see docs/brokers.md",
    )  # fmt: skip


def moment_of(data: Any) -> datetime:
    """A time that must be there."""
    at = _moment(data)
    if at is None:
        raise nonsense("no time")
    return at


def _object(data: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise nonsense(f"something else where {what} should be")
    return data


def _text(row: Mapping[str, Any], name: str) -> str:
    text = row.get(name)
    if not isinstance(text, str) or not text:
        raise nonsense(f"no {name}")
    return text


def _moment(data: Any) -> datetime | None:
    """A time with its offset; digits under a microsecond are cut."""
    if not isinstance(data, str):
        return None
    head, dot, tail = data.partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    text = f"{head}{dot}{digits[:6]}{tail[len(digits) :]}" if dot else data
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def _noon(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(12), UTC)
    except ValueError as error:
        raise nonsense("an activity without its day") from error


def _currency(row: Mapping[str, Any]) -> str:
    return str(row.get("currency") or CURRENCY)
