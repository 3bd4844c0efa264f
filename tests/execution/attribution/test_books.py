"""Books from executions: lots, gains, what is nobody's, and one result however they are told."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.accounts import BUY, SELL, activity, at, d, fill, order_id
from steelyard.brokers.broker import Activity, BrokerFill
from steelyard.errors import NotExecuted
from steelyard.execution.attribution import (
    UNASSIGNED,
    Books,
    Entered,
    Performance,
    Transfer,
    Transferred,
    derive,
    owners_of,
    performance,
)
from steelyard.orders import Side

OF_S = {order_id(n): {"S": d(10**6)} for n in range(1, 9)}


def entered(symbol: str, quantity: object, cost: object, book: str = "S") -> Entered:
    return Entered(
        entry_id=f"opening/{book}/{symbol}",
        book=book,
        symbol=symbol,
        currency="USD",
        quantity=d(quantity),
        cost=None if cost is None else d(cost),
        at=at(-9999),
    )


def traded(*fills: BrokerFill) -> Books:
    return derive((), fills, OF_S)


def realised(books: Books) -> Decimal:
    return sum((each.gain for each in books.matches if each.gain is not None), d(0))


def by_book(rows: Iterable[Performance]) -> Mapping[str, Performance]:
    return {row.book: row for row in rows}


def test_A02_contributions_of_60_and_40_percent_own_60_and_40_of_100_shares():
    books = derive((), [fill("e", "A", BUY, 100)], {order_id(): {"S1": d(60), "S2": d(40)}})

    assert books.positions == {"A": {"S1": 60, "S2": 40}}
    assert [(lot.book, lot.cost) for lot in books.lots] == [("S1", 6000), ("S2", 4000)]


def test_fees_and_values_are_shared_to_the_last_digit():
    owners = {order_id(): {"S1": d(1), "S2": d(1), "S3": d(1)}}

    books = derive((), [fill("e", "A", BUY, 1, "100.01", fee="0.01")], owners)

    assert sum(lot.cost or 0 for lot in books.lots) == d("100.02")
    assert sum(lot.quantity for lot in books.lots) == 1


def test_A06_a_full_close_realises_its_gain():
    # booked after the position was set to nothing, the same trade once realised nothing at all
    books = traded(fill("b", "A", BUY, 10, 100), fill("s", "A", SELL, 10, 120, minutes=2))

    assert (realised(books), books.positions) == (200, {})


def test_A07_first_in_first_out_realises_250_and_the_average_cost_view_225():
    fills = [
        fill("b1", "A", BUY, 10, 100),
        fill("b2", "A", BUY, 10, 110, minutes=2),
        fill("s", "A", SELL, 15, 120, minutes=3),
    ]

    assert realised(derive((), fills, OF_S)) == 250
    assert realised(derive((), fills, OF_S, method="average")) == 225


def test_A08_a_sale_of_more_than_a_book_has_is_matched_so_far_and_told():
    books = traded(fill("b", "A", BUY, 10, 100), fill("s", "A", SELL, 12, 120, minutes=2))

    assert [(each.quantity, each.gain) for each in books.matches] == [(10, 200)]
    assert [(each.book, each.quantity) for each in books.unmatched] == [("S", 2)]
    assert books.positions == {"A": {UNASSIGNED: -2}}


def test_what_a_book_lacks_is_taken_from_what_is_unassigned():
    start = [entered("A", 5, 450, UNASSIGNED)]
    sale = [fill("b", "A", BUY, 10, 100), fill("s", "A", SELL, 12, 120, minutes=2)]

    books = derive(start, sale, OF_S)

    assert books.positions == {"A": {UNASSIGNED: 3}}
    assert [(each.book, each.gain) for each in books.matches] == [("S", 200), (UNASSIGNED, 60)]


def test_A09_an_execution_that_is_told_twice_is_booked_once():
    bought = fill("b", "A", BUY, 10, 100)

    assert traded(bought, bought) == traded(bought)
    with pytest.raises(NotExecuted, match="b is told in two ways"):
        traded(bought, replace(bought, quantity=d(11)))


def test_A10_an_order_that_never_filled_is_no_position_and_no_gain():
    books = traded()

    assert (books.positions, performance(books, {})) == ({}, ())


def test_A12_a_book_that_leaves_a_symbol_sells_only_its_own_shares():
    start = [entered("A", 3, 300, "S1"), entered("A", 5, 500, "S2")]
    owners = {order_id(): owners_of("A", d(3), "S1")}

    books = derive(start, [fill("s", "A", SELL, 3, 110)], owners)

    assert books.positions == {"A": {"S2": 5}}
    assert books.unmatched == ()


def test_a_transfer_between_books_realises_at_its_price_and_moves_no_money():
    start = [entered("A", 10, 900, "S1")]
    moved = Transferred(
        transfer_id="t", transfer=Transfer("A", "S1", "S2", d(6), d(100)), currency="USD", at=at(1)
    )

    books = derive(start, [], {}, [moved])

    assert books.positions == {"A": {"S1": 4, "S2": 6}}
    lines = by_book(performance(books, {"A": d(110)}))
    assert (lines["S1"].realised, lines["S1"].unrealised) == (60, 80)
    assert (lines["S2"].realised, lines["S2"].unrealised) == (0, 60)


def test_A13_without_a_mark_for_one_lot_the_gain_is_incomplete_and_says_so():
    books = traded(fill("b", "A", BUY, 10, 100), fill("c", "B", BUY, 1, 50, order=order_id(2)))

    (line,) = performance(books, {"A": d(101)})

    assert (line.unrealised, line.total, line.incomplete) == (10, None, ("B has no mark",))


def test_shares_of_unknown_cost_realise_nobody_knows_what():
    books = derive([entered("A", 10, None)], [fill("s", "A", SELL, 4, 120)], OF_S)

    (line,) = performance(books, {"A": d(120)})

    assert line.realised == 0
    assert line.incomplete == ("the cost of A is not known", "what A realised is not known")


def test_an_execution_of_an_order_without_owners_is_nobodys():
    assert traded(fill("f", "A", BUY, 3, order="by-hand")).positions == {"A": {UNASSIGNED: 3}}


def test_dividends_go_by_holding_and_interest_to_nobody():
    start = [entered("A", 3, 300, "S1"), entered("A", 1, 100, "S2")]
    paid = activity("d", "DIVIDEND", {"USD": "0.10"}, "A")
    interest = activity("i", "INTEREST", {"USD": 2})

    lines = by_book(performance(derive(start, [], {}, (), [paid, interest]), {"A": d(100)}))

    assert {book: line.income for book, line in lines.items()} == {
        "S1": d("0.075"),
        "S2": d("0.025"),
        UNASSIGNED: 2,
    }


def test_R05_a_split_gives_every_lot_its_part_and_costs_stay():
    start = [entered("A", 3, 300, "S1"), entered("A", 7, 700, "S2")]

    books = derive(start, [], {}, (), [activity("s", "SPLIT", {}, "A", 10)])

    assert books.positions == {"A": {"S1": 6, "S2": 14}}
    assert [lot.cost for lot in books.lots] == [300, 700]


def test_shares_that_go_and_come_by_an_action_have_no_known_cost():
    old, new = activity("x", "SPLIT", {}, "A", -10), activity("y", "SPLIT", {}, "B", 5)

    books = derive([entered("A", 10, 900)], [], {}, (), [old, new])

    assert books.positions == {"B": {UNASSIGNED: 5}}
    assert performance(books, {"B": d(1)})[0].total is None


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_order_of_telling_changes_nothing(size):
    fills = [
        fill("b1", "A", BUY, 1, 100, minutes=1),
        fill("b2", "A", BUY, 2, 110, minutes=2),
        fill("s1", "A", SELL, size, 120, minutes=3),
        fill("b3", "A", BUY, 1, 90, minutes=3),
    ]
    owners = {order_id(): {"S1": d(2), "S2": d(2)}}

    results = [derive((), each, owners) for each in itertools.permutations(fills)]

    assert all(result == results[0] for result in results)


TRADES = st.lists(
    st.tuples(
        st.sampled_from(["A", "B"]),
        st.sampled_from([BUY, SELL]),
        st.decimals("0.000001", "1000", places=6),
        st.decimals("0.01", "500", places=2),
        st.decimals("0", "5", places=2),
    ),
    max_size=12,
)


def rows_of(trades: Iterable[tuple[str, Side, Decimal, Decimal, Decimal]]) -> list[BrokerFill]:
    return [
        fill(f"e{n:02d}", symbol, side, quantity, price, fee=fee, minutes=n, order=order_id(n))
        for n, (symbol, side, quantity, price, fee) in enumerate(trades)
    ]


def owners_for(fills: Iterable[BrokerFill]) -> dict[str, dict[str, Decimal]]:
    """Three books in turn; every fourth order is nobody's."""
    names = [{"S1": d(1)}, {"S1": d(1), "S2": d(2), "S3": d(3)}, {"S2": d(7)}]
    return {each.client_order_id: names[n % 4] for n, each in enumerate(fills) if n % 4 < 3}


