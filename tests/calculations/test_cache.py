from __future__ import annotations

import pickle
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.calculations.cache import (
    MOST_BYTES,
    PER_ENTRY,
    SECONDS,
    VARIABLES,
    Calculations,
    calculations_from,
)
from steelyard.calculations.digest import digest
from steelyard.errors import SettingsError

KEY = digest(of="a test")


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Work:
    """A calculation that counts how often it is done."""

    def __init__(self, result: object = 7) -> None:
        self.result, self.times = result, 0

    def __call__(self) -> object:
        self.times += 1
        return self.result


def test_what_has_the_same_key_is_calculated_once():
    calculations, work = Calculations(), Work()

    assert [calculations.once(KEY, work) for _ in range(3)] == [7, 7, 7]
    counts = calculations.counts()

    assert work.times == 1
    assert (counts.hits, counts.misses, counts.entries) == (2, 1, 1)
    assert counts.hit_rate == pytest.approx(2 / 3)
    assert Calculations().counts().hit_rate is None


def test_a_result_is_forgotten_when_its_time_is_over_and_not_before():
    clock, work = Clock(), Work()
    calculations = Calculations(seconds=300, clock=clock)

    calculations.once(KEY, work)
    calculations.once(digest(of="short"), Work(), seconds=10)
    clock.now = 299.9
    calculations.once(KEY, work)
    assert work.times == 1
    clock.now = 300.0

    assert calculations.clear_expired() == 1
    assert calculations.counts().expired == 2
    calculations.once(KEY, work)
    assert work.times == 2


def test_a_clock_that_goes_backwards_stands_still():
    clock, work = Clock(1000.0), Work()
    calculations = Calculations(seconds=300, clock=clock)

    calculations.once(KEY, work)
    clock.now = 0.0
    calculations.once(KEY, work)
    calculations.once(digest(of="another"), work)
    clock.now = 1299.0
    calculations.once(KEY, work)
    assert work.times == 2
    clock.now = 1300.0
    calculations.once(KEY, work)

    assert work.times == 3


@pytest.mark.parametrize("settings", [{"seconds": 0}, {"most_bytes": 0}])
def test_no_time_or_no_bytes_keep_nothing(settings):
    calculations, work = Calculations(**settings), Work()

    assert [calculations.once(KEY, work) for _ in range(2)] == [7, 7]

    assert work.times == 2
    assert calculations.counts().entries == 0


@pytest.mark.parametrize(
    "settings",
    [{"seconds": -1}, {"seconds": float("nan")}, {"seconds": "300"}, {"most_bytes": -1}],
)
def test_a_setting_that_is_none_is_refused(settings):
    with pytest.raises(SettingsError, match=f"{next(iter(settings))} is") as caught:
        Calculations(**settings)

    assert caught.value.fault.code == "bad_calculation_cache"
    with pytest.raises(SettingsError):
        Calculations().once(KEY, Work(), seconds=-1)


def test_the_least_used_go_first_where_bytes_do_not_suffice():
    row = np.zeros(1000)
    calculations = Calculations(most_bytes=3 * (row.nbytes + PER_ENTRY + 200))
    keys = [digest(of=i) for i in range(4)]

    for key in keys[:3]:
        calculations.once(key, row.copy)
    calculations.once(keys[0], Work())
    calculations.once(keys[3], row.copy)

    assert calculations.counts().evictions == 1
    assert calculations.counts().bytes <= calculations.most_bytes
    work = Work()
    calculations.once(keys[0], work)
    assert work.times == 0
    calculations.once(keys[1], work)
    assert work.times == 1


def test_what_is_larger_than_all_bytes_is_counted_and_not_kept():
    calculations, work = Calculations(most_bytes=1000), Work(np.zeros(1000))

    for _ in range(2):
        calculations.once(KEY, work)

    assert work.times == 2
    assert (calculations.counts().unkept, calculations.counts().entries) == (2, 0)


def test_what_may_change_is_counted_and_not_kept():
    calculations, work = Calculations(), Work(iter([1]))

    for _ in range(2):
        assert calculations.once(KEY, work) is work.result

    assert (work.times, calculations.counts().unkept) == (2, 2)


def test_a_calculation_that_raises_is_not_kept():
    calculations, work = Calculations(), Work()

    def failing() -> object:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        calculations.once(KEY, failing)

    assert calculations.once(KEY, work) == 7
    assert calculations.counts().entries == 1


def test_threads_wait_for_the_one_that_calculates():
    calculations, work, begin = Calculations(), Work(), threading.Barrier(8)
    results: list[object] = []

    def slow() -> object:
        time.sleep(0.05)
        return work()

    def ask() -> None:
        begin.wait()
        results.append(calculations.once(KEY, slow))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert results == [7] * 8
    assert work.times == 1
    assert calculations.counts().hits == 7


def test_whoever_waited_for_a_failure_calculates_for_itself():
    calculations, begun, go_on = Calculations(), threading.Event(), threading.Event()
    results: list[object] = []

    def failing() -> object:
        begun.set()
        go_on.wait(10)
        raise ZeroDivisionError

    def first() -> None:
        with pytest.raises(ZeroDivisionError):
            calculations.once(KEY, failing)

    threads = [
        threading.Thread(target=first),
        threading.Thread(target=lambda: results.append(calculations.once(KEY, Work()))),
    ]
    threads[0].start()
    begun.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert results == [7]


def test_a_calculation_may_ask_for_itself():
    calculations = Calculations()

    assert calculations.once(KEY, lambda: calculations.once(KEY, Work())) == 7


@given(st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=8))
def test_of_several_only_those_that_are_not_there_are_calculated(asked):
    calculations, calculated = Calculations(), []

    for numbers in asked:

        def work(places: list[int], numbers: list[int] = numbers) -> list[int]:
            calculated.extend(numbers[place] for place in places)
            return [10 * numbers[place] for place in places]

        keys = [digest(of=number) for number in numbers]
        assert calculations.many(keys, work) == [10 * number for number in numbers]

    assert sorted(calculated) == sorted({number for numbers in asked for number in numbers})


def test_a_tally_counts_one_plan_of_many():
    calculations, work = Calculations(), Work()
    calculations.once(KEY, work)

    plan = calculations.tally()
    plan.once(KEY, work)

    assert (plan.counts().hits, plan.counts().misses) == (1, 0)
    assert (calculations.counts().hits, calculations.counts().misses) == (1, 1)


def test_results_do_not_travel_to_another_process():
    calculations = Calculations(seconds=5, most_bytes=9000)
    calculations.once(KEY, Work())

    other = pickle.loads(pickle.dumps(calculations))

    assert (other.seconds, other.most_bytes, other.counts().entries) == (5, 9000, 0)


def test_the_environment_sets_time_and_bytes():
    usual = calculations_from({"STEELYARD_CALCULATION_SECONDS": ""})
    own = calculations_from(
        {"STEELYARD_CALCULATION_SECONDS": "1.5", "STEELYARD_CALCULATION_BYTES": "1000"}
    )

    assert (usual.seconds, usual.most_bytes) == (SECONDS, MOST_BYTES) == (300, 64 << 20)
    assert (own.seconds, own.most_bytes) == (1.5, 1000)


@pytest.mark.parametrize("variable", VARIABLES.values())
@pytest.mark.parametrize("text", ["-1", "much", "1e400", "9" * 5000, "nan"])
def test_a_variable_that_is_no_number_is_refused_by_its_name(variable, text):
    with pytest.raises(SettingsError, match=variable) as caught:
        calculations_from({variable: text})

    assert caught.value.fault.code == "bad_calculation_variable"
    assert len(str(caught.value)) < 2000
