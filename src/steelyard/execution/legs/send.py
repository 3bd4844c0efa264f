"""One order on its way: judged, written, sent once, and what was answered written too.

Between the two writes whether the broker has it is not known; a process that dies there leaves an
attempt in SUBMITTING, and the next one asks for it by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum

from steelyard.brokers.broker import Accepted, Rejected, Reply, Ticket
from steelyard.canonical import plain
from steelyard.errors import BrokerError
from steelyard.execution.approved import Instruction
from steelyard.execution.desk import Desk, Halted, Sight, refreshed
from steelyard.execution.evidence import Intended, facts
from steelyard.execution.ids import params_hash
from steelyard.execution.journal.changes import set_leg
from steelyard.execution.journal.rows import LegRow
from steelyard.execution.journal.units import money_e4, shares_e9
from steelyard.execution.legs import price
from steelyard.execution.rails import RAILS, Block, Judged, blocks, judge
from steelyard.execution.states import LegState
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.telemetry.events import OrderAnswered, OrderSubmitting, RailsJudged

PATIENT = frozenset({"pace"})
"""Rails that time alone opens: they are waited for."""
SCOPES = {rail.name: rail.scope for rail in RAILS}


class Placed(Enum):
    """What became of an attempt to send."""

    SENT = "sent"
    BLOCKED = "blocked"
    DOUBTFUL = "doubtful"


def place(
    desk: Desk, sight: Sight, each: Instruction, leg: LegRow, quantity: Decimal, part: Decimal
) -> tuple[Placed, str]:
    """Send an attempt at a part of the spread; (what became of it, why not).

    Raises Halted where a rail of the whole run blocks.
    """
    sight = refreshed(desk, sight, each.symbol)
    ticket = ticket_of(sight, each, leg, quantity, part)
    if ticket is None:
        return Placed.BLOCKED, "no usable quote"
    intended = Intended(ticket, each, leg.attempt)
    judged, waited = judge(facts(desk, sight, intended), "order"), 0
    while _only(judged, PATIENT) and waited <= desk.limits.min_order_gap_s:
        desk.broker.wait(1.0)
        sight, waited = refreshed(desk, sight, each.symbol), waited + 1
        judged = judge(facts(desk, sight, intended), "order")
    if stopped := blocks(judged):
        _tell_blocks(desk, leg, judged)
        _halt_for(stopped)
        return Placed.BLOCKED, "; ".join(why_of(entry) for entry in stopped)
    return _sent(desk, sight, intended, leg)


def ticket_of(
    sight: Sight, each: Instruction, leg: LegRow, quantity: Decimal, part: Decimal
) -> Ticket | None:
    """The order at a part of the spread; None without a usable quote."""
    quote = (sight.quotes or {}).get(each.symbol)
    asset = (sight.assets or {}).get(each.symbol)
    if quote is None or asset is None or not price.has_ticks(asset):
        return None
    return Ticket(
        client_order_id=leg.client_order_id,
        symbol=each.symbol,
        side=each.side,
        quantity=quantity,
        limit_price=price.limit(quote, each.side, part, asset),
        currency=each.currency,
    )


def why_of(entry: Judged) -> str:
    """A block in words: its rail's reason, or its code where it has none."""
    verdict = entry.verdict
    return (verdict.why or verdict.code) if isinstance(verdict, Block) else ""


def _only(judged: Sequence[Judged], names: frozenset[str]) -> bool:
    stopped = blocks(judged)
    return bool(stopped) and all(
        isinstance(entry.verdict, Block) and entry.verdict.code in names for entry in stopped
    )


def _halt_for(stopped: Sequence[Judged]) -> None:
    """Raise Halted where a rail of the run blocks: no other order would pass it either."""
    for entry in stopped:
        if SCOPES[entry.rail] == "run" and isinstance(entry.verdict, Block):
            raise Halted(
                f"The rail {entry.rail} stops the run: {entry.verdict.why}. Nothing further was "
                "sent.",
                code=entry.verdict.code,
                place=entry.rail,
            )


def _tell_blocks(desk: Desk, leg: LegRow, judged: Sequence[Judged]) -> None:
    run = desk.run
    with desk.journal.writing(desk.lease) as change:
        change.tell(summary("order", leg.client_order_id, judged), run.run_id, run.bucket)


def summary(scope: str, subject: str, judged: Sequence[Judged]) -> RailsJudged:
    """Verdicts as an event."""
    stopped = [
        {"rail": entry.rail, "code": entry.verdict.code, "why": entry.verdict.why}
        for entry in judged
        if isinstance(entry.verdict, Block)
    ]
    return RailsJudged(scope, subject, len(judged) - len(stopped), stopped)


def _sent(desk: Desk, sight: Sight, intended: Intended, leg: LegRow) -> tuple[Placed, str]:
    ticket = intended.ticket
    written = write_intent(desk, sight, intended, leg)
    desk.probe("before send")
    reply = desk.broker.submit(ticket)
    desk.probe("after send")
    return answered(desk, written, ticket, reply)


