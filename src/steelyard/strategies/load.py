"""TOML to a strategy: caps first, then syntax, then every table, and all problems told at once.

What a file does not name keeps its default; what nothing reads is an error, so that a slip never goes unseen.
"""

from __future__ import annotations

import math
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from steelyard.errors import SettingsError, did_you_mean
from steelyard.registry import Kind, Module, ModuleParams, modules
from steelyard.settings import Section
from steelyard.strategies.problems import explain, shown, unknown_key
from steelyard.strategies.strategy import SECTIONS, ModuleChoice, Strategy, default_choices

MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
"""Most brackets inside each other, and most parts of a dotted key: more than any strategy has, less than hurts a parser."""
MAX_NAME = 200
"""Characters of a name."""

TEXTS = ("name", "description")
KEYS = (*TEXTS, *SECTIONS, *(kind.value for kind in Kind))

# Strings and comments are swallowed whole, so that what is left is structure.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' r"'''.*?'''|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|#[^\n]*|[\[\]{}.=,\n]",
    re.DOTALL,
)


def load(path: Path) -> Strategy:
    """The strategy of a TOML file, named after the file unless it names itself.

    Raises SettingsError for a file that cannot be read, is not TOML, or has a key or value that is not usable.
    """
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
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"The strategy {path} is not UTF-8 text (byte {error.start}). Nothing was planned: save it as UTF-8."
        ) from error
    return parse(text, path.stem, source=str(path))


def parse(text: str, name: str, source: str | None = None) -> Strategy:
    """The strategy of TOML text.

    name     of the strategy, unless the text has its own
    source   what messages call it; by default the name
    Raises SettingsError listing every problem.
    """
    source = source or name
    document = _document(text, source)
    problems = list(_not_finite(document, ""))
    if not problems:
        problems += [unknown_key(key, KEYS) for key in document if key not in KEYS]
        texts = {key: _text(document, key, problems) for key in TEXTS}
        sections = {key: _section(model, document.get(key, {}), key, problems) for key, model in SECTIONS.items()}
        choices = {kind: tuple(_choices(kind, document.get(kind.value, {}), problems)) for kind in Kind}
    if problems:
        raise SettingsError(_message(source, problems))
    return Strategy(name=texts["name"] or name, description=texts["description"], **sections, choices=MappingProxyType(choices))


def _message(source: str, problems: list[str]) -> str:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return "\n".join([f"The strategy {source} has {count}; nothing was planned.", *problems])


def _too_large(source: str, size: int) -> SettingsError:
    return SettingsError(f"The strategy {source} has {size:,} bytes; at most {MAX_BYTES:,} are read. Nothing was planned.")


def _document(text: str, source: str) -> dict[str, Any]:
    """TOML as plain values; refuses what is large or deep before the parser meets it."""
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise _too_large(source, size)
    _check_depth(text, source)
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise _too_deep(source) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The strategy {source} is not valid TOML: {error}. Nothing was planned.") from error
    except ValueError as error:  # Python reads no whole number of thousands of digits
        raise SettingsError(f"The strategy {source} has a number with too many digits. Nothing was planned.") from error


def _too_deep(source: str) -> SettingsError:
    return SettingsError(f"The strategy {source} is nested more than {MAX_DEPTH} levels deep. Nothing was planned.")


def _check_depth(text: str, source: str) -> None:
    """Count brackets inside each other and parts of a dotted key, outside strings and comments."""
    depth = parts = 0
    for match in _TOKEN.finditer(text):
        sign = match[0]
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        parts = parts + 1 if sign == "." else parts if sign not in "[]{}=,\n" else 0
        if depth > MAX_DEPTH or parts > MAX_DEPTH:
            raise _too_deep(source)


def _not_finite(value: object, path: str) -> Iterator[str]:
    """Sentences for every NaN and infinity: TOML has them, no setting does."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _not_finite(inner, f"{path}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{path} is {value}; it must be a finite number."


def _text(document: Mapping[str, Any], key: str, problems: list[str]) -> str:
    value = document.get(key, "")
    if not isinstance(value, str) or (key == "name" and len(value) > MAX_NAME):
        problems.append(f"{key} is {shown(value)}; it must be text{f' of at most {MAX_NAME} characters' if key == 'name' else ''}.")
        return ""
    return value


def _section(model: type[Section], table: object, path: str, problems: list[str]) -> Any:
    """The settings of a table; adds what is wrong with it to the problems and then returns the defaults."""
    if not isinstance(table, Mapping):
        problems.append(f"{path} is {shown(table)}; it must be a table, written [{path}].")
        return model()
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        problems.extend(explain(error, model, path))
        return model()


def _choices(kind: Kind, table: object, problems: list[str]) -> Iterator[ModuleChoice]:
    """Every module of a kind: as the file says, or its default."""
    if not isinstance(table, Mapping):
        problems.append(f"{kind.value} is {shown(table)}; it must be a table of modules, written [{kind.value}.NAME].")
        table = {}
    known = modules(kind)
    for name in table:
        if name not in known:
            near = did_you_mean(name, list(known)) or f" Known are {', '.join(known)}."
            problems.append(f"{kind.value}.{name}: there is no such module.{near}")
    for choice in default_choices(kind):
        name = choice.module.name
        yield _choice(choice.module, table[name], problems) if name in table else choice


def _choice(module: Module, given: object, problems: list[str]) -> ModuleChoice:
    """`name = false`, or a table of `enabled` and parameters; naming a module without `enabled` switches it on."""
    path = f"{module.kind.value}.{module.name}"
    table: object = {"enabled": given} if isinstance(given, bool) else given
    if not isinstance(table, Mapping):
        problems.append(f"{path} is {shown(given)}; it must be true, false, or a table of `enabled` and parameters.")
        table = {}
    enabled = table.get("enabled", True)
    if not isinstance(enabled, bool):
        problems.append(f"{path}.enabled is {shown(enabled)}; it must be true or false.")
    rest = {key: value for key, value in table.items() if key != "enabled"}
    params: ModuleParams = _section(module.params, rest, path, problems)
    return ModuleChoice(module, bool(enabled), params, "strategy file")
