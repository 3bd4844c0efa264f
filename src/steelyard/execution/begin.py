"""From an approved plan to a run that may send: judged as a whole, or nothing of it is sent."""

from __future__ import annotations

import hashlib
import shlex
from datetime import datetime

from steelyard.errors import BrokerError, NotExecuted
from steelyard.execution import arming
from steelyard.execution.answers import account_of, usable
from steelyard.execution.approved import Approved
from steelyard.execution.attribution.owners import owners_of
from steelyard.execution.attribution.rules import owner_in
from steelyard.execution.attribution.stored import write_owners
from steelyard.execution.comparing import opening
from steelyard.execution.configuration import loosened
from steelyard.execution.desk import Desk, look, value_of
from steelyard.execution.evidence import facts
from steelyard.execution.ids import run_id as id_of
from steelyard.execution.journal import rows
from steelyard.execution.journal.changes import NewLeg, NewRun, begin, end_run, set_run
from steelyard.execution.journal.journal import Lease
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.legs.send import summary, why_of
from steelyard.execution.rails import Block, Judged, blocks, judge
from steelyard.execution.request import Request, orders_of
from steelyard.execution.room import Room, build
from steelyard.execution.states import NOT_BEGUN, RUN_OVER, Outcome, RunState

MENDS = {
    "holdings_changed": "Load the account as it is, and plan again: steelyard bucket load",
    "value_moved": "Plan again.",
    "price_moved": "Plan again.",
    "frozen": "Look, then: steelyard reconcile --account {account} --acknowledge --reason TEXT",
    "halted": "When you have looked: steelyard halt --lift --reason TEXT",
}
"""Code of what stops a run before it begins -> what to do; `{account}`: the account of the run."""


class ExecutedBefore(NotExecuted):
    """The plan was executed in this account before: the run is named, and nothing was sent."""

    code = "executed_before"

    def __init__(self, run: RunRow) -> None:
        self.run = run
        became = run.outcome or run.state
        super().__init__(
            f"This plan was executed before, as the run {run.run_id}: {became}. Nothing was sent "
            "again. To trade more, plan again.",
            code=self.code,
            place=run.run_id,
            value=became,
            hint="plan again",
        )


def start(room: Room, lease: Lease, document: str, saved_at: datetime | None = None) -> Desk:
    """A run of a plan in state ARMED, with nothing sent yet.

    document   the plan, as its JSON text
    Raises ExecutedBefore; NotExecuted where the account has a live run, is frozen, or a rail blocks
    the run, which is then over as not_started.
    """
    if room.broker.capabilities.simulated:
        saved_at = None  # its market lives at the day of the plan's prices, not at ours
    plan = orders_of(document, saved_at)
    refuse_live(room, plan)
    _end_unbegun(room, lease)
    desk = _begun(room, lease, document, plan, saved_at)
    try:
        equal = opening(desk, owner_in(room.home, plan.bucket))
    except BrokerError as error:
        raise _over(desk, "broker_silent", f"the broker does not answer: {error}") from error
    if not equal:
        raise _over(desk, "frozen", "books and broker differ: see steelyard reconcile")
    _judged(desk)
    arm = arming.current(room.journal, room.account) if room.mode == "live" else None
    with room.journal.writing(lease) as change:
        if arm is not None:
            arm = arming.use(change, room.account, (desk.run_id, plan.plan_id, plan.gross_base))
        set_run(change, desk.run, RunState.ARMED)
    return room.again(lease, desk.run, arm)


def refuse_live(room: Room, plan: Approved) -> None:
    """Raise NotExecuted for an account with a live run, or a plan that was executed before."""
    for run in rows.runs(room.journal, room.account):
        by_hand = run.broker == room.broker.name == "file"
        if run.state not in RUN_OVER | NOT_BEGUN:
            if by_hand and run.plan_id == plan.plan_id:
                raise ExecutedBefore(run)
            raise _live(run, by_hand=by_hand)
        if run.plan_id == plan.plan_id and run.outcome not in {None, Outcome.NOT_STARTED}:
            raise ExecutedBefore(run)


def _live(run: RunRow, *, by_hand: bool) -> NotExecuted:
    first = f"steelyard runs fills {run.run_id} FILE --close" if by_hand else "steelyard resume"
    state = "waits for its fills" if by_hand else f"is {run.state}"
    return NotExecuted(
        f"The account {run.account} has the run {run.run_id}, which {state}. Nothing was sent. "
        f"First: {first}",
        code="live_run",
        place=run.run_id,
        value=run.state,
        hint=first,
    )


