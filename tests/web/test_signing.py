"""Signing in by a link that is used once, and out; who is not signed in sees nothing."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from builders.browsing import BASE, HTML, Visitor, heading, signed_in, words
from builders.management import TOKEN
from steelyard.services.applications import application
from steelyard.services.house import House
from steelyard.services.security.callers import Caller
from steelyard.services.security.sessions import COOKIE, PREFIX
from steelyard.services.security.standing import stands
from steelyard.store import sign_ins
from steelyard.web.signing import new_link


def client_of(house: House) -> TestClient:
    app = application("ui", house)
    return TestClient(app, base_url=BASE, raise_server_exceptions=False, follow_redirects=False)


def test_a_link_signs_in_once(house: House):
    link = new_link(house.store(), "viewer", "")
    with client_of(house) as first, client_of(house) as second:
        opened, again = first.get(link), second.get(link)

        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        assert first.get("/", headers=HTML).status_code == 200
        assert (again.status_code, COOKIE in again.headers.get("set-cookie", "")) == (401, False)
        assert second.get("/", headers=HTML).status_code == 401


def test_the_cookie_is_for_this_site_and_no_script(house: House):
    with client_of(house) as client:
        cookie = client.get(new_link(house.store(), "viewer", "")).headers["set-cookie"].lower()

    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/", "max-age=86"))


def test_an_old_link_signs_nobody_in_and_an_old_session_shows_nothing(house: House):
    now = [datetime(2026, 3, 10, 12, tzinfo=UTC)]
    house = House(house.variables, utc=lambda: now[0])
    late, link = (new_link(house.store(), "admin", "") for _ in range(2))
    with client_of(house) as client:
        client.get(link)
        now[0] += timedelta(minutes=16)
        assert client_of(house).get(late).status_code == 401
        assert client.get("/", headers=HTML).status_code == 200
        now[0] += timedelta(hours=24)
        assert client.get("/", headers=HTML).status_code == 401


def test_signing_out_ends_the_session_everywhere(house: House, visitor: Visitor):
    copied = dict(visitor.client.cookies)
    page = visitor.get("/sign-out")

    answer = visitor.send("/sign-out", page)

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    with client_of(house) as thief:
        thief.cookies.update(copied)
        assert thief.get("/", headers=HTML).status_code == 401


def test_a_browser_without_a_session_is_shown_how_to_sign_in(house: House):
    with client_of(house) as client:
        page = client.get("/plans", headers=HTML)
        from_a_mail = client.get("/plans", headers={**HTML, "Sec-Fetch-Site": "cross-site"})
        program = client.get("/api/plans")

    assert (page.status_code, heading(page)) == (401, "Sign in to look at this.")
    assert "steelyard token link" in words(page)
    assert 'http-equiv="refresh"' in from_a_mail.text  # the cookie comes with the second request
    assert 'http-equiv="refresh"' not in page.text
    assert program.headers["content-type"] == "application/problem+json"


def test_a_token_opens_pages_too(house: House):
    with client_of(house) as client:
        page = client.get("/", headers={**HTML, "Authorization": f"Bearer {TOKEN}"})

    assert page.status_code == 200


@pytest.mark.parametrize("role", ["viewer", "planner", "operator", "admin"])
def test_a_session_has_the_role_of_its_link(house: House, role):
    with signed_in(house, role) as someone:
        page = someone.get("/sign-out")

    assert f"role {role}" in words(page)


def test_the_secret_of_a_link_is_in_no_line_of_the_log(
    house: House, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    link = new_link(house.store(), "viewer", "")
    with client_of(house) as client:
        client.get(link, headers={"Host": "elsewhere.example"})
        client.get(link)

    secret = link.rpartition("/")[2]
    own = [record.getMessage() for record in caplog.records if record.name != "httpx2"]
    assert own
    assert not [line for line in own if secret in line]


def test_an_address_that_is_no_page_is_a_page_that_says_so(visitor):
    page = visitor.get("/nothing-here")

    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "There is no such page." in words(page)


ODD = ("a[b]=1", "foo bar=1", 'prefs={"a":1,"b":[1]}', "flag", 'x="abc', "path=/x", ";;;", "n=\xfc")


@pytest.mark.parametrize("other", ODD)
@pytest.mark.parametrize("first", [True, False])
def test_cookies_of_other_programs_of_this_machine_sign_nobody_out(
    house: House, visitor: Visitor, other, first
):
    own = f"{COOKIE}={visitor.client.cookies[COOKIE]}"
    line = f"{other}; {own}" if first else f"{own}; {other}; {COOKIE}=another"
    with client_of(house) as client:
        headers = {**HTML, "Cookie": line.encode("latin-1")}
        assert client.get("/", headers=headers).status_code == 200


def test_a_stream_ends_with_the_session_that_opened_it(house: House, visitor: Visitor):
    with house.store().reading() as connection:
        entry = sign_ins.sign_ins(connection)[0]
    caller = Caller(PREFIX + entry.id, "viewer")

    assert stands(house, caller)
    with house.store().writing() as transaction:
        sign_ins.revoke(transaction, entry.id)
    assert not stands(house, caller)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/none", "/assets/app.css"])
def test_a_page_that_is_open_to_all_waits_for_no_body(visitor: Visitor, path: str):
    visitor.client.cookies.clear()
    json = {"Content-Type": "application/json"}
    answer = visitor.client.request("GET", path, content=b"{}", headers={**HTML, **json})

    assert (answer.status_code, heading(answer)) == (400, "That was refused.")
