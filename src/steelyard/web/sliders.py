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
class Move:
    """A setting of the strategy that a slider moves.

    was, now   its value before and now; "" = as the strategy has it
    holds      the later setting that moves the same key, so that its value counts; "" = this one's
    """

    key: str
    was: str
    now: str
    holds: str


@dataclass(frozen=True, slots=True)
class Slider:
    """A slider as it is shown; unset: nobody set it, neither by hand nor by a preset.

    moves   what it moves
    """

    name: str
    value: float
    unset: bool
    by: str
    what: str
    ends: tuple[str, str]
    moves: Sequence[Move]


def moves_of(settings: SatelliteSettings) -> Moved:
    """Slider -> the settings that it moves, and to what."""
    return _moved_by(tuple(settings.model_dump(exclude_none=True).items()))


@lru_cache(MOST_REMEMBERED)
def _moved_by(settings: tuple[tuple[str, Any], ...]) -> Moved:
    """What settings move is of them alone: it is asked at every look, and takes a while."""
    return moved_by(SatelliteSettings.model_validate(dict(settings)))


def sliders_of(now: SatelliteSettings, earlier: Moved, later: Moved) -> list[Slider]:
    """Every slider, with what it moved before and moves now."""
    last = {key: setting for setting, moved in later.items() for key in moved}
    return [
        _slider(name, now, (earlier.get(name, {}), later.get(name, {})), last) for name in SLIDERS
    ]


def _slider(
    name: str,
    now: SatelliteSettings,
    moved: tuple[Mapping[str, Any], Mapping[str, Any]],
    last: Mapping[str, str],
) -> Slider:
    """moved: keys and values before, and now; last: key -> the setting whose value counts."""
    value, why = now.chosen(name)
    earlier, later = moved
    keys = [*later, *(key for key in earlier if key not in later)]
    return Slider(
        name=name,
        value=MIDDLE if value is None else value,
        unset=value is None,
        by="by hand" if getattr(now, name) is not None else why,
        what=str(SatelliteSettings.model_fields[name].description),
        ends=ENDS[name],
        moves=[
            Move(
                key=key,
                was=_number(earlier.get(key)),
                now=_number(later.get(key)),
                holds=last[key] if key in later and last[key] != name else "",
            )
            for key in keys
        ],
    )


def _number(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
