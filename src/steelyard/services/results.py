"""What batches were worth: kept under the hash of context and rows, the least used forgotten first.

A batch that is sent again, after an answer that was lost or for the same plan, is not calculated
again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from threading import Lock

from cachetools import LRUCache

from steelyard.arrays import FloatArray, IntArray

MOST_BYTES = 4 * 1024 * 1024
"""Half a million sequences."""
LEAST_BYTES = 128
"""That an entry takes besides its numbers."""


class Results:
    """Nets (k,) by context and rows; `hit` is called where one was there."""

    def __init__(self, hit: Callable[[], None]) -> None:
        self._hit = hit
        self._nets: LRUCache[bytes, FloatArray] = LRUCache(
            MOST_BYTES, lambda net: net.nbytes + LEAST_BYTES
        )
        self._lock = Lock()

    def of(self, context: str, rows: IntArray, score: Callable[[], FloatArray]) -> FloatArray:
        """Of a batch; scored where it is not there."""
        digest = hashlib.sha256(f"{context} {rows.shape}\n".encode())
        digest.update(rows.tobytes())
        key = digest.digest()
        with self._lock:
            net = self._nets.get(key)
        if net is not None:
            self._hit()
            return net
        net = score()
        if net.nbytes + LEAST_BYTES <= MOST_BYTES:
            with self._lock:
                self._nets[key] = net
        return net
