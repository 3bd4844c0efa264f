"""Requests: the secret first, then names and ids, and nothing else."""

import pytest

from steelyard.errors import NotExecuted
from steelyard.execution.runner.requests import Execute, request_of

SECRET, PLAN = "s" * 64, "a" * 64
EXECUTE = {"request": "execute", "plan_id": PLAN}


def refused(content) -> str:
    with pytest.raises(NotExecuted) as caught:
        request_of(content, SECRET)
    assert SECRET not in str(caught.value)
    return caught.value.fault.code


def test_a_plan_is_named_by_its_id():
    assert request_of({**EXECUTE, "secret": SECRET}, SECRET) == Execute(**EXECUTE)


@pytest.mark.parametrize(
    "secret", [None, "", "s" * 63, "S" * 64, 7, ["s"], "ä\ud800", SECRET + "s"]
)
def test_a_wrong_secret_is_all_that_is_said_of_any_request(secret):
    assert refused({**EXECUTE, "secret": secret}) == "wrong_secret"
    assert refused({"request": "nonsense", "secret": secret}) == "wrong_secret"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"request": "sell_everything"},
        {"request": "execute"},
        {**EXECUTE, "plan_id": PLAN[:12]},
        {**EXECUTE, "plan_id": "../plan.json"},
        {**EXECUTE, "plan": {"steps": []}},
        {**EXECUTE, "broker": "file"},
        {**EXECUTE, "live": "yes"},
        {**EXECUTE, "account": ""},
        {"request": "halt", "reason": ""},
        {"request": "runs", "limit": 10**9},
        {"request": "status", "more": 1},
    ],
)
def test_what_is_not_asked_for_in_full_or_is_more_is_refused(content):
    assert refused({**content, "secret": SECRET}) == "bad_request"
