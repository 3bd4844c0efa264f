"""What of comparing an account stays in the journal: openings, answers, what froze it.

An account begins with what the broker said of it. Each clean answer is the opening of the next
comparison; one that is not clean freezes the account until a person looked. What they accept then
is written as such: in no book, and traded by nobody.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from typing import Any

from steelyard.brokers.broker import Activity, BrokerFill
from steelyard.canonical import plain
from steelyard.errors import NotExecuted
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Change, Journal
from steelyard.execution.journal.postings import of_change, of_fill, post
from steelyard.execution.journal.units import money_e4
from steelyard.execution.reconcile.cash import proceeds
from steelyard.execution.reconcile.document import (
    activity_document,
    activity_of,
    document,
    fill_document,
    fill_of,
    opening_document,
    opening_of,
)
from steelyard.execution.reconcile.records import Opening, Ours, Reconciliation
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.telemetry.events import (
    AccountFrozen,
    AccountOpened,
    AccountReleased,
    ActivityBooked,
    AlertRaised,
    Reconciled,
)

EXECUTION = "EXECUTION"
"""Kind of an execution of somebody else's order, beside the broker's kinds of activities."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Why an account may not be traded, and since when."""

    account: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison as it was kept; `body` is its document."""

    run_id: str
    account: str
    at: datetime
    clean: bool
    body: Mapping[str, Any]


def begin_account(
    change: Change,
    account: str,
    opening: Opening,
    entered: Sequence[Mapping[str, Any]],
    *,
    run_id: str,
    bucket: str,
) -> None:
    """What the broker says is what an account begins with; nothing where it has begun.

    entered   what the books begin with, see `attribution.stored.entries_document`
    """
    if _newest(change.journal, account) is not None:
        return
    post(change, of_change(account, "opening", opening.positions, opening.cash))
    opened = opening_document(opening)
    change.tell(AccountOpened(account, opened["positions"], opened["cash"]), run_id, bucket)
    first = {"clean": True, "next": opened, "entered": list(entered)}
    _insert(change, account, clean=True, body=first, run_id=run_id)
    _tell(change, account, (), run_id, bucket)


def opening_for(journal: Journal, account: str) -> Opening | None:
    """The newest figures on which both sides agreed; None for an account that has not begun."""
    body = _newest(journal, account)
    if body is None:
        return None
    counted = _booked(journal, account)[: body["next"].get("counted", 0)]
    opening = opening_of(body["next"])
    return replace(opening, seen=opening.seen | frozenset(counted))


def _kept_opening(journal: Journal, account: str, opening: Opening) -> dict[str, Any]:
    """An opening as it is kept: of our own executions only how many it counts."""
    booked = _booked(journal, account)
    counted = len(list(takewhile(opening.seen.__contains__, booked)))
    rest = opening.seen - frozenset(booked[:counted])
    return opening_document(replace(opening, seen=rest)) | {"counted": counted}


def _booked(journal: Journal, account: str) -> list[str]:
    """Ids of our executions, in the order in which they were booked."""
    query = "SELECT exec_id FROM fill WHERE account = ? ORDER BY rowid"
    return [name for (name,) in journal.rows(query, (account,))]


def ours_of(
    journal: Journal, account: str, books: Mapping[str, Mapping[str, Decimal]] | None = None
) -> Ours:
    """What the journal says of an account; raises NotExecuted for one that has not begun."""
    opening = opening_for(journal, account)
    if opening is None:
        raise NotExecuted(
            f"The account {account} has no opening in the journal: nothing was ever run in it. "
            "Nothing was compared. Begin with: steelyard execute PLAN",
            code="no_opening",
            place=account,
            hint="steelyard execute PLAN",
        )
    query = "SELECT coid FROM leg JOIN run ON run.run_id = leg.run_id WHERE run.account = ?"
    orders = frozenset(name for (name,) in journal.rows(query, (account,)))
    fills = tuple(as_fill(row) for row in rows.fills(journal, account=account))
    return Ours(account=account, opening=opening, orders=orders, fills=fills, books=books)


def keep(change: Change, result: Reconciliation, *, run_id: str = "", bucket: str = "") -> None:
    """Write an answer down: what explains a difference is booked, a break freezes the account."""
    opening, body = result.opening, document(result)
    if result.clean and opening is not None:
        _book(change, result)
        body["adopted"] = _adopt(change, result, "ROUNDING")
        body["next"] = _kept_opening(change.journal, result.account, opening)
    _insert(change, result.account, clean=result.clean, body=body, run_id=run_id)
    reasons = tuple(each.why for each in result.breaks)
    _tell(change, result.account, reasons, run_id, bucket)
    if reasons and frozen(change.journal, result.account) is None:
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        freeze(change, result.account, reasons[0] + more, run_id=run_id, bucket=bucket)


def freeze(
    change: Change, account: str, reason: str, *, run_id: str = "", bucket: str = ""
) -> None:
    """No run may begin in an account from now on; the first reason stays where it is frozen."""
    if frozen(change.journal, account) is not None:
        return
    change.execute(
        "INSERT INTO freeze(account, since_utc, reason) VALUES (?,?,?)",
        (account, change.stamp, reason),
    )
    change.tell(AccountFrozen(account, reason), run_id, bucket)
    hint = _release(account)
    why = f"{account} is frozen: {reason}. Look, then: {hint}"
    change.tell(AlertRaised("account_frozen", why, account), run_id, bucket)


def frozen(journal: Journal, account: str) -> Freeze | None:
    """Why an account may not be traded; None where it may."""
    row = journal.row(
        "SELECT since_utc, reason FROM freeze WHERE account = ? AND lifted_utc IS NULL", (account,)
    )
    return None if row is None else Freeze(account, datetime.fromisoformat(row[0]), row[1])


def frozen_accounts(journal: Journal) -> dict[str, str]:
    """Account -> why it may not be traded, by name."""
    query = "SELECT account, reason FROM freeze WHERE lifted_utc IS NULL ORDER BY account"
    return {str(name): str(why) for name, why in journal.rows(query)}


def the_frozen(journal: Journal) -> str:
    """The account that is frozen; raises NotExecuted where none is, or several are."""
    names = [*frozen_accounts(journal)]
    if not names:
        raise _refused("No account is frozen", "acknowledge_none", "", "")
    if len(names) > 1:
        text = f"{len(names)} accounts are frozen: {', '.join(names)}. Say which one you looked at"
        raise _refused(text, "acknowledge_which", names[0], _release(names[0]))
    return names[0]


def _release(account: str) -> str:
    return f"steelyard reconcile --account {shlex.quote(account)} --acknowledge --reason TEXT"


def acknowledge(change: Change, result: Reconciliation, reason: str) -> None:
    """A person looked: the broker's figures are what the account has, and it may be traded again.

    result   of a comparison just now
    Raises NotExecuted without a reason, for an account that is not frozen, and where the broker
    could not be read: what it has would be a guess.
    """
    account = result.account
    if frozen(change.journal, account) is None:
        raise _refused(
            f"The account {account} is not frozen", "acknowledge_not_frozen", account, ""
        )
    if not reason.strip():
        hint = _release(account)
        raise _refused("An acknowledgement needs a reason", "acknowledge_no_reason", account, hint)
    opening = result.opening
    if opening is None:
        why = "; ".join(each.why for each in result.breaks)
        text = f"The account {account} cannot be acknowledged: {why}"
        raise _refused(text, "acknowledge_unread", account, "steelyard reconcile")
    _book(change, result)
    marks = frozenset(each.mark for each in result.breaks if each.level == "order")
    opening = replace(opening, seen=opening.seen | marks)
    body = document(result) | {
        "acknowledged": reason,
        "adopted": _adopt(change, result, "ACKNOWLEDGED"),
        "next": _kept_opening(change.journal, account, opening),
    }
    _insert(change, account, clean=True, body=body, run_id="")
    change.execute(
        "UPDATE freeze SET lifted_utc = ?, lifted_reason = ? WHERE account = ? AND lifted_utc IS "
        "NULL",
        (change.stamp, reason, account),
    )
    change.tell(AccountReleased(account, reason), "", "")


def _adopt(change: Change, result: Reconciliation, kind: str) -> dict[str, str]:
    """By how much the broker has more than is expected, booked; symbol -> shares, as text.

    kind   why: ACKNOWLEDGED by a person, or ROUNDING within the tolerances
    """
    shares = {line.symbol: line.broker - line.expected for line in result.positions}
    money = {line.currency: line.broker - line.expected for line in result.cash}
    shares = {symbol: amount for symbol, amount in shares.items() if amount}
    money = {name: amount for name, amount in money.items() if money_e4(amount)}
    post(change, of_change(result.account, kind.lower(), shares, money))
    changes: list[tuple[str, Decimal, dict[str, Decimal]]] = [
        (symbol, amount, {}) for symbol, amount in shares.items()
    ]
    if money:
        changes.append(("", ZERO, money))
    for symbol, amount, cash in changes:
        activity = Activity(
            activity_id="", kind=kind, at=result.at, cash=cash, symbol=symbol, shares=amount
        )
        _tell_booked(change, result.account, activity)
    return {symbol: plain(amount) for symbol, amount in shares.items()}


COMPARED = "SELECT run_id, account, at_utc, clean, body FROM reconciliation"


def comparisons(journal: Journal, account: str | None = None, most: int = -1) -> list[Comparison]:
    """Comparisons, newest first; `most` of them, -1 = all."""
    query = f"{COMPARED} WHERE ? IS NULL OR account = ? ORDER BY id DESC LIMIT ?"
    return [_comparison(row) for row in journal.rows(query, (account, account, most))]


def comparisons_of(journal: Journal, run_id: str) -> list[Comparison]:
    """Those of a run, newest first."""
    query = f"{COMPARED} WHERE run_id = ? ORDER BY id DESC"
    return [_comparison(row) for row in journal.rows(query, (run_id,))]


def _comparison(row: Sequence[Any]) -> Comparison:
    return Comparison(
        run_id=row[0] or "",
        account=row[1],
        at=datetime.fromisoformat(row[2]),
        clean=bool(row[3]),
        body=json.loads(row[4]),
    )


def activities(journal: Journal, account: str) -> tuple[Activity, ...]:
    """What happened in an account without an order of anybody."""
    bodies = _activity_bodies(journal, account)
    return tuple(activity_of(body) for body in bodies if body["kind"] != EXECUTION)


def foreign_fills(journal: Journal, account: str) -> tuple[BrokerFill, ...]:
    """Executions of orders that are not ours."""
    bodies = _activity_bodies(journal, account)
    return tuple(fill_of(body) for body in bodies if body["kind"] == EXECUTION)


def as_fill(row: rows.FillRow) -> BrokerFill:
    """A booked execution as the broker told it."""
    return BrokerFill(
        exec_id=row.exec_id,
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        value=row.value,
        fee=row.fee,
        currency=row.currency,
        at=row.at,
        settles=row.settles,
    )


def _book(change: Change, result: Reconciliation) -> None:
    """Activities and executions of others, each once, so that the postings stay the broker's."""
    account = result.account
    for activity in result.explained:
        if _new(change, account, activity.activity_id, activity_document(activity)):
            shares = {activity.symbol: activity.shares} if activity.symbol else {}
            post(change, of_change(account, "outside", shares, activity.cash))
            _tell_booked(change, account, activity)
    for fill in result.foreign:
        if _new(change, account, fill.exec_id, fill_document(fill) | {"kind": EXECUTION}):
            post(change, of_fill(account, fill))
            _tell_booked(change, account, _effect(fill))


