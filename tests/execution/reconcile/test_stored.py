"""Openings, answers and freezes in the journal, and books and postings that follow from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from builders.accounts import (
    ACCOUNT,
    BUY,
    SELL,
    account,
    activity,
    d,
    fill,
    journal,
    opening,
    order_id,
    rebuilt,
    theirs,
)
from steelyard.brokers.broker import BrokerFill
from steelyard.errors import NotExecuted
from steelyard.execution.attribution import UNASSIGNED, Entered
from steelyard.execution.attribution.stored import (
    books_of,
    entries_document,
    tell_unmatched,
    write_owners,
)
from steelyard.execution.journal import changes, rows
from steelyard.execution.journal.changes import NewLeg, NewRun
from steelyard.execution.journal.journal import Journal
from steelyard.execution.reconcile import (
    Opening,
    Reconciliation,
    Theirs,
    Tolerances,
    compare,
    stored,
)

TEN = opening({"A": 10}, {"USD": 1000})
WHOLE = Entered(
    entry_id="opening/A",
    book="core",
    symbol="A",
    currency="USD",
    quantity=d(10),
    cost=d(900),
    at=TEN.at,
)


def begun(
    folder: Path,
    *legs: NewLeg,
    name: str = ACCOUNT,
    start: Opening = TEN,
    entered: tuple[Entered, ...] = (WHOLE,),
    mode: str = "paper",
) -> Journal:
    """A journal with a run in an account that has been opened."""
    store = journal(folder)
    add_run(store, *legs, name=name, start=start, entered=entered, mode=mode)
    return store


def add_run(
    store: Journal,
    *legs: NewLeg,
    name: str = ACCOUNT,
    run_id: str = "r-1",
    start: Opening = TEN,
    entered: tuple[Entered, ...] = (WHOLE,),
    mode: str = "paper",
) -> None:
    new = NewRun(
        run_id=run_id,
        account=name,
        mode=mode,  # type: ignore[arg-type]
        plan_id="p",
        config_version=0,
        build="b",
        key=run_id,
        request="{}",
        request_hash="h",
        bucket="core",
        broker="script",
        orders=len(legs),
        engine={},
    )
    with store.writing() as change:
        changes.begin(change, new, 1, list(legs))
        documents = entries_document(entered)
        stored.begin_account(change, name, start, documents, run_id=run_id, bucket="core")


def leg(step: int, symbol: str, side: object, quantity: object, attempt: int = 1) -> NewLeg:
    return NewLeg(
        step=step,
        attempt=attempt,
        symbol=symbol,
        side=side,  # type: ignore[arg-type]
        quantity=d(quantity),
        limit_price=d(100),
    )


def book(store: Journal, *fills: BrokerFill, run_id: str = "r-1") -> None:
    with store.writing() as change:
        for each in fills:
            changes.book(change, rows.run(store, run_id), each)


def asked(store: Journal, broker: Theirs) -> Reconciliation:
    """Compare, and keep what came of it."""
    result = compare(stored.ours_of(store, ACCOUNT, books_of(store, ACCOUNT).positions), broker)
    with store.writing() as change:
        stored.keep(change, result, run_id="r-1", bucket="core")
    return result


def kinds(store: Journal) -> list[str]:
    return [event.event_type for _, event in store.events()]


def test_a_clean_answer_is_the_opening_of_the_next_comparison(tmp_path):
    store = begun(tmp_path, leg(1, "A", BUY, 5))
    bought = fill("e1", "A", BUY, 5, 100)
    book(store, bought)

    assert asked(store, theirs(account({"A": 15}, {"USD": 500}), bought)).clean

    start = stored.opening_for(store, ACCOUNT)
    assert start is not None
    assert (dict(start.positions), dict(start.cash)) == ({"A": 15}, {"USD": 500})
    later = theirs(account({"A": 14}, {"USD": 500}), bought)
    assert [each.ours for each in asked(store, later).breaks] == [15]


def test_an_opening_keeps_how_many_executions_it_counts_and_not_each_of_them(tmp_path):
    store = begun(tmp_path, leg(1, "A", BUY, 5))
    old = [fill(f"e{n}", "A", BUY, "0.01", 100, minutes=n / 100) for n in range(100)]
    book(store, *old)
    assert asked(store, theirs(account({"A": 11}, {"USD": 900}), *old)).clean

    document = stored.comparisons(store, ACCOUNT, 1)[0].body["next"]

    assert (document["counted"], document["seen"]) == (100, [])
    late = fill("late", "A", BUY, 1, 100, minutes=-5000)
    book(store, late)
    assert asked(store, theirs(account({"A": 12}, {"USD": 800}), *old, late)).clean
    # the broker lists none of them any more
    assert asked(store, theirs(account({"A": 12}, {"USD": 800}))).clean


def test_a_mismatch_freezes_the_account_until_it_is_acknowledged_with_a_reason(tmp_path):
    store = begun(tmp_path)
    wrong = theirs(account({"A": 9, "B": 2}, {"USD": 990}))

    result = asked(store, wrong)

    frozen = stored.frozen(store, ACCOUNT)
    assert frozen is not None
    assert frozen.reason == "10 A are expected, the broker has 9 (and 2 more)"
    assert stored.frozen(store, "U2") is None
    for reason in ("", "  "):
        with pytest.raises(NotExecuted, match="needs a reason"), store.writing() as change:
            stored.acknowledge(change, result, reason)
    with store.writing() as change:
        stored.acknowledge(change, result, "sold by hand")
    assert stored.frozen(store, ACCOUNT) is None
    assert asked(store, wrong).clean
    (alert,) = [event for _, event in store.events() if event.event_type == "AlertRaised"]
    assert alert.data["code"] == "account_frozen"
    assert {"Reconciled", "AccountFrozen", "AccountReleased", "ActivityBooked"} <= set(kinds(store))


def test_what_is_acknowledged_is_in_no_book_and_traded_by_nobody(tmp_path):
    store = begun(tmp_path)
    result = asked(store, theirs(account({"A": 9, "B": 2}, {"USD": 1000})))

    with store.writing() as change:
        stored.acknowledge(change, result, "seen")

    assert books_of(store, ACCOUNT).positions == {
        "A": {UNASSIGNED: -1, "core": 10},
        "B": {UNASSIGNED: 2},
    }
    assert asked(store, theirs(account({"A": 9, "B": 2}, {"USD": 1000}))).clean


def test_an_execution_that_nobody_booked_is_acknowledged_once(tmp_path):
    store = begun(tmp_path, leg(1, "A", BUY, 5))
    late = fill("e1", "A", BUY, 5, 100)
    broker = theirs(account({"A": 15}, {"USD": 500}), late)
    result = asked(store, broker)
    assert {each.level for each in result.breaks} == {"order", "position", "cash"}

    with store.writing() as change:
        stored.acknowledge(change, result, "seen at the broker")

    assert asked(store, broker).clean
    assert asked(store, broker).clean
    assert rows.balances(store, ACCOUNT) == ({"A": 15}, {"USD": 500})


def test_what_is_within_the_tolerances_is_booked_so_that_the_books_stay_the_brokers(tmp_path):
    store = begun(tmp_path)
    near = theirs(account({"A": "10.000001"}, {"USD": "1000.02"}))
    result = compare(stored.ours_of(store, ACCOUNT), near, Tolerances(cash=d("0.05")))
    with store.writing() as change:
        stored.keep(change, result)

    assert rows.balances(store, ACCOUNT) == ({"A": d("10.000001")}, {"USD": d("1000.02")})
    assert books_of(store, ACCOUNT).positions == {"A": {UNASSIGNED: d("0.000001"), "core": 10}}
    assert rebuilt(store, ACCOUNT) == ({"A": d("10.000001")}, {"USD": d("1000.02")})


def test_A08_a_sale_of_what_a_book_did_not_have_is_alerted_once(tmp_path):
    store = begun(tmp_path, leg(1, "A", SELL, 12))
    with store.writing() as change:
        write_owners(change, "r-1", 1, {"core": d(12)})
    book(store, fill("e1", "A", SELL, 12, 100))

    for _ in range(2):
        with store.writing() as change:
            tell_unmatched(change, books_of(store, ACCOUNT), run_id="r-1", bucket="core")

    (alert,) = [event for _, event in store.events() if event.event_type == "AlertRaised"]
    assert alert.data["message"].startswith("core sold 2 A that it did not have (execution e1)")


def test_an_account_that_is_not_frozen_or_not_read_is_not_acknowledged(tmp_path):
    store = begun(tmp_path)
    clean = compare(stored.ours_of(store, ACCOUNT), theirs(account({"A": 10}, {"USD": 1000})))
    with pytest.raises(NotExecuted, match="is not frozen"), store.writing() as change:
        stored.acknowledge(change, clean, "seen")

    unread = asked(store, theirs(account({"A": "NaN"}, {"USD": 1000})))
    with pytest.raises(NotExecuted, match="A is NaN"), store.writing() as change:
        stored.acknowledge(change, unread, "seen")
    assert stored.frozen(store, ACCOUNT) is not None


def test_a_frozen_account_keeps_its_first_reason(tmp_path):
    store = begun(tmp_path)
    asked(store, theirs(account({"A": 9}, {"USD": 1000})))
    asked(store, theirs(account({"A": 8}, {"USD": 1000})))
    with store.writing() as change:
        stored.freeze(change, ACCOUNT, "a third")

    frozen = stored.frozen(store, ACCOUNT)

    assert frozen is not None
    assert frozen.reason == "10 A are expected, the broker has 9"
    assert [each.clean for each in stored.comparisons(store, ACCOUNT)] == [False, False, True]


def test_an_account_without_an_opening_is_not_compared(tmp_path):
    with pytest.raises(NotExecuted, match="no opening in the journal"):
        stored.ours_of(journal(tmp_path), ACCOUNT)


def test_the_first_run_opens_an_account_and_a_later_one_does_not(tmp_path):
    store = begun(tmp_path)
    add_run(store, run_id="r-2", start=opening({"A": 99}, {"USD": 1}))

    start = stored.opening_for(store, ACCOUNT)

    assert start is not None
    assert start.positions == {"A": 10}


def test_a_split_is_booked_once_and_the_books_have_it(tmp_path):
    store = begun(tmp_path)
    broker = theirs(
        account({"A": 20}, {"USD": 1000}), activities=[activity("s", "SPLIT", {}, "A", 10)]
    )

    # the books knew nothing of it yet, which is no reason to stop
    assert asked(store, broker).clean
    assert asked(store, broker).clean

    assert books_of(store, ACCOUNT).positions == {"A": {"core": 20}}
    assert rows.balances(store, ACCOUNT) == ({"A": 20}, {"USD": 1000})


def test_A15_owners_of_a_step_share_what_all_its_attempts_fill_whatever_a_book_is_called(tmp_path):
    store = begun(tmp_path, leg(1, "B", BUY, 10), leg(1, "B", BUY, 5, attempt=2), entered=())
    with store.writing() as change:
        write_owners(change, "r-1", 1, {"us-small-cap": d(6), "core": d(4)})
    book(
        store,
        fill("e1", "B", BUY, 5, 10, order=order_id(1, 1)),
        fill("e2", "B", BUY, 5, 10, order=order_id(1, 2), minutes=2),
    )

    # attribution is read from the journal and never from an id, so a name may have hyphens
    assert books_of(store, ACCOUNT).positions == {"B": {"core": 4, "us-small-cap": 6}}


def test_A14_paper_and_live_accounts_do_not_mix(tmp_path):
    store = begun(tmp_path, leg(1, "A", BUY, 5))
    live = opening({"A": 3}, {"USD": 50})
    own = replace(WHOLE, entry_id="opening/live", quantity=d(3))
    add_run(store, name="U9", run_id="r-9", start=live, entered=(own,), mode="live")
    book(store, fill("e1", "A", BUY, 5, 100))

    assert books_of(store, "U9").positions == {"A": {"core": 3}}
    assert books_of(store, ACCOUNT).positions == {"A": {UNASSIGNED: 5, "core": 10}}
    assert stored.ours_of(store, "U9").fills == ()


def test_positions_and_cash_rebuilt_from_events_alone_are_those_of_the_books(tmp_path):
    legs = leg(1, "A", SELL, 4), leg(2, "B", BUY, 3)
    store = begun(tmp_path, *legs)
    with store.writing() as change:
        write_owners(change, "r-1", 1, {"core": d(4)})
        write_owners(change, "r-1", 2, {"core": d(3)})
    fills = (
        fill("e1", "A", SELL, 4, "110.25", fee="1.2", order=order_id(1)),
        fill("e2", "B", BUY, "2.5", "33.3333", fee="0.35", order=order_id(2), minutes=2),
        fill("e3", "B", BUY, "0.5", "33.5", order=order_id(2), minutes=3),
    )
    book(store, *fills, *fills)
    acts = [activity("d", "DIVIDEND", {"USD": "12.34"}, "A"), activity("s", "SPLIT", {}, "A", 6)]
    by_hand = fill("f", "C", BUY, 1, 50, order="by-hand", minutes=4)
    cash = d(1000) + d("441") - d("1.2") - d("83.33325") - d("0.35") - d("16.75") + d("12.34") - 50
    cash = cash.quantize(d("0.0001"))
    broker = theirs(
        account({"A": 12, "B": 3, "C": 1}, {"USD": cash}), *fills, by_hand, activities=acts
    )
    assert asked(store, broker).clean
    odd = theirs(
        account({"A": 11, "B": 3, "C": 1}, {"USD": cash - 1}), *fills, by_hand, activities=acts
    )
    result = asked(store, odd)
    with store.writing() as change:
        stored.acknowledge(change, result, "one sold by hand")

    stock, money = rebuilt(store, ACCOUNT)

    assert rows.balances(store, ACCOUNT) == (stock, {"USD": money["USD"].quantize(d("0.0001"))})
    assert stock == {"A": 11, "B": 3, "C": 1}
    parts = books_of(store, ACCOUNT).positions
    assert {symbol: sum(each.values()) for symbol, each in parts.items()} == stock
    sums = store.rows("SELECT txn, commodity, SUM(amount) FROM posting GROUP BY txn, commodity")
    assert len(sums) > 5
    assert {total for _, _, total in sums} == {0}
    store.verify()
