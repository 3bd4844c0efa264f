"""Which lots a sale takes: every method, its ties, and what it needs to know."""

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest

from steelyard.lots import LotRule, first_of, ordered
from steelyard.portfolio import TaxLot

AS_OF, PRICE = date(2026, 1, 9), Decimal(300)
OLD, LOSS, YOUNG = (
    TaxLot(Decimal(50), date(2016, 3, 1), Decimal(120)),
    TaxLot(Decimal(50), date(2024, 11, 15), Decimal(310)),
    TaxLot(Decimal(50), date(2025, 9, 20), Decimal(290)),
)
LOTS = (OLD, LOSS, YOUNG)


def rule(method, short="0.3", long="0.15", days=365):
    return LotRule(method, AS_OF, days, Decimal(short), Decimal(long))


@pytest.mark.parametrize(
    ("method", "due"),
    [
        ("fifo", (OLD, LOSS, YOUNG)),
        ("lifo", (YOUNG, LOSS, OLD)),
        ("hifo", (LOSS, YOUNG, OLD)),
        ("specific", (LOSS, YOUNG, OLD)),
        ("min_tax", (LOSS, YOUNG, OLD)),
    ],
)
def test_each_method_has_its_order_whatever_the_order_of_the_rows(method, due):
    orders = {tuple(ordered(rows, rule(method), PRICE)) for rows in permutations(LOTS)}

    assert orders == {due}


def test_least_tax_weighs_a_long_gain_against_a_short_one():
    long_, short = (
        TaxLot(Decimal(1), date(2020, 1, 1), Decimal(200)),
        TaxLot(Decimal(1), date(2025, 12, 1), Decimal(240)),
    )
    # 100 x .15 = 15 against 60 x .30 = 18; at one rate the dearer lot is taxed less
    assert ordered([short, long_], rule("min_tax"), PRICE) == [long_, short]
    assert ordered([short, long_], rule("min_tax", long="0.3"), PRICE) == [short, long_]
    assert ordered([short, long_], rule("specific"), PRICE) == [short, long_]


def test_a_lot_is_long_term_from_the_day_after_the_days_and_never_without_a_date():
    lots = [
        TaxLot(Decimal(1), day, Decimal(1)) for day in (date(2025, 1, 9), date(2025, 1, 8), None)
    ]

    assert [rule("fifo").is_long(lot) for lot in lots] == [False, True, False]
    assert [rule("fifo").rate(lot) for lot in lots] == [
        Decimal("0.3"), Decimal("0.15"), Decimal("0.3"),
    ]  # fmt: skip


def test_lots_of_one_date_are_sold_in_an_order_of_their_own():
    lots = tuple(TaxLot(Decimal(1), date(2020, 1, 1), cost) for cost in (Decimal(10), Decimal(30)))
    lots = (*lots, TaxLot(Decimal(1), date(2020, 1, 1)))
    first, other = (ordered(rows, rule("fifo"), PRICE) for rows in (lots, lots[::-1]))

    assert [lot.unit_cost for lot, _ in first_of(first, Decimal(2))] == [30, 10]
    assert first_of(first, Decimal("2.5")) == first_of(other, Decimal("2.5"))


@pytest.mark.parametrize(
    ("method", "long", "due"),
    [
        ("fifo", "0.15", ()),
        ("lifo", "0.15", ("acquired",)),
        ("hifo", "0.15", ("average_cost",)),
        ("specific", "0.15", ("average_cost",)),
        ("min_tax", "0.15", ("acquired", "average_cost")),
        ("min_tax", "0.3", ("average_cost",)),
    ],
)
def test_a_method_needs_what_it_chooses_by(method, long, due):
    assert rule(method, long=long).needs == due
