"""Our frozen records as JSON and arrays, and back, by the type hints of their fields alone.

Only what its hint names is written, and only that is read: text, numbers, facts of sentences,
lists, mappings, arrays of three types, and records. A function stays where it is, under a number,
and its result is read by its own hint. Raises ModuleError for anything else.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from steelyard.errors import ModuleError
from steelyard.modules.plugins.channel import Array, words
from steelyard.modules.registry import Module

MOST = 20_000
"""Entries of a list: more than a candidate table may have rows."""
LONGEST = 500
"""Characters of a text."""
NUMBERS = {int: (int, np.integer), float: (int, float, np.number)}
TEXTS: Mapping[Any, Callable[[str], Any]] = {Decimal: Decimal, date: date.fromisoformat}
"""Types that travel as text -> how they are read."""
ARRAYS = {np.bool_: "b", np.int64: "iu", np.float64: "fiub"}
"""Type of an array -> kinds of arrays that nothing is lost of."""

HERE: Mapping[Any, Any] = {Module: dict.fromkeys(("params", "call", "source", "digest"))}
"""Fields that do not travel, and what they are until somebody here sets them."""

LISTED = tuple[tuple[Module, Any], ...]
"""What a plugin registers: each module, and the JSON Schema of its parameters."""

ORIGINS: Mapping[Any, str] = {
    **dict.fromkeys((Union, types.UnionType), "_union"),
    **dict.fromkeys((list, tuple), "_entries"),
    np.ndarray: "_array",
    Callable: "_function",
    Iterator: "_blocks",
    Mapping: "_mapping",
}


@lru_cache
def hints(record: Any) -> Mapping[str, Any]:
    """Field -> hint of a record, those that travel."""
    types_of, here = get_type_hints(record), HERE.get(record, {})
    return {field.name: types_of[field.name] for field in fields(record) if field.name not in here}


def _form(hint: Any) -> str:
    """How a hint is written and read: by the method of that name."""
    if isinstance(hint, type) and is_dataclass(hint):
        return "_record"
    return ORIGINS.get(_origin(hint), "_scalar")


def _origin(hint: Any) -> Any:
    """What a hint is of; numpy's own alias of arrays hides it from Python 3.12 on."""
    origin = get_origin(hint)
    return np.ndarray if origin is npt.NDArray else origin


@dataclass(frozen=True, slots=True)
class Writer:
    """From a record to JSON; its arrays go into `arrays`.

    keep   function, hint of what it gives, does it go on with the call -> its number
    """

    keep: Callable[[Callable[..., Any], Any, bool], int]
    arrays: list[Array] = field(default_factory=list)

    def write(self, hint: Any, value: Any, at: str = "its answer") -> Any:
        """A value as JSON; `at` is what it is called in errors."""
        return value if hint is Any else getattr(self, _form(hint))(hint, value, at)

    def _union(self, hint: Any, value: Any, at: str) -> list[Any]:
        options = get_args(hint)
        places = [k for k, option in enumerate(options) if _is(option, value)]
        place = places[0] if places else _odd(at, value, hint)
        return [place, self.write(options[place], value, at)]

    def _record(self, hint: Any, value: Any, at: str) -> dict[str, Any]:
        _expect(at, value, hint)
        return {
            name: self.write(of, getattr(value, name), f"{_name(hint)}.{name}")
            for name, of in hints(hint).items()
        }

    def _array(self, hint: Any, value: Any, at: str) -> int:
        array, dtype = np.asarray(value), _dtype(hint)
        if array.size and array.dtype.kind not in ARRAYS[dtype]:
            raise ModuleError(
                f"{at} is an array of {array.dtype} where {np.dtype(dtype)} is due",
                code="answer_array_type",
                place=at,
                value=array.dtype,
                limit=np.dtype(dtype),
            )
        self.arrays.append(array.astype(dtype, copy=False))
        return len(self.arrays) - 1

    def _function(self, hint: Any, value: Any, at: str) -> int | None:
        if not (value is None or callable(value)):
            raise ModuleError(
                f"{at} is a {_type(value)} where a function is due",
                code="answer_no_function",
                place=at,
                value=_type(value),
            )
        return None if value is None else self.keep(value, get_args(hint)[-1], False)

    def _blocks(self, hint: Any, value: Any, _: str) -> int:
        blocks = iter(value)
        return self.keep(lambda: next(blocks, None), get_args(hint)[0] | None, True)

    def _mapping(self, hint: Any, value: Any, at: str) -> list[list[Any]]:
        _expect(at, value, Mapping)
        key, of = get_args(hint)
        pairs = value.items()
        return [[self.write(key, name, at), self.write(of, each, at)] for name, each in pairs]

    def _entries(self, hint: Any, value: Any, at: str) -> list[Any]:
        return [self.write(of, each, at) for of, each in _each(at, value, get_args(hint))]

    def _scalar(self, hint: Any, value: Any, at: str) -> Any:
        return self.scalar(hint, value, at)

    @staticmethod
    def scalar(hint: Any, value: Any, at: str) -> Any:
        """None, a choice, a truth, a number or a text as JSON."""
        return _scalar(at, value, hint)


