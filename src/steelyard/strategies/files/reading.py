"""TOML text to plain values, and where each key stands; every refusal has its place.

One scan in linear time looks at structure alone, before the parser meets the text: what is too
large or too deep never reaches it.
"""

from __future__ import annotations

import ast
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steelyard.errors import SettingsError
from steelyard.strategies.files.problems import cut, dotted

MAX_BYTES = 64 * 1024
MAX_NESTING = 32
"""Most brackets inside each other."""
MAX_PARTS = 16
"""Most parts of a dotted key: more than any strategy has, less than hurts a parser."""
MAX_KEYS = 1_000
"""Most keys and headers; the longest strategy has some hundreds."""
MAX_SAID = 400
"""Characters of what a parser says."""
MAX_DIGITS = 4300
"""Python reads no longer whole number."""
BOM = "\ufeff"
LINE_END = "\n"
AT_END = "end of document"

# Texts and comments are swallowed whole, so that what is left is structure; a quote that nothing
# closes stands alone.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|'
    r"'''.*?'''|"
    r'"(?!"")(?:\\.|[^"\\\n])*"|'
    r"'(?!'')[^'\n]*'|"
    r"""#[^\n]*|[\[\]{}.=,\n]|[^\s"'#\[\]{}.=,]+|["']""",
    re.DOTALL,
)
_DEPTH: Mapping[str, int] = {"[": 1, "{": 1, "]": -1, "}": -1}
_QUOTES = frozenset("\"'")
_ENDS_KEY = frozenset("[]{}=,\n")
_SIGNS = _ENDS_KEY | {"."}
_LONG_NUMBER = re.compile(rf"\d[\d_]{{{MAX_DIGITS},}}")
_PLACE = re.compile(rf" ?\(at (line \d+, column \d+|{AT_END})\)$")
_NAMES = re.compile(r"\(['\"].*\)$|\(['\"].*\)(?= twice$)")
"""A key as a parser names it."""

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
    """The text of a file; raises SettingsError for one not regular, too large, or not UTF-8."""
    try:
        mode, size = path.stat().st_mode, path.stat().st_size
        if not stat.S_ISREG(mode):
            raise SettingsError(
                f"The strategy {path} is not a regular file. Nothing was planned: give a TOML "
                "file.",
                code="strategy_no_regular_file",
                place=str(path),
                hint="give a TOML file",
            )
        if size > MAX_BYTES:
            raise _too_large(str(path), size)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _too_large(str(path), len(content))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        what = f"could not be read: {reason}"
        raise SettingsError(
            f"The strategy {path} {what}. Nothing was planned.",
            code="strategy_unreadable",
            place=str(path),
            value=reason,
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"is not UTF-8 text (line {line}, byte {error.start})"
        advice = "Nothing was planned: save it as UTF-8."
        raise SettingsError(
            f"The strategy {path} {what}. {advice}",
            code="strategy_not_utf8",
            place=f"{path}, line {line}, byte {error.start}",
            hint="save it as UTF-8",
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
        what = f"is not valid TOML: {_said(str(error), text, keys)}"
        raise SettingsError(
            f"The strategy {source} {what}. Nothing was planned.",
            code="strategy_not_toml",
            place=source,
        ) from error
    except ValueError as error:
        raise _too_long(text, source) from error


def _said(error: str, text: str, keys: Sequence[tuple[Place, int]]) -> str:
    """What a parser says, its place first and keys as a file has them."""
    place = _PLACE.search(error)
    bare = _PLACE.sub("", error)
    message = cut(_NAMES.sub(lambda names: dotted(ast.literal_eval(names[0])), bare), MAX_SAID)
    if place is None or place[1] != AT_END:
        return f"{place[1]}: {message}" if place else message
    # of a value that nothing closes the line where it begins, of a key the last one
    in_key = message.startswith(("Expected '='", "Expected ']' at the end of a table"))
    line = text.rstrip().count(LINE_END) + 1 if in_key or not keys else keys[-1][1]
    return f"line {line}: {message}"


def _too_large(source: str, size: int) -> SettingsError:
    what = f"has {size:,} bytes; at most {MAX_BYTES:,} are read"
    return SettingsError(
        f"The strategy {source} {what}. Nothing was planned.",
        code="strategy_too_large",
        place=source,
        value=size,
        limit=MAX_BYTES,
    )


def _too_long(text: str, source: str) -> SettingsError:
    token = _LONG_NUMBER.search(text)
    where = f", {_at(text, token.start())}," if token else ""
    what = "has a number with too many digits. Nothing was planned."
    return SettingsError(
        f"The strategy {source}{where} {what}",
        code="strategy_number_too_long",
        place=f"{source}{where}".rstrip(","),
    )


def _at(text: str, position: int) -> str:
    """`line 3, column 5`."""
    line = text.count(LINE_END, 0, position) + 1
    return f"line {line}, column {position - text.rfind(LINE_END, 0, position)}"


def _over(depth: int, dots: int, text: str, position: int, source: str) -> SettingsError:
    what = f"more than {MAX_KEYS:,} keys"
    what = f"a key of more than {MAX_PARTS} parts" if dots >= MAX_PARTS else what
    what = f"nested more than {MAX_NESTING} deep" if depth > MAX_NESTING else what
    return SettingsError(
        f"The strategy {source} is not usable: {_at(text, position)}: {what}. Nothing was planned.",
        code="strategy_too_deep",
        place=f"{source}, {_at(text, position)}",
        value=what,
    )


def _name(sign: str) -> str:
    """A part of a key without its quotes and escapes; as it is written where no parser takes it."""
    if sign[0] == "'":
        return sign[1:-1]
    try:
        return str(tomllib.loads(f"x = {sign}")["x"]) if sign[0] == '"' else sign
    except tomllib.TOMLDecodeError:
        return sign


def _tokens(text: str, source: str) -> Iterator[tuple[str, int]]:
    """Each token of a text and how deep it is, up to a text that nothing closes, as the parser.

    Raises SettingsError for what is too deep, too long or too much.
    """
    depth = dots = keys = 0
    before = LINE_END
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in _QUOTES:
            return
        depth += _DEPTH.get(sign, 0)
        dots = dots + 1 if sign == "." else 0 if sign in _ENDS_KEY else dots
        keys += sign == "=" or (sign == "[" and before == LINE_END)
        if depth > MAX_NESTING or dots >= MAX_PARTS or keys > MAX_KEYS:
            raise _over(depth, dots, text, token.start(), source)
        before = sign
        yield sign, depth


def _keys(text: str, source: str) -> Iterator[tuple[Place, int]]:
    """Every key of a text and its line; raises SettingsError as `_tokens` does."""
    line, part = 1, "key"
    header: Place = ()
    names: list[str] = []
    for sign, depth in _tokens(text, source):
        if sign == LINE_END:
            line += 1
            if depth <= 0:
                part, names = "key", []
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
            names.append(_name(sign))
