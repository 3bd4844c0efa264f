"""The records behind the exhibits: scales, groups, folds, labels, waterfalls, ladders, words."""

from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import plans as sample
from steelyard.plans.account import CashRung
from steelyard.report.exhibits import (
    alternatives,
    ladder,
    notes,
    stopped,
    trades,
    waterfall,
    weights,
    words,
)
from steelyard.report.exhibits.scale import Scale, ceiling, nice_step, ticks
from steelyard.sentences import signed

every_plan = pytest.mark.parametrize("make", sample.ALL, ids=lambda make: make.__name__)


@given(st.floats(-10, 10), st.floats(0.001, 20), st.floats(-100, 100))
def test_a_place_on_a_scale_is_between_its_margins(low, span, value):
    assert 3 <= Scale(low, low + span, 3.0).at(value) <= 97


@given(st.floats(1e-6, 1e9), st.integers(1, 10))
def test_ticks_start_at_zero_cover_the_top_and_are_few(high, most):
    found = ticks(high, most)

    assert found[0] == 0
    assert found[-1] >= high * (1 - 1e-6)
    assert len(found) <= most + 2


def test_nice_steps_are_what_people_count_in():
    assert [nice_step(span, 4) for span in (0, 1, 10, 83, 400)] == [1.0, 0.25, 2.5, 25.0, 100.0]
    assert ceiling(0.3, 0.1) == pytest.approx(0.3)


@every_plan
def test_each_waterfall_bar_starts_where_the_last_one_ended_and_ends_at_the_sum(make):
    for fall in (waterfall.score(make()), waterfall.cost(make())):
        level = 0.0
        for bar in fall.bars:
            if bar.kind in {"gain", "loss"}:
                assert bar.begin == level
            else:
                assert bar.end == pytest.approx(level, abs=1e-9) or bar.kind == "start"
            level = bar.end
        assert fall.axis.low <= fall.axis.high


@every_plan
def test_a_score_axis_that_does_not_start_at_zero_says_so(make):
    fall = waterfall.score(make())

    assert (fall.axis.low > 0) == any(line.startswith("Bars start at") for line in fall.said)


@every_plan
def test_group_sums_with_cash_are_the_total(make):
    exhibit = weights.weights(make())

    assert sum(group.now for group in exhibit.groups) + exhibit.cash.now == pytest.approx(
        exhibit.total.now, abs=1e-9
    )
    assert sum(group.after for group in exhibit.groups) + exhibit.cash.after == pytest.approx(
        exhibit.total.after, abs=1e-9
    )


def test_strips_reach_the_largest_deviation_and_at_least_two_points():
    strips = weights.weights(sample.growth()).strips

    assert strips is not None
    assert strips.high == pytest.approx(0.19)
    assert weights.weights(sample.untargeted()).strips is None


def test_the_state_of_a_band_is_one_of_four():
    def state(now, after):
        return weights.WeightRow("A", "", now, after, 0.10, (0.09, 0.11), True).state

    assert [state(0.10, 0.10), state(0.20, 0.10), state(0.20, 0.15), state(0.10, 0.15)] == [
        "in",
        "closed",
        "out",
        "left",
    ]
    assert state(0.11, 0.11) == "in"


@every_plan
def test_labels_of_the_scatter_do_not_cover_each_other(make):
    def box(point):
        x = point.x * alternatives.WIDTH / 100 + point.label_dx
        width = alternatives.LETTER * len(point.label)
        left = {"start": x, "middle": x - width / 2, "end": x - width}[point.anchor]
        y = point.y + point.label_dy
        return left, y - 10, left + width, y + 4

    boxes = [box(point) for point in alternatives.weighed(make()).scatter.points]

    for one, other in combinations(boxes, 2):
        assert not (
            one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
        )


@every_plan
def test_points_carry_the_numbers_of_the_table_and_stand_inside_the_chart(make):
    weighed = alternatives.weighed(make())

    assert (
        [point.row.n for point in weighed.scatter.points]
        == [row.n for row in weighed.rows]
        == list(range(1, len(weighed.rows) + 1))
    )
    assert all(point.label.startswith(str(point.row.n)) for point in weighed.scatter.points)
    assert all(
        0 <= point.x <= 100 and 0 <= point.y <= alternatives.HEIGHT
        for point in weighed.scatter.points
    )


def test_a_ladder_marks_the_lowest_balance_and_carries_balances_forward():
    (one,) = ladder.ladders(sample.growth())
    plan = sample.growth()

    assert one.lowest.text == "10,374"
    assert [(day.traded, day.settled) for day in one.days] == [
        (plan.cash_after["USD"], Decimal(10374)),
        (plan.cash_after["USD"], plan.cash_after["USD"]),
    ]


def test_a_balance_below_zero_is_said_and_drawn():
    plan = sample.overdrawn()
    (one,) = ladder.ladders(plan)

    assert one.up.low < 0
    assert ladder.heading(plan) == "Cash is below zero in USD"


def test_a_base_balance_under_the_reserve_is_not_called_above_it():
    plan = sample.growth()
    rung = CashRung(
        date=plan.as_of, currency="USD", balance=Decimal(1), kind="settled", estimated=False
    )

    assert (
        ladder.heading(plan.model_copy(update={"cash_ladder": (rung,)}))
        == "Cash never falls below zero"
    )


