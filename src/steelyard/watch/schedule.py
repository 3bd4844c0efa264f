"""The schedule of a bucket: the text that its owner writes, read, judged and written.

[schedule]
every = "month-end"
at = "09:30"
zone = "Europe/Berlin"
bands = true
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import ValidationError, field_validator, model_validator

from steelyard.errors import Fault, SettingsError
from steelyard.settings import Section, setting
from steelyard.strategies.files import reading
from steelyard.strategies.files.problems import Problem, explain, unknown_key

Every = Literal["daily", "weekly", "month-end", "quarter-end"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
TABLE = "schedule"
NOTHING = "Nothing was changed."
CODE = "schedule_not_usable"
FIRST_YEAR, LAST_YEAR = 1970, 9000
"""Within which a day has a moment in every zone."""


class Schedule(Section):
    """When a bucket is planned by itself; it has a calendar, a time, bands, or some of them."""

    every: Every | None = setting(
        None, "on which days: of the exchange's sessions each, one a week, the last of a month, of "
        "a quarter; never when absent"
    )  # fmt: skip
    weekday: Weekday = setting(
        "friday", "of weekly: a day that is no session gives way to the last one before it in its "
        "week, else to the first one after"
    )  # fmt: skip
    on: date | None = setting(None, "one time, on this day, be it a session or not")
    at: time = setting(time(9, 30), 'local time of day, to the minute, as text: "09:30"')
    zone: str = setting(
        "UTC", "whose local time: Europe/Berlin, America/New_York, …", max_length=64
    )
    exchange: str | None = setting(
        None, "whose sessions count: XNYS, XETR, XLON, …; when absent the one of "
        "working.exchange in execution.toml, else XNYS",
        min_length=1, max_length=20,
    )  # fmt: skip
    bands: bool = setting(
        False, "also whenever a holding, a class or cash is out of its band: looked at when its "
        "holdings, prices or strategy changed, and once a day"
    )  # fmt: skip

    @field_validator("at", mode="before")
    @classmethod
    def _to_the_minute(cls, text: object) -> object:
        moment = text if isinstance(text, time) else _time(text)
        if moment is None or moment.second or moment.microsecond or moment.tzinfo is not None:
            raise ValueError(f'it is {text!r}, and has to be a time of day like "09:30"')
        return moment

    @field_validator("on", mode="before")
    @classmethod
    def _day(cls, text: object) -> object:
        if text is None or (isinstance(text, date) and not isinstance(text, datetime)):
            return text
        try:
            return date.fromisoformat(text) if isinstance(text, str) else _no_day(text)
        except ValueError:
            return _no_day(text)

    @field_validator("on")
    @classmethod
    def _is_of_our_times(cls, day: date | None) -> date | None:
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValueError(f"it is {day}; a day is from {FIRST_YEAR} to {LAST_YEAR}")
        return day

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (LookupError, ValueError, OSError) as error:
            raise ValueError(
                f"there is no zone {name!r} on this machine; zones are called like Europe/Berlin"
            ) from error
        return name

    @model_validator(mode="after")
    def _is_ever_due(self) -> Self:
        if self.every is not None and self.on is not None:
            raise ValueError(
                f"every = {self.every!r} and on = {self.on} are two calendars; keep one"
            )
        if self.every is None and self.on is None and not self.bands:
            raise ValueError("it is never due; set every, on or bands = true")
        return self

    @property
    def where(self) -> ZoneInfo:
        """The zone of its times."""
        return ZoneInfo(self.zone)

    @property
    def when(self) -> str:
        """In words: `month-end at 09:30 Europe/Berlin, and out of a band`."""
        day = f"on {self.on}" if self.on is not None else self.every or ""
        day = f"weekly on {self.weekday}" if day == "weekly" else day
        clock = f" at {self.at:%H:%M} {self.zone}" if day else ""
        band = "out of a band" if self.bands else ""
        return ", and ".join(part for part in (day + clock, band) if part)


def _time(text: object) -> time | None:
    try:
        return time.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _no_day(text: object) -> object:
    raise ValueError(f'it is {text!r}, and has to be a day like "2026-12-31"')


def parse(text: str, source: str = "the schedule") -> Schedule:
    """The schedule of a TOML text; raises SettingsError with everything that is wrong."""
    try:
        document = reading.document(text, source)
    except SettingsError as error:
        words = str(error).replace("The strategy the", "The").replace("The strategy", "The file")
        raise SettingsError(
            words.replace("Nothing was planned.", NOTHING), code="schedule_not_toml", place=source
        ) from error
    others = [name for name in document.values if name != TABLE]
    table = document.values.get(TABLE)
    if others or not isinstance(table, Mapping):
        words = unknown_key((others[0],), [TABLE]) if others else f"It has no table [{TABLE}]."
        raise _not_usable([Problem("error", (others[0] if others else TABLE,), words)], source)
    return of_values(table, source)


def of_values(values: Mapping[str, Any], source: str = "the schedule") -> Schedule:
    """The schedule of plain values; raises SettingsError with everything that is wrong."""
    try:
        return Schedule.model_validate(dict(values))
    except ValidationError as errors:
        raise _not_usable(explain(errors, Schedule, (TABLE,)), source) from errors


def _not_usable(problems: list[Problem], source: str) -> SettingsError:
    faults = [Fault(CODE, each.text, each.key) for each in problems]
    words = " ".join(each.text for each in problems)
    return SettingsError(
        f"{source[:1].upper()}{source[1:]} is not usable: {words} {NOTHING}",
        code=CODE,
        place=problems[0].key,
        faults=faults,
    )


def written(schedule: Schedule) -> str:
    """The text of a schedule, with what differs from the usual; `parse` reads it back."""
    lines = [f"[{TABLE}]"]
    for name in Schedule.model_fields:
        value = getattr(schedule, name)
        if name in schedule.model_fields_set and value is not None:
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:%H:%M}" if isinstance(value, time) else str(value)
    return f'"{text}"'
