"""What is told of a tick: verdict, three numbers, what to know first, a link, the report.

Every word is of the plan's document or says why somebody is told. A text of a file can hold
anything: in a message it is shown and never obeyed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from steelyard.ages import weekdays
from steelyard.canonical import plain, sha256
from steelyard.errors import one_line
from steelyard.importers.as_of import MOST_AHEAD
from steelyard.plans.plan import Plan
from steelyard.report import page, visible
from steelyard.sentences import FORMATS, SPACE
from steelyard.store.schedules import Breach, Tick

SCHEMA = "steelyard.watch/1"
LONGEST_SUBJECT = 160
MOST_BREACHES, MOST_NOTES = 8, 8
OLD_PRICES = frozenset({"old_view"})
"""Codes of warnings in the head of a plan that its prices are old."""
NOTHING_SENT = "Calculated from your targets and rules. No order was sent: a schedule never trades."


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is given.

    key       the same for every try of one message
    document  the same for programs
    report    the page of the plan, HTML; None where there is no plan
    """

    subject: str
    text: str
    key: str
    at: datetime
    document: Mapping[str, Any]
    report: str | None = None
    report_name: str = "steelyard-report.html"


def message_of(tick: Tick, plan: Plan | None, base_url: str) -> Message:
    """The message of a tick; plan: of one that is planned."""
    verdict = f"No plan. {tick.detail}" if plan is None else plan.verdict.text
    link = f"{base_url}/plans/{plan.plan_id}" if plan is not None else f"{base_url}/schedule"
    lines = [verdict]
    if plan is not None:
        if _old(tick, plan) and not _warned(plan):
            lines += [_old(tick, plan)]
        lines += [plan.verdict.detail, "", *numbers(plan), *_notes(plan)]
    lines += ["", *why(tick), "", link, "", NOTHING_SENT]
    text = "\n".join(plainly(part) for line in lines for part in line.splitlines() or [""])
    return Message(
        subject=_subject(tick, plan, verdict),
        text=f"{text}\n",
        key=_key(tick),
        at=tick.at,
        document=_document(tick, plan, link, text),
        report=None if plan is None else page.render(plan),
        report_name=f"steelyard-{tick.bucket}-{tick.at:%Y-%m-%d}.html",
    )


def _subject(tick: Tick, plan: Plan | None, verdict: str) -> str:
    """Bucket and verdict; first of all that the prices are old, for nobody may open the message."""
    first = "Old prices: " if plan is not None and (_old(tick, plan) or _warned(plan)) else ""
    text = f"{first}Steelyard {tick.bucket}: {verdict}"
    return one_line(text, LONGEST_SUBJECT).replace(SPACE, " ")


def _old(tick: Tick, plan: Plan) -> str:
    """That prices were old when it was planned, which a load long ago could not say; "" = no."""
    age = weekdays(plan.as_of, tick.at.date())
    if age <= MOST_AHEAD:
        return ""
    return f"Warning: The prices are of {plan.as_of}, {age} weekdays before it was planned."


def _warned(plan: Plan) -> bool:
    return any(each.code in OLD_PRICES for each in plan.warnings if each.head)


def plainly(text: str) -> str:
    r"""Text for mail and chats: nothing that is obeyed, and spaces that every reader knows.

    >>> plainly("26.7\u00a0pp\x1b[2J")
    '26.7 pp\\u001b[2J'
    """
    return visible(text).replace(SPACE, " ")


def trial_message(at: datetime, name: str) -> Message:
    """A message that says that a channel works."""
    text = f"A test of the channel {name}. Nothing was planned and nothing was sent to a broker.\n"
    document = {"schema": SCHEMA, "kind": "test", "at": at.isoformat(), "text": text}
    key = sha256({"test": name, "at": at.isoformat()})[:32]
    return Message("Steelyard: a test message", text, key, at, document)


