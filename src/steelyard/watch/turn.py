"""One process looks at a time: its turn is a lease, extended while it works.

What it writes, it writes in a transaction that extends the lease, so that a process that slept
through its lease writes nothing into the turn of another.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from steelyard.errors import ChangedMeanwhile, StoreError
from steelyard.store import leases, schedules
from steelyard.store.leases import Lease, new_holder
from steelyard.store.schema import scheduler
from steelyard.store.store import Store, Transaction

LOGGER = logging.getLogger("steelyard.watch")
LEASE_SECONDS = 60.0
EXTENDED_EACH_SECONDS = 15.0


@dataclass
class Turn:
    """The turn of this process; `release` it at the end."""

    store: Store
    lease: Lease
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """As `store.writing`; raises ChangedMeanwhile where the turn is another's."""
        with self.store.writing() as transaction:
            self._extend(transaction)
            yield transaction

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Extend it from time to time while something else is done."""
        over = threading.Event()
        thread = threading.Thread(target=self._until, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def release(self) -> None:
        """Leave the turn to others at once."""
        with self.store.writing(alone=False) as transaction:
            schedules.let_go(transaction, self.lease)

    def _until(self, over: threading.Event) -> None:
        while not over.wait(EXTENDED_EACH_SECONDS):
            try:
                with self.store.writing(alone=False) as transaction:
                    self._extend(transaction)
            except (StoreError, ChangedMeanwhile) as error:
                LOGGER.warning("The turn was not extended: %s", error)

    def _extend(self, transaction: Transaction) -> None:
        with self.lock:
            rows = leases.extend(transaction, scheduler, [self.lease], LEASE_SECONDS)
            if not rows:
                raise ChangedMeanwhile(
                    "Another process looks what is due by now: this one was away for longer than "
                    f"{LEASE_SECONDS:.0f} seconds. Nothing more was written.",
                    code="turn_is_over",
                    place="scheduler",
                )
            self.lease = rows[0]


def turn_of(store: Store) -> Turn | None:
    """A turn; None where another process has it."""
    with store.writing() as transaction:
        lease = schedules.hold(transaction, new_holder(), LEASE_SECONDS)
    return None if lease is None else Turn(store, lease)


def looking(store: Store) -> str | None:
    """Who looks now, in words: `process 4711 on HOST`; None = nobody."""
    row = holding(store)
    return None if row is None else row[0]


def holding(store: Store) -> tuple[str, datetime] | None:
    """(who looks now, until when its turn is held if it is dead); None = nobody."""
    row = schedules.holder(store)
    if row is None:
        return None
    host, pid, _ = row[0].rsplit("-", 2)
    return f"process {pid} on {host}", row[1]
