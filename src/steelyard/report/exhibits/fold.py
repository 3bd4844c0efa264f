"""Folding: of hundreds or thousands of rows the largest are shown, the rest is summed up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

MOST = 20
"""Rows that are shown of a long list."""
SPARE = 5
"""So few more are shown too: a fold hides more than it takes to say so."""
ALL = "see --json"
"""Where the whole list stands."""

Item = TypeVar("Item")


def folded(
    items: Sequence[Item], size: Callable[[Item], Decimal], most: int | None = MOST
) -> tuple[list[Item], list[Item]]:
    """(the largest in their own order, the rest in theirs); all of them for None.

    >>> folded([1, 9, 2, 8, 3, 7, 4, 6], Decimal, 2)
    ([9, 8], [1, 2, 3, 7, 4, 6])
    """
    if most is None or len(items) <= most + SPARE:
        return list(items), []
    ranked = sorted(range(len(items)), key=lambda i: size(items[i]), reverse=True)
    largest = {*ranked[:most]}
    shown = [item for i, item in enumerate(items) if i in largest]
    return shown, [item for i, item in enumerate(items) if i not in largest]


def first(items: Sequence[Item], most: int = MOST) -> tuple[list[Item], int]:
    """The first of a list that is in order of weight, and how many more there are."""
    cut = len(items) if len(items) <= most + SPARE else most
    return list(items[:cut]), len(items) - cut
