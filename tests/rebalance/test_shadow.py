"""Two engines compared: equal, boundary, known by name, unexplained."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from steelyard.orders import Side
from steelyard.rebalance.shadow import (
    KNOWN,
    Agreement,
    Compared,
    Line,
    Scale,
    Sent,
    Settled,
    compare,
    same_sequence,
    same_settlement,
    unexplained,
    worst,
)

TEN = Line(Side.BUY, Decimal(10), Decimal(1000), "trades")
NONE = Line(None, Decimal(0), Decimal(0), "too_small")
PLAIN = Scale(lot=Decimal(1), price=Decimal(100), on_edge=False, least=Decimal(500))


def one(fast: Line | None, reference: Line | None, scale: Scale = PLAIN) -> Compared:
    lines = [{} if line is None else {"A": line} for line in (fast, reference)]
    (row,) = compare(lines[0], lines[1], {"A": scale})
    return row


@pytest.mark.parametrize(
    ("other", "due", "difference"),
    [
        (TEN, "equal", ""),
        (replace(TEN, quantity=Decimal(11), money=Decimal(1100)), "equal", ""),  # F02
        (replace(TEN, money=Decimal("1000.01")), "equal", ""),
        (replace(TEN, money=Decimal("1000.02")), "unexplained", "money"),
        (replace(TEN, quantity=Decimal(12)), "unexplained", "more than one lot apart"),
        (replace(TEN, side=Side.SELL), "unexplained", "buy 10 against sell 10"),
        (replace(TEN, reason="waits"), "unexplained", "reason trades against waits"),
        (NONE, "unexplained", "buy 10 against nothing (too_small)"),
        (replace(NONE, note="fewer_buys"), "known", "buy 10 against nothing"),
    ],
)
def test_f02_what_is_the_same_and_what_is_not(other: Line, due: str, difference: str):
    row = one(TEN, other)

    assert (row.agreement, difference in row.difference) == (due, True)
    assert one(other, TEN).agreement == due  # whichever is which


@pytest.mark.parametrize("both", [(TEN, None), (None, TEN)])
def test_f04_a_symbol_that_one_engine_omits_is_unexplained(both: tuple[Line | None, Line | None]):
    row = one(*both, replace(PLAIN, on_edge=True))

    assert row.agreement is Agreement.UNEXPLAINED
    assert "has no line for it" in row.difference


def test_f03_on_the_edge_of_a_threshold_a_float_cannot_tell():
    # 0.35 - 0.34 is under 0.01 in floats and 0.01 in decimals
    row = one(NONE, TEN, replace(PLAIN, on_edge=True))

    assert (row.agreement, row.known) == (Agreement.BOUNDARY, "")


@pytest.mark.parametrize(("quantity", "due"), [("5", "known"), ("6", "unexplained")])
def test_a_lot_under_the_least_order_is_known_and_two_are_not(quantity: str, due: str):
    shares = Decimal(quantity)

    row = one(replace(TEN, quantity=shares, money=100 * shares), NONE)

    assert (row.agreement, row.known in KNOWN) == (due, due == "known")


def test_every_symbol_counts_and_the_worst_is_the_whole():
    rows = compare({"A": TEN, "B": TEN}, {"A": TEN}, {"A": PLAIN, "B": PLAIN})

    assert [(row.symbol, row.agreement) for row in rows] == [("A", "equal"), ("B", "unexplained")]
    assert (worst(rows), unexplained(rows)) == (Agreement.UNEXPLAINED, rows[1:])
    assert worst(()) is Agreement.EQUAL


SELLS = [
    Sent("sell", Side.SELL, "A", Decimal(10)),
    Sent("sell", Side.SELL, "B", Decimal(5)),
    Sent("buy", Side.BUY, "C", Decimal(7)),
]
LOTS = dict.fromkeys("ABC", Decimal(1))


def test_orders_are_compared_by_phase_and_not_by_their_place_in_it():
    turned = [SELLS[1], SELLS[0], SELLS[2]]

    assert worst(same_sequence(SELLS, turned, LOTS)) is Agreement.EQUAL


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (SELLS[:2], "reference engine has no line"),
        ([*SELLS[:2], replace(SELLS[2], phase="sell")], "no line"),
        ([*SELLS[:2], replace(SELLS[2], quantity=Decimal(9))], "buy: buy 7 against buy 9"),
        ([*SELLS[1:], replace(SELLS[0], quantity=Decimal(5)),
          replace(SELLS[0], quantity=Decimal(5))], "sell: 1 orders against 2"),
    ],
)  # fmt: skip
def test_orders_that_differ_by_phase_count_or_size_are_unexplained(other: list[Sent], words: str):
    rows = unexplained(same_sequence(SELLS, other, LOTS))

    assert rows
    assert any(words in row.difference for row in rows)


FILLED = Settled("filled", Decimal(10), Decimal("99.5"))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (FILLED, ""),
        (replace(FILLED, filled=Decimal(11)), ""),
        (replace(FILLED, state="cancelled"), "filled against cancelled"),
        (replace(FILLED, filled=Decimal(12)), "10 filled against 12"),
        (replace(FILLED, average_price=Decimal(99)), ""),
        (None, "only one engine has a leg"),
    ],
)
def test_what_became_of_the_legs_on_one_broker(other: Settled | None, words: str):
    reference = {} if other is None else {"A": other}
    (row,) = same_settlement({"A": FILLED}, reference, LOTS)

    assert (row.agreement is Agreement.EQUAL, words in row.difference) == (not words, True)
