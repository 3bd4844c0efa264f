"""Where Steelyard keeps its files: `$STEELYARD_HOME`, by default the user's data folder of the
platform.

Linux: `~/.local/share/steelyard`, or under `$XDG_DATA_HOME`. macOS: `~/Library/Application
Support/steelyard`.
Windows: `%LOCALAPPDATA%\\steelyard`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import platformdirs

from steelyard.errors import SettingsError

VARIABLE = "STEELYARD_HOME"


def home(environment: Mapping[str, str]) -> Path:
    """The folder; nothing is made and nothing is looked at. An empty variable is as good as none.

    Raises SettingsError for `~` and the name of somebody who has no home.
    """
    chosen = environment.get(VARIABLE)
    if not chosen:
        return platformdirs.user_data_path("steelyard", appauthor=False)
    try:
        return Path(chosen).expanduser().absolute()
    except RuntimeError as error:
        raise SettingsError(
            f"{VARIABLE} is {chosen!r}, and nobody of that name has a home. Nothing was planned. "
            "Name a whole path, or unset it."
        ) from error
