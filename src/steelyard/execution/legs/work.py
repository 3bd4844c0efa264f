"""Working the orders of one side: in steps from the midpoint to the far side of the spread.

At each step every remainder is sent, watched together, and cancelled where it did not fill. The
next step begins only when every cancel is confirmed and every share is booked, with the remainders
that are left then: so nothing is ever sent twice. A broker whose cancelled orders may still fill
gets one step alone, at the far side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from steelyard.canonical import plain
from steelyard.errors import BrokerError
from steelyard.execution.approved import Instruction
from steelyard.execution.desk import Desk, Halted, Sight, look
from steelyard.execution.journal.changes import NewLeg, add_leg, set_leg
from steelyard.execution.journal.rows import LegRow
from steelyard.execution.legs import price
from steelyard.execution.legs.resolve import resolve_all
from steelyard.execution.legs.send import Placed, cancel, place
from steelyard.execution.legs.watch import filled_of_step, sync
from steelyard.execution.states import AT_BROKER, LEG_OVER, LegState

FAR_SIDE = Decimal(1)
UNFILLED = "not filled at the far side"
CANCEL_AGAIN = 5
"""Looks after which a cancel that is not confirmed is asked for again."""


@dataclass(frozen=True, slots=True)
class Sized:
    """An order with the shares that may be sent now, and why they are fewer; "" = they are not."""

    instruction: Instruction
    quantity: Decimal
    why: str


Rest = Sequence[tuple[Instruction, Decimal]]
"""Orders with the shares of each that are still to be traded."""
Fit = Callable[[Desk, Sight, Rest, Decimal], list[Sized]]
"""What of a rest may be sent at a part of the spread."""


def whole(_desk: Desk, _sight: Sight, rest: Rest, _part: Decimal) -> list[Sized]:
    """All of it."""
    return [Sized(each, quantity, "") for each, quantity in rest]


def work(desk: Desk, orders: Rest, fit: Fit = whole) -> None:
    """Work so many shares of each order; raises Halted where the run has to stand still.

    fit   asked anew at each step
    """
    walk = walk_of(desk)
    for number, part in enumerate(walk):
        rest = remainders(desk, orders)
        if not rest:
            return
        following = walk[number + 1] if number + 1 < len(walk) else None
        _step(desk, rest, (part, following), fit)
    close(desk, orders, UNFILLED)


def walk_of(desk: Desk) -> list[Decimal]:
    """Parts of the spread, a step each, the far side as often as it is asked."""
    if not desk.broker.capabilities.terminal_is_final:
        return [FAR_SIDE]
    return [*desk.working.walk, *[FAR_SIDE] * (desk.working.far_side_tries - 1)]


def remainders(desk: Desk, orders: Rest) -> list[tuple[Instruction, Decimal]]:
    """What of each order is still to be traded, without those that are parked."""
    parked = {leg.step for leg in newest(desk) if leg.state in PARKED} | _may_still_fill(desk)
    rest = [
        (each, quantity - filled_of_step(desk, each.step))
        for each, quantity in orders
        if each.step not in parked
    ]
    return [(each, quantity) for each, quantity in rest if quantity > 0]


def _may_still_fill(desk: Desk) -> set[int]:
    """Steps that were sent to a broker whose orders may fill after their end: never sent again."""
    if desk.broker.capabilities.terminal_is_final:
        return set()
    return {leg.step for leg in desk.legs if leg.sent_at is not None}


PARKED = frozenset({LegState.BLOCKED, LegState.SKIPPED, LegState.REJECTED, LegState.HELD})
"""An order whose newest attempt ended so is not tried again in this run."""


def newest(desk: Desk) -> list[LegRow]:
    """The last attempt at each step."""
    return [*{leg.step: leg for leg in desk.legs}.values()]


def _step(desk: Desk, rest: Rest, parts: tuple[Decimal, Decimal | None], fit: Fit) -> None:
    """One step at the first part; the second is that of the next step, None after the last."""
    part, following = parts
    sight = look(desk, [each.symbol for each, _ in rest])
    for sized in (in_lots(sight, each) for each in fit(desk, sight, rest, part)):
        if not sized.quantity:
            _park(desk, sized.instruction, sized.why, following, LegState.SKIPPED)
            continue
        leg = _attempt(desk, sized)
        placed, why = place(desk, sight, sized.instruction, leg, sized.quantity, part)
        if placed is Placed.BLOCKED:
            _park(desk, sized.instruction, why, following)
        elif placed is Placed.DOUBTFUL:
            resolve_all(desk)
    watch(desk, desk.working.step_wait_s)
    if following is not None and _same_prices(desk, rest, following):
        watch(desk, desk.working.step_wait_s)
    cancel_all(desk)


def in_lots(sight: Sight, sized: Sized) -> Sized:
    """Whole lots of the broker, which may be larger than those of the plan; an exit is whole."""
    asset = (sight.assets or {}).get(sized.instruction.symbol)
    if asset is None or sized.instruction.full_exit or not asset.lot_size > 0:
        return sized
    quantity = sized.quantity // asset.lot_size * asset.lot_size
    if quantity == sized.quantity:
        return sized
    why = f"the broker takes whole lots of {plain(asset.lot_size)}"
    return Sized(sized.instruction, quantity, sized.why or why)


def _attempt(desk: Desk, sized: Sized) -> LegRow:
    """The attempt that is to be sent: the planned one, or one more after the last is over."""
    each = sized.instruction
    last = next((leg for leg in newest(desk) if leg.step == each.step), None)
    if last is not None and last.state is LegState.PLANNED:
        note(desk, last, sized.why)
        return last
    if last is not None and last.state not in LEG_OVER:
        raise Halted(
            f"The order {last.client_order_id} of {last.symbol} is {last.state}: no other one is "
            "sent before it is over. Continue with: steelyard resume",
            code="attempt_open",
            place=last.client_order_id,
            hint="steelyard resume",
        )
    attempt = 1 if last is None else last.attempt + 1
    with desk.journal.writing(desk.lease) as change:
        add_leg(
            change,
            desk.run_id,
            NewLeg(
                step=each.step,
                attempt=attempt,
                symbol=each.symbol,
                side=each.side,
                quantity=sized.quantity,
                limit_price=each.price,
            ),
        )
    leg = next(leg for leg in desk.legs if (leg.step, leg.attempt) == (each.step, attempt))
    note(desk, leg, sized.why)
    return leg


def note(desk: Desk, leg: LegRow, why: str) -> None:
    """Write down why an attempt is for fewer shares; "" = nothing is."""
    if why and why != leg.reason:
        with desk.journal.writing(desk.lease) as change:
            reason = (why, leg.client_order_id)
            change.execute("UPDATE leg SET reason = ? WHERE coid = ?", reason)


def _park(
    desk: Desk,
    each: Instruction,
    why: str,
    following: Decimal | None,
    state: LegState = LegState.BLOCKED,
) -> None:
    """An order that may not go: it may at a later step, but not after the last one."""
    if following is not None:
        return
    last = next((leg for leg in newest(desk) if leg.step == each.step), None)
    if last is not None and last.state is LegState.PLANNED:
        with desk.journal.writing(desk.lease) as change:
            set_leg(change, desk.run, last, state, why)
        desk.show(desk)


def watch(desk: Desk, seconds: float) -> None:
    """Look at the broker until nothing of the run works there, or the time is up."""
    waited, silent = 0.0, None
    while True:
        try:
            sync(desk)
            silent = None
        except BrokerError as error:
            silent = error
        if not working(desk) or waited >= seconds:
            break
        desk.broker.wait(desk.working.poll_s)
        waited += desk.working.poll_s
    if silent is not None and working(desk):
        raise Halted(
            f"The broker does not answer: {silent}. Orders may be working there. Continue with: "
            "steelyard resume",
            code="broker_silent",
            hint="steelyard resume",
        ) from silent


def working(desk: Desk) -> list[LegRow]:
    """Attempts that the broker has and that are not over."""
    return [leg for leg in desk.legs if leg.state in AT_BROKER]


def _same_prices(desk: Desk, rest: Rest, following: Decimal) -> bool:
    """Would the next step ask the same of all that works? Then a new order is of no use."""
    limits = {leg.step: leg.limit_price for leg in working(desk)}
    if not limits:
        return False
    sight = look(desk, [each.symbol for each, _ in rest if each.step in limits])
    for each, _ in rest:
        quote, asset = (sight.quotes or {}).get(each.symbol), (sight.assets or {}).get(each.symbol)
        if each.step not in limits or quote is None or asset is None:
            continue
        if price.limit(quote, each.side, following, asset) != limits[each.step]:
            return False
    return True


def cancel_all(desk: Desk, *, calm: bool = False) -> None:
    """Cancel what works, and wait until the broker says of each that it is over.

    calm   what is wrong with an execution was told, or is: it stops no cancel
    Raises Halted where it does not say so in time.
    """
    open_legs = working(desk)
    for leg in open_legs:
        cancel(desk, leg)
    waited, looks = 0.0, 0
    most = desk.working.cancel_wait_s + desk.broker.capabilities.visibility_delay_s
    while working(desk):
        if waited > most:
            raise _not_confirmed(working(desk)[0], waited)
        try:
            sync(desk)
        except BrokerError:
            looks += 1
        except Halted:
            if not calm:
                raise
        if not working(desk):
            return
        looks += 1
        if looks % CANCEL_AGAIN == 0:
            for leg in working(desk):
                cancel(desk, leg)
        desk.broker.wait(desk.working.poll_s)
        waited += desk.working.poll_s


def _not_confirmed(leg: LegRow, waited: float) -> Halted:
    return Halted(
        f"The broker did not confirm within {waited:g} seconds that the order "
        f"{leg.client_order_id} of {leg.symbol} is over: no other one is sent. Continue with: "
        "steelyard resume",
        code="cancel_unconfirmed",
        place=leg.client_order_id,
        hint="steelyard resume",
    )


def close(desk: Desk, orders: Rest, why: str) -> None:
    """Say of every attempt that was planned and never sent why it was not."""
    steps = {each.step for each, _ in orders}
    rest = [leg for leg in newest(desk) if leg.step in steps and leg.state is LegState.PLANNED]
    if rest:
        with desk.journal.writing(desk.lease) as change:
            for leg in rest:
                set_leg(change, desk.run, leg, LegState.SKIPPED, why)
        desk.show(desk)
