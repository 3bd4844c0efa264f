"""The documents' comparisons: two configurations by what they say, and by what they plan."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np

from steelyard.compat.configuration import PlannerConfiguration, parse_toml_config
from steelyard.compat.planner import HolisticPlanner
from steelyard.compat.records import PlannerContext
from steelyard.runs.compare import Comparison, Planned, Posed, Refused, compare
from steelyard.strategies.diff import Change, semantic, unified


class ConfigurationDiffer:
    """Compares the texts of two configurations."""

    def diff(self, config_a: str, config_b: str) -> list[str]:
        """The lines that differ, as `diff -u` has them, each with its end."""
        return unified(config_a, config_b, "Current", "New").splitlines(keepends=True)

    def semantic_diff(self, config_a: str, config_b: str) -> dict[str, Any]:
        """What of the second acts otherwise: modules of every kind by qualified name, globals too.

        `params_changed` has of each module the parameters that differ, `old` and `new`. Raises
        SettingsError for a text that is no configuration.
        """
        diff = semantic(*(parse_toml_config(text).strategy() for text in (config_a, config_b)))
        return {
            "modules_added": list(diff.modules_added),
            "modules_removed": list(diff.modules_removed),
            "params_changed": {
                name: {side: _values(changes, side) for side in ("old", "new")}
                for name, changes in diff.params_changed.items()
            },
            "globals_changed": {
                key: {"old": change.old, "new": change.new}
                for key, change in diff.globals_changed.items()
            },
        }


def _values(changes: Mapping[str, Change], side: str) -> dict[str, Any]:
    return {key: getattr(change, side) for key, change in changes.items()}


class ABTestRunner:
    """Plans one context by two configurations: same inputs, same seed, nobody wins by default."""

    async def run_test(
        self,
        bucket_id: str,
        config_a: PlannerConfiguration,
        config_b: PlannerConfiguration,
        context: PlannerContext,
    ) -> dict[str, Any]:
        """Both plans in figures, and `winner`: a, b, tie or none, with its reason.

        `end_score` is None, and `num_steps` and `cash_required` 0, of a side that has no plan.
        """
        sides = [HolisticPlanner(config, bucket_id) for config in (config_a, config_b)]
        orders = [await planner.order(context, None) for planner in sides]
        posed = Posed(bucket_id, orders[0].converted.inputs)
        comparison = await asyncio.to_thread(
            compare, orders[0].strategy, orders[1].strategy, [posed], np.random.default_rng(0)
        )
        return _in_words(comparison)


def _in_words(comparison: Comparison) -> dict[str, Any]:
    (case,) = comparison.snapshots
    return {
        "config_a": _side(case.a),
        "config_b": _side(case.b),
        "winner": case.outcome.lower(),
        "why": case.why.text,
    }


def _side(side: Planned | Refused) -> dict[str, Any]:
    if isinstance(side, Refused):
        return {"end_score": None, "num_steps": 0, "cash_required": 0, "refused": side.reason}
    return {
        "end_score": side.score,
        "num_steps": side.steps,
        "cash_required": float(side.cash_required),
        "score_under_other": side.score_under_other,
    }