def _end_unbegun(room: Room, lease: Lease) -> None:
    """Runs whose process died before they were armed: nothing of them was sent, or ever is."""
    for run in rows.runs(room.journal, room.account):
        if run.state in NOT_BEGUN:
            with room.journal.writing(lease) as change:
                why = "it was never armed"
                end_run(change, run, RunState.ABORTED, Outcome.NOT_STARTED, why)


def _begun(
    room: Room, lease: Lease, document: str, plan: Approved, saved_at: datetime | None
) -> Desk:
    earlier = [run for run in rows.runs(room.journal, room.account) if run.plan_id == plan.plan_id]
    key = str(len(earlier))  # each was not started: it is tried again under an id of its own
    request = _request(room, document, plan, saved_at)
    text = request.text()
    new = NewRun(
        run_id=id_of(room.account, room.mode, plan.plan_id, key),
        account=room.account,
        mode=room.mode,
        plan_id=plan.plan_id,
        config_version=plan.version or 0,
        build=build(),
        key=key,
        request=text,
        request_hash=hashlib.sha256(text.encode()).hexdigest(),
        bucket=plan.bucket,
        broker=room.broker.name,
        orders=len(plan.instructions),
        engine=room.engine,
    )
    legs = [
        NewLeg(
            step=each.step,
            attempt=1,
            symbol=each.symbol,
            side=each.side,
            quantity=each.quantity,
            limit_price=each.price,
        )
        for each in plan.instructions
    ]
    owner = owner_in(room.home, plan.bucket)
    with room.journal.writing(lease) as change:
        begin(change, new, lease.fence, legs)
        for event in loosened(room.limits, room.mode):
            change.tell(event, new.run_id, plan.bucket)
        for each in plan.instructions:
            owners = owners_of(each.symbol, each.quantity, owner)
            write_owners(change, new.run_id, each.step, owners)
    arm = arming.current(room.journal, room.account) if room.mode == "live" else None
    return room.desk(lease, new.run_id, request, arm)


def _request(room: Room, document: str, plan: Approved, saved_at: datetime | None) -> Request:
    clock = room.broker.clock()
    account = account_of(room.broker)
    if account.account_id != room.account:
        raise NotExecuted(
            f"The broker answers for the account {account.account_id}, not {room.account}. Nothing "
            "was sent.",
            code="other_account",
            place=room.account,
            value=account.account_id,
        )
    symbols = sorted({*plan.positions, *(each.symbol for each in plan.instructions)})
    quotes = usable(room.broker.quotes(symbols))
    return Request(
        document=document,
        saved_at=saved_at,
        began_at=clock.now,
        equity_base=value_of(account, plan, quotes),
        engine=dict(room.engine),
        limits=room.limits.model_dump(mode="json"),
    )


def _judged(desk: Desk) -> None:
    """Raise NotExecuted where a rail blocks the run; it is over then, and nothing was sent."""
    symbols = [each.symbol for each in desk.approved.instructions]
    sight = look(desk, sorted({*symbols, *desk.approved.positions}))
    judged = judge(facts(desk, sight), "run")
    run = desk.run
    with desk.journal.writing(desk.lease) as change:
        change.tell(summary("run", run.run_id, judged), run.run_id, run.bucket)
    stopped = blocks(judged)
    if stopped:
        first = stopped[0].verdict
        code = first.code if isinstance(first, Block) else ""
        raise _over(desk, code, "; ".join(map(_in_words, stopped)))


def _in_words(entry: Judged) -> str:
    """A rail by its name in words, and why it stops."""
    return f"{entry.rail.replace('_', ' ')}: {why_of(entry)}"


def _over(desk: Desk, code: str, why: str) -> NotExecuted:
    """The run ends before it began; the error that says why."""
    with desk.journal.writing(desk.lease) as change:
        end_run(change, desk.run, RunState.ABORTED, Outcome.NOT_STARTED, why)
    mend = MENDS.get(code, "").format(account=shlex.quote(desk.run.account))
    return NotExecuted(
        f"The run {desk.run_id} was not started: {why}. Nothing was sent. {mend}".rstrip(),
        code=code,
        place=desk.run_id,
        value=why,
        hint=mend,
    )
