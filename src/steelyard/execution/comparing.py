"""Comparing books and broker for a desk, and keeping the answer."""

from __future__ import annotations

from contextlib import suppress

from steelyard.errors import BrokerError
from steelyard.execution.attribution.stored import books_of, entries_document, entries_of
from steelyard.execution.desk import Desk, Halted
from steelyard.execution.flatten import is_flattening
from steelyard.execution.legs.watch import sync
from steelyard.execution.reconcile import Ours, Reconciliation, opened, reconcile, stored
from steelyard.plans.plan import Plan, content


def agree(desk: Desk) -> bool:
    """Compare, keep the answer, freeze the account where they differ; are they equal?"""
    return compared(desk).clean


def compared(desk: Desk) -> Reconciliation:
    """The same with all of the answer."""
    result = reconcile(desk.broker, lambda: _ours(desk))
    with desk.journal.writing(desk.lease) as change:
        stored.keep(change, result, run_id=desk.run_id, bucket=desk.run.bucket)
    return result


def acknowledged(desk: Desk, reason: str) -> Reconciliation:
    """A person looked: what the broker says now is what the account has, and it is released."""
    result = reconcile(desk.broker, lambda: _ours(desk), pauses=())
    with desk.journal.writing(desk.lease) as change:
        stored.acknowledge(change, result, reason)
    return result


def _ours(desk: Desk) -> Ours:
    # silence shows in the reading that follows, and a late fill is booked and alerted by now
    with suppress(BrokerError, Halted):
        sync(desk)
    account = desk.lease.account
    return stored.ours_of(desk.journal, account, books_of(desk.journal, account).positions)


def opening(desk: Desk) -> bool:
    """Before a run: the account begins with what the broker says of it, or is compared; equal?"""
    account = desk.lease.account
    if stored.opening_for(desk.journal, account) is not None:
        return agree(desk)
    first = opened(desk.broker)
    values = content(desk.request.document.encode())
    holdings = () if is_flattening(values) else Plan.from_document(values).holdings
    run = desk.run
    entries = entries_of(first, holdings, lambda _: run.bucket, run.run_id)
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
