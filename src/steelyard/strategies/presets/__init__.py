"""Presets: strategies to begin with, each a commented TOML file beside this one.

In: a name. Out: the text of the file. To add one: a file here, and its name below.
"""

import re
from pathlib import Path
from typing import Final

from steelyard.errors import SettingsError, did_you_mean

PRESETS: Final = (
    "default",
    "conservative",
    "aggressive",
    "momentum_hunter",
    "dip_buyer",
    "steady_eddy",
    "dividend_catcher",
    "us_taxable",
)
SUFFIX: Final = ".toml"
NO_PATH: Final = "a name has no path in it"

_FOLDER: Final = Path(__file__).resolve().parent
_BARE: Final = re.compile(r"\w[\w.\-]*")


def is_bare(name: str) -> bool:
    """Is it a plain name, without a path?"""
    return _BARE.fullmatch(name) is not None and ".." not in name


def text_of(name: str) -> str:
    """The TOML text of a preset; raises SettingsError for a name that none has."""
    if name in PRESETS:
        return (_FOLDER / f"{name}{SUFFIX}").read_text(encoding="utf-8")
    if not is_bare(name):
        raise SettingsError(
            f"{name!r} is no preset: {NO_PATH}. Presets are {', '.join(PRESETS)}.",
            code="preset_is_no_path",
            value=name,
            limit=", ".join(PRESETS),
            hint=NO_PATH,
        )
    raise SettingsError(
        f"There is no preset {name!r}.{did_you_mean(name, PRESETS)} Presets are "
        f"{', '.join(PRESETS)}.",
        code="no_such_preset",
        value=name,
        limit=", ".join(PRESETS),
        hint=did_you_mean(name, PRESETS).strip(),
    )
