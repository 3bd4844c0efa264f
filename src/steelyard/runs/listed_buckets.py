"""Buckets as lists show them, and one with all that is set of it: plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from steelyard.runs.settings import Shown
from steelyard.store.assignments import Assignment
from steelyard.store.buckets import Held
from steelyard.store.strategies import Version


def document(held: Held, version: Version | None) -> dict[str, Any]:
    """A bucket in a list, with the version that it plans by."""
    return {
        "bucket": held.name,
        "kind": held.kind,
        "status": held.status,
        "budget_weight": held.target_weight,
        "cash": _texts(held.cash),
        "value": None if held.value is None else str(held.value),
        "as_of": None if held.as_of is None else held.as_of.isoformat(),
        "strategy": None if version is None else version.name,
        "version": None if version is None else version.version,
    }


def whole(held: Held, version: Version | None, rows: Sequence[Shown]) -> dict[str, Any]:
    """One bucket with its assignment, its settings and what it was loaded from."""
    return {
        **document(held, version),
        "strategy": _strategy(held.assignment, version),
        "base_currency": held.base_currency,
        "universe": list(held.universe),
        "settings": [row.document() for row in rows],
        "loaded_at": None if held.loaded_at is None else held.loaded_at.isoformat(),
        "files": [dict(entry) for entry in held.files],
        "portfolio_sha256": held.portfolio,
        "market_sha256": held.market,
    }


def _texts(cash: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:f}" for currency, amount in cash.items()}


def _strategy(follows: Assignment | None, version: Version | None) -> dict[str, Any] | None:
    if follows is None or version is None:
        return None
    return {
        "name": version.name,
        "version": version.version,
        "title": version.title,
        "pinned": follows.pinned,
        "assigned_at": follows.assigned_at.isoformat(),
        "assigned_by": follows.assigned_by,
    }
