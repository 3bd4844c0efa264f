"""What is stored, checked without planning: strategies, buckets, their money.

Every check answers with sentences of what is wrong; nothing wrong is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import Any

from steelyard.canonical import plain
from steelyard.errors import NotStored, SettingsError
from steelyard.planning.case import Case
from steelyard.planning.dry_run import DryRun, dry_run, minimal_case
from steelyard.runs.health import of_strategy
from steelyard.runs.module_health import listed, out_of_service
from steelyard.runs.planners import Planners, strategy_of_version
from steelyard.store import buckets, strategies
from steelyard.store import inputs as kept_inputs
from steelyard.store.assignments import CORE, planned_by
from steelyard.store.buckets import Held
from steelyard.store.plans import timings
from steelyard.store.store import Store
from steelyard.store.strategies import Version
from steelyard.strategies import Strategy
from steelyard.telemetry.health import Health


def of_stored(store: Store) -> Iterator[str]:
    """What is wrong with the active version of a strategy, or with one that a bucket plans by."""
    versions = {version.id: version for version in strategies.active(store)}
    for bucket in buckets.buckets(store):
        version = planned_by(store, bucket.name)
        if version is not None:
            versions.setdefault(version.id, version)
    for version in versions.values():
        yield from of_version(version)


def of_version(version: Version) -> Iterator[str]:
    """What is wrong with a stored version."""
    what = f"The strategy {version.name} v{version.version}"
    try:
        strategy = strategy_of_version(version)
    except SettingsError as error:
        yield f"{what}: {error}"
        return
    yield from of_strategy(strategy, what)


def run_of_bucket(store: Store, name: str) -> DryRun:
    """A dry run of what a bucket plans with, on what it owns; raises NotStored."""
    buckets.bucket_of(store, name)
    try:
        strategy = Planners(store).strategy(name)
    except SettingsError as error:
        return DryRun({}, errors=(str(error),))
    return run_with(store, name, strategy)


def run_with(store: Store, name: str, strategy: Strategy) -> DryRun:
    """A dry run of a strategy on what a bucket owns, on cash alone where that is nothing yet.

    Raises NotStored for a bucket that is not there, but the core: every account has one.
    """
    try:
        bucket = buckets.bucket_of(store, name)
    except NotStored:
        if name != CORE:
            raise
        return _on_cash(name, strategy)
    if bucket.portfolio is None or bucket.market is None:
        return _on_cash(name, strategy)
    inputs = kept_inputs.load(store, bucket.portfolio, bucket.market)
    case = Case(
        snapshot=inputs.snapshot, market=inputs.market, strategy=strategy, targets=inputs.targets
    )
    return dry_run(case, timings(store))


def _on_cash(name: str, strategy: Strategy) -> DryRun:
    run = dry_run(minimal_case(strategy))
    nothing = f"The bucket {name} has no holdings yet: its strategy was tried on cash alone."
    return replace(run, warnings=(*run.warnings, nothing))


def of_bucket(store: Store, circuits: Health, name: str) -> dict[str, Any]:
    """`{status, modules, warnings, errors}` of what a bucket plans with; raises NotStored."""
    run = run_of_bucket(store, name)
    errors, warnings = [*run.errors, *of_buckets(store)], [*run.warnings]
    states = {f"{row['kind']}.{row['name']}": row for row in listed(circuits, None)}
    modules = {
        module: {**loaded, "state": states[module]["state"] if module in states else "closed"}
        for module, loaded in run.document()["modules_loaded"].items()
    }
    mine = [states[module] for module in modules if module in states]
    errors += out_of_service(mine)
    trial = [row for row in mine if row["state"] == "half-open"]
    warnings += [f"The module {row['kind']}.{row['name']} is on trial." for row in trial]
    status = "unhealthy" if errors else "healthy"
    return {"status": status, "modules": modules, "warnings": warnings, "errors": errors}


def of_buckets(store: Store) -> Iterator[str]:
    """What is wrong with the buckets as a whole: their universes, and their money."""
    yield from overlaps(buckets.buckets(store))
    yield from unbalanced(buckets.balances(store))


def overlaps(held: Sequence[Held]) -> Iterator[str]:
    """Securities that two buckets may both buy.

    A trade of one would be the other's as well: an account knows no buckets.
    """
    for a, b in combinations(held, 2):
        both = sorted({*a.universe} & {*b.universe})
        if both:
            names = ", ".join(both)
            yield f"The universes of the buckets {a.name} and {b.name} overlap: {names}."


def unbalanced(balances: dict[str, tuple[Decimal, Decimal]]) -> Iterator[str]:
    """Currencies in which the buckets' cash is not the account's."""
    for currency, (booked, account) in balances.items():
        if booked != account:
            yield (
                f"The buckets have {currency} {plain(booked)} of cash, and the account {currency} "
                f"{plain(account)}: {plain(booked - account)} apart."
            )
