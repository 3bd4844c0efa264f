"""In which account a plan trades, where nobody chose one."""

from __future__ import annotations

from collections.abc import Collection

from steelyard.execution.approved import Approved
from steelyard.execution.journal.journal import Journal

SHOWN_DIGITS = 8


def account_of(journal: Journal, plan: Approved, buckets: Collection[str]) -> str:
    """Where the plan was traded before, its bucket's, or one of its own.

    buckets   names of those that are stored
    A plan of files has an account of its own for each portfolio that it stands on, so that plans of
    other files never meet in it.
    """
    query = "SELECT account FROM run WHERE plan_hash = ? ORDER BY rowid LIMIT 1"
    row = journal.row(query, (plan.plan_id,))
    if row is not None:
        return str(row[0])
    if plan.bucket in buckets:
        return plan.bucket
    return f"{plan.bucket}-{plan.portfolio[:SHOWN_DIGITS]}"
