"""One run from armed to over: sell, wait for the money, shrink, buy, reconcile.

Each phase reads its state from the journal and may be begun again: what was done is not repeated.
Whatever ends a run early, it ends in a stated state with everything that was done in it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from steelyard.canonical import plain
from steelyard.errors import BrokerError
from steelyard.execution.desk import Desk, Halted, look
from steelyard.execution.journal.changes import alert, end_run, set_leg, set_run
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.legs.funds import fitted, wait_for_money
from steelyard.execution.legs.watch import filled_of, filled_of_step
from steelyard.execution.legs.work import (
    UNFILLED,
    Sized,
    cancel_all,
    close,
    newest,
    note,
    remainders,
    walk_of,
    watch,
    work,
    working,
)
from steelyard.execution.states import LegState, Outcome, RunState

SWITCH = "halted"
"""Code of the rail of the kill switch."""
Reconcile = Callable[[Desk], bool]
"""Compares books and broker, stores it, freezes the account where they differ; are they equal?"""


def trade(desk: Desk, reconcile: Reconcile) -> RunRow:
    """Carry a run to its end; the run as it is then.

    A run that has to stand still is HALTED, reconciled, and ABORTED; with orders whose fate is not
    known it is NEEDS_HUMAN instead, and `resume` goes on.
    """
    try:
        _phases(desk)
    except Halted as halted:
        return stand_still(desk, halted, reconcile)
    except BrokerError as error:
        return stand_still(desk, silence(error), reconcile)
    return finish(desk, reconcile)


def finish(desk: Desk, reconcile: Reconcile) -> RunRow:
    """Nothing is out any more: compare with the broker, and end the run."""
    go(desk, RunState.RECONCILING)
    if not reconcile(desk):
        return needs_human(desk, "books and broker differ: see steelyard reconcile")
    return _ended(desk, RunState.DONE, *outcome_of(desk))


def _ended(desk: Desk, state: RunState, outcome: Outcome, reason: str) -> RunRow:
    """The run is over; after one failure too many none is begun any more."""
    with desk.journal.writing(desk.lease) as change:
        run = end_run(change, desk.run, state, outcome, reason)
    if outcome is Outcome.FAILED:
        desk.failed()
    return run


def _phases(desk: Desk) -> None:
    state = desk.run.state
    if state is RunState.ARMED:
        go(desk, RunState.SELLING)
    if desk.run.state is RunState.SELLING:
        sell(desk)
        go(desk, RunState.SELLS_DONE)
    if desk.run.state is RunState.SELLS_DONE:
        go(desk, RunState.WAIT_FUNDS)
    if desk.run.state in {RunState.WAIT_FUNDS, RunState.RESIZE_BUYS, RunState.BUYING}:
        buy(desk)


def go(desk: Desk, state: RunState, reason: str = "") -> None:
    """The run goes on to a state, unless it is there."""
    if desk.run.state is not state:
        with desk.journal.writing(desk.lease) as change:
            set_run(change, desk.run, state, reason)
        desk.show(desk)


def sell(desk: Desk) -> None:
    """Work the approved sales."""
    work(desk, [(each, each.quantity) for each in desk.approved.sells])


def buy(desk: Desk) -> None:
    """Wait for the money, shrink the approved buys to it, and work them.

    What they are shrunk to here is the most; each step of working them fits what is left of that to
    the money and the price of the moment.
    """
    unsettled = wait_for_money(desk) if desk.approved.sells else Decimal(0)
    fit = partial(fitted, unsettled=unsettled)
    rest = remainders(desk, [(each, each.quantity) for each in desk.approved.buys])
    sight = look(desk, [each.symbol for each, _ in rest])
    sized = fit(desk, sight, rest, walk_of(desk)[0])
    if desk.run.state is RunState.WAIT_FUNDS:
        go(desk, RunState.RESIZE_BUYS)
    _shrink(desk, sized)
    if desk.run.state is RunState.RESIZE_BUYS:
        go(desk, RunState.BUYING)
    work(
        desk,
        [
            (entry.instruction, entry.quantity + filled_of_step(desk, entry.instruction.step))
            for entry in sized
            if entry.quantity
        ],
        fit,
    )


def _shrink(desk: Desk, sized: list[Sized]) -> None:
    """Write down what is bought less of, and why."""
    legs = {leg.step: leg for leg in newest(desk) if leg.state is LegState.PLANNED}
    for entry in sized:
        leg = legs.get(entry.instruction.step)
        if leg is None or not entry.why:
            continue
        if entry.quantity:
            note(desk, leg, entry.why)
            continue
        with desk.journal.writing(desk.lease) as change:
            why = f"{entry.why}; nothing of it is bought"
            set_leg(change, desk.run, leg, LegState.SKIPPED, why)
    desk.show(desk)


def outcome_of(desk: Desk) -> tuple[Outcome, str]:
    """(what became of a run that came to its end, why it is not all done)."""
    short = [
        (each, filled_of_step(desk, each.step))
        for each in desk.approved.instructions
        if filled_of_step(desk, each.step) < each.quantity
    ]
    if not short:
        return Outcome.DONE, ""
    reasons = {leg.step: leg.reason for leg in desk.legs if leg.reason}
    states = {leg.step: leg.state for leg in newest(desk)}
    first, done = short[0]
    because = reasons.get(first.step, UNFILLED)
    why = f"{first.symbol}: {plain(done)} of {plain(first.quantity)}, {because}"
    more = "" if len(short) == 1 else f"; and {len(short) - 1} more"
    skips = {LegState.SKIPPED, LegState.BLOCKED, LegState.FILLED}
    if all(states[each.step] in skips for each, _ in short):
        outcome = Outcome.DONE_WITH_SKIPS
    elif len(short) == len(desk.approved.instructions) and not any(done for _, done in short):
        outcome = Outcome.FAILED
    else:
        outcome = Outcome.PARTIAL
    return outcome, why + more


def silence(error: BrokerError) -> Halted:
    """A question without an answer, as what the run stands still for."""
    return Halted(
        f"The broker does not answer: {error}. Nothing further was sent. Continue with: steelyard "
        "resume",
        code="broker_silent",
        hint="steelyard resume",
    )


def stand_still(desk: Desk, halted: Halted, reconcile: Reconcile) -> RunRow:
    """A run that may not go on: halted, its orders cancelled, reconciled, and over where it can."""
    code, why = halted.fault.code, str(halted)
    with desk.journal.writing(desk.lease) as change:
        alert(change, desk.run_id, desk.run.bucket, code, why)
        set_run(change, desk.run, RunState.HALTED, why)
    desk.show(desk)
    if not _still(desk, cancels=code != SWITCH):
        return desk.run if code == SWITCH else needs_human(desk, why)
    go(desk, RunState.RECONCILING)
    if not reconcile(desk):
        return needs_human(desk, f"{why} And books and broker differ: see steelyard reconcile")
    return _ended(desk, RunState.ABORTED, _aborted(desk, code), why)


def _aborted(desk: Desk, code: str) -> Outcome:
    """What became of a run that was stopped; what a person stopped did not fail."""
    if not any(leg.sent_at is not None for leg in desk.legs):
        return Outcome.NOT_STARTED
    if not filled_of(desk) and code != SWITCH:
        return Outcome.FAILED
    outcome, _ = outcome_of(desk)
    return outcome if outcome is Outcome.DONE else Outcome.PARTIAL


def _still(desk: Desk, *, cancels: bool) -> bool:
    """End what works at the broker and what was never sent; is all of it over?

    The kill switch stops what would be sent, and cancels nothing: that is `cancel-all`.
    """
    try:
        if cancels:
            cancel_all(desk, calm=True)
        else:
            watch(desk, desk.working.step_wait_s)
    except (Halted, BrokerError):
        return False
    everything = [(each, each.quantity) for each in desk.approved.instructions]
    close(desk, everything, "the run was halted")
    doubtful = [leg for leg in desk.legs if not leg.over]
    return not doubtful and not working(desk)


def needs_human(desk: Desk, why: str) -> RunRow:
    """A run that only a person can end."""
    with desk.journal.writing(desk.lease) as change:
        if desk.run.state is RunState.NEEDS_HUMAN:
            return desk.run
        alert(change, desk.run_id, desk.run.bucket, "needs_human", why)
        return set_run(change, desk.run, RunState.NEEDS_HUMAN, why)
