"""The parameters of a plugin's module: a model whose values the plugin's own model checks.

It is asked in the worker, when a strategy loads and again at every call. Names, defaults and
descriptions come from its JSON Schema, which has to be one that messages can be written from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field, JsonValue, ValidationError, create_model, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from steelyard.errors import ModuleError
from steelyard.modules.plugins.channel import MOST_SLIPS, MOST_WORDS, words
from steelyard.modules.registry import ModuleParams
from steelyard.settings import Section

MOST_PARAMETERS = 100

Line = Annotated[str, Field(max_length=MOST_WORDS)]
Place = Annotated[tuple[int | Line, ...], Field(max_length=20)]


class Judged(Section):
    """The values as the plugin's model takes them, or where, by which rule and why it does not."""

    values: dict[str, JsonValue] | None = None
    slips: Annotated[tuple[tuple[Place, Line, Line], ...], Field(max_length=MOST_SLIPS)] = ()


WORDS: Mapping[str, Any] = {
    **dict.fromkeys(("title", "description", "pattern"), str),
    **dict.fromkeys(("default", "const"), object),
    **dict.fromkeys(("examples", "enum", "prefixItems", "anyOf"), list),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), int | float),
    **dict.fromkeys(("multipleOf", "minLength", "maxLength", "minItems", "maxItems"), int | float),
    "type": str,
    "items": dict,
    "additionalProperties": bool | dict,
    "uniqueItems": bool,
}
"""Words of JSON Schema that are understood -> types of what they say."""
TYPES = {"number", "integer", "string", "boolean", "null", "array", "object"}

Ask = Callable[[str], Any]
"""Values as JSON -> what the worker says of them, see `Judged`."""


def params_model(name: str, schema: Any, ask: Ask) -> type[ModuleParams]:
    """The model of a module's parameters.

    schema   JSON Schema of an object, as pydantic writes it; not looked at yet
    Raises ModuleError naming the parameter that cannot be told to people.
    """
    nodes = schema.get("properties", {}) if isinstance(schema, dict) else None
    if not isinstance(nodes, dict) or len(nodes) > MOST_PARAMETERS:
        raise ModuleError(
            f"the parameters of {name} cannot be read; at most {MOST_PARAMETERS} are",
            code="too_many_parameters",
            place=name,
            limit=MOST_PARAMETERS,
        )
    fields: Any = {key: (Any, _field(name, key, node)) for key, node in nodes.items()}
    doc = words(str(schema.get("description", ""))) or None

    class Asking(ModuleParams):
        @model_validator(mode="before")
        @classmethod
        def _judged(cls, values: Any) -> Any:
            return _judge(values, cls, ask) if isinstance(values, dict) and values else values

        @classmethod
        def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
            return {"type": "object", "properties": nodes, "additionalProperties": False}

    return create_model(f"{name}_params", __base__=Asking, __doc__=doc, **fields)


def _field(module: str, name: str, node: Any) -> Any:
    """The field of a parameter; raises ModuleError for a name that means something else."""
    spoken_for = name in ("enabled", "on_failure")
    odd = not name.isidentifier() or name.startswith("_") or spoken_for
    if odd or hasattr(ModuleParams, name):
        raise ModuleError(
            f"{module} has a parameter {words(name, 100)!r}; it needs another name",
            code="parameter_name",
            place=module,
            value=words(name, 100),
        )
    _understand(f"{module}.{name}", node)
    if "default" not in node or not _travels(node["default"]):
        raise ModuleError(
            f"{module}.{name} has no default; every parameter needs one",
            code="parameter_without_default",
            place=f"{module}.{name}",
        )
    if "description" in node:
        node["description"] = words(node["description"])
    return Field(node["default"], description=node.get("description"))


def _understand(at: str, node: Any) -> None:
    """Raises ModuleError for a schema that no message could explain."""
    further = sorted(set(node) - set(WORDS)) if isinstance(node, dict) else [type(node).__name__]
    if further:
        raise ModuleError(
            f"{at} is described with {words(further[0], 100)}, which no message could explain; use "
            "numbers, text, choices and lists",
            code="parameter_constraint",
            place=at,
            value=words(further[0], 100),
        )
    wrong = [word for word, value in node.items() if not isinstance(value, WORDS[word])]
    if wrong or node.get("type", "null") not in TYPES:
        raise ModuleError(
            f"{at} cannot be read: {', '.join(wrong) or words(node['type'], 100)}",
            code="parameter_type",
            place=at,
        )
    inner = (node.get("items"), node.get("additionalProperties"))
    for each in (*node.get("prefixItems", ()), *node.get("anyOf", ()), *inner):
        if not isinstance(each, bool | None):
            _understand(at, each)


def _judge(values: dict[str, Any], model: type[ModuleParams], ask: Ask) -> dict[str, Any]:
    """The values as the plugin's model takes them; raises ValidationError with all that it says.

    Where its worker cannot be asked they stay as they are: every call asks again.
    """
    foreign = "it can be no parameter: JSON cannot carry it"
    slips = [((key,), "value_error", foreign) for key in values if not _travels(values[key])]
    if not slips:
        try:
            judged = Judged.model_validate_json(json.dumps(ask(json.dumps(values))))
        except (ModuleError, ValidationError):
            return values
        if judged.values is not None:
            return judged.values
        slips = list(judged.slips)  # type: ignore[arg-type]
    lines = [_line(place, kind, text, values) for place, kind, text in slips]
    raise ValidationError.from_exception_data(model.__name__, lines)


def _travels(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _line(place: tuple[int | str, ...], kind: str, text: str, value: Any) -> InitErrorDetails:
    """A slip as pydantic has it, with the value that it is about."""
    for step in place:
        try:
            value = value[step]
        except (LookupError, TypeError):
            break
    error = PydanticCustomError(kind, "{error}", {"error": words(text)})
    return InitErrorDetails(type=error, loc=place, input=value)
