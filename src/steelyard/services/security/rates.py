"""How often: requests of a token, wrong tokens of an address, requests at once.

All is counted in memory, for the callers seen last; seconds are those of a clock that only goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from steelyard.services.security.limits import Limits

MOST_CALLERS = 10_000
"""Whom is counted for at once."""
WINDOW_SECONDS = 60.0
"""In which wrong tokens are counted."""
Clock = Callable[[], float]


@dataclass(slots=True)
class _Bucket:
    requests: float
    at: float


class Pace:
    """Each token fills a bucket of `burst` requests, at so many a second."""

    def __init__(self, limits: Limits, seconds: Clock) -> None:
        self._limits, self._seconds = limits, seconds
        self._buckets: LRUCache[str, _Bucket] = LRUCache(MOST_CALLERS)

    def wait(self, token_id: str) -> float:
        """Take a request; seconds until there is one, 0 = it is there."""
        now, burst, rate = self._seconds(), self._limits.burst, self._limits.requests_per_second
        bucket = self._buckets.setdefault(token_id, _Bucket(burst, now))
        bucket.requests = min(burst, bucket.requests + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.requests < 1:
            return (1 - bucket.requests) / rate
        bucket.requests -= 1
        return 0.0


@dataclass(slots=True)
class _Count:
    failures: int
    since: float
    until: float = 0.0


class Locks:
    """An address that sends `failures` wrong tokens within a minute is locked out for a while."""

    def __init__(self, limits: Limits, seconds: Clock) -> None:
        self._limits, self._seconds = limits, seconds
        self._counts: LRUCache[str, _Count] = LRUCache(MOST_CALLERS)

    def wait(self, address: str) -> float:
        """Seconds for which it is locked out; 0 = it is not."""
        count = self._counts.get(address)
        return 0.0 if count is None else max(0.0, count.until - self._seconds())

    def failed(self, address: str) -> None:
        """It sent a wrong token."""
        now = self._seconds()
        count = self._counts.get(address)
        if count is None or now - count.since >= WINDOW_SECONDS:
            count = self._counts[address] = _Count(0, now)
        count.failures += 1
        if count.failures >= self._limits.failures:
            self._counts[address] = _Count(0, now, now + self._limits.lock_seconds)


@dataclass(slots=True)
class Room:
    """Places for so many at once."""

    most: int
    used: int = 0

    def enter(self) -> bool:
        """Take a place, if one is free."""
        free = self.used < self.most
        self.used += free
        return free

    def leave(self) -> None:
        """Give it back."""
        self.used -= 1
