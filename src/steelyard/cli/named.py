"""A strategy by what is typed: a preset's name, a file, or `NAME@VERSION` of what is stored.

A name that is a preset's means the preset, so that planning from files loads no database; a stored
strategy of such a name is `NAME@active`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.cli.stored import is_there, opened

if TYPE_CHECKING:
    from steelyard.errors import SettingsError
    from steelyard.store.strategies import Version
    from steelyard.strategies import Strategy

ACTIVE = "active"
MOST_DIGITS = 9


def strategy_named(text: str) -> Strategy:
    """The strategy; raises SettingsError, or NotStored with the nearest names."""
    from steelyard.strategies import PRESETS, find
    from steelyard.strategies.presets import is_bare

    name, at, _ = text.partition("@")
    bare = is_bare(name) and not Path(text).exists() and not text.endswith(".toml")
    if text in PRESETS or not bare or not is_there():
        return from_file(Path(text)) if Path(text).is_file() and text not in PRESETS else find(text)
    from steelyard.runs.planners import strategy_of_version

    if at:
        return strategy_of_version(version_named(text))
    version = _stored(name)
    if version is None:
        raise _nowhere(name)
    return strategy_of_version(version)


def from_file(path: Path) -> Strategy:
    """The strategy of a file, with a table of sliders or without; raises SettingsError."""
    from steelyard.buckets.written import TABLE, strategy_in
    from steelyard.strategies import load
    from steelyard.strategies.files.reading import read

    text = read(path)
    if f"[{TABLE}]" not in text:
        return load(path)
    return strategy_in(text, path.stem, str(path), folder=path.parent)


def version_named(text: str) -> Version:
    """A stored version as `NAME`, `NAME@3` or `NAME@active`; raises NotStored."""
    from steelyard.store.strategies import version

    name, _, which = text.partition("@")
    number = None if which in {"", ACTIVE} else number_of(which)
    with opened() as store:
        return version(store, name, number)


def number_of(text: str) -> int:
    """A version as `3` or `v3`; raises InputError."""
    from steelyard.errors import InputError

    digits = text.lower().removeprefix("v")
    if digits.isascii() and digits.isdigit() and 0 < len(digits) <= MOST_DIGITS and int(digits):
        return int(digits)
    raise InputError(
        f"{text!r} is no version: versions are whole numbers from 1. Nothing was done.",
        code="bad_version",
        place="VERSION",
        value=text,
        limit="a whole number from 1",
        hint="steelyard strategy history NAME",
    )


def _nowhere(name: str) -> SettingsError:
    from steelyard.errors import SettingsError, did_you_mean
    from steelyard.store.strategies import names
    from steelyard.strategies import PRESETS

    with opened() as store, store.reading() as connection:
        every = [*PRESETS, *names(connection)]
    near = did_you_mean(name, every)
    return SettingsError(
        f"There is no preset {name!r}, no file and no stored strategy of that name.{near} Nothing "
        "was planned. To see them: steelyard strategy list",
        code="no_strategy_of_that_name",
        place="--strategy",
        value=name,
        limit=", ".join(every),
        hint=near.strip() or "steelyard strategy list",
    )


def _stored(name: str) -> Version | None:
    """The active version of a name, None without any."""
    from steelyard.errors import NotStored

    try:
        return version_named(name)
    except NotStored:
        return None
