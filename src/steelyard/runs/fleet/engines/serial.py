"""A fleet in this process, one account after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from steelyard.runs.fleet.engines import Chunk, Done, Work
from steelyard.runs.fleet.shared import Packed
from steelyard.runs.fleet.worker import begin


class Serial:
    """Works itself."""

    def __init__(self) -> None:
        self._key = ""

    @contextmanager
    def begin(self, packed: Packed) -> Iterator[None]:
        """Make ready."""
        begin(packed)
        self._key = packed.key
        yield

    def map(
        self,
        work: Work,
        chunks: Iterable[Chunk],
        window: int = 0,  # noqa: ARG002 - as every engine
    ) -> Iterator[Done]:
        """One chunk after the other."""
        for chunk in chunks:
            yield chunk, work(self._key, chunk.tasks)