@given(trades=TRADES, cash=st.decimals("-100", "100", places=4))
def test_books_sum_to_the_account_in_shares_and_in_gain(trades, cash):
    fills = rows_of(trades)
    start = [entered("A", 100, 9000, "S1"), entered("B", "0.5", 40, UNASSIGNED)]
    acts: list[Activity] = [activity("d", "DIVIDEND", {"USD": cash}, "A")]
    marks = {"A": d("101.37"), "B": d("77.01")}

    books = derive(start, fills, owners_for(fills), (), acts)

    shares = {"A": d(100), "B": d("0.5")}
    money = cash
    for each in fills:
        sign = 1 if each.side is BUY else -1
        shares[each.symbol] += sign * each.quantity
        money -= sign * each.value + each.fee
    for symbol, quantity in shares.items():
        assert sum(books.positions.get(symbol, {}).values()) == quantity
    worth = sum(shares[symbol] * marks[symbol] for symbol in shares)
    gain = worth + money - d(9040)
    lines = performance(books, marks)
    assert sum(line.realised + line.unrealised + line.income for line in lines) == gain


@given(trades=TRADES)
def test_no_book_ever_owes_shares_but_the_one_of_nobody(trades):
    fills = rows_of(trades)

    books = derive((), fills, owners_for(fills))

    for parts in books.positions.values():
        assert all(part > 0 for book, part in parts.items() if book != UNASSIGNED)


def test_a_reverse_split_into_parts_of_a_share_loses_none_of_them():
    start = [entered("A", 3, 300, "S1"), entered("A", 7, 700, "S2")]
    owners = {order_id(1): {"S1": d(1)}, order_id(2): {"S2": d(7)}}
    split = activity("s", "SPLIT", {}, "A", "-6.6666666")
    sold = fill("x", "A", SELL, "1.0000000", order=order_id(1))

    books = derive(start, [sold], owners, (), [split])

    assert sum(books.positions["A"].values()) == d("2.3333334")
