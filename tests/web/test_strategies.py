"""Strategies as pages: the list, presets, a new one, versions compared, rolled back, assigned."""

from __future__ import annotations

import pytest

from builders.browsing import Visitor, heading, signed_in, words
from steelyard.services.house import House
from steelyard.store import assignments, strategies
from steelyard.store.strategies import Draft
from steelyard.strategies import parse

FIRST = "[limits]\nmax_orders = 5  # few\n"
SECOND = "[limits]\nmax_orders = 1\n"


@pytest.fixture(autouse=True)
def stored(house: House) -> None:
    for text, reason in ((FIRST, "begun"), (SECOND, "one <i>order</i>")):
        draft = Draft(name="calm", toml=text, rules_sha256=parse(text, "calm").sha256)
        strategies.save(house.store(), draft, reason=reason)


def test_the_list_says_which_are_used_and_by_whom(house, visitor: Visitor):
    assert heading(visitor.get("/strategies")) == "1 strategy, none in use"

    assignments.assign(house.store(), "core", "calm", 1)
    page = visitor.get("/strategies")
    assert heading(page) == "1 strategy, one in use"
    assert "core (stays with 1)" in words(page)
    assert "17 presets to begin with" in words(page)


def test_a_viewer_reads_what_role_a_change_needs(house):
    with signed_in(house, "viewer") as someone:
        page = someone.get("/strategies")
        assert "needs the role planner; yours is viewer" in words(page)
        assert 'action="/strategies/presets"' not in page.text
        for address in (
            "/strategies/calm/history",
            "/strategies/calm/assign",
            "/strategies/calm/diff?a=1&b=2",
        ):
            assert someone.get(address).status_code == 200, address
        for address in ("/strategies/new", "/strategies/calm/rollback?version=1"):
            assert someone.get(address).status_code == 403, address


def test_a_preset_is_added_once_and_shown(house, visitor):
    page = visitor.get("/strategies")
    fields = {"name": "own", "toml": FIRST, "tags": "few, calm", "rating": "4"}
    first, second = (visitor.send("/strategies/presets", page, **fields) for _ in range(2))

    assert (
        first.headers["location"] == second.headers["location"] == "/strategies?added=own#presets"
    )
    assert "own is a preset." in words(visitor.get("/strategies?added=own"))


NO_PRESETS: list[tuple[dict[str, str], str]] = [
    ({"name": "a b", "toml": FIRST}, "cannot be the name of a strategy"),
    ({"name": "default", "toml": FIRST}, "is a preset that is shipped"),
    ({"name": "own", "toml": "x ="}, "not valid TOML"),
    ({"name": "own", "toml": FIRST, "rating": "9"}, "a number from 0 to 5"),
]


def test_a_preset_that_cannot_be_is_shown_again(visitor):
    opened = visitor.get("/strategies")
    for fields, reading in NO_PRESETS:
        page = visitor.send("/strategies/presets", opened, **fields)

        assert page.status_code == 422
        assert reading in words(page)
        assert f'value="{fields["name"]}"' in page.text


def test_a_file_is_added_as_a_preset(visitor):
    page = visitor.get("/strategies")
    files = {"file": ("own.toml", FIRST.encode())}
    assert visitor.send("/strategies/presets", page, files=files, name="own").status_code == 303
    files = {"file": ("own.toml", b"\xff\xfe")}
    refused = visitor.send(
        "/strategies/presets", visitor.get("/strategies"), files=files, name="o2"
    )
    assert (refused.status_code, "not UTF-8" in words(refused)) == (422, True)


def test_a_new_strategy_begins_as_a_preset_or_empty(house, visitor):
    for name, preset in (("fresh", ""), ("calmer", "conservative")):
        page = visitor.get("/strategies/new")
        answer = visitor.send("/strategies/new", page, name=name, preset=preset)

        assert answer.headers["location"] == f"/strategies/{name}/edit"
        version = strategies.version(house.store(), name)
        assert parse(version.toml, name).inherits == (preset or "default")
    assert visitor.get("/strategies/fresh/edit").status_code == 200


NO_NAMES = {
    "calm": "There is a strategy calm already",
    "../x": "cannot be the name",
    "": "cannot be the name",
}


