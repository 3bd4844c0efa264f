"""Long lists: the largest are shown, the rest is summed up."""

from decimal import Decimal

from builders import quantities
from steelyard.report.exhibits import fold
from steelyard.report.exhibits.trades import trades


def test_the_largest_are_shown_in_the_order_of_the_list_and_nothing_is_lost():
    sizes = [Decimal(size) for size in (3, 40, 1, 39, *range(100, 130))]

    shown, rest = fold.folded(sizes, lambda size: size, 4)

    assert shown == [126, 127, 128, 129]
    assert sorted([*shown, *rest]) == sorted(sizes)


def test_a_list_that_is_hardly_longer_is_not_folded():
    few = list(range(fold.MOST + fold.SPARE))

    assert fold.folded(few, Decimal) == (few, [])
    assert fold.first(few) == (few, 0)
    assert fold.first([*few, 0]) == (few[: fold.MOST], fold.SPARE + 1)
    assert fold.folded([*few, 0], Decimal, None) == ([*few, 0], [])


def test_of_thousands_of_orders_the_twenty_largest_are_listed_and_the_rest_summed():
    plan = quantities.many(3000)
    exhibit = trades(plan)
    amounts = sorted((step.notional_base for step in plan.steps), reverse=True)

    assert sorted((s.notional_base for s in exhibit.steps), reverse=True) == amounts[: fold.MOST]
    assert [s.n for s in exhibit.steps] == sorted(s.n for s in exhibit.steps)
    assert exhibit.more_said == (
        f"and 2,980 more: USD {sum(amounts[fold.MOST :]):,.0f} in all, see --json"
    )
    assert exhibit.sold + exhibit.bought == sum(amounts)
    assert len(exhibit.lots) == sum(len(step.lots) for step in exhibit.steps)
    assert exhibit.lots_said == "and 993 more lots: see --json"


def test_eleven_orders_are_all_listed():
    exhibit = trades(quantities.many(11))

    assert len(exhibit.steps) == 11
    assert (exhibit.more, exhibit.more_said) == ((), "")
