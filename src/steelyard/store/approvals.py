"""Approvals of plans: what a person stood behind, kept once, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, select

from steelyard.store.failures import row_of
from steelyard.store.schema import approval as table
from steelyard.store.store import Store, Transaction, json_text, stamp
from steelyard.telemetry.events import PlanApproved

State = Literal["stored", "handed_over", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One approval; see the table `approval`.

    approved_by   id of the token
    typed         the number as it was typed
    notes         ids of the notes that were read
    run_id        that trades the plan; "" = none is told
    code, words   why nothing was sent, or what is not certain; "" = it was handed over
    """

    id: int
    plan_id: str
    approved_at: datetime
    approved_by: str
    expires_at: datetime
    broker: str
    typed: str
    notes: tuple[str, ...]
    state: State
    run_id: str
    code: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person said; see `Approval`."""

    plan_id: str
    bucket: str
    by: str
    expires_at: datetime
    broker: str
    typed: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Became:
    """What became of an approval; see `Approval`."""

    state: State
    run_id: str = ""
    code: str = ""
    words: str = ""


def record(store: Store, consent: Consent) -> Approval:
    """Keep an approval; the one that is there, where the same was kept before."""
    same = (table.c.plan_id == consent.plan_id) & (table.c.expires_at == stamp(consent.expires_at))
    with store.writing() as transaction:
        before = transaction.connection.execute(select(table).where(same)).first()
        if before is not None:
            return _approval(before)
        row = {
            "plan_id": consent.plan_id,
            "approved_at": transaction.stamp,
            "approved_by": consent.by,
            "expires_at": stamp(consent.expires_at),
            "broker": consent.broker,
            "typed": consent.typed,
            "notes": json_text(list(consent.notes)),
            "state": "stored",
        }
        transaction.connection.execute(table.insert().values(**row))
        after = _approval(transaction.connection.execute(select(table).where(same)).one())
        _tell(transaction, after, consent.bucket)
        return after


def settle(store: Store, approval: Approval, bucket: str, became: Became) -> Approval:
    """Write down what became of an approval; one that was handed over stays so."""
    mine = table.c.id == approval.id
    with store.writing() as transaction:
        before = _approval(transaction.connection.execute(select(table).where(mine)).one())
        now = (before.state, before.run_id, before.code, before.words)
        then = (became.state, became.run_id, became.code, became.words)
        if now == then or (before.state == "handed_over" and not became.run_id):
            return before
        values = {
            "state": became.state,
            "run_id": became.run_id or None,
            "code": became.code,
            "words": became.words,
        }
        transaction.connection.execute(table.update().where(mine).values(**values))
        after = _approval(transaction.connection.execute(select(table).where(mine)).one())
        _tell(transaction, after, bucket)
        return after


def of_plan(store: Store, plan_id: str) -> tuple[Approval, ...]:
    """Every approval of a plan, the newest first."""
    query = select(table).where(table.c.plan_id == plan_id).order_by(table.c.id.desc())
    with store.reading() as connection:
        return tuple(_approval(row) for row in connection.execute(query))


def of_runs(store: Store, runs: Sequence[str]) -> dict[str, Approval]:
    """Run -> the approval that it trades; of runs that were begun otherwise none."""
    query = select(table).where(table.c.run_id.in_(list(runs))).order_by(table.c.id)
    with store.reading() as connection:
        return {row.run_id: _approval(row) for row in connection.execute(query)}


def _tell(transaction: Transaction, approval: Approval, bucket: str) -> None:
    event = PlanApproved(
        plan_id=approval.plan_id,
        by=approval.approved_by,
        state=approval.state,
        run_id=approval.run_id,
        code=approval.code,
    )
    transaction.tell(event, bucket)


@row_of("approval")
def _approval(row: Row[Any]) -> Approval:
    return Approval(
        id=row.id,
        plan_id=row.plan_id,
        approved_at=datetime.fromisoformat(row.approved_at),
        approved_by=row.approved_by,
        expires_at=datetime.fromisoformat(row.expires_at),
        broker=row.broker,
        typed=row.typed,
        notes=tuple(json.loads(row.notes)),
        state=row.state,
        run_id=row.run_id or "",
        code=row.code,
        words=row.words,
    )
