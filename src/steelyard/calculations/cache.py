"""Results of expensive calculations, kept for a while under the hash of what they are of.

    calculations = Calculations()
    for account in accounts:
        plan(account, market, strategy, calculations=calculations)

A key is the SHA-256 of the inputs, the name of the calculation and its version: what has the same
key has the same result, so that a plan is the same with the cache, without it, cold and warm.
Results are closed to writing. Any number of threads may ask; one of them calculates a key, the
others wait for it. What raises is not kept: whoever waited calculates for itself. The least used go
first where the bytes do not suffice.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from cachetools import TLRUCache

from steelyard.calculations.closed import NotClosed, closed
from steelyard.errors import LONGEST_VALUE, SettingsError, one_line

T = TypeVar("T")

SECONDS = 300.0
MOST_BYTES = 64 * 1024 * 1024
LONGEST = 86_400.0
LARGEST_BYTES = 1 << 40
PER_ENTRY = 400
"""Bytes that an entry takes beside its result: key, place in the order, time of its end."""
VARIABLES = {
    "seconds": "STEELYARD_CALCULATION_SECONDS",
    "most_bytes": "STEELYARD_CALCULATION_BYTES",
}
"""Argument -> the environment variable that sets it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a cache did so far, and what is in it.

    hits, misses   results that were had without work, and that were calculated
    evictions      results that went before their time, for want of bytes
    expired        results whose time was over
    unkept         results that could not be kept: larger than all bytes, or open to change
    entries, bytes   now
    """

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    expired: int = 0
    unkept: int = 0
    entries: int = 0
    bytes: int = 0

    @property
    def hit_rate(self) -> float | None:
        """Part of the results that were had without work; None where nothing was asked for."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


@dataclass(slots=True)
class _Entry:
    """A result with its bytes and how long it is kept, seconds."""

    value: Any
    size: int
    seconds: float


@dataclass(slots=True)
class _Tally:
    """What was counted, of all or of one plan."""

    hits: int = 0
    misses: int = 0
    unkept: int = 0
    evictions: int = 0


class _Turn:
    """A calculation that goes on: whose it is, and what came of it."""

    __slots__ = ("done", "result", "thread")

    def __init__(self) -> None:
        self.thread, self.done = threading.get_ident(), threading.Event()
        self.result: tuple[Any] | None = None


class _Entries(TLRUCache[bytes, _Entry]):
    """The entries, which count what goes."""

    evictions = expired = 0

    def popitem(self) -> tuple[bytes, _Entry]:
        """For want of bytes."""
        self.evictions += 1
        return super().popitem()


