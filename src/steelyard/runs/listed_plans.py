"""Stored plans as lists show them: plain JSON values, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from steelyard.errors import NotStored, did_you_mean
from steelyard.sentences import money
from steelyard.store import plans
from steelyard.store.plans import Flow, PlanRow
from steelyard.store.store import Store
from steelyard.store.strategies import titles


@dataclass(frozen=True, slots=True)
class Listed:
    """A stored plan in a list, the title of its strategy, and what was asked of it, in words."""

    row: PlanRow
    title: str
    asked: str = ""


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


def with_asked(store: Store, entries: Sequence[Listed]) -> list[Listed]:
    """The same with what was asked of each; reads every document."""
    asked = plans.flows(store, [entry.row.plan_id for entry in entries])
    return [replace(entry, asked=in_words(asked.get(entry.row.plan_id, ()))) for entry in entries]


def in_words(flows: Sequence[Flow]) -> str:
    """`invest 5,000 USD`; "" for a plan that rebalances."""
    texts = []
    for flow in flows:
        amount = abs(flow.amount)
        digits = 0 if amount == amount.to_integral_value() else 2
        does = "invest" if flow.amount > 0 else "withdraw"
        texts.append(f"{does} {money(amount, digits)} {flow.currency}")
    return ", ".join(texts)


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
