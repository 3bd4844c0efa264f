"""Bands: nothing is traded inside them, and what is outside is answered at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from builders.past import until
from builders.world import World, world
from steelyard import samples, strategies
from steelyard.importers import assemble, read
from steelyard.market import Market
from steelyard.orders import Side
from steelyard.planning.planner import plan
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.portfolio import Flow, Holding, Snapshot, TaxLot
from steelyard.settings import Costs, Limits, Rebalance, Score, Search
from steelyard.targets import Band, Targets

FUNDS = ("BND", "GLD", "VTI", "VXUS")
LINES = ("BND 100 @ 72", "GLD 20 @ 180", "VTI 240 @ 300", "VXUS 360 @ 62.5")
GOALS = {"BND": 0.12, "GLD": 0.04, "VTI": 0.60, "VXUS": 0.22}
FIVE_25 = {"drift_band_weight": 0.05, "band_relative": 0.25}


def banded(**rules: object) -> World:
    rebalance = Rebalance.model_validate({"trigger": "band", **FIVE_25, **rules})
    return world(*LINES, cash="2500", targets=GOALS, funds=FUNDS, rebalance=rebalance)


def planned(of: World) -> Plan:
    answer = of.plan()
    report = verify.check(answer.document())
    assert report.ok, report.failed[:3]
    return answer


def outside(answer: Plan, *, after: bool) -> set[str]:
    rows = ((b, b.weight_after if after else b.weight) for b in answer.bands)
    return {b.name for b, weight in rows if not b.low - 1e-9 <= weight <= b.high + 1e-9}


@pytest.mark.parametrize("scope", ["quantities", "candidates", "proposals"])
@pytest.mark.parametrize("to", ["target", "edge"])
def test_what_is_outside_is_answered_and_nothing_else_but_what_pays(to: str, scope: str):
    answer = planned(banded(to=to).having(search={"scope": scope}))

    assert outside(answer, after=False) == {"BND", "VTI"}
    assert outside(answer, after=True) == set()
    tags = {step.symbol: set(step.tags) & {"band", "band_funding"} for step in answer.steps}
    assert {symbol for symbol, own in tags.items() if own == {"band"}} == {"BND", "VTI"}
    assert all(tags.values())
    assert answer.occasions == ("band",)
    assert answer.verdict.text.startswith("Act. Two weights are outside their bands, BND most")
    moved = {row.symbol: row.weight for row in answer.holdings_after}
    lot = {row.symbol: float(row.lot_value / answer.value) for row in answer.holdings}
    if to == "target":
        assert abs(moved["VTI"] - 0.60) <= lot["VTI"] / 2
        assert abs(moved["BND"] - 0.12) <= lot["BND"] / 2
    else:  # what is sold to its edge pays for the other, and goes no further than it must
        assert 0.65 - 2 * lot["VTI"] < moved["VTI"] <= 0.65
        assert 0.09 <= moved["BND"] < 0.09 + lot["BND"]


def test_while_all_is_inside_nothing_is_traded_whatever_the_score_gains():
    wide = banded(drift_band_weight=0.2, band_relative=None)
    loose = wide.having(score={"min_improvement": 0.0, "order_hurdle": 0.0})
    by_score = loose.having(rebalance=Rebalance())

    assert planned(loose).verdict.text == "Hold. All 5 weights are inside their bands."
    assert planned(by_score).steps
    stops = planned(loose.having(search={"scope": "candidates"})).not_traded
    assert {stop.rule for stop in stops if stop.candidate} == {"inside_band"}


def test_thresholds_hold_no_answer_back_and_the_share_of_a_commission_does():
    goals, score = {"AA": 0.5, "BB": 0.5}, Score(min_improvement=0.9, order_hurdle=0.9)
    rules = Rebalance(trigger="band", drift_band_weight=0.002)
    limits = Limits(cash_reserve_weight=0.0, min_trade_weight=0.2)
    of = world("AA 5030 @ 10", "BB 4970 @ 10", targets=goals, funds=("AA", "BB"), score=score,
               limits=limits, rebalance=rules, costs=Costs(fixed=1.0, percent=0.0))  # fmt: skip
    dear = of.having(costs={"fixed": 50.0})

    assert {step.symbol for step in planned(of).steps} == {"AA", "BB"}
    kept = planned(dear)
    assert kept.steps == ()
    assert "leave no order" in kept.verdict.detail


def test_a_band_of_the_targets_file_wins_and_of_two_widths_the_smaller_holds():
    own = {"VTI": Band(absolute=0.2), "GLD": Band(absolute=0.05, relative=0.1)}
    of = banded()
    answer = planned(replace(of, targets=Targets(of.targets.weights, bands=own)))

    bands = {band.name: (round(band.low, 9), round(band.high, 9)) for band in answer.bands}
    assert bands["VTI"] == (0.4, 0.8)
    assert bands["GLD"] == (0.036, 0.044)
    assert bands["BND"] == (0.09, 0.15)  # 25 % of 12 % is less than 5 points
    assert bands["CASH"] == (0.02, 0.025)  # no lower than the reserve
    assert outside(answer, after=False) == {"BND", "GLD"}
    assert outside(answer, after=True) == set()
    assert {b.symbol: b.band for b in answer.holdings}["VTI"] == pytest.approx((0.4, 0.8))


def test_a_width_below_0_or_over_1_is_refused():
    for width in (-0.01, 1.01, float("nan")):
        for name in ("drift_band_weight", "band_relative"):
            with pytest.raises(ValueError, match=name):
                Rebalance.model_validate({name: width})


def test_without_a_sale_that_may_pay_what_stays_outside_is_told():
    stuck = banded().having(limits={"allow_sell": False})
    answer = planned(stuck)

    assert "VTI" in outside(answer, after=True)
    assert all(step.side is Side.BUY for step in answer.steps)
    assert "VTI" in answer.verdict.detail.split("leave no order")[0]


def test_a_class_outside_its_band_is_answered_by_members_whose_own_bands_follow_it(tmp_path: Path):
    texts = {
        "holdings": "symbol,quantity,price\nVTI,200,300\nSCHB,75,100\nBND,440,50\nAGG,200,50\n"
        "CASH:USD,2100,\n",
        "targets": "symbol,weight,band\nclass:US,0.60,0.03\nclass:Bonds,0.38,0.03\n",
        "securities": "symbol,product_type,class,preference\nVTI,ETF,US,1\nSCHB,ETF,US,2\n"
        "BND,ETF,Bonds,1\nAGG,ETF,Bonds,2\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text)
    seen = read(
        tmp_path / "holdings.csv",
        targets=tmp_path / "targets.csv",
        securities=tmp_path / "securities.csv",
    )
    inputs = assemble(seen, as_of=date(2026, 1, 9))
    strategy = replace(strategies.default(), rebalance=Rebalance(trigger="band"))
    answer = plan(inputs.snapshot, inputs.market, strategy, targets=inputs.targets)

    assert outside(answer, after=False) == {"US", "Bonds", "SCHB", "BND"}
    assert outside(answer, after=True) == set()
    assert {step.symbol for step in answer.steps} == {"SCHB", "BND"}
    assert verify.check(answer.document()).ok


# the bundled history


def month_ends(market: Market) -> list[np.datetime64]:
    """The last session of each month, 2015 to 2022."""
    months = market.dates.astype("datetime64[M]")
    last = np.flatnonzero(np.append(months[1:] != months[:-1], True))
    days = market.dates[last]
    inside = (days >= np.datetime64("2014-12-31")) & (days <= np.datetime64("2022-12-31"))
    return list(days[inside])


def monthly(rules: Rebalance) -> list[Plan]:
    """Start on target with 100,000 USD, plan and trade at each month's end."""
    sample = samples.sample("growth")
    tables = {"targets": sample.targets, "securities": sample.securities}
    inputs = assemble(read(sample.holdings, prices=sample.prices, **tables))
    usual = strategies.default()
    strategy = replace(usual, costs=Costs(fixed=1.0, percent=0.0005), rebalance=rules)
    strategy = replace(strategy, search=strategy.search.model_copy(update={"max_nodes": 1}))
    days, goals = month_ends(inputs.market), inputs.targets.weights
    quotes = until(inputs.market, days[0]).quotes
    owned = {s: int(100_000 * goals[s] / float(quotes[s].price)) for s in goals}
    cash = Decimal(100_000) - sum(owned[s] * quotes[s].price for s in owned)
    plans = []
    for day in days:
        holdings = tuple(
            Holding(s, Decimal(q), (TaxLot(Decimal(q), date(2010, 1, 4)),))
            for s, q in owned.items()
            if q
        )
        balances = {"USD": cash}
        today = day.astype(object)
        snapshot = Snapshot(today, "USD", holdings, balances, inputs.snapshot.securities)
        answer = plan(snapshot, until(inputs.market, day), strategy, targets=inputs.targets)
        for step in answer.steps:
            sign = 1 if step.side is Side.BUY else -1
            owned[step.symbol] = owned.get(step.symbol, 0) + sign * int(step.quantity)
        cash = answer.cash_after["USD"]
        plans.append(answer)
    return plans


