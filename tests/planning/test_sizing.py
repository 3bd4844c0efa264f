"""From wanted weights to whole orders: lots, remainders, full exits."""

from decimal import Decimal

from builders.changes import usual
from builders.world import world
from steelyard.orders import Order, Side


def sizes(of, symbol="BB"):
    """The quantities of all orders in question of a symbol."""
    return {row.quantity for row in of.plan().candidates if row.symbol == symbol}


def open_sell(shares):
    return (Order("o", "BB", Side.SELL, Decimal(shares), None),)


def test_what_is_not_wanted_goes_whole_even_in_odd_lots():
    lines, lots = ("AA 400 @ 100", "BB 53.7 @ 50"), {"BB": "10"}
    of = world(*lines, cash="9000", targets={"AA": 0.8}, lots=lots)

    assert sizes(of) == {20, 40, Decimal("53.7")}


def test_an_open_sell_of_a_part_stops_the_full_exit():
    lines = ("AA 400 @ 100", "BB 50 @ 50")
    of = world(*lines, cash="9000", targets={"AA": 0.8}, orders=open_sell(10))

    assert max(sizes(of)) == 40


def test_a_remainder_under_the_least_order_goes_too():
    # 240 of 250 shares at 1 would leave 10, under half a percent of value
    assert sizes(world("AA 100 @ 100", "BB 250 @ 1", cash="5000", targets={"AA": 0.5})) == {250}


def test_lots_of_a_hundred_are_kept():
    plan = usual(lots={"AA": "100", "BB": "100", "CC": "100"}).plan()

    assert plan.candidates
    assert all(row.quantity % 100 == 0 for row in plan.candidates)


def test_fractional_shares_are_never_sold_beyond_what_is_held():
    # 2.9999999999 shares that no open order covers are two whole lots, not three
    lines = ("AA 400 @ 100", "BB 3.9999999999 @ 5000")
    assert max(sizes(world(*lines, cash="9000", targets={"AA": 0.5}, orders=open_sell(1)))) == 2
