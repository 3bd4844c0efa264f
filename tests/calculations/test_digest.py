from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.context import context
from steelyard.calculations.digest import digest
from steelyard.errors import InputError
from steelyard.settings import Score

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@settings(max_examples=40)
@given(PLAIN, PLAIN)
def test_equal_contents_have_one_hash_and_others_another(a, b):
    def written(value: object) -> str:
        if isinstance(value, dict):
            return f"{{{sorted((key, written(part)) for key, part in value.items())}}}"
        return f"[{[*map(written, value)]}]" if isinstance(value, list) else repr(value)

    assert (digest(a=a) == digest(a=b)) is (written(a) == written(b))


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_a_mapping_is_no_content(mapping):
    turned = dict(reversed(mapping.items()))

    assert digest(a=mapping) == digest(a=turned) == digest(a=MappingProxyType(mapping))


def test_one_last_bit_of_an_array_is_another_hash():
    closes = np.linspace(1, 2, 50).reshape(5, 10)
    changed = closes.copy()
    changed[3, 4] = np.nextafter(changed[3, 4], 9)

    assert digest(a=closes) == digest(a=closes.copy()) == digest(a=np.asfortranarray(closes))
    assert len({digest(a=each) for each in (closes, changed, closes.T, closes.ravel())}) == 4


def test_every_field_of_a_context_counts():
    ctx = context("A B", prices=[90, 91], average_cost=[100, 100])
    others = [
        replace(ctx, seed=1),
        replace(ctx, prices=ctx.prices + 1e-12),
        replace(ctx, as_of=date(2020, 1, 1)),
        replace(ctx, symbols=("A", "C")),
    ]

    same = context("A B", prices=[90, 91], average_cost=[100, 100])
    assert digest(ctx=ctx) == digest(ctx=same)
    assert len({digest(ctx=each) for each in (ctx, *others)}) == 5


def test_a_record_of_another_class_is_another_content():
    @dataclass(frozen=True)
    class Here:
        a: int

    @dataclass(frozen=True)
    class There:
        a: int

    assert digest(x=Here(1)) != digest(x=There(1))
    assert digest(x=Score()) != digest(x=Score(risk_free=0.01))
    assert digest(x=Decimal("1.0")) != digest(x=1.0)
    assert digest(x={1, 2}) == digest(x=frozenset({2, 1}))


def test_what_has_no_content_is_refused_by_its_place():
    with pytest.raises(InputError, match=r"params\.each\[1\] is a function") as caught:
        digest(params={"each": [1, print if False else (lambda: 1)]})

    assert caught.value.fault.code == "input_unhashable"
    assert caught.value.fault.place == "params.each[1]"


def test_what_holds_itself_is_refused():
    circle: list[object] = []
    circle.append(circle)

    with pytest.raises(InputError, match="params is nested too deep") as caught:
        digest(params=circle)

    assert caught.value.fault.code == "input_too_deep"


def test_two_processes_hash_alike():
    code = (
        "from steelyard.calculations.digest import digest\n"
        "print(digest(a={'x', 'y', 'z'}, b={'k': (1, 2.5)}).hex())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "12"
    }

    assert texts == {digest(a={"x", "y", "z"}, b={"k": (1, 2.5)}).hex() + "\n"}
