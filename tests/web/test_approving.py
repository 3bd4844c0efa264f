"""Approve, follow, halt: pages over a real store, a paper broker and a runner of its own."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from builders.browsing import Visitor, heading, signed_in, words
from builders.stored import DAY, command, planned, reloaded, running, until
from steelyard.execution.runner.client import ask
from steelyard.services.house import House
from steelyard.services.security.limits import Limits
from steelyard.services.topology import Topology
from steelyard.store import approvals
from steelyard.store.approvals import Became, Consent


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("pages")
    return folder / "home", planned(folder)


@pytest.fixture
def home(prepared: tuple[Path, str], tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared[0], tmp_path / "h"))


@pytest.fixture
def address(prepared: tuple[Path, str]) -> str:
    return f"/plans/{prepared[1]}/approve"


@pytest.fixture
def house(home: Path) -> Iterator[House]:
    own = House(
        {"STEELYARD_HOME": str(home)},
        topology=Topology(limits=Limits(requests_per_second=1e6, burst=10**6)),
    )
    yield own
    own.close()


@pytest.fixture
def visitor(house: House) -> Iterator[Visitor]:
    with signed_in(house, "operator") as someone:
        yield someone


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form, as the page has them."""
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: value for name, value in pairs if name != "nonce"}


def asked(page: str) -> str:
    """The number that is to be typed."""
    return str(re.findall(r"Type ([\d,.]+) to confirm", page)[0])


def test_the_page_has_what_is_traded_and_a_wrong_number_is_told_at_its_field(visitor, address):
    page = visitor.get(address)
    fields = hidden(page.text)

    assert page.status_code == 200
    assert heading(page).startswith(f"Approve {asked(page.text)} USD to be bought")
    assert fields.keys() == {"plan_id", "expires", "seen", "broker"}
    assert "No runner is there" in words(page)

    answer = visitor.send(address, page, **fields, confirm="12", read="tax")
    assert answer.status_code == 422
    assert "'12' was typed, and" in words(answer)
    assert 'value="12"' in answer.text
    assert 'value="tax" checked' in answer.text


def test_without_a_runner_the_word_is_stored_and_the_page_says_that_nothing_was_sent(
    visitor, address, home
):
    page = visitor.get(address)

    answer = visitor.send(address, page, **hidden(page.text), confirm=asked(page.text))
    after = visitor.get(answer.headers["location"])

    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert heading(after) == "Approved and stored: nothing was sent"
    assert f"Start one: STEELYARD_HOME={home} steelyard runner" in words(after)
    assert not (home / "journal.db").exists()


def test_what_changed_since_the_page_is_answered_with_the_difference(
    visitor, address, house, tmp_path
):
    page = visitor.get(address)
    reloaded(house.store(), tmp_path, "AAA,90,10\nBBB,10,20\nCASH:USD,300,\n")

    answer = visitor.send(address, page, **hidden(page.text), confirm=asked(page.text))
    assert (answer.status_code, heading(answer)) == (409, "This plan cannot be approved")
    assert "Shares of AAA: 100 then, 90 now." in words(answer)
    assert "Price of" not in words(answer)
    assert "Nothing was approved and nothing was sent." in words(answer)

    other = hidden(page.text) | {"plan_id": "f" * 64}
    answer = visitor.send(address, page, **other, confirm=asked(page.text))
    assert answer.status_code == 409


@pytest.mark.parametrize("role", ["viewer", "planner"])
def test_who_may_not_approve_or_halt_is_told_which_role_is_needed(house, address, role):
    with signed_in(house, role) as someone:
        assert "needs the role operator" in words(someone.get(address))
        assert someone.get(address).status_code == 403
        assert "To halt needs the role operator" in words(someone.get("/runs"))
        assert someone.send("/halt", someone.get("/sign-out")).status_code == 403


def test_a_halt_by_page_stops_approvals_and_its_reason_is_inert(visitor, address, home):
    answer = visitor.send("/halt", visitor.get("/runs"), reason="<script>alert(1)</script>")
    after = visitor.get(answer.headers["location"])

    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    assert (home / "HALT").exists()
    assert "<script>alert" not in after.text
    assert "Halted: nothing new is sent. <script>alert(1)</script>" in words(after)
    page = visitor.get(address)
    assert heading(page) == "This plan cannot be approved"
    assert "steelyard halt --lift" in words(page)
    assert "confirm" not in page.text


