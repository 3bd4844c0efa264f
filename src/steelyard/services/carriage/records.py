"""Our frozen records as JSON and arrays, and back, by the hints of their fields: nothing is
unpickled, and what no hint names is not read.

As plugins' answers travel (`modules.plugins.codec`), and besides: sections of settings, fractions,
sets, exact texts. Functions do not travel: who reads a record makes them anew.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, cast, get_origin

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from steelyard.arrays import frozen
from steelyard.errors import InputError, ModuleError
from steelyard.modules.plugins import codec
from steelyard.modules.plugins.channel import Array

T = TypeVar("T")
DType = Literal["<f8", "<i8", "<i4", "|b1"]
NOT_FINITE = ("nan", "inf", "-inf")
"""Numbers that JSON has no form for travel as text."""
MOST_CELLS = 20_000**2
"""Numbers of all arrays of a record: the conflicts of the largest table."""
SPARSE = 4
"""Bytes of a place: where few truths of a table are true, their places are what is sent."""

MOST_PLACES = 400
"""Of a decimal, before or after its point by its exponent: more than a float has."""


class ArrayForm(BaseModel):
    """An array: type and byte order as numpy writes them, shape, and its bytes as base64.

    places   are the bytes those of ascending int32 indices, where a truth is True?
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: DType
    shape: Annotated[list[Annotated[int, Field(ge=0, le=MOST_CELLS)]], Field(max_length=3)]
    data: str
    places: bool = False

    @classmethod
    def of(cls, array: Array) -> ArrayForm:
        """The form of an array."""
        form = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        dtype, shape = cast(DType, form.dtype.str), list(form.shape)
        places = form.dtype == np.bool_ and SPARSE * np.count_nonzero(form) < form.size
        if places:
            form = np.flatnonzero(form).astype("<i4")
        text = base64.b64encode(form.tobytes()).decode("ascii")
        return cls.model_construct(dtype=dtype, shape=shape, data=text, places=bool(places))

    @property
    def cells(self) -> int:
        """Numbers that it announces."""
        return math.prod(self.shape)

    def array(self) -> Array:
        """The array, closed to writing; raises InputError where bytes and shape disagree."""
        dtype = np.dtype(self.dtype)
        try:
            data = base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _unusable(f"its bytes are no base64: {error}") from error
        if self.places:
            return frozen(self._true_at(data).reshape(self.shape))
        due = self.cells * dtype.itemsize
        if len(data) != due:
            raise _unusable(f"it has {len(data):,} bytes where its shape asks for {due:,}")
        return frozen(np.frombuffer(data, dtype=dtype).reshape(self.shape))

    def _true_at(self, data: bytes) -> Array:
        """Truths from the places of those that are; raises InputError for what are none."""
        if self.dtype != "|b1" or len(data) % SPARSE or self.cells > MOST_CELLS:
            raise _unusable(f"{len(data):,} bytes are no places in an array of {self.dtype}")
        places = np.frombuffer(data, dtype="<i4")
        inside = not len(places) or 0 <= places[0] <= places[-1] < self.cells
        if not (inside and (np.diff(places) > 0).all()):
            raise _unusable(f"its places are not ascending, or not under {self.cells:,}")
        truths = np.zeros(self.cells, dtype=np.bool_)
        truths[places] = True
        return truths


class RecordForm(BaseModel):
    """A record: its fields as JSON, in which arrays stand as their number in `arrays`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: JsonValue
    arrays: Annotated[list[ArrayForm], Field(max_length=codec.MOST)]


def written(hint: Any, record: object) -> RecordForm:
    """A record as it travels; raises InputError for one that cannot."""
    writer = _Writer(_stays)
    try:
        plain = writer.write(hint, record, "the record")
    except ModuleError as error:
        raise _unusable(str(error)) from error
    forms = [ArrayForm.of(array) for array in writer.arrays]
    return RecordForm.model_construct(fields=plain, arrays=forms)


def read(hint: Callable[..., T], form: RecordForm) -> T:
    """The record of a form; raises InputError for what is none."""
    cells = sum(entry.cells for entry in form.arrays)
    if cells > MOST_CELLS:
        raise _unusable(f"its arrays have {cells:,} numbers; at most {MOST_CELLS:,}")
    arrays = [entry.array() for entry in form.arrays]
    try:
        record: T = _Reader(arrays=arrays).read(hint, form.fields)
    except ModuleError as error:
        raise _unusable(str(error)) from error
    return record


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    """Of a type; making one takes far longer than using it."""
    return TypeAdapter(hint)


def _unusable(why: str) -> InputError:
    return InputError(
        f"A record that was sent cannot be used: {why}. Nothing was done. Both sides must be of "
        "one build.",
        code="record_unusable",
        value=why,
        hint="both sides must be of one build",
    )


def _stays(*_: object) -> int:
    """Functions do not travel."""
    return -1


@dataclass(frozen=True, slots=True)
class _Writer(codec.Writer):
    def _scalar(self, hint: Any, value: Any, at: str) -> Any:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
        if isinstance(value, Fraction):
            return f"{value.numerator}/{value.denominator}"
        if get_origin(hint) is frozenset:
            return sorted(value)
        plain = codec.Writer.scalar(hint, value, at)
        odd = isinstance(plain, float) and not math.isfinite(plain)
        return repr(plain) if odd else plain


def _decimal(number: Decimal) -> Decimal:
    """A number of money or shares; raises ValueError for one that is none, or endless."""
    exponent = number.as_tuple().exponent
    if not (isinstance(exponent, int) and abs(exponent) <= MOST_PLACES):
        raise ValueError(f"{number} is no number of at most {MOST_PLACES} places")
    return number


@dataclass(frozen=True, slots=True)
class _Reader(codec.Reader):
    def _scalar(self, hint: Any, plain: Any) -> Any:
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            return hint.model_validate(plain)
        if hint is Fraction:
            over, under = plain.split("/")  # as written, in full: an exponent makes any length
            return Fraction(int(over), int(under))
        if hint is Decimal:
            return _decimal(Decimal(codec.Reader.scalar(str, plain)))
        if get_origin(hint) is frozenset:
            return _adapter(hint).validate_python(plain)
        if hint is str:
            return _adapter(str).validate_python(plain, strict=True)
        if hint is float and plain in NOT_FINITE:
            return float(plain)
        return codec.Reader.scalar(hint, plain)
