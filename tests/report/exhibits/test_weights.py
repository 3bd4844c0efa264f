"""Weights: sums of groups, strips, states of bands, what is drawn and what is listed."""

import pytest

from builders import plans as sample
from steelyard.report.exhibits import weights
from steelyard.sentences import signed


@sample.every_plan
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
        "in", "closed", "out", "left",
    ]  # fmt: skip
    assert state(0.11, 0.11) == "in"


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
    ("after", "text"),
    [
        (0.1896, "\u22121.04"), (0.1899999, "\u22121.00001"), (0.2104, "+1.04"),
        (0.185, "\u22121.5"), (0.19, "\u22121.0"),
    ],
)  # fmt: skip
def test_a_weight_just_outside_its_band_does_not_read_as_its_edge(after, text):
    row = weights.WeightRow("AA", "", 0.2, after, 0.2, (0.19, 0.21), False)

    assert signed(row.off, row.digits) == text
    assert row.state == ("in" if after == 0.19 else "left")


def test_of_many_targets_that_cannot_be_bought_the_largest_are_drawn_and_the_others_listed():
    plan = sample.absent()
    (target,) = plan.drift.absent
    many = tuple(target.model_copy(update={"symbol": f"P{i}"}) for i in range(12))

    shown = weights.weights(
        plan.model_copy(update={"drift": plan.drift.model_copy(update={"absent": many})})
    )

    assert [row.symbol for row in shown.absent] == [f"P{i}" for i in range(10)]
    assert ([row.symbol for row in shown.rest], shown.rest_said) == (
        ["P10", "P11"],
        "2 more targets that cannot be bought",
    )


def test_the_rows_drawn_first_are_the_traded_then_those_out_of_their_band():
    exhibit = weights.weights(sample.five_hundred(), most=12)

    order = [(not row.traded, row.state in {"in", ""}) for row in exhibit.rows]
    assert order == sorted(order)
    assert len(exhibit.rows) == 12
    assert len(exhibit.rest) == 488
    assert exhibit.rest_said.startswith("488 more holdings")
    assert weights.weights(sample.five_hundred(), most=None).rest == ()
