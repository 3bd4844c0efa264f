"""Environment variables that the commands obey: the one table of them, and where files lie by
default.

`docs/cli.md` is written from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Variable(NamedTuple):
    """One variable: what it sets, and what holds where it is unset or empty."""

    name: str
    meaning: str
    default: str


VARIABLES = (
    Variable(
        "STEELYARD_HOME",
        "the folder where Steelyard keeps its files; `~` is the user's home",
        "the data folder of the user, below",
    ),
    Variable(
        "STEELYARD_LOG",
        "from which level on the log goes to stderr: `debug`, `info`, `warning` or `error`",
        "no log",
    ),
    Variable(
        "STEELYARD_FAILURE_THRESHOLD",
        "failures in a row that put a module out of service: 1 to 1,000",
        "3",
    ),
    Variable(
        "STEELYARD_OPEN_SECONDS",
        "seconds that a module is out of service before one plan tries it: over 0, at most 86,400",
        "300",
    ),
)

HEALTH_FILE: Mapping[str, str] = MappingProxyType(
    {
        "Linux": "`~/.local/share/steelyard/health.json`; under `$XDG_DATA_HOME` where that is set",
        "macOS": "`~/Library/Application Support/steelyard/health.json`",
        "Windows": r"`%LOCALAPPDATA%\steelyard\health.json`",
    }
)
"""Platform -> where the failures of modules are kept while `STEELYARD_HOME` is unset."""
