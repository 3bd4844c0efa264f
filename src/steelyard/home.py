"""Where Steelyard keeps its files: `$STEELYARD_HOME`, by default the user's data folder of the platform.

Linux: `~/.local/share/steelyard`, or under `$XDG_DATA_HOME`. macOS: `~/Library/Application Support/steelyard`.
Windows: `%LOCALAPPDATA%\\steelyard`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import platformdirs

VARIABLE = "STEELYARD_HOME"


def home(environment: Mapping[str, str]) -> Path:
    """The folder; nothing is made and nothing is looked at. An empty variable is as good as none."""
    chosen = environment.get(VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_data_path("steelyard", appauthor=False)
