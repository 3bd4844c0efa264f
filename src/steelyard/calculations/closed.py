"""A result as nobody can change it, and how many bytes it has.

Arrays are copied where somebody else could write to them, lists become tuples, mappings read-only
ones, sets frozen ones; frozen records are gone through, and so is what a function closes over.
What cannot be closed, like a generator or an object of any class, is not kept.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import CellType, FunctionType, MappingProxyType
from typing import Any

import numpy as np
from pydantic import BaseModel

ATOMS = (
    np.generic,
    str,
    int,
    float,
    bool,
    bytes,
    type(None),
    Decimal,
    date,
    time,
    timedelta,
    Enum,
    type,
)
A_RECORD = 64
"""Bytes of a record, a tuple or a mapping beside what is in it, at least."""


class NotClosed(Exception):
    """A result that could change after it was kept: the message says what it is."""


def closed(value: Any) -> tuple[Any, int]:
    """(the same that nobody can change, its bytes); raises NotClosed for what may change.

    What is closed already is the same object.
    """
    passed: dict[int, tuple[Any, Any]] = {}
    result = _closed(value, passed)
    return result, sum(_size(part) for _, part in passed.values())


def _closed(value: Any, passed: dict[int, tuple[Any, Any]]) -> Any:
    """`passed` has what was gone through, by its identity within this one walk."""
    if isinstance(value, ATOMS):
        passed.setdefault(id(value), (value, value))
        return value
    if id(value) in passed:
        return passed[id(value)][1]
    passed[id(value)] = (value, value)  # of a function that calls itself
    result = _of_parts(value, passed)
    passed[id(value)] = (value, result)
    return result


def _of_parts(value: Any, passed: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, tuple | list):
        return _row(value, [_closed(part, passed) for part in value])
    if isinstance(value, Mapping):
        parts = {_closed(k, passed): _closed(v, passed) for k, v in value.items()}
        return MappingProxyType(parts)
    if isinstance(value, set | frozenset):
        return frozenset(_closed(part, passed) for part in value)
    if isinstance(value, FunctionType):
        return _function(value, passed)
    if isinstance(value, BaseModel) and value.model_config.get("frozen"):
        return _record(value, tuple(type(value).model_fields), passed)
    rules: Any = getattr(type(value), "__dataclass_params__", None)
    if rules is not None and rules.frozen:
        return _record(value, tuple(field.name for field in dataclasses.fields(value)), passed)
    raise NotClosed(f"a {type(value).__name__} may change")


def _array(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if value.dtype.hasobject:
        raise NotClosed("an array of objects may change")
    whole: Any = value
    while isinstance(whole, np.ndarray) and not whole.flags.writeable:
        whole = whole.base  # a view of what is open is open
    if whole is None or isinstance(whole, bytes):
        return value
    copied = np.array(value)
    copied.setflags(write=False)
    return copied


def _row(value: Any, parts: list[Any]) -> Any:
    if isinstance(value, tuple):
        same = all(a is b for a, b in zip(value, parts, strict=True))
        if same:
            return value
        if hasattr(value, "_make"):
            return type(value)._make(parts)
    return tuple(parts)


def _record(value: Any, names: tuple[str, ...], passed: dict[int, tuple[Any, Any]]) -> Any:
    parts = {name: (getattr(value, name), _closed(getattr(value, name), passed)) for name in names}
    changed = {name: part for name, (before, part) in parts.items() if part is not before}
    if not changed:
        return value
    result = copy.copy(value)
    for name, part in changed.items():
        object.__setattr__(result, name, part)
    return result


def _function(value: FunctionType, passed: dict[int, tuple[Any, Any]]) -> FunctionType:
    """The same code over closed values: what it asks of its module is its author's word."""
    if value.__kwdefaults__ or value.__dict__:
        raise NotClosed(f"the function {value.__qualname__} has values of its own")
    try:
        before = [cell.cell_contents for cell in value.__closure__ or ()]
    except ValueError as error:
        raise NotClosed(f"the function {value.__qualname__} is not whole") from error
    open_parts = [*before, *(value.__defaults__ or ())]
    if any(isinstance(part, list | dict | set) for part in open_parts):
        raise NotClosed(f"the function {value.__qualname__} may remember what it was asked")
    parts = [_closed(part, passed) for part in open_parts]
    if all(a is b for a, b in zip(open_parts, parts, strict=True)):
        return value
    cells, defaults = parts[: len(before)], tuple(parts[len(before) :])
    result = FunctionType(
        value.__code__,
        value.__globals__,
        value.__name__,
        defaults or None,
        tuple(map(CellType, cells)),
    )
    result.__qualname__, result.__doc__ = value.__qualname__, value.__doc__
    return result


def _size(part: Any) -> int:
    if isinstance(part, np.ndarray) and part.base is not None:
        return int(part.nbytes) + sys.getsizeof(part)
    if isinstance(part, type | Enum | FunctionType):
        return A_RECORD
    return max(A_RECORD, sys.getsizeof(part))
