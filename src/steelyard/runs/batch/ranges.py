"""Sequences in their canonical order, evaluated in ranges that are stored as they are done.

1. Take what is done from the store: its sequences must be those that were generated now.
2. Claim from where nobody is yet, evaluate, and write the result and the next claim as one commit.
   What is quick is claimed in longer ranges, so that a commit is made once in a while.
3. What another process is at is waited for, and done here where its lease runs out.

Ranges come in any order and any length: the best few of all are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Scores
from steelyard.runs.batch.best import Best, packed, unpacked
from steelyard.runs.batch.work import Done, Work
from steelyard.store import batches
from steelyard.store.batches import Slice, Wish
from steelyard.store.leases import DONE, Lease

LARGEST = 1 << 16
"""Sequences of a range."""
POLL_SECONDS = 0.2
"""Between two looks at what another process is at."""


class OtherSequences(Exception):
    """The sequences that were generated now are not those of a stored range."""


@dataclass
class Ranges:
    """The evaluation of one table's sequences.

    part       of the run
    rows       (k, d)  every sequence, in order
    evaluate   (number, rows) -> their scores
    best       of what came by so far
    """

    work: Work
    part: str
    rows: IntArray
    evaluate: Callable[[int, IntArray], Scores]
    best: Best
    _stored: dict[int, Slice] = field(default_factory=dict)
    _size: int = 0

    def scores(self) -> Iterator[Scores]:
        """Of every range, stored or evaluated here; of some, where this call may do only some.

        Raises OtherSequences, StoreError.
        """
        work, start, total, others = self.work, 0, len(self.rows), list[Slice]()
        self._size = work.batch_size
        with work.store.reading() as connection:
            entries = batches.slices(connection, work.run.id, self.part)
        self._stored = {entry.start: entry for entry in entries}
        before = sum(entry.stop - entry.start for entry in entries if entry.state == DONE)
        work.begins(self.part, before, total)
        while start < total:
            entry = self._stored.get(start)
            if entry is not None and entry.state == DONE:
                yield self._again(entry)
            elif work.spent:  # whatever is there, it is not for this call
                entry = entry or Slice(start, self._next_stored(start), "", "", b"")
            else:
                got = work.turn(Wish(work.run.id, self.part, start, min(total, start + self._size)))
                entry = got if isinstance(got, Slice) else _range_of(got)
                if isinstance(got, Lease):
                    yield self._evaluated(got, entry)
                elif entry.state == DONE:
                    yield self._again(entry)
                else:
                    others.append(entry)
            start = entry.stop
        work.turn()
        yield from self._of_others(others)

    def _of_others(self, others: list[Slice]) -> Iterator[Scores]:
        """What other processes were at, once it is done, or here."""
        while others and self.work.most is None:
            waiting = list[Slice]()
            for entry in others:
                got = self.work.turn(Wish(self.work.run.id, self.part, entry.start, entry.stop))
                if isinstance(got, Lease):
                    yield self._evaluated(got, entry)
                    self.work.turn()
                elif got.state == DONE:
                    yield self._again(got)
                else:
                    waiting.append(entry)
            others = waiting
            if others:
                self.work.wait(POLL_SECONDS)

    def _next_stored(self, start: int) -> int:
        return min((k for k in self._stored if k > start), default=len(self.rows))

    def _again(self, entry: Slice) -> Scores:
        """A stored range; raises OtherSequences where it is of others."""
        rows = self.rows[entry.start : entry.stop]
        if len(rows) != entry.stop - entry.start or rows_digest(rows) != entry.digest:
            raise OtherSequences(f"{entry.start:,d} to {entry.stop:,d}")
        scores = unpacked(entry.start, entry.body, self.rows.shape[1])
        self.best.enter(scores)
        return scores

    def _evaluated(self, lease: Lease, entry: Slice) -> Scores:
        """A claimed range, evaluated; it is written with the next claim."""
        work, began = self.work, self.work.clock()
        rows = self.rows[entry.start : entry.stop]
        scores = self.evaluate(entry.start, rows)
        body = packed(scores, self.best.enter(scores))
        work.done(Done(lease, rows_digest(rows), body, len(rows)))
        seconds = work.clock() - began
        if work.most is None and seconds < work.pace / 2:
            self._size = max(min(self._size * 2, LARGEST), work.batch_size)
        elif seconds > work.pace:
            self._size = max(self._size // 2, work.batch_size)
        return scores


def _range_of(lease: Lease) -> Slice:
    return Slice(int(lease.values["start"]), int(lease.values["stop"]), "", "", b"")


def rows_digest(rows: IntArray) -> str:
    """Of sequences, the same on every machine."""
    return hashlib.sha256(rows.astype("<i4").tobytes()).hexdigest()
