from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from builders.context import context
from steelyard.calculations.closed import NotClosed, closed
from steelyard.modules.scoring.diversification import Params, diversification


@dataclass(frozen=True, slots=True)
class Record:
    values: Any
    name: str = "a"


@dataclass
class Open:
    a: int = 1


class OpenModel(BaseModel):
    a: int = 1


def test_an_array_that_somebody_else_can_write_to_is_copied():
    whole = np.arange(4.0)
    view = whole[:2]
    view.setflags(write=False)

    row, _ = closed(view)
    whole[0] = 9

    assert row.tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        row[0] = 1
    assert closed(row)[0] is row


def test_lists_mappings_and_sets_are_closed_at_any_depth():
    value = Record({"a": [np.zeros(2), {1}]})

    shut, _ = closed(value)

    assert isinstance(shut, Record)
    assert shut.name == "a"
    row, numbers = shut.values["a"]
    assert numbers == frozenset({1})
    with pytest.raises(TypeError):
        shut.values["b"] = 1
    with pytest.raises(ValueError, match="read-only"):
        row[0] = 1
    assert value.values["a"][0].flags.writeable  # the caller's own is as it was


def test_what_is_closed_is_the_same_object():
    value = Record((1, "a", Record(None)))

    assert closed(value)[0] is value


@pytest.mark.parametrize(
    "value",
    [iter([1]), Open(), OpenModel(), partial(print), object(), np.array([object()]), [Open()]],
    ids=lambda value: type(value).__name__,
)
def test_what_may_change_is_not_closed(value):
    with pytest.raises(NotClosed):
        closed(value)


def test_a_score_term_is_closed_with_what_its_formulas_hold():
    ctx = context("A B", prices=[90, 91])
    term = diversification(ctx, Params())

    shut, size = closed(term)

    weights = np.array([0.4, 0.5])
    for part, same in zip(term.parts, shut.parts, strict=True):
        assert same.raw(weights, 0.1) == part.raw(weights, 0.1)
        for cell in same.raw.__closure__ or ():
            value = cell.cell_contents
            assert not isinstance(value, np.ndarray) or not value.flags.writeable
    assert size > sum(field.nbytes for field in vars(ctx).values() if isinstance(field, np.ndarray))


def test_bytes_are_those_of_the_arrays_and_a_little_more():
    row = np.zeros(1000)

    assert 8000 <= closed((row, row))[1] <= 8400
    assert closed(row[:10])[1] < 400