def test_an_approved_plan_is_followed_to_its_end_and_a_break_is_shown(visitor, address, home):
    page = visitor.get(address)
    visitor.send(address, page, **hidden(page.text), confirm=asked(page.text))
    assert "Hand it over" not in words(visitor.get(address))
    with running(home):
        until(lambda: ask(home, {"request": "status"})["state"] == "idle")
        page = visitor.get(address)
        assert "A runner is there" in words(page)
        assert heading(page) == "Approved, and not yet handed over"
        assert "Hand it over to the runner" in words(page)
        fields = hidden(page.text)
        answer = visitor.send(address, page, **fields, confirm=asked(page.text))
        run = answer.headers["location"]
        again = visitor.send(address, visitor.get("/sign-out"), **fields, confirm="anything")
        until(lambda: heading(visitor.get(run)).startswith("Done"))
    followed = visitor.get(run)

    assert run.startswith("/runs/r-")
    assert again.headers["location"] == run
    assert heading(followed) == "Done: all orders are filled"
    rows = re.findall(r'<th scope="row">(\w+)</th><td class="n">([\d,]+) of', followed.text)
    assert [symbol for symbol, _ in rows] == ["AAA", "BBB"]
    part = visitor.get(run, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="live"')
    assert "<html" not in part
    assert heading(visitor.get(address)).startswith("Approved: the run")
    assert heading(visitor.get("/runs")) == "One run, the newest is done"
    assert heading(visitor.get(f"{run}/breaks")) == "Books and broker agree"

    with sqlite3.connect(home / "paper.db") as paper:
        paper.execute("UPDATE positions SET quantity = quantity - 3 WHERE symbol = 'AAA'")
    assert command(home, "reconcile").returncode == 1
    breaks = visitor.get(f"{run}/breaks")
    assert heading(breaks) == "Books and broker differ in 1 line"
    assert "The account is frozen." in words(breaks)
    assert "--acknowledge --reason TEXT" in words(breaks)
    assert "is frozen." in words(visitor.get(run))


def test_a_run_that_is_not_there_is_told(visitor):
    answer = visitor.get("/runs/r-none")

    assert (answer.status_code, heading(answer)) == (404, "It is not there.")


def test_a_paper_account_that_holds_something_else_stops_the_plan_and_another_trades_it(
    visitor, address, home, tmp_path
):
    with running(home):
        until(lambda: ask(home, {"request": "status"})["state"] == "idle")
        page = visitor.get(address)
        sent = visitor.send(address, page, **hidden(page.text), confirm=asked(page.text))
        until(lambda: heading(visitor.get(sent.headers["location"])).startswith("Done"))
    own, aims = tmp_path / "own.csv", tmp_path / "t.csv"
    own.write_text("symbol,quantity,price\nAAA,90,10\nBBB,10,20\nCASH:USD,300,\n")
    aims.write_text("symbol,weight\nAAA,0.5\nBBB,0.4\n")
    load = ("bucket", "load", "core", "--holdings", str(own), "--targets", str(aims))
    assert command(home, *load, "--as-of", DAY).returncode == 0
    plan_id = json.loads(command(home, "plan", "--bucket", "core", "--save", "--json").stdout)[
        "plan_id"
    ]
    page = visitor.get(f"/plans/{plan_id}/approve")

    assert heading(page) == "This plan cannot be approved"
    assert "The paper account core traded before and holds other shares than the plan: AAA" in (
        words(page)
    )
    account = re.findall(r"--account (\S+)", words(page))[0]
    assert command(home, "execute", plan_id[:12], "--account", account, "--yes").returncode == 0


def test_a_refusal_by_the_runner_is_the_heading_and_the_button_says_once_more(
    visitor, address, house
):
    plan_id = address.split("/")[2]
    end = house.utc() + timedelta(hours=1)
    consent = Consent(
        plan_id=plan_id,
        bucket="core",
        by="t",
        expires_at=end,
        broker="paper",
        typed="1",
        notes=(),
    )
    approval = approvals.record(house.store(), consent)
    became = Became("refused", code="halted", words="The run r-1 was not started.")
    approvals.settle(house.store(), approval, "core", became)

    page = visitor.get(address)

    assert heading(page) == "Refused when it was to begin: nothing was sent"
    assert "Approve once more" in words(page)
