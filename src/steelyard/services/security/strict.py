r"""JSON, read strictly before any handler: what two readers may read differently is refused.

    depth         more than 32 arrays and objects open at once, counted before anything is parsed
    names         the same name twice in one object
    numbers       NaN, Infinity, 1e999; whole numbers that do not fit into 64 bits
    text          what is not UTF-8, half of a surrogate pair, the character NUL

Patterns over the bytes say whether a number or a text may be such, so that a large ordinary body
costs hardly more than parsing it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from steelyard.services.security.limits import MOST_DEPTH
from steelyard.services.security.refusal import Refusal

LARGEST_INT = 2**63
LONGEST_NAME = 60
TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z|\\\Z)', re.DOTALL)
"""A text, or one that nothing closes: it runs to the end, so that no byte is looked at twice."""
NO_BRACKETS = bytes(sign for sign in range(256) if sign not in b"[]{}")
EXPONENT = re.compile(rb"[eE]\+?[0-9]{3}")
"""What may be a number that is too large, or part of a text."""
STEPS = (1, 2, 4, 8, 8)
"""Together with the first, 24 digits in a row: machines write floats in at most 22."""
FEW_BYTES = 1 << 16
ESCAPED = re.compile(rb"\\u(?:[dD][89abAB]|[dD][c-fC-F]|0000)")
"""What may be half of a pair, or NUL."""


class NotStrict(ValueError):
    """Why a body is refused: a code, and what of it."""

    def __init__(self, code: str, what: str, place: str = "body", limit: str | None = None) -> None:
        super().__init__(what)
        self.refusal = Refusal(422, code, what, place, limit)


def strict(data: bytes) -> Any:
    """What a body says; raises NotStrict."""
    if depth(data) > MOST_DEPTH:
        what = f"The body has more than {MOST_DEPTH} arrays and objects inside each other."
        raise NotStrict("too_deep", what, limit=str(MOST_DEPTH))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"The body is not UTF-8 from byte {error.start} on."
        raise NotStrict("not_utf8", what) from error
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, **_number_hooks(data)
        )
    except json.JSONDecodeError as error:
        place = f"body, line {error.lineno}, column {error.colno}"
        raise NotStrict("not_json", f"{place}: {error.msg}.", place) from error
    if ESCAPED.search(data):
        _check_texts(value)
    return value


def _number_hooks(data: bytes) -> dict[str, Any]:
    """How numbers are read: each looked at, unless they are many and none can be too large."""
    if len(data) > FEW_BYTES and not (EXPONENT.search(data) or _has_long_digits(data)):
        return {}
    return {"parse_int": _whole, "parse_float": _finite}


def _has_long_digits(data: bytes) -> bool:
    run = np.frombuffer(data, np.uint8) - np.uint8(ord("0")) < len("0123456789")
    for step in STEPS:
        run = run[:-step] & run[step:]
    return bool(run.any())


def depth(data: bytes) -> int:
    """The most arrays and objects that are open at once, or more where that is not too many.

    >>> depth(b'[{"a": 1}, [2]]'), depth(b"[" * 40 + b"]" * 40)
    (3, 40)
    """
    opened = data.count(b"[") + data.count(b"{")
    if opened <= MOST_DEPTH:
        return opened
    outside = TEXT.sub(b"", data) if b"\\" in data else b"".join(data.split(b'"')[::2])
    brackets = np.frombuffer(outside.translate(None, NO_BRACKETS), np.uint8)
    opens = (brackets == ord("[")) | (brackets == ord("{"))
    levels = np.cumsum(np.where(opens, 1, -1), dtype=np.int64)
    return int(levels.max(initial=0))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    count = Counter(name for name, _ in pairs)
    twice = next(name for name, _ in pairs if count[name] > 1)
    shown = json.dumps(twice[:LONGEST_NAME])
    raise NotStrict("name_twice", f"An object has {shown} more than once.", shown)


def _constant(name: str) -> NoReturn:
    raise NotStrict("not_finite", f"{name} is no number of JSON.", limit="a finite number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isfinite(value):
        return value
    what = f"{text[:LONGEST_NAME]} is too large for a number."
    raise NotStrict("not_finite", what, limit="a finite number")


def _whole(text: str) -> int:
    if len(text) <= len(str(-LARGEST_INT)) and -LARGEST_INT <= int(text) < LARGEST_INT:
        return int(text)
    what = f"A whole number of {len(text)} digits does not fit into 64 bits."
    raise NotStrict("integer_too_large", what, limit="64 bits")


def _check_texts(value: Any) -> None:
    for text in _texts(value):
        if "\0" in text:
            raise NotStrict("nul_in_text", "A text has the character NUL.")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            what = "A text has half of a surrogate pair."
            raise NotStrict("half_a_character", what) from error


def _texts(value: Any) -> Iterator[str]:
    """Every text and name of a value, nested at most `MOST_DEPTH` deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
