"""How a person's names map to ours: aliases of symbols, and the columns of a file of one's own.

    [alias]
    "BRK/B" = "BRK.B"      # what stands left is read as what stands right, in every file

    [columns]
    symbol = "Ticker"      # our field = the file's column, as --map symbol=Ticker

It is the user's and the broker's, so it never stands in a strategy.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from steelyard.errors import InputError, did_you_mean
from steelyard.importers import values
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.reading import read_text
from steelyard.importers.values import NOTHING, BadCell, shown

TABLES = ("alias", "columns")
FILE = "import.toml"
"""The user's own mapping, in $STEELYARD_HOME."""


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """What a mapping file says; `file` is its name, empty where there is none.

    alias     symbol -> the symbol it is read as
    columns   field of ours -> column of the file
    """

    file: str = ""
    alias: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def own_mapping(home: Path) -> Path | None:
    """The user's own mapping file, where there is one."""
    path = home / FILE
    return path if path.is_file() else None


def read_mapping(path: Path, limits: FileLimits = LIMITS) -> ImportMapping:
    """The mapping of a TOML file; raises InputError for anything in it that is not understood."""
    try:
        content = tomllib.loads(read_text(path, limits))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _unusable(path, f"is not TOML: {error}", "Correct it.", "not_toml") from error
    for name, table in content.items():
        if name not in TABLES or not isinstance(table, dict):
            near = did_you_mean(name, TABLES)
            what = f"has {shown(name)}; a mapping has the tables [alias] and [columns]"
            raise _unusable(path, what, f"Correct it.{near}", "unknown_key")
        for key, value in table.items():
            if not isinstance(value, str):
                what = f"gives {name}.{key} no text but {shown(str(value))}"
                raise _unusable(path, what, f'Write {key} = "…".', "bad_value")
    alias = _alias(path, content.get("alias", {}))
    return ImportMapping(path.name, alias, MappingProxyType(dict(content.get("columns", {}))))


def _alias(path: Path, table: Mapping[str, Any]) -> Mapping[str, str]:
    """The aliases, checked: each side a symbol, and none leads on to another."""
    try:
        alias = {
            values.symbol(old.strip()): values.symbol(new.strip()) for old, new in table.items()
        }
    except BadCell as error:
        raise _unusable(path, f"has an alias whose {error}", "Correct it.", "bad_alias") from error
    for old, new in alias.items():
        if new in alias and new != old:
            what = f"reads {old} as {new} and {new} as {alias[new]}"
            raise _unusable(path, what, "Name the last one for both.", "alias_chain")
    return MappingProxyType(alias)


def _unusable(path: Path, what: str, hint: str, code: str) -> InputError:
    return InputError(f"{path} {what}. {NOTHING} {hint}", code=code, place=str(path), hint=hint)
