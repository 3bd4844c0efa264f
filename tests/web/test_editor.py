"""The editor: a draft by fields or as TOML, looked at, saved over what it was made from alone."""

from __future__ import annotations

import re

import pytest
from markupsafe import escape

from builders.browsing import Visitor, heading, signed_in, words
from steelyard.services.house import House
from steelyard.store import assignments, strategies
from steelyard.store.strategies import Draft
from steelyard.strategies import parse

TEXT = (
    "# of this house\n[limits]\nmax_orders = 5            # few\n\n[score]\ncost_aversion = 5.0\n"
)
AT = "/strategies/calm/edit"


def save(house: House, text: str = TEXT, name: str = "calm") -> strategies.Version:
    draft = Draft(name=name, toml=text, rules_sha256=parse(text, name).sha256)
    return strategies.save(house.store(), draft, reason="begun").version


@pytest.fixture(autouse=True)
def stored(house: House) -> None:
    save(house)
    assignments.assign(house.store(), "core", "calm")


def newest(house: House) -> strategies.Version:
    return strategies.version(house.store(), "calm")


def test_every_field_has_its_label_unit_and_range(visitor: Visitor):
    page = visitor.get(AT)

    assert (page.status_code, heading(page)) == (200, "Nothing is changed yet")
    labels, fields = (
        set(re.findall(p, page.text)) for p in (r'<label for="(f-[^"]+)"', r' id="(f-[^"]+)"')
    )
    assert labels == fields
    assert "Largest single name % Allowed above 0, at most 100 %." in words(page).replace(
        "\u00a0", " "
    )


def test_a_draft_is_planned_beside_the_version_before_and_nothing_is_kept(house, visitor):
    page = visitor.send(
        AT, visitor.get(AT), base="1", do="preview", bucket="core",
        more={"limits.max_orders": "1", "score.cost_aversion": "6"},
    )  # fmt: skip
    reading = words(page)

    assert page.status_code == 200
    assert heading(page).startswith("Two changes: ")
    assert "limits.max_orders The plan before has 2 orders. 5 to 1" in reading
    assert "Score, old rules" in reading
    assert "Net, paid from cash" in reading
    assert "-max_orders = 5 # few" in reading
    assert newest(house).version == 1


def test_a_field_is_saved_in_its_line_and_the_rest_of_the_text_stays(house, visitor):
    page = visitor.get(AT)
    answer = visitor.send(
        AT, page, base="1", do="save", reason="fewer", more={"limits.max_orders": "3"}
    )

    assert answer.headers["location"] == "/strategies/calm/history?saved=2"
    version = newest(house)
    assert version.toml == TEXT.replace("= 5  ", "= 3  ")
    assert (version.parent, version.reason, version.created_by) == (1, "fewer", "admin, browser")
    shown = visitor.get(answer.headers["location"])
    assert heading(shown) == "Version 2 is saved and active"
    assert "core plans by it from now on" in words(shown)


def test_a_text_is_saved_as_it_was_typed(house, visitor):
    text = TEXT.replace("5.0", "6.5") + "\n# Ende \u00e4\n"
    visitor.send(AT, visitor.get(f"{AT}?view=toml"), base="1", do="save", view="toml",
                 toml=text.replace("\n", "\r\n"))  # fmt: skip

    assert newest(house).toml == text


def test_a_form_sent_twice_saves_once(house, visitor):
    page = visitor.get(AT)
    fields = {"base": "1", "do": "save", "more": {"limits.max_orders": "3"}}
    first, second = (visitor.send(AT, page, **fields) for _ in range(2))

    assert first.headers["location"] == second.headers["location"]
    assert newest(house).version == 2


