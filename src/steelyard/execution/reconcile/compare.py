"""Both sides in, every line and every break out; pure."""

from __future__ import annotations

from steelyard.brokers.broker import Activity
from steelyard.canonical import plain
from steelyard.execution.reconcile import cash, positions
from steelyard.execution.reconcile.books import books_breaks
from steelyard.execution.reconcile.cash import cash_breaks
from steelyard.execution.reconcile.orders import foreign, order_breaks
from steelyard.execution.reconcile.positions import position_breaks
from steelyard.execution.reconcile.records import (
    MARKED,
    Break,
    Ours,
    Reconciliation,
    Theirs,
    Tolerances,
)

EXPLAINING = frozenset(
    {"DIVIDEND", "INTEREST", "FEE", "CONVERSION", "DEPOSIT", "WITHDRAWAL", "SPLIT"}
)
"""Kinds of activity that account for a difference; another one is to be looked at by a person."""


def compare(ours: Ours, theirs: Theirs, tolerances: Tolerances | None = None) -> Reconciliation:
    """What both sides say, line by line."""
    limits = tolerances or Tolerances()
    unusable = _account(ours, theirs)
    if unusable:
        return Reconciliation(account=ours.account, at=theirs.account.at, breaks=unusable)
    new = [each for each in _once(theirs) if each.activity_id not in ours.opening.seen]
    explained = tuple(each for each in new if each.kind in EXPLAINING)
    others = foreign(ours, theirs)
    shares = positions.lines(ours, theirs, explained, others)
    money = cash.lines(ours, theirs, explained, others)
    breaks = (
        *order_breaks(ours, theirs),
        *position_breaks(shares, theirs.whole, limits),
        *cash_breaks(money, limits),
        *books_breaks(shares, theirs.whole, limits),
    )
    return Reconciliation(
        account=ours.account,
        at=theirs.account.at,
        breaks=breaks,
        positions=shares,
        cash=money,
        explained=explained,
        foreign=others,
        seen=_seen(theirs) | _still_seen(ours),
    )


def _seen(theirs: Theirs) -> frozenset[str]:
    """Ids of all that the broker lists."""
    executions = {fill.exec_id for fill in theirs.fills}
    return frozenset(executions | {each.activity_id for each in theirs.activities})


def _still_seen(ours: Ours) -> frozenset[str]:
    """Ids of what is booked, and marks of what was acknowledged."""
    marks = {name for name in ours.opening.seen if name.startswith(MARKED)}
    return frozenset(marks | {fill.exec_id for fill in ours.fills})


def _once(theirs: Theirs) -> list[Activity]:
    """Activities by age, one that is listed twice once."""
    once = {each.activity_id: each for each in theirs.activities}
    return sorted(once.values(), key=lambda each: (each.at, each.activity_id))


def _account(ours: Ours, theirs: Theirs) -> tuple[Break, ...]:
    """Is it the account that was asked for, and are its figures numbers?"""
    account = theirs.account
    if account.account_id != ours.account:
        why = f"the broker answers for account {account.account_id}, not {ours.account}"
        return (Break(level="unread", code="other_account", subject=ours.account, why=why),)
    figures = [(each.symbol, each.quantity) for each in account.positions]
    figures += [(each.currency, each.amount) for each in account.cash]
    return tuple(
        Break(level="unread", code="no_number", subject=name, why=f"{name} is {plain(figure)}")
        for name, figure in figures
        if not figure.is_finite()
    )
