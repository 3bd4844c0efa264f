"""What execution writes: runs, legs and fills, each with the event that tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from steelyard.brokers.broker import BrokerFill, Mode
from steelyard.canonical import plain
from steelyard.errors import NotExecuted
from steelyard.execution.ids import client_order_id
from steelyard.execution.journal.journal import Change
from steelyard.execution.journal.postings import of_fill, post
from steelyard.execution.journal.rows import LegRow, RunRow
from steelyard.execution.journal.units import money_e4, shares_e9
from steelyard.execution.states import (
    RUN_OVER,
    LegState,
    Outcome,
    RunState,
    check,
    leg_may,
    run_may,
)
from steelyard.orders import Side
from steelyard.telemetry.events import (
    AlertRaised,
    FillBooked,
    LegStateChanged,
    RunEnded,
    RunStarted,
    RunStateChanged,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that is to begin.

    request   all that resuming it needs, as JSON text; its hash is `request_hash`
    engine    settings that are frozen for it
    """

    run_id: str
    account: str
    mode: Mode
    plan_id: str
    config_version: int
    build: str
    key: str
    request: str
    request_hash: str
    bucket: str
    broker: str
    orders: int
    engine: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLeg:
    """An attempt before anything of it is sent."""

    step: int
    attempt: int
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal


def begin(change: Change, new: NewRun, fence: int, legs: list[NewLeg]) -> None:
    """A run in state PLANNED with its legs; nothing was sent.

    Raises NotExecuted where the account has a live run.
    """
    change.execute(
        "INSERT INTO run(run_id, account, mode, plan_hash, config_version, build, idem_key, "
        "req_hash, state, fence, created_utc, bucket, broker) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            new.run_id, new.account, new.mode, new.plan_id, new.config_version, new.build,
            f"{new.account}:{new.plan_id}:{new.key}", new.request_hash, RunState.PLANNED.value,
            fence, change.stamp, new.bucket, new.broker,
        ),
    )  # fmt: skip
    change.execute("INSERT INTO request VALUES (?,?)", (new.run_id, new.request))
    started = RunStarted(
        run_id=new.run_id,
        plan_id=new.plan_id,
        account=new.account,
        mode=new.mode,
        broker=new.broker,
        orders=new.orders,
        engine=new.engine,
    )
    change.tell(started, new.run_id, new.bucket)
    for leg in legs:
        add_leg(change, new.run_id, leg)


def add_leg(change: Change, run_id: str, leg: NewLeg) -> str:
    """An attempt in state PLANNED; its client order id."""
    name = client_order_id(run_id, leg.step, leg.attempt)
    change.execute(
        "INSERT INTO leg(run_id, step, attempt, coid, params_hash, symbol, side, qty_e9, limit_px, "
        "state, reserved_cash_e4) VALUES (?,?,?,?,?,?,?,?,?,?,0)",
        (
            run_id, leg.step, leg.attempt, name, "", leg.symbol, leg.side.value,
            shares_e9(leg.quantity), plain(leg.limit_price), LegState.PLANNED.value,
        ),
    )  # fmt: skip
    return name


def set_run(change: Change, run: RunRow, state: RunState, reason: str = "") -> RunRow:
    """A run goes on; the run as it is then."""
    check(run_may(run.state, state), f"The run {run.run_id}", run.state, state)
    change.execute(
        "UPDATE run SET state = ?, reason = CASE ? WHEN '' THEN reason ELSE ? END WHERE run_id = ?",
        (state.value, reason, reason, run.run_id),
    )
    told_of = RunStateChanged(run.run_id, run.state.value, state.value, reason)
    change.tell(told_of, run.run_id, run.bucket)
    return replace(run, state=state, reason=reason or run.reason)


def end_run(
    change: Change, run: RunRow, state: RunState, outcome: Outcome, reason: str = ""
) -> RunRow:
    """A run is over, with what became of it."""
    over = set_run(change, run, state, reason)
    if state not in RUN_OVER:
        raise NotExecuted(f"{state} ends no run. Nothing was written.", code="not_an_end")
    change.execute(
        "UPDATE run SET outcome = ?, ended_utc = ? WHERE run_id = ?",
        (outcome.value, change.stamp, run.run_id),
    )
    ended = RunEnded(run.run_id, state.value, outcome.value, over.reason)
    change.tell(ended, run.run_id, run.bucket)
    return replace(over, outcome=outcome)


def set_leg(
    change: Change, run: RunRow, leg: LegRow, state: LegState, reason: str = "", broker_id: str = ""
) -> LegRow:
    """An attempt goes on; the leg as it is then."""
    check(leg_may(leg.state, state), f"The order {leg.client_order_id}", leg.state, state)
    change.execute(
        "UPDATE leg SET state = ?, reason = CASE ? WHEN '' THEN reason ELSE ? END, "
        "venue_id = COALESCE(NULLIF(?, ''), venue_id) WHERE coid = ?",
        (state.value, reason, reason, broker_id, leg.client_order_id),
    )
    step = LegStateChanged(
        leg.client_order_id, leg.step, leg.attempt, leg.symbol, leg.side.value,
        leg.state.value, state.value, reason,
    )  # fmt: skip
    change.tell(step, run.run_id, run.bucket)
    return replace(
        leg, state=state, reason=reason or leg.reason, broker_id=broker_id or leg.broker_id
    )


def book(change: Change, run: RunRow, fill: BrokerFill) -> bool:
    """An execution, once; False where it is booked already.

    Raises NotExecuted where one of the same id says something else: the broker contradicts itself.
    """
    row = (
        fill.client_order_id, shares_e9(fill.quantity), money_e4(fill.value), money_e4(fill.fee),
        fill.currency, fill.symbol, fill.side.value, plain(fill.price),
    )  # fmt: skip
    before = change.execute(
        "SELECT coid, qty_e9, value_e4, fee_e4, ccy, symbol, side, price FROM fill "
        "WHERE account = ? AND exec_id = ?",
        (run.account, fill.exec_id),
    ).fetchone()
    if before is not None:
        if tuple(before) != row:
            raise _contradiction(fill, tuple(before), row)
        return False
    settles = None if fill.settles is None else fill.settles.isoformat()
    change.execute(
        "INSERT INTO fill(coid, qty_e9, value_e4, fee_e4, ccy, symbol, side, price, account, "
        "exec_id, venue_ts, settles) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (*row, run.account, fill.exec_id, fill.at.isoformat(), settles),
    )
    post(change, of_fill(run.account, fill))
    event = FillBooked(
        run.account, fill.exec_id, fill.client_order_id, fill.symbol, fill.side.value,
        plain(fill.quantity), plain(fill.price), plain(fill.value), plain(fill.fee), fill.currency,
    )  # fmt: skip
    change.tell(event, run.run_id, run.bucket)
    return True


def alert(change: Change, run_id: str, bucket: str, code: str, message: str) -> None:
    """Something that somebody should look at now."""
    row = change.execute("SELECT account FROM run WHERE run_id = ?", (run_id,)).fetchone()
    account = "" if row is None else str(row[0])
    change.tell(AlertRaised(code, message, account), run_id, bucket)


def _contradiction(
    fill: BrokerFill, before: tuple[Any, ...], after: tuple[Any, ...]
) -> NotExecuted:
    return NotExecuted(
        f"The broker reports the execution {fill.exec_id} of {fill.symbol} twice with different "
        f"content: {before} and {after}. The first one is booked; nothing further was sent.",
        code="fill_differs",
        place=fill.exec_id,
        value=str(after),
        limit=str(before),
        hint="ask the broker which is right",
    )
