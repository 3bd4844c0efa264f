"""Records as they travel: there and back they are the same, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.demo import kinds
from builders.worlds import worlds
from steelyard.arrays import FloatArray
from steelyard.errors import InputError, PlanRefused
from steelyard.modules.plugins import NONE
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.wishes import find_opportunities
from steelyard.services.carriage.context import Task, packed, unpacked
from steelyard.services.carriage.messages import ContextForm
from steelyard.services.carriage.records import ArrayForm, RecordForm, read, written


def alike(one: Any, other: Any, at: str = "") -> None:
    """Raises AssertionError at the first place where two records differ in any bit."""
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), at
        assert one.tobytes() == other.tobytes(), at
        assert not other.flags.writeable, at
    elif hasattr(one, "__dataclass_fields__"):
        assert type(one) is type(other), at
        for field in fields(one):
            if field.name != "predicates":  # functions are made anew
                alike(getattr(one, field.name), getattr(other, field.name), f"{at}.{field.name}")
    elif isinstance(one, tuple | list):
        assert len(one) == len(other), at
        for k, (each, twin) in enumerate(zip(one, other, strict=True)):
            alike(each, twin, f"{at}[{k}]")
    elif isinstance(one, Mapping):
        assert list(one) == list(other), at
        for key in one:
            alike(one[key], other[key], f"{at}[{key!r}]")
    else:
        assert type(one) is type(other), at
        same = repr(one) == repr(other) if isinstance(one, float) else one == other
        assert same, (at, one, other)


def task_of(world: Any) -> Task:
    prepared = world.prepared
    guard = Guard(findings=Findings())
    table = find_opportunities(prepared.ctx, prepared.objective, world.strategy, guard)
    return Task.of(prepared.ctx, world.strategy, guard, table)


def back(task: Task) -> Task:
    return unpacked(ContextForm.model_validate_json(packed(task)), NONE)


def check(task: Task) -> None:
    other = back(task)
    alike(task.ctx, other.ctx, "ctx")
    alike(task.table, other.whole, "table")
    assert other.strategy.sha256 == task.strategy.sha256
    assert other.strategy.most_orders == task.strategy.most_orders
    assert packed(Task.of(other.ctx, other.strategy, Guard(), other.whole)) == packed(
        Task.of(task.ctx, task.strategy, Guard(), task.table)
    )


def test_context_strategy_and_table_of_every_kind_of_plan_come_back_as_they_were():
    for world in kinds().values():
        check(task_of(world))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_whatever_the_portfolio_wire_is_the_identity(world):
    try:
        task = task_of(world)
    except PlanRefused:
        return
    check(task)


@dataclass(frozen=True)
class Some:
    number: float
    money: Decimal
    part: Fraction
    text: str
    names: frozenset[str]
    array: FloatArray


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=200, deadline=None)
@given(
    FLOATS, st.decimals(allow_nan=False, allow_infinity=False), st.fractions(), st.text(),
    st.frozensets(st.text(max_size=5)), st.lists(FLOATS, max_size=5),
)  # fmt: skip
def test_every_number_and_every_text_comes_back(number, money, part, text, names, cells):
    try:
        text.encode()
        "".join(names).encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text
    some = Some(number, money, part, text, names, np.array(cells, dtype=np.float64))
    form = RecordForm.model_validate_json(written(Some, some).model_dump_json())
    other = read(Some, form)
    alike(replace(some, number=0.0), replace(other, number=0.0))
    assert math.isnan(other.number) if math.isnan(number) else repr(other.number) == repr(number)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"data": "AAAA"}, "3 bytes where its shape asks for 8"),
        ({"shape": [2]}, "8 bytes where its shape asks for 16"),
        ({"data": "*"}, "no base64"),
    ],
)
def test_bytes_that_do_not_fit_their_shape_are_refused(change, why):
    form = ArrayForm.of(np.array([1.0]))
    with pytest.raises(InputError, match=why):
        ArrayForm.model_validate({**form.model_dump(), **change}).array()


@pytest.mark.parametrize(
    "change",
    [
        {"number": "one"}, {"money": 1}, {"array": 7}, {"names": "x"}, {"part": "1/0"},
        {"text": 5}, {"text": None},
    ],
)  # fmt: skip
def test_a_record_that_is_none_is_refused_by_name(change):
    some = Some(1.0, Decimal(1), Fraction(1, 3), "x", frozenset("x"), np.zeros(1))
    form = written(Some, some).model_dump()
    with pytest.raises(InputError, match="A record that was sent cannot be used"):
        read(Some, RecordForm.model_validate({**form, "fields": {**form["fields"], **change}}))


def test_of_a_table_of_truths_the_true_ones_travel():
    few = np.zeros((3000, 3000), dtype=np.bool_)
    few[[0, 7, 2999], [1, 7, 2999]] = True
    many = ~few[:50, :50]
    for truths in (few, many, few[:0], few[:, :0], few[:5, 5:10]):
        form = ArrayForm.of(truths)
        assert len(form.data) < 5_000
        alike(truths, ArrayForm.model_validate_json(form.model_dump_json()).array())


@pytest.mark.parametrize(
    ("dtype", "shape", "places"),
    [
        ("|b1", [2, 2], [4]),
        ("|b1", [2, 2], [-1]),
        ("|b1", [2, 2], [1, 1]),
        ("|b1", [2, 2], [1, 0]),
        ("|b1", [20_000, 20_001], []),
        ("<f8", [2, 2], [1]),
    ],
)
def test_places_that_are_none_are_refused(dtype, shape, places):
    data = ArrayForm.of(np.array(places, dtype=np.int32)).data
    with pytest.raises(InputError):
        ArrayForm(dtype=dtype, shape=shape, data=data, places=True).array()


def test_a_record_announces_no_more_than_the_largest_table_has():
    form = ArrayForm(dtype="|b1", shape=[15_000, 15_000], data="", places=True)
    with pytest.raises(InputError, match="450,000,000"):
        read(Some, RecordForm(fields={}, arrays=[form, form]))
