"""Keys of brokers are never in a process that answers requests: they are taken out beforehand.

Its children get none either. `steelyard runner` and `steelyard execute` hold them.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from steelyard.environment import BROKER_KEYS
from steelyard.errors import SettingsError


def keys_in(variables: Mapping[str, str]) -> list[str]:
    """The variables that hold keys of a broker."""
    return sorted(name for name in variables if name.startswith(BROKER_KEYS))


def take_keys_out(environment: MutableMapping[str, str]) -> list[str]:
    """Delete them; gives their names, to be told."""
    names = keys_in(environment)
    for name in names:
        del environment[name]
    return names


def refuse_keys(variables: Mapping[str, str]) -> None:
    """Raise SettingsError for a process that has any."""
    names = keys_in(variables)
    if names:
        raise SettingsError(
            f"{' and '.join(names)} would be in a process that answers requests. Nothing was "
            f"started. Unset them here: env {' '.join(f'-u {name}' for name in names)} steelyard …",
            code="broker_keys_here",
            place=names[0],
            hint=f"unset {' '.join(names)}",
        )
