"""Presets and strategies checked without planning: sentences of what is wrong, none without.

It looks into no database: `stored_health` checks what is in one.
"""

from __future__ import annotations

from collections.abc import Iterator

from steelyard.planning.dry_run import dry_run, minimal_case
from steelyard.strategies import PRESETS, Strategy, preset


def of_strategy(strategy: Strategy, what: str) -> Iterator[str]:
    """What is wrong with a strategy: its settings, plugins, dependencies, modules that fail.

    what   which it is, for people
    """
    for text in dry_run(minimal_case(strategy)).errors:
        yield f"{what}: {text}"


def of_presets() -> Iterator[str]:
    """What is wrong with a preset, or with a module that one runs."""
    for name in PRESETS:
        yield from of_strategy(preset(name), f"The preset {name}")
