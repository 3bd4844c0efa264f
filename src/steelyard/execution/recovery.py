"""After a crash: what was in doubt is settled with the broker first, then the run goes on.

The journal is verified, executions are booked, orders in doubt are adopted, sent again under the
same id, or held; orders of ours that the journal does not know stop everything; books and broker
are compared. Only then does the run continue where it was.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import chain, repeat

from steelyard.canonical import plain
from steelyard.errors import BrokerError
from steelyard.execution.by_hand import go_on
from steelyard.execution.comparing import agree
from steelyard.execution.desk import Desk, Halted
from steelyard.execution.ids import PREFIX
from steelyard.execution.journal import rows
from steelyard.execution.journal.changes import alert, end_run, set_leg, set_run
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import LegRow, RunRow
from steelyard.execution.legs.funds import BACK_OFF
from steelyard.execution.legs.resolve import look_up_held, resolve_all
from steelyard.execution.legs.watch import UNAWAITED, sync
from steelyard.execution.legs.work import cancel_all
from steelyard.execution.states import (
    AT_BROKER,
    IN_DOUBT,
    NOT_BEGUN,
    WORKING,
    LegState,
    Outcome,
    RunState,
    leg_may,
)
from steelyard.execution.trade import go, needs_human, silence, stand_still, trade

STRIKES = 3
"""Crashes at the same place of the same order after which a person has to look."""
STRUCK = "strikes"
STANDS = frozenset({RunState.HALTED, RunState.NEEDS_HUMAN})
IN_FLIGHT = AT_BROKER | IN_DOUBT


def recover(desk: Desk, *, crashed: bool) -> RunRow:
    """Bring a run to its end, whatever it was doing; the run as it is then.

    crashed   did the process that had it die without a word
    """
    run = desk.run
    if run.state in NOT_BEGUN:
        with desk.journal.writing(desk.lease) as change:
            why = "it was never armed"
            return end_run(change, run, RunState.ABORTED, Outcome.NOT_STARTED, why)
    if desk.broker.capabilities.serves == "file":
        return go_on(desk, agree)
    before = working_state(desk.journal, run)
    stopped = _settle(desk, crashed=crashed)
    if stopped is not None:
        return stopped
    if before is None:
        return stand_still(desk, Halted(_was(run), code="halted_before"), agree)
    if not agree(desk):
        return needs_human(desk, "books and broker differ: see steelyard reconcile")
    go(desk, before)
    return trade(desk, agree)


def _settle(desk: Desk, *, crashed: bool) -> RunRow | None:
    """Settle with the broker what was in doubt; the run where it cannot go on."""
    try:
        _struck(desk, crashed=crashed)
        go(desk, RunState.RECOVERING)
        _patiently(desk)
    except Halted as halted:
        if halted.fault.code == STRUCK:
            return desk.run  # what killed the process is not touched again
        return stand_still(desk, halted, agree)
    except BrokerError as error:
        return needs_human(desk, str(silence(error)))
    return None


def working_state(journal: Journal, run: RunRow) -> RunState | None:
    """Where on its way a run was when it was interrupted; None for one that was halted."""
    if run.state in STANDS or any(
        data["code"] in UNAWAITED for data in rows.said_of(journal, run.run_id, "AlertRaised")
    ):
        return None
    for data in reversed(rows.said_of(journal, run.run_id, "RunStateChanged")):
        old, new = RunState(data["old"]), RunState(data["new"])
        if old in STANDS and new is not RunState.RECOVERING:
            return None  # it stood still, and was being compared
        if new in STANDS:
            return None
        if new in WORKING:
            return new
    return None


def _was(run: RunRow) -> str:
    return f"It was {run.state} before: {run.reason or 'somebody had to look'}"


def _struck(desk: Desk, *, crashed: bool) -> None:
    """Count a crash against every order that was in flight; the third one holds it.

    A person who resumes a run that needed one begins the count anew.
    """
    run = desk.run
    if run.state is RunState.NEEDS_HUMAN:
        with desk.journal.writing(desk.lease) as change:
            change.execute("DELETE FROM strike WHERE run_id = ?", (run.run_id,))
        return
    flying = [leg for leg in desk.legs if leg.state in IN_FLIGHT]
    if not crashed or not flying:
        return
    with desk.journal.writing(desk.lease) as change:
        for leg in flying:
            change.execute(
                "INSERT INTO strike VALUES (?,?,?,?,1) ON CONFLICT DO UPDATE SET count = count + 1",
                (run.run_id, leg.step, leg.attempt, leg.state.value),
            )
    struck = desk.journal.rows(
        "SELECT step, attempt, state FROM strike WHERE run_id = ? AND count >= ?",
        (run.run_id, STRIKES),
    )
    for leg in flying:
        if (leg.step, leg.attempt, leg.state.value) in struck:
            _held_back(desk, leg)


def _held_back(desk: Desk, leg: LegRow) -> None:
    message = (
        f"The process died {STRIKES} times at the order {leg.client_order_id} ({leg.side} "
        f"{plain(leg.quantity)} {leg.symbol}): a person has to look at it."
    )
    with desk.journal.writing(desk.lease) as change:
        alert(change, desk.run_id, desk.run.bucket, "three_strikes", message)
        if leg_may(leg.state, LegState.HELD):
            set_leg(change, desk.run, leg, LegState.HELD, message)
        set_run(change, desk.run, RunState.NEEDS_HUMAN, message)
    raise Halted(f"{message} Nothing further was sent. Then: steelyard resume", code=STRUCK)


def _patiently(desk: Desk) -> None:
    """Settle, again after a pause where the broker does not answer, until the time is up."""
    waited = 0.0
    for pause in chain(BACK_OFF, repeat(BACK_OFF[-1])):
        try:
            _settled(desk)
        except BrokerError:
            if waited >= desk.working.lookup_wait_s:
                raise
        else:
            return
        desk.broker.wait(pause)
        waited += pause


def _settled(desk: Desk) -> None:
    """Settle what was in doubt, and end what works: the walk begins anew with the remainders."""
    _unknown_to_us(desk)
    sync(desk)
    resolve_all(desk)
    look_up_held(desk)
    cancel_all(desk)


def _unknown_to_us(desk: Desk) -> None:
    """Raise Halted for orders of ours that the journal does not know."""
    since = desk.request.began_at - timedelta(days=1)
    names = {name for (name,) in desk.journal.rows("SELECT coid FROM leg")}
    for order in desk.broker.orders(since):
        ours = order.client_order_id.startswith(PREFIX)
        if ours and order.client_order_id not in names:
            raise Halted(
                f"The broker has the order {order.client_order_id} of {order.symbol}, which is "
                "ours and not in this journal: it was lost, or another one trades the account. "
                "Nothing further was sent.",
                code="lost_journal",
                place=order.client_order_id,
                hint="find the other journal",
            )
