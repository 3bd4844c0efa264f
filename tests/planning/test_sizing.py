"""From wanted weights to whole orders: lots, remainders, full exits."""

from decimal import ROUND_FLOOR, Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builders.changes import usual
from builders.world import world
from steelyard.orders import Order, Side
from steelyard.planning.nearest import nearest_lots


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


def nearest_by_hand(of, symbol):
    """Whole lots to the target in decimals: half a lot is not crossed."""
    price = {s: q.price for s, q in of.market.quotes.items()}
    value = of.cash + sum(of.held(s) * p for s, p in price.items())
    lot = next(s.lot_size for s in of.snapshot.securities if s.symbol == symbol)
    goal = Decimal(repr(of.targets.weights.get(symbol, 0.0))) * value
    gap = (goal - of.held(symbol) * price[symbol]) / (lot * price[symbol])
    lots = (abs(gap) + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
    lots -= abs(gap) + Decimal("0.5") == lots
    return int(lots if gap > 0 else -lots)


@given(
    st.lists(st.sampled_from([0, 1, 2, 3, 7, 12, 250]), min_size=3, max_size=3),
    st.lists(st.sampled_from([0.0, 0.05, 0.1, 0.125, 0.3, 0.333]), min_size=3, max_size=3),
    st.sampled_from(["1000", "400", "123.45", "0.07"]),
    st.sampled_from(["1", "0.5", "0.001"]),
)
def test_the_nearest_lot_is_that_of_the_decimals_and_a_tie_does_not_cross(
    shares, goals, price, lot
):
    lines = [f"{s} {n} @ {price}" for s, n in zip(("AA", "BB", "CC"), shares, strict=True)]
    targets = dict(zip(("AA", "BB", "CC"), goals, strict=True))
    of = world(*lines, cash="4000", targets=targets, lots={"AA": lot}, sessions=30)
    ctx = of.prepared.ctx

    nearest = nearest_lots(ctx, np.arange(ctx.n)).tolist()
    assert nearest == [nearest_by_hand(of, symbol) for symbol in ctx.symbols]


def test_no_order_of_the_table_passes_its_target_by_half_a_lot():
    # 3.5 shares of 1,000 short is a tie: three; 2.6 short is three too, or two where cash is short
    of = world(
        "AA 1 @ 1000", "BB 0 @ 1000", "CC 9 @ 1000", cash="6000",
        targets={"AA": 0.28125, "BB": 0.1625, "CC": 0.4}, funds=("AA", "BB", "CC"),
    )  # fmt: skip

    assert max(sizes(of, "AA")) == 3
    assert {2, 3} <= sizes(of, "BB")
    assert max(sizes(of, "CC")) == 3
