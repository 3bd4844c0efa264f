"""The canonical hash of inputs: of their content alone, never of where or when it was made.

Records, models, arrays, mappings in any order, sets, texts, numbers, dates; nothing that is code.
Every part stands with its kind and its length, so that no two contents are written alike.
"""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Any, cast

import numpy as np
from pydantic import BaseModel

from steelyard.errors import InputError


def digest(**inputs: Any) -> bytes:
    """SHA-256 of named inputs, 32 bytes; raises InputError naming the part that cannot be hashed.

    >>> digest(a=1, b=(2.0, "x")) == digest(b=(2.0, "x"), a=1), digest(a=1) == digest(a=1.0)
    (True, False)
    """
    text = bytearray()
    try:
        _mapping(text, inputs)
    except _Unhashable as error:
        raise error.told() from error
    except RecursionError as error:
        names = ", ".join(inputs)
        raise InputError(
            f"{names} is nested too deep to be hashed, or holds itself. Nothing was calculated. "
            "Give it as plain values.",
            code="input_too_deep",
            place=names,
            hint="give it as plain values",
        ) from error
    return hashlib.sha256(text).digest()


class _Unhashable(Exception):
    """A part of an input that has no content to hash; the path grows on the way out."""

    def __init__(self, value: object) -> None:
        self.kind, self.path = type(value).__name__, ""

    def told(self) -> InputError:
        place = self.path.removeprefix(".")
        return InputError(
            f"{place} is a {self.kind}, which cannot be hashed. Nothing was calculated. Give "
            "records, arrays, texts, numbers and dates alone.",
            code="input_unhashable",
            place=place,
            value=self.kind,
            limit="records, arrays, texts, numbers, dates",
            hint="give records, arrays, texts, numbers and dates alone",
        )


def _add(text: bytearray, mark: bytes, content: bytes) -> None:
    text += mark + len(content).to_bytes(8, "little") + content


def _write(text: bytearray, value: Any) -> None:
    """One value behind those before it."""
    write = _PLAIN.get(type(value))
    if write is not None:
        write(text, value)
    elif isinstance(value, np.ndarray):
        _array(text, value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _record(text, type(value), _fields(type(value)), value)
    elif isinstance(value, BaseModel):
        _record(text, type(value), tuple(type(value).model_fields), value)
    elif isinstance(value, Mapping):
        _mapping(text, value)
    elif isinstance(value, set | frozenset):
        _sorted(text, value)
    elif isinstance(value, Enum):
        _add(text, b"e", f"{_name(type(value))}.{value.name}".encode())
    elif isinstance(value, date | time | timedelta | PurePath | np.generic):
        _add(text, b"o", f"{_name(type(value))} {value}".encode())
    elif isinstance(value, tuple | list | str | int | float):
        _add(text, b"c", _name(type(value)).encode())  # a class of its own
        base = next(kind for kind in _PLAIN if isinstance(value, kind) and kind is not bool)
        _PLAIN[base](text, value)
    else:
        raise _Unhashable(value)


def _inside(text: bytearray, place: str, value: Any) -> None:
    """A part of a value, by its name in it."""
    try:
        _write(text, value)
    except _Unhashable as error:
        error.path = f"{place}{error.path}"
        raise


def _items(text: bytearray, values: Iterable[Any]) -> None:
    rows = tuple(values)
    _add(text, b"l", len(rows).to_bytes(8, "little"))
    for i, value in enumerate(rows):
        _inside(text, f"[{i}]", value)


def _record(text: bytearray, kind: type, names: tuple[str, ...], value: Any) -> None:
    _add(text, b"r", _name(kind).encode())
    for name in names:
        _inside(text, f".{name}", getattr(value, name))


def _mapping(text: bytearray, values: Mapping[Any, Any]) -> None:
    """By the bytes of the keys: their order is no content."""
    keys: dict[bytes, Any] = {}
    for key in values:
        written = bytearray()
        _inside(written, f"[{key!r}]", key)
        keys[bytes(written)] = key
    _add(text, b"m", len(keys).to_bytes(8, "little"))
    for name, key in sorted(keys.items(), key=lambda item: item[0]):
        text += name
        _inside(text, f".{key}", values[key])


def _sorted(text: bytearray, values: Iterable[Any]) -> None:
    parts: list[bytes] = []
    for value in values:
        part = bytearray()
        _inside(part, "{…}", value)
        parts.append(bytes(part))
    _add(text, b"u", b"".join(sorted(parts)))


def _array(text: bytearray, value: np.ndarray[Any, Any]) -> None:
    if value.dtype.hasobject:
        raise _Unhashable(value)
    _add(text, b"a", f"{value.dtype.str} {value.shape}".encode())
    text += np.ascontiguousarray(value).tobytes()


@lru_cache(maxsize=256)
def _fields(kind: Hashable) -> tuple[str, ...]:
    """What a record is equal by."""
    fields = dataclasses.fields(cast(Any, kind))
    return tuple(field.name for field in fields if field.compare)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


_PLAIN: dict[type, Callable[[bytearray, Any], None]] = {
    str: lambda text, value: _add(text, b"s", value.encode("utf-8", "surrogatepass")),
    float: lambda text, value: text.extend(b"f" + struct.pack("<d", value)),
    type(None): lambda text, _: text.extend(b"n"),
    bool: lambda text, value: text.extend(b"t" if value else b"x"),
    int: lambda text, value: _add(text, b"i", str(value).encode()),
    tuple: _items,
    list: _items,
    Decimal: lambda text, value: _add(text, b"d", str(value).encode()),
    date: lambda text, value: _add(text, b"y", value.isoformat().encode()),
    bytes: lambda text, value: _add(text, b"b", value),
    dict: _mapping,
}
