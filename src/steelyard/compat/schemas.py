"""The documents' schemas of a configuration: JSON Schema, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steelyard.strategies import schema

generate_toml_schema = schema
"""The schema of a strategy file: what `steelyard strategy schema` prints."""

TYPES: tuple[tuple[Any, str], ...] = (
    (bool, "boolean"),  # before int, which it is too
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (Mapping, "object"),
    (list | tuple, "array"),
)
"""Type of a default -> its name in JSON Schema."""


def generate_param_schema(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of a module's parameters from their defaults; one that is off has no type.

    >>> generate_param_schema({"share": 0.1, "days": 30})
    {'share': {'type': 'number', 'default': 0.1}, 'days': {'type': 'integer', 'default': 30}}
    """
    return {name: _property(value) for name, value in defaults.items()}


def _property(value: object) -> dict[str, Any]:
    names = [name for kind, name in TYPES if isinstance(value, kind)]
    return {**({"type": names[0]} if names else {}), "default": value}
