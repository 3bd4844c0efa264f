"""A satellite's settings as the text of a strategy, and the text of any strategy read.

    [satellite]              # a table of the sliders, toggles and preset; see `sliders`
    satellite_id = "tech"
    preset = "momentum_hunter"
    risk_appetite = 0.8

Other tables of such a text are the base that the settings are laid over.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from steelyard import strategies
from steelyard.buckets.satellite import SatelliteSettings
from steelyard.buckets.sliders import strategy_of
from steelyard.errors import SettingsError, each
from steelyard.strategies import Strategy
from steelyard.strategies.files.exchange import METADATA
from steelyard.strategies.files.reading import document
from steelyard.strategies.writing import toml

TABLE = "satellite"


def text_of(settings: SatelliteSettings) -> str:
    """The text of a strategy that these settings make; what is not set is not in it."""
    values = settings.model_dump(exclude_none=True)
    lines = [f"{name} = {toml(value)}" for name, value in values.items()]
    return "\n".join([f"[{TABLE}]", *lines]) + "\n"


def strategy_in(
    text: str, name: str, source: str | None = None, *, folder: Path | None = None
) -> Strategy:
    """The strategy of a text, with or without a table of sliders; arguments as of `parse`.

    Raises SettingsError listing every problem.
    """
    values = _satellite(text)
    if values is None:
        return strategies.parse(text, name, source, folder=folder)
    settings = settings_of({"satellite_id": name.lower(), **values}, source or name)
    every = document(text, source or name).values
    rest = {key: value for key, value in every.items() if key not in {TABLE, METADATA}}
    base = strategies.from_mapping(rest, name, folder=folder) if rest else None
    return replace(strategy_of(settings, base), name=name)


def settings_of(values: dict[str, Any], source: str) -> SatelliteSettings:
    """Settings of plain values; raises SettingsError with everything that is wrong."""
    try:
        return SatelliteSettings.model_validate(values)
    except ValidationError as error:
        wrong = [_sentence(fault["loc"], fault["msg"]) for fault in error.errors()]
        raise SettingsError(
            "\n".join([f"The settings of {source} are not usable; nothing was changed.", *wrong]),
            code="satellite_settings",
            place=source,
            faults=each("satellite_settings", wrong, source),
        ) from error


def _sentence(place: tuple[int | str, ...], reason: str) -> str:
    name = ".".join(map(str, place))
    return f"{name}: {reason}." if name else f"{reason}."


def _satellite(text: str) -> dict[str, Any] | None:
    """The table of sliders; None without one, or where the text is not even TOML."""
    if f"[{TABLE}]" not in text:
        return None
    try:
        values = document(text, TABLE).values.get(TABLE)
    except SettingsError:
        return None  # told, with its place, by who reads strategies
    return dict(values) if isinstance(values, dict) else None
