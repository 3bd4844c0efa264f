"""Sentences for the kinds of values that parameters of plugins may have."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from steelyard.settings import Section
from steelyard.strategies.files.problems import Problems, Written, error, explain, warning


class Params(Section):
    """Every kind of field that the built-in modules do not have."""

    shifts: Annotated[list[Annotated[float, Field(gt=-1)]], Field(strict=False)] = Field(
        default_factory=list
    )
    mode: Literal["one"] = "one"
    below: Annotated[int, Field(lt=10)] = 0
    between: Annotated[float, Field(ge=0, lt=1)] = 0.5
    words: str = ""


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"shifts": 1}, "x.shifts is 1; it must be a list, each entry a number above -1."),
        ({"shifts": [0, -2]}, "x.shifts[1] is -2; it must be a number above -1."),
        ({"mode": "two"}, "x.mode is 'two'; it must be 'one'."),
        ({"below": 10}, "x.below is 10; it must be a whole number below 10."),
        ({"between": 1.0}, "x.between is 1.0; it must be a number at least 0 and below 1."),
        ({"words": {"a": 1}}, "x.words is a table; it must be text."),
        ({"words": 10**40}, "x.words is 1000000"),
        ({"words": 16**5000}, "x.words is a number of 20,001 bits; it must be text."),
    ],
)
def test_a_wrong_value_is_named_with_what_may_stand_there(table: dict[str, object], expected: str):
    with pytest.raises(ValidationError) as refused:
        Params.model_validate(table)

    (problem,) = explain(refused.value, Params, ("x",))

    assert problem.severity == "error"
    assert problem.text.startswith(expected)
    assert len(problem.text) < 200


def test_a_value_written_elsewhere_is_named_as_it_is_written():
    with pytest.raises(ValidationError) as refused:
        Params.model_validate({"below": 20})

    (problem,) = explain(refused.value, Params, ("x",), {"below": Written(("core", "under"), -20)})

    assert problem.key == "core.under"
    assert problem.text == "core.under is -20; it must be a whole number below 10. It sets x.below."


def test_problems_are_the_errors_and_know_the_warnings():
    problems = Problems([warning(("a",), "a is odd."), error(("b", "c"), "b.c is wrong.")])

    assert problems == ["b.c is wrong."]
    assert problems.errors == ["b.c is wrong."]
    assert problems.warnings == ["a is odd."]
    assert not problems.is_valid
    assert [one.key for one in problems.found] == ["a", "b.c"]
    assert Problems([warning((), "odd")]).is_valid
