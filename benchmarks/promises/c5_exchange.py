"""Export and import are the identity, and nothing that a person typed becomes a setting."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.promises.databases import SEED, Profile, folder, still
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from steelyard.errors import SteelyardError
from steelyard.store import strategies
from steelyard.store.store import Store
from steelyard.store.strategies import Draft
from steelyard.strategies.files.exchange import METADATA, apart, together
from steelyard.strategies.files.reading import document, read

PROMISE = "Export and import are the identity, and no text of a person becomes a setting."
HOW = (
    "Generated names, titles, descriptions and TOML with newlines, quotes, #, brackets, "
    "right-to-left marks, controls and lone carriage returns. The text must come back to the byte, "
    "every word of the metadata as it was, and the exported file must set what the text sets. One "
    "case in fifty goes through the database and a file. Counted as bad: each difference."
)
MUTANT = "the title is written as a comment above the text"
EVERY = 50
"""One case of so many goes through the database and a file."""
PIECES = (
    "\n", "\r", "\r\n", "\t", '"', "'", '"""', "'''", "\\", "#", "[", "]", "=", "{", "}", ",", ".",
    "\u202e", "\u2066", "\u200f", "\ufeff", "\x1b[31m", "\x7f", "\x85", "\u2028", "\x01", "é", "ß",
    "\U0001f40e", "a", "title", "max_depth = 99", "[search]", "[metadata]\n", "toml_sha256", " ",
    "\nmax_depth = 99\n", '"\n[search]\nmax_depth = 99\n"', "\\u0000", "# Name: x", "name = 'x'",
)  # fmt: skip
LINES = (
    "[search]", "[limits]", "[costs]", "max_depth = 3", "# a comment \u202e [metadata]", "",
    "fixed = 1.5", 'title = "a # b"', "'quoted \"key\"' = 1", "# Title: x", "  ", "cash = 0.1 # no",
    'text = """\n[metadata]\nx = 1\n"""', "list = [1, 2,\n  3]", "inline = { a = 1, b = 'c' }",
)  # fmt: skip


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """So many generated cases."""
    rng = random.Random(SEED)  # noqa: S311 - the same cases each time
    bad = injected = 0
    with folder() as home:
        store = still(str(home / "store.db"))
        for k in range(profile.exchanges):
            text, words = toml(rng), metadata(rng)
            exported = _as_comments(text, words) if mutant else together(text, words)
            more = _settings(exported) != _settings(text)
            injected += more
            bad += more or apart(exported) != (text, {**apart(exported)[1], **words})
            if k % EVERY == 0 and not mutant:
                bad += not _through_the_store(store, text, words, home / "exported.toml")
        store.close()
    return Figure("C5", profile.exchanges, bad, note=f"{injected} injected settings")


def typed(rng: random.Random, most: int) -> str:
    """What a person might type, or paste."""
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, most)))


def metadata(rng: random.Random) -> dict[str, str | int]:
    """What an export says of a version."""
    name = "".join(rng.choice("abcXYZ019_-") for _ in range(rng.randint(1, 20)))
    return {
        "name": f"n{name}",
        "title": typed(rng, 12),
        "description": typed(rng, 30),
        "version": rng.randint(1, 10**6),
    }


def toml(rng: random.Random) -> str:
    """Some text that is TOML, whatever it sets."""
    while True:
        lines = [rng.choice(LINES) for _ in range(rng.randint(0, 8))]
        text = rng.choice(["\n", "\n", "\r\n"]).join(lines) + rng.choice(["", "\n", "\n\n"])
        if _settings(text) is not None:
            return text


def _settings(text: str) -> Mapping[str, Any] | None:
    """What a text sets, without its table of metadata; None for no TOML."""
    try:
        values = document(text, "case").values
    except SteelyardError:
        return None
    return {key: value for key, value in values.items() if key != METADATA}


def _through_the_store(store: Store, text: str, words: Mapping[str, Any], file: Path) -> bool:
    """Does a version come back from a file that was exported from the database?"""
    title, description = str(words["title"])[:100], str(words["description"])
    saved = strategies.save(
        store,
        Draft(name=str(words["name"]), toml=text, rules_sha256="0" * 64, title=title,
              description=description),
    ).version  # fmt: skip
    exported = together(
        saved.toml, {"name": saved.name, "title": saved.title, "description": saved.description}
    )
    file.write_text(exported, encoding="utf-8", newline="")
    again, table = apart(read(file))
    same = {"name": words["name"], "title": saved.title, "description": description}
    return again == text and table.items() >= same.items() and saved.title in (title, saved.title)


def _as_comments(text: str, words: Mapping[str, Any]) -> str:
    """The mutant."""
    return f"# Name: {words['name']}\n# Title: {words['title']}\n\n{text}"


if __name__ == "__main__":
    script(measure)