def write_intent(desk: Desk, sight: Sight, intended: Intended, leg: LegRow) -> LegRow:
    """The order on disk, as SUBMITTING: from now on it may have been sent."""
    ticket, run = intended.ticket, desk.run
    reserved = _reserved(intended)
    quote = (sight.quotes or {})[ticket.symbol]
    now = "" if sight.clock is None else sight.clock.now.isoformat()
    mark = params_hash(ticket.symbol, ticket.side, ticket.quantity, ticket.limit_price)
    with desk.journal.writing(desk.lease) as change:
        change.execute(
            "UPDATE leg SET qty_e9 = ?, limit_px = ?, params_hash = ?, reserved_cash_e4 = ?, "
            "bid = ?, ask = ?, sent_utc = ? WHERE coid = ?",
            (
                shares_e9(ticket.quantity), plain(ticket.limit_price), mark, money_e4(reserved),
                plain(quote.bid), plain(quote.ask), now, leg.client_order_id,
            ),
        )  # fmt: skip
        ready = set_leg(change, run, leg, LegState.READY)
        going = set_leg(change, run, ready, LegState.SUBMITTING)
        change.tell(
            OrderSubmitting(
                ticket.client_order_id, ticket.symbol, ticket.side.value, plain(ticket.quantity),
                plain(ticket.limit_price), plain(reserved),
            ),
            run.run_id,
            run.bucket,
        )  # fmt: skip
    return going


def _reserved(intended: Intended) -> Decimal:
    each, ticket = intended.instruction, intended.ticket
    if each.side is Side.SELL:
        return ZERO
    amount = ticket.quantity * ticket.limit_price * each.multiplier * each.fx_rate
    return amount * (1 + each.percent_cost) + each.fixed_cost


def answered(desk: Desk, leg: LegRow, ticket: Ticket, reply: Reply) -> tuple[Placed, str]:
    """Write what the broker answered; an order that is not the one that was sent is no answer."""
    run = desk.run
    if isinstance(reply, Accepted) and not same(ticket, reply):
        wrong = f"it answered with another order: {reply.order.symbol} {reply.order.quantity:f}"
        return _doubtful(desk, leg, wrong)
    if isinstance(reply, Accepted):
        with desk.journal.writing(desk.lease) as change:
            answer = OrderAnswered(
                leg.client_order_id, "accepted", reply.order.broker_id, "", reply.order.reason
            )
            change.tell(answer, run.run_id, run.bucket)
            set_leg(change, run, leg, LegState.ACCEPTED, "", reply.order.broker_id)
        desk.show(desk)
        return Placed.SENT, ""
    if isinstance(reply, Rejected) and reply.code != "DUPLICATE":
        return _rejected(desk, leg, reply)
    reason = f"{reply.code}: {reply.message}" if isinstance(reply, Rejected) else reply.reason
    return _doubtful(desk, leg, reason)


def same(ticket: Ticket, reply: Accepted) -> bool:
    """Is the order that was taken the one that was sent?"""
    order = reply.order
    limit = ticket.limit_price if order.limit_price is None else order.limit_price
    return (order.client_order_id, order.symbol, order.side, order.quantity, limit) == (
        ticket.client_order_id,
        ticket.symbol,
        ticket.side,
        ticket.quantity,
        ticket.limit_price,
    )


def _rejected(desk: Desk, leg: LegRow, reply: Rejected) -> tuple[Placed, str]:
    run, reason = desk.run, f"{reply.code}: {reply.message}"
    with desk.journal.writing(desk.lease) as change:
        answer = OrderAnswered(leg.client_order_id, "rejected", "", reply.code, reply.message)
        change.tell(answer, run.run_id, run.bucket)
        set_leg(change, run, leg, LegState.REJECTED, reason)
    desk.show(desk)
    return Placed.BLOCKED, reason


def _doubtful(desk: Desk, leg: LegRow, reason: str) -> tuple[Placed, str]:
    run = desk.run
    with desk.journal.writing(desk.lease) as change:
        change.tell(
            OrderAnswered(leg.client_order_id, "unknown", "", "", reason), run.run_id, run.bucket
        )
        set_leg(change, run, leg, LegState.UNKNOWN, reason)
    return Placed.DOUBTFUL, reason


def cancel(desk: Desk, leg: LegRow) -> None:
    """Ask for a cancel, written before it is sent; only the broker says whether it came to pass."""
    if leg.state is not LegState.CANCELLING:
        with desk.journal.writing(desk.lease) as change:
            set_leg(change, desk.run, leg, LegState.CANCELLING)
    desk.probe("before send")
    try:
        desk.broker.cancel(leg.client_order_id)
    except BrokerError:
        return  # it is asked again, and the order is looked at in any case
    finally:
        desk.probe("after send")
