"""Answers of reads, kept as long as what they were read from stays as it is."""

from __future__ import annotations

from threading import Lock

from cachetools import LRUCache
from starlette.responses import Response

MOST_BYTES = 8 * 1024 * 1024


class Answers:
    """Answers with the state that they are of, by address; those that nobody asks for go first."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._rows: LRUCache[str, tuple[object, Response]] = LRUCache(most, getsizeof=_size)
        self._turn = Lock()

    def get(self, address: str, state: object) -> Response | None:
        """A copy of an answer of this state."""
        with self._turn:
            row = self._rows.get(address)
        return _copy(row[1]) if row is not None and row[0] == state else None

    def put(self, address: str, state: object, answer: Response) -> None:
        """Keep it, unless it is larger than all of them may be."""
        with self._turn:
            row = state, _copy(answer)
            if _size(row) <= self._rows.maxsize:
                self._rows[address] = row


def _copy(answer: Response) -> Response:
    """The same with headers of its own, for whoever adds to them on the way out."""
    copy = Response(answer.body, answer.status_code)
    copy.raw_headers = list(answer.raw_headers)
    return copy


BESIDE = 1000
"""Bytes of an answer beside its body."""


def _size(row: tuple[object, Response]) -> int:
    return len(row[1].body) + BESIDE
