"""Where the pages of this home are shown: written by what shows them, read by what sends links."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

FILE = "pages"
LONGEST = 300


def keep(home: Path, address: str) -> None:
    """Write it down; a home that cannot be written to keeps none, and links name the usual port."""
    with suppress(OSError):
        (home / FILE).write_text(f"{address}\n", encoding="utf-8")


def kept_or(home: Path, usual: str) -> str:
    """Where they were shown last, or the usual address."""
    try:
        text = (home / FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return usual
    fits = text.startswith(("http://", "https://")) and len(text) <= LONGEST and text.isprintable()
    return text if fits else usual
