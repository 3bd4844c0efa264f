"""The documents' breaker: what failed too often in a row is left out, then tried by one run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders.compat import plan
from steelyard.compat import CircuitBreaker, PlannerContext, Position
from steelyard.errors import PlanRefused
from steelyard.telemetry.breaker import Moment

MODULE = "filters.eligibility"
CALCULATOR = "opportunity_calculators.weight_based"
VERSIONS = {CALCULATOR: "1.0.0"}


class Clock:
    """Stands until it is told to go on."""

    seconds = 0.0

    def __call__(self) -> Moment:
        return Moment(seconds=self.seconds, boot="b", utc=datetime(2026, 1, 9, tzinfo=UTC))


def failed_once(name: str) -> tuple[CircuitBreaker, Clock]:
    """A breaker of ten seconds that one failure of a module has opened, and its clock."""
    clock = Clock()
    breaker = CircuitBreaker(failure_threshold=1, timeout=timedelta(seconds=10), now=clock)
    breaker.record_failure(name)
    return breaker, clock


def test_a_plan_that_is_refused_gives_the_try_back(small: PlannerContext):
    breaker, clock = failed_once(MODULE)
    clock.seconds = 10.0
    unpriced = replace(small, positions=(Position(symbol="CORE", quantity=3),))

    with pytest.raises(PlanRefused):
        plan(unpriced, circuit_breaker=breaker)

    assert not breaker.is_open(MODULE)


def test_a_module_that_failed_too_often_is_left_out_and_named(small: PlannerContext):
    breaker = CircuitBreaker(failure_threshold=2)
    for _ in range(2):
        breaker.record_failure(CALCULATOR, "ValueError: no")

    problems = plan(small, circuit_breaker=breaker).problems

    assert breaker.is_open(CALCULATOR)
    why = "weight_based is out of service: 2 failures in a row, the last ValueError: no"
    assert any(why in problem for problem in problems)


def test_after_the_timeout_one_run_tries_and_a_success_closes(small: PlannerContext):
    breaker, clock = failed_once(CALCULATOR)
    clock.seconds = 10.0

    assert plan(small, circuit_breaker=breaker).problems == ()
    assert breaker.out_of_service(VERSIONS) == {}


def test_a_name_alone_stands_for_every_module_of_that_name(small: PlannerContext):
    breaker = CircuitBreaker(failure_threshold=1)
    breaker.record_failure("profit_taking")

    problems = plan(small, circuit_breaker=breaker).problems

    assert breaker.is_open("profit_taking")
    assert breaker.is_open("opportunity_calculators.profit_taking")
    assert not breaker.is_open("averaging_down")
    assert len([text for text in problems if "profit_taking is out of service" in text]) == 2
    breaker.record_success("profit_taking")
    assert not breaker.is_open("pattern_generators.profit_taking")


def test_a_name_alone_is_tried_and_closed_like_a_whole_one():
    breaker, clock = failed_once("weight_based")
    clock.seconds = 10.0

    first, second = (breaker.out_of_service(VERSIONS) for _ in range(2))
    breaker.record([(CALCULATOR, "1.0.0", "ValueError: no")])
    third = breaker.out_of_service(VERSIONS)
    breaker.record([(CALCULATOR, "1.0.0", None)])

    assert [bool(out) for out in (first, second, third)] == [False, True, True]
    assert not breaker.is_open("weight_based")


def test_while_one_run_tries_no_other_does():
    breaker, clock = failed_once(MODULE)
    clock.seconds = 10.0

    first, second = (breaker.out_of_service({MODULE: "1.0.0"}) for _ in range(2))
    breaker.record([])

    assert first == {}
    assert "1 failure" in second[MODULE]
    assert not breaker.is_open(MODULE)
