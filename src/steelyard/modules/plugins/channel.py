"""The bytes between planner and worker.

To the worker go pickles of our own records, their arrays closed to writing for good. Back comes a
frame that is never unpickled: JSON, and the raw bytes of arrays that it lists. Wrong data at worst.

    8 bytes length of the rest | 4 bytes length of the JSON | JSON | arrays, one after the other
"""

from __future__ import annotations

import copyreg
import io
import json
import math
import pickle
import struct
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

import numpy as np
import numpy.typing as npt
from pydantic import Field, JsonValue, ValidationError

import steelyard.proxies  # noqa: F401 - in the dispatch table
from steelyard.arrays import frozen
from steelyard.errors import ModuleError
from steelyard.settings import Section

Array = npt.NDArray[Any]

LENGTH = struct.Struct(">Q")
TEXT_LENGTH = struct.Struct(">I")
MOST_ANSWER = 256 * 1024 * 1024
"""Bytes of an answer: a quadratic score term over five thousand securities."""
MOST_TEXT = 16 * 1024 * 1024
"""Bytes of the JSON of an answer."""
MOST_WORDS, MOST_SLIPS = 500, 20
"""Characters of a message, and messages about one set of parameters."""

TYPES = {np.dtype(name).str: np.dtype(name) for name in (np.float64, np.int64, np.bool_)}
"""Of the arrays that may come back."""


def restored(data: bytes, dtype: str, shape: tuple[int, ...]) -> Array:
    """An array over bytes that nobody can write to."""
    if not data:
        return frozen(np.empty(shape, dtype=np.dtype(dtype)))
    return np.frombuffer(data, dtype=np.dtype(dtype)).reshape(shape)


def _array(array: Array) -> tuple[Any, ...]:
    if array.dtype.hasobject:
        return cast(tuple[Any, ...], array.__reduce__())
    return restored, (array.tobytes(), array.dtype.str, array.shape)


class _Pickler(pickle.Pickler):
    dispatch_table = {  # noqa: RUF012 - the name that pickle reads
        **copyreg.dispatch_table,
        np.ndarray: _array,
    }


def pickled(record: Any) -> bytes:
    """Our own records as bytes: equal ones of one process as long as nothing changes them."""
    stream = io.BytesIO()
    _Pickler(stream, protocol=5).dump(record)
    return stream.getvalue()


class Fault(Section):
    """What went wrong in the worker, as it tells it: type and text, and where in the plugin."""

    type: Annotated[str, Field(max_length=200)]
    text: Annotated[str, Field(max_length=4 * MOST_WORDS)]
    line: int | None = None


class ArrayForm(Section):
    """Type and shape of an array that follows the JSON."""

    type: Annotated[str, Field(max_length=10)]
    shape: Annotated[tuple[Annotated[int, Field(ge=0, le=2**31)], ...], Field(max_length=2)]


class Answer(Section):
    """What the worker says: a value, or what went wrong; and to which question, by its number."""

    call: int
    value: JsonValue = None
    fault: Fault | None = None
    arrays: Annotated[tuple[ArrayForm, ...], Field(max_length=256)] = ()


def answer_bytes(
    call: int, value: Any = None, fault: Any = None, arrays: Sequence[Array] = ()
) -> bytes:
    """A frame; the worker's side."""
    forms = [{"type": array.dtype.str, "shape": array.shape} for array in arrays]
    text = json.dumps({"call": call, "value": value, "fault": fault, "arrays": forms}).encode()
    rest = TEXT_LENGTH.pack(len(text)) + text + b"".join(array.tobytes() for array in arrays)
    return LENGTH.pack(len(rest)) + rest


def read_answer(frame: bytes) -> tuple[Answer, tuple[Array, ...]]:
    """A frame without its length; the planner's side. ModuleError for what is no such frame."""
    if len(frame) < TEXT_LENGTH.size:
        raise ModuleError("its answer is cut short", code="answer_cut_short")
    (size,) = TEXT_LENGTH.unpack_from(frame)
    if size > min(MOST_TEXT, len(frame) - TEXT_LENGTH.size):
        raise ModuleError(
            f"its answer has {size:,} bytes of text, more than it has or may have",
            code="answer_too_much_text",
            value=size,
        )
    start = TEXT_LENGTH.size + size
    try:
        answer = Answer.model_validate_json(frame[TEXT_LENGTH.size : start])
    except ValidationError as error:
        raise ModuleError(
            f"its answer cannot be used: {words(first(error))}", code="answer_unreadable"
        ) from error
    return answer, tuple(_arrays(frame, start, answer.arrays))


def _arrays(frame: bytes, start: int, forms: Sequence[ArrayForm]) -> list[Array]:
    arrays: list[Array] = []
    for form in forms:
        dtype = TYPES.get(form.type)
        size = 0 if dtype is None else math.prod(form.shape) * dtype.itemsize
        if dtype is None or start + size > len(frame):
            what = f"type {words(form.type)!r} and shape {form.shape}"
            raise ModuleError(
                f"its answer announces an array of {what} that is not in it",
                code="answer_lacks_array",
                value=what,
            )
        arrays.append(restored(frame[start : start + size], dtype.str, form.shape))
        start += size
    if start != len(frame):
        raise ModuleError(
            f"its answer has {len(frame) - start:,} bytes too many",
            code="answer_bytes_left",
            value=len(frame) - start,
            limit=0,
        )
    return arrays


def slip(error: Mapping[str, Any]) -> tuple[Any, str, str]:
    """Where a model refuses something, by which rule, and in words."""
    why = error.get("ctx", {}).get("error", error["msg"])
    return error["loc"], error["type"], words(str(why))


def first(error: ValidationError) -> str:
    """The first thing that a model refuses, with its place."""
    wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, wrong["loc"]))
    return f"{place}: {wrong['msg']}" if place else wrong["msg"]


def words(text: str, most: int = MOST_WORDS) -> str:
    """Text of a plugin as a plan may carry it: one line, nothing that a terminal obeys, cut."""
    line = " ".join(text.split())
    plain = "".join(sign if sign.isprintable() else "�" for sign in line)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
