"""The worksheet as a page: fields, what they come to, what is wrong, and the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from builders.browsing import HTML, Visitor, heading, signed_in, words
from builders.management import DAY, TOKEN
from builders.pages import Element, read
from builders.sheets import stored
from builders.world import world
from steelyard import importers
from steelyard.portfolio import BucketState
from steelyard.runs.stored import load
from steelyard.services.api.keeping import planned
from steelyard.services.house import House
from steelyard.services.security.limits import Limits
from steelyard.services.topology import Topology
from steelyard.web import worksheet

HOLDINGS = "symbol,quantity,price\nAAA,100,10\nBBB,10,20\nCCC,10,10\nCASH:USD,300,\n"
AS_CALCULATED = "These are the calculated orders."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A core of three securities; a sheet stores nothing, so all tests share it."""
    folder: Path = tmp_path_factory.mktemp("sheets")
    own = House(
        {"STEELYARD_HOME": str(folder / "home"), "STEELYARD_TOKEN": TOKEN},
        topology=Topology(limits=Limits(requests_per_second=1e6, burst=10**6)),
    )
    (folder / "h.csv").write_text(HOLDINGS)
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.45\nBBB,0.4\nCCC,0.0625\n")
    files = importers.read(folder / "h.csv", targets=folder / "t.csv")
    load(own.store(), "core", importers.assemble(files, as_of=DAY), ())
    yield own
    own.close()


@pytest.fixture(scope="module")
def address(house: House) -> str:
    """Of the worksheet of its plan: sells some AAA, buys some BBB."""
    return f"/plans/{planned(house, 'core', 0).plan.plan_id}/worksheet"


@pytest.fixture(scope="module")
def visitor(house: House) -> Iterator[Visitor]:
    with signed_in(house, "planner") as someone:
        yield someone


def fields(page: Element) -> dict[str, str]:
    """What stands in the fields, hidden ones too; a box only where it is ticked."""
    own = page.one("form", method="post", klass="sheet")
    return {
        field.attributes["name"]: field.attributes.get("value", "")
        for field in own.all("input")
        if field.attributes.get("type") != "checkbox" or "checked" in field.attributes
    }


def submitted(visitor: Visitor, address: str, **changes: str):
    """The form of the page sent with some fields changed, a dot written as two underscores."""
    page = read(visitor.get(address).text)
    content = fields(page) | {name.replace("__", "."): text for name, text in changes.items()}
    return visitor.client.post(address.partition("?")[0], data=content, headers=HTML)


def edits(answer) -> dict[str, str]:
    assert answer.status_code == 303, words(answer)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def test_a_sheet_begins_with_the_orders_that_were_calculated(visitor: Visitor, address: str):
    answer = visitor.get(address)
    page = read(answer.text)

    assert (answer.status_code, heading(answer)) == (200, AS_CALCULATED)
    own = fields(page)
    assert list(own) == ["nonce", "quantity.AAA", "quantity.BBB", "shares"]
    assert all(own[f"quantity.{symbol}"] for symbol in ("AAA", "BBB"))
    standings = page.one("table", klass="standings")
    assert standings.head() == ["What", "Before", "Calculated", "Edited"]
    assert all(row[2] == row[3] for row in standings.rows())
    assert "nothing here is approved or sent" in words(answer)


def test_an_edit_stands_in_the_address_and_its_cost_in_the_heading(visitor, address):
    answer = submitted(visitor, address, quantity__BBB="1", locked__AAA="on")
    assert edits(answer) == {"quantity.BBB": "1", "locked.AAA": "on"}

    after = visitor.get(answer.headers["location"])
    page = read(after.text)
    assert heading(after).startswith("Costs ")
    assert "points against the calculated plan" in heading(after)
    assert fields(page)["quantity.BBB"] == "1"
    assert fields(page)["locked.AAA"] == "on"
    assert "now buy 1." in words(after)
    export = page.one("section", id="figures").one("a").attributes["href"]
    assert export == answer.headers["location"].replace("/worksheet?", "/worksheet.csv?")
    assert heading(visitor.get(address)) == AS_CALCULATED


def test_the_same_form_sent_again_with_another_edit_leads_to_that(visitor, address):
    page = visitor.get(address)
    own = fields(read(page.text))
    for text in ("1", "2"):
        content = own | {"quantity.BBB": text}
        assert edits(visitor.client.post(address, data=content)) == {"quantity.BBB": text}


