"""Who proposed a set of orders as a whole: modules by name, variants of adaptive as `adaptive.cash_drag`."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard.report.words import named

NAMED = 3
"""Modules named in one line; the rest is counted."""


def proposed(by: Sequence[str], most: int = NAMED) -> str:
    """`Proposed as a whole by A, B and 2 more.`, or that no module proposed exactly these orders."""
    return f"Proposed as a whole by {named(by, most)}." if by else "Found by the search alone."