@dataclass(frozen=True, slots=True)
class Reader:
    """From JSON and arrays that anybody may have written to a record.

    function   number of what stays in the worker, hint of what it gives -> what stands for it
    """

    function: Callable[[int, Any], Any] = lambda _, __: None
    arrays: Sequence[Array] = ()

    def read(self, hint: Any, plain: Any) -> Any:
        """A value of that type; raises ModuleError for anything else."""
        try:
            return self._of(hint, plain)
        except ModuleError:
            raise
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            why = f"{_type(error)} {words(str(error), 100)}"
            raise ModuleError(f"its answer cannot be used: {why}", code="answer_refused") from error

    def _of(self, hint: Any, plain: Any) -> Any:
        return plain if hint is Any else getattr(self, _form(hint))(hint, plain)

    def _union(self, hint: Any, plain: Any) -> Any:
        place, value = plain
        return self._of(get_args(hint)[place], value)

    def _record(self, hint: Any, plain: Any) -> Any:
        values = {name: self._of(of, plain[name]) for name, of in hints(hint).items()}
        return hint(**values, **HERE.get(hint, {}))

    def _array(self, hint: Any, plain: Any) -> Array:
        array: Array = self.arrays[plain]
        if array.dtype != _dtype(hint):
            _odd("its answer", array, hint)
        return array

    def _function(self, hint: Any, plain: Any) -> Any:
        return None if plain is None else self.function(plain, get_args(hint)[-1])

    def _blocks(self, hint: Any, plain: Any) -> Iterator[Any]:
        """What a generator in the worker gives, each asked for when it is wanted."""
        more = self.function(plain, get_args(hint)[0] | None)
        while (block := more()) is not None:
            yield block

    def _mapping(self, hint: Any, plain: Any) -> Mapping[Any, Any]:
        key, of = get_args(hint)
        return MappingProxyType({self._of(key, name): self._of(of, each) for name, each in plain})

    def _entries(self, hint: Any, plain: Any) -> Any:
        entries = (self._of(of, each) for of, each in _each("its answer", plain, get_args(hint)))
        return get_origin(hint)(entries)

    def _scalar(self, hint: Any, plain: Any) -> Any:
        return self.scalar(hint, plain)

    @staticmethod
    def scalar(hint: Any, plain: Any) -> Any:
        """None, a choice, a truth, a number or a text of JSON; a text is cut down to one line."""
        if hint is str or hint in TEXTS:
            return TEXTS.get(hint, str)(_text(plain))
        return _scalar("its answer", plain, hint)


def _is(hint: Any, value: Any) -> bool:
    """Is a value of this option of a union? An array is what nothing else is, tuples are of one
    length each.
    """
    origin, parts = _origin(hint) or hint, get_args(hint)
    if origin is tuple and isinstance(value, tuple):
        return parts[-1] is ... or len(parts) == len(value)
    if origin is Literal:
        return value in parts
    if origin is np.ndarray:
        return not isinstance(value, Mapping | tuple | None)
    truth = isinstance(value, bool) and origin in NUMBERS
    return isinstance(value, NUMBERS.get(origin, origin)) and not truth


def _dtype(hint: Any) -> Any:
    """float64 of FloatArray."""
    parts = get_args(hint)
    return parts[0] if get_origin(hint) is npt.NDArray else get_args(parts[1])[0]


def _each(at: str, value: Any, args: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    """The entries of a list or tuple, each with its hint."""
    if isinstance(value, str):
        raise ModuleError(
            f"{at} is the text {value!r}; a tuple of texts is due, ({value!r},)",
            code="text_for_tuple",
            place=at,
            value=value,
        )
    entries = list(value) if isinstance(value, Iterable) else _odd(at, value, list)
    uniform = len(args) == 1 or args[-1] is ...
    if len(entries) > MOST or not (uniform or len(entries) == len(args)):
        raise ModuleError(
            f"{at} has {len(entries):,} entries, which is not what is due",
            code="answer_length",
            place=at,
            value=len(entries),
        )
    return zip(args[:1] * len(entries) if uniform else args, entries, strict=True)


def _scalar(at: str, value: Any, hint: Any) -> Any:
    """None, a choice, a truth, a number or a text."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    plain = value.item() if isinstance(value, np.generic) else value
    if not _is(hint, plain):
        _odd(at, value, hint)
    if get_origin(hint) is Literal or plain is None:
        return plain
    return str(plain) if hint in TEXTS else hint(plain)


def _expect(at: str, value: Any, kind: Any) -> None:
    if not isinstance(value, kind):
        _odd(at, value, kind)


def _odd(at: str, value: Any, hint: Any) -> NoReturn:
    options = get_args(hint) if _form(hint) == "_union" else (hint,)
    due = " or ".join(map(_name, options))
    raise ModuleError(
        f"{at} is a {_type(value)} where a {due} is due",
        code="answer_type",
        place=at,
        value=_type(value),
        limit=due,
    )


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))


def _type(value: Any) -> str:
    return type(value).__name__


def _text(plain: Any) -> str:
    """One line without control characters; too much is refused."""
    _expect("its answer", plain, str)
    if len(plain) > LONGEST:
        raise ModuleError(
            f"its answer has a text of {len(plain):,} characters; at most {LONGEST}",
            code="answer_text_length",
            value=len(plain),
            limit=LONGEST,
        )
    return words(plain)