def test_an_order_is_struck_and_restored(visitor, address):
    answer = submitted(visitor, address, strike="BBB")
    assert edits(answer) == {"quantity.BBB": "0"}
    struck = visitor.get(answer.headers["location"])
    assert "Struck" in words(struck)
    assert "Restore BBB" in words(struck)

    answer = submitted(visitor, answer.headers["location"], restore="BBB")
    assert edits(answer) == {}


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(visitor, address):
    answer = submitted(visitor, address, quantity__AAA="1e9", quantity__BBB="1.5", locked__AAA="on")
    page = read(answer.text)

    assert (answer.status_code, heading(answer)) == (422, "2 entries cannot be used.")
    own = fields(page)
    assert (own["quantity.AAA"], own["quantity.BBB"], own["locked.AAA"]) == ("1e9", "1.5", "on")
    assert all(page.one("input", id=f"q{i}").attributes["aria-invalid"] for i in (1, 2))
    assert "'1e9' is no quantity" in page.one("div", id="o1-more").text
    assert "The nearest quantity is 2" in page.one("div", id="o2-more").text

    after = visitor.get(f"{address}?quantity.AAA=1&quantity.BBB=x")
    assert (after.status_code, heading(after)) == (422, "One entry cannot be used.")
    assert "now sell 1." in words(after)


def test_every_limit_that_is_broken_is_listed(visitor, address):
    answer = visitor.get(f"{address}?quantity.BBB=100&quantity.AAA=1")
    stop = read(answer.text).one("div", klass="stop")

    assert "May not be traded" in stop.text
    limits = [line.text for line in stop.all("li")]
    assert any("would be left in cash" in text for text in limits)
    assert [text for text in limits if words(answer).count(text) > 1] == []


def test_a_script_gets_the_figures_and_the_cells_and_no_field(visitor, address):
    page = visitor.get(address)
    content = fields(read(page.text)) | {"quantity.BBB": "1"}
    answer = visitor.client.post(address, data=content, headers={**HTML, "HX-Request": "true"})
    part = read(answer.text)

    assert answer.status_code == 200
    assert part.all("input") == part.all("form") == part.all("h1") == []
    ids = {cell.attributes["id"] for cell in part.all() if "hx-swap-oob" in cell.attributes}
    assert {"finding", "o-sum", "o1-side", "o2-amount", "o2-strip", "o2-more"} <= ids
    assert all(f'id="{own}"' in page.text for own in ids)
    assert part.one("section", id="figures").attributes["data-say"].startswith("Costs ")
    assert answer.headers["HX-Replace-Url"] == f"{address}?quantity.BBB=1"

    wrong = content | {"quantity.BBB": "x"}
    answer = visitor.client.post(address, data=wrong, headers={**HTML, "HX-Request": "true"})
    assert answer.status_code == 422
    assert "is no quantity" in read(answer.text).one("div", id="o2-more").text


def test_edits_that_fit_into_no_address_stay_on_the_page(visitor, address, monkeypatch):
    content = fields(read(visitor.get(address).text)) | {"quantity.BBB": "x" * 13_000}
    live = visitor.client.post(address, data=content, headers={**HTML, "HX-Request": "true"})
    assert "HX-Replace-Url" not in live.headers
    assert "do not fit into an address" in words(live)

    monkeypatch.setattr(worksheet, "LONGEST_QUERY", 5)
    for changes in ({"quantity__BBB": "1"}, {"quantity__BBB": "1", "do": "again"}):
        answer = submitted(visitor, address, **changes)
        assert answer.status_code == 200
        assert fields(read(answer.text))["quantity.BBB"] == "1"


def test_the_rest_is_planned_again_around_what_was_changed_by_hand(visitor, address):
    answer = submitted(visitor, address, quantity__AAA="20", do="again")
    first = edits(answer)
    assert (first["quantity.AAA"], first["locked.AAA"]) == ("20", "on")
    assert "locked.BBB" not in first
    assert "rest.AAA" not in first

    again = submitted(visitor, answer.headers["location"], do="again")
    assert edits(again) == first
    assert edits(submitted(visitor, address, do="again")) == {}


