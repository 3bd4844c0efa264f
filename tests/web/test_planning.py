"""A plan asked for by a form: mode, amount and day, and what is wrong with them."""

from __future__ import annotations

import time

import pytest

from builders.browsing import Visitor, heading, signed_in, words
from steelyard.services.api.keeping import planned
from steelyard.services.house import House
from steelyard.store import plans
from steelyard.web.asking import asked_query

WITH_SCRIPTS = {"HX-Request": "true", "HX-Target": "div#asks"}


@pytest.fixture
def form(visitor: Visitor) -> str:
    return visitor.get("/plans/new?bucket=core").text


def test_rebalance_is_the_next_plan_of_the_bucket(
    house: House, visitor: Visitor, form: str
) -> None:
    sent = visitor.send("/plans", form, bucket="core", mode="rebalance")
    assert sent.status_code == 303, words(sent)
    assert sent.headers["location"] == f"/plans/{planned(house, 'core', 0).plan.plan_id}"
    assert heading(visitor.get(sent.headers["location"])).startswith("Act.")


def test_invested_money_buys_and_nothing_is_sold(house: House, visitor: Visitor, form: str) -> None:
    sent = visitor.send("/plans", form, bucket="core", mode="invest", amount="5,000.00")
    plan = plans.load(house.store(), sent.headers["location"].rpartition("/")[2]).plan
    (flow,) = plan.flows
    assert (str(flow.amount), flow.currency, flow.date) == ("5000", "USD", plan.as_of)
    assert {step.side for step in plan.steps} == {"buy"}
    assert not plan.rules.limits.allow_sell
    assert "Brought in 5,000.00 USD" in words(visitor.get(sent.headers["location"]))


def test_a_withdrawal_is_raised_by_its_day(house: House, visitor: Visitor, form: str) -> None:
    fields = {"bucket": "core", "mode": "withdraw", "amount": "700", "date": "2026-03-20"}
    sent = visitor.send("/plans", form, **fields)
    plan = plans.load(house.store(), sent.headers["location"].rpartition("/")[2]).plan
    (flow,) = plan.flows
    assert (str(flow.amount), str(flow.date)) == ("-700", "2026-03-20")
    assert any(step.side == "sell" for step in plan.steps)
    shown = visitor.get(sent.headers["location"])
    assert 'value="withdraw" checked' in shown.text, "planned again it is as it was asked"
    assert 'name="amount" value="700"' in shown.text
    assert 'value="2026-03-20"' in shown.text
    query = "bucket=core&mode=withdraw&amount=700&currency=USD&date=2026-03-20"
    assert asked_query(plan) == query


BAD = (
    ({"mode": "invest", "amount": "-5"}, "the amount must be above 0"),
    ({"mode": "invest", "amount": ""}, "the amount is missing"),
    ({"mode": "withdraw", "amount": "abc"}, "Amount 'abc' is not usable: it is no number"),
    ({"mode": "withdraw", "amount": "-5"}, "Invest goes the other way"),
    ({"mode": "invest", "amount": "5", "currency": "U$"}, "Currency 'U$' is not usable"),
    ({"mode": "invest", "amount": "5", "date": "2026-03-20"}, "a deposit is there on the day"),
    ({"mode": "withdraw", "amount": "9e9"}, "leave nothing"),
    ({"mode": "withdraw", "amount": "70", "date": "2026-02-20"}, "before the day of the plan"),
    ({"mode": "withdraw", "amount": "70", "date": "20 March"}, "not usable"),
    ({"mode": "invest", "amount": "70", "currency": "CHF"}, "no usable exchange rate"),
    ({"mode": "invset", "amount": "70"}, "Did you mean invest?"),
    ({"bucket": "cor", "amount": "70"}, "cor"),
)


def test_what_is_wrong_is_said_beside_what_was_typed(
    house: House, visitor: Visitor, form: str
) -> None:
    for fields, says in BAD:
        sent = visitor.send("/plans", form, **{"bucket": "core", "mode": "rebalance", **fields})
        assert sent.status_code in {404, 422}, words(sent)
        assert says in words(sent)
        assert "USD=1200" not in words(sent), "a page names its fields, no form of an option"
        assert f'value="{fields["amount"]}"' in sent.text
        assert "Nothing was planned" in words(sent) or sent.status_code == 404
    assert not plans.listed(house.store())


def test_a_form_on_the_page_of_a_plan_is_answered_there(house: House, visitor: Visitor) -> None:
    address = f"/plans/{planned(house, 'core', 0).plan.plan_id}"
    shown = visitor.get(address)
    fields = {"bucket": "core", "plan": address.rpartition("/")[2], "mode": "invest"}
    sent = visitor.send("/plans", shown, **fields, amount="nothing")
    assert sent.status_code == 422
    assert heading(sent) == heading(shown)
    assert 'value="nothing"' in sent.text


def test_a_form_sent_twice_plans_once(visitor: Visitor, form: str) -> None:
    first, second = (visitor.send("/plans", form, bucket="core", mode="rebalance") for _ in "12")
    assert first.headers["location"] == second.headers["location"]


def test_a_plan_that_comes_out_the_same_says_that_it_was_planned_again(
    visitor: Visitor, form: str
) -> None:
    first = visitor.send("/plans", form, bucket="core", mode="rebalance").headers["location"]
    other = visitor.get("/plans/new?bucket=core")
    second = visitor.send("/plans", other, bucket="core", mode="rebalance").headers["location"]
    assert second == f"{first}?planned=again"
    assert "Planned again just now" in words(visitor.get(second))
    assert "Planned again just now" not in words(visitor.get(first))


def test_a_form_of_another_page_is_refused(house: House, visitor: Visitor) -> None:
    stale = '<input type="hidden" name="nonce" value="0123.4567">'
    sent = visitor.send("/plans", stale, bucket="core", mode="rebalance")
    assert sent.status_code == 422
    assert "Nothing was done" in words(sent)
    assert not plans.listed(house.store())


def test_a_viewer_is_told_which_role_plans(house: House) -> None:
    with signed_in(house, "viewer") as viewer:
        shown = viewer.get("/plans/new")
        assert "needs the role planner" in words(shown)
        assert viewer.send("/plans", shown, bucket="core").status_code == 403


def test_with_scripts_the_form_becomes_what_is_happening(visitor: Visitor, form: str) -> None:
    nonce = form.partition('name="nonce" value="')[2].partition('"')[0]
    content = {"nonce": nonce, "bucket": "core", "mode": "rebalance"}
    sent = visitor.client.post("/plans", data=content, headers=WITH_SCRIPTS)
    address = sent.headers["location"]
    for _ in range(300):
        told = visitor.get(address, headers=WITH_SCRIPTS)
        if "hx-redirect" in told.headers:
            break
        assert "Planning core" in words(told)
        assert "<html" not in told.text
        time.sleep(0.1)
    assert heading(visitor.get(told.headers["hx-redirect"])).startswith("Act.")
    assert visitor.get(address).headers["location"] == told.headers["hx-redirect"]


def test_a_job_of_before_a_restart_is_not_there(visitor: Visitor) -> None:
    told = visitor.get("/plans/jobs/0011223344556677")
    assert told.status_code == 404
    assert "among the plans" in words(told)
