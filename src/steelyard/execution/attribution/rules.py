"""Which book a symbol is of: rules from a TOML file.

default = "UNASSIGNED"              whose is a symbol that no line names
precedence = ["NUCLEAR", "TECL"]    which of them has a symbol that both lists name
[books]
NUCLEAR = ["SMR", "LEU"]            book -> its symbols
[symbols]
QQQ = ["TECL", "NUCLEAR"]           symbol -> books: the first one has it, whatever lists say
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from steelyard.buckets.books import UNASSIGNED
from steelyard.errors import SettingsError, did_you_mean

FILE = "attribution.toml"
"""In the folder of the journal: with it books are by symbol, without it a bucket is one."""
KEYS = ("default", "precedence", "books", "symbols")
MOST_BYTES = 1_000_000
NOTHING = "Nothing was attributed, and nothing was sent."


@dataclass(frozen=True, slots=True)
class Rules:
    """Symbol -> book; `default` is the book of a symbol that is not named."""

    default: str = UNASSIGNED
    books: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def book_of(self, symbol: str, claims: Mapping[str, Iterable[str]] | None = None) -> str:
        """The book of a symbol in either case.

        claims   symbol -> books that asked for it: the first one has it, before every rule
        """
        name = symbol.upper()
        for book in (claims or {}).get(name, ()):
            return book
        return self.books.get(name, self.default)


def owner_in(folder: Path, bucket: str) -> str | Rules:
    """Whose the orders of a plan are: by the rules of the folder, or its bucket's without any."""
    path = folder / FILE
    return read_rules(path) if path.exists() else bucket


def read_rules(path: Path) -> Rules:
    """The rules of a file; without one every symbol is unassigned. Raises SettingsError."""
    if not path.exists():
        return Rules()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _unusable(path, f"has more than {MOST_BYTES:,d} bytes", "attribution_too_large")
        return rules_of(tomllib.loads(path.read_text("utf-8")), path)
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, f"cannot be read: {error}", "attribution_unreadable") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _unusable(path, f"is not TOML: {error}", "attribution_not_toml") from error


def rules_of(content: Mapping[str, Any], path: Path) -> Rules:
    """The rules of a file's content; raises SettingsError for what is not understood in it."""
    for key in content:
        if key not in KEYS:
            what = f"has '{key}'; it may have {', '.join(KEYS)}.{did_you_mean(key, KEYS)}"
            raise _unusable(path, what, "attribution_unknown_key")
    default = _name(path, "default", content.get("default", UNASSIGNED))
    precedence = _names(path, "precedence", content.get("precedence", []))
    lists = {
        book: _names(path, f"books.{book}", symbols)
        for book, symbols in _table(path, "books", content).items()
    }
    for book in precedence:
        if book not in lists:
            near = did_you_mean(book, sorted(lists))
            what = f"gives precedence to {book}, which has no list.{near}"
            raise _unusable(path, what, "attribution_unknown_book")
    books = {}
    for symbol, claims in _listed(lists).items():
        books[symbol] = _first(path, symbol, claims, precedence)
    for symbol, owners in _table(path, "symbols", content).items():
        names = _names(path, f"symbols.{symbol}", owners)
        if names:
            books[symbol.upper()] = names[0]
    return Rules(default, MappingProxyType(dict(sorted(books.items()))))


def _listed(lists: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Symbol in upper case -> the lists that name it, each once."""
    claims: dict[str, list[str]] = {}
    for book, symbols in lists.items():
        for symbol in dict.fromkeys(each.upper() for each in symbols):
            claims.setdefault(symbol, []).append(book)
    return claims


def _first(path: Path, symbol: str, claims: list[str], precedence: list[str]) -> str:
    """The book of a symbol; that of several lists needs a precedence that names one of them."""
    if len(claims) == 1:
        return claims[0]
    for book in precedence:
        if book in claims:
            return book
    what = f"has {symbol} in the lists of {' and '.join(claims)}"
    hint = "Take it out of all but one, or say which has it: precedence = [...]."
    raise _unusable(path, what, "attribution_in_two_lists", hint)


def _table(path: Path, key: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    table = content.get(key, {})
    if not isinstance(table, dict):
        raise _unusable(
            path, f"has {key} = …; write it as a table: [{key}]", "attribution_not_a_table"
        )
    return table


def _names(path: Path, key: str, value: object) -> list[str]:
    if not isinstance(value, list):
        raise _unusable(path, f'gives {key} no list; write ["A", "B"]', "attribution_not_a_list")
    return [_name(path, key, each) for each in value]


def _name(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _unusable(path, f"gives {key} no name but {value!r}", "attribution_not_a_name")
    return value.strip()


def _unusable(path: Path, what: str, code: str, hint: str = "Correct it.") -> SettingsError:
    return SettingsError(
        f"{path.name} {what}. {NOTHING} {hint}",
        code=code,
        place=str(path),
        hint=hint,
    )
