"""The planning set: what it tells of missing data, groups, costs and idle cash."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from builders.changes import USUAL, traded, usual
from builders.world import AS_OF, world
from steelyard.modules.registry import Kind
from steelyard.orders import Order, Side
from steelyard.portfolio import Holding, TaxLot
from steelyard.settings import Costs, Groups

LINES = ("AA 400 @ 100", "BB 100 @ 100")


def messages(plan, code):
    return [notice.message for notice in plan.warnings if notice.code == code]


def test_without_targets_a_warning_says_which_parts_do_not_run():
    plan = usual(targets=None).plan()

    assert [notice.code for notice in plan.warnings] == ["no_targets"]
    outcomes = {(run.kind, run.name): run.outcome for run in plan.modules}
    assert outcomes[Kind.OPPORTUNITY, "weight_based"] == "no_input"
    assert outcomes[Kind.TERM, "target_fit"] == "no_input"
    assert plan.objective.mode == "none"
    assert plan.drift.before is None
    assert plan.problems == ()


def test_a_target_of_a_group_that_no_security_has_is_a_warning_with_the_one_it_may_be_a_slip_of():
    groups = Groups(sector={"Technologie": 0.4, "Energy": 0.6}, country={"Nowhere": 1.0})

    plan = usual(sectors={"AA": "Technology", "BB": "Energy"}, groups=groups).plan()

    sector, country = messages(plan, "unknown_group")
    nobody = "No security of this plan has the"
    technologie = "sector Technologie, to which groups.sector gives a target of 40.0 %."
    nowhere = "country Nowhere, to which groups.country gives a target of 100.0 %."
    assert sector == f"{nobody} {technologie} Did you mean Technology?"
    assert country == f"{nobody} {nowhere}"


def test_money_that_pays_for_nothing_is_a_warning_with_its_share():
    buy = Order("b", "BB", Side.BUY, Decimal(50), Decimal(100))
    plan = usual(cash={"USD": "9000", "EUR": "4000"}, orders=(buy,)).plan()
    value = plan.value

    share = f"{100 * 5000 / value:.1f} % of value"
    assert [m.startswith(share) for m in messages(plan, "idle_cash")] == [True]
    assert messages(usual(cash={"USD": "9000", "EUR": "4000"}).plan(), "idle_cash") == []


def test_a_commission_that_is_never_small_is_a_warning():
    assert messages(usual(costs=Costs(percent=0.02)).plan(), "costs_high")


def test_the_least_order_keeps_its_commission_under_a_hundredth_or_is_half_a_percent_of_value():
    def least(percent):
        return float(usual(costs=Costs(percent=percent)).plan().rules.min_order_base)

    cases = {0.002: 282.5, 0.0099: 20000, 0.00999999999: 2e11, 0.01: 282.5, 0.05: 282.5}
    assert {percent: least(percent) for percent in cases} == cases


def test_what_is_missing_is_counted_with_the_value_used():
    plan = usual(sessions=40).plan()

    used = {(row.symbol, row.metric): row.used for row in plan.data_coverage}
    assert used["AA", "volatility"] == 0.25
    assert used["AA", "dividend_yield"] == 0.02
    assert used["AA", "sector"] is None
    assert used["AA", "average_cost"] is None


def test_three_hundred_sessions_are_enough_for_every_estimate():
    missing = {row.metric for row in USUAL.planned.data_coverage}

    assert missing == {"dividend_yield", "sector", "country", "average_cost"}


def test_group_targets_alone_move_money_between_groups():
    def halves(groups):
        sectors = {"AA": "Tech", "BB": "Energy"}
        return world(*LINES, cash="3000", sectors=sectors, groups=groups).plan()

    plan = halves(Groups(sector={"Tech": 0.5, "Energy": 0.5}))

    assert plan.verdict.action == "act"
    assert traded(plan) <= {"-AA", "+BB"}
    assert plan.score.hold != halves(Groups()).score.hold


def bought(*lots):
    """AA at 100, bought so many days ago."""
    every = [TaxLot(Decimal(shares), day and AS_OF - timedelta(days=day)) for shares, day in lots]
    shares = sum((lot.quantity for lot in every), Decimal(0))
    of = world(f"AA {shares} @ 100")
    return replace(
        of, snapshot=replace(of.snapshot, holdings=(Holding("AA", shares, tuple(every)),))
    )


def test_the_age_of_a_holding_is_that_of_its_shares_and_not_of_its_oldest_lot():
    lots = [
        ((1, 3650), (99, 100)),  # a share of ten years ago
        ((50, 300), (50, 100)),
        ((10, 730), (30, None)),  # what has no date counts for nothing
    ]

    years = [float(bought(*some).prepared.ctx.years_held[0]) for some in lots]

    assert years == pytest.approx([(3650 + 99 * 100) / 100 / 365, 200 / 365, 2], abs=1 / 365)


def test_a_peak_before_most_of_the_shares_were_bought_is_no_peak_since_the_purchase():
    of = bought((1, 400), (999, 30))
    ctx, market = of.prepared.ctx, of.market
    since = of.snapshot.holdings[0].held_since

    assert since == AS_OF - timedelta(days=30)
    lately = market.closes[market.dates >= since, 0]
    assert ctx.trends.peaks[0] == pytest.approx(lately.max())
    assert market.closes[:, 0].max() > lately.max()
