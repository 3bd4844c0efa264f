"""The parameters of a plugin's module: a model made from the JSON Schema that the worker tells.

Types, ranges, defaults, choices and descriptions are checked here, when a strategy loads. What no
JSON Schema can say (a rule over two parameters) is checked by the plugin's own model in the worker,
at every call.
"""

from __future__ import annotations

import functools
import json
import operator
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from steelyard.errors import ModuleError
from steelyard.modules.plugins.channel import words
from steelyard.modules.registry import ModuleParams

Schema = Mapping[str, Any]

TYPES: Mapping[str, Any] = {
    "number": float,
    "integer": int,
    "string": str,
    "boolean": bool,
    "null": None,
}
RANGES = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minItems": "min_length",
    "maxItems": "max_length",
}
TOLD = {
    "type",
    "title",
    "description",
    "default",
    "enum",
    "const",
    "items",
    "prefixItems",
    "anyOf",
    "additionalProperties",
    "examples",
    "uniqueItems",
    *RANGES,
}
"""Words of JSON Schema that are understood; `uniqueItems` is left to the plugin's own model."""

MOST_PARAMETERS = 100


def params_model(name: str, text: str) -> type[ModuleParams]:
    """The model of a module's parameters.

    text   JSON Schema of an object, as pydantic writes it
    Raises ModuleError naming the parameter that cannot be checked here.
    """
    try:
        return _model(name, json.loads(text))
    except ModuleError:
        raise
    except (
        Exception
    ) as error:  # what pydantic makes of a schema that a plugin wrote cannot be foreseen
        raise ModuleError(
            f"the parameters of {name} cannot be read: {words(str(error))}"
        ) from error


def _model(name: str, schema: Schema) -> type[ModuleParams]:
    properties = schema.get("properties", {})
    if len(properties) > MOST_PARAMETERS:
        raise ModuleError(
            f"{name} has {len(properties)} parameters; at most {MOST_PARAMETERS} are read"
        )
    fields = {key: _field(name, key, one) for key, one in properties.items()}
    doc = words(schema.get("description", "")) or None
    model: type[ModuleParams] = create_model(
        f"{name}_params", __base__=ModuleParams, __doc__=doc, **fields
    )
    defaults = model()
    json.dumps(
        defaults.model_dump(mode="json"), allow_nan=False
    )  # every plan publishes them, and every call sends them
    model.model_validate_json(defaults.model_dump_json())
    return model


def _field(module: str, name: str, schema: Schema) -> Any:
    if (
        not name.isidentifier()
        or name.startswith("_")
        or hasattr(ModuleParams, name)
        or name == "enabled"
    ):
        raise ModuleError(f"{module} has a parameter {words(name, 100)!r}; it needs another name")
    if "default" not in schema:
        raise ModuleError(f"{module}.{name} has no default; every parameter needs one")
    description = words(str(schema["description"])) if "description" in schema else None
    options: dict[str, Any] = {RANGES[key]: value for key, value in schema.items() if key in RANGES}
    if "array" in {one.get("type") for one in (schema, *schema.get("anyOf", ()))}:
        options["strict"] = False  # TOML and JSON have no tuples: a list is read as one
    return _type(module, name, schema), Field(
        schema["default"], description=description, validate_default=True, **options
    )


def _type(module: str, name: str, schema: Schema) -> Any:
    """The Python type of a schema; raises ModuleError for one that is not understood."""
    unknown = sorted(set(schema) - TOLD)
    if unknown:
        how = ", ".join(map(words, unknown))
        raise ModuleError(
            f"{module}.{name} is described with {how}, which cannot be checked here; use numbers, "
            "text, choices and lists"
        )
    if "enum" in schema or "const" in schema:
        return Literal[tuple(schema.get("enum", (schema.get("const"),)))]
    if "anyOf" in schema:
        return functools.reduce(
            operator.or_, [_ranged(module, name, one) for one in schema["anyOf"]]
        )
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return types.GenericAlias(
                tuple, tuple(_ranged(module, name, one) for one in schema["prefixItems"])
            )
        return types.GenericAlias(tuple, (_ranged(module, name, schema.get("items", {})), ...))
    if schema.get("type") == "object":
        return types.GenericAlias(
            dict, (str, _ranged(module, name, schema.get("additionalProperties") or {}))
        )
    return TYPES[schema["type"]] if "type" in schema else Any


def _ranged(module: str, name: str, schema: Schema) -> Any:
    """The type of an inner schema with its own range."""
    ranges = {RANGES[key]: value for key, value in schema.items() if key in RANGES}
    kind = _type(module, name, schema)
    return Annotated[kind, Field(**ranges)] if ranges else kind
