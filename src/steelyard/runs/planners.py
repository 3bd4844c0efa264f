"""The strategies of stored buckets, read once for as long as their version stays the same.

Every call asks the database by which version the bucket plans, so that what another process
assigned is planned with from the next plan on; only reading the text is saved.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import RLock

from steelyard.buckets import SatelliteSettings, strategy_of
from steelyard.buckets.written import strategy_in
from steelyard.store import assignments, buckets
from steelyard.store.store import Store
from steelyard.store.strategies import Version
from steelyard.strategies import Strategy, default
from steelyard.telemetry.events import CacheCleared

Key = tuple[int, str]
"""Row of the version, and the hash of its text."""


@dataclass
class Planners:
    """One strategy for each bucket, by the version that it was read from."""

    store: Store
    hits: int = 0
    misses: int = 0
    _read: dict[str, tuple[Key, Strategy]] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def strategy(self, bucket: str) -> Strategy:
        """What a bucket plans by now; raises NotStored, SettingsError for a text that is no use."""
        version = assignments.planned_by(self.store, bucket)
        if version is None:
            return without_assignment(buckets.bucket_of(self.store, bucket))
        key = (version.id, version.sha256)
        with self._lock:
            before = self._read.get(bucket)
            if before is not None and before[0] == key:
                self.hits += 1
                return before[1]
            self.misses += 1
            strategy = strategy_of_version(version)
            self._read[bucket] = key, strategy
            return strategy

    def clear(self, bucket: str | None = None) -> int:
        """Forget one bucket's strategy, or all; how many there were."""
        with self._lock:
            names = list(self._read) if bucket is None else [bucket]
            count = sum(self._read.pop(name, None) is not None for name in names)
        with self.store.writing() as transaction:
            transaction.tell(CacheCleared(count), bucket or "")
        return count

    @property
    def hit_rate(self) -> float | None:
        """Part of the calls that read no text; None before the first."""
        calls = self.hits + self.misses
        return self.hits / calls if calls else None


def strategy_of_version(version: Version) -> Strategy:
    """The strategy of a stored version, which names it; SettingsError for a text that is no use."""
    strategy = strategy_in(version.toml, version.name, f"{version.name} v{version.version}")
    return replace(
        strategy,
        name=version.name,
        version=version.version,
        title=version.title,
        text_sha256=version.sha256,
    )


def without_assignment(bucket: buckets.Held) -> Strategy:
    """What a bucket plans by that nothing is assigned to: the default, a satellite's sliders."""
    if bucket.kind == "core":
        return default()
    return strategy_of(SatelliteSettings(satellite_id=bucket.name, **bucket.settings))