def numbers(plan: Plan) -> tuple[str, str, str]:
    """The three: drift, or the score where there are no targets; cost; turnover."""
    before, after = plan.drift.before, plan.drift.after
    points, pp, base = FORMATS["points"], FORMATS["pp"], plan.base_currency
    if before is not None and after is not None:
        first = f"Drift: {pp(before)} to {pp(after)}"
    else:
        first = f"Score: {points(plan.score.hold)} to {points(plan.score.plan)} points"
    cost = f"Cost: {FORMATS['money'](plan.costs.total)} {base}"
    return first, cost, f"Turnover: {FORMATS['pct'](plan.turnover)}"


def why(tick: Tick) -> Iterator[str]:
    """Why somebody is told, a sentence a line."""
    if tick.breaches:
        shown = [in_words(breach) for breach in tick.breaches[:MOST_BREACHES]]
        more = len(tick.breaches) - MOST_BREACHES
        shown += [f"{more} more"] if more > 0 else []
        yield f"Out of band: {'; '.join(shown)}."
    due = tick.due_at
    if tick.reason == "one-time" and due is not None:
        yield f"Asked for at {moment(due)}."
    elif tick.reason == "calendar" and due is not None:
        yield f"Due by its calendar at {moment(due)}."
    if tick.missed and tick.missed_since is not None and due is not None:
        ticks = "1 tick was" if tick.missed == 1 else f"{tick.missed} ticks were"
        ends = f"at {moment(due)}" if tick.missed == 1 else ""
        ends = ends or f"between {moment(tick.missed_since)} and {moment(tick.at)}"
        yield f"{ticks} missed {ends}: nobody looked. It was planned once, now."


def in_words(breach: Breach) -> str:
    """`AAA 12.1 %, its band 8.0 % to 12.0 %`."""
    pct = FORMATS["pct"]
    name = f"class {breach.name}" if breach.kind == "class" else breach.name
    return f"{name} {pct(breach.weight)}, its band {pct(breach.low)} to {pct(breach.high)}"


def moment(at: datetime) -> str:
    """A time for people, its zone with it."""
    return f"{at:%Y-%m-%d %H:%M} {at:%Z}"


def _notes(plan: Plan) -> Iterator[str]:
    """What to know before trusting the numbers: problems, and what stands in the plan's head."""
    heads = [notice.message for notice in plan.warnings if notice.head]
    notes = [f"Problem: {notice.message}" for notice in plan.problems]
    notes += [f"Warning: {message}" for message in heads]
    if notes:
        yield ""
    yield from notes[:MOST_NOTES]
    if len(notes) > MOST_NOTES:
        yield f"and {len(notes) - MOST_NOTES} more in the report."


def _key(tick: Tick) -> str:
    parts = {"bucket": tick.bucket, "at": tick.at.isoformat(), "reason": tick.reason}
    return sha256({**parts, "plan": tick.plan_id})[:32]


def _document(tick: Tick, plan: Plan | None, link: str, text: str) -> dict[str, Any]:
    figures = None
    if plan is not None:
        figures = {
            "drift_before": plan.drift.before,
            "drift_after": plan.drift.after,
            "score_before": plan.score.hold,
            "score_after": plan.score.plan,
            "cost": plain(plan.costs.total),
            "currency": plan.base_currency,
            "turnover": plan.turnover,
        }
    return {
        "schema": SCHEMA,
        "kind": "tick",
        "bucket": tick.bucket,
        "at": tick.at.isoformat(),
        "due_at": None if tick.due_at is None else tick.due_at.isoformat(),
        "reason": tick.reason,
        "outcome": tick.outcome,
        "missed": tick.missed,
        "verdict": None if plan is None else plan.verdict.action,
        "plan_id": tick.plan_id,
        "figures": figures,
        "breaches": [
            {"kind": b.kind, "name": b.name, "weight": b.weight, "low": b.low, "high": b.high}
            for b in tick.breaches
        ],
        "error": tick.detail if plan is None else None,
        "link": link,
        "text": text,
    }
