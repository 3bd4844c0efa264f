"""Owners before an order is sent: netting, crossing inside, exits."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from builders.accounts import BUY, SELL, d
from steelyard.execution.attribution import Rules, Transfer, Wish, netted, owners_of

MID = {"A": d("10.05")}
OPPOSITE = Wish("S1", "A", SELL, d(10)), Wish("S2", "A", BUY, d(6))


def test_A11_opposite_wishes_change_hands_inside_and_only_the_rest_is_sent():
    result = netted(OPPOSITE, MID)

    (order,) = result.orders
    assert (order.side, order.quantity, order.owners) == (SELL, 4, {"S1": 4})
    assert result.transfers == (Transfer("A", "S1", "S2", d(6), d("10.05")),)


def test_crossing_inside_can_be_switched_off_and_needs_a_price():
    for result in (netted(OPPOSITE, MID, crossing=False), netted(OPPOSITE, {})):
        assert [(order.side, order.quantity) for order in result.orders] == [(SELL, 10), (BUY, 6)]
        assert result.transfers == ()


def test_wishes_of_one_side_are_one_order_of_several_owners_sells_first():
    wishes = [Wish("S1", "Z", BUY, d(6)), Wish("S2", "Z", BUY, d(4)), Wish("S1", "B", SELL, d(1))]

    result = netted(wishes, {})

    assert [(order.symbol, order.quantity) for order in result.orders] == [("B", 1), ("Z", 10)]
    assert result.orders[1].owners == {"S1": 6, "S2": 4}


def test_a_book_that_sells_and_buys_deals_with_itself_without_a_transfer():
    wishes = [Wish("S1", "A", SELL, d(10)), Wish("S1", "A", BUY, d(4))]

    result = netted(wishes, MID)

    assert [(order.side, order.quantity) for order in result.orders] == [(SELL, 6)]
    assert result.transfers == ()


WISHES = st.lists(
    st.builds(
        Wish,
        st.sampled_from(["S1", "S2", "S3"]),
        st.sampled_from(["A", "B"]),
        st.sampled_from([BUY, SELL]),
        st.decimals("0.000001", "1000", places=6),
    ),
    max_size=8,
)


@given(wishes=WISHES)
def test_what_each_book_sends_and_crosses_is_what_it_wished(wishes):
    result = netted(wishes, {"A": d(1)})

    changes: dict[tuple[str, str], Decimal] = {}

    def add(book: str, symbol: str, quantity: Decimal) -> None:
        changes[book, symbol] = changes.get((book, symbol), d(0)) + quantity

    for wish in wishes:
        add(wish.book, wish.symbol, wish.quantity if wish.side is SELL else -wish.quantity)
    for order in result.orders:
        for book, part in order.owners.items():
            add(book, order.symbol, -part if order.side is SELL else part)
    for each in result.transfers:
        add(each.seller, each.symbol, -each.quantity)
        add(each.buyer, each.symbol, each.quantity)
    assert not any(changes.values())
    sides = {(order.symbol, order.side) for order in result.orders}
    assert not {("A", BUY), ("A", SELL)} <= sides


def test_an_order_of_a_plan_is_of_its_bucket_or_of_the_book_that_rules_name():
    rules = Rules("UNASSIGNED", {"QQQ": "TECL"})

    assert owners_of("QQQ", d(5), "core") == {"core": 5}
    assert owners_of("QQQ", d(5), rules) == {"TECL": 5}
    assert owners_of("Z", d(5), rules) == {"UNASSIGNED": 5}
