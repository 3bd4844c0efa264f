"""Forms of pages: from a page that was shown, once, and nothing but a form."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import partial
from threading import Event

import pytest
import sqlalchemy
from fastapi.testclient import TestClient

from builders.browsing import BASE, HTML, Visitor, heading, signed_in, words
from builders.management import TOKEN
from steelyard.errors import ChangedMeanwhile, InputError
from steelyard.execution import halt
from steelyard.services.applications import application
from steelyard.services.house import House
from steelyard.store import sent_forms
from steelyard.store.buckets import bucket_of
from steelyard.web import forms
from steelyard.web.forms import Once


@pytest.mark.parametrize("nonce", ["", "x", "00.ff", "." * 50, "é.é"])
def test_a_form_that_no_page_of_ours_made_is_not_acted_upon(visitor: Visitor, nonce):
    answer = visitor.client.post("/sign-out", data={"nonce": nonce}, headers=HTML)

    assert (answer.status_code, heading(answer)) == (422, "That was not done.")
    assert "Nothing was done" in words(answer)
    assert visitor.get("/").status_code == 200


def test_the_form_of_somebody_else_is_not_acted_upon(house: House, visitor: Visitor):
    with signed_in(house) as other:
        theirs = other.get("/sign-out")

    assert visitor.send("/sign-out", theirs).status_code == 422


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_a_form_from_another_site_is_refused(visitor: Visitor, headers):
    answer = visitor.client.post("/sign-out", data={}, headers={**HTML, **headers})

    assert (answer.status_code, heading(answer)) == (403, "That was refused.")


def test_pages_take_forms_and_programs_json(visitor: Visitor):
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    assert visitor.client.post("/sign-out", json={}, headers=HTML).status_code == 415
    assert visitor.client.post("/api/plans", data={"bucket": "core"}).status_code == 415
    assert visitor.client.post("/configs", data={"a": "b"}, headers=bearer).status_code == 415


def test_a_form_that_is_sent_twice_at_once_is_acted_upon_once(house: House):
    calls, go = [], Event()

    def work() -> str:
        calls.append(1)
        go.wait(5)
        return f"/{len(calls)}"

    async def both() -> list[str]:
        once = Once(house)
        act = partial(once.acted, "d", "n", work, single=False)
        first = asyncio.create_task(once.address("d", act))
        second = asyncio.create_task(once.address("d", act))
        await asyncio.sleep(0.05)
        go.set()
        return [await first, await second, await once.address("d", act)]

    assert asyncio.run(both()) == ["/1", "/1", "/1"]


def test_a_form_that_failed_may_be_sent_again(house: House):
    answers = iter([InputError("no", code="form_stale"), "/there"])

    def work() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    once = Once(house)
    with pytest.raises(InputError):
        once.acted("d", "n", work, single=True)
    assert once.acted("d", "n", work, single=True) == "/there"


def test_money_moves_once_by_a_page_whatever_is_sent_again_and_after_a_restart(house: House):
    variables = {**house.variables}
    with signed_in(house) as visitor:
        visitor.send("/buckets", visitor.get("/buckets"), name="tech", budget="8")
        page, cookies = visitor.get("/buckets/core"), dict(visitor.client.cookies)
        fields = {"to": "tech", "amount": "100", "currency": "USD"}
        first = visitor.send("/buckets/core/transfer", page, more=fields)
        assert first.status_code == 303

    again = House(variables, topology=house.topology)
    with TestClient(application("ui", again), base_url=BASE, follow_redirects=False) as client:
        client.cookies.update(cookies)
        visitor = Visitor(client)
        same = visitor.send("/buckets/core/transfer", page, more=fields)
        other = visitor.send("/buckets/core/transfer", page, more={**fields, "amount": "100.0"})
        cash = dict(bucket_of(again.store(), "tech").cash)
    again.close()

    assert same.headers["location"] == first.headers["location"]
    assert other.status_code == 409
    assert "this one moves nothing" in words(other)
    assert cash == {"USD": 100}


def test_of_a_form_whose_work_was_cut_off_nobody_says_that_it_was_done(house: House):
    def work() -> str:
        raise AssertionError("it is not done again")

    with house.store().writing() as transaction:
        sent_forms.begin(transaction, "d", "n")

    with pytest.raises(ChangedMeanwhile, match="whether it was done is not known"):
        Once(house).acted("d", "n", work, single=False)


def test_a_form_that_failed_here_and_was_acted_upon_elsewhere_is_not_acted_upon_again(house: House):
    answers = iter([InputError("no", code="form_stale"), "/again"])

    def work() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    here = Once(house)
    with pytest.raises(InputError):
        here.acted("d", "n", work, single=False)
    Once(house).acted("d", "n", lambda: "/there", single=False)

    assert here.acted("d", "n", work, single=False) == "/there"


def test_a_form_of_yesterday_is_too_old(house: House, visitor: Visitor, monkeypatch):
    page = visitor.get("/buckets")
    monkeypatch.setattr(forms, "LIVES", timedelta(seconds=-5))

    answer = visitor.send("/buckets", page, name="tech")

    assert answer.status_code == 422
    assert "too old" in words(answer)


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inside(visitor: Visitor):
    page = visitor.get("/")

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not [word for word in (" style=", "<style", " onclick", "http://", "https://")
                if word in page.text]  # fmt: skip


def test_the_same_page_with_something_else_typed_is_another_form(visitor: Visitor):
    page = visitor.get("/buckets")

    first, second = (visitor.send("/buckets", page, name=name) for name in ("alpha", "beta"))
    again = visitor.send("/buckets", page, name="alpha")

    addresses = [answer.headers["location"] for answer in (first, second, again)]
    assert addresses == ["/buckets/alpha", "/buckets/beta", "/buckets/alpha"]


def test_a_halt_is_made_each_time_it_is_asked_for(house: House, visitor: Visitor):
    page = visitor.get("/runs")

    for _ in range(2):
        assert visitor.send("/halt", page, reason="now").status_code == 303
        switch = house.home / halt.FILE
        assert switch.exists()
        switch.unlink()


@pytest.mark.parametrize(
    "more",
    [
        "charset=unicode_escape",
        "charset=utf-16",
        "charset=undefined",
        'x="charset=utf-8"; boundary=b; charset=undefined',
        "charset=punycode",
    ],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_is_in_utf_8(visitor: Visitor, kind, more):
    kind = f"{kind}; {more}"
    answer = visitor.client.post(
        "/sign-out", content=b"nonce=x", headers={**HTML, "Content-Type": kind}
    )

    assert answer.status_code == 415


def test_a_form_that_cannot_be_read_is_answered_as_a_page(visitor: Visitor):
    kind = "multipart/form-data; boundary=none"
    answer = visitor.client.post(
        "/sign-out", content=b"--other\r\n", headers={**HTML, "Content-Type": kind}
    )

    assert (answer.status_code, heading(answer)) == (422, "That was not done.")


FORMS = {
    "/plans": ("/plans/new", {"bucket": "core", "mode": "invest", "amount": "777"}, "777"),
    "/buckets": ("/buckets", {"name": "tech", "budget": "7"}, 'value="tech"'),
    "/buckets/core/settings": ("/buckets/core", {"universe": "AAA, BBB", "do": "save"}, "AAA, BBB"),
    "/strategies/new": ("/strategies/new", {"name": "own", "preset": "default"}, 'value="own"'),
    "/strategies/presets": (
        "/strategies",
        {"name": "mine", "toml": "[search]\nmax_depth = 3\n"},
        "max_depth = 3",
    ),
    "/buckets/core/schedule": (
        "/buckets/core/schedule",
        {"do": "save", "every": "daily", "at": "07:45", "zone": "UTC"},
        "07:45",
    ),
}
"""Where a form is sent -> the page that it is on, what is typed, and what of that is to stay."""


@pytest.mark.parametrize("to", FORMS)
def test_where_nothing_can_be_written_every_form_says_so_and_what_was_typed_stays(
    house: House, visitor: Visitor, to: str
):
    page, fields, typed = FORMS[to]
    shown = visitor.get(page)
    seen = re.search(r'name="seen" value="([^"]*)"', shown.text)
    before = database(house)
    sqlalchemy.event.listen(house.store().engine, "checkout", refusing)

    answer = visitor.send(to, shown, more={**fields, "seen": seen.group(1) if seen else ""})

    assert answer.status_code == 503, words(answer)
    assert "Nothing was written" in words(answer)
    assert typed in answer.text
    assert database(house) == before


def refusing(connection: sqlite3.Connection, *_: object) -> None:
    connection.execute("PRAGMA query_only = 1")


def database(house: House) -> list[str]:
    with closing(sqlite3.connect(house.home / "steelyard.db")) as connection:
        return list(connection.iterdump())
