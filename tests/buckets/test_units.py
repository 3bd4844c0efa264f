"""Units: money put in or taken out is no gain; size and losses scale buys, never exits."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.buckets import core, rated, satellite
from builders.world import only, prepared, world
from builders.worlds import FEWER, worlds
from steelyard.buckets import Units, mark, move, open_units, state_of
from steelyard.errors import InputError
from steelyard.modules.registry import Kind
from steelyard.portfolio import BucketState

NEAR = Decimal("1e-20")
money = st.decimals(Decimal("0.01"), Decimal("1e7"), places=2)


@given(value=money, flow=st.decimals(Decimal("-0.99"), Decimal(50), places=2))
def test_a_deposit_or_a_withdrawal_leaves_the_value_of_a_unit(value, flow):
    units = Units(Decimal(700), Decimal(3))
    amount = value * flow

    moved = move(units, value, amount)

    assert abs(moved.value_of(value + amount) - units.value_of(value)) <= NEAR * (
        1 + units.value_of(value)
    )
    assert moved.high_water_mark == units.high_water_mark


def test_a_gain_raises_the_mark_and_a_loss_does_not_lower_it():
    units = mark(open_units(Decimal(1000)), Decimal(1250))

    assert units.high_water_mark == Decimal("1.25")
    assert mark(units, Decimal(800)) == units


def test_a_withdrawal_is_no_drawdown_and_a_deposit_hides_none():
    units = mark(open_units(Decimal(1000)), Decimal(1000))

    taken = move(units, Decimal(1000), Decimal(-700))
    fallen = move(units, Decimal(800), Decimal(5000))

    assert state_of(satellite(), taken, Decimal(300), Decimal(10_000)).drawdown == 0
    assert state_of(satellite(), fallen, Decimal(5800), Decimal(10_000)).drawdown == pytest.approx(
        0.2
    )


def test_more_than_a_bucket_is_worth_cannot_be_withdrawn():
    with pytest.raises(
        InputError, match=r"A withdrawal of 1001 is 1 more than the bucket is worth \(1000\)"
    ):
        move(open_units(Decimal(1000)), Decimal(1000), Decimal(-1001))


def test_a_bucket_that_was_emptied_opens_anew():
    emptied = move(Units(Decimal(500), Decimal(3)), Decimal(1000), Decimal(-1000))

    assert emptied.count == 0
    assert move(emptied, Decimal(0), Decimal(250)) == open_units(Decimal(250))
    assert open_units(Decimal(0)).value_of(Decimal(0)) == 1


@pytest.mark.parametrize(
    ("value", "aggression"),
    [
        ("1200", 1), ("1000", 1), ("999.99", 0.8), ("800", 0.8), ("799.99", 0.6), ("600", 0.6),
        ("400", 0.4), ("399.99", 0),
    ],
)  # fmt: skip
def test_funding_is_the_held_part_of_the_budget(value, aggression):
    # a tenth of 10,000 is the budget
    state = state_of(satellite(), open_units(Decimal(value)), Decimal(value), Decimal(10_000))

    assert state.funding == pytest.approx(float(value) / 1000)
    assert state.aggression == aggression


@pytest.mark.parametrize(
    ("value", "aggression"),
    [("0.5951", 1), ("0.595", 0.7), ("0.5251", 0.7), ("0.525", 0.3), ("0.4551", 0.3), ("0.455", 0)],
)
def test_a_fall_to_exactly_a_step_is_at_the_step(value, aggression):
    # from .7; in floats .595 / .7 is over .85
    state = state_of(
        satellite(status="accumulating"), Units(Decimal(1), Decimal("0.7")), Decimal(value),
        Decimal(10),
    )  # fmt: skip

    assert state.aggression == aggression


def test_an_accumulating_satellite_starts_whatever_its_size():
    filling = satellite(status="accumulating", target_weight=0.0)

    state = state_of(filling, open_units(Decimal(10)), Decimal(10), Decimal(10_000))

    assert state.funding is None
    assert state.aggression == 1


def test_the_core_is_stopped_by_neither_size_nor_losses():
    state = state_of(core(), Units(Decimal(1000), Decimal(2)), Decimal(900), Decimal(10_000))

    assert state == BucketState()


def test_what_a_bucket_remembers_stays():
    bucket = satellite(state=BucketState("act", dividends={"DD": Decimal(5)}))

    state = state_of(bucket, open_units(Decimal(1)), Decimal(1), Decimal(10))

    assert (state.previous_verdict, dict(state.dividends)) == ("act", {"DD": Decimal(5)})


def sales(of):
    """Symbol, shares and whether it is a full exit, of every sale."""
    table = of.table
    rows = [j for j in range(table.m) if not table.is_buy[j]]
    return sorted(
        (of.ctx.symbols[table.security[j]], table.quantity[j], bool(table.full_exit[j]))
        for j in rows
    )


@FEWER
@given(of=worlds(), funding=st.sampled_from([1.0, 0.9, 0.7, 0.5, 0.1]))
def test_aggression_scales_buys_in_whole_lots_and_no_sale_and_no_exit(of, funding):
    usual, scaled = prepared(of), prepared(replace(of, state=BucketState(funding=funding)))

    assert sales(usual) == sales(scaled)
    lots = [scaled.ctx.securities[scaled.table.security[j]].lot_size for j in range(scaled.table.m)]
    assert all(
        not quantity % lot
        for quantity, lot, buy in zip(scaled.table.quantity, lots, scaled.table.is_buy, strict=True)
        if buy
    )


@pytest.mark.parametrize(
    ("funding", "shares"), [(1.0, "400"), (0.8, "320"), (0.6, "240"), (0.4, "160"), (0.39, None)]
)
def test_buys_are_scaled_before_they_are_sized(funding, shares):
    # the largest buy is 8 % of 100,000 at 20 a share
    of = rated(world("AA 500 @ 100", "BB 0 @ 20", cash="50000", sessions=30), BB=0.9)
    of = replace(
        of,
        strategy=only(of.strategy, Kind.OPPORTUNITY, "opportunity_buys"),
        state=BucketState(funding=funding),
    )

    table = prepared(of).table

    assert (
        max(
            (str(table.quantity[j]) for j in range(table.m) if table.is_buy[j]),
            key=Decimal,
            default=None,
        )
        == shares
    )


@pytest.mark.parametrize("value", ["-5", "NaN", "Infinity"])
def test_a_bucket_that_owes_or_has_no_number_is_not_opened(value):
    with pytest.raises(InputError, match=f"A bucket cannot start with {value}"):
        open_units(Decimal(value))


def test_a_flow_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="cannot be changed by NaN"):
        move(open_units(Decimal(100)), Decimal(100), Decimal("NaN"))


def test_a_target_weight_may_come_from_an_array():
    assert (
        state_of(
            satellite(target_weight=np.float64(0.1)), open_units(Decimal(700)), Decimal(700),
            Decimal(10_000),
        ).funding
        == 0.7
    )  # fmt: skip


@pytest.mark.parametrize(
    "odd",
    [
        {"funding": float("nan")}, {"high_water_mark": float("inf")}, {"unit_value": float("nan")},
        {"dividends": {"A": Decimal("sNaN")}},
    ],
)  # fmt: skip
def test_a_state_with_a_figure_that_is_no_number_is_refused(odd):
    with pytest.raises(InputError, match="The state of a bucket is not usable: its"):
        BucketState(**odd)
