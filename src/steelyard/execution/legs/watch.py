"""Looking at the broker: executions are booked, and each attempt goes on as the broker says.

How much is filled is the sum of the executions, never a status: an order that is told to be over is
over here when every share that it is told to have filled is booked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from steelyard.brokers.broker import BrokerFill, BrokerOrder
from steelyard.errors import NotExecuted
from steelyard.execution.desk import Desk, Halted
from steelyard.execution.journal import rows
from steelyard.execution.journal.changes import alert, book, set_leg
from steelyard.execution.journal.rows import LegRow
from steelyard.execution.states import IN_DOUBT, LEG_OVER, LegState, leg_may, of_status
from steelyard.money import ZERO
from steelyard.orders import OrderStatus

LOOK_BACK = timedelta(days=1)
LATE_FILL = "late_fill"
LATE = LEG_OVER | {LegState.HELD}


def sync(desk: Desk) -> None:
    """Book what the broker reports, and move every attempt to where it is.

    Raises BrokerError where it does not answer, Halted for a fill that nobody waited for.
    """
    since = desk.request.began_at - LOOK_BACK
    orders = {order.client_order_id: order for order in desk.broker.orders(since)}
    desk.probe("after receive")
    fills = desk.broker.fills(since)
    desk.probe("after receive")
    take(desk, orders, fills)


def take(desk: Desk, orders: Mapping[str, BrokerOrder], fills: Sequence[BrokerFill]) -> None:
    """The same of answers that are there."""
    account = desk.lease.account
    # executions of earlier runs too: they may come late, and the account's books need them
    names = {fill.client_order_id for fill in fills}
    legs = {leg.client_order_id: leg for leg in rows.legs_of(desk.journal, account, names)}
    filled = filled_of(desk)
    ours = [fill for fill in fills if fill.client_order_id in legs]
    booked = rows.booked(desk.journal, account, [fill.exec_id for fill in ours])
    news = [fill for fill in ours if fill.exec_id not in booked]
    # what is booked already is looked at too: a broker that contradicts itself is noticed
    repeats = [fill for fill in ours if fill.exec_id in booked]
    try:
        trouble = _booked(desk, legs, news, repeats)
    except NotExecuted as error:
        if error.fault.code != "fill_differs":
            raise
        raise Halted(str(error), code=error.fault.code, place=error.fault.place) from error
    if news:
        filled = filled_of(desk)
    _moved(desk, orders, filled)
    if news:
        desk.show(desk)
    if trouble:
        raise Halted(trouble, code=LATE_FILL, hint="steelyard reconcile")


def filled_of(desk: Desk) -> dict[str, Decimal]:
    """Client order id -> shares that are booked."""
    sums: dict[str, Decimal] = {}
    for row in rows.fills(desk.journal, run_id=desk.run_id):
        sums[row.client_order_id] = sums.get(row.client_order_id, ZERO) + row.quantity
    return sums


def filled_of_step(desk: Desk, step: int) -> Decimal:
    """Shares of all attempts at a step."""
    filled = filled_of(desk)
    return sum(
        (filled.get(leg.client_order_id, ZERO) for leg in desk.legs if leg.step == step), ZERO
    )


def _booked(
    desk: Desk,
    legs: Mapping[str, LegRow],
    news: Sequence[BrokerFill],
    repeats: Sequence[BrokerFill],
) -> str:
    """Write executions; what is wrong with one of them, "" = nothing."""
    trouble = ""
    run = desk.run
    if repeats:
        _compared(desk, repeats)
    if not news:
        return ""
    with desk.journal.writing(desk.lease) as change:
        for fill in sorted(news, key=lambda fill: (fill.at, fill.exec_id)):
            if not book(change, run, fill):
                continue  # told twice in one answer
            leg = legs[fill.client_order_id]
            if leg.state in LATE:
                trouble = (
                    f"{fill.quantity:f} {fill.symbol} were filled after the order "
                    f"{leg.client_order_id} was over ({leg.state}): it is booked, and the run "
                    "stands still. Nothing further was sent."
                )
                alert(change, run.run_id, run.bucket, LATE_FILL, trouble)
    return trouble


def _compared(desk: Desk, repeats: Sequence[BrokerFill]) -> None:
    """Raise NotExecuted where the broker says something else of what is booked."""
    with desk.journal.reading() as change:
        for fill in repeats:
            book(change, desk.run, fill)


def _moved(desk: Desk, orders: Mapping[str, BrokerOrder], filled: Mapping[str, Decimal]) -> None:
    moves = []
    for leg in desk.legs:
        order = orders.get(leg.client_order_id)
        if leg.state in LEG_OVER or leg.state in {LegState.PLANNED, LegState.READY}:
            continue
        state = state_of(leg, order, filled.get(leg.client_order_id, ZERO))
        if state is not leg.state and leg_may(leg.state, state):
            moves.append((leg, state, order))
    if not moves:
        return
    with desk.journal.writing(desk.lease) as change:
        run = desk.run
        for leg, state, order in moves:
            reason = "" if order is None else order.reason
            broker_id = "" if order is None else order.broker_id
            set_leg(change, run, leg, state, reason, broker_id)
    desk.show(desk)


def state_of(leg: LegRow, order: BrokerOrder | None, filled: Decimal) -> LegState:
    """Where an attempt is, by its booked shares and what the broker says of it."""
    if filled >= leg.quantity:
        return LegState.FILLED
    if order is None:
        return leg.state if leg.state in IN_DOUBT or not filled else _working(leg, filled)
    if order.status is OrderStatus.FILLED or not order.over:
        return _working(leg, filled)
    if filled < order.filled_quantity:
        return _working(leg, filled)  # its last executions are not told yet
    return of_status(order.status)


def _working(leg: LegRow, filled: Decimal) -> LegState:
    if leg.state is LegState.CANCELLING:
        return LegState.CANCELLING
    return LegState.PARTIAL if filled else LegState.ACCEPTED
