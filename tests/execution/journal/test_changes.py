"""What execution writes: runs, orders and executions, each once and with its event."""

from dataclasses import replace
from decimal import Decimal

import pytest

from builders.accounts import ACCOUNT, BUY, SELL, fill, journal, order_id
from steelyard.errors import InternalError, JournalFailed, NotExecuted, NotStored
from steelyard.execution.journal import rows
from steelyard.execution.journal.changes import (
    NewLeg,
    NewRun,
    begin,
    book,
    end_run,
    set_leg,
    set_run,
)
from steelyard.execution.journal.postings import Posting, post
from steelyard.execution.journal.units import money, money_e4, shares, shares_e9
from steelyard.execution.states import LegState, Outcome, RunState

NEW = NewRun(
    run_id="r-1", account=ACCOUNT, mode="paper", plan_id="p" * 64, config_version=0, build="b",
    key="0", request="{}", request_hash="h", bucket="core", broker="paper", orders=2, engine={},
)  # fmt: skip
LEGS = [
    NewLeg(
        step=1, attempt=1, symbol="A", side=SELL, quantity=Decimal(10), limit_price=Decimal(100)
    ),
    NewLeg(
        step=2, attempt=1, symbol="B", side=BUY, quantity=Decimal("0.5"), limit_price=Decimal(7)
    ),
]


@pytest.fixture
def store(tmp_path):
    entry = journal(tmp_path)
    with entry.writing() as change:
        begin(change, NEW, 1, LEGS)
    return entry


def arm(store, name):
    with store.writing() as change:
        set_run(change, rows.run(store, name), RunState.ARMED)


def kinds(store):
    return [event.event_type for _, event in store.events()]


def test_a_run_begins_with_its_orders_and_nothing_of_them_is_sent(store):
    run, legs = rows.run(store, "r-1"), rows.legs(store, "r-1")

    assert (run.state, run.outcome, run.ended_at) == (RunState.PLANNED, None, None)
    assert [leg.client_order_id for leg in legs] == [order_id(1), order_id(2)]
    assert {(leg.state, leg.sent_at, leg.over) for leg in legs} == {(LegState.PLANNED, None, False)}
    assert kinds(store) == ["RunStarted"]


def test_an_account_has_one_run_that_trades(store):
    with store.writing() as change:
        set_run(change, rows.run(store, "r-1"), RunState.ARMED)
        begin(change, replace(NEW, run_id="r-2", key="1"), 1, [])

    with pytest.raises(JournalFailed, match=r"UNIQUE constraint failed: run\.account"):
        arm(store, "r-2")


def test_a_way_that_there_is_not_is_never_gone(store):
    run, leg = rows.run(store, "r-1"), rows.legs(store, "r-1")[0]

    for step in (
        lambda change: set_run(change, run, RunState.DONE),
        lambda change: set_leg(change, run, leg, LegState.FILLED),
    ):
        with (
            pytest.raises(InternalError, match="may not go from PLANNED"),
            store.writing() as change,
        ):
            step(change)
    with pytest.raises(NotExecuted, match="ends no run"), store.writing() as change:
        end_run(change, run, RunState.ARMED, Outcome.DONE)

    assert rows.run(store, "r-1") == run
    assert rows.legs(store, "r-1")[0] == leg
    assert kinds(store) == ["RunStarted"]


def test_an_execution_is_booked_once_however_often_it_is_told(store):
    run = rows.run(store, "r-1")
    sale = fill("e1", "A", SELL, 4, fee="0.25", order=order_id(1))

    with store.writing() as change:
        booked = [book(change, run, sale) for _ in range(3)]

    assert booked == [True, False, False]
    assert rows.balances(store, ACCOUNT) == ({"A": Decimal(-4)}, {"USD": Decimal("399.75")})
    assert [row.exec_id for row in rows.fills(store, run_id="r-1")] == ["e1"]
    assert [row.exec_id for row in rows.fills(store, orders=[order_id(1)])] == ["e1"]
    assert rows.fills(store, orders=[order_id(2)]) == rows.fills(store, account="another") == []
    assert rows.booked(store, ACCOUNT, ["e1", "e2"]) == {"e1"}
    assert kinds(store).count("FillBooked") == 1


@pytest.mark.parametrize("other", [{"quantity": Decimal(5)}, {"fee": Decimal(1)}, {"symbol": "B"}])
def test_an_execution_that_is_told_otherwise_is_refused_and_the_first_stays(store, other):
    run, sale = rows.run(store, "r-1"), fill("e1", "A", SELL, 4, order=order_id(1))
    with store.writing() as change:
        book(change, run, sale)

    with (
        pytest.raises(NotExecuted, match="twice with different content") as caught,
        store.writing() as change,
    ):
        book(change, run, replace(sale, **other))

    assert caught.value.fault.code == "fill_differs"
    assert rows.fills(store)[0].quantity == 4


def test_what_is_said_of_a_run_comes_in_its_order(store):
    with store.writing() as change:
        run = set_run(change, rows.run(store, "r-1"), RunState.ARMED)
        end_run(
            change, set_run(change, run, RunState.HALTED, "why"), RunState.ABORTED, Outcome.FAILED
        )

    said = [(each["old"], each["new"]) for each in rows.said_of(store, "r-1", "RunStateChanged")]
    assert said == [("PLANNED", "ARMED"), ("ARMED", "HALTED"), ("HALTED", "ABORTED")]
    run = rows.run(store, "r-1")
    assert (run.state, run.outcome, run.reason) == (RunState.ABORTED, Outcome.FAILED, "why")
    assert rows.runs(store, "another") == []


def test_a_run_that_is_not_there_is_named_with_the_nearest(store):
    with pytest.raises(NotStored, match="r-1"):
        rows.run(store, "r-l")


def test_a_posting_that_does_not_balance_is_not_written(store):
    with pytest.raises(InternalError, match="does not balance"), store.writing() as change:
        post(change, [Posting("cash:U1", "USD", 5), Posting("fees", "USD", -4)])

    assert rows.balances(store, "U1") == ({}, {})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e-10", "1e10"])
def test_shares_that_cannot_be_written_exactly_are_refused(number):
    with pytest.raises(NotExecuted, match="cannot be written down exactly"):
        shares_e9(Decimal(number))


def test_units_come_back_as_they_went():
    assert shares(shares_e9(Decimal("-1.000000001"))) == Decimal("-1.000000001")
    assert money(money_e4(Decimal("12.34565"))) == Decimal("12.3456")  # half to even
