"""The canonical hash of inputs: of their content alone, never of where or when it was made.

Records, models, arrays, mappings in any order, sets, texts, numbers, dates; nothing that is code.
Every part stands with its kind and its length, so that no two contents are written alike.
"""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
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
        raise _refused(inputs) from error
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
    """A part of an input that has no content to hash."""


def _refused(inputs: Mapping[str, Any]) -> InputError:
    """What is wrong with inputs of which one cannot be hashed: gone through again for its place."""
    place, value = next(_unhashable(inputs))
    place, kind = place.removeprefix("."), type(value).__name__
    return InputError(
        f"{place} is a {kind}, which cannot be hashed. Nothing was calculated. Give records, "
        "arrays, texts, numbers and dates alone.",
        code="input_unhashable",
        place=place,
        value=kind,
        limit="records, arrays, texts, numbers, dates",
        hint="give records, arrays, texts, numbers and dates alone",
    )


def _unhashable(value: Any) -> Iterator[tuple[str, Any]]:
    """(where in it, what it is) of each part that cannot be hashed."""
    for place, part in _parts(value):
        for inner, each in _unhashable(part):
            yield place + inner, each
    if not _parts(value):
        try:
            _write(bytearray(), value)
        except _Unhashable:
            yield "", value


def _parts(value: Any) -> list[tuple[str, Any]]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{name}", getattr(value, name)) for name in _fields(type(value))]
    if isinstance(value, BaseModel):
        return [(f".{name}", getattr(value, name)) for name in type(value).model_fields]
    if isinstance(value, Mapping):
        keys = [(f"[{key!r}]", key) for key in value]
        return keys + [(f".{key}", part) for key, part in value.items()]
    if isinstance(value, tuple | list | set | frozenset):
        return [(f"[{i}]", part) for i, part in enumerate(value)]
    return []


def _add(text: bytearray, mark: bytes, content: bytes) -> None:
    text += mark + len(content).to_bytes(8, "little") + content


def _write(text: bytearray, value: Any) -> None:
    """One value behind those before it."""
    kind: Any = type(value)
    write = _PLAIN.get(kind)
    if write is not None:
        write(text, value)
    elif isinstance(value, np.ndarray):
        _array(text, value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _record(text, kind, _fields(kind), value)
    elif isinstance(value, BaseModel):
        _record(text, kind, tuple(kind.model_fields), value)
    elif isinstance(value, Mapping):
        _mapping(text, value)
    elif isinstance(value, set | frozenset):
        _add(text, b"u", b"".join(sorted(map(_written, value))))
    elif isinstance(value, Enum):
        _add(text, b"e", f"{_name(kind)}.{value.name}".encode())
    elif isinstance(value, date | time | timedelta | PurePath | np.generic):
        _add(text, b"o", f"{_name(kind)} {value}".encode())
    elif isinstance(value, tuple | list | str | int | float):
        _add(text, b"c", _name(kind).encode())  # a class of its own
        base = next(plain for plain in _PLAIN if isinstance(value, plain) and plain is not bool)
        _PLAIN[base](text, value)
    else:
        raise _Unhashable


def _written(value: Any) -> bytes:
    text = bytearray()
    _write(text, value)
    return bytes(text)


def _items(text: bytearray, values: Sequence[Any]) -> None:
    _add(text, b"l", len(values).to_bytes(8, "little"))
    for value in values:
        write = _PLAIN.get(type(value), _write)
        write(text, value)


def _record(text: bytearray, kind: type, names: tuple[str, ...], value: Any) -> None:
    _add(text, b"r", _name(kind).encode())
    for name in names:
        part = getattr(value, name)
        write = _PLAIN.get(type(part), _write)
        write(text, part)


def _mapping(text: bytearray, values: Mapping[Any, Any]) -> None:
    """By the bytes of the keys: their order is no content."""
    keys = {_written(key): key for key in values}
    _add(text, b"m", len(keys).to_bytes(8, "little"))
    for name, key in sorted(keys.items(), key=lambda item: item[0]):
        text += name
        _write(text, values[key])


def _array(text: bytearray, value: np.ndarray[Any, Any]) -> None:
    if value.dtype.hasobject:
        raise _Unhashable
    _add(text, b"a", f"{value.dtype.str} {value.shape}".encode())
    text += np.ascontiguousarray(value).tobytes()


@lru_cache(maxsize=256)
def _fields(kind: Hashable) -> tuple[str, ...]:
    """What a record is equal by."""
    fields = dataclasses.fields(cast(Any, kind))
    return tuple(field.name for field in fields if field.compare)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _text(text: bytearray, value: str) -> None:
    content = value.encode("utf-8", "surrogatepass")
    text += b"s" + len(content).to_bytes(8, "little") + content


_PLAIN: dict[type, Callable[[bytearray, Any], None]] = {
    str: _text,
    float: lambda text, value: text.extend(b"f" + struct.pack("<d", value)),
    type(None): lambda text, _: text.append(110),
    bool: lambda text, value: text.append(116 if value else 120),
    int: lambda text, value: _add(text, b"i", str(value).encode()),
    tuple: _items,
    list: _items,
    Decimal: lambda text, value: _add(text, b"d", str(value).encode()),
    date: lambda text, value: _add(text, b"y", value.isoformat().encode()),
    bytes: lambda text, value: _add(text, b"b", value),
    dict: _mapping,
}
