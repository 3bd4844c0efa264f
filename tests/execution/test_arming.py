"""Arming: nothing trades live that a person did not type, for this plan, this amount, and once."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest
from tests.builders import rails as build

from steelyard.errors import NotExecuted
from steelyard.execution import arming
from steelyard.execution.arming import ArmState
from steelyard.execution.journal.journal import Journal, Moment

ACCOUNT = "LIVE-1"
TTL = timedelta(minutes=15)
START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
AMOUNTS = {"A": Decimal("5000.125"), "B": Decimal(7)}


def plan_of(name, **changes):
    plan = replace(build.live().plan, plan_id=f"{name}-0123456789abcdef{name}", heads=())
    return replace(plan, **changes)


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = START

    def moment(self):
        return Moment(self.now, 0, "boot")


@pytest.fixture
def time():
    return Time()


def opened(time):
    def connect():
        return sqlite3.connect(":memory:", isolation_level=None)

    return Journal(connect, b"k" * 32, now=time.moment)


@pytest.fixture
def journal(time):
    return opened(time)


def asked(journal, name="A", **changes):
    return arming.request(journal, plan_of(name, **changes), ACCOUNT, AMOUNTS[name], TTL)


def armed(journal, name="A", **changes):
    words = asked(journal, name, **changes).asked
    return arming.confirm(journal, ACCOUNT, words, TTL)


def use(journal, name="A", amount=None, run_id="r-1"):
    with journal.writing() as change:
        subject = plan_of(name).plan_id
        return arming.use(change, ACCOUNT, (run_id, subject, amount or AMOUNTS[name]))


def test_it_takes_two_steps_and_what_is_typed_names_plan_and_amount(journal):
    request = asked(journal)

    assert request.asked == "bcdefA 5000.12"
    assert request.facts is None
    arm = arming.confirm(journal, ACCOUNT, "  bcdefA   5000.12\n", TTL)
    assert arm.state is ArmState.ARMED
    assert use(journal).run_id == "r-1"
    assert arming.current(journal, ACCOUNT).facts.used_by == "r-1"


@pytest.mark.parametrize(
    "words", ["", "bcdefA", "5000.12", "5000.12 bcdefA", "bcdefa 5000.12", "bcdefA 5000.1", "yes"]
)
def test_other_words_end_the_request(journal, words):
    request = asked(journal)

    with pytest.raises(NotExecuted, match="not armed"):
        arming.confirm(journal, ACCOUNT, words, TTL)
    with pytest.raises(NotExecuted):
        arming.confirm(journal, ACCOUNT, request.asked, TTL)

    assert arming.current(journal, ACCOUNT).state is ArmState.DISARMED


def test_each_warning_that_comes_first_has_to_be_typed(journal):
    request = asked(journal, heads=("units", "percent", "units"))

    assert request.asked == "bcdefA 5000.12 percent units"
    with pytest.raises(NotExecuted):
        arming.confirm(journal, ACCOUNT, "bcdefA 5000.12 percent", TTL)
    assert armed(journal, heads=("units",)).facts.heads == ("units",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"problems": ("no price of AAA",)}, "no price of AAA"),
        ({"degraded": True}, "had failed"),
        ({"reproducible": False}, "may give another"),
    ],
)
def test_a_plan_that_may_be_wrong_is_never_armed(journal, changes, words):
    with pytest.raises(NotExecuted, match=words) as error:
        asked(journal, **changes)

    assert error.value.fault.code == "not_armable"
    assert arming.current(journal, ACCOUNT) is None


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
def test_an_amount_that_is_nothing_is_not_armed(journal, amount):
    with pytest.raises(NotExecuted) as error:
        arming.request(journal, plan_of("A"), ACCOUNT, Decimal(amount), TTL)

    assert error.value.fault.code == "nothing_to_arm"


@pytest.mark.parametrize(
    ("wait", "works"), [(TTL - timedelta(microseconds=1), True), (TTL, False), (2 * TTL, False)]
)
def test_a_request_and_an_arm_end_after_fifteen_minutes_each(journal, time, wait, works):
    request = asked(journal)
    time.now += wait
    if not works:
        with pytest.raises(NotExecuted, match="the request ended"):
            arming.confirm(journal, ACCOUNT, request.asked, TTL)
        request = asked(journal)
    arming.confirm(journal, ACCOUNT, request.asked, TTL)
    time.now += wait

    if works:
        assert use(journal).state is ArmState.USED
    else:
        with pytest.raises(NotExecuted, match="not armed for"):
            use(journal)


def test_an_arm_of_another_account_is_none_of_this_one(journal):
    armed(journal)

    assert arming.current(journal, "LIVE-2") is None
    arming.disarm(journal, "LIVE-2")
    assert use(journal).state is ArmState.USED


def test_a_run_that_is_not_begun_has_not_used_it(journal):
    armed(journal)

    def fails_late():
        with journal.writing() as change:
            arming.use(change, ACCOUNT, ("r-1", plan_of("A").plan_id, AMOUNTS["A"]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_late()

    assert use(journal, run_id="r-2").run_id == "r-2"


def test_every_change_of_an_arm_is_an_event(journal):
    armed(journal)
    use(journal)
    asked(journal, "B")
    arming.disarm(journal, ACCOUNT)

    told = [event.data for _, event in journal.events() if event.event_type == "PlanArmed"]
    assert [each["state"] for each in told] == [
        "requested", "armed", "used", "requested", "disarmed",
    ]  # fmt: skip
    assert {each["account"] for each in told} == {ACCOUNT}


ACTS = (
    "request A", "request B", "type A", "type B", "type other", "use A", "use B", "use A, less",
    "use A, no run", "wait", "start",
)  # fmt: skip
LONGEST = 8


def act(journal, time, name):
    """Whether a run was let through."""
    words = {"A": "bcdefA 5000.12", "B": "bcdefB 7.00", "other": "no"}
    try:
        match name.split():
            case ["request", which]:
                asked(journal, which)
            case ["type", which]:
                arming.confirm(journal, ACCOUNT, words[which], TTL)
            case ["use", which]:
                use(journal, which)
                return True
            case ["use", "A,", "less"]:
                use(journal, "A", AMOUNTS["A"] - Decimal("0.001"))
                return True
            case ["use", "A,", "no", "run"]:
                use(journal, run_id="")
                return True
            case ["wait"]:
                time.now += TTL
            case ["start"]:
                arming.disarm(journal, ACCOUNT)
    except NotExecuted:
        pass
    return False


@cache
def allowed(acts):
    """Whether the last act may trade: asked for and typed just before, nothing but tries between.

    Written from the promise, not from the code.
    """
    *before, last = acts
    # a use that was let through, time, a start and any further word end it; a failed use does not
    steps = [
        each
        for k, each in enumerate(before)
        if not each.startswith("use") or allowed(acts[: k + 1])
    ]
    return last in {"use A", "use B"} and steps[-2:] == [f"request {last[-1]}", f"type {last[-1]}"]


def test_no_sequence_of_eight_steps_trades_what_was_not_armed_just_before():
    paths = {(): None}
    states = {None}
    checked = 0
    for _ in range(LONGEST):
        longer = {}
        for path in paths:
            for name in ACTS:
                time = Time()
                journal = opened(time)
                for each in path:
                    act(journal, time, each)
                through = act(journal, time, name)
                assert through == allowed((*path, name)), (*path, name)
                checked += 1
                arm = arming.current(journal, ACCOUNT)
                left = arm and (arm.subject, arm.state, arm.run_id, arm.expires_at > time.now)
                if left not in states:
                    states.add(left)
                    longer[*path, name] = None
                journal.close()
        paths = longer

    assert paths == {}, "after eight steps there is still a state that was not seen before"
    assert checked > 100
    assert len(states) > 8