@pytest.mark.real_quotes
@pytest.mark.parametrize("to", ["target", "edge"])
def test_month_by_month_every_breach_is_answered_at_once_and_nothing_is_traded_inside(to: str):
    plans = monthly(Rebalance(trigger="band", drift_band_weight=0.02, to=to))
    wrong = []
    for answer in plans:
        out, stay = outside(answer, after=False), outside(answer, after=True)
        if not out and answer.steps:
            wrong.append(f"{answer.as_of}: {len(answer.steps)} orders, all inside")
        if stay:
            wrong.append(f"{answer.as_of}: {sorted(stay)} outside afterwards")

    assert not wrong, wrong
    assert any(not answer.steps for answer in plans)
    assert any(answer.steps for answer in plans)


def test_of_fewer_orders_than_answers_are_made_those_that_leave_least_drift():
    """Not the sales alone, whose money would lie idle."""
    lines = (
        "AA 300 @ 100",
        "BB 280 @ 100",
        "CC 260 @ 100",
        "DD 40 @ 100",
        "EE 30 @ 100",
        "FF 20 @ 100",
    )
    six = [line[:2] for line in lines]
    goals = dict.fromkeys(six, 0.16)

    def least(scope, most):
        of = world(
            *lines, cash="4000", targets=goals, funds=six, rebalance=Rebalance(trigger="band"),
            limits=Limits(max_orders=most), search=Search(scope=scope, max_depth=6),
        )  # fmt: skip
        plan = of.plan()
        sides = {step.side for step in plan.steps}
        assert len(plan.steps) == min(most, 6)
        assert sides == {Side.SELL, Side.BUY}
        assert verify.check(plan.document()).failed == ()
        return plan.drift.after

    for scope in ("quantities", "candidates"):
        drifts = [least(scope, most) for most in (2, 3, 4, 5, 6)]
        assert drifts == sorted(drifts, reverse=True)
        assert drifts[1] < 0.35


