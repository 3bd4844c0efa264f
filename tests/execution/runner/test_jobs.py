"""Jobs: one plan at a time, and the same plan twice is one run."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from steelyard.errors import NotExecuted
from steelyard.execution.runner.jobs import Jobs
from steelyard.execution.runner.requests import Execute

ONE = Execute(request="execute", plan_id="a" * 64)
OTHER = Execute(request="execute", plan_id="b" * 64)
RUN = {"run_id": "r-1"}


def code(what) -> str:
    with pytest.raises(NotExecuted) as caught:
        what()
    return caught.value.fault.code


def free() -> Jobs:
    jobs = Jobs()
    jobs.over()
    return jobs


def test_nothing_is_taken_before_what_was_interrupted_is_settled():
    jobs = Jobs()
    assert (code(lambda: jobs.hand_over(ONE, 1)), jobs.document()["state"]) == (
        "runner_busy", "recovering",
    )  # fmt: skip


def test_two_that_hand_over_the_same_plan_get_the_same_run_and_a_third_is_refused():
    jobs = free()
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(jobs.hand_over, ONE, 5) for _ in range(2)]
        job = jobs.take()
        assert code(lambda: jobs.hand_over(OTHER, 1)) == "runner_busy"
        job.begin(RUN)
        assert [each.result() for each in both] == [RUN, RUN]
    assert jobs.document() == {"state": "running", "plan_id": ONE.plan_id, "run": RUN}
    jobs.over()
    assert jobs.document()["state"] == "idle"


def test_a_refusal_reaches_who_handed_it_over_and_the_seat_is_free_again():
    jobs = free()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(jobs.hand_over, ONE, 5)
        jobs.take().fail(NotExecuted("A rail blocks it.", code="spread"))
        assert code(first.result) == "spread"
        jobs.over()
        second = pool.submit(jobs.hand_over, OTHER, 5)
        jobs.take().begin(RUN)
        assert second.result() == RUN


def test_a_run_that_does_not_begin_is_not_waited_for_without_end():
    assert code(lambda: free().hand_over(ONE, 0.01)) == "runner_slow"
