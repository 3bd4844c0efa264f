"""Two stored versions compared, in their text and in what acts, as plain JSON values."""

from __future__ import annotations

from typing import Any

from steelyard.runs.planners import strategy_of_version
from steelyard.store.strategies import Version
from steelyard.strategies.diff import document, semantic, unified


def difference(old: Version, new: Version) -> dict[str, Any]:
    """What the second does otherwise; raises SettingsError for one that is no use any more."""
    rules = semantic(strategy_of_version(old), strategy_of_version(new))
    names = [f"{version.name} v{version.version}" for version in (old, new)]
    text = unified(old.toml, new.toml, *names)
    return {"a": _side(old), "b": _side(new), **document(rules), "unified": text}


def _side(version: Version) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.version,
        "title": version.title,
        "sha256": version.sha256,
    }
