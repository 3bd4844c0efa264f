"""The text of a schedule: read, judged, written."""

from __future__ import annotations

import pytest

from steelyard.errors import SettingsError
from steelyard.watch.schedule import of_values, parse, written

MONTHLY = '[schedule]\nevery = "month-end"\nat = "17:45"\nzone = "Europe/Berlin"\nbands = true\n'


def test_a_schedule_is_read_and_written_as_it_was():
    schedule = parse(MONTHLY)

    assert written(schedule) == MONTHLY
    assert schedule.when == "month-end at 17:45 Europe/Berlin, and out of a band"
    assert (
        parse("[schedule]\non = 2026-12-31\nat = 09:00:00\n").when == "on 2026-12-31 at 09:00 UTC"
    )
    assert of_values({"bands": True}).when == "out of a band"
    weekly = of_values({"every": "weekly", "weekday": "monday", "exchange": "XETR"})
    assert parse(written(weekly)) == weekly


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no table [schedule]"),
        ('[schedul]\nevery = "daily"', "schedul is not a known key. Did you mean schedule?"),
        ("[schedule]\n", "it is never due; set every, on or bands = true"),
        ('[schedule]\nevery = "dayly"', "schedule.every is 'dayly'; it must be one of 'daily'"),
        ('[schedule]\nevry = "daily"', "schedule.evry is not a known key. Did you mean every?"),
        ('[schedule]\nevery = "daily"\non = "2026-12-31"', "are two calendars; keep one"),
        ('[schedule]\nevery = "daily"\nat = "9.30"', 'a time of day like "09:30"'),
        ('[schedule]\nevery = "daily"\nat = "09:30:15"', 'a time of day like "09:30"'),
        ('[schedule]\non = "31.12."', 'a day like "2026-12-31"'),
        ("[schedule]\non = 2026-12-31T09:00:00", 'a day like "2026-12-31"'),
        ('[schedule]\nevery = "daily"\nzone = "Berlin"', "there is no zone 'Berlin'"),
        ('[schedule]\nevery = "daily"\nzone = "../../etc/passwd"', "there is no zone"),
        ("[schedule]\nbands = 1", "schedule.bands is 1; it must be true or false"),
        ("[schedule", "line 1"),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_key(text, words):
    with pytest.raises(SettingsError) as caught:
        parse(text)

    assert words in str(caught.value)
    assert str(caught.value).endswith("Nothing was changed.")


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(SettingsError) as caught:
        parse('[schedule]\nevery = "never"\nat = "25:00"\nbands = "yes"\n')

    assert [fault.place for fault in caught.value.faults] == [
        "schedule.every", "schedule.at", "schedule.bands",
    ]  # fmt: skip
