"""The axis of a run: what happened takes the room, long gaps are folded and say how long."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from steelyard.report.exhibits.time_axis import FOLD, MARGIN, length, time_axis

BEGIN = datetime(2026, 11, 19, 15, 30, tzinfo=UTC)


def after(*minutes: float) -> list[datetime]:
    return [BEGIN + timedelta(minutes=m) for m in minutes]


def test_a_gap_of_over_half_an_hour_is_folded_into_its_words():
    axis = time_axis(after(0, 10, 150, 160))

    assert axis is not None
    assert [fold.text for fold in axis.folds] == ["2 h 20 min"]
    first, second = axis.stretches
    assert first.x == MARGIN
    assert second.x == first.x + first.width + FOLD
    assert (axis.at(BEGIN), round(axis.at(after(160)[0]))) == (MARGIN, 99)
    assert [tick.text for tick in axis.ticks] == [
        "15:30",
        "15:35",
        "15:40",
        "18:00",
        "18:05",
        "18:10",
    ]


def test_nothing_has_no_axis_and_one_moment_one():
    only = time_axis([BEGIN])

    assert time_axis([]) is None
    assert only is not None
    assert only.folds == ()
    assert length(59) == "59 s"


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=30))
def test_places_are_in_the_order_of_time_and_inside(minutes):
    times = sorted(after(*minutes))
    axis = time_axis(times)

    assert axis is not None
    places = [axis.at(moment) for moment in times]
    assert places == sorted(places)
    assert all(MARGIN - 1e-6 <= x <= 100 - MARGIN + 1e-6 for x in places)