def test_a_withdrawal_takes_of_the_reserve_no_more_inside_a_wide_band_than_without_bands():
    for to in ("target", "edge"):
        of = banded(to=to).having(cash={"USD": Decimal(2500)})
        out = Flow("USD", Decimal(-4000), of.snapshot.as_of)
        answer = planned(of.having(flows=(out,)))

        assert answer.reserve > 1_900
        assert answer.cash_after["USD"] >= answer.reserve
        (cash,) = (band for band in answer.bands if band.kind == "cash")
        assert cash.low * float(answer.base_of_weights) >= float(answer.reserve) - 0.01


def test_a_deposit_inside_all_bands_is_invested_and_pays_no_reserve_by_a_sale():
    """The account had no cash before: what stays of it is none."""
    rules = Rebalance(trigger="band", drift_band_weight=0.05)
    goals = {"VTI": 0.6, "BND": 0.4}
    of = world(
        "VTI 188 @ 300", "BND 600 @ 72", targets=goals, funds=("VTI", "BND"), rebalance=rules
    )
    answer = planned(of.having(flows=(Flow("USD", Decimal(1200), of.snapshot.as_of),)))

    assert [(s.side, s.symbol, int(s.quantity)) for s in answer.steps] == [(Side.BUY, "VTI", 3)]


def test_what_new_money_buys_may_take_more_of_what_was_outside():
    rules = Rebalance(trigger="band", drift_band_weight=0.1)
    of = world("AA 40 @ 100", "BB 60 @ 100", funds=("AA", "BB"), rebalance=rules)
    goals = Targets({"AA": 0.55, "BB": 0.4}, bands={"AA": Band(absolute=0.3)})
    out = Flow("USD", Decimal(1500), of.snapshot.as_of)
    answer = planned(replace(of.having(flows=(out,)), targets=goals))

    sold, bought = answer.steps
    assert (sold.symbol, bought.symbol) == ("BB", "AA")
    assert "it takes money of what was outside" in bought.reason


def test_the_edge_is_the_edge_in_every_scope_when_a_withdrawal_is_due():
    rules = Rebalance(trigger="band", to="edge", drift_band_weight=0.05)
    of = world("AA 100 @ 100", targets={"AA": 0.4}, funds=("AA",), rebalance=rules)
    out = Flow("USD", Decimal(-500), of.snapshot.as_of)
    for scope in ("quantities", "candidates", "proposals"):
        answer = planned(of.having(flows=(out,), search={"scope": scope}))
        (step,) = answer.steps
        assert step.quantity == 58, scope
        assert answer.occasions == ("shortfall", "band"), scope
