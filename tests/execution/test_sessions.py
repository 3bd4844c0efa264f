"""Sessions: open is what a calendar knows to be open, to the second; all else is closed."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from tests.builders import rails as build

from builders.trading import SOON, staged
from steelyard.brokers.broker import MarketClock, Session
from steelyard.errors import BrokerError
from steelyard.execution.rails import RAILS, Pass, ask
from steelyard.execution.sessions import CLOSED, exchange_calendar, narrowed, settlement, trading

FIRST, LAST = date(2025, 12, 1), date(2027, 1, 31)
YEAR = date(2026, 1, 1), date(2026, 12, 31)
EXCHANGES = ("XNYS", "XLON", "XETR", "XTKS", "XHKG", "XASX")
SECOND = timedelta(seconds=1)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def calendar(code="XNYS"):
    return exchange_calendar(code, FIRST, LAST)


def remembered(sessions):
    """A calendar that is asked often."""
    return lambda first, last: [each for each in sessions if first <= each.day <= last]


@pytest.mark.parametrize("code", EXCHANGES)
def test_every_session_of_a_year_is_open_from_its_first_second_to_before_its_last(code):
    sessions = calendar(code)(*YEAR)
    ask_it = remembered(calendar(code)(FIRST, LAST))

    for session in sessions:
        here = {at: trading(ask_it, at).session for at in _around(session)}
        assert [at for at, answer in here.items() if answer == session] == _inside(session)
        assert set(here.values()) <= {session, None}

    assert 480 < 2 * len(sessions) < 1000
    assert len({session.day for session in sessions}) > 240


def _around(session):
    edges = (session.opens, session.closes)
    return [edge + step for edge in edges for step in (-SECOND, 0 * SECOND, SECOND)]


def _inside(session):
    return [session.opens, session.opens + SECOND, session.closes - SECOND]


@pytest.mark.parametrize("code", EXCHANGES)
def test_orders_leave_from_five_minutes_after_the_open_to_fifteen_before_the_close(code):
    rail = next(each for each in RAILS if each.name == "session")
    facts = build.live()
    count = 0
    for session in calendar(code)(*YEAR)[::7]:
        first, last = session.opens + 300 * SECOND, session.closes - 900 * SECOND
        for at, passes in (
            (first - SECOND, False), (first, True), (last - SECOND, True), (last, False),
        ):  # fmt: skip
            clock = MarketClock(at, True, at)
            asked = build.changed(facts, {"clock": clock, "session": session})
            assert isinstance(ask(rail, asked).verdict, Pass) is passes, (session, at)
            count += 1

    assert count > 130


@pytest.mark.parametrize("day", [date(2026, 11, 27), date(2026, 12, 24)])
def test_half_day(day):
    [session] = calendar()(day, day)

    assert session.closes == datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=18)
    assert trading(calendar(), session.closes - SECOND).session == session
    assert trading(calendar(), session.closes) == CLOSED


def test_dst_pair():
    opens = [calendar()(day, day)[0].opens for day in (date(2026, 3, 6), date(2026, 3, 9))]

    assert opens == [utc(2026, 3, 6, 14, 30), utc(2026, 3, 9, 13, 30)]
    assert trading(calendar(), utc(2026, 3, 6, 13, 45)) == CLOSED
    assert trading(calendar(), utc(2026, 3, 9, 13, 45)).session is not None


@pytest.mark.parametrize(
    "at",
    [
        utc(2026, 7, 3, 15),  # Independence Day, observed
        utc(2026, 7, 4, 15),
        utc(2026, 3, 8, 15),
        utc(2026, 12, 25, 15),
        utc(2026, 3, 10, 3),
        utc(2027, 3, 10, 15),  # past what it knows
        utc(2025, 3, 10, 15),
        datetime(2026, 3, 10, 15),  # noqa: DTZ001 - of no zone
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
    ],
)
def test_a_day_off_a_time_of_no_zone_and_a_day_that_nobody_knows_are_closed(at):
    assert trading(calendar(), at) == CLOSED


def test_calendar_error_means_closed():
    def fails(error):
        def asked(_first, _last):
            raise error

        return asked

    here = utc(2026, 3, 10, 15)
    for error in (BrokerError("no answer"), ValueError("x"), KeyError("x"), TimeoutError()):
        assert trading(fails(error), here) == CLOSED
    naive = datetime(2026, 3, 10, 14), datetime(2026, 3, 10, 20)  # noqa: DTZ001
    turned = utc(2026, 3, 10, 20), utc(2026, 3, 10, 14)
    for times in (naive, turned, (None, None)):
        assert trading(lambda _a, _b, t=times: [Session(here.date(), *t)], here) == CLOSED
    assert trading(lambda _a, _b: [], here) == CLOSED


def test_a_time_of_another_zone_is_the_same_moment():
    tokyo = timezone(timedelta(hours=9))

    assert trading(calendar(), utc(2026, 3, 10, 15).astimezone(tokyo)).session is not None


def test_the_session_before_is_of_another_day_also_where_trading_pauses_at_noon():
    friday, monday = date(2026, 3, 6), date(2026, 3, 9)
    afternoon = calendar("XTKS")(monday, monday)[1]

    assert trading(calendar(), utc(2026, 3, 9, 15)).previous == friday
    assert trading(calendar("XTKS"), afternoon.opens).previous == friday
    assert trading(calendar("XTKS"), afternoon.opens - SECOND) == CLOSED


@pytest.mark.parametrize(
    "day",
    [utc(2026, 3, 10), datetime(2026, 3, 10), "2026-03-10", None],  # noqa: DTZ001
)
def test_a_calendar_is_asked_for_plain_days_only(day):
    with pytest.raises(BrokerError, match="is no day"):
        calendar()(day, day)


@pytest.mark.parametrize(
    ("traded", "days", "settles"),
    [
        (date(2026, 3, 10), 1, date(2026, 3, 11)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),
        (date(2026, 11, 25), 1, date(2026, 11, 27)),  # Thanksgiving between
        (date(2026, 12, 24), 1, date(2026, 12, 28)),
        (date(2026, 12, 24), 2, date(2026, 12, 29)),
        (date(2026, 3, 10), 0, date(2026, 3, 10)),
    ],
)
def test_a_trade_settles_so_many_sessions_later(traded, days, settles):
    assert settlement(calendar(), traded, days) == settles


def test_a_settlement_past_what_the_calendar_knows_is_not_guessed():
    with pytest.raises(BrokerError):
        settlement(calendar(), date(2027, 1, 29), 1)
    with pytest.raises(BrokerError, match="0 sessions"):
        settlement(lambda _a, _b: [], date(2026, 3, 10), 1)


def test_an_exchange_that_there_is_not_is_told():
    with pytest.raises(BrokerError) as error:
        calendar("NOWHERE")

    assert error.value.fault.code == "calendar_unusable"


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)

    with pytest.raises(BrokerError, match=r"pip install 'steelyard\[execute\]'"):
        exchange_calendar("XNYS", FIRST, LAST - timedelta(days=1))


def test_a_broker_without_holidays_is_closed_while_its_exchange_is():
    every_day = exchange_weekdays()
    holiday, day = utc(2026, 7, 3, 15), utc(2026, 7, 6, 15)

    assert trading(narrowed(every_day, None, holiday.date()), holiday).session is not None
    assert trading(narrowed(every_day, "XNYS", holiday.date()), holiday) == CLOSED
    here = trading(narrowed(every_day, "XNYS", day.date()), day)
    assert here == trading(calendar(), day)
    assert here.previous == date(2026, 7, 2)
    assert trading(narrowed(every_day, "NOWHERE", day.date()), day) == CLOSED
    assert trading(narrowed(every_day, "XNYS", date(2020, 1, 1)), day) == CLOSED


def exchange_weekdays():
    """A broker's calendar that is open all day, every weekday."""

    def between(first, last):
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        starts = [datetime.combine(day, datetime.min.time(), UTC) for day in days]
        return [Session(at.date(), at, at + timedelta(days=1)) for at in starts if at.weekday() < 5]

    return between


def test_a_run_begins_only_while_the_exchange_that_is_set_is_open(tmp_path):
    lines = ("AA 100 @ 100", "BB 0 @ 100")
    targets = {"BB": 0.5, "AA": 0.5}
    script = replace(SOON, settled_only=True, settlement_days=1)
    stage = staged(tmp_path, *lines, cash="2000", targets=targets, script=script)

    assert stage.with_working(exchange="XTKS").refused().fault.code == "session_unknown"
    run = stage.with_working(exchange="XNYS").trade()

    day = stage.broker.clock().now.date()
    settles = settlement(exchange_calendar("XNYS", day, day + timedelta(days=20)), day, 1)
    assert f"is unsettled until {settles.isoformat()}" in run.reason