def test_a_name_that_cannot_be_is_shown_again(visitor):
    opened = visitor.get("/strategies/new")
    for name, reading in NO_NAMES.items():
        page = visitor.send("/strategies/new", opened, name=name, title="My <title>")

        assert page.status_code == 422
        assert reading in words(page)
        assert 'value="My &lt;title&gt;"' in page.text


def test_the_history_says_when_by_whom_and_why(visitor):
    page = visitor.get("/strategies/calm/history")

    assert heading(page).startswith("2 versions, the newest of ")
    assert "one <i>order</i> 1" in words(page)
    assert "<i>order" not in page.text
    assert visitor.get("/strategies/calm").headers["location"] == "/strategies/calm/history"


def test_two_versions_are_compared_in_rules_text_and_plan(visitor):
    page = visitor.get("/strategies/calm/diff?a=1&b=2&bucket=core")
    reading = words(page)

    assert heading(page).startswith("Version 2 makes one change: ")
    assert "Orders in a plan limits.max_orders The plan before has 2 orders. 5 to 1" in reading
    assert "+max_orders = 1" in reading
    assert "Net, paid from cash" in reading
    empty = visitor.get("/strategies/calm/diff?a=1&b=2&bucket=nothing")
    assert (empty.status_code, "There is no bucket nothing" in words(empty)) == (404, True)


def test_going_back_says_what_it_does_and_is_a_new_version(house, visitor):
    assignments.assign(house.store(), "core", "calm")
    page = visitor.get("/strategies/calm/rollback?version=1")
    assert heading(page).startswith("Going back to version 1 makes one change: ")
    assert "core plans by it from then on" in words(page)

    for _ in range(2):
        answer = visitor.send("/strategies/calm/rollback", page, version="1", seen="2")
        assert answer.headers["location"] == "/strategies/calm/history?saved=3"
    version = strategies.version(house.store(), "calm")
    assert (version.version, version.toml, version.reason) == (3, FIRST, "rollback to version 1")


def test_going_back_over_what_was_saved_meanwhile_is_refused(house, visitor):
    page = visitor.get("/strategies/calm/rollback?version=1")
    draft = Draft(name="calm", toml=FIRST + "#\n", rules_sha256=parse(FIRST, "calm").sha256)
    strategies.save(house.store(), draft)
    answer = visitor.send("/strategies/calm/rollback", page, version="1", seen="2")

    assert answer.status_code == 409
    assert "since you looked at version 2. Nothing was rolled back." in words(answer)
    assert strategies.version(house.store(), "calm").version == 3
    junk = visitor.send("/strategies/calm/rollback", page, version="1", seen="x")
    assert junk.status_code == 422
    assert "Load the page again" in words(junk)
    assert strategies.version(house.store(), "calm").version == 3


def test_a_bucket_is_assigned_and_the_page_says_so(house, visitor):
    page = visitor.get("/strategies/calm/assign")
    assert heading(page) == "No bucket plans by calm"
    answer = visitor.send("/strategies/calm/assign", page, bucket="core", version="1")

    assert answer.status_code == 303
    assert heading(visitor.get(answer.headers["location"])) == "core plans by calm now"
    follows = assignments.assigned(house.store(), "core")
    assert follows is not None
    assert (follows.name, follows.version) == ("calm", 1)
    wrong = visitor.send(
        "/strategies/calm/assign", visitor.get("/strategies/calm/assign"), bucket="x"
    )
    assert (wrong.status_code, heading(wrong)) == (404, "Nothing was assigned")


def test_a_version_is_exported_as_a_file(visitor):
    answer = visitor.get("/strategies/calm/export?version=1")

    assert 'filename="calm-v1.toml"' in answer.headers["content-disposition"]
    assert "max_orders = 5  # few" in answer.text


def test_two_strategies_are_compared_on_a_bucket(house, visitor):
    picked = visitor.get("/strategies/ab?a=calm&b=default")
    assert picked.headers["location"] == "/strategies/calm/ab/default"
    page = visitor.get("/strategies/calm/ab/default?bucket=core")

    assert page.status_code == 200
    assert heading(page).endswith((".",))
    assert "Calm (v2)" in heading(page)
    assert "What each would trade" in words(page)
    assert "score under its own scoring" in words(page)
    assert visitor.get("/strategies/calm/ab/default?snapshots=99").status_code == 422
    missing = visitor.get("/strategies/calm/ab/defualt")
    assert missing.status_code == 404
    assert "Did you mean default?" in words(missing)
