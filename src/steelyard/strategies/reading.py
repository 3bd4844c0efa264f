"""TOML text to plain values, and where each key stands: caps first, then syntax, every refusal with its place.

One scan in linear time looks at structure alone, before the parser meets the text: what is too large or too deep never
reaches it.
"""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from steelyard.errors import SettingsError

MAX_BYTES = 64 * 1024
MAX_NESTING = 32
"""Most brackets inside each other."""
MAX_PARTS = 16
"""Most parts of a dotted key: more than any strategy has, less than hurts a parser."""
MAX_DIGITS = 4300
"""Python reads no longer whole number."""

BOM = "\ufeff"
LINE_END = "\n"
AT_END = "end of document"

# Texts and comments are swallowed whole, so that what is left is structure; a quote that nothing closes stands alone.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|'
    r"'''.*?'''|"
    r'"(?!"")(?:\\.|[^"\\\n])*"|'
    r"'(?!'')[^'\n]*'|"
    r"""#[^\n]*|[\[\]{}.=,\n]|[^\s"'#\[\]{}.=,]+|["']""",
    re.DOTALL,
)
_DEPTH: Mapping[str, int] = MappingProxyType({"[": 1, "{": 1, "]": -1, "}": -1})
_QUOTES = frozenset("\"'")
_ENDS_KEY = frozenset("[]{}=,\n")
_SIGNS = _ENDS_KEY | {"."}
_LONG_NUMBER = re.compile(rf"\d[\d_]{{{MAX_DIGITS},}}")
_PLACE = re.compile(rf" ?\(at (line \d+, column \d+|{AT_END})\)")

Place = tuple[str, ...]
"""A key as it is written, from the top: ("filters", "eligibility", "min_hold_days")."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    values   tables and values as TOML has them
    lines    key -> line, 1-based; keys inside inline tables are not listed
    """

    values: Mapping[str, Any]
    lines: Mapping[Place, int]


def read(path: Path) -> str:
    """The text of a strategy file; raises SettingsError for what is no regular file, too large, or not UTF-8."""
    try:
        mode, size = path.stat().st_mode, path.stat().st_size
        if not stat.S_ISREG(mode):
            raise SettingsError(f"The strategy {path} is not a regular file. Nothing was planned: give a TOML file.")
        if size > MAX_BYTES:
            raise _too_large(str(path), size)
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(f"The strategy {path} could not be read: {reason}. Nothing was planned.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"The strategy {path} is not UTF-8 text (line {line}, byte {error.start}). Nothing was planned: save it as UTF-8."
        ) from error


def document(text: str, source: str) -> Document:
    """TOML text as plain values; raises SettingsError with line and column."""
    text = text.removeprefix(BOM)
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise _too_large(source, size)
    keys = list(_keys(text, source))
    try:
        return Document(tomllib.loads(text), dict(reversed(keys)))
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        at_end = place is not None and place[1] == AT_END
        where = f"{(at_end and _repeated(keys)) or place[1]}: " if place else ""
        raise SettingsError(
            f"The strategy {source} is not valid TOML: {where}{_PLACE.sub('', str(error))}. Nothing was planned."
        ) from error
    except ValueError as error:
        raise _too_long(text, source) from error


def _repeated(keys: Sequence[tuple[Place, int]]) -> str:
    """Where a key stands for the second time, which a parser tells at the end of the text only."""
    seen: set[Place] = set()
    for place, line in keys:
        if place in seen:
            return f"line {line}"
        seen.add(place)
    return ""


def _too_large(source: str, size: int) -> SettingsError:
    return SettingsError(f"The strategy {source} has {size:,} bytes; at most {MAX_BYTES:,} are read. Nothing was planned.")


def _too_long(text: str, source: str) -> SettingsError:
    found = _LONG_NUMBER.search(text)
    where = f", {_at(text, found.start())}," if found else ""
    return SettingsError(f"The strategy {source}{where} has a number with too many digits. Nothing was planned.")


def _at(text: str, position: int) -> str:
    """`line 3, column 5`."""
    return f"line {text.count(LINE_END, 0, position) + 1}, column {position - text.rfind(LINE_END, 0, position)}"


def _bounded(depth: int, dots: int, text: str, position: int, source: str) -> None:
    if depth > MAX_NESTING or dots >= MAX_PARTS:
        what = f"nested more than {MAX_NESTING} deep" if depth > MAX_NESTING else f"a key of more than {MAX_PARTS} parts"
        raise SettingsError(f"The strategy {source} is not usable: {_at(text, position)}: {what}. Nothing was planned.")


def _keys(text: str, source: str) -> Iterator[tuple[Place, int]]:
    """Every key of a text and its line; raises SettingsError for what is nested too deep or has too many parts.

    Ends at a text that nothing closes: the parser gets no further either.
    """
    depth = dots = 0
    line, part = 1, "key"
    header: Place = ()
    names: list[str] = []
    for found in _TOKEN.finditer(text):
        sign = found[0]
        depth += _DEPTH.get(sign, 0)
        dots = dots + 1 if sign == "." else 0 if sign in _ENDS_KEY else dots
        _bounded(depth, dots, text, found.start(), source)
        if sign == LINE_END:
            line += 1
            if depth <= 0:
                part, names = "key", []
        elif sign in _QUOTES:
            return
        elif part == "value" or sign[0] == "#":
            line += sign.count(LINE_END)
        elif sign == "=":
            part = "value"
            yield header + tuple(names), line
        elif sign == "[" and not names:
            part = "header"
        elif part == "header" and sign == "]" and depth <= 0:
            part, header = "value", tuple(names)
            yield header, line
        elif sign not in _SIGNS:
            names.append(sign.strip("\"'"))
