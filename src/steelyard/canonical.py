"""What two machines agree on: numbers of 12 digits, decimals, frozen records of them, hashes."""

from __future__ import annotations

import hashlib
import json
import math
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

SIGNIFICANT_DIGITS = 12


def plain(amount: Decimal) -> str:
    """Decimal as text without exponent or trailing zeros: 1E+3 gives 1000, 2.50 gives 2.5."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def published(number: float) -> float:
    """12 significant digits, no negative zero: what two machines agree on.

    Raises ValueError for NaN and infinity: a number that is not one must be None.
    """
    if not math.isfinite(number):
        raise ValueError(f"{number} may not be published; missing is null")
    return float(f"{number:.{SIGNIFICANT_DIGITS}g}") + 0.0


def _decimal(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": "decimal", "pattern": pattern})


Amount = Annotated[
    Decimal,
    PlainSerializer(plain, return_type=str),
    _decimal(r"^-?[0-9]{1,40}(\.[0-9]{1,60})?$"),
]
"""A decimal as text: no exponent, and no more digits than any calculation here keeps."""
Positive = Annotated[
    Decimal,
    PlainSerializer(plain, return_type=str),
    _decimal(r"^(?=.*[1-9])[0-9]{1,40}(\.[0-9]{1,60})?$"),
]
"""An amount above 0: a price, a rate, a lot."""
Number = Annotated[float, PlainSerializer(published, return_type=float)]


class Record(BaseModel):
    """A frozen part of the document."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )


def sha256(content: Any) -> str:
    """SHA-256 of plain JSON values, keys sorted, no white space."""
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


FactValue = str | int | float | None