def _effect(fill: BrokerFill) -> Activity:
    """An execution as what it changes."""
    return Activity(
        activity_id=fill.exec_id,
        kind=EXECUTION,
        at=fill.at,
        cash={fill.currency: proceeds(fill)},
        symbol=fill.symbol,
        shares=fill.quantity if fill.side is Side.BUY else -fill.quantity,
    )


def _tell_booked(change: Change, account: str, activity: Activity) -> None:
    event = ActivityBooked(
        account,
        activity.activity_id,
        activity.kind,
        activity.symbol,
        plain(activity.shares),
        {name: plain(activity.cash[name]) for name in sorted(activity.cash)},
    )
    change.tell(event, "", "")


def _new(change: Change, account: str, name: str, body: Mapping[str, Any]) -> bool:
    """Write an activity down; False where it is there."""
    query = "SELECT 1 FROM activity WHERE account = ? AND activity_id = ?"
    if change.execute(query, (account, name)).fetchone() is not None:
        return False
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    change.execute("INSERT INTO activity VALUES (?,?,?)", (account, name, text))
    return True


def _activity_bodies(journal: Journal, account: str) -> list[dict[str, Any]]:
    query = "SELECT body FROM activity WHERE account = ? ORDER BY activity_id"
    return [json.loads(text) for (text,) in journal.rows(query, (account,))]


def _newest(journal: Journal, account: str) -> dict[str, Any] | None:
    """The body of the newest comparison on which the sides agreed."""
    row = journal.row(
        "SELECT body FROM reconciliation WHERE account = ? AND clean = 1 ORDER BY id DESC LIMIT 1",
        (account,),
    )
    content: dict[str, Any] | None = None if row is None else json.loads(row[0])
    return content


def _insert(
    change: Change, account: str, *, clean: bool, body: Mapping[str, Any], run_id: str
) -> None:
    change.execute(
        "INSERT INTO reconciliation(run_id, account, at_utc, clean, body) VALUES (?,?,?,?,?)",
        (
            run_id or None,
            account,
            change.stamp,
            int(clean),
            json.dumps(body, sort_keys=True, ensure_ascii=False),
        ),
    )


def _tell(change: Change, account: str, reasons: tuple[str, ...], run_id: str, bucket: str) -> None:
    change.tell(Reconciled(account, run_id, not reasons, reasons), run_id, bucket)


def _refused(what: str, code: str, account: str, hint: str) -> NotExecuted:
    text = f"{what}. Nothing was released and nothing was sent." + (
        f" Type: {hint}" if hint else ""
    )
    return NotExecuted(text, code=code, place=account, hint=hint)
