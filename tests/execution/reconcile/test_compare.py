"""Order, position, cash and books level: what agrees, what an activity explains, what breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders.accounts import (
    BUY,
    SELL,
    account,
    activity,
    at,
    d,
    fill,
    opening,
    order_id,
    order_of,
    ours,
    theirs,
)
from steelyard.execution.reconcile import Ours, Reconciliation, Theirs, Tolerances, compare

TEN = opening({"A": 10}, {"USD": 1000})
FIVE = fill("e1", "A", BUY, 5, 100)


def codes(result: Reconciliation) -> list[str]:
    return [each.code for each in result.breaks]


def test_R01_ten_and_a_filled_buy_of_five_are_fifteen():
    result = compare(ours(TEN, FIVE), theirs(account({"A": 15}, {"USD": 500}), FIVE))

    assert result.clean
    (line,) = result.positions
    assert (line.opening, line.fills, line.expected, line.broker) == (10, 5, 15, 15)


def test_R02_half_a_thousandth_of_a_share_is_a_mismatch():
    result = compare(ours(TEN, FIVE), theirs(account({"A": "14.9995"}, {"USD": 500}), FIVE))

    (only,) = result.breaks
    assert (only.level, only.subject, only.difference) == ("position", "A", d("-0.0005"))
    assert "15 A are expected, the broker has 14.9995" in only.why


@pytest.mark.parametrize(
    ("quantity", "whole", "clean"),
    [
        ("15.000001", [], True),
        ("14.999999", [], True),
        ("15.0000011", [], False),
        ("15.000001", ["A"], False),
        ("15", ["A"], True),
    ],
)
def test_a_millionth_of_a_share_is_rounding_only_where_there_are_parts(quantity, whole, clean):
    broker = theirs(account({"A": quantity}, {"USD": 500}), FIVE, whole=whole)

    assert compare(ours(TEN, FIVE), broker).clean is clean


def test_a_symbol_that_the_broker_no_longer_has_is_nothing_and_so_a_break():
    result = compare(ours(TEN), theirs(account({}, {"USD": 1000})))

    assert [(each.subject, each.ours, each.broker) for each in result.breaks] == [("A", 10, 0)]


def test_R04_a_dividend_explains_the_cash_that_came():
    paid = activity("div", "DIVIDEND", {"USD": "12.34"}, "A")

    result = compare(
        ours(TEN), theirs(account({"A": 10}, {"USD": "1012.34"}), activities=[paid, paid])
    )

    assert result.clean
    assert result.explained == (paid,)
    assert result.cash[0].explained == d("12.34")


@pytest.mark.parametrize("kind", ["INTEREST", "FEE", "DEPOSIT", "WITHDRAWAL"])
def test_interest_fees_and_deposits_are_told_and_are_no_breaks(kind):
    moved = activity("x", kind, {"USD": -7})

    assert compare(ours(TEN), theirs(account({"A": 10}, {"USD": 993}), activities=[moved])).clean


def test_a_conversion_changes_two_currencies():
    changed = activity("fx", "CONVERSION", {"USD": -110, "EUR": 100})

    result = compare(
        ours(TEN), theirs(account({"A": 10}, {"USD": 890, "EUR": 100}), activities=[changed])
    )

    assert result.clean
    assert [line.currency for line in result.cash] == ["EUR", "USD"]


def test_an_activity_of_a_kind_that_nobody_knows_explains_nothing():
    odd = activity("x", "OTHER", {"USD": 5})

    result = compare(ours(TEN), theirs(account({"A": 10}, {"USD": 1005}), activities=[odd]))

    assert codes(result) == ["cash_differs"]


def test_an_activity_that_the_opening_counts_is_not_counted_again():
    before = activity("old", "DIVIDEND", {"USD": 5}, "A")
    start = replace(TEN, seen=frozenset({"old"}))

    assert compare(
        ours(start), theirs(account({"A": 10}, {"USD": 1000}), activities=[before])
    ).clean


@pytest.mark.parametrize(("cash", "clean"), [("1000.00", True), ("1000.01", False)])
def test_cash_agrees_to_the_cent_unless_a_tolerance_is_set(cash, clean):
    broker = theirs(account({"A": 10}, {"USD": cash}))

    assert compare(ours(TEN), broker).clean is clean
    assert compare(ours(TEN), broker, Tolerances(cash=d("0.01"))).clean


def test_fees_leave_the_cash_of_sales_and_of_buys():
    sold = fill("e2", "A", SELL, 4, 110, order=order_id(2), fee=1)
    bought = fill("e3", "B", BUY, 2, 50, order=order_id(3), fee="0.5")

    result = compare(
        ours(TEN, sold, bought),
        theirs(account({"A": 6, "B": 2}, {"USD": "1338.50"}), sold, bought),
    )

    assert result.clean
    (line,) = result.cash
    assert (line.sells, line.buys, line.fees) == (440, 100, d("1.5"))


def test_R05_a_split_overnight_explains_the_shares_and_nothing_is_traded():
    split = activity("s", "SPLIT", {}, "A", 10)

    result = compare(ours(TEN), theirs(account({"A": 20}, {"USD": 1000}), activities=[split]))

    assert result.clean
    assert result.positions[0].actions == 10


def test_a_split_that_nobody_told_of_is_a_break():
    assert codes(compare(ours(TEN), theirs(account({"A": 20}, {"USD": 1000})))) == ["shares_differ"]


def test_R06_what_is_in_no_book_is_unassigned_and_no_break():
    books = {"A": {"core": d(9)}}

    result = compare(ours(TEN, books=books), theirs(account({"A": 10}, {"USD": 1000})))

    assert result.clean
    assert result.positions[0].unassigned == 1


def test_books_that_have_more_than_the_broker_are_a_break():
    books = {"A": {"core": d(9), "sat": d(2)}}

    result = compare(ours(TEN, books=books), theirs(account({"A": 10}, {"USD": 1000})))

    assert [(each.level, each.ours, each.broker) for each in result.breaks] == [("books", 11, 10)]


def test_a_reverse_split_is_no_lack_in_the_books_that_do_not_have_it_yet():
    split = activity("s", "SPLIT", {}, "A", -5)
    books = {"A": {"core": d(10)}}

    result = compare(
        ours(TEN, books=books), theirs(account({"A": 5}, {"USD": 1000}), activities=[split])
    )

    assert result.clean
    assert result.positions[0].unassigned == 0


def test_fills_of_somebody_else_explain_shares_and_cash_and_are_listed():
    other = fill("f1", "A", SELL, 3, 100, order="by-hand")

    result = compare(ours(TEN), theirs(account({"A": 7}, {"USD": 1300}), other))

    assert result.clean
    assert result.foreign == (other,)


def test_an_execution_of_ours_that_is_not_booked_is_a_break():
    result = compare(ours(TEN, orders=[order_id()]), theirs(account({"A": 15}, {"USD": 500}), FIVE))

    assert "not_booked" in codes(result)
    assert "filled_quantity" in codes(result)


def test_an_order_of_our_making_that_no_journal_has_is_a_break():
    result = compare(ours(TEN), theirs(account({"A": 15}, {"USD": 500}), FIVE))

    assert "order_not_journalled" in codes(result)
    assert result.foreign == ()


def test_a_booked_execution_that_the_broker_does_not_have_is_a_break():
    broker = theirs(account({"A": 15}, {"USD": 500}), orders=[order_of(FIVE)])

    assert codes(compare(ours(TEN, FIVE), broker)) == ["not_at_broker"]


def test_an_order_that_the_broker_does_not_list_is_a_break_where_it_was_filled():
    broker = theirs(account({"A": 15}, {"USD": 500}), FIVE, orders=[])

    assert codes(compare(ours(TEN, FIVE), broker)) == ["order_absent"]


def test_an_order_of_weeks_ago_is_not_missed_when_the_broker_lists_it_no_more():
    later = opening({"A": 15}, {"USD": 500})
    later = replace(later, seen=frozenset({"e1"}))

    assert compare(
        ours(later, FIVE), theirs(account({"A": 15}, {"USD": 500}), FIVE, orders=[])
    ).clean


def test_an_acknowledged_difference_is_one_again_only_with_other_figures():
    def broker(filled: str) -> Theirs:
        summed = order_of(FIVE, filled=filled, average="100")
        return theirs(account({"A": 15}, {"USD": 500}), FIVE, orders=[summed])

    (broken,) = compare(ours(TEN, FIVE), broker("6")).breaks
    seen = replace(TEN, seen=frozenset({broken.mark}))
    again = compare(ours(seen, FIVE), broker("6"))

    assert again.clean
    assert again.opening is not None
    assert broken.mark in again.opening.seen
    assert codes(compare(ours(seen, FIVE), broker("7"))) == ["filled_quantity"]


@pytest.mark.parametrize(
    ("filled", "average", "code"),
    [
        ("4.9999", "100", "filled_quantity"),
        ("5", "100.01", "average_price"),
        ("5", "99.99", "average_price"),
        ("5", "100.009", "average_price"),
    ],
)
def test_filled_quantity_and_average_price_agree_exactly(filled, average, code):
    summed = order_of(FIVE, filled=filled, average=average)
    broker = theirs(account({"A": 15}, {"USD": 500}), FIVE, orders=[summed])

    assert codes(compare(ours(TEN, FIVE), broker)) == [code]


def test_an_average_price_agrees_to_the_last_digit_that_the_broker_tells():
    parts = fill("e1", "A", BUY, 1, 100), fill("e2", "A", BUY, 2, 101)
    holder = account({"A": 13}, {"USD": 698})

    for average in ("100.67", "100.66", "100.6667"):
        broker = theirs(holder, *parts, orders=[order_of(*parts, average=average)])
        assert compare(ours(TEN, *parts), broker).clean, average


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quantity", d(6)),
        ("value", d(501)),
        ("fee", d(1)),
        ("symbol", "B"),
        ("side", SELL),
        ("currency", "EUR"),
    ],
)
def test_an_execution_that_the_broker_tells_otherwise_is_a_break(name, value):
    other = replace(FIVE, **{name: value})
    broker = theirs(account({"A": 15}, {"USD": 500}), other, orders=[order_of(FIVE)])

    assert "execution_differs" in codes(compare(ours(TEN, FIVE), broker))


def test_an_execution_that_is_told_twice_counts_once_unless_it_is_told_differently():
    holder = account({"A": 15}, {"USD": 500})
    twice = replace(FIVE, quantity=d(6))

    assert compare(ours(TEN, FIVE), theirs(holder, FIVE, FIVE)).clean
    assert "execution_differs" in codes(compare(ours(TEN, FIVE), theirs(holder, FIVE, twice)))


def test_another_account_and_a_figure_that_is_no_number_are_not_compared():
    other = replace(account({"A": 10}, {"USD": 1000}), account_id="U2")

    assert codes(compare(ours(TEN), theirs(other))) == ["other_account"]
    broken = compare(ours(TEN), theirs(account({"A": "NaN"}, {"USD": 1000})))
    assert codes(broken) == ["no_number"]
    assert broken.opening is None


def test_the_next_opening_is_what_the_broker_has_and_counts_all_that_was_told():
    paid = activity("div", "DIVIDEND", {"USD": 1}, "A")
    side: tuple[Ours, Theirs] = (
        ours(TEN, FIVE),
        theirs(account({"A": 15}, {"USD": 501}), FIVE, activities=[paid]),
    )

    after = compare(*side).opening

    assert after is not None
    assert (dict(after.positions), dict(after.cash), after.at) == ({"A": 15}, {"USD": 501}, at(9))
    assert after.seen == {"e1", "div"}
    assert compare(replace(side[0], opening=after), side[1]).clean
