"""A value changed in a text: that one alone, comments and order as they were."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.strategies import PRESETS, parse, preset
from steelyard.strategies.fields import groups
from steelyard.strategies.presets import text_of
from steelyard.strategies.rewriting import with_value

FIELDS = [field for _, rows in groups(preset("default"), every=True) for field in rows]
NUMBERS = [field for field in FIELDS if field.kind in {"number", "whole"} and field.low is not None]


@settings(max_examples=40)
@given(
    name=st.sampled_from(sorted(PRESETS)),
    field=st.sampled_from(NUMBERS),
    part=st.floats(0, 1, allow_nan=False),
)
def test_a_number_is_changed_and_every_comment_stays(name, field, part):
    high = min(field.high or 10.0, 1000.0)
    value = field.low + part * (high - field.low)
    value = round(value) if field.kind == "whole" else value
    before = text_of(name)
    after = with_value(before, field.key, value)
    lines = after.split("\n")
    rest = [line for line in before.split("\n") if line not in lines]
    assert len(rest) <= 2  # the line of the key, and that of a switch that became a table
    assert before.count("#") == after.count("#")


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("[filters]\ndiversity = false  # why\n", "filters.diversity.max_sequences", 6,
         "[filters]\n\n[filters.diversity]\nenabled = false  # why\nmax_sequences = 6\n"),
        ("", "limits.max_orders", 3, "[limits]\nmax_orders = 3\n"),
        ("[limits]\nmax_orders = 5\n", "limits.max_orders", None, "[limits]\n"),
        ("[limits] # l\n[lots]\n", "limits.max_orders", 3,
         "[limits] # l\nmax_orders = 3\n[lots]\n"),
        ("[filters]\ndiversity = false\n", "filters.diversity.enabled", True,
         "[filters]\ndiversity = true\n"),
        ('[score]\nprofile = "balanced"   # x\n', "score.profile", "aggressive",
         '[score]\nprofile = "aggressive"  # x\n'),
    ],
)  # fmt: skip
def test_where_a_value_is_written(before, key, value, after):
    assert with_value(before, key, value) == after


@pytest.mark.parametrize("text", ["limits = {max_orders = 5}\n", "limits = 3\n"])
def test_what_no_line_can_be_changed_in_is_refused(text):
    with pytest.raises(InputError, match="in a form that a field cannot change"):
        with_value(text, "limits.max_orders", 6)


def test_a_copy_of_a_preset_with_a_changed_line_acts_by_it():
    text = with_value(text_of("conservative"), "score.cost_aversion", 6.0)

    assert parse(text, "x").score.cost_aversion == 6.0
    assert "# half as much again" in text
