"""Work in its canonical order, done in ranges that are stored as they are done.

1. Take what is done from the store: it must be of what there is to do now.
2. Claim from where nobody is yet, calculate, and write the result and the next claim as one commit.
   What is quick is claimed in longer ranges, so that a commit is made once in a while.
3. What another process is at is waited for, and done here where its lease runs out.

Ranges come in any order and any length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from steelyard.runs.batch.work import Done, Work
from steelyard.store import batches
from steelyard.store.batches import Slice, Wish
from steelyard.store.leases import DONE, Lease

T = TypeVar("T")
LARGEST = 1 << 16
"""Longest range."""
POLL_SECONDS = 0.2
"""Between two looks at what another process is at."""


class OtherSequences(Exception):
    """What is to be done now is not what a stored range is of."""


@dataclass(frozen=True)
class Task(Generic[T]):
    """Work of a part of a run.

    total       things in it
    size        of a range, at least
    digest      (start, stop) -> of what the range is calculated from
    calculate   (start, stop) -> its result, and that as it is stored
    read        a stored range -> its result; raises StoreError
    sequences   are they sequences? These are counted, and one call may do only some
    """

    part: str
    total: int
    size: int
    digest: Callable[[int, int], str]
    calculate: Callable[[int, int], tuple[T, bytes]]
    read: Callable[[Slice], T]
    sequences: bool = False


@dataclass
class Ranges(Generic[T]):
    """A task in this process."""

    work: Work
    task: Task[T]
    _stored: dict[int, Slice] = field(default_factory=dict)
    _size: int = 0

    def results(self) -> Iterator[tuple[Slice, T]]:
        """Of every range, stored or calculated here; of some, where this call may do only some.

        Raises OtherSequences, StoreError.
        """
        work, task, start, others = self.work, self.task, 0, list[Slice]()
        with work.store.reading() as connection:
            entries = batches.slices(connection, work.run.id, task.part)
        self._size, self._stored = task.size, {entry.start: entry for entry in entries}
        before = sum(entry.stop - entry.start for entry in entries if entry.state == DONE)
        work.begins(task.part if task.sequences else None, before, task.total)
        while start < task.total:
            entry = self._stored.get(start)
            if entry is not None and entry.state == DONE:
                yield entry, self._again(entry)
            elif self._spent:  # whatever is there, it is not for this call
                entry = entry or Slice(start, self._next_stored(start), "", "", b"")
            else:
                got = work.turn(self._wish(start, min(task.total, start + self._size)))
                entry = got if isinstance(got, Slice) else _range_of(got)
                if isinstance(got, Lease):
                    yield entry, self._calculated(got, entry)
                elif entry.state == DONE:
                    yield entry, self._again(entry)
                else:
                    others.append(entry)
            start = entry.stop
        work.turn()
        if work.most is None or not task.sequences:
            yield from self._of_others(others)

    def _of_others(self, others: list[Slice]) -> Iterator[tuple[Slice, T]]:
        """What other processes were at, once it is done, or here."""
        while others:
            waiting = list[Slice]()
            for entry in others:
                got = self.work.turn(self._wish(entry.start, entry.stop))
                if isinstance(got, Lease):
                    yield entry, self._calculated(got, entry)
                    self.work.turn()
                elif got.state == DONE:
                    yield got, self._again(got)
                else:
                    waiting.append(entry)
            others = waiting
            if others:
                self.work.wait(POLL_SECONDS)

    @property
    def _spent(self) -> bool:
        return self.task.sequences and self.work.spent

    def _wish(self, start: int, stop: int) -> Wish:
        return Wish(self.work.run.id, self.task.part, start, stop)

    def _next_stored(self, start: int) -> int:
        return min((k for k in self._stored if k > start), default=self.task.total)

    def _again(self, entry: Slice) -> T:
        """A stored range; raises OtherSequences where it is of others."""
        fits = entry.stop <= self.task.total
        if not fits or self.task.digest(entry.start, entry.stop) != entry.digest:
            raise OtherSequences(f"{entry.start:,d} to {entry.stop:,d} of {self.task.part}")
        return self.task.read(entry)

    def _calculated(self, lease: Lease, entry: Slice) -> T:
        """A claimed range; it is written with the next claim."""
        work, task, began = self.work, self.task, self.work.clock()
        result, body = task.calculate(entry.start, entry.stop)
        count = entry.stop - entry.start if task.sequences else 0
        work.done(Done(lease, task.digest(entry.start, entry.stop), body, count))
        seconds = work.clock() - began
        if (work.most is None or not task.sequences) and seconds < work.pace / 2:
            self._size = max(min(self._size * 2, LARGEST), task.size)
        elif seconds > work.pace:
            self._size = max(self._size // 2, task.size)
        return result


def _range_of(lease: Lease) -> Slice:
    return Slice(int(lease.values["start"]), int(lease.values["stop"]), "", "", b"")
