"""The parameters of a plugin's module: a model whose values the plugin's own model checks, in the
worker, when a strategy loads and again at every call.

Names, defaults and descriptions come from the JSON Schema that the worker tells; here it only has
to be one that messages and `docs` can be written from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import InitErrorDetails, PydanticCustomError

from steelyard.errors import ModuleError
from steelyard.modules.plugins.channel import MOST_WORDS, first, words
from steelyard.modules.registry import ModuleParams
from steelyard.settings import Section

MOST_PARAMETERS = 100
MOST_SLIPS = 20

Line = Annotated[str, Field(max_length=MOST_WORDS)]
Figure = int | Annotated[float, Field(allow_inf_nan=False)]


class Slip(Section):
    """What the plugin's model says of a value."""

    place: Annotated[tuple[int | Line, ...], Field(max_length=20)]
    kind: Line
    text: Line


class Judged(Section):
    """The values as the plugin's model takes them, or what is wrong with them."""

    values: dict[str, JsonValue] | None = None
    slips: Annotated[tuple[Slip, ...], Field(max_length=MOST_SLIPS)] = ()


class Node(Section):
    """A JSON Schema that is understood."""

    model_config = ConfigDict(alias_generator=to_camel)

    type: Literal["number", "integer", "string", "boolean", "null", "array", "object"] | None = None
    title: Line = ""
    description: Line = ""
    default: JsonValue = None
    examples: tuple[JsonValue, ...] = ()
    enum: tuple[JsonValue, ...] = ()
    const: JsonValue = None
    items: Node | None = None
    prefix_items: tuple[Node, ...] = ()
    any_of: tuple[Node, ...] = ()
    additional_properties: bool | Node = True
    minimum: Figure | None = None
    maximum: Figure | None = None
    exclusive_minimum: Figure | None = None
    exclusive_maximum: Figure | None = None
    multiple_of: Figure | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    pattern: Line = ""
    unique_items: bool = False


NODES = TypeAdapter(dict[str, Node])
Ask = Callable[[str], Any]
"""Values as JSON -> what the worker says of them, see `Judged`."""


def params_model(name: str, schema: Any, ask: Ask) -> type[ModuleParams]:
    """The model of a module's parameters.

    schema   JSON Schema of an object, as pydantic writes it; anything, as long as nobody has looked
    Raises ModuleError naming the parameter that cannot be told to people.
    """
    properties = schema.get("properties", {}) if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or len(properties) > MOST_PARAMETERS:
        raise ModuleError(f"the parameters of {name} cannot be read; at most {MOST_PARAMETERS} are")
    nodes = _nodes(name, properties)
    fields: Any = {key: (Any, _field(name, key, node)) for key, node in nodes.items()}
    doc = words(str(schema.get("description", ""))) or None
    told = {
        key: node.model_dump(mode="json", exclude_unset=True, by_alias=True)
        for key, node in nodes.items()
    }

    class Asking(ModuleParams):
        @model_validator(mode="before")
        @classmethod
        def _judged(cls, values: Any) -> Any:
            return _judge(values, cls, ask) if isinstance(values, dict) and values else values

        @classmethod
        def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
            return {"type": "object", "properties": told, "additionalProperties": False}

    return create_model(f"{name}_params", __base__=Asking, __doc__=doc, **fields)


def _nodes(name: str, properties: Mapping[str, Any]) -> dict[str, Node]:
    try:
        return NODES.validate_json(json.dumps(properties))
    except ValidationError as error:
        slip = error.errors(include_url=False)[0]
        if slip["type"] != "extra_forbidden":
            raise ModuleError(
                f"the parameters of {name} cannot be read: {words(first(error))}"
            ) from error
        raise ModuleError(
            f"{name}.{words(str(slip['loc'][0]), 100)} is described with "
            f"{words(str(slip['loc'][-1]), 100)}, which no message could explain; use numbers, "
            "text, choices and lists"
        ) from error


def _field(module: str, name: str, node: Node) -> Any:
    """The field of a parameter; raises ModuleError for a name that means something else."""
    odd = not name.isidentifier() or name.startswith("_") or name == "enabled"
    if odd or hasattr(ModuleParams, name):
        raise ModuleError(f"{module} has a parameter {words(name, 100)!r}; it needs another name")
    if "default" not in node.model_fields_set:
        raise ModuleError(f"{module}.{name} has no default; every parameter needs one")
    return Field(node.default, description=words(node.description) or None)


def _judge(values: dict[str, Any], model: type[ModuleParams], ask: Ask) -> dict[str, Any]:
    """The values as the plugin's model takes them; raises ValidationError with all that it says.

    Where its worker cannot be asked they stay as they are: every call asks again.
    """
    slips = [
        Slip(place=(key,), kind="value_error", text="it can be no parameter: JSON cannot carry it")
        for key, value in values.items()
        if not _travels(value)
    ]
    if not slips:
        try:
            judged = Judged.model_validate_json(json.dumps(ask(json.dumps(values))))
        except (ModuleError, ValidationError):
            return values
        if judged.values is not None:
            return judged.values
        slips = list(judged.slips)
    lines = [_line(slip, values) for slip in slips]
    raise ValidationError.from_exception_data(model.__name__, lines)


def _travels(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _line(slip: Slip, values: Any) -> InitErrorDetails:
    """A slip as pydantic has it, with the value that it is about."""
    value = values
    for step in slip.place:
        try:
            value = value[step]
        except (LookupError, TypeError):
            break
    text = words(slip.text)
    error = PydanticCustomError(slip.kind, "{error}", {"error": text})
    return InitErrorDetails(type=error, loc=slip.place, input=value)