class Calculations:
    """A cache of results; see above. `clock` gives seconds, and goes on: backwards it stands."""

    def __init__(
        self,
        *,
        seconds: float = SECONDS,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` and `most_bytes` of 0 keep nothing; raises SettingsError for less."""
        self.seconds = _within("seconds", seconds, LONGEST)
        self.most_bytes = int(_within("most_bytes", most_bytes, LARGEST_BYTES))
        self._clock, self._latest = clock, -math.inf
        self._entries = _Entries(
            self.most_bytes,
            lambda _, entry, now: now + entry.seconds,
            self._now,
            lambda entry: entry.size,
        )
        self._turns: dict[bytes, _Turn] = {}
        self._lock = threading.RLock()
        self._tallies: tuple[_Tally, ...] = (_Tally(),)

    def tally(self) -> Calculations:
        """The same cache, which counts hits and misses anew: those of one plan among many."""
        same = object.__new__(type(self))
        same.__dict__.update(self.__dict__)
        same._tallies = (_Tally(), *self._tallies)
        return same

    def once(self, key: bytes, work: Callable[[], T], *, seconds: float | None = None) -> T:
        """The result under a key; calculated where it is not there.

        key       see `digest`
        seconds   how long it is kept; None = as long as this cache keeps; 0 = not at all
        Raises what `work` raises.
        """
        return self.many([key], lambda _: [work()], seconds=seconds)[0]

    def many(
        self,
        keys: Sequence[bytes],
        work: Callable[[list[int]], Iterable[T]],
        *,
        seconds: float | None = None,
    ) -> list[T]:
        """The results under some keys, in their order; see `once`.

        work   is given the places of those that are not there, and answers in their order
        """
        results: dict[bytes, T] = {}
        lasts = self.seconds if seconds is None else _within("seconds", seconds, LONGEST)
        while True:
            mine, others = self._claimed([key for key in keys if key not in results], results)
            if mine:
                self._calculated(mine, keys, work, lasts, results)
            for key, turn in others:
                turn.done.wait()
                if turn.result is not None:
                    results[key] = turn.result[0]
                    self._count(hits=1)
            if all(key in results for key in keys):
                return [results[key] for key in keys]

    def get(self, key: bytes) -> Any | None:
        """The result under a key; None where none is."""
        with self._lock:
            self._expire()
            entry = self._entries.get(key)
            self._count(hits=entry is not None, misses=entry is None)
        return None if entry is None else entry.value

    def put(self, key: bytes, value: Any, *, seconds: float | None = None) -> None:
        """Keep a result that was calculated elsewhere, in place of what is there; see `once`."""
        lasts = self.seconds if seconds is None else _within("seconds", seconds, LONGEST)
        with self._lock:
            self._entries.pop(key, None)
        self._keep(key, value, lasts)

    def counts(self) -> Counts:
        """What it did so far, and what is in it."""
        with self._lock:
            self._expire()
            entries, tally = self._entries, self._tallies[0]
            size = int(entries.currsize)
            return Counts(
                tally.hits,
                tally.misses,
                tally.evictions,
                entries.expired,
                tally.unkept,
                len(entries),
                size,
            )

    def clear_expired(self) -> int:
        """Forget what is over; how many results that were."""
        with self._lock:
            return self._expire()

    def clear(self) -> None:
        """Forget everything; what was counted stays."""
        with self._lock:
            self._entries.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        """Results do not travel: another process begins with an empty cache of the same size."""
        return _anew, (self.seconds, self.most_bytes)

    def _now(self) -> float:
        self._latest = max(self._latest, self._clock())
        return self._latest

    def _expire(self) -> int:
        gone = len(list(self._entries.expire()))
        self._entries.expired += gone
        return gone

    def _count(self, hits: int = 0, misses: int = 0, unkept: int = 0, evictions: int = 0) -> None:
        with self._lock:
            for tally in self._tallies:
                tally.hits += hits
                tally.misses += misses
                tally.unkept += unkept
                tally.evictions += evictions

    def _claimed(
        self, asked: Iterable[bytes], results: dict[bytes, Any]
    ) -> tuple[list[bytes], list[tuple[bytes, _Turn]]]:
        """(keys to be calculated here, those that others are at); what is there goes into
        `results`.
        """
        mine: list[bytes] = []
        others: list[tuple[bytes, _Turn]] = []
        thread = threading.get_ident()
        with self._lock:
            self._expire()
            for key in dict.fromkeys(asked):
                entry, turn = self._entries.get(key), self._turns.get(key)
                if entry is not None:
                    results[key] = entry.value
                    self._count(hits=1)
                elif turn is None or turn.thread == thread:  # within itself: no waiting for it
                    self._turns.setdefault(key, _Turn())
                    self._count(misses=1)
                    mine.append(key)
                else:
                    others.append((key, turn))
        return mine, others

    def _calculated(
        self,
        mine: list[bytes],
        keys: Sequence[bytes],
        work: Callable[[list[int]], Iterable[T]],
        seconds: float,
        results: dict[bytes, T],
    ) -> None:
        """Calculate what was claimed, keep it, and let go whoever waits for it."""
        try:
            values = list(work([keys.index(key) for key in mine]))
            for key, value in zip(mine, values, strict=True):
                results[key] = self._keep(key, value, seconds)
        finally:
            with self._lock:
                for key in mine:
                    turn = self._turns.pop(key, None)
                    if turn is not None:
                        turn.result = (results[key],) if key in results else None
                        turn.done.set()

    def _keep(self, key: bytes, value: T, seconds: float) -> T:
        """The value as nobody can change it; as it is where it cannot be kept."""
        if seconds == 0 or self.most_bytes == 0:
            return value
        try:
            shut, size = closed(value)
        except NotClosed:
            shut, size = value, self.most_bytes
        size += PER_ENTRY
        with self._lock:
            if size > self.most_bytes:
                self._count(unkept=1)
            else:
                before = self._entries.evictions
                self._entries[key] = _Entry(shut, size, seconds)
                self._count(evictions=self._entries.evictions - before)
        return cast(T, shut)


def _anew(seconds: float, most_bytes: int) -> Calculations:
    return Calculations(seconds=seconds, most_bytes=most_bytes)


def _within(name: str, value: float, most: float) -> float:
    """A setting of a cache; raises SettingsError for one that is none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    raise SettingsError(
        f"{name} is {value!r}: a number from 0, which keeps nothing, to {most:,.0f} is asked for. "
        "Nothing was calculated. Correct it.",
        code="bad_calculation_cache",
        place=name,
        value=repr(value),
        limit=most,
        hint="correct it",
    )


def calculations_from(
    environment: Mapping[str, str], clock: Callable[[], float] = time.monotonic
) -> Calculations:
    """A cache as the environment sets it; raises SettingsError naming variable and range."""
    settings: dict[str, Any] = {}
    for name, variable in VARIABLES.items():
        text = environment.get(variable)
        if not text:
            continue
        try:
            settings[name] = float(text) if name == "seconds" else int(text)
            _within(name, settings[name], LONGEST if name == "seconds" else LARGEST_BYTES)
        except (ValueError, SettingsError) as error:
            shown = one_line(text, LONGEST_VALUE)
            most = f"{LONGEST if name == 'seconds' else LARGEST_BYTES:,.0f}"
            raise SettingsError(
                f"{variable} is {shown!r}: a number from 0, which keeps nothing, to {most} is "
                "asked for. Nothing was planned. Correct it, or unset it.",
                code="bad_calculation_variable",
                place=variable,
                value=shown,
                limit=most,
                hint="correct it, or unset it",
            ) from error
    return Calculations(clock=clock, **settings)
