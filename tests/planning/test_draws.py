"""What patterns draw from: one row a security and side, by priority or by diversity, cut."""

from dataclasses import replace

from builders.changes import USUAL, described
from builders.world import prepared, world
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.direct_buy import direct_buy
from steelyard.planning.draws import draw
from steelyard.settings import Planner

SIX = tuple(f"S{k}" for k in range(6))
WORLD = world(
    *(f"{symbol} 0 @ 50" for symbol in SIX), cash="90000",
    targets={symbol: 0.17 - 0.01 * k for k, symbol in enumerate(SIX)}, sessions=1,
)  # fmt: skip
"""Six buys, each a little more wanted than the next."""


def six(countries="", sectors="", diverse=True, most=3, **planner):
    """A letter for the country or sector of each, a blank for none; `most` of a category."""

    def labels(letters):
        own = zip(SIX, letters.ljust(6), strict=True)
        return {symbol: tuple(letter.strip()) for symbol, letter in own}

    of = described(WORLD, countries=labels(countries), sectors=labels(sectors))
    planner = {"diverse_selection": diverse, "max_opportunities_per_category": most, **planner}
    rules = Planner(priority_threshold=0.0, **planner)
    return prepared(replace(of, strategy=replace(of.strategy, planner=rules)))


def numbers(of, rows):
    """The k of each symbol S<k>."""
    return "".join(of.ctx.symbols[of.table.security[j]][1] for j in rows)


def drawn(*labels, **options):
    of = six(*labels, **options)
    return numbers(of, of.table.draws["rebalance_buys"])


def test_one_row_per_security_and_side_in_order_of_priority_over_the_threshold():
    table = USUAL.prepared.table

    rows = draw(table, range(table.m), 0.3)

    sides = [(int(table.security[j]), bool(table.is_buy[j])) for j in rows]
    priorities = [table.priority[j] for j in rows]
    assert len(set(sides)) == len(sides)
    assert priorities == sorted(priorities, reverse=True)
    assert min(priorities) >= 0.3
    assert table.pool == rows
    assert draw(table, range(table.m), 1.1) == ()


def test_a_category_is_cut_as_the_strategy_says_and_the_table_is_not():
    whole = six(diverse=False, most=10).table
    for limit in (1, 2):
        cut = six(diverse=False, most=limit).table
        assert all(len(rows) <= limit for rows in cut.draws.values())
        assert cut.m == whole.m > limit


def test_by_default_priority_alone_decides_who_is_drawn():
    assert drawn("AAAABC", diverse=False) == "012"


def test_a_diverse_draw_takes_as_many_of_every_group():
    assert set(drawn("AAAABC")) == set(drawn("", "AAAABC")) == set("045")


def test_countries_count_before_sectors_and_a_single_group_is_none():
    assert set(drawn("AAAABC", "XYZXYZ")) == set("045")
    assert set(drawn("AAAAAA", "XXXYYZ")) == set("035")
    assert drawn("AAAAAA") == "012"


def test_what_a_group_has_too_few_of_is_filled_by_priority():
    assert set(drawn("AAAAAB", most=4)) == set("0125")


def test_with_more_groups_than_places_those_of_highest_total_priority_come_first():
    assert set(drawn("ABBCCD", most=2)) == set("13")


def test_securities_without_a_label_are_one_group_of_their_own():
    assert set(drawn("A    B")) == set("015")


def test_a_list_that_fits_is_unchanged():
    usual, diverse = six("AAAABC", diverse=False).table, six("AAAABC", most=6).table

    assert diverse.draws["rebalance_buys"] == draw(usual, range(usual.m), 0.0) == diverse.pool


def test_the_weight_of_diversity_sets_how_far_firsts_of_a_group_come_forward():
    def pool(weight):
        of = six("AAAABC", diversity_weight=weight)
        return numbers(of, of.table.pool)

    assert drawn("AAAABC", diversity_weight=0.0) == "045"
    assert [pool(0.0), pool(1.0)] == ["012345", "045123"]


def test_a_diverse_draw_changes_what_patterns_propose_and_never_the_table():
    usual, diverse = six("AAAABC", diverse=False), six("AAAABC")

    assert usual.table.ids == diverse.table.ids
    assert usual.table.priority.tolist() == diverse.table.priority.tolist()
    first, second = (direct_buy(of.ctx, of.table, NoParams()).tolist() for of in (usual, diverse))
    assert first != second
