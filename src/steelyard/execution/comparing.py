"""Comparing books and broker for a desk, and keeping the answer."""

from __future__ import annotations

from contextlib import suppress

from steelyard.errors import BrokerError
from steelyard.execution.attribution.books import Books
from steelyard.execution.attribution.owners import book_of
from steelyard.execution.attribution.rules import Rules
from steelyard.execution.attribution.stored import (
    books_of,
    entries_document,
    entries_of,
    tell_unmatched,
)
from steelyard.execution.desk import Desk, Halted
from steelyard.execution.flatten import is_flattening
from steelyard.execution.legs.watch import sync
from steelyard.execution.reconcile import (
    Ours,
    Reconciliation,
    Tolerances,
    opened,
    reconcile,
    stored,
)
from steelyard.plans.plan import Plan, content


def agree(desk: Desk) -> bool:
    """Compare, keep the answer, freeze the account where they differ; are they equal?"""
    return compared(desk).clean


def compared(desk: Desk) -> Reconciliation:
    """The same with all of the answer."""
    read: list[tuple[Ours, Books]] = []

    def ours() -> Ours:
        read.append(_ours(desk))
        return read[-1][0]

    result = reconcile(desk.broker, ours, _tolerances(desk))
    books, bucket = read[-1][1], desk.run.bucket
    with desk.journal.writing(desk.lease) as change:
        stored.keep(change, result, run_id=desk.run_id, bucket=bucket)
        tell_unmatched(change, books, run_id=desk.run_id, bucket=bucket)
    return result


def acknowledged(desk: Desk, reason: str) -> Reconciliation:
    """A person looked: what the broker says now is what the account has, and it is released."""
    result = reconcile(desk.broker, lambda: _ours(desk)[0], _tolerances(desk), pauses=())
    with desk.journal.writing(desk.lease) as change:
        stored.acknowledge(change, result, reason)
    return result


def _tolerances(desk: Desk) -> Tolerances:
    working = desk.working
    return Tolerances(shares=working.reconcile_tol_shares, cash=working.reconcile_tol_cash)


def _ours(desk: Desk) -> tuple[Ours, Books]:
    # silence shows in the reading that follows, and a late fill is booked and alerted by now
    with suppress(BrokerError, Halted):
        sync(desk)
    account = desk.lease.account
    books = books_of(desk.journal, account)
    return stored.ours_of(desk.journal, account, books.positions), books


def opening(desk: Desk, owner: str | Rules) -> bool:
    """Before a run: the account begins with what the broker says of it, or is compared; equal?

    owner   whose the holdings are that the plan knows, see `attribution`
    """
    account = desk.lease.account
    if stored.opening_for(desk.journal, account) is not None:
        return agree(desk)
    first = opened(desk.broker)
    values = content(desk.request.document.encode())
    holdings = () if is_flattening(values) else Plan.from_document(values).holdings
    run = desk.run
    entries = entries_of(first, holdings, lambda symbol: book_of(symbol, owner), run.run_id)
    with desk.journal.writing(desk.lease) as change:
        stored.begin_account(
            change,
            account,
            first,
            entries_document(entries),
            run_id=run.run_id,
            bucket=run.bucket,
        )
    return True
