"""Timings added up by part: nothing is lost, whatever comes in which order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.modules.registry import Kind
from steelyard.notices import Timing
from steelyard.telemetry.timings import (
    OPERATIONS,
    added_up,
    operation_of,
    peak_bytes,
    seconds_per_sequence,
)

SECONDS = st.floats(0, 1e6, allow_nan=False)
TIMINGS = st.lists(
    st.builds(Timing, name=st.sampled_from(["filters.a", "filters.b", "prove"]), seconds=SECONDS)
)


@given(TIMINGS)
def test_calls_and_seconds_of_the_parts_are_those_of_the_timings(timings):
    spent = added_up(timings)

    assert sum(each.count for each in spent.values()) == len(timings)
    total = math.fsum(timing.seconds for timing in timings)
    assert math.fsum(each.total for each in spent.values()) == pytest.approx(total)
    for name, each in spent.items():
        own = [timing.seconds for timing in timings if timing.name == name]
        assert (each.least, each.most) == (min(own), max(own))
        assert each.mean == pytest.approx(each.total / len(own))


def test_every_kind_of_module_has_an_operation_and_a_stage_is_the_planners():
    assert {*OPERATIONS} == {kind.value for kind in Kind}
    assert operation_of("filters.eligibility") == "eligibility.filter"
    assert operation_of("generate and evaluate") == "planner.generate_and_evaluate"


def test_a_sequence_costs_its_part_of_the_stage_that_scores_and_none_costs_nothing():
    timings = [Timing(name="generate and evaluate", seconds=2), Timing(name="prove", seconds=9)]

    assert seconds_per_sequence(4, timings) == 0.5
    assert seconds_per_sequence(0, timings) is None


def test_the_peak_never_falls_and_counts_what_is_in_use():
    before = peak_bytes()
    data = bytearray(b"x" * 50_000_000)
    after = peak_bytes()

    assert before is not None
    assert after >= max(before, len(data))