def test_what_is_out_of_range_stands_under_its_field_and_nothing_typed_is_lost(house, visitor):
    page = visitor.send(
        AT, visitor.get(AT), base="1", do="save", reason="why <b>", title="T",
        more={
            "limits.max_position_weight": "900",
            "limits.max_orders": "x",
            "search.max_depth": "4",
        },
    )  # fmt: skip

    assert (page.status_code, heading(page)) == (
        422,
        "Two settings cannot be used: nothing was saved",
    )
    assert 'name="limits.max_position_weight" value="900"' in page.text
    assert 'name="limits.max_orders" value="x"' in page.text
    assert 'name="search.max_depth" value="4"' in page.text
    assert 'value="why &lt;b&gt;"' in page.text
    assert "The nearest is 100" in words(page)
    assert newest(house).version == 1


NO_USE = {
    "[search]\nmax_depht = 3\n": "Did you mean max_depth?",
    "not = = toml": "is not valid TOML",
    "[plugins]\nfolder = 'x'\n": "never over HTTP",
    "# " + "x" * 70_000: "at most 65,536",
    "<script>alert(1)</script>": "is not valid TOML",
}


def test_a_text_that_is_no_use_is_shown_again_with_what_is_wrong(house, visitor):
    opened = visitor.get(AT)
    for text, reading in NO_USE.items():
        page = visitor.send(AT, opened, base="1", do="preview", view="toml", toml=text)

        assert page.status_code == 422
        assert reading in words(page)
        assert str(escape(text[:60])) in page.text
    assert newest(house).version == 1


def test_a_text_over_a_mebibyte_is_refused_before_it_is_read(house, visitor):
    page = visitor.send(AT, visitor.get(AT), base="1", do="save", toml="# " + "x" * 1_100_000)

    assert (page.status_code, heading(page)) == (413, "That was refused.")
    assert newest(house).version == 1


def test_what_somebody_else_saved_meanwhile_is_shown_and_nothing_is_lost(house, visitor):
    page = visitor.get(AT)
    save(house, TEXT.replace("5.0", "7.0"))
    answer = visitor.send(AT, page, base="1", do="save", more={"limits.max_orders": "2"})

    assert answer.status_code == 409
    assert heading(answer) == "Calm was changed meanwhile: nothing of yours is saved yet"
    assert "What version 2 changed meanwhile" in words(answer)
    assert "score.cost_aversion" in words(answer)
    assert 'name="limits.max_orders" value="2"' in answer.text
    assert newest(house).version == 2
    for junk in ("x", "0"):
        assert visitor.send(AT, page, base=junk, do="save", more={"title": "T"}).status_code == 422
    assert newest(house).version == 2
    again = visitor.send(
        AT, answer, base="2", do="save", toml=TEXT.replace("= 5  ", "= 2  "), view="toml"
    )
    assert again.status_code == 303
    assert newest(house).parent == 2


def test_a_draft_goes_from_fields_to_text_and_back(visitor):
    as_text = visitor.send(
        AT, visitor.get(AT), base="1", do="toml", more={"limits.max_orders": "3"}
    )
    assert "max_orders = 3            # few" in as_text.text

    text = TEXT.replace("= 5  ", "= 4  ")
    back = visitor.send(AT, as_text, base="1", do="fields", view="toml", toml=text)
    assert 'name="limits.max_orders" value="4"' in back.text
    assert heading(back) == "One change"


def test_nothing_changed_is_not_saved(house, visitor):
    page = visitor.send(AT, visitor.get(AT), base="1", do="save")

    assert page.status_code == 422
    assert "Nothing is changed: version 1" in words(page)
    assert newest(house).version == 1


def test_only_planners_edit_and_only_from_a_page_of_ours(house, visitor):
    with signed_in(house, "viewer") as other:
        assert other.get(AT).status_code == 403
        assert other.send(AT, visitor.get(AT), do="save", toml=TEXT + "#").status_code == 403
    assert visitor.send(AT, "", do="save", toml=TEXT + "#", base="1").status_code == 422
    assert newest(house).version == 1


def test_a_strategy_that_is_not_there_says_the_nearest(visitor):
    page = visitor.get("/strategies/clam/edit")

    assert page.status_code == 404
    assert "Did you mean calm?" in words(page)
