"""Scales: places on an axis, ticks and steps that people count in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.report.exhibits.scale import Scale, ceiling, nice_step, ticks


@given(st.floats(-10, 10), st.floats(0.001, 20), st.floats(-100, 100))
def test_a_place_on_a_scale_is_between_its_margins(low, span, value):
    assert 3 <= Scale(low, low + span, 3.0).at(value) <= 97


@given(st.floats(1e-6, 1e9), st.integers(1, 10))
def test_ticks_start_at_zero_cover_the_top_and_are_few(high, most):
    marks = ticks(high, most)

    assert marks[0] == 0
    assert marks[-1] >= high * (1 - 1e-6)
    assert len(marks) <= most + 2


def test_nice_steps_are_what_people_count_in():
    assert [nice_step(span, 4) for span in (0, 1, 10, 83, 400)] == [1.0, 0.25, 2.5, 25.0, 100.0]
    assert ceiling(0.3, 0.1) == pytest.approx(0.3)
