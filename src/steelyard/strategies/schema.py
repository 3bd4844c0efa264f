"""JSON Schema of a strategy file, from settings, registry and spellings: what an editor checks.

It knows every accepted key with its type, range and default, and rejects every other; what only a
rule across tables can tell `strategy validate` says.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from steelyard.modules.registry import Kind, Module, first_paragraph
from steelyard.strategies.files.exchange import METADATA
from steelyard.strategies.files.normalise import MAX_DESCRIPTION, MAX_NAME
from steelyard.strategies.files.problems import resolved
from steelyard.strategies.files.spellings import (
    CORE,
    ENABLED,
    ENABLED_LISTS,
    EVALUATION,
    EVALUATION_MODE,
    GLOBAL,
    ON_FAILURE,
    PARAM_TABLES,
    PARAMS,
    PLANNER,
    Agrees,
    Alias,
    Refused,
    Spelling,
    Switches,
    Unused,
    of_module,
)
from steelyard.strategies.presets import PRESETS
from steelyard.strategies.strategy import SECTIONS, Strategy, default

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLUGINS = "plugins"
FAILING: Schema = {
    "enum": ["block", "allow"],
    "default": "block",
    "description": (
        "while the filter fails: trade nothing on the sides that it guards, or plan without it"
    ),
}


def schema() -> Schema:
    """The schema of a strategy file, JSON Schema 2020-12."""
    base = default()
    texts = _texts()
    shared = _spelled(base, GLOBAL)
    kinds = {kind.value: _kind(base, kind) for kind in Kind}
    sections = {name: _table(_properties(model), model.__doc__) for name, model in SECTIONS.items()}
    sections[PLANNER]["properties"] = {**shared, **sections[PLANNER]["properties"], **texts}
    evaluation = sections[EVALUATION_MODE[0]]
    evaluation["properties"] = {**_spelled(base, EVALUATION), **evaluation["properties"]}
    names = {kind: [choice.module.name for choice in base.choices[kind]] for kind in Kind}
    whole = {
        "$schema": DIALECT,
        "title": "Steelyard strategy",
        "description": (
            "Everything that shapes a plan besides the inputs. What a file does not name it "
            "inherits from its preset."
        ),
        **_table(
            {
                **texts,
                METADATA: {"type": "object", "description": "of an exported strategy: no rule"},
                **sections,
                **kinds,
                CORE: _table({**shared, **texts}, "Keys of the older documents; see [planner]."),
                **{name: _listed(names[kind], kind) for name, kind in ENABLED_LISTS.items()},
                **{name: _params_table(base, kind) for name, kind in PARAM_TABLES.items()},
                **shared,
            }
        ),
        "if": {"not": {"required": [PLUGINS]}},
        "then": {
            "properties": {kind.value: {"propertyNames": {"enum": names[kind]}} for kind in Kind}
        },
    }
    return copy.deepcopy(whole)


def _texts() -> dict[str, Schema]:
    def text(most: int, says: str) -> Schema:
        return {"type": "string", "maxLength": most, "description": says}

    names: Schema = {"enum": list(PRESETS)}
    file: Schema = {"type": "string", "pattern": r"\.toml$"}
    preset: Schema = {"anyOf": [names, file], "default": "default"}
    inherited = (
        "what is inherited where this file says nothing: a preset's name, or another file like "
        '"house.toml", beside this one or at a path relative to it'
    )
    return {
        "preset": {**preset, "description": inherited},
        "preset_name": {**preset, "description": "the same as `preset`"},
        "name": text(MAX_NAME, "of the strategy; by default the name of the file"),
        "title": text(MAX_DESCRIPTION, "describes the strategy where `description` does not"),
        "description": text(MAX_DESCRIPTION, "for people"),
    }


def _table(properties: Mapping[str, Schema], description: str | None = None) -> Schema:
    own = {"description": first_paragraph(description)} if description else {}
    return {"type": "object", **own, "properties": dict(properties), "additionalProperties": False}


@cache
def _properties(model: type[BaseModel]) -> Mapping[str, Schema]:
    """The keys of a section or of a module's parameters."""
    root = model.model_json_schema(by_alias=True)
    nodes = root.get("properties", {})
    return MappingProxyType({name: _inlined(node, root) for name, node in nodes.items()})