def test_shares_of_nothing_are_asked_back(visitor, address):
    answer = submitted(visitor, address, shares="5")
    page = read(answer.text)

    assert answer.status_code == 422
    assert "5 shares of what?" in page.one("div", id="o-more").text
    assert fields(page)["shares"] == "5"


def test_another_order_gets_a_row(visitor, address):
    page = read(visitor.get(address).text)
    assert [own.attributes["value"] for own in page.all("option")] == ["", "CCC"]

    answer = submitted(visitor, address, add="CCC", shares="-3")
    assert edits(answer) == {"quantity.CCC": "-3"}
    page = read(visitor.get(answer.headers["location"]).text)
    assert fields(page)["quantity.CCC"] == "-3"
    assert "Calculated: no order, now sell 3." in page.one("div", id="o3-more").text
    wrong = submitted(visitor, address, add="CCC", shares="-99")
    assert "only 10 are held" in read(wrong.text).one("div", id="o-more").text


def test_a_symbol_that_cannot_be_traded_is_said_above_the_rows(visitor, address):
    answer = visitor.get(f"{address}?quantity.%3Cb%3E=1")

    assert answer.status_code == 422
    assert "<b> cannot be traded here" in words(answer)
    assert "<b> cannot" not in answer.text


def test_the_orders_are_a_file_with_the_edits_of_the_page(visitor, address):
    answer = visitor.get(f"{address}.csv?quantity.BBB=1")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.headers["content-type"].startswith("text/csv")
    name = f"worksheet-core-{address.split('/')[2][:12]}.csv"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert [(row["symbol"], row["quantity"]) for row in rows][1:] == [("BBB", "1")]
    assert rows[1]["note"].startswith("calculated: buy ")
    assert visitor.get(f"{address}.csv?quantity.BBB=x").status_code == 422


def test_a_viewer_may_have_the_calculated_orders_and_no_sheet(house: House, address: str):
    with signed_in(house, "viewer") as someone:
        assert someone.get(address).status_code == 403
        assert someone.get(f"{address}.csv").status_code == 200
        assert someone.get(f"{address}.csv?quantity.BBB=1").status_code == 403


def test_a_form_of_nobody_a_short_id_and_a_plan_that_is_gone(visitor, address):
    assert visitor.client.post(address, data={"nonce": "x"}, headers=HTML).status_code == 422
    plan_id = address.split("/")[2]
    short = visitor.get(f"/plans/{plan_id[:8]}/worksheet?quantity.BBB=1")
    assert (short.status_code, short.headers["location"]) == (303, f"{address}?quantity.BBB=1")
    gone = visitor.get(f"/plans/{'f' * 64}/worksheet")
    assert (gone.status_code, heading(gone)) == (404, "It is not there.")
    assert visitor.get(f"/plans/{'f' * 64}/worksheet.csv").status_code == 404


def test_a_plan_that_cannot_be_opened_says_why_and_links_back(house: House, visitor: Visitor):
    of = replace(
        world("AA 40 @ 100", "BB 60 @ 50", cash="3000", targets={"AA": 0.2, "BB": 0.7}),
        state=BucketState(dividends={"AA": Decimal(12)}),
    )
    plan = f"/plans/{stored(house.store(), of).plan_id}"

    answer = visitor.get(f"{plan}/worksheet?quantity.AA=1")
    assert (answer.status_code, heading(answer)) == (422, "This plan cannot be changed by hand")
    assert "are not all stored" in words(answer)
    assert read(answer.text).all("a", href=plan)
    assert visitor.send(f"{plan}/worksheet", visitor.get("/sign-out")).status_code == 422
    assert visitor.get(f"{plan}/worksheet.csv").status_code == 422


def test_a_plan_that_holds_is_a_sheet_that_orders_are_added_to(house: House, visitor: Visitor):
    of = world("<b> 40 @ 100", "BB 60 @ 50", cash="0", targets={"<b>": 0.57, "BB": 0.43})
    address = f"/plans/{stored(house.store(), of).plan_id}/worksheet"

    answer = visitor.get(address)
    assert heading(answer) == AS_CALCULATED
    assert "The plan has no orders" in words(answer)
    assert "<b> 4" not in answer.text
    added = visitor.get(submitted(visitor, address, add="<b>", shares="-4").headers["location"])
    assert fields(read(added.text))["quantity.<b>"] == "-4"
