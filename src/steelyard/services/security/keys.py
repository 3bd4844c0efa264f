"""Keys of brokers are never in a process that answers requests: they are taken out beforehand.

Its children get none either. `steelyard runner` and `steelyard execute` hold them.
"""

from __future__ import annotations

from collections.abc import Mapping

from steelyard.environment import BROKER_KEYS
from steelyard.errors import SettingsError


def refuse_keys(variables: Mapping[str, str]) -> None:
    """Raise SettingsError for a process that has any."""
    names = sorted(name for name in variables if name.startswith(BROKER_KEYS))
    if names:
        raise SettingsError(
            f"{' and '.join(names)} would be in a process that answers requests. Nothing was "
            f"started. Unset them here: env {' '.join(f'-u {name}' for name in names)} steelyard …",
            code="broker_keys_here",
            place=names[0],
            hint=f"unset {' '.join(names)}",
        )
