"""Sliders of a satellite as its page shows them: where they stand, what they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from steelyard.buckets import SLIDERS, SatelliteSettings, moved_by

MOST_REMEMBERED = 256
"""Settings whose moves are at hand."""
MIDDLE = 0.5
"""Where a slider stands that nobody set."""
ENDS: Mapping[str, tuple[str, str]] = {
    "risk_appetite": ("careful", "bold"),
    "hold_duration": ("days", "half a year"),
    "entry_style": ("buys dips", "buys what rises"),
    "position_spread": ("few, large", "many, small"),
    "profit_taking": ("lets run", "sells early"),
}
"""What 0 and 1 of a slider are."""
Moved = Mapping[str, Mapping[str, Any]]
"""Setting -> the keys that it moves and to what."""


@dataclass(frozen=True, slots=True)
class Slider:
    """A slider as it is shown; unset: nobody set it, neither by hand nor by a preset.

    moves   key, its value before and its value now; "" = as the strategy has it
    """

    name: str
    value: float
    unset: bool
    by: str
    what: str
    ends: tuple[str, str]
    moves: Sequence[tuple[str, str, str]]


def moves_of(settings: SatelliteSettings) -> Moved:
    """Slider -> the settings that it moves, and to what."""
    return _moved_by(tuple(settings.model_dump(exclude_none=True).items()))


@lru_cache(MOST_REMEMBERED)
def _moved_by(settings: tuple[tuple[str, Any], ...]) -> Moved:
    """What settings move is of them alone: it is asked at every look, and takes a while."""
    return moved_by(SatelliteSettings.model_validate(dict(settings)))


def sliders_of(now: SatelliteSettings, earlier: Moved, later: Moved) -> list[Slider]:
    """Every slider, with what it moved before and moves now."""
    return [_slider(name, now, earlier, later) for name in SLIDERS]


def _slider(name: str, now: SatelliteSettings, was_moved: Moved, is_moved: Moved) -> Slider:
    value, why = now.chosen(name)
    earlier, later = was_moved.get(name, {}), is_moved.get(name, {})
    keys = [*later, *(key for key in earlier if key not in later)]
    return Slider(
        name=name,
        value=MIDDLE if value is None else value,
        unset=value is None,
        by="by hand" if getattr(now, name) is not None else why,
        what=str(SatelliteSettings.model_fields[name].description),
        ends=ENDS[name],
        moves=[(key, _number(earlier.get(key)), _number(later.get(key))) for key in keys],
    )


def _number(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