def _inlined(node: Any, root: Mapping[str, Any]) -> Any:
    """A schema without references or null, which TOML has not: a key left out is at its default."""
    if isinstance(node, list):
        return [_inlined(inner, root) for inner in node]
    if not isinstance(node, Mapping):
        return node
    unset = [key for key in node if key == "default" and node[key] is None]
    own = {key: node[key] for key in node if key not in ("$ref", "anyOf", *unset)}
    nodes = {**resolved(node, root), **own}
    return {
        key: _inlined(value, root)
        for key, value in nodes.items()
        if not (key == "default" and value is None)
    }


def _kind(base: Strategy, kind: Kind) -> Schema:
    """Modules of a kind: a switch or a table each; of plugins any other name."""
    tables = {
        choice.module.name: _module(base, choice.module, enabled=choice.enabled)
        for choice in base.choices[kind]
    }
    more = {"additionalProperties": {"type": ["boolean", "object"]}}
    return {"type": "object", "properties": tables, **more}


def _module(base: Strategy, module: Module, *, enabled: bool) -> Schema:
    params = _params(base, module)
    plain = {"type": "boolean", "default": enabled}
    switch = {**plain, "description": "does it run; a table without this switches it on"}
    again = _table(params, "The same parameters, in a table of their own.")
    failing = {ON_FAILURE: FAILING} if module.protects else {}
    table = _table({ENABLED: switch, **failing, **params, PARAMS: again})
    return {"title": module.name, "description": module.summary, "anyOf": [plain, table]}


def _params(base: Strategy, module: Module) -> dict[str, Schema]:
    spellings = of_module(module.kind.value, module.name)
    return {**_properties(module.params), **_spelled(base, spellings)}


def _params_table(base: Strategy, kind: Kind) -> Schema:
    tables = {
        choice.module.name: _table(_params(base, choice.module), choice.module.summary)
        for choice in base.choices[kind]
    }
    return _table(tables, f"Parameters of [{kind.value}], by module; switches nothing on.")


def _listed(names: list[str], kind: Kind) -> Schema:
    says = f"exactly these modules of [{kind.value}] run"
    return {"type": "array", "items": {"enum": names}, "description": says}


def _spelled(base: Strategy, spellings: Mapping[str, Spelling]) -> dict[str, Schema]:
    """Keys accepted by another name than ours; what is refused at any value is not there."""
    nodes = {key: _spelling(base, key, spelling) for key, spelling in spellings.items()}
    return {key: node for key, node in nodes.items() if node is not None}


def _spelling(base: Strategy, key: str, spelling: Spelling) -> Schema | None:
    match spelling:
        case Alias(target, converted):
            says = f", {converted.says}" if converted else ""
            sets = f"sets {'.'.join(target)}{says}" if target[-1] != key or says else None
            node = house = _of_key(base, target)
            if converted:
                node = {"type": "number", "minimum": converted.low, "maximum": converted.high}
            return {
                **node,
                "description": "; ".join(filter(None, (house.get("description"), sets))),
            }
        case Agrees(target):
            return {**_of_key(base, target), "description": f"must be what {'.'.join(target)} is"}
        case Switches(mode):
            return {"type": "boolean", "description": f'true sets evaluation.mode to "{mode}"'}
        case Unused(says, wanted):
            return {
                "type": "boolean" if wanted is bool else "integer",
                "description": f"changes nothing: {says}",
                "deprecated": True,
            }
        case Refused(says, nothing):
            return {"enum": list(nothing), "description": says} if nothing else None


def _of_key(base: Strategy, key: tuple[str, ...]) -> Schema:
    """The schema of a house key."""
    if key[0] in SECTIONS:
        return _properties(SECTIONS[key[0]])[key[1]]
    if key[-1] == ENABLED:
        return {"type": "boolean"}
    return _properties(base.choice(Kind(key[0]), key[1]).module.params)[key[2]]
