"""A run whose orders a person places: all of them are written down, and their fills come back.

Sales and buys go out together, the buys marked as waiting: whoever places them is asked to let the
sales come first. The run stays open until every order is over, or nobody expects more fills.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from steelyard.brokers.broker import Ticket
from steelyard.brokers.by_file import Line
from steelyard.errors import BrokerError
from steelyard.execution.approved import Instruction
from steelyard.execution.desk import Desk, Halted, Sight, look
from steelyard.execution.evidence import Intended, facts, floor_of
from steelyard.execution.journal.changes import set_leg
from steelyard.execution.journal.rows import LegRow, RunRow
from steelyard.execution.legs.price import rounded
from steelyard.execution.legs.resolve import resolve_all
from steelyard.execution.legs.send import answered, summary, why_of, write_intent
from steelyard.execution.legs.watch import sync
from steelyard.execution.legs.work import cancel_all, newest, note, working
from steelyard.execution.rails import blocks, judge
from steelyard.execution.states import RUN_OVER, LegState, RunState
from steelyard.execution.trade import Reconcile, finish, go, silence, stand_still
from steelyard.ledger import Purchase
from steelyard.money import ZERO
from steelyard.orders import Side

PATIENT = frozenset({"pace"})
"""Of rails that ask about sending: nothing is sent here."""


def hand_over(desk: Desk, reconcile: Reconcile) -> RunRow:
    """Write every approved order down; the run waits for fills then."""
    go(desk, RunState.SELLING)
    try:
        sight = look(desk, [each.symbol for each in desk.approved.instructions])
        for each in (*desk.approved.sells, *desk.approved.buys):
            _hand(desk, sight, each)
    except Halted as halted:
        return stand_still(desk, halted, reconcile)
    except BrokerError as error:
        return stand_still(desk, silence(error), reconcile)
    return desk.run if working(desk) else finish(desk, reconcile)


def go_on(desk: Desk, reconcile: Reconcile, *, close: bool = False) -> RunRow:
    """After fills were handed in, or a crash; `close`: no more will come.

    A run that is over stays so: what is handed in then is a late fill, booked and compared.
    """
    if desk.run.state in RUN_OVER:
        with suppress(Halted):  # nothing is left to stop: the late fill is booked, and an alert
            sync(desk)
        reconcile(desk)
        return desk.run
    try:
        sync(desk)
        resolve_all(desk)
        if close:
            cancel_all(desk)
    except Halted as halted:
        return stand_still(desk, halted, reconcile)
    except BrokerError as error:
        return stand_still(desk, silence(error), reconcile)
    if any(leg.state is LegState.PLANNED for leg in desk.legs) and not close:
        return hand_over(desk, reconcile)
    return desk.run if working(desk) else finish(desk, reconcile)


def lines_of(desk: Desk) -> list[Line]:
    """What the person is to place, sales first."""
    open_legs = {leg.step: leg for leg in working(desk)}
    sells = tuple(each.symbol for each in desk.approved.sells if each.step in open_legs)
    return [
        Line(
            client_order_id=open_legs[each.step].client_order_id,
            symbol=each.symbol,
            side=each.side,
            quantity=open_legs[each.step].quantity,
            limit_price=open_legs[each.step].limit_price,
            currency=each.currency,
            waits_for=sells if each.side is Side.BUY else (),
        )
        for each in (*desk.approved.sells, *desk.approved.buys)
        if each.step in open_legs
    ]


def _hand(desk: Desk, sight: Sight, each: Instruction) -> None:
    leg = next(row for row in newest(desk) if row.step == each.step)
    if leg.state is not LegState.PLANNED:
        return
    ticket = ticket_by_hand(desk, sight, each, leg)
    if ticket is None:
        _blocked(desk, leg, "no price")
        return
    evidence = facts(desk, sight, Intended(ticket, each, leg.attempt))
    money = (evidence.free_cash_base or ZERO) + _to_come(desk)
    ticket = replace(ticket, quantity=_paid_for(desk, each, ticket, money))
    if ticket.quantity != each.quantity:
        leg = _shrunk(desk, leg, money, ticket.quantity)
    if leg.state is LegState.SKIPPED:
        return
    intended = Intended(ticket, each, leg.attempt)
    evidence = facts(desk, sight, intended)
    judged = [
        entry
        for entry in judge(replace(evidence, free_cash_base=money), "order")
        if entry.rail not in PATIENT
    ]
    if stopped := blocks(judged):
        run = desk.run
        with desk.journal.writing(desk.lease) as change:
            change.tell(summary("order", leg.client_order_id, judged), run.run_id, run.bucket)
        _blocked(desk, leg, "; ".join(why_of(entry) for entry in stopped))
        return
    written = write_intent(desk, sight, intended, leg)
    answered(desk, written, ticket, desk.broker.submit(ticket))


def ticket_by_hand(desk: Desk, sight: Sight, each: Instruction, leg: LegRow) -> Ticket | None:
    """At the plan's price and a little more, so that a limit order of a later hour still fills."""
    asset = (sight.assets or {}).get(each.symbol)
    if asset is None:
        return None
    more = 1 + desk.working.price_buffer_weight * (1 if each.side is Side.BUY else -1)
    return Ticket(
        client_order_id=leg.client_order_id,
        symbol=each.symbol,
        side=each.side,
        quantity=each.quantity,
        limit_price=rounded(each.price * more, each.side, asset),
        currency=each.currency,
    )


def _paid_for(desk: Desk, each: Instruction, ticket: Ticket, money: Decimal) -> Decimal:
    """Shares that the money pays for at the limit, which is a little over the plan's price."""
    if each.side is Side.SELL:
        return each.quantity
    unit = ticket.limit_price * each.multiplier * each.fx_rate
    purchase = Purchase(
        quantity=each.quantity,
        lot=each.lot_size,
        unit_cost=unit * (1 + each.percent_cost),
        fixed=each.fixed_cost,
        least=desk.working.min_order_base,
        currency=each.currency,
    )
    free = money - floor_of(desk.approved)
    whole = purchase.cost(each.quantity) <= free
    return each.quantity if whole else purchase.within(max(free, ZERO))


def _shrunk(desk: Desk, leg: LegRow, money: Decimal, quantity: Decimal) -> LegRow:
    """Write down that a buy is smaller than approved, or skipped, and why."""
    free = max(money - floor_of(desk.approved), ZERO)
    why = f"money: {free:.2f} {desk.approved.base_currency} may be spent at the limit"
    if quantity:
        note(desk, leg, why)
        return replace(leg, reason=why)
    with desk.journal.writing(desk.lease) as change:
        why = f"{why}; nothing of it is bought"
        return set_leg(change, desk.run, leg, LegState.SKIPPED, why)


def _to_come(desk: Desk) -> Decimal:
    """Base money that the sales which are written down will bring, as planned."""
    steps = {leg.step for leg in working(desk)}
    return sum((each.value_base for each in desk.approved.sells if each.step in steps), ZERO)


def _blocked(desk: Desk, leg: LegRow, why: str) -> None:
    with desk.journal.writing(desk.lease) as change:
        set_leg(change, desk.run, leg, LegState.BLOCKED, why)
