"""An order whose fate is not known: adopted where the broker has it, never sent again blindly.

Only where the broker refuses a second order of the same id, and still does, may the same order go
out again under the same id. Elsewhere it is held for a person.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from steelyard.brokers.broker import BrokerOrder, Ticket
from steelyard.canonical import plain
from steelyard.errors import BrokerError
from steelyard.execution.desk import Desk, Halted
from steelyard.execution.ids import params_hash
from steelyard.execution.journal.changes import alert, set_leg
from steelyard.execution.journal.rows import LegRow
from steelyard.execution.legs.send import Placed, answered
from steelyard.execution.legs.watch import filled_of, sync
from steelyard.execution.states import IN_DOUBT, LegState

LISTINGS = 2
"""Answers without it, one after another, before an order counts as absent."""
RESENDS = 5
"""Times that it is sent under the same id, each after it was looked for, before it is held."""


def resolve_all(desk: Desk) -> None:
    """Every attempt that is in doubt; raises Halted where one of them stays so."""
    for leg in desk.legs:
        current = _again(desk, leg)  # looking for another one may have settled it
        if current.state in IN_DOUBT:
            resolve(desk, current)


def resolve(desk: Desk, leg: LegRow) -> None:
    """Ask for an order until it is seen, or is proven absent."""
    order = _looked_for(desk, leg)
    if order is not None:
        _adopt(desk, leg, order)
    elif leg.client_order_id in filled_of(desk):  # its executions say that the broker has it
        with desk.journal.writing(desk.lease) as change:
            set_leg(change, desk.run, _again(desk, leg), LegState.PARTIAL)
    elif not _session_open(desk, leg.sent_at):
        _never_was(desk, leg)
    elif not may_go_again(desk, leg) or not _sent_again(desk, leg):
        _hold(desk, leg)


def _looked_for(desk: Desk, leg: LegRow) -> BrokerOrder | None:
    """The order as soon as it is seen; None after its time is up and two answers without it.

    Its time is when an order can be seen at the latest, or all there is where not all are listed.
    """
    able, most = desk.broker.capabilities, desk.working.lookup_wait_s
    wait = min(max(able.visibility_delay_s, desk.working.poll_s), most)
    wait = wait if able.lists_all_orders else most
    waited, listings = 0.0, 0
    while waited <= most + wait:
        order, listed = _seen(desk, leg)
        if order is not None:
            return order
        listings = listings + 1 if listed else 0
        if listings >= LISTINGS and waited >= wait:
            return None
        desk.broker.wait(desk.working.poll_s)
        waited += desk.working.poll_s
    raise Halted(
        f"The broker does not say whether it has the order {leg.client_order_id} of {leg.symbol}: "
        f"asked for {waited:g} seconds. Nothing further was sent. Continue with: steelyard resume",
        code="fate_unknown",
        place=leg.client_order_id,
        hint="steelyard resume",
    )


def _seen(desk: Desk, leg: LegRow) -> tuple[BrokerOrder | None, bool]:
    """(the order, was there an answer)."""
    name = leg.client_order_id
    try:
        if desk.broker.capabilities.lookup_by_client_id:
            order = desk.broker.find(name)
            if order is not None:
                return order, True
        listing = desk.broker.orders(desk.request.began_at - timedelta(days=1))
    except BrokerError:
        return None, False
    for order in listing:
        if order.client_order_id == name:
            return order, True
    return None, True


def _adopt(desk: Desk, leg: LegRow, order: BrokerOrder) -> None:
    """The broker has it: its parameters must be those that were written."""
    limit = leg.limit_price if order.limit_price is None else order.limit_price
    if params_hash(order.symbol, order.side, order.quantity, limit) != leg.params_hash:
        message = (
            f"The broker's order {leg.client_order_id} is {order.side} {order.quantity:f} "
            f"{order.symbol}, not {leg.side} {plain(leg.quantity)} {leg.symbol} as it was written."
        )
        with desk.journal.writing(desk.lease) as change:
            alert(change, desk.run_id, desk.run.bucket, "other_order", message)
            set_leg(change, desk.run, leg, LegState.HELD, message)
        raise Halted(f"{message} Nothing further was sent.", code="other_order")
    with desk.journal.writing(desk.lease) as change:
        set_leg(change, desk.run, leg, LegState.ACCEPTED, "", order.broker_id)
    sync(desk)


def may_go_again(desk: Desk, leg: LegRow) -> bool:
    """Does the broker still refuse a second order of this id?"""
    able = desk.broker.capabilities
    switch = desk.engaged()
    if switch.engaged:
        raise Halted(
            f"The kill switch is engaged ({switch.why}), and whether the broker has the order "
            f"{leg.client_order_id} of {leg.symbol} is not known. Nothing further was sent.",
            code="halted",
            place=leg.client_order_id,
            hint="steelyard halt --lift, then: steelyard resume",
        )
    if not able.dedups_client_id:
        return False
    if able.dedup_window is None or leg.sent_at is None:
        return able.dedup_window is None
    return desk.broker.clock().now - leg.sent_at < able.dedup_window


def _sent_again(desk: Desk, leg: LegRow) -> bool:
    """The same order under the same id, as often as it may; False where its fate stays unknown."""
    for _ in range(RESENDS):
        if _sent_once_more(desk, _again(desk, leg)):
            return True
        if not may_go_again(desk, leg) or not _session_open(desk, leg.sent_at):
            return False
    return False


def _sent_once_more(desk: Desk, leg: LegRow) -> bool:
    with desk.journal.writing(desk.lease) as change:
        going = leg
        if leg.state is not LegState.SUBMITTING:
            going = set_leg(change, desk.run, leg, LegState.SUBMITTING, "sent again, same id")
    each = desk.approved.instruction(leg.step)
    ticket = Ticket(
        client_order_id=leg.client_order_id,
        symbol=leg.symbol,
        side=leg.side,
        quantity=leg.quantity,
        limit_price=leg.limit_price,
        currency=each.currency,
    )
    desk.probe("before send")
    reply = desk.broker.submit(ticket)
    desk.probe("after send")
    placed, _ = answered(desk, going, ticket, reply)
    if placed is Placed.DOUBTFUL:
        order = _looked_for(desk, going)
        if order is None:
            return False
        _adopt(desk, _again(desk, going), order)
    return True


def _again(desk: Desk, leg: LegRow) -> LegRow:
    return next(row for row in desk.legs if row.client_order_id == leg.client_order_id)


def _session_open(desk: Desk, sent: datetime | None) -> bool:
    """Is it still the session in which the order was sent? A day order is of one session."""
    clock = desk.broker.clock()
    return clock.is_open and sent is not None and clock.now.date() == sent.date()


def _never_was(desk: Desk, leg: LegRow) -> None:
    """A day order of a session that is over, and the broker lists none: it can no longer fill.

    Had it filled, books and broker differ, which freezes the account.
    """
    with desk.journal.writing(desk.lease) as change:
        set_leg(change, desk.run, leg, LegState.EXPIRED, "never seen, and its session is over")


def look_up_held(desk: Desk) -> None:
    """Orders that a person was to look up: adopted where they are seen, over with their session."""
    for leg in desk.legs:
        if leg.state is not LegState.HELD:
            continue
        order = _looked_for(desk, leg)
        if order is not None:
            _adopt(desk, leg, order)
        elif not _session_open(desk, leg.sent_at):
            _never_was(desk, leg)


def _hold(desk: Desk, leg: LegRow) -> None:
    message = (
        f"Whether the broker has the order {leg.client_order_id} ({leg.side} "
        f"{plain(leg.quantity)} {leg.symbol}) is not known, and it may not be sent again there. "
        "Look it up at the broker."
    )
    current = _again(desk, leg)
    with desk.journal.writing(desk.lease) as change:
        alert(change, desk.run_id, desk.run.bucket, "order_held", message)
        set_leg(change, desk.run, current, LegState.HELD, message)
    raise Halted(
        f"{message} Nothing further was sent. Then: steelyard resume",
        code="order_held",
        place=leg.client_order_id,
        hint="look it up at the broker, then: steelyard resume",
    )
