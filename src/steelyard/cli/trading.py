"""What commands that trade share: what is asked for, the journal, the account of a plan."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.cli.output import note
from steelyard.cli.saved import Saved
from steelyard.cli.stored import is_there, opened
from steelyard.environment import home

if TYPE_CHECKING:
    from steelyard.execution.approved import Approved
    from steelyard.execution.journal.journal import Journal

NOTHING_SENT = "Nothing was sent."
LONGEST_ACCOUNT = 64
"""Bytes: each may become four in the name of its lock."""
SHOWN_SIGNS = 40


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file to write what a broker answers to, and one to play back instead of a broker."""

    record: Path | None = None
    replay: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be executed, and where.

    account       None = the one that the plan belongs to
    environment   has the keys of the broker
    """

    saved: Saved
    broker: str
    account: str | None = None
    live: bool = False
    day: Recorded = Recorded()
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)


def folder() -> Path:
    """Where journal, key and kill switch lie."""
    return home(os.environ)


@contextmanager
def journal() -> Iterator[Journal]:
    """The journal, made where there is none; raises JournalFailed.

    Alerts are told on stderr and to the webhook, and the command ends with 1.
    """
    from steelyard.cli.alerts import Alerts
    from steelyard.execution.journal.opening import open_journal

    alerts = Alerts.of(folder(), os.environ)
    entry = open_journal(folder(), heard=alerts)
    try:
        yield entry
    finally:
        entry.close()
        alerts.close()


@contextmanager
def looked_at() -> Iterator[Journal]:
    """The journal, only to be read: its key may be lost, and its chain broken."""
    from steelyard.execution.journal.opening import open_to_look

    entry = open_to_look(folder())
    try:
        yield entry
    finally:
        entry.close()


def was_any_run() -> bool:
    """Is there a journal?"""
    from steelyard.execution.journal.opening import is_there as journal_is_there

    return journal_is_there(folder())


def let_follow(entry: Journal) -> None:
    """Let stored buckets own what runs that are over left of them; what hinders that is told.

    Raises JournalFailed alone.
    """
    if not is_there():
        return
    from steelyard.errors import JournalFailed, SteelyardError
    from steelyard.runs.filled import follow, pending

    try:
        if runs := pending(entry):
            with opened() as store:
                for text in filter(None, (follow(store, entry, run) for run in runs)):
                    note(text)
    except JournalFailed:
        raise
    except SteelyardError as error:
        note(f"The buckets stay as they were; the runs are over as they are. {error}")


def account_of(entry: Journal, plan: Approved, chosen: str | None) -> str:
    """Where a plan is traded: as chosen, else see `execution.accounts`."""
    if chosen is not None:
        return _usable(chosen)
    from steelyard.execution import accounts

    return accounts.account_of(entry, plan, _buckets())


def _usable(name: str) -> str:
    """The name of an account of our own, which names a lock and stands in every line of it."""
    from steelyard.errors import InputError

    if name.strip() and name.isprintable() and len(name.encode()) <= LONGEST_ACCOUNT:
        return name
    raise InputError(
        f"--account is {name[:SHOWN_SIGNS]!r}. {NOTHING_SENT} Give 1 to {LONGEST_ACCOUNT} signs "
        "that can be seen.",
        code="bad_account",
        place="--account",
        value=name,
        limit=f"1 to {LONGEST_ACCOUNT} signs",
    )


def _buckets() -> set[str]:
    if not is_there():
        return set()
    from steelyard.store.buckets import buckets

    with opened() as store:
        return {held.name for held in buckets(store)}