@every_plan
def test_every_entry_that_is_not_merged_is_shown_once(make):
    plan = make()
    exhibit = stopped.stopped(plan)
    entries = [entry for entry in plan.not_traded if entry.stage != "merge"]

    assert exhibit.merged == len(plan.not_traded) - len(entries)
    assert exhibit.rest_count == sum(one.count for one in exhibit.rest)
    named = sum(len(row.symbols.split(" and ")[0].split(", ")) for row in exhibit.rows)
    assert named + exhibit.rest_count == len(entries)


def test_numbers_of_the_ledger_stand_in_the_unit_of_their_rule():
    assert words.by_rule("no_crossing", -0.185, margin=True) == "\u221218.5\u00a0pp"
    assert words.by_rule("min_order", 0.005) == "0.5\u00a0%"
    assert words.by_rule("max_depth", 5.0) == "5\u00a0orders"
    assert words.by_rule("opposite_days", 1.0) == "1\u00a0day"
    assert words.by_rule("net_gain", -0.0062) == "\u22120.62"
    assert words.by_rule("rule_of_a_plugin", 0.123456) == "0.1235"
    assert words.by_rule("cash", None) == ""


def test_prices_stand_as_quoted_and_rates_with_six_digits():
    assert [words.price(Decimal(text)) for text in ("125.674", "12", "1234.5", "0.0001")] == [
        "125.674",
        "12.00",
        "1,234.50",
        "0.0001",
    ]
    assert [words.rate(Decimal(text)) for text in ("0.9398496241", "1.0639999", "156.25")] == [
        "0.939850",
        "1.06400",
        "156.250",
    ]
    assert [words.signed_money(Decimal(text)) for text in ("23456.79", "-0.2", "0", "-5365")] == [
        "+23,457",
        "0",
        "0",
        "\u22125,365",
    ]


def test_trades_are_counted_in_words():
    assert trades.trades(sample.growth()).heading == "Five trades, sells first"
    assert trades.trades(sample.one_holding()).heading in {"One sale", "One purchase"}
    assert trades.trades(sample.hold()).heading == "No trades"


def test_notes_say_what_is_missing_what_follows_and_how_to_repair_it():
    (note,) = notes.notes(sample.growth())

    assert note.title == "Dividend yield is unknown for 14\u00a0securities."
    assert (
        note.text == "2.0\u00a0% stands in. AAPL, AMD, GE, HD, JNJ, JPM, KO, LLY and 6 more. Add"
        " dividend_yield to the securities file."
    )


def test_what_an_alternative_does_otherwise_is_told():
    rows = {row.name: row.note for row in alternatives.weighed(sample.growth()).rows}

    assert rows["Hold"] == "no trades"
    assert rows["Runner-up 1"] == "MSFT 14 for 18"
    assert rows["Unrestricted"] == "any quantity, any depth: a bound, not a plan"


def test_a_target_that_cannot_be_bought_has_a_row_and_is_none_of_the_cash():
    shown = weights.weights(sample.absent())

    assert [(row.symbol, row.target, row.off, row.state) for row in shown.absent] == [
        ("PG", 0.2, -0.2, "no price")
    ]
    assert shown.cash.target == pytest.approx(0.2)
    assert shown.total.target == pytest.approx(1)
    assert shown.said.endswith(
        "One target cannot be bought. A band is the target and 1.0\u00a0pp on either side; a breach"
        " is a weight outside it."
    )


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (0.1896, "\u22121.04"),
        (0.1899999, "\u22121.00001"),
        (0.2104, "+1.04"),
        (0.185, "\u22121.5"),
        (0.19, "\u22121.0"),
    ],
)
def test_a_weight_just_outside_its_band_does_not_read_as_its_edge(after, told):
    row = weights.WeightRow("AA", "", 0.2, after, 0.2, (0.19, 0.21), False)

    assert signed(row.off, row.digits) == told
    assert row.state == ("in" if after == 0.19 else "left")


def test_the_heading_of_the_alternatives_counts_what_can_be_traded():
    assert alternatives.weighed(sample.growth()).heading.endswith(
        " alternatives that can be traded, none gains more"
    )


def test_a_reserve_that_other_currencies_help_to_hold_says_so():
    plan = sample.two_currencies()

    assert (
        trades.trades(plan).reserve_said
        == "The reserve is 624.25; cash in other currencies counts towards it: all cash is 4,349.30"
        " USD."
    )
    assert "reserve 624 of all cash" in ladder.ladders(plan)[0].said
    assert trades.trades(sample.one_holding()).reserve_said == "The reserve is 100.00."


def test_of_many_targets_that_cannot_be_bought_the_largest_are_drawn_and_the_others_listed():
    plan = sample.absent()
    (one,) = plan.drift.absent
    many = tuple(one.model_copy(update={"symbol": f"P{i}"}) for i in range(12))

    shown = weights.weights(
        plan.model_copy(update={"drift": plan.drift.model_copy(update={"absent": many})})
    )

    assert [row.symbol for row in shown.absent] == [f"P{i}" for i in range(10)]
    assert ([row.symbol for row in shown.rest], shown.rest_said) == (
        ["P10", "P11"],
        "2 more targets that cannot be bought",
    )
