"""The overview: which buckets want attention, and why."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders.browsing import Visitor, heading, signed_in, words
from builders.management import DAY, load_own
from steelyard import importers
from steelyard.execution import halt
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.states import Outcome, RunState
from steelyard.runs.asked import of_mode
from steelyard.runs.last_runs import LastRun
from steelyard.runs.overview import Figures, overview
from steelyard.runs.stored import load
from steelyard.services.api.keeping import planned
from steelyard.services.house import House
from steelyard.services.security import book
from steelyard.store import approvals, assignments, buckets, events, plans, strategies
from steelyard.store.plans import PlanRow
from steelyard.store.strategies import Draft
from steelyard.telemetry.events import PlanningFailed
from steelyard.telemetry.recorder import as_kept
from steelyard.watch import board
from steelyard.watch.schedule import of_values
from steelyard.web.overview import ago


def figures(house: House, row: PlanRow) -> Figures:
    return Figures.of(plans.load(house.store(), row.plan_id).plan)


NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_without_buckets_it_offers_the_import_and_the_command(tmp_path: Path) -> None:
    house = House({"STEELYARD_HOME": str(tmp_path)})
    with signed_in(house) as visitor:
        shown = visitor.get("/")
    house.close()
    assert heading(shown) == "Nothing is here yet."
    assert 'href="/import"' in shown.text
    assert "steelyard bucket load core" in words(shown)


def test_a_plan_to_act_on_wants_attention_and_other_buckets_stand_after_it(
    house: House, visitor: Visitor
) -> None:
    store = house.store()
    buckets.create(
        store, "bonds", kind="satellite", status="active", target_weight=0.1, universe=()
    )
    assert heading(visitor.get("/")) == "Nothing wants attention."
    plan = planned(house, "core", 0).plan
    shown = visitor.get("/")
    assert heading(shown) == "1 of 2 buckets wants attention."
    said = words(shown)
    assert said.index("core") < said.index("bonds")
    assert f"{len(plan.steps)} order" in said
    assert "just now" in said
    assert f'href="/plans/{plan.plan_id}"' in shown.text


def test_a_refusal_stands_until_a_plan_comes_of_it(house: House, visitor: Visitor) -> None:
    refusal = PlanningFailed("rate_missing", "A rate of JPY is 3 days old.")
    events.append(house.store(), [as_kept(refusal, house.utc(), "core")])
    shown = visitor.get("/")
    assert "Refused A rate of JPY is 3 days old." in words(shown)
    planned(house, "core", 0)
    assert "Refused" not in words(visitor.get("/"))


def test_what_is_asked_of_one_plan_says_nothing_of_the_bucket(
    house: House, visitor: Visitor
) -> None:
    asked = of_mode("withdraw", "900000", "USD")
    try:
        planned(house, "core", 0, asked=asked)
    except Exception as error:  # noqa: BLE001
        assert "leave nothing" in str(error)  # noqa: PT017
    assert "Refused" not in words(visitor.get("/"))


def test_a_plan_that_was_asked_by_hand_stands_beside_the_bucket_s(
    house: House, visitor: Visitor
) -> None:
    asked = of_mode("invest", "5000", "USD")
    aside = planned(house, "core", 0, asked=asked).plan.plan_id
    assert "No plan to rebalance yet" in words(visitor.get("/"))
    own = planned(house, "core", 0).plan.plan_id
    last = planned(house, "core", 0, asked=of_mode("invest", "700.5", "USD")).plan.plan_id
    shown = visitor.get("/")
    assert f'href="/plans/{own}">Open' in shown.text
    assert f'href="/plans/{last}">invest 700.50 USD</a>' in shown.text
    assert aside not in shown.text
    assert "A newer plan" not in words(visitor.get(f"/plans/{own}"))
    assert "Act invest 5,000 USD" in words(visitor.get("/plans"))


def test_rules_that_changed_since_and_an_approval_that_nobody_took_are_told(
    house: House, visitor: Visitor
) -> None:
    plan = planned(house, "core", 0).plan
    consent = approvals.Consent(
        plan_id=plan.plan_id,
        bucket="core",
        by="web-00000000",
        expires_at=house.utc() + timedelta(minutes=5),
        broker="paper",
        typed="1",
        notes=(),
    )
    approval = approvals.record(house.store(), consent)
    shown = words(visitor.get("/"))
    assert "Approved, not sent No runner took it." in shown
    became = approvals.Became("handed_over", run_id="r-1")
    approvals.settle(house.store(), approval, "core", became)
    assert "Approved, not sent" not in words(visitor.get("/"))

    draft = Draft(name="own", title="Own", toml="[search]\nmax_depth = 2\n", rules_sha256="")
    strategies.save(house.store(), draft)
    assignments.assign(house.store(), "core", "own")
    shown = words(visitor.get("/"))
    assert "Other rules since It plans by Own (v1) now" in shown
    assert "Other rules since" not in words(visitor.get("/plans"))
    planned(house, "core", 0)
    assert "Other rules since" not in words(visitor.get("/"))


def test_after_another_plan_was_carried_out_the_older_one_wants_nothing(house: House) -> None:
    planned(house, "core", 0)
    seen = overview(house.store(), house.home, lambda row: figures(house, row)).lines[0]
    assert seen.wants
    assert seen.plan is not None
    run = RunRow(
        run_id="r",
        account="a",
        mode="paper",
        plan_id="another",
        config_version=0,
        build="",
        state=RunState.DONE,
        fence=1,
        created_at=seen.plan.saved_at + timedelta(minutes=1),
        bucket="core",
        broker="paper",
        outcome=Outcome.DONE,
        reason="",
        ended_at=None,
    )
    last = LastRun(run=run, broken=None, frozen="", differs=False)
    assert replace(seen, last=last).is_overtaken
    assert not replace(seen, last=last).wants
    before = replace(run, created_at=seen.plan.saved_at - timedelta(minutes=1))
    assert replace(seen, last=replace(last, run=before)).wants


def test_a_bucket_that_was_loaded_since_is_told(
    house: House, visitor: Visitor, tmp_path: Path
) -> None:
    plan = planned(house, "core", 0).plan
    (tmp_path / "other").mkdir()
    load_own(house.store(), tmp_path / "other")
    assert "Loaded since" not in words(visitor.get("/"))  # with the same
    table = tmp_path / "other.csv"
    table.write_text("symbol,quantity,price\nAAA,90,11\nCASH:USD,300,\n")
    load(house.store(), "core", importers.assemble(importers.read(table), as_of=DAY), ())
    assert "Loaded since" in words(visitor.get("/"))
    said = words(visitor.get(f"/plans/{plan.plan_id}"))
    assert "Not of today. core was loaded anew on" in said
    assert "Plan again" in said


def test_when_a_bucket_is_due_next_is_told(house: House, visitor: Visitor) -> None:
    schedule = of_values({"every": "daily", "at": "18:30"})
    board.put_schedule(house.store(), "core", schedule, "mia")
    said = words(visitor.get("/"))
    assert "Next due" in said
    assert "18:30 UTC" in said


def test_a_halt_comes_before_all(house: House, visitor: Visitor) -> None:
    halt.engage(house.home, "a <b>drill</b>", "web-03ebe304", NOW)
    shown = visitor.get("/")
    assert heading(shown) == "Trading is halted: A <b>drill</b>."
    said = words(shown)
    assert "Halted by a page, session 03ebe304, 29 Nov 2026, 12:00 UTC." in said
    assert "Nothing wants attention." not in said
    assert "<b>drill" not in shown.text
    assert 'role="alert"' in shown.text


def test_a_token_that_ends_soon_is_told_to_an_admin(house: House, visitor: Visitor) -> None:
    book.create(house.home, "viewer", 3, house.utc())
    book.create(house.home, "viewer", 30, house.utc())
    assert words(visitor.get("/")).count("A token ends soon.") == 1
    with signed_in(house, "operator") as other:
        assert "A token ends soon." not in words(other.get("/"))


def test_how_long_since_is_in_the_largest_unit() -> None:
    minutes = (0, 4, 90, 60 * 24, 60 * 24 * 3)
    said = [ago(NOW - timedelta(minutes=n), NOW) for n in minutes]
    assert said == ["just now", "4 min ago", "1 h ago", "1 day ago", "3 days ago"]


PAGES = ("/", "/buckets/core", "/plans", "/strategies", "/schedule", "/settings", "/modules")


@pytest.mark.parametrize("name", ["tokens.json", "journal.db", "notify.toml"])
@pytest.mark.parametrize("damage", ["", "\0\1garbage[[[["])
def test_a_damaged_file_of_the_home_takes_no_page_down(
    house: House, visitor: Visitor, name: str, damage: str
) -> None:
    path = house.home / name
    path.write_text(damage)
    path.chmod(0o600)

    answers = {page: visitor.get(page) for page in PAGES}
    assert [page for page in PAGES if answers[page].status_code != 200] == []
    if name == "journal.db" and damage:
        assert heading(answers["/"]) == "Runs cannot be told: look at that first."


@pytest.mark.parametrize("damage", ["", "garbage"])
def test_without_the_own_token_pages_are_shown_and_take_no_form(house: House, damage: str) -> None:
    variables = {"STEELYARD_HOME": str(house.home)}
    with closing(House(variables, topology=house.topology)) as own, signed_in(own) as visitor:
        (house.home / "token").write_text(damage)
        answers = [visitor.get(page) for page in PAGES]
        sent = visitor.send("/buckets", answers[1], name="tech")

    assert [answer.status_code for answer in answers] == [200] * len(PAGES)
    assert "Nothing can be changed by a page." in words(answers[0])
    assert sent.status_code in {422, 503}
    assert heading(sent)
