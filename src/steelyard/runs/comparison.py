"""A comparison of two strategies as plain JSON values.

Money as decimal text, scores and ratios as numbers of 12 digits, what is missing null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from steelyard.canonical import plain, published
from steelyard.runs.bootstrap import LEAST, LEVEL, RESAMPLES, Interval
from steelyard.runs.compare import Compared, Comparison, Mean, Planned, Refused

NO_SIDE: Mapping[str, None] = dict.fromkeys(field.name for field in fields(Mean))


def document(comparison: Comparison) -> dict[str, Any]:
    """`{outcome, why, a, b, snapshots, interval, …}`; a and b are means over what both planned."""
    (a, b), both = comparison.names, len(comparison.both)
    return {
        "outcome": comparison.outcome,
        "why": comparison.why.text,
        "a": {"strategy": a, **_figures(comparison.a)},
        "b": {"strategy": b, **_figures(comparison.b)},
        "snapshots": [_snapshot(case) for case in comparison.snapshots],
        "interval": _interval(comparison),
        "interval_note": None if both >= LEAST else f"none under {LEAST} snapshots; {both} count",
        "tolerance": published(comparison.tolerance),
        "seed": comparison.seed,
    }


def _snapshot(case: Compared) -> dict[str, Any]:
    return {
        "label": case.label,
        "as_of": None if case.as_of is None else case.as_of.isoformat(),
        "base_currency": case.currency,
        "outcome": case.outcome,
        "why": case.why.text,
        "a": _side(case.a),
        "b": _side(case.b),
    }


def _side(side: Planned | Refused) -> dict[str, Any]:
    if isinstance(side, Refused):
        return {"plan_id": None, **NO_SIDE, "refused": side.reason}
    return {**_figures(side), "refused": None}


def _figures(side: Planned | Mean | None) -> dict[str, Any]:
    if side is None:
        return dict(NO_SIDE)
    return {field.name: _plain(getattr(side, field.name)) for field in fields(side)}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    return published(value) if isinstance(value, float) else value


def _interval(comparison: Comparison) -> dict[str, Any] | None:
    if comparison.under_a is None or comparison.under_b is None:
        return None
    return {
        "level": LEVEL,
        "block": comparison.under_a.block,
        "resamples": RESAMPLES,
        "under_a": _ends(comparison.under_a),
        "under_b": _ends(comparison.under_b),
    }


def _ends(interval: Interval) -> dict[str, float]:
    ends = {"mean": interval.mean, "low": interval.low, "high": interval.high}
    return {name: published(value) for name, value in ends.items()}
