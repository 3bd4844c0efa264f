"""Looking at the broker: executions are booked, and each attempt goes on as the broker says.

How much is filled is the sum of the executions, never a status: an order that is told to be over is
over here when every share that it is told to have filled is booked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from steelyard.brokers.broker import BrokerFill, BrokerOrder
from steelyard.canonical import plain
from steelyard.errors import NotExecuted
from steelyard.execution.desk import Desk, Halted, by_order
from steelyard.execution.journal import rows
from steelyard.execution.journal.changes import alert, book, set_leg
from steelyard.execution.journal.rows import LegRow
from steelyard.execution.states import IN_DOUBT, LEG_OVER, LegState, leg_may, of_status
from steelyard.money import ZERO
from steelyard.orders import OrderStatus

LOOK_BACK = timedelta(days=1)
LATE = LEG_OVER | {LegState.HELD}
UNAWAITED = frozenset({"late_fill", "over_filled"})
"""Codes of executions that nobody waited for."""
UNSEEN = IN_DOUBT | {LegState.HELD}


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
    """The same of answers that are there: all of them is written before anything is raised."""
    own = {leg.client_order_id: leg for leg in desk.legs}
    booked = rows.booked(desk.journal, desk.lease.account, [fill.exec_id for fill in fills])
    new = [fill for fill in fills if fill.exec_id not in booked]
    legs = own | _earlier(desk, {fill.client_order_id for fill in new} - own.keys())
    news = [fill for fill in new if fill.client_order_id in legs]
    # what is booked already is looked at too: a broker that contradicts itself is noticed
    repeats = [fill for fill in fills if fill.client_order_id in own and fill.exec_id in booked]
    trouble = _compared(desk, repeats) or _booked(desk, legs, news)
    _moved(desk, orders, filled_of(desk))
    if news:
        desk.show(desk)
    if trouble:
        raise trouble


def _earlier(desk: Desk, names: Iterable[str]) -> dict[str, LegRow]:
    """Attempts of earlier runs of the account, by their ids: one that is over may still fill."""
    query = (
        "SELECT leg.run_id FROM leg JOIN run ON run.run_id = leg.run_id "
        "WHERE leg.coid = ? AND run.account = ?"
    )
    places = ((name, desk.journal.row(query, (name, desk.lease.account))) for name in sorted(names))
    return {
        name: leg
        for name, place in places
        if place is not None
        for leg in rows.legs(desk.journal, place[0])
        if leg.client_order_id == name
    }


def filled_of(desk: Desk) -> dict[str, Decimal]:
    """Client order id -> shares that are booked."""
    return by_order(rows.fills(desk.journal, run_id=desk.run_id))


def filled_of_step(desk: Desk, step: int) -> Decimal:
    """Shares of all attempts at a step."""
    filled = filled_of(desk)
    return sum(
        (filled.get(leg.client_order_id, ZERO) for leg in desk.legs if leg.step == step), ZERO
    )


def _booked(desk: Desk, legs: Mapping[str, LegRow], news: Sequence[BrokerFill]) -> Halted | None:
    """Write executions; what is wrong with one of them."""
    trouble: Halted | None = None
    if not news:
        return None
    runs = {name: rows.run(desk.journal, leg.run_id) for name, leg in legs.items()}
    filled = by_order(rows.fills(desk.journal, orders=sorted(legs)))
    with desk.journal.writing(desk.lease) as change:
        for fill in sorted(news, key=lambda fill: (fill.at, fill.exec_id)):
            name = fill.client_order_id
            try:
                if not book(change, runs[name], fill):
                    continue  # told twice in one answer
            except NotExecuted as error:
                trouble = _halted(error)
                continue
            filled[name] = filled.get(name, ZERO) + fill.quantity
            if wrong := _wrong(legs[name], fill, filled[name]):
                alert(change, runs[name].run_id, runs[name].bucket, *wrong)
                trouble = Halted(wrong[1], code=wrong[0], hint="steelyard reconcile")
    return trouble


def _wrong(leg: LegRow, fill: BrokerFill, filled: Decimal) -> tuple[str, str] | None:
    """(code, words) of an execution that nobody waited for."""
    if filled > leg.quantity:
        code, why = "over_filled", f"of {plain(leg.quantity)} that were ordered"
        what = f"{plain(filled)} {fill.symbol} were filled {why} with {leg.client_order_id}"
    elif leg.state in LATE:
        code, why = "late_fill", f"after the order {leg.client_order_id} was over ({leg.state})"
        what = f"{plain(fill.quantity)} {fill.symbol} were filled {why}"
    else:
        return None
    return code, f"{what}: it is booked, and the run stands still. Nothing further was sent."


def _compared(desk: Desk, repeats: Sequence[BrokerFill]) -> Halted | None:
    """What the broker says otherwise of what is booked."""
    with desk.journal.reading() as change:
        try:
            for fill in repeats:
                book(change, desk.run, fill)
        except NotExecuted as error:
            return _halted(error)
    return None


def _halted(error: NotExecuted) -> Halted:
    return Halted(str(error), code=error.fault.code, place=error.fault.place, hint=error.fault.hint)


def _moved(desk: Desk, orders: Mapping[str, BrokerOrder], filled: Mapping[str, Decimal]) -> None:
    moves = []
    for leg in desk.legs:
        order = orders.get(leg.client_order_id)
        if leg.state in LEG_OVER or leg.state in {LegState.PLANNED, LegState.READY}:
            continue
        shares = filled.get(leg.client_order_id, ZERO)
        if leg.state in UNSEEN and shares < leg.quantity:
            continue  # `resolve` compares what the broker has with what was written
        state = state_of(leg, order, shares)
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
        return leg.state if not filled else _working(leg, filled)
    if order.status is OrderStatus.FILLED or not order.over:
        return _working(leg, filled)
    if filled < order.filled_quantity:
        return _working(leg, filled)  # its last executions are not told yet
    return of_status(order.status)


def _working(leg: LegRow, filled: Decimal) -> LegState:
    if leg.state is LegState.CANCELLING:
        return LegState.CANCELLING
    return LegState.PARTIAL if filled else LegState.ACCEPTED
