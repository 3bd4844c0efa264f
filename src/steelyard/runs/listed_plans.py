"""Stored plans as lists show them: plain JSON values, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from steelyard.errors import NotStored, did_you_mean
from steelyard.store import plans
from steelyard.store.plans import PlanRow
from steelyard.store.store import Store
from steelyard.store.strategies import titles


@dataclass(frozen=True, slots=True)
class Listed:
    """A stored plan in a list, and the title of its strategy."""

    row: PlanRow
    title: str


def listed(
    store: Store,
    bucket: str | None = None,
    after: plans.Place | None = None,
    most: int | None = None,
    action: str | None = None,
) -> list[Listed]:
    """Stored plans, newest first; NotStored for a bucket without any, where others have some.

    after    only those behind this place in the list
    most     at most so many
    action   only those that act, or hold
    """
    rows = plans.listed(store, bucket=bucket, action=action, after=after, most=most)
    names = titles(store)
    if bucket is not None and not rows and after is None and action is None:
        check_bucket(bucket, plans.buckets(store))
    keys = [(row.strategy, row.strategy_version or 0) for row in rows]
    return [Listed(row, names.get(key) or key[0]) for row, key in zip(rows, keys, strict=True)]


def document(entry: Listed) -> dict[str, Any]:
    """A plan in a list as JSON has it."""
    row = entry.row
    figures = {name: getattr(row, name) for name in ("score", "improvement", "turnover")}
    return {
        "plan_id": row.plan_id,
        "bucket": row.bucket,
        "as_of": row.as_of.isoformat(),
        "saved_at": row.saved_at.isoformat(),
        "strategy": {
            "name": row.strategy,
            "version": row.strategy_version,
            "sha256": row.strategy_sha256,
            "title": entry.title,
        },
        "action": row.action,
        "orders": row.orders,
        **figures,
        "cost": f"{row.cost:f}",
        "base_currency": row.base_currency,
        "inputs_sha256": row.inputs_sha256,
        "files": [dict(file) for file in row.files],
    }


def check_bucket(name: str, others: Sequence[str]) -> None:
    """Raise NotStored for a bucket of which no plan is stored, where others have some."""
    if not others:
        return
    near = did_you_mean(name, others)
    raise NotStored(
        f"No plan of a bucket {name!r} is stored.{near} There are plans of {', '.join(others)}.",
        code="no_plans_of_bucket",
        place="--bucket",
        value=name,
        limit=", ".join(others),
        hint=near.strip(),
    )
