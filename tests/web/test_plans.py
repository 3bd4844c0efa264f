"""A plan as a page: its tabs, why of a symbol, the list, two plans compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from builders.browsing import Visitor, heading, signed_in, words
from builders.management import TOKEN, load_own
from builders.plans import hostile
from steelyard.runs.asked import Asked, of_mode
from steelyard.runs.stored import inputs_of
from steelyard.services.api.keeping import planned
from steelyard.services.house import House
from steelyard.services.security.limits import Limits
from steelyard.services.topology import Topology
from steelyard.store import buckets, plans
from steelyard.store.snapshots import pack

AT_EASE = Topology(limits=Limits(requests_per_second=1e6, burst=10**6))
OLDER = re.compile(r'href="([^"]*after=[^"]*)"')
TABS = ("trades", "weights", "score", "cash", "alternatives", "not-traded")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One home for all that only read: a plan never changes."""
    folder = tmp_path_factory.mktemp("plans")
    own = House(
        {"STEELYARD_HOME": str(folder / "home"), "STEELYARD_TOKEN": TOKEN}, topology=AT_EASE
    )
    load_own(own.store(), folder)
    yield own
    own.close()


@pytest.fixture(scope="module")
def visitor(house: House) -> Iterator[Visitor]:
    with signed_in(house) as someone:
        yield someone


@pytest.fixture(scope="module")
def plan(house: House) -> str:
    return planned(house, "core", 0).plan.plan_id


def saved(house: House, document: Any) -> str:
    """A plan of another making among those of the house."""
    store = house.store()
    plans.save(store, document, pack(inputs_of(store, buckets.bucket_of(store, "core"))), (), 1.0)
    return str(document.plan_id)


def test_every_part_of_a_plan_has_an_address(visitor: Visitor, plan: str) -> None:
    for tab in TABS:
        shown = visitor.get(f"/plans/{plan}?tab={tab}")
        assert shown.status_code == 200
        assert heading(shown).startswith("Act.")
        assert plan in words(shown)  # the seal


def test_why_of_a_traded_symbol_is_a_ledger_of_what_it_passed(visitor: Visitor, plan: str) -> None:
    shown = visitor.get(f"/plans/{plan}/why/bbb")
    said = words(shown)
    assert "Every test it met" in said
    assert "Passed: Data Price is known 20.00 USD" in said
    assert "Stopped:" not in said
    # without scripts a browser goes there
    assert f'href="/plans/{plan}/why/BBB#drawer"' in shown.text
    assert f'hx-get="/plans/{plan}/why/BBB"' in shown.text
    assert f'class="close button" href="/plans/{plan}"' in shown.text


def test_a_script_gets_the_drawer_alone(visitor: Visitor, plan: str) -> None:
    part = visitor.get(
        f"/plans/{plan}/why/AAA?tab=weights",
        headers={"HX-Request": "true", "HX-Target": "aside#drawer"},
    )
    assert part.text.lstrip().startswith('<aside id="drawer"')
    assert f'href="/plans/{plan}?tab=weights"' in part.text  # closing leads back to the tab


def test_a_symbol_that_the_plan_does_not_know_is_told_with_the_nearest(
    visitor: Visitor, plan: str
) -> None:
    shown = visitor.get(f"/plans/{plan}/why/AAB")
    assert shown.status_code == 422
    assert "Did you mean AAA" in words(shown)


def test_a_plan_that_was_overtaken_says_so(house: House, visitor: Visitor, plan: str) -> None:
    planned(house, "core", 0, asked=of_mode("invest", "5000", "USD"))
    assert "A newer plan is there" not in words(visitor.get(f"/plans/{plan}"))
    planned(house, "core", 0, asked=Asked(no_sell=True))
    assert "A newer plan is there" in words(visitor.get(f"/plans/{plan}"))


def test_a_symbol_is_found_by_typing_it(visitor: Visitor, plan: str) -> None:
    to = visitor.get(f"/plans/{plan}/why?symbol=+bbb&tab=weights")
    assert (to.status_code, to.headers["location"]) == (
        303,
        f"/plans/{plan}/why/BBB?tab=weights#drawer",
    )
    assert visitor.get(f"/plans/{plan}/why?symbol=").headers["location"] == f"/plans/{plan}"
    shown = visitor.get(f"/plans/{plan}/why?symbol=AAB")
    assert shown.status_code == 422
    assert "Did you mean AAA" in words(shown)
    assert 'value="AAB"' in shown.text


def test_every_page_lists_the_keys(visitor: Visitor) -> None:
    shown = visitor.get("/plans")
    assert '<dialog id="keys"' in shown.text
    assert "data-search" in shown.text


def test_texts_of_files_are_inert(house: House, visitor: Visitor) -> None:
    plan_id = saved(house, hostile())
    symbol = hostile().not_traded[0].symbol
    for address in (
        f"/plans/{plan_id}",
        f"/plans/{plan_id}/why/{quote(symbol, safe='')}",
        "/plans",
    ):
        shown = visitor.get(address)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.text
        assert "<b onclick" not in shown.text


def test_the_list_is_of_a_bucket_and_a_verdict(house: House, visitor: Visitor, plan: str) -> None:
    assert plan[:8] in visitor.get("/plans?bucket=core&action=act").text
    none = visitor.get("/plans?action=hold")
    assert heading(none) == "No such plan"
    assert visitor.get("/plans?bucket=core&action=sideways").status_code == 422


def test_a_long_list_goes_on(
    house: House, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, plan: str
) -> None:
    monkeypatch.setattr("steelyard.web.plans.A_PAGE", 1)
    newer = planned(house, "core", 0, asked=of_mode("invest", "500", "USD")).plan.plan_id
    shown = visitor.get("/plans?bucket=core")
    assert newer[:8] in words(shown)
    while plan[:8] not in words(shown):
        shown = visitor.get(OLDER.search(shown.text).group(1).replace("&amp;", "&"))  # type: ignore[union-attr]
        assert newer[:8] not in words(shown)
    assert "The newest" in words(shown)
    assert "Older plans" not in words(shown)


def test_two_plans_are_compared_in_trades_and_money(
    house: House, visitor: Visitor, plan: str
) -> None:
    other = planned(house, "core", 0, asked=of_mode("invest", "5000", "USD")).plan.plan_id
    picked = visitor.get(f"/compare?plan={other}&plan={plan}")
    assert picked.headers["location"] == f"/plans/{plan}/vs/{other}"  # the older one is A
    shown = visitor.get(picked.headers["location"])
    assert "trade" in heading(shown)
    said = words(shown)
    assert "Only B brings 5,000.00 USD" in said
    assert "Plan A" in said
    assert "Plan B" in said
    same = visitor.get(f"/plans/{plan}/vs/{plan}")
    assert heading(same) == "The same plan."


def test_one_picked_plan_asks_for_another(house: House, visitor: Visitor, plan: str) -> None:
    planned(house, "core", 0, asked=of_mode("invest", "5000", "USD"))
    shown = visitor.get(f"/compare?plan={plan}")
    assert heading(shown) == "Which two plans?"
    assert "1 was picked" in words(shown)
