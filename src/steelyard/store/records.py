"""Frozen records to plain JSON values and back, by the types of their fields.

    Decimal            its text, exponent and all: 1.50 stays 1.50
    float              a number; "nan", "inf" and "-inf" where there is none
    date, datetime     ISO 8601
    array              shape and base64 of its numbers, column by column, little-endian
    mapping, record    an object; of a record what stands at its default is left out, so that a
                       field added later changes no bytes
    a fact             a number, or its type and text

What comes back is equal, its mappings and arrays closed to writing.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from steelyard.arrays import frozen
from steelyard.canonical import Record
from steelyard.sentences import Fact

DAYS = "datetime64[D]"
NUMBERS, COUNTS = "<f8", "<i8"


class Code(NamedTuple):
    """How values of a type are written and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


@cache
def code_of(kind: Any) -> Code:
    """The code of a type, as annotations have it; raises TypeError for one that has none."""
    if kind in PLAIN:
        return PLAIN[kind]
    parts = get_args(kind)
    if parts:
        return _of_parts(kind, parts)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Code(lambda member: member.value, kind)
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Record)):
        return _record(kind)
    raise TypeError(f"no code for {kind!r}")


def _of_parts(kind: Any, parts: tuple[Any, ...]) -> Code:
    """Of a type that is made of others."""
    origin = get_origin(kind)
    if origin is Literal:
        return AS_IT_IS
    if origin in (Union, UnionType):
        return _optional(kind, parts)
    if origin is tuple and parts[1:] == (...,):
        return _row(code_of(parts[0]))
    if origin is Mapping:
        return _mapping(code_of(parts[1]))
    if origin is np.ndarray:
        return Code(_write_array, _read_array)
    raise TypeError(f"no code for {kind!r}")


def _write_float(number: float) -> float | str:
    return float(number) if math.isfinite(number) else repr(float(number))


AS_IT_IS = Code(lambda value: value, lambda value: value)
PLAIN: Mapping[Any, Code] = MappingProxyType(
    {
        str: Code(str, str),
        bool: Code(bool, bool),
        int: Code(int, int),
        float: Code(_write_float, float),
        Decimal: Code(str, Decimal),
        date: Code(date.isoformat, date.fromisoformat),
        datetime: Code(datetime.isoformat, datetime.fromisoformat),
    }
)


def _optional(kind: Any, parts: tuple[Any, ...]) -> Code:
    """Of a type or None, and of facts."""
    if kind == Fact:
        return Code(_write_fact, _read_fact)
    kinds = [part for part in parts if part is not NoneType]
    if len(kinds) != 1:
        raise TypeError(f"no code for {kind!r}")
    code = code_of(kinds[0])
    return Code(
        lambda value: None if value is None else code.write(value),
        lambda value: None if value is None else code.read(value),
    )


def _row(code: Code) -> Code:
    return Code(lambda row: [code.write(v) for v in row], lambda row: tuple(map(code.read, row)))


def _mapping(code: Code) -> Code:
    return Code(
        lambda mapping: {key: code.write(mapping[key]) for key in sorted(mapping)},
        lambda mapping: MappingProxyType({key: code.read(v) for key, v in mapping.items()}),
    )


def _record(kind: type) -> Code:
    """Of a record; a key that it does not have is a TypeError or a ValueError when read."""
    hints = get_type_hints(kind)
    defaults = _defaults(kind)
    codes = {name: code_of(hints[name]) for name in defaults}
    usual = {n: repr(codes[n].write(d)) for n, d in defaults.items() if d is not MISSING}

    def write(record: Any) -> dict[str, Any]:
        values = {name: code.write(getattr(record, name)) for name, code in codes.items()}
        return {name: v for name, v in values.items() if repr(v) != usual.get(name)}

    def read(values: Mapping[str, Any]) -> Any:
        return kind(**{name: codes[name].read(value) for name, value in values.items()})

    return Code(write, read)


def _defaults(kind: type) -> dict[str, Any]:
    """Field -> its default, MISSING without one; of what the constructor takes."""
    if issubclass(kind, Record):
        return {
            name: MISSING if info.is_required() else info.get_default(call_default_factory=True)
            for name, info in kind.model_fields.items()
        }
    own: Any = kind
    return {field.name: _default(field) for field in fields(own) if field.init}


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _write_array(array: npt.NDArray[Any]) -> dict[str, Any]:
    is_days = array.dtype.kind == "M"
    numbers = array.astype(DAYS).astype(COUNTS) if is_days else array.astype(NUMBERS)
    return {
        "days" if is_days else "numbers": base64.b64encode(numbers.tobytes("F")).decode("ascii"),
        "shape": list(array.shape),
    }


def _read_array(values: Mapping[str, Any]) -> npt.NDArray[Any]:
    is_days = "days" in values
    text = values["days" if is_days else "numbers"]
    flat = np.frombuffer(base64.b64decode(text, validate=True), COUNTS if is_days else NUMBERS)
    array = flat.reshape(values["shape"], order="F")
    if is_days:
        return frozen(array.astype(np.int64).astype(DAYS))
    return frozen(np.ascontiguousarray(array, np.float64))


FACTS: Mapping[str, type] = MappingProxyType(
    {"decimal": Decimal, "date": date, "text": str, "number": float}
)


def _write_fact(fact: Fact) -> Any:
    for name, kind in FACTS.items():
        if isinstance(fact, kind):
            return [name, PLAIN[kind].write(fact)]
    return fact


def _read_fact(value: Any) -> Any:
    if isinstance(value, int):
        return value
    name, text = value
    return PLAIN[FACTS[name]].read(text)
