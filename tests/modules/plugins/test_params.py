"""The parameters of a plugin are checked by its own model, in the worker, when a strategy loads."""

from __future__ import annotations

import inspect
import json
import textwrap
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from builders.context import context
from builders.plugins import HEAD, every, pin, plugins
from steelyard.errors import ModuleError, SettingsError
from steelyard.modules.plugins import child
from steelyard.modules.plugins.params import params_model
from steelyard.modules.registry import Kind, ModuleParams, modules
from steelyard.strategies import load


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


CALCULATOR = """
@opportunity_calculator("mine", version="1.0.0", params=Own)
def mine(ctx, params):
    raise ValueError(params)
"""
OWN = f"from typing import Literal\n{textwrap.dedent(inspect.getsource(Own))}\n{CALCULATOR}"
BOTH = f"""
from pydantic import model_validator

class Own(ModuleParams):
    low: int = 1
    high: Annotated[int, Field(le=9)] = 2

    @model_validator(mode="after")
    def ordered(self):
        if self.low > self.high:
            raise ValueError("low is over high")
        return self
{CALCULATOR}"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """The parameters of `Own` as a plugin's."""
    with plugins(tmp_path_factory.mktemp("plugins"), {"plugin.py": OWN}) as loaded:
        yield every(loaded)[0]


def test_defaults_and_schema_are_those_of_the_plugin(mine):
    assert mine.default_params() == Own().model_dump(mode="json")
    schema = mine.params.model_json_schema()["properties"]
    assert schema == Own.model_json_schema()["properties"]


def slips(error):
    keys = ("loc", "type", "msg", "input")
    return [[slip[key] for key in keys] for slip in error.errors()]


def test_what_the_plugin_refuses_is_refused_with_its_words_and_what_it_takes_is_taken(mine):
    refused = [
        {"share": 1.5}, {"share": "0.5"}, {"share": True}, {"count": 10}, {"count": 1.5}, {"on": 1},
        {"mode": "other"}, {"text": "abcdef"}, {"text": "1"}, {"limit": 0.0},
        {"names": ["a", "b", "c"]}, {"names": [1]}, {"pair": [1.0]}, {"weights": {"a": "x"}},
        {"strange": 1}, {"share": 2, "count": 0},
    ]  # fmt: skip
    for values in refused:
        with pytest.raises(ValidationError) as theirs:
            Own.model_validate_json(json.dumps(values))
        with pytest.raises(ValidationError) as ours:
            mine.params.model_validate(values)
        assert slips(ours.value) == slips(theirs.value), values

    values = {"share": 1, "names": ["b"], "limit": 2.5, "weights": {"b": 2.0}, "anything": [1]}
    assert mine.params(**values).model_dump() == {**mine.default_params(), **values}


def test_what_json_cannot_carry_is_refused(mine):
    for value in (float("nan"), float("inf"), {1, 2}, b"x"):
        with pytest.raises(ValidationError, match="JSON cannot carry it"):
            mine.params(anything=value)


@pytest.mark.parametrize("kind", Kind)
def test_every_built_in_model_could_be_a_plugins(kind):
    for module in modules(kind).values():
        worker = child.Worker({module.qualified: module})
        mirrored = params_model(
            module.name,
            child._schema(module),
            lambda text, worker=worker, module=module: worker._params(
                {"module": module.qualified, "params": text}
            )[0],
        )
        defaults = module.default_params()

        assert mirrored().model_dump() == defaults, module.qualified
        assert mirrored(**defaults).model_dump() == defaults, module.qualified


def test_a_rule_over_two_parameters_is_asked_when_they_are_set_and_at_every_call(tmp_path):
    with plugins(tmp_path, {"plugin.py": BOTH}) as loaded:
        (module,) = every(loaded)

        with pytest.raises(ValidationError, match="low is over high"):
            module.params(low=3)
        with pytest.raises(ModuleError, match="low is over high"):
            module.call(context("A"), module.params.model_construct(low=2, high=1))
        with pytest.raises(ModuleError, match="low=1 high=1"):
            module.call(context("A"), module.params(low=1, high=1))


def test_a_strategy_with_bad_parameters_of_a_plugin_is_refused_by_key_value_and_range(tmp_path):
    (tmp_path / "plugin.py").write_text(HEAD + BOTH)
    path: Path = tmp_path / "mine.toml"
    digest = pin(tmp_path / "plugin.py")
    listed = f"[plugins]\nfolder = '.'\nfiles = {{'plugin.py' = '{digest}'}}\n"
    due = {
        "low = 3": "opportunity_calculators.mine: low is over high.",
        "high = 10": ".mine.high is 10; it must be a whole number at most 9.",
        "low = 'x'": "opportunity_calculators.mine.low is 'x'; it must be a whole number.",
        "lwo = 1": "opportunity_calculators.mine.lwo is not a known key. Did you mean low?",
        "low = 2020-01-01": "opportunity_calculators.mine.low",
    }
    wrong = {}
    for line, sentence in due.items():
        path.write_text(f"{listed}[opportunity_calculators.mine]\n{line}\n")
        with pytest.raises(SettingsError) as refused:
            load(path)
        if sentence not in str(refused.value):
            wrong[line] = str(refused.value)

    assert wrong == {}


def test_values_of_a_plugin_whose_worker_cannot_be_asked_wait_for_the_call(tmp_path):
    text = BOTH.replace('raise ValueError("low is over high")', "os._exit(3)")
    with plugins(tmp_path, {"plugin.py": text}) as loaded:
        (module,) = every(loaded)
        params = module.params(low=3)

        with pytest.raises(ModuleError, match="exit code 3"):
            module.call(context("A"), params)


def test_a_default_that_a_factory_makes_is_a_default(tmp_path):
    text = f"""
class Own(ModuleParams):
    shares: Annotated[dict[str, float], Field(default_factory=lambda: {{"a": 1.0}})]
{CALCULATOR}"""
    with plugins(tmp_path, {"plugin.py": text}) as loaded:
        (module,) = every(loaded)

    assert module.default_params() == {"shares": {"a": 1.0}}


def test_a_name_that_means_something_else_and_a_schema_that_is_none_are_refused():
    number = {"type": "integer", "default": 1}
    due = {
        "another name": [
            {"properties": {name: number}}
            for name in ("enabled", "model_dump", "_hidden", "a-b", "json")
        ],
        "the parameters of own cannot be read": [
            "", [], {"properties": 1}, {"properties": {f"x{k}": number for k in range(101)}},
        ],
        "own.x cannot be read": [
            {"properties": {"x": {**number, "minimum": "1"}}},
            {"properties": {"x": {"type": "dragon", "default": 1}}},
            {"properties": {"x": {**number, "anyOf": [{"type": "dragon"}]}}},
        ],
        "own.x is described with int": [
            {"properties": {"x": 1}}, {"properties": {"x": {**number, "prefixItems": [1]}}},
        ],
        "own.x is described with format": [
            {"properties": {"x": {**number, "format": "date"}}},
            {"properties": {"x": {**number, "items": {"format": "date"}}}},
        ],
        "own.x has no default": [{"properties": {"x": {"type": "integer"}}}],
    }  # fmt: skip
    wrong = []
    for sentence, schemas in due.items():
        for schema in schemas:
            try:
                wrong.append((schema, params_model("own", schema, print)))
            except ModuleError as error:
                if sentence not in str(error):
                    wrong.append((schema, error))

    assert wrong == []
