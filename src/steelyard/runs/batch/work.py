"""What one process does of a run: how far it may go, what it holds, and what it counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from steelyard.errors import StoreError
from steelyard.store import batches, leases
from steelyard.store.batches import Run, Slice, Wish
from steelyard.store.leases import Lease
from steelyard.store.schema import bucket_hold, run_slice
from steelyard.store.store import Store, Transaction

LEASE_SECONDS = 60.0
"""How long a process may be silent until others take over what it was at."""


PACE = 0.2
"""Seconds between two commits of what is quick; a killed process loses as much."""
NOTHING = Slice(0, 0, "", "", b"")


@dataclass(frozen=True, slots=True)
class Progress:
    """Sequences of a run: evaluated ones, and all, of any process."""

    evaluated: int
    total: int


@dataclass(frozen=True, slots=True)
class Done:
    """A range that was evaluated here and is to be written: the digest is of its sequences."""

    lease: Lease
    digest: str
    body: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Note:
    """What was calculated without a claim and is to be written: `start` to `stop` of its part."""

    part: str
    digest: str
    body: bytes
    start: int = 0
    stop: int = 1


@dataclass
class Work:
    """A run in this process.

    batch_size      sequences that are stored at once, at least
    most            sequences that this call may evaluate; None = all
    tell            told how far the run is, whenever something is stored
    begun           told how many sequences there are, in the transaction that writes it
    pace            seconds that pass between two commits, where a batch takes less
    lease_seconds   see `LEASE_SECONDS`; it is extended three times within that
    wait, clock     seconds
    """

    store: Store
    run: Run
    holder: str
    batch_size: int
    most: int | None = None
    tell: Callable[[Progress], None] = lambda _: None
    begun: Callable[[Transaction, Progress], None] = lambda _, __: None
    pace: float = PACE
    lease_seconds: float = LEASE_SECONDS
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.perf_counter
    here: int = 0
    in_slices: bool = False
    _counts: dict[str, Progress] = field(default_factory=dict)
    _lease: Lease | None = None
    _done: Done | None = None
    _notes: list[Note] = field(default_factory=list)
    _noted: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def spent(self) -> bool:
        """Has this call evaluated all that it may?"""
        return self.most is not None and self.here >= self.most

    @property
    def progress(self) -> Progress:
        """How far the run is, by what this process knows."""
        counts = self._counts.values()
        return Progress(sum(c.evaluated for c in counts), sum(c.total for c in counts))

    def begins(self, part: str | None, stored: int, total: int) -> None:
        """So many sequences are to be evaluated in slices, and are stored; raises StoreError.

        part   None = it is of no sequences; one that is begun again, for a module failed, is
               counted once
        """
        self.in_slices = True
        if part is None:
            return
        self._counts[part] = Progress(stored, total)
        with self.store.writing() as transaction:
            self.begun(transaction, self.progress)
        self.tell(self.progress)

    def turn(self, wish: Wish | None = None) -> Lease | Slice:
        """Write what is done and claim what is wanted, as one commit; raises StoreError."""
        got: Lease | Slice = NOTHING
        done, new = self._done, 0
        if wish is None and done is None and not self._notes:
            return got
        with self.store.writing(alone=False) as transaction:
            new = self._write(transaction)
            if wish is not None:
                got = batches.take(transaction, wish, self.holder, self.lease_seconds)
        with self._lock:
            self._done, self._lease = None, got if isinstance(got, Lease) else None
            self._notes.clear()
        if done is not None and new:
            part = str(done.lease.values["part"])
            before = self._counts[part]
            self._counts[part] = Progress(before.evaluated + new, before.total)
            self.tell(self.progress)
        return got

    def done(self, done: Done) -> None:
        """A range is evaluated; it is written with the next turn."""
        self.here += done.count
        self._done = done

    def note(self, note: Note) -> None:
        """Write what was calculated without a claim, with others of the same moment."""
        self.in_slices = True
        self._notes.append(note)
        if self.clock() - self._noted >= self.pace:
            self.turn()
            self._noted = self.clock()

    def release(self) -> None:
        """Write what is done, and leave to others at once what is not; raises StoreError."""
        self.turn()
        with self._lock:
            lease, self._lease = self._lease, None
        if lease is not None:
            with self.store.writing(alone=False) as transaction:
                leases.release(transaction, run_slice, [lease])

    def _write(self, transaction: Transaction) -> int:
        """How many sequences are newly stored."""
        for note in self._notes:
            entry = Slice(note.start, note.stop, leases.DONE, note.digest, note.body)
            batches.note(transaction, self.run.id, note.part, entry)
        done = self._done
        if done is None:
            return 0
        more = {"body": done.body, "finished_at": transaction.stamp}
        if leases.finish(transaction, run_slice, done.lease, done.digest, **more) != "finished":
            return 0
        if done.count:
            batches.counted(transaction, self.run.id, done.count)
        return done.count

    def extend(self, held: Lease | None) -> None:
        """Extend what this process is at; raises StoreError."""
        with self._lock:
            lease = self._lease
        with self.store.writing(alone=False) as transaction:
            if lease is not None:
                leases.extend(transaction, run_slice, [lease], self.lease_seconds)
            if held is not None:
                leases.extend(transaction, bucket_hold, [held], self.lease_seconds)


@dataclass
class Heartbeat:
    """Extends leases from `begin` to `end`, however long a module thinks."""

    work: Work
    bucket: Lease | None = None
    _end: Event = field(default_factory=Event)

    def begin(self) -> Heartbeat:
        """Begin; call it once."""
        self._thread = Thread(target=self._beat, daemon=True)
        self._thread.start()
        return self

    def end(self) -> None:
        """End, after a beat that is under way."""
        self._end.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._end.wait(self.work.lease_seconds / 3):
            try:
                self.work.extend(self.bucket)
            except StoreError:
                continue  # the next beat may be written: there are three to a lease
