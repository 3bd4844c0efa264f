"""Arming: a person's consent to one plan and one amount, in two steps, for minutes, used once.

```text
disarmed → requested → armed → used
              │           └→ expired · disarmed
              └→ disarmed by words that are not the ones asked for
```

A request says what has to be typed: the last six signs of the plan's id, its amount, and the code
of each warning that comes first. A plan with problems, a degraded or an irreproducible one is never
armed. A request takes back every earlier one of the account, and so does a new start.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from steelyard.canonical import plain
from steelyard.errors import NotExecuted
from steelyard.execution.journal.journal import Change, Journal
from steelyard.execution.rails.facts import ArmFacts, PlanFacts
from steelyard.execution.rails.plan import defects
from steelyard.telemetry.events import PlanArmed

TAIL = 6
"""Last signs of a plan's id that are typed."""
CENT = Decimal("0.01")


class ArmState(StrEnum):
    """Where a consent is; only ARMED lets a run begin."""

    REQUESTED = "requested"
    ARMED = "armed"
    USED = "used"
    EXPIRED = "expired"
    DISARMED = "disarmed"


LIVING = (ArmState.REQUESTED, ArmState.ARMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A consent, asked for or won.

    subject      the plan's id, or the id of a `flatten`
    amount_base  of all its orders
    heads        codes of warnings that have to be typed
    expires_at   of the request, later of the consent
    run_id       that used it; "" = none
    """

    subject: str
    account: str
    amount_base: Decimal
    heads: tuple[str, ...]
    expires_at: datetime
    state: ArmState = ArmState.REQUESTED
    run_id: str = ""

    @property
    def asked(self) -> str:
        """What has to be typed."""
        return " ".join((self.subject[-TAIL:], f"{self.amount_base.quantize(CENT):f}", *self.heads))

    @property
    def facts(self) -> ArmFacts | None:
        """As the rails see it; None while nobody has typed."""
        if self.state not in {ArmState.ARMED, ArmState.USED}:
            return None
        return ArmFacts(
            plan_id=self.subject,
            amount_base=self.amount_base,
            heads=self.heads,
            expires_at=self.expires_at,
            used_by=self.run_id,
        )


def typed(arm: Arm, words: str, now: datetime, ttl: timedelta) -> Arm:
    """After a person typed: armed if it is what was asked for and in time, otherwise not."""
    if arm.state is not ArmState.REQUESTED:
        return replace(arm, state=ArmState.DISARMED) if arm.state is ArmState.ARMED else arm
    if not now < arm.expires_at:
        return replace(arm, state=ArmState.EXPIRED)
    if words.split() != arm.asked.split():
        return replace(arm, state=ArmState.DISARMED)
    return replace(arm, state=ArmState.ARMED, expires_at=now + ttl)


def used(arm: Arm, subject: str, amount_base: Decimal, run_id: str, now: datetime) -> Arm:
    """After a run took it, which only this subject and amount may; else as it was, or expired."""
    if arm.state is not ArmState.ARMED:
        return arm
    if not now < arm.expires_at:
        return replace(arm, state=ArmState.EXPIRED)
    if (arm.subject, arm.amount_base) != (subject, amount_base) or not run_id:
        return arm
    return replace(arm, state=ArmState.USED, run_id=run_id)


def request(
    journal: Journal, plan: PlanFacts, account: str, amount_base: Decimal, ttl: timedelta
) -> Arm:
    """Ask for a plan's consent; raises NotExecuted for a plan that may not be armed."""
    reasons = defects(plan)
    if reasons:
        why = "; ".join(reasons.values())
        raise NotExecuted(
            f"plan {plan.plan_id} cannot be armed: {why}. Nothing was sent: mend the inputs, and "
            "plan again.",
            code="not_armable",
            place=plan.plan_id,
            value=why,
            hint="mend the inputs, and plan again",
        )
    if not (amount_base.is_finite() and amount_base > 0):
        raise _nothing_to_arm(plan.plan_id, amount_base)
    with journal.writing() as change:
        _disarm(change, account)
        arm = Arm(
            subject=plan.plan_id,
            account=account,
            amount_base=amount_base,
            heads=tuple(sorted(set(plan.heads))),
            expires_at=change.moment.utc + ttl,
        )
        _insert(change, arm)
    return arm


def _nothing_to_arm(subject: str, amount: Decimal) -> NotExecuted:
    return NotExecuted(
        f"{subject} has orders of {amount} in all. Nothing is to be armed, and nothing was sent.",
        code="nothing_to_arm",
        place=subject,
        value=amount,
    )


def confirm(journal: Journal, account: str, words: str, ttl: timedelta) -> Arm:
    """Arm what was asked for; raises NotExecuted, and the request is gone, for other words."""
    with journal.writing() as change:
        before = _current(change, account)
        arm = before and typed(before, words, change.moment.utc, ttl)
        if arm is not None and arm != before:
            _update(change, arm)
    if arm is None or arm.state is not ArmState.ARMED:
        raise NotExecuted(
            f"{account} is not armed: {_why_not(arm)}. Nothing was sent: ask again, steelyard arm "
            "PLAN.",
            code="not_armed",
            place=account,
            value=_why_not(arm),
            hint="steelyard arm PLAN",
        )
    return arm


def _why_not(arm: Arm | None) -> str:
    if arm is None:
        return "nothing was asked for"
    if arm.state is ArmState.EXPIRED:
        return f"the request ended at {arm.expires_at.isoformat()}"
    return f"what was typed is not {arm.asked!r}"


def use(change: Change, account: str, run: tuple[str, str, Decimal]) -> Arm:
    """Take it for a run, in the transaction that begins the run; raises NotExecuted.

    run   run id, subject and amount
    """
    run_id, subject, amount_base = run
    before = _current(change, account)
    arm = before and used(before, subject, amount_base, run_id, change.moment.utc)
    if arm is None or arm.state is not ArmState.USED or arm == before:
        raise NotExecuted(
            f"{account} is not armed for {subject} and {amount_base}. Nothing was sent: steelyard "
            f"arm {subject}.",
            code="not_armed_for_run",
            place=account,
            hint=f"steelyard arm {subject}",
        )
    _update(change, arm)
    return arm


def disarm(journal: Journal, account: str) -> None:
    """Take back every consent of an account: at every start of what trades live."""
    with journal.writing() as change:
        _disarm(change, account)


def current(journal: Journal, account: str) -> Arm | None:
    """The newest consent of an account; None = none was ever asked for."""
    row = journal.row(f"{SELECT} WHERE account = ? ORDER BY arm_id DESC LIMIT 1", (account,))
    return None if row is None else _arm(row)


SELECT = "SELECT plan_id, account, body, state, expires_utc, run_id FROM arm"


def _current(change: Change, account: str) -> Arm | None:
    return current(change.journal, account)


def _arm(row: tuple[str, str, str, str, str, str | None]) -> Arm:
    subject, account, body, state, expires, run_id = row
    content = json.loads(body)
    return Arm(
        subject=subject,
        account=account,
        amount_base=Decimal(content["amount_base"]),
        heads=tuple(content["heads"]),
        expires_at=datetime.fromisoformat(expires),
        state=ArmState(state),
        run_id=run_id or "",
    )


def _insert(change: Change, arm: Arm) -> None:
    body = json.dumps({"amount_base": plain(arm.amount_base), "heads": list(arm.heads)})
    change.execute(
        "INSERT INTO arm(plan_id, account, body, state, created_utc, expires_utc, run_id)"
        " VALUES (?,?,?,?,?,?,NULL)",
        (arm.subject, arm.account, body, arm.state, change.stamp, arm.expires_at.isoformat()),
    )
    _tell(change, arm)


def _update(change: Change, arm: Arm) -> None:
    """The account's newest."""
    change.execute(
        "UPDATE arm SET state = ?, expires_utc = ?, run_id = ? WHERE arm_id ="
        " (SELECT max(arm_id) FROM arm WHERE account = ?)",
        (arm.state, arm.expires_at.isoformat(), arm.run_id or None, arm.account),
    )
    _tell(change, arm)


def _disarm(change: Change, account: str) -> None:
    arm = _current(change, account)
    if arm is not None and arm.state in LIVING:
        _update(change, replace(arm, state=ArmState.DISARMED))


def _tell(change: Change, arm: Arm) -> None:
    amount = plain(arm.amount_base)
    change.tell(PlanArmed(arm.subject, arm.account, arm.state.value, amount), arm.run_id, "")
