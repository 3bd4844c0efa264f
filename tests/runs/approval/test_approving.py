"""A word on a plan: what may be approved, what was typed, what changed, and what it sets going."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders.stored import planned, reloaded, running, until
from steelyard.errors import ChangedMeanwhile, InputError, NotExecuted, NotStored
from steelyard.execution import halt, halting
from steelyard.execution.followed import followed
from steelyard.execution.journal.opening import open_to_look
from steelyard.execution.runner.client import ask
from steelyard.report.exhibits.following import following
from steelyard.runs.approval import ChangedSince, Surroundings, approve, facts
from steelyard.runs.approval.approve import Word
from steelyard.store import approvals
from steelyard.store.opening import open_store
from steelyard.store.store import Store

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("approve")
    return folder / "home", planned(folder)


@pytest.fixture
def home(prepared, tmp_path) -> Path:
    shutil.copytree(prepared[0], tmp_path / "h")
    return tmp_path / "h"


@pytest.fixture
def store(home):
    with closing(open_store(str(home / "steelyard.db"))) as store:
        yield store


@pytest.fixture
def plan(prepared) -> str:
    return prepared[1]


def where(home: Path) -> Surroundings:
    return Surroundings(home=home, environment={})


def word(store: Store, home: Path, plan: str, **more) -> Word:
    """What the form of a page of now carries, filled in as it asks."""
    page = facts(store, where(home), plan, NOW, more.get("broker", "paper"))
    values = {"expires": page.expires_at.isoformat(), "typed": page.number.text, "seen": page.seen}
    return Word(plan_id=plan, by="cafe0001", **(values | more))


def test_a_page_has_totals_checks_and_the_number_to_type(store, home, plan):
    page = facts(store, where(home), plan, NOW)

    assert (page.armable, page.reason, page.account) == (True, "", "core")
    assert page.totals.sells > 0 < page.totals.buys
    assert page.number.asks == f"Type {page.totals.buys:,.0f} to confirm"
    levels = {each.name: each.level for each in page.checks}
    assert levels["second_opinion"] == levels["rails"] == levels["changed"] == "ok"
    assert levels["rails_at_broker"] == "wait"
    assert "tax" in {each.id for each in page.notes}
    assert page.expires_at == (NOW + timedelta(seconds=900)).replace(microsecond=0)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"typed": ""}, "approval_not_confirmed"),
        ({"typed": "1"}, "approval_not_confirmed"),
        ({"expires": "soon"}, "approval_expiry"),
        ({"expires": (NOW + timedelta(days=1)).isoformat()}, "approval_expiry"),
    ],
)
def test_what_was_typed_wrong_is_told_at_its_field_and_nothing_is_kept(
    store, home, plan, more, code
):
    with pytest.raises(InputError) as error:
        approve(store, where(home), word(store, home, plan, **more), NOW)

    assert error.value.fault.code == code
    assert error.value.fault.place in {"confirm", "expires"}
    assert approvals.of_plan(store, plan) == ()


def test_at_a_real_broker_every_note_has_to_be_ticked_and_the_plan_to_be_young(store, home, plan):
    page = facts(store, where(home), plan, NOW, "alpaca")
    unread = word(store, home, plan, broker="alpaca")

    with pytest.raises(InputError) as error:
        approve(store, where(home), unread, NOW)
    assert error.value.fault.code == "approval_unread"
    saved = page.entry.row.saved_at
    young = saved + timedelta(seconds=600)
    at_once = facts(store, where(home), plan, saved, "alpaca")
    assert at_once.expires_at == young.replace(microsecond=0)
    late = young + timedelta(seconds=1)
    assert "too old since" in facts(store, where(home), plan, late, "alpaca").reason


def test_what_expired_says_since_when(store, home, plan):
    expires = (NOW - timedelta(seconds=100)).isoformat()
    form = word(store, home, plan, expires=expires)

    with pytest.raises(ChangedMeanwhile, match="100 seconds ago") as error:
        approve(store, where(home), form, NOW)

    assert error.value.fault.code == "approval_expired"


def test_without_a_runner_the_approval_is_kept_and_nothing_is_sent(store, home, plan):
    form = word(store, home, plan, read=["tax", "not-there"])

    first = approve(store, where(home), form, NOW).approval
    again = approve(store, where(home), form, NOW).approval

    assert (first.state, first.code, first.run_id) == ("stored", "no_runner", "")
    assert "steelyard runner" in first.words
    assert first == again == approvals.of_plan(store, plan)[0]
    assert (first.notes, first.approved_by) == (("tax",), "cafe0001")
    assert not (home / "journal.db").exists()


def test_a_ground_that_moved_is_answered_with_the_difference(store, home, plan, tmp_path):
    before = word(store, home, plan)
    reloaded(store, tmp_path, "AAA,90,10\nBBB,10,20\nCASH:USD,400,\n")

    with pytest.raises(ChangedSince) as error:
        approve(store, where(home), before, NOW)

    assert "Shares of AAA: 100 then, 90 now." in error.value.differences
    assert "Cash in USD: 300 then, 400 now." in error.value.differences
    page = facts(store, where(home), plan, NOW)
    assert (page.armable, page.hindrance and page.hindrance.mend) == (False, "Plan again.")
    assert approvals.of_plan(store, plan) == ()


def test_a_halt_stops_it_and_is_told_with_how_to_lift_it(store, home, plan):
    form = word(store, home, plan)
    result = halting.halt(home, "somebody saw smoke", "cafe0001", NOW)
    assert (result.switch.engaged, result.out, result.untold) == (True, (), "")
    assert halt.look(home).author == "cafe0001"

    page = facts(store, where(home), plan, NOW)
    assert "somebody saw smoke" in page.reason
    with pytest.raises(ChangedSince, match="Kill switch"):
        approve(store, where(home), form, NOW)
    with pytest.raises(NotExecuted, match="steelyard halt --lift"):
        approve(store, where(home), word(store, home, plan), NOW)


def test_no_such_plan_is_told(store, home):
    with pytest.raises(NotStored):
        facts(store, where(home), "f" * 64, NOW)


def test_two_words_at_once_are_one_run_that_can_be_followed_to_its_end(store, home, plan):
    form = word(store, home, plan)
    with running(home):
        until(lambda: ask(home, {"request": "status"})["state"] == "idle")
        with ThreadPoolExecutor() as pool:
            answers = [pool.submit(approve, store, where(home), form, NOW) for _ in range(2)]
            first, second = (answer.result().approval for answer in answers)
        later = approve(store, where(home), word(store, home, plan), NOW).approval

        assert first.state == second.state == "handed_over"
        assert {first.run_id, second.run_id, later.run_id} == {first.run_id}

        def over() -> bool:
            with closing(open_to_look(home)) as journal:
                return followed(journal, first.run_id).over

        until(over)
    with closing(open_to_look(home)) as journal:
        run = followed(journal, "last")
    assert [(each.result.symbol, each.result.is_whole) for each in run.orders] == [
        ("AAA", True),
        ("BBB", True),
    ]
    assert {each.state for each in run.stages} == {"done"}
    assert run.account is not None
    assert run.account.clean
    page = following(run, datetime.now(UTC))
    assert page.head == "Done: all orders are filled"
    assert [line.state for line in page.lines] == ["Filled", "Filled"]
    assert approvals.of_runs(store, [first.run_id])[first.run_id].plan_id == plan
    assert facts(store, where(home), plan, NOW).hindrance.code == "approval_executed"
