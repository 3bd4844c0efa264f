"""Which engine makes plans, whether the other one watches, and what is done where they differ.

`[engine]` of `$STEELYARD_HOME/execution.toml`, over that the environment. Read when a run begins
and frozen into it: a change counts from the next run on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from steelyard.errors import SettingsError

Engine = Literal["fast", "reference"]
OnDivergence = Literal["log", "alert", "block"]
FILE = "execution.toml"
TABLE = "engine"
NOTHING = "Nothing was planned."

ALIASES: Mapping[str, tuple[str, str, str]] = {
    "USE_NEW_PORTFOLIO_REBALANCER": ("active", "fast", "reference"),
    "ENABLE_REBALANCER_COMPARISON": ("shadow", "on", "none"),
    "ENABLE_REBALANCER_MONITORING": ("on_divergence", "alert", "log"),
}
"""Variable of the documents -> setting, its value where the variable is true, where it is false."""
TRUTH = {"1": True, "true": True, "yes": True, "on": True}
TRUTH |= {"0": False, "false": False, "no": False, "off": False}


class EngineSettings(BaseModel):
    """The section `[engine]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    active: Engine = Field(
        "fast", description="which engine makes plans: the planner, or exact target weights"
    )
    shadow: Literal["on", "none"] = Field(
        "on", description="does the other engine calculate beside it, to be compared"
    )
    on_divergence: OnDivergence = Field(
        "alert",
        description="of an unexplained difference: note it; also end with 1; also make no plan",
    )


def engine_settings(table: Mapping[str, Any], environment: Mapping[str, str]) -> EngineSettings:
    """The settings of a table, over them the documents' variables, over these our own.

    Raises SettingsError for an unknown name or value.
    """
    values = {**table, **_aliases(environment)}
    for name in EngineSettings.model_fields:
        chosen = environment.get(variable(name))
        values |= {name: chosen} if chosen else {}
    try:
        return EngineSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join((TABLE, *map(str, first["loc"])))
        value = first["input"]
        raise SettingsError(
            f"{key} is {value!r}: {first['msg']}. {NOTHING} It is set in {FILE} or by "
            f"{variable(str(first['loc'][-1]))}.",
            code="bad_engine_setting",
            place=key,
            value=value,
            limit=first["msg"],
            hint=f"correct it in {FILE}, or leave it out",
        ) from error


def variable(name: str) -> str:
    """The environment variable of a setting.

    >>> variable("active")
    'STEELYARD_ENGINE_ACTIVE'
    """
    return f"STEELYARD_ENGINE_{name.upper()}"


def read_engine(home: Path, environment: Mapping[str, str]) -> EngineSettings:
    """The settings of a home folder; without a file there, the defaults.

    Raises SettingsError for a file that cannot be read, and as `engine_settings`.
    """
    path = home / FILE
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):  # there is no home yet, or none can be
        document = {}
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}. {NOTHING} Correct it, or remove it.",
            code="bad_execution_file",
            place=str(path),
            hint="correct it, or remove it",
        ) from error
    table = document.get(TABLE, {})
    return engine_settings(table if isinstance(table, dict) else {TABLE: table}, environment)


def _aliases(environment: Mapping[str, str]) -> dict[str, str]:
    """What the documents' variables say."""
    values = {}
    for name, (setting, if_true, if_false) in ALIASES.items():
        chosen = environment.get(name, "").strip().lower()
        if chosen and chosen not in TRUTH:
            raise SettingsError(
                f"{name} is {environment[name]!r}; it takes {', '.join(TRUTH)}. {NOTHING}",
                code="bad_flag",
                place=name,
                value=environment[name],
                limit=", ".join(TRUTH),
                hint=f"unset it, or say {variable(setting)}",
            )
        if chosen:
            values[setting] = if_true if TRUTH[chosen] else if_false
    return values
