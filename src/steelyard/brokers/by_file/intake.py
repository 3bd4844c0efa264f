"""Fills that a person hands in: each checked against the orders that were written, then booked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal

from steelyard.brokers.broker import BrokerFill, BrokerOrder
from steelyard.errors import RejectedRow, RowsRejected, did_you_mean
from steelyard.money import ZERO, no_number
from steelyard.orders import OrderStatus, Side

CENT = Decimal("0.01")
NOON = time(12, tzinfo=UTC)
FINEST = Decimal("1e-9")
MOST_SHARES = Decimal("1e9")
MOST_MONEY = Decimal("1e14")
"""The journal writes down shares to nine digits, and no more than this: a fill that it could not
would be of a broker whose books never agree again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFill:
    """A row of a file of fills.

    commission     what it cost, >= 0, in the currency of the security
    execution_id   the broker's, unique in the account
    file, line     where it stands, for what is said of it
    """

    date: date
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    commission: Decimal
    execution_id: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of handed-in rows: booked now, booked before, of before the orders."""

    booked: tuple[BrokerFill, ...]
    repeated: int
    earlier: int


@dataclass(slots=True)
class Desk:
    """Orders and fills as they are while rows come in.

    open          shares that each order still lacks, by client id
    terms         (currency, multiplier) of each symbol
    executions    fills by execution id
    """

    orders: Sequence[BrokerOrder]
    terms: Mapping[str, tuple[str, Decimal]]
    executions: dict[str, BrokerFill]
    open: dict[str, Decimal] = field(default_factory=dict)


def take(desk: Desk, rows: Iterable[FileFill]) -> Intake:
    """Check every row, then book all of them or none.

    Raises RowsRejected with each row that cannot be: of a symbol or side that was not ordered, of
    more than was ordered, of an execution that was booked with other content, not a number.
    """
    booked: list[BrokerFill] = []
    faults: list[RejectedRow] = []
    repeated = earlier = 0
    for row in rows:
        wrong = next(_wrong(desk, row), None)
        if wrong is not None:
            faults.append(wrong)
        elif row.execution_id in desk.executions:
            repeated += 1
        elif _before(desk, row):
            earlier += 1
        else:
            fill = _fill(desk, row)
            if isinstance(fill, RejectedRow):
                faults.append(fill)
                continue
            booked.append(fill)
            desk.executions[fill.exec_id] = fill
            desk.open[fill.client_order_id] -= fill.quantity
    if faults:
        raise RowsRejected(faults)
    return Intake(tuple(booked), repeated, earlier)


def _wrong(desk: Desk, row: FileFill) -> Iterator[RejectedRow]:
    """What is wrong with a row by itself, or against an execution of its id."""
    for column, figure in (("quantity", row.quantity), ("price", row.price)):
        if why := no_number(figure, positive=True):
            yield _rejected(row, why, column, str(figure))
    if (why := no_number(row.commission, positive=False)) or row.commission < 0:
        why = why or f"'{row.commission}' is under 0; a commission is what it cost, 0 or more"
        yield _rejected(row, why, "commission", str(row.commission))
    if not row.execution_id.strip():
        yield _rejected(
            row, "it has no execution id, so nobody could tell it twice", "execution_id", ""
        )
    yield from _unwritable(desk, row)
    before = desk.executions.get(row.execution_id)
    if before is not None and not _same(before, row):
        text = f"execution {row.execution_id} is booked with other content: {_told(before)}"
        yield _rejected(row, text, "execution_id", row.execution_id)


def _unwritable(desk: Desk, row: FileFill) -> Iterator[RejectedRow]:
    """Figures of a row, each a number, that the journal could not write down."""
    multiplier = desk.terms[row.symbol][1] if row.symbol in desk.terms else Decimal(1)
    if not all(figure.is_finite() for figure in (row.quantity, row.price, row.commission)):
        return
    if not row.quantity <= MOST_SHARES:
        why = f"'{row.quantity}' is over {MOST_SHARES:,f} shares"
        yield _rejected(row, why, "quantity", str(row.quantity), f"{MOST_SHARES:f}")
    elif row.quantity % FINEST:
        why = f"'{row.quantity}' has over 9 digits after the point"
        yield _rejected(row, why, "quantity", str(row.quantity), f"{FINEST:f}")
    elif not row.quantity * row.price * multiplier <= MOST_MONEY:
        why = f"its amount is over {MOST_MONEY:,f}"
        yield _rejected(row, why, "price", str(row.price), f"{MOST_MONEY:f}")
    if not row.commission <= MOST_MONEY:
        why = f"'{row.commission}' is over {MOST_MONEY:,f}"
        yield _rejected(row, why, "commission", str(row.commission), f"{MOST_MONEY:f}")


def _same(fill: BrokerFill, row: FileFill) -> bool:
    return (fill.symbol, fill.side, fill.quantity, fill.price, fill.fee) == (
        row.symbol, row.side, row.quantity, row.price, row.commission,
    )  # fmt: skip


def _told(fill: BrokerFill) -> str:
    return f"{fill.side.value} {fill.quantity:f} {fill.symbol} at {fill.price:f}"


def _before(desk: Desk, row: FileFill) -> bool:
    """Is it of a day before any order was written? A broker's file has them."""
    days = [order.created_at.date() for order in desk.orders if order.created_at is not None]
    return bool(days) and row.date < min(days)


def _fill(desk: Desk, row: FileFill) -> BrokerFill | RejectedRow:
    orders = _candidates(desk, row)
    if not orders:
        symbols = sorted({order.symbol for order in desk.orders})
        near = did_you_mean(row.symbol, symbols) if row.symbol not in symbols else ""
        text = f"no order to {row.side.value} {row.symbol} was written.{near}"
        return _rejected(row, text, "symbol", row.symbol)
    lacks = max(desk.open[order.client_order_id] for order in orders)
    order = next((o for o in orders if desk.open[o.client_order_id] >= row.quantity), None)
    if order is None:
        text = (
            f"{row.quantity:f} {row.symbol} is more than the {max(lacks, ZERO):f} that the order "
            f"to {row.side.value} still lacks; what was traded beyond the orders belongs into the "
            "next snapshot, not here"
        )
        return _rejected(row, text, "quantity", f"{row.quantity:f}", f"{max(lacks, ZERO):f}")
    currency, multiplier = desk.terms[row.symbol]
    noon = datetime.combine(row.date, NOON)
    # a file names the day alone, and no order is filled before it was written
    at = noon if order.created_at is None else max(noon, order.created_at)
    value = (row.quantity * row.price * multiplier).quantize(CENT, ROUND_HALF_EVEN)
    return BrokerFill(
        exec_id=row.execution_id, client_order_id=order.client_order_id, symbol=row.symbol,
        side=row.side, quantity=row.quantity, price=row.price, value=value, fee=row.commission,
        currency=currency, at=at,
    )  # fmt: skip


def _candidates(desk: Desk, row: FileFill) -> list[BrokerOrder]:
    """Orders that a fill may be of: open ones first, and of each kind the newest first."""
    orders = [o for o in desk.orders if (o.symbol, o.side) == (row.symbol, row.side)]
    orders.reverse()
    return sorted(orders, key=lambda order: order.status is OrderStatus.CANCELLED)


def _rejected(
    row: FileFill, reason: str, column: str, value: str, limit: str | None = None
) -> RejectedRow:
    return RejectedRow(
        row.file, row.line, reason, code="bad_fill", column=column, value=value, limit=limit
    )
