"""What commands that trade share: the journal, a broker, the account of a plan.

The paper broker's accounts begin with the plan that is executed first in them, and live at the day
of its prices.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.cli.saved import Saved
from steelyard.cli.stored import is_there, opened
from steelyard.environment import home

if TYPE_CHECKING:
    from steelyard.brokers.broker import Broker
    from steelyard.execution.approved import Approved
    from steelyard.execution.desk import Desk
    from steelyard.execution.journal.journal import Journal
    from steelyard.execution.room import Room

PAPER_FILE = "paper.db"
PAPER_PACE = 0.02
"""Seconds that pass for each simulated one, so that a run can be watched, and interrupted."""
PACE = "STEELYARD_PAPER_PACE"
SHOWN_DIGITS = 8
BROKERS = ("paper", "alpaca", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be executed, and where.

    account   None = the one that the plan belongs to
    """

    saved: Saved
    broker: str
    account: str | None = None
    live: bool = False


def folder() -> Path:
    """Where journal, key and kill switch lie."""
    return home(os.environ)


@contextmanager
def journal() -> Iterator[Journal]:
    """The journal, made where there is none; raises JournalFailed."""
    from steelyard.execution.journal.opening import open_journal

    entry = open_journal(folder())
    try:
        yield entry
    finally:
        entry.close()


def was_any_run() -> bool:
    """Is there a journal?"""
    from steelyard.execution.journal.opening import is_there as journal_is_there

    return journal_is_there(folder())


def account_of(entry: Journal, plan: Approved, chosen: str | None) -> str:
    """Where a plan is traded: as chosen, where it was before, its bucket's, or one of its own.

    A plan of files has an account of its own for each portfolio that it stands on, so that plans of
    other files never meet in it.
    """
    if chosen is not None:
        return chosen
    row = entry.row(
        "SELECT account FROM run WHERE plan_hash = ? ORDER BY rowid LIMIT 1", (plan.plan_id,)
    )
    if row is not None:
        return str(row[0])
    if plan.bucket in _buckets():
        return plan.bucket
    return f"{plan.bucket}-{plan.portfolio[:SHOWN_DIGITS]}"


def _buckets() -> set[str]:
    if not is_there():
        return set()
    from steelyard.store.buckets import buckets

    with opened() as store:
        return {held.name for held in buckets(store)}


def broker_for(wish: Wish, plan: Approved, account: str) -> Broker:
    """The broker of a plan's run, connected to the account; raises BrokerError, SettingsError."""
    if wish.broker == "paper":
        return paper(account, plan)
    raise _no_broker(wish.broker)


def broker_of(name: str, account: str) -> Broker:
    """The broker of a run that is there already."""
    if name == "paper":
        return paper(account, None)
    raise _no_broker(name)


def paper(account: str, plan: Approved | None) -> Broker:
    """The paper broker's account: of a plan, opened by it or moved on to its day; else as it is."""
    from steelyard.brokers.paper import open_paper
    from steelyard.execution.paper import opening_of, prices_of

    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    pace = float(os.environ.get(PACE) or PAPER_PACE)
    if plan is None:
        return open_paper(place / PAPER_FILE, account, pace=pace)
    broker = open_paper(place / PAPER_FILE, account, opening_of(plan), pace=pace)
    broker.reprice(plan.as_of, prices_of(plan), plan.foreign_rates)
    return broker


def room_for(
    entry: Journal, broker: Broker, account: str, show: Callable[[Desk], None] = lambda _: None
) -> Room:
    """What a run in an account has at hand, by the settings of this machine."""
    from steelyard.execution.room import Room
    from steelyard.execution.settings import Limits, PaperHistoryNeeds
    from steelyard.execution.working import Working

    return Room(
        home=folder(),
        journal=entry,
        broker=broker,
        account=account,
        mode="paper",
        limits=Limits(),
        working=Working(),
        needs=PaperHistoryNeeds(),
        show=show,
    )


def _no_broker(name: str) -> Exception:
    from steelyard.errors import InputError, did_you_mean

    near = did_you_mean(name, BROKERS)
    return InputError(
        f"There is no broker {name}.{near} Nothing was sent. There are: {', '.join(BROKERS)}",
        code="no_such_broker",
        place="--broker",
        value=name,
        limit=", ".join(BROKERS),
        hint=near.strip(),
    )
