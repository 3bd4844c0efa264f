"""Buckets as pages: what they own and follow, sliders with what they move, money between them."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from builders.browsing import Visitor, heading, signed_in, words
from builders.management import SHALLOW, load_own
from steelyard.runs.stored import transfer
from steelyard.services.api.keeping import planned
from steelyard.services.house import House
from steelyard.store.assignments import planned_by
from steelyard.store.buckets import bucket_of, buckets
from steelyard.store.strategies import Draft, append
from steelyard.strategies import parse


@pytest.fixture
def tech(visitor: Visitor, house: House, tmp_path: Path) -> str:
    """A satellite that owns something."""
    fields = {"name": "tech", "budget": "8", "preset": "momentum"}
    assert visitor.send("/buckets", visitor.get("/buckets"), more=fields).status_code == 303
    load_own(house.store(), tmp_path, "tech")
    return "/buckets/tech"


def seen(page: httpx2.Response, name: str) -> dict[str, str]:
    """The hidden fields of the form that has a field of this name."""
    form = next(part for part in page.text.split("<form") if f'name="{name}"' in part)
    pairs = re.findall(r'<input type="hidden" name="((?:was\.)?\w+)" value="([^"]*)"', form)
    return {name: value for name, value in pairs if name != "nonce"}


def sliders(page: httpx2.Response, **moved: str) -> dict[str, str]:
    was = seen(page, "risk_appetite")
    shown = {name.removeprefix("was."): value for name, value in was.items() if "was." in name}
    return {**was, **shown, **moved}


def test_the_list_says_what_each_has_of_its_budget(visitor: Visitor, tech: str):
    page = visitor.get("/buckets")

    assert heading(page) == "A core and 1 satellite, worth 3,000.00 USD together"
    assert "core core, active 92.0 50.0" in words(page)
    assert "tech satellite, accumulating 8.0 50.0 over it" in words(page)


def test_money_that_moves_to_an_empty_satellite_stays_in_the_account(visitor: Visitor):
    fields = {"name": "tech", "budget": "8"}
    visitor.send("/buckets", visitor.get("/buckets"), more=fields)
    whole = heading(visitor.get("/buckets"))
    core = visitor.get("/buckets/core")
    sent = visitor.send("/buckets/core/transfer", core, to="tech", amount="150", currency="USD")
    assert sent.status_code == 303

    assert whole == "A core and 1 satellite, worth 1,500.00 USD together"
    assert heading(visitor.get("/buckets")) == whole
    page = visitor.get("/buckets/tech")
    assert heading(page) == "Tech uses 10.0 % of the account; its budget is 8.0 %"
    assert "Nothing was loaded into it yet" in words(page)
    assert "used 90.0" in words(visitor.get("/buckets/core"))


def test_a_bucket_tells_lots_cash_strategy_and_where_they_are_from(visitor: Visitor, tech: str):
    page = visitor.get(tech)

    assert heading(page) == "Tech uses 50.0 % of the account; its budget is 8.0 %"
    assert "2 lots of 2 holdings" in words(page)
    assert "Plans by Tech: settings, version 1" in words(page)
    assert visitor.get("/buckets/nowhere").status_code == 404


def test_a_slider_shows_what_it_would_move_and_keeps_nothing_until_it_is_saved(
    visitor: Visitor, house: House, tech: str
):
    page = visitor.get(tech)
    assert "Risk appetite 0.8 preset momentum priority threshold 0.26" in words(page)

    preview = visitor.send(
        f"{tech}/settings", page, more={**sliders(page, risk_appetite="0.5"), "do": "preview"}
    )
    assert preview.status_code == 200
    assert "priority threshold 0.26 to 0.35 , max position weight 0.18 to 0.15" in words(preview)
    assert 'value="0.5" aria-describedby="f-risk_appetite-ends"' in preview.text
    assert "risk_appetite" not in bucket_of(house.store(), "tech").settings

    saved = visitor.send(f"{tech}/settings", preview, more=sliders(preview, risk_appetite="0.5"))
    assert saved.status_code == 303
    assert bucket_of(house.store(), "tech").settings == {"preset": "momentum", "risk_appetite": 0.5}
    version = planned_by(house.store(), "tech")
    assert version is not None
    assert version.version == 2


def test_a_part_alone_is_answered_to_a_script(visitor: Visitor, tech: str):
    page = visitor.get(tech)
    number = re.search(r'name="nonce" value="([^"]+)"', page.text)
    assert number is not None
    fields = {"nonce": number.group(1), **sliders(page, entry_style="0.1"), "do": "preview"}

    part = visitor.client.post(
        f"{tech}/settings", data=fields, headers={"Accept": "text/html", "HX-Request": "true"}
    )

    assert part.text.lstrip().startswith('<div id="moves"')
    assert "momentum weight 0.9 to 0.1" in words(part)


def test_settings_out_of_range_are_told_in_place_and_stay_typed(visitor: Visitor, tech: str):
    page = visitor.get(tech)
    answer = visitor.send(
        f"{tech}/settings", page, more={**sliders(page), "target_weight": "80", "do": "save"}
    )

    assert answer.status_code == 422
    assert heading(answer) == "Nothing was changed in Tech"
    assert words(answer).count("A budget of '80' is not usable: a satellite's is 0 to 15 %.") == 1
    assert 'name="target_weight" type="text" value="80"' in answer.text


def test_settings_that_somebody_else_changed_meanwhile_are_not_written_over(
    visitor: Visitor, house: House, tech: str
):
    page = visitor.get(tech)
    first, second = (sliders(page, risk_appetite=value) for value in ("0.1", "0.9"))
    assert visitor.send(f"{tech}/settings", page, more=first).status_code == 303

    answer = visitor.send(f"{tech}/settings", visitor.get(tech).text, more=second)

    assert answer.status_code == 409
    assert "It has now: " in words(answer)
    assert "risk_appetite 0.1" in words(answer)
    assert bucket_of(house.store(), "tech").settings["risk_appetite"] == 0.1


def test_money_moves_between_buckets_and_no_more_than_there_is(
    visitor: Visitor, house: House, tech: str
):
    page = visitor.get(tech)
    fields = {"amount": "1000", "currency": "USD", "to": "core"}
    answer = visitor.send(f"{tech}/transfer", page, more=fields)
    assert answer.status_code == 422
    assert "tech has 300 USD" in words(answer)
    assert 'value="1000"' in answer.text

    for _ in range(2):
        visitor.send(f"{tech}/transfer", page, more={**fields, "amount": "100"})

    cash = {row.name: row.cash["USD"] for row in buckets(house.store())}
    assert cash == {"core": 400, "tech": 200}
    less = visitor.send(f"{tech}/transfer", visitor.get(tech), more={**fields, "amount": "0.001"})
    assert less.status_code == 422


def test_a_plan_of_before_money_was_moved_says_so_wherever_it_is_shown(
    visitor: Visitor, house: House, tech: str
):
    made = planned(house, "core", 0).plan.plan_id
    pages = ("/", f"/plans/{made}", f"/plans/{made}/worksheet")
    says = ("It has other cash than its newest plan", "Money was moved since.", "has other cash")
    assert not any(text in words(visitor.get(at)) for at, text in zip(pages, says, strict=True))
    transfer(house.store(), "core", "tech", "USD", Decimal(50))
    for at, text in zip(pages, says, strict=True):
        assert text in words(visitor.get(at))


def test_a_strategy_is_assigned_and_a_stale_page_assigns_nothing(
    visitor: Visitor, house: House, tech: str
):
    with house.store().writing() as transaction:
        rules = parse(SHALLOW, "mine").sha256
        append(transaction, Draft(name="mine", title="Mine", toml=SHALLOW, rules_sha256=rules))
    page = visitor.get("/buckets/core")
    fields = {**seen(page, "stay"), "name": "mine", "stay": "1"}

    assert visitor.send("/buckets/core/strategy", page, more=fields).status_code == 303
    follows = bucket_of(house.store(), "core").assignment
    assert follows is not None
    assert follows.pinned
    answer = visitor.send("/buckets/core/strategy", visitor.get("/buckets/core").text, more=fields)
    assert answer.status_code == 409


def test_a_satellite_over_the_budget_is_not_made(visitor: Visitor, house: House):
    page = visitor.get("/buckets")
    answer = visitor.send("/buckets", page, more={"name": "big", "budget": "45"})

    assert answer.status_code == 422
    assert 'value="45"' in answer.text
    odd = visitor.send("/buckets", page, more={"name": "Growth Fund", "budget": "5"})
    assert "Name 'Growth Fund' is not usable" in words(odd)
    assert "at most 64" not in words(odd)
    for text in ("5%%", "\uff15", "1e-400"):
        assert visitor.send("/buckets", page, more={"name": "b", "budget": text}).status_code == 422
    assert [row.name for row in buckets(house.store())] == ["core"]


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("viewer", "/buckets"),
        ("viewer", "/buckets/core/settings"),
        ("planner", "/buckets/core/strategy"),
        ("planner", "/buckets/core/transfer"),
    ],
)
def test_each_change_needs_its_role(house: House, role, path: str):
    with signed_in(house, role) as someone:
        page = someone.get("/buckets/core")
        assert page.status_code == 200
        assert f"yours is {role}" in words(page)
        assert someone.send(path, someone.get("/sign-out")).status_code == 403
