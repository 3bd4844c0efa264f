"""The parameters of a plugin are checked here by the schema that its worker tells."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from builders.context import context
from builders.plugins import every, plugins
from steelyard.errors import ModuleError
from steelyard.modules.plugins.params import params_model
from steelyard.modules.registry import Kind, ModuleParams, modules


class Own(ModuleParams):
    """What a plugin may have."""

    share: Annotated[float, Field(ge=0, le=1, description="a share")] = 0.5
    count: Annotated[int, Field(gt=0, lt=10)] = 3
    on: bool = True
    mode: Literal["fast", "slow"] = "fast"
    text: Annotated[str, Field(max_length=5, pattern="[a-z]+")] = "abc"
    limit: Annotated[float | None, Field(gt=0)] = None
    names: Annotated[tuple[str, ...], Field(max_length=2)] = ("a",)
    pair: tuple[float, float] = (0.0, 1.0)
    weights: dict[str, float] = {"a": 1.0}  # noqa: RUF012 pydantic copies it
    anything: object = None


def mirrored(model: type[ModuleParams]) -> type[ModuleParams]:
    return params_model("own", json.dumps(model.model_json_schema()))


def test_the_defaults_are_those_of_the_plugin():
    assert mirrored(Own)().model_dump() == Own().model_dump()


def test_the_schema_is_that_of_the_plugin_but_for_its_title():
    ours, theirs = mirrored(Own).model_json_schema(), Own.model_json_schema()

    assert ours["properties"] == theirs["properties"]


@pytest.mark.parametrize(
    "given",
    [
        {"share": 1.5},
        {"share": "0.5"},
        {"share": float("nan")},
        {"share": True},
        {"count": 10},
        {"count": 1.5},
        {"on": 1},
        {"mode": "other"},
        {"text": "abcdef"},
        {"text": "1"},
        {"limit": 0.0},
        {"names": ["a", "b", "c"]},
        {"names": [1]},
        {"pair": [1.0]},
        {"weights": {"a": "x"}},
        {"strange": 1},
    ],
    ids=str,
)
def test_what_the_plugin_would_refuse_is_refused_here(given):
    for model in (Own, mirrored(Own)):
        with pytest.raises(ValidationError):
            model.model_validate(given)


@pytest.mark.parametrize("kind", Kind)
def test_every_built_in_model_could_be_a_plugins(kind):
    for module in modules(kind).values():
        assert mirrored(module.params)().model_dump(mode="json") == module.params().model_dump(
            mode="json"
        ), module.qualified


@pytest.mark.parametrize("name", ["enabled", "model_dump", "_hidden", "a-b", "json"])
def test_a_name_that_means_something_else_is_refused(name):
    schema = f'{{"properties": {{"{name}": {{"type": "integer", "default": 1}}}}}}'

    with pytest.raises(ModuleError, match="another name"):
        params_model("own", schema)


def test_a_rule_over_two_parameters_is_the_plugins_own_and_asked_at_every_call(tmp_path):
    text = """
    from pydantic import model_validator

    class Both(ModuleParams):
        low: int = 1
        high: int = 2

        @model_validator(mode="after")
        def ordered(self):
            if self.low > self.high:
                raise ValueError("low is over high")
            return self

    @opportunity_calculator("both", version="1.0.0", params=Both)
    def both(ctx, params):
        return []
    """
    with plugins(tmp_path, {"plugin.py": text}) as loaded:
        (module,) = every(loaded)

        assert module.call(context("A"), module.params(low=1, high=1)) == []
        with pytest.raises(ModuleError, match="low is over high"):
            module.call(context("A"), module.params(low=2, high=1))


def test_a_default_that_a_factory_makes_is_a_default(tmp_path):
    text = """
    class Made(ModuleParams):
        shares: Annotated[dict[str, float], Field(default_factory=lambda: {"a": 1.0})]

    @opportunity_calculator("made", version="1.0.0", params=Made)
    def made(ctx, params):
        return []
    """
    with plugins(tmp_path, {"plugin.py": text}) as loaded:
        (module,) = every(loaded)

    assert module.default_params() == {"shares": {"a": 1.0}}


@pytest.mark.parametrize(
    "schema",
    [
        "",
        "[]",
        "{",
        '{"properties": 1}',
        '{"properties": {"x": {"type": "string", "minimum": 1, "default": "a"}}}',
        '{"properties": {"x": {"type": "number", "multipleOf": 0, "default": 1}}}',
        '{"properties": {"x": {"type": "dragon", "default": 1}}}',
        '{"properties": {"x": {"type": "string", "pattern": "(", "default": "a"}}}',
    ],
)
def test_a_schema_that_is_none_is_a_module_error(schema):
    with pytest.raises(ModuleError, match="the parameters of own cannot be read"):
        params_model("own", schema)
