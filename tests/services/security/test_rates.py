"""How often: by a clock that the test moves on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from builders.asked import Clock
from steelyard.services.security.limits import Limits
from steelyard.services.security.rates import Locks, Pace, Room


def test_a_token_has_its_burst_and_then_so_many_a_second():
    clock, other = Clock(), "other"
    pace = Pace(Limits(requests_per_second=20, burst=60), clock.seconds)

    burst = [pace.wait("id") for _ in range(60)]
    wait = pace.wait("id")

    assert burst == [0.0] * 60
    assert wait == 0.05
    assert pace.wait(other) == 0.0
    clock.passed += 1.0
    assert [pace.wait("id") == 0.0 for _ in range(21)] == [True] * 20 + [False]


@given(st.lists(st.floats(0, 10), max_size=200))
def test_no_pattern_of_asking_gets_more_than_burst_and_rate(pauses):
    clock = Clock()
    pace = Pace(Limits(requests_per_second=5, burst=10), clock.seconds)
    passed = 0

    for pause in pauses:
        clock.passed += pause
        passed += pace.wait("id") == 0.0

    assert passed <= 10 + 5 * clock.passed + 1e-6


def test_five_wrong_tokens_in_a_minute_lock_an_address_for_a_minute_and_no_other():
    clock = Clock()
    locks = Locks(Limits(), clock.seconds)

    for _ in range(4):
        locks.failed("a")
    assert locks.wait("a") == 0.0
    locks.failed("a")

    assert (locks.wait("a"), locks.wait("b")) == (60.0, 0.0)
    clock.passed += 59
    assert locks.wait("a") == 1.0
    clock.passed += 1
    assert locks.wait("a") == 0.0
    locks.failed("a")
    assert locks.wait("a") == 0.0


def test_wrong_tokens_that_are_a_minute_apart_lock_nobody_out():
    clock = Clock()
    locks = Locks(Limits(), clock.seconds)

    for _ in range(20):
        locks.failed("a")
        clock.passed += 15
        assert locks.wait("a") == 0.0


def test_a_room_has_its_places_and_gives_them_back():
    room = Room(2)

    assert [room.enter(), room.enter(), room.enter()] == [True, True, False]
    room.leave()
    assert room.enter()
