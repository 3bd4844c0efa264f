"""One hash of records, arrays and plain values: equal content, equal hash, on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np
from pydantic import BaseModel

DIGITS = 16
"""Of a hash that names a part of a run."""


def digest_of(*values: object) -> str:
    """SHA-256 of values that are made of records, arrays, mappings and plain values."""
    digest = hashlib.sha256()
    for value in values:
        _add(digest, value)
    return digest.hexdigest()


def _add(digest: Any, value: object) -> None:
    if isinstance(value, np.ndarray):
        _add(digest, [value.dtype.str, value.shape])
        digest.update(np.ascontiguousarray(value).view(np.uint8).data if value.size else b"")
    elif isinstance(value, BaseModel):
        _add(digest, [type(value).__name__, value.model_dump()])
    elif is_dataclass(value):
        _add(digest, type(value).__name__)
        for field in fields(value):
            _add(digest, getattr(value, field.name))
    elif isinstance(value, Mapping):
        _add(digest, sorted(value.items(), key=lambda item: repr(item[0])))
    elif isinstance(value, set | frozenset):
        _add(digest, sorted(value, key=repr))
    elif isinstance(value, tuple | list):
        digest.update(f"({len(value)}".encode())
        for part in value:
            _add(digest, part)
    else:  # numbers, decimals, dates, text, nothing
        plain = value.value if isinstance(value, Enum) else value
        digest.update(f"{type(plain).__name__}:{plain!r};".encode())
