"""A person's word on a plan: everything is looked at again, written down, and handed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from steelyard.errors import ChangedMeanwhile, InputError, NotExecuted, StoreError
from steelyard.runs.approval.facts import ApprovalFacts, Broker, Surroundings, facts
from steelyard.runs.approval.handing import hand_over
from steelyard.store import approvals
from steelyard.store.approvals import Approval, Became, Consent
from steelyard.store.store import Store

NOTHING = "Nothing was approved and nothing was sent."
LONGEST_TYPED = 100
SLACK = timedelta(seconds=2)
"""By which a clock that was set may make a page seem to be of a moment later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a form carries.

    expires   as the page showed it
    typed     into the field `confirm`
    read      ids of the notes that were ticked
    seen      digest of the page, "" where a program asks
    by        id of the token
    """

    plan_id: str
    expires: str
    typed: str
    by: str
    read: Sequence[str] = ()
    seen: str = ""
    broker: Broker = "paper"


@dataclass(frozen=True, slots=True)
class Answer:
    """The approval as it is written down, and what the page showed when it was."""

    approval: Approval
    facts: ApprovalFacts


class ChangedSince(ChangedMeanwhile):
    """The plan's ground moved, or the page is not as it was shown: the differences, in words."""

    code = "approval_changed_since"

    def __init__(self, facts: ApprovalFacts, differences: Sequence[str]) -> None:
        self.facts, self.differences = facts, tuple(differences)
        super().__init__(
            f"The plan {facts.entry.row.plan_id[:12]} is not what was looked at: "
            f"{' '.join(differences)} {NOTHING} Look again, or plan again.",
            place="plan_id",
            value=len(differences),
            hint="look again, or plan again",
        )


def approve(store: Store, where: Surroundings, word: Word, now: datetime) -> Answer:
    """Record a person's word, and hand the plan over to the runner.

    The same word twice is one record and one run. Raises NotStored for no such plan, ChangedSince
    with the difference, NotExecuted for a plan that may not be approved, InputError at the field
    where what was typed is not what is asked for.
    """
    shown = facts(store, where, word.plan_id, now, word.broker)
    before = _handed_over(store, shown)
    if before is not None:
        return Answer(before, shown)
    until = _until(shown, word, now)
    _unchanged(shown, word)
    _may(shown)
    _typed(shown, word)
    consent = Consent(
        plan_id=shown.entry.row.plan_id,
        bucket=shown.entry.row.bucket,
        by=word.by,
        expires_at=until,
        broker=word.broker,
        typed=word.typed.strip(),
        notes=tuple(sorted({each.id for each in shown.notes} & set(word.read))),
    )
    approval = approvals.record(store, consent)
    became = hand_over(where, consent.plan_id, word.broker, shown.account)
    return Answer(_settled(store, approval, consent.bucket, became), shown)


def _settled(store: Store, approval: Approval, bucket: str, became: Became) -> Approval:
    """What became of it, written down; where that fails it is told all the same."""
    try:
        return approvals.settle(store, approval, bucket, became)
    except StoreError as error:
        words = f"{became.words} Beside the approval this could not be written: {error}".strip()
        return replace(
            approval, state=became.state, run_id=became.run_id, code=became.code, words=words
        )


def _handed_over(store: Store, shown: ApprovalFacts) -> Approval | None:
    """The approval that the runner has already; its run, where that has begun since."""
    approval = shown.approval
    if approval is None or approval.state != "handed_over":
        return None
    if shown.run is None or approval.run_id:
        return approval
    became = Became("handed_over", run_id=shown.run.run_id)
    return approvals.settle(store, approval, shown.entry.row.bucket, became)


def _until(shown: ApprovalFacts, word: Word, now: datetime) -> datetime:
    """When the page that was shown expires; raises InputError, ChangedMeanwhile."""
    try:
        until = datetime.fromisoformat(word.expires)
    except ValueError:
        until = None
    if until is None or until.tzinfo is None or until > shown.expires_at + SLACK:
        raise InputError(
            f"{word.expires[:LONGEST_TYPED]!r} is no expiry that the page shows. {NOTHING} Load "
            "the page again.",
            code="approval_expiry",
            place="expires",
            value=word.expires,
            limit=shown.expires_at.isoformat(),
            hint="load the page again",
        )
    if now >= until:
        raise ChangedMeanwhile(
            f"What was shown expired at {until.isoformat(timespec='seconds')}, "
            f"{int((now - until).total_seconds())} seconds ago. {NOTHING} Look again.",
            code="approval_expired",
            place="expires",
            value=now.isoformat(),
            limit=word.expires,
            hint="look again, or plan again",
        )
    return until


def _unchanged(shown: ApprovalFacts, word: Word) -> None:
    if shown.changes:
        raise ChangedSince(shown, [each.text for each in shown.changes])
    if word.seen and word.seen != shown.seen:
        # what is only asked later is no change, and the count of rails says what each of them does
        lines = [
            each.text
            for each in shown.checks
            if each.level in {"warn", "stop"} and each.name != "rails"
        ]
        raise ChangedSince(shown, lines or ["What hindered it is gone."])


def _may(shown: ApprovalFacts) -> None:
    hindrance = shown.hindrance
    if hindrance is not None:
        raise NotExecuted(
            f"{hindrance.text} {NOTHING} {hindrance.mend}".rstrip(),
            code=hindrance.code,
            place="plan_id",
            hint=hindrance.mend,
        )


def _typed(shown: ApprovalFacts, word: Word) -> None:
    unread = [each for each in shown.notes if each.id not in word.read]
    if shown.must_read and unread:
        names = ", ".join(each.about for each in unread)
        raise InputError(
            f"The notes on {names} have to be read, and ticked. {NOTHING}",
            code="approval_unread",
            place="read",
            value=len(unread),
            limit=0,
            hint="read the notes, and tick them",
        )
    if not shown.number.is_typed(word.typed):
        typed = word.typed.strip()[:LONGEST_TYPED]
        what = f"{typed!r} was typed" if typed else "Nothing was typed"
        raise InputError(
            f"{what}, and {shown.number.text} is the amount {shown.number.of}. {NOTHING} "
            f"{shown.number.asks}.",
            code="approval_not_confirmed",
            place="confirm",
            value=typed,
            limit=shown.number.text,
            hint=shown.number.asks,
        )
