"""Stored strategies as lists show them: who plans by each, its last plan, what versions changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from steelyard.buckets.written import strategy_in
from steelyard.errors import SettingsError
from steelyard.runs.setting_changes import changes
from steelyard.store import buckets, plans, strategies
from steelyard.store.buckets import Held
from steelyard.store.plans import PlanRow
from steelyard.store.store import Store
from steelyard.store.strategies import Version

REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Users:
    """Who plans by a name.

    following   buckets that plan by whatever version is active
    pinned      (bucket, version): those that stay with one
    """

    following: tuple[str, ...]
    pinned: tuple[tuple[str, int], ...]

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.following) + len(self.pinned)


@dataclass(frozen=True, slots=True)
class Listed:
    """A name by its active version, with the newest plan by any version of it; None without."""

    version: Version
    users: Users
    last: PlanRow | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A version of a history and how many settings it changed; None where that is unknown."""

    version: Version
    count: int | None


def listed(store: Store) -> list[Listed]:
    """Every stored name."""
    holders = buckets.buckets(store)
    rows = []
    for version in strategies.active(store):
        newest = plans.listed(store, strategy=version.name, most=1)
        rows.append(Listed(version, users(holders, version.name), newest[0] if newest else None))
    return rows


def users(holders: Sequence[Held], name: str) -> Users:
    """Who of these buckets plans by a name."""
    own = [row.assignment for row in holders if row.assignment and row.assignment.name == name]
    return Users(
        tuple(row.bucket for row in own if row.version is None),
        tuple((row.bucket, row.version) for row in own if row.version is not None),
    )


def entries(store: Store, name: str, most: int) -> list[Entry]:
    """The newest versions of a name, each with what it changed in the one that it was made from."""
    versions = strategies.history(store, name)
    by_number = {version.version: version for version in versions}
    rows = []
    for version in versions[:most]:
        before = by_number.get(version.version - 1)
        rows.append(Entry(version, None if before is None else _count(before, version)))
    return rows


def _count(before: Version, version: Version) -> int | None:
    """How many settings differ; None where one of the two can no longer be read."""
    if before.rules_sha256 == version.rules_sha256:
        return 0
    return _counted(before.name, before.toml, version.toml)


@lru_cache(REMEMBERED)
def _counted(name: str, old: str, new: str) -> int | None:
    try:
        return len(changes(strategy_in(old, name), strategy_in(new, name)).rows)
    except SettingsError:
        return None
