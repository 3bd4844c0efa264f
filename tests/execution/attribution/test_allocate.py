"""Parts make up the whole exactly, whatever the weights."""

from __future__ import annotations

import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from builders.accounts import d
from steelyard.execution.attribution.allocate import of_fill, shared

AMOUNTS = st.decimals("0.000001", "100000", places=6)


def test_A03_three_equal_owners_of_one_share_have_it_to_the_last_millionth():
    parts = shared(d(1), {"C": d(1), "A": d(1), "B": d(1)})

    assert parts == {"A": d("0.333334"), "B": d("0.333333"), "C": d("0.333333")}


def test_of_equal_remainders_the_greater_weight_has_the_rest_first():
    assert shared(d("0.000003"), {"A": d(1), "B": d(3)}, d("0.000002")) == {
        "A": d("0.000001"),
        "B": d("0.000002"),
    }


def test_a_quantity_finer_than_the_step_is_shared_to_its_own_last_digit():
    parts = shared(d("7.2273576"), {"A": d(1), "B": d(1)})

    assert parts == {"A": d("3.6136788"), "B": d("3.6136788")}


@given(
    whole=st.decimals("-100000", "100000", places=9),
    weights=st.lists(st.one_of(AMOUNTS, st.just(Decimal(0))), min_size=1, max_size=6),
)
def test_parts_sum_to_the_whole_and_each_is_within_a_step_of_its_due(whole, weights):
    total = sum(weights)
    if not total:
        return
    named = {f"S{n}": weight for n, weight in enumerate(weights)}

    parts = shared(whole, named)

    assert sum(parts.values()) == whole
    for name, weight in named.items():
        assert abs(parts[name] - whole * weight / total) < d("0.000001")
        assert weight or parts[name] == 0


@given(
    intended=st.lists(AMOUNTS, min_size=1, max_size=4),
    cuts=st.lists(st.floats(0, 1), max_size=5),
)
def test_partial_fills_give_each_owner_exactly_what_was_intended_once_all_is_filled(intended, cuts):
    owners = {f"S{n}": amount for n, amount in enumerate(intended)}
    whole = sum(intended)
    step = d("0.000001")
    marks = sorted({(whole * Decimal(cut)).quantize(step) for cut in cuts} | {d(0), whole})
    had = dict.fromkeys(owners, d(0))

    for low, high in itertools.pairwise(marks):
        parts = of_fill(high - low, owners, had)
        assert sum(parts.values()) == high - low
        assert all(0 <= part <= owners[name] - had[name] for name, part in parts.items())
        had = {name: had[name] + parts[name] for name in owners}

    assert had == owners


def test_what_fills_beyond_the_order_is_shared_as_the_order_was():
    assert of_fill(d(12), {"A": d(6), "B": d(4)}, {"A": d(6), "B": d(2)}) == {
        "A": d(6),
        "B": d(6),
    }
