"""The broker is read again where the sides differ, and silence is never taken for none."""

from __future__ import annotations

from builders.accounts import (
    BUY,
    SELL,
    Script,
    account,
    activity,
    at,
    d,
    fill,
    opening,
    ours,
    theirs,
)
from steelyard.errors import BrokerError
from steelyard.execution.reconcile import Ours, opened, reconcile

TEN = opening({"A": 10}, {"USD": 1000})
FIVE = fill("e1", "A", BUY, 5, 100)
AGREED = theirs(account({"A": 15}, {"USD": 500}), FIVE)
OLD = theirs(account({"A": 10}, {"USD": 1000}, minutes=0), FIVE)


def test_a_snapshot_older_than_the_last_fill_is_read_again_and_undoes_no_fill():
    broker = Script([OLD, OLD, AGREED])

    result = reconcile(broker, lambda: ours(TEN, FIVE))

    assert (result.clean, result.reads, broker.waited) == (True, 3, [5.0, 10.0])


def test_after_three_more_readings_within_30_seconds_it_is_a_mismatch():
    broker = Script([OLD])

    result = reconcile(broker, lambda: ours(TEN, FIVE))

    assert (result.clean, result.reads, sum(broker.waited)) == (False, 4, 30)
    assert all("older than the last fill" in each.why for each in result.breaks)


def test_R02_a_mismatch_that_stays_needs_attention_after_three_readings_more():
    broker = Script([theirs(account({"A": "14.9995"}, {"USD": 500}), FIVE)], lots={"A": d("1e-9")})

    result = reconcile(broker, lambda: ours(TEN, FIVE))

    assert (result.reads, [each.subject for each in result.breaks]) == (4, ["A"])
    assert "older" not in result.breaks[0].why


def test_R03_a_full_exit_that_cannot_be_read_is_unknown_and_never_nothing():
    sold = fill("e1", "A", SELL, 10, 100)
    broker = Script([BrokerError("timeout")])

    result = reconcile(broker, lambda: ours(TEN, sold))

    assert (result.clean, [each.code for each in result.breaks]) == (False, ["unread"])
    assert result.positions == ()
    assert result.opening is None


def test_a_fill_that_is_booked_between_two_readings_counts():
    seen: list[Ours] = [ours(TEN, orders=[FIVE.client_order_id]), ours(TEN, FIVE)]
    broker = Script([AGREED])

    result = reconcile(broker, lambda: seen.pop(0))

    assert (result.clean, result.reads) == (True, 2)


def test_parts_of_a_share_are_tolerated_only_where_the_broker_has_them():
    hair = theirs(account({"A": "15.0000005"}, {"USD": 500}), FIVE)

    def clean(**more: object) -> bool:
        return reconcile(Script([hair], **more), lambda: ours(TEN, FIVE), pauses=()).clean

    assert clean(lots={"A": d("0.000001")})
    assert not clean(lots={"A": d(1)})
    assert not clean()


def test_securities_are_described_only_where_the_sides_differ():
    hair = theirs(account({"A": "15.0000005", "B": 0}, {"USD": 500}), FIVE)
    for answer, asked in ((AGREED, []), (hair, ["A"])):
        broker = Script([answer], lots={"A": d("0.000001")})
        assert reconcile(broker, lambda: ours(TEN, FIVE)).clean
        assert broker.described == asked


def test_an_account_is_opened_with_what_the_broker_has_and_has_told():
    paid = activity("div", "DIVIDEND", {"USD": 1}, "A")
    broker = Script([theirs(account({"A": 15}, {"USD": 500}), FIVE, activities=[paid])])

    start = opened(broker)

    assert (dict(start.positions), dict(start.cash), start.at) == ({"A": 15}, {"USD": 500}, at(9))
    assert start.seen == {"e1", "div"}
    assert reconcile(broker, lambda: ours(start, FIVE)).clean
