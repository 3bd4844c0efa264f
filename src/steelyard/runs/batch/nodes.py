"""Nodes of a search over whole lots, as they are stored: arrays of numbers behind their sizes.

A stretch takes about 16 bytes a way and 9 a security for each node that it leaves open; once a
search has written `LARGEST` bytes, no more of it is stored.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from steelyard.calculations.digest import digest
from steelyard.planning.search.stretches import Stretch
from steelyard.runs.batch.work import Note, Work
from steelyard.store import batches
from steelyard.store.batches import NODES, Slice

STRETCH_SECONDS = 1.0
"""Between two stretches that are stored; a killed process loses as much."""
LARGEST = 1 << 28
HEAD = struct.Struct("<9q")
DIGITS = 16
GONE_ON = "the search went on from {:,d} nodes that were stored"
ANEW = "what was stored of the search was of another one, and was passed over"


@dataclass
class Nodes:
    """Where one search of a plan is stored (`stretches.Record`).

    of        what names the search beside what it begins with
    remarks   to which is added what came of what was stored
    """

    begun: Callable[[], Work]
    of: str
    seconds: float
    remarks: list[str]
    clock: Callable[[], float] = time.perf_counter
    _bytes: int = 0
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.clock()

    def due(self) -> bool:
        """Has it been a second, and is there room?"""
        now = self.clock()
        if now - self._since < self.seconds or self._bytes > LARGEST:
            return False
        self._since = now
        return True

    def read(self, search: str) -> Sequence[Stretch]:
        """The stretches that are stored without a gap; raises StoreError."""
        work, stretches, at = self.begun(), list[Stretch](), 0
        with work.store.reading() as connection:
            entries = batches.slices(connection, work.run.id, self._part(search))
        for entry in entries:
            if entry.start != at:  # another process cut them elsewhere
                continue
            stretch = _read(entry) if entry.digest == self._digest(search, entry.body) else None
            if stretch is None:
                self.passed_over(search)
                return ()
            self._bytes += len(entry.body)
            stretches.append(stretch)
            at = entry.stop
        return stretches

    def write(self, search: str, stretch: Stretch) -> None:
        """Store a stretch; raises StoreError."""
        body = body_of(stretch)
        self._bytes += len(body)
        if self._bytes <= LARGEST:
            part, of = self._part(search), self._digest(search, body)
            self.begun().note(Note(part, of, body, stretch.start, stretch.stop))

    def went_on(self, nodes: int) -> None:
        """Say so."""
        self.begun().in_slices = True
        self.remarks.append(GONE_ON.format(nodes))

    def passed_over(self, search: str) -> None:
        """Drop what is stored, and say so; raises StoreError."""
        work = self.begun()
        with work.store.writing(alone=False) as transaction:
            batches.forget(transaction, work.run.id, self._part(search))
        self._bytes = 0
        self.remarks.append(ANEW)

    def _part(self, search: str) -> str:
        return f"{NODES}:{digest(of=self.of, search=search).hex()[:DIGITS]}"

    def _digest(self, search: str, body: bytes) -> str:
        return digest(of=self.of, search=search, body=body).hex()


def body_of(stretch: Stretch) -> bytes:
    """A stretch as it is stored."""
    s = stretch
    sizes = (len(s.branched), len(s.number), len(s.way))
    widths = (s.way.shape[1], s.least.shape[1], s.prices.shape[1])
    head = HEAD.pack(s.start, s.stop, s.count, *sizes, *widths)
    arrays = (getattr(s, name).astype(kind) for name, kind, _ in _shapes(*sizes, *widths))
    return head + b"".join(array.tobytes() for array in arrays)


def _read(entry: Slice) -> Stretch | None:
    """A stored stretch; None where its sizes are not those of its numbers."""
    if len(entry.body) < HEAD.size:
        return None
    start, stop, count, *sizes = HEAD.unpack_from(entry.body)
    if min(sizes) < 0 or (start, stop) != (entry.start, entry.stop) or start >= stop:
        return None
    shapes = _shapes(*sizes)
    ends = [math.prod(shape) * np.dtype(kind).itemsize for _, kind, shape in shapes]
    if HEAD.size + sum(ends) != len(entry.body):
        return None
    arrays, at = {}, HEAD.size
    for (name, kind, shape), size in zip(shapes, ends, strict=True):
        numbers = np.frombuffer(entry.body, kind, math.prod(shape), at).reshape(shape)
        arrays[name] = numbers.astype(np.dtype(kind).newbyteorder("="))
        at += size
    return Stretch(start=start, stop=stop, count=count, **arrays)


def _shapes(
    b: int, k: int, r: int, n: int, w: int, p: int
) -> list[tuple[str, str, tuple[int, ...]]]:
    """(array, kind, shape), in the order in which they are stored; see `Stretch`."""
    return [
        ("branched", "<i8", (b,)),
        ("number", "<i8", (k,)),
        ("bound", "<f8", (k,)),
        ("cap", "<f8", (k,)),
        ("least", "<i8", (k, w)),
        ("most", "<i8", (k, w)),
        ("none", "?", (k, n)),
        ("cash", "<f8", (k, 2)),
        ("change", "<f8", (k, n + 1)),
        ("price", "<f8", (k,)),
        ("prices", "<f8", (k, p)),
        ("way", "<i8", (r, n)),
        ("lots", "<i8", (r, n)),
    ]
