"""Where the pages of this home are shown, and of which database: written by what shows them, read
by what sends links.

The address on the first line, the hash of the database's on the second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from steelyard.environment import DATABASE, home
from steelyard.errors import SettingsError

FILE = "pages"
LONGEST = 300
DIGITS = 12


def keep(variables: Mapping[str, str], address: str) -> None:
    """Write it down; a home that cannot be written to keeps none, and links name the usual port."""
    with suppress(OSError):
        (home(variables) / FILE).write_text(f"{address}\n{_database(variables)}\n", "utf-8")


def kept_or(variables: Mapping[str, str], usual: str) -> str:
    """Where they were shown last, or the usual address."""
    text = next(iter(_lines(home(variables))), "")
    fits = text.startswith(("http://", "https://")) and len(text) <= LONGEST and text.isprintable()
    return text if fits else usual


def check_database(variables: Mapping[str, str], nothing: str) -> None:
    """Raise SettingsError where the pages were shown of another database than this command's."""
    lines = _lines(home(variables))
    if len(lines) > 1 and lines[1] != _database(variables):
        raise SettingsError(
            f"The pages of {home(variables)} were shown of another database. {nothing} Set "
            f"{DATABASE} as it is where they were started, or unset it where it is not set there.",
            code="other_database",
            place=DATABASE,
            hint=f"set {DATABASE} as the pages have it",
        )


def _lines(folder: Path) -> list[str]:
    try:
        return (folder / FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _database(variables: Mapping[str, str]) -> str:
    return hashlib.sha256(variables.get(DATABASE, "").encode()).hexdigest()[:DIGITS]
