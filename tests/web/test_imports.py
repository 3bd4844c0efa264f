"""A broker's file to a plan in three steps; what is wrong is answered in place, nothing is lost."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import httpx2
import pytest

from builders.browsing import Visitor, heading, signed_in, words
from builders.exports import FILES
from steelyard.services.house import House
from steelyard.store.buckets import bucket_of
from steelyard.store.plans import listed

OWN = "symbol,quantity,price\nAAA,120,10\nBBB,10,20\nCASH:USD,250,\n"


def given(text: str, name: str = "mine.csv") -> dict[str, tuple[str, bytes]]:
    return {"holdings": (name, text.encode())}


def read(visitor: Visitor, files: dict[str, tuple[str, bytes]], **fields: str) -> httpx2.Response:
    """The page after a first file: followed where it leads."""
    answer = visitor.send("/import", visitor.get("/import"), files=files, **fields)
    return visitor.get(answer.headers["location"]) if answer.status_code == 303 else answer


def draft(page: httpx2.Response) -> str:
    shown = re.search(r'name="draft" value="([0-9a-f]{32})"', page.text)
    assert shown is not None
    return shown.group(1)


def again(visitor: Visitor, page: httpx2.Response, to: str = "/import/load", **more: str):
    # browsers send a form with files as multipart, whether one was chosen or not
    return visitor.send(to, page, files={"targets": ("", b"")}, more={"draft": draft(page), **more})


def test_a_file_of_schwab_is_a_plan_after_three_steps(visitor: Visitor, house: House):
    path = FILES / "schwab" / "plain.csv"
    page = read(visitor, {"holdings": (path.name, path.read_bytes())})

    assert heading(page) == "3 holdings read and 1 kept out, from plain.csv"
    assert "Read as Schwab positions, as of 2026-01-09: 3 holdings" in words(page)
    assert "'SWVXX' of plain.csv is read as cash in USD." in words(page)

    answer = again(visitor, page, aims="weights")

    assert answer.status_code == 303
    assert re.fullmatch("/plans/[0-9a-f]{64}", answer.headers["location"])
    files = bucket_of(house.store(), "core").files
    assert [entry["name"] for entry in files] == ["plain.csv", "weights of plain.csv"]
    assert visitor.get(answer.headers["location"]).status_code == 200
    assert list((house.home / "drafts").iterdir()) == []


def test_lines_that_cannot_be_used_are_told_and_the_bucket_stays(visitor: Visitor, house: House):
    before = bucket_of(house.store(), "core")
    page = read(visitor, given("symbol,quantity,price\nAAA,x,10\nBBB,10,y\n"), base="EUR")

    assert page.status_code == 422
    assert heading(page) == "0 holdings read, 2 questions to answer"
    assert "line 2" in words(page)
    assert "line 3" in words(page)
    assert 'name="base" type="text" value="EUR"' in page.text
    assert again(visitor, page).status_code == 422
    assert bucket_of(house.store(), "core") == before


def test_a_table_that_nobody_recognises_is_read_by_columns_that_are_chosen(visitor: Visitor):
    text = "Paper;Pieces;Last\nAAA;100;10.5\nBBB;10;20\n"
    page = read(visitor, given(text))
    assert heading(page) == "mine.csv cannot be read yet"
    assert '<option value="Pieces">Pieces</option>' in page.text

    columns = {"map.symbol": "Paper", "map.quantity": "Pieces", "map.price": "Last"}
    answer = again(visitor, page, "/import", **columns)

    page = visitor.get(answer.headers["location"])
    assert heading(page) == "2 holdings read from mine.csv"
    assert '<option value="Pieces" selected>' in page.text


def test_a_number_with_two_readings_is_asked_about_and_the_answer_counts(visitor: Visitor):
    columns = {"map.symbol": "Paper", "map.quantity": "Pieces", "map.price": "Last"}
    page = read(visitor, given("Paper;Pieces;Last\nAAA;1.250;10\n"), more=columns)

    assert page.status_code == 422
    assert "Which sign is the decimal one?" in words(page)
    answer = again(visitor, page, "/import", decimal="comma", **columns)

    assert "1,250" in words(visitor.get(answer.headers["location"]))


def test_what_was_pasted_as_targets_is_what_is_planned_towards(visitor: Visitor, house: House):
    page = read(visitor, given(OWN))
    answer = again(visitor, page, aims="file", targets_text="AAA 50%\nBBB 30%")

    assert answer.status_code == 303
    text = words(visitor.get(answer.headers["location"] + "?tab=weights"))
    assert "50.0" in text
    assert [entry["name"] for entry in bucket_of(house.store(), "core").files] == [
        "mine.csv",
        "pasted targets",
    ]


def test_what_was_pasted_comes_back_as_it_was_typed_however_often_it_is_read(visitor: Visitor):
    page = read(visitor, given(OWN))
    text = "AAA, 60%\r\nBBB, 40%\r\n"
    for _ in range(2):
        sent = again(visitor, page, to="/import", targets_text=text)
        page = visitor.get(sent.headers["location"])
        shown = re.search(r'name="targets_text"[^>]*>\n([^<]*)</textarea>', page.text)
        assert shown is not None
        assert shown.group(1).replace("\r\n", "\n") == text.replace("\r\n", "\n")
        text = shown.group(1)
    assert again(visitor, page, targets_text=text).status_code == 303


def test_targets_that_are_no_table_are_told_with_what_was_pasted(visitor: Visitor):
    page = read(visitor, given(OWN))
    answer = again(visitor, page, aims="file", targets_text="AAA, half <b>")

    assert answer.status_code == 422
    assert "AAA, half &lt;b&gt;" in answer.text
    assert "half" in words(answer)


def test_money_of_a_satellite_that_nobody_told_of_is_asked_for_in_its_field(
    visitor: Visitor, house: House, tmp_path: Path
):
    page = visitor.get("/buckets")
    visitor.send("/buckets", page, name="tech", budget="5", preset="momentum")
    first = again(visitor, read(visitor, given(OWN), bucket="tech"), bucket="tech", aims="weights")
    assert first.status_code == 303

    more = read(visitor, given(OWN.replace("250", "900")), bucket="tech")
    answer = again(visitor, more, bucket="tech", aims="stay")
    assert answer.status_code == 422
    assert "The cash of tech changed by USD +650 and no holding did." in words(answer)
    assert 'name="moved" type="text" value="" aria-invalid="true"' in answer.text

    assert again(visitor, answer, bucket="tech", aims="stay", moved="650").status_code == 303
    assert bucket_of(house.store(), "tech").cash["USD"] == 900


def test_a_form_that_is_sent_twice_makes_one_plan(visitor: Visitor, house: House):
    page = read(visitor, given(OWN))
    both = [again(visitor, page, aims="weights").headers["location"] for _ in range(2)]

    assert both[0] == both[1]
    assert len(listed(house.store(), bucket="core")) == 1


def test_a_draft_is_its_session_s_alone_and_nobody_else_reads_its_file(
    visitor: Visitor, house: House
):
    page = read(visitor, given(OWN))
    (file,) = (house.home / "drafts").iterdir()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with signed_in(house) as other:
        assert other.get(f"/import?draft={draft(page)}").status_code == 404
    assert visitor.get("/import?draft=../../token").status_code == 404


def test_a_file_that_cannot_be_kept_is_told_and_nothing_is_loaded(visitor: Visitor, house: House):
    before = bucket_of(house.store(), "core")
    (house.home / "drafts").write_text("in the way")
    answer = visitor.send("/import", visitor.get("/import"), files=given(OWN), bucket="core")

    assert answer.status_code == 503
    assert "could not be kept" in words(answer)
    assert "Nothing was loaded" in words(answer)
    assert bucket_of(house.store(), "core") == before


@pytest.mark.parametrize(
    "content",
    ["[]", "1", '{"by": "x"}', "[" * 200_000, '{"fields": {"a": 1}}', '{"files": {"h": {}}}'],
)
def test_a_draft_that_is_damaged_is_gone(visitor: Visitor, house: House, content: str):
    page = read(visitor, given(OWN))
    (file,) = (house.home / "drafts").iterdir()
    own = json.loads(file.read_bytes())
    damaged = content if content[0] != "{" else json.dumps({**own, **json.loads(content)})
    file.write_text(damaged)

    answer = visitor.get(f"/import?draft={draft(page)}")
    assert answer.status_code == 404
    assert "is not here any more" in words(answer)
    assert again(visitor, page).status_code == 404


def test_a_table_of_too_many_lines_is_refused_before_it_is_read(visitor: Visitor, house: House):
    text = "symbol,quantity,price\n" + "AAA,1,10\n" * 50_000
    answer = visitor.send("/import", visitor.get("/import"), files=given(text))

    assert answer.status_code == 422
    assert "mine.csv has 50,001 lines, and 50,000 are the most here." in words(answer)
    assert not (house.home / "drafts").exists()


def test_a_draft_goes_with_its_session_or_after_a_day(visitor: Visitor, house: House):
    folder = house.home / "drafts"
    with signed_in(house) as other:
        read(other, given(OWN))
        read(visitor, given(OWN))
        other.send("/sign-out", other.get("/settings/look"))
    (file,) = folder.iterdir()

    os.utime(file, (0, 0))
    visitor.get("/import")

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("to", ["/import", "/import/load"])
def test_a_viewer_and_a_form_of_nobody_change_nothing(house: House, visitor: Visitor, to: str):
    before = bucket_of(house.store(), "core")
    with signed_in(house, "viewer") as viewer:
        page = viewer.get("/import")
        assert page.status_code == 403
        assert "planner" in words(page)
        assert viewer.send(to, viewer.get("/plans"), files=given(OWN)).status_code == 403
    assert visitor.send(to, 'name="nonce" value="1.2"', files=given(OWN)).status_code == 422
    assert bucket_of(house.store(), "core") == before


def test_a_price_that_is_missing_is_asked_for_beside_the_fault(visitor: Visitor):
    table = b"symbol,quantity,price,currency\nAAA,5,10.50,USD\nXYZQ,3,,USD\n"
    form = visitor.get("/import").text
    shown = visitor.send("/import", form, files={"holdings": ("own.csv", table)})
    assert "leave it out: type XYZQ under Leave out" in words(shown)
    assert "--exclude XYZQ" not in words(shown)
    asks, rest = shown.text.split("What answers it")[1].split("</fieldset>", 1)
    for name in ("exclude", "prices"):
        assert f'id="f-{name}"' in asks
        assert f'id="f-{name}"' not in rest, "it stands on the page once"
    assert asks.count('aria-invalid="true"') == 2
    loaded = visitor.send("/import", form, files={"holdings": ("own.csv", table)}, exclude="XYZQ")
    said = words(visitor.get(loaded.headers["location"]))
    assert "No date was given: as of today" in said
    assert "10.50" in said


def test_a_line_of_cash_with_its_amount_as_price_is_told_where_it_goes(visitor: Visitor):
    table = b"symbol,quantity,price,currency\nAAA,5,10,USD\nCASH,,18777.81,USD\n"
    shown = visitor.send("/import", visitor.get("/import"), files={"holdings": ("own.csv", table)})
    assert "A line of cash has its amount under quantity" in words(shown)
    assert 'id="f-cash"' in shown.text.split("What answers it")[1].split("</fieldset>")[0]


def test_without_a_file_the_page_asks_for_one(visitor: Visitor):
    page = read(visitor, {"targets": ("t.csv", b"symbol,weight\nAAA,1\n")})

    assert page.status_code == 422
    assert "Choose the file that your broker gives" in words(page)
    assert "t.csv" in words(page)


def test_targets_that_are_pasted_win_over_a_choice_that_was_there_before_them(
    visitor: Visitor, house: House
):
    page = read(visitor, given(OWN))
    answer = again(visitor, page, aims="weights", targets_text="AAA 50%\nBBB 30%")

    assert answer.status_code == 303
    files = bucket_of(house.store(), "core").files
    assert [entry["name"] for entry in files] == ["mine.csv", "pasted targets"]


def test_another_choice_after_them_counts_and_the_page_says_that_they_are_not_used(
    visitor: Visitor,
):
    page = read(visitor, given(OWN))
    pasted = {"targets_text": "AAA 50%\nBBB 30%"}
    to_targets = again(visitor, page, "/import", aims="weights", **pasted)
    shown = visitor.get(to_targets.headers["location"])
    assert 'value="file" checked' in shown.text

    answer = again(visitor, shown, "/import", aims="weights", **pasted)
    assert "A table of targets is here and is not used" in words(
        visitor.get(answer.headers["location"])
    )


def test_a_bucket_that_has_holdings_says_beside_the_button_that_they_are_replaced(
    visitor: Visitor,
):
    assert "This replaces what is there." not in words(visitor.get("/import"))
    assert "core has 2 holdings now, worth USD 1,500." in words(read(visitor, given(OWN)))


def test_a_dollar_that_may_be_of_several_is_asked_about_and_the_base_currency_answers_it(
    visitor: Visitor,
):
    text = "Paper,Pieces,Last\nAAA,100,$ 125.67\n"
    columns = {"map.symbol": "Paper", "map.quantity": "Pieces", "map.price": "Last"}
    page = read(visitor, given(text), more=columns)
    assert "Which currency is meant by the sign?" in words(page)

    by_sign = again(visitor, page, "/import", sign="USD", **columns)
    assert "125.67 USD" in " ".join(words(visitor.get(by_sign.headers["location"])).split())
    assert again(visitor, page, "/import", base="USD", **columns).status_code == 303


def test_lines_without_a_symbol_may_be_left_out_and_cash_in_words_is_cash(visitor: Visitor):
    text = "Paper,Name,Pieces,Last\nAAA,A Co,10,5\n,Cash USD,250,\n,Fees & more,3,\n"
    columns = {"map.symbol": "Paper", "map.quantity": "Pieces", "map.price": "Last"}
    columns["map.name"] = "Name"
    page = read(visitor, given(text), more=columns)
    assert page.status_code == 422
    assert "Cash USD, line" not in words(page)

    answer = again(visitor, page, "/import", **columns, **{"leave.Fees & more": "Fees & more"})
    page = visitor.get(answer.headers["location"])
    assert heading(page) == "1 holding read from mine.csv"
    assert 'name="leave.Fees &amp; more" value="Fees &amp; more" checked' in page.text
    loaded = again(visitor, page, aims="weights", **columns, **{"leave.Fees & more": "Fees & more"})
    assert loaded.status_code == 303


def test_a_title_above_the_header_hides_no_column(visitor: Visitor):
    text = "My depot, July\n\nPaper,Pieces,Last\nAAA,100,10.5\nBBB,10,20\n"
    page = read(visitor, given(text))

    assert '<option value="Pieces">Pieces</option>' in page.text
    assert "Choose which column has what" in words(page)


def test_decimal_commas_of_our_own_form_are_read_as_any_table_and_the_page_says_so(
    visitor: Visitor,
):
    page = read(visitor, given("symbol;quantity;price\nAAA;12;131,20\n"))
    assert "choose it under How the file of holdings is read" in words(page)

    answer = again(visitor, page, "/import", form="generic")
    assert "131.2" in words(visitor.get(answer.headers["location"]))


def test_lines_of_what_was_pasted_are_counted_as_they_were_pasted(visitor: Visitor):
    page = read(visitor, given(OWN))
    answer = again(visitor, page, aims="file", targets_text="AAA,1%\nBBB,1%\n\nCCC\n")

    assert "pasted targets line 4: 1 cells" in words(answer)
