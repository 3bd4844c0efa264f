"""Settings: sessions and tokens end there, and a browser keeps how it shows pages."""

from __future__ import annotations

from datetime import UTC, datetime

from builders.browsing import Visitor, heading, signed_in, words
from steelyard.services.house import House
from steelyard.services.security import book
from steelyard.store import sign_ins


def test_a_session_that_is_ended_is_asked_to_sign_in(visitor: Visitor, house: House):
    with signed_in(house, "viewer") as other:
        assert other.get("/plans").status_code == 200
        page = visitor.get("/settings")
        assert heading(page) == "2 browsers signed in, no tokens in use"
        with house.store().reading() as connection:
            entry = next(row for row in sign_ins.sign_ins(connection) if row.role == "viewer")

        assert visitor.send(f"/settings/sign-ins/{entry.id}", page).status_code == 303
        assert other.get("/plans").status_code == 401
    assert "1 browser signed in" in heading(visitor.get("/settings"))


def test_a_token_is_listed_without_itself_and_revoked(visitor: Visitor, house: House):
    secret, entry = book.create(house.home, "planner", 7, datetime.now(UTC))
    page = visitor.get("/settings")
    assert secret not in page.text
    assert secret[-4:] in page.text

    assert visitor.send(f"/settings/tokens/{entry.id}", page).status_code == 303

    assert [row.state(datetime.now(UTC)) for row in book.entries(house.home)] == ["revoked"]


def test_everybody_chooses_colours_and_keys_of_the_browser(house: House):
    with signed_in(house, "viewer") as viewer:
        assert viewer.get("/settings").status_code == 403
        page = viewer.get("/settings/look")
        assert "need the role admin; yours is viewer" in words(page)
        assert viewer.send("/settings/look", page, theme="dark").status_code == 303

        after = viewer.get("/settings/look")
        assert '<html lang="en" data-theme="dark">' in after.text
        assert viewer.client.cookies["steelyard_keys"] == "off"
        assert heading(after) == "This browser shows pages dark"


def test_what_is_kept_where_is_told_and_nothing_secret_of_it(visitor: Visitor, house: House):
    page = visitor.get("/settings")

    assert str(house.home / "steelyard.db") in words(page)
    assert "Nothing leaves it unless a channel of alerts is set" in words(page)
    assert house.variables["STEELYARD_TOKEN"] not in page.text


def test_a_form_of_nobody_ends_nothing(visitor: Visitor, house: House):
    with house.store().reading() as connection:
        (entry,) = sign_ins.sign_ins(connection)
    answer = visitor.send(f"/settings/sign-ins/{entry.id}", 'name="nonce" value="1.2"')

    assert answer.status_code == 422
    assert visitor.get("/settings").status_code == 200
