"""History is never rewritten: what was saved stays, and a plan's version keeps its hash."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from benchmarks.promises.databases import SEED, Profile, draft, folder, made, still
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from steelyard.errors import SteelyardError
from steelyard.store import assignments, buckets, strategies
from steelyard.store.schema import strategy_version
from steelyard.store.store import Store
from steelyard.store.strategies import Version

PROMISE = "History is never rewritten, and what a plan names still has the hash that it names."
HOW = (
    "Random saves, rollbacks, assignments and rollbacks of buckets over three names and three "
    "buckets. After each, the versions of every name must begin with those of before, and each "
    "version by which a bucket planned after any step must have the hash of then."
)
MUTANT = "a save writes over the active version"
NAMES, BUCKETS = ("one", "two", "three"), ("core", "pin", "sat")
STEPS_A_DATABASE = 60
Step = Callable[[Store, random.Random], object]


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """So many steps, sixty on each database."""
    bad = tried = 0
    with folder() as home:
        template = Path(made(str(home / "template.db"), _fill))
        for k in range(-(-profile.steps // STEPS_A_DATABASE)):
            place = home / f"{k}.db"
            place.write_bytes(template.read_bytes())
            store = still(str(place))
            bad += _walk(store, random.Random(SEED + k), mutant)  # noqa: S311 - reproducible
            store.close()
            place.unlink()
            tried += STEPS_A_DATABASE
    return Figure("C4", tried, bad)


def _fill(store: Store) -> None:
    for name in NAMES:
        strategies.save(store, draft(1, name=name))
    for name in BUCKETS[1:]:
        buckets.create(store, name)


def _walk(store: Store, rng: random.Random, mutant: bool) -> int:
    """Breaches of so many steps."""
    steps = [_over if mutant else _save, _rollback, _assign, _rollback_bucket]
    past = _history(store)
    named: dict[tuple[str, int], str] = {}
    bad = 0
    for _ in range(STEPS_A_DATABASE):
        try:
            rng.choice(steps)(store, rng)
        except SteelyardError as error:
            if error.fault.code != "rollback_of_another":
                raise
        now = _history(store)
        bad += any(now[name][: len(past[name])] != past[name] for name in NAMES)
        rows = {(v.name, v.version): v.sha256 for name in NAMES for v in now[name]}
        bad += any(rows.get(key) != sha256 for key, sha256 in named.items())
        for bucket in BUCKETS:
            version = assignments.planned_by(store, bucket)
            if version is not None:
                named[version.name, version.version] = version.sha256
        past = now
    return bad


def _history(store: Store) -> dict[str, list[Version]]:
    """Name -> its versions, oldest first, without which is active: only that may change."""
    return {
        name: [replace(v, active=False) for v in reversed(strategies.history(store, name))]
        for name in NAMES
    }


def _save(store: Store, rng: random.Random) -> None:
    name = rng.choice(NAMES)
    parent = rng.choice([None, 1])
    strategies.save(store, draft(rng.randrange(50), name=name), parent=parent)


def _rollback(store: Store, rng: random.Random) -> None:
    name = rng.choice(NAMES)
    strategies.rollback(store, name, _some(store, rng, name))


def _assign(store: Store, rng: random.Random) -> None:
    name = rng.choice(NAMES)
    number = _some(store, rng, name) if rng.random() < 0.5 else None
    assignments.assign(store, rng.choice(BUCKETS), name, number)


def _rollback_bucket(store: Store, rng: random.Random) -> None:
    bucket = rng.choice(BUCKETS)
    current = assignments.assigned(store, bucket) if bucket in _there(store) else None
    name = rng.choice(NAMES) if current is None else current.name
    if bucket in _there(store):
        assignments.rollback_bucket(store, bucket, _some(store, rng, name), name)


def _over(store: Store, rng: random.Random) -> None:
    """The mutant."""
    table = strategy_version
    new = draft(rng.randrange(50))
    with store.writing() as transaction:
        transaction.connection.execute(
            sa.update(table)
            .where(table.c.name == rng.choice(NAMES), table.c.active == 1)
            .values(toml=new.toml, sha256=new.rules_sha256)
        )


def _some(store: Store, rng: random.Random, name: str) -> int:
    return rng.randint(1, len(strategies.history(store, name)))


def _there(store: Store) -> list[str]:
    return [bucket.name for bucket in buckets.buckets(store)]


if __name__ == "__main__":
    script(measure)
