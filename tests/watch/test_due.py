"""When a schedule is due: never skipped, never twice, whatever clocks and holidays do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.watch import days as days_module
from steelyard.watch.days import Days, days_of
from steelyard.watch.due import WEEKDAYS, due_days, moment_of, moments, next_moment
from steelyard.watch.schedule import Schedule, of_values

WEEKDAYS_ALONE = Days("weekdays")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati")

schedules = st.builds(
    Schedule,
    every=st.sampled_from(["daily", "weekly", "month-end", "quarter-end"]),
    weekday=st.sampled_from(WEEKDAYS),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    zone=st.sampled_from(ZONES),
)
calendars = st.booleans().map(lambda rules: nyse() if rules else WEEKDAYS_ALONE)
times = st.integers(0, 970 * 24 * 60).map(
    lambda minutes: datetime(2025, 2, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def nyse() -> Days:
    return days_of("XNYS", date(2026, 6, 1))


def on(every: str, days: Days | None = None, first="2026-01-01", last="2026-12-31", **more):
    days = days or nyse()
    schedule = of_values({"every": every, **more})
    return [
        day.isoformat()
        for day in due_days(schedule, days, date.fromisoformat(first), date.fromisoformat(last))
    ]


@given(schedules, calendars, st.lists(times, min_size=2, max_size=6))
def test_looks_at_any_times_see_every_tick_once(schedule, days, looks):
    first, *_, last = looks = sorted(looks)

    whole = moments(schedule, days, first, last)
    parts = [m for a, b in pairwise(looks) for m in moments(schedule, days, a, b)]

    assert parts == whole == sorted(set(whole))


@given(schedules, calendars, times)
def test_the_next_one_is_the_first_that_a_look_will_see(schedule, days, now):
    following = next_moment(schedule, days, now)

    assert following is not None
    assert moments(schedule, days, now, following) == [following]
    assert following.astimezone(schedule.where).date() in days


@given(schedules, calendars, times)
def test_each_month_quarter_and_week_has_one(schedule, days, now):
    first, last = now.date(), now.date() + timedelta(days=400)
    dues = list(due_days(schedule, days, first, last))
    steps = {"daily": (1, 5), "weekly": (1, 13), "month-end": (24, 37), "quarter-end": (80, 100)}
    least, most = steps[schedule.every or ""]

    gaps = [(b - a).days for a, b in pairwise(dues)]

    assert all(least <= gap <= most for gap in gaps), gaps
    assert all(day in days for day in dues)


def test_a_month_that_ends_on_a_weekend_or_a_holiday_ends_on_its_last_session():
    ends = on("month-end")

    assert ends[0] == "2026-01-30"  # the 31st is a Saturday
    assert ends[4] == "2026-05-29"  # so are the 30th and 31st of May
    assert on("month-end", last="2026-04-05", first="2026-03-01") == ["2026-03-31"]
    assert on("quarter-end") == ["2026-03-31", "2026-06-30", "2026-09-30", "2026-12-31"]


def test_a_weekday_that_is_closed_gives_way_within_its_week():
    assert on("weekly", first="2026-03-30", last="2026-04-05") == ["2026-04-02"]  # Good Friday
    monday = on("weekly", first="2026-05-25", last="2026-05-31", weekday="monday")
    assert monday == ["2026-05-26"]  # Memorial Day
    assert on("weekly", WEEKDAYS_ALONE, "2026-03-30", "2026-04-05") == ["2026-04-03"]


def test_a_time_that_the_clock_passes_over_or_has_twice_is_one_moment():
    schedule = of_values({"every": "daily", "at": "02:30", "zone": "Europe/Berlin"})
    zone = ZoneInfo("Europe/Berlin")

    spring, autumn = (moment_of(schedule, day) for day in (date(2026, 3, 29), date(2026, 10, 25)))

    assert spring.astimezone(zone).time() == time(3, 30)
    assert autumn == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first of the two
    whole = Days("every day", frozenset(date(2026, 10, k) for k in range(1, 32)),
                 date(2026, 10, 1), date(2026, 10, 31))  # fmt: skip
    around = moments(schedule, whole, datetime(2026, 10, 24, tzinfo=UTC),
                     datetime(2026, 10, 26, tzinfo=UTC))  # fmt: skip
    assert len(around) == 2


def test_one_time_is_due_once_on_a_closed_day_too():
    schedule = of_values({"on": "2026-07-04", "at": "09:00", "zone": "America/New_York"})
    due = datetime(2026, 7, 4, 13, 0, tzinfo=UTC)

    assert next_moment(schedule, nyse(), due - timedelta(days=300)) == due
    assert moments(schedule, nyse(), due - timedelta(days=1), due) == [due]
    assert next_moment(schedule, nyse(), due) is None


def test_weekdays_count_without_the_extra_and_for_an_exchange_of_no_rules(monkeypatch):
    unknown = days_of("NOWHERE", date(2026, 6, 1))
    days_of.cache_clear()
    monkeypatch.setattr(days_module, "PACKAGE", "no_such_package")
    bare = days_of("XNYS", date(2026, 6, 1))
    days_of.cache_clear()

    monkeypatch.undo()
    assert date(2026, 7, 3) not in nyse()  # Independence Day, observed
    for days in (unknown, bare):
        assert date(2026, 7, 3) in days
        assert date(2026, 7, 4) not in days
        assert days.words.startswith("weekdays, holidays too: ")
    assert "steelyard[execute]" in bare.words
    assert not bare.unknown
    assert "NOWHERE" in unknown.unknown
    assert date(2031, 1, 1) in nyse()  # what its rules do not reach counts as a weekday


@pytest.mark.parametrize(
    ("code", "zone"), [("XETR", "Europe/Berlin"), ("XTKS", "Asia/Tokyo"), ("XSHG", "Asia/Shanghai")]
)
def test_other_exchanges_have_their_own_days(code, zone):
    days = days_of(code, date(2026, 11, 29))

    assert days.words == f"sessions of {code}"
    assert next_moment(of_values({"every": "daily", "zone": zone}), days,
                       datetime(2026, 11, 27, 12, tzinfo=UTC)) is not None  # fmt: skip
