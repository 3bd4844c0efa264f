"""New money: what is there over cash target and reserve buys what is furthest under its target."""

from __future__ import annotations

import math
import random
from decimal import Decimal

import pytest

from builders.world import World, world
from builders.worlds import seeds
from steelyard.orders import Side
from steelyard.planning.planner import plan
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.portfolio import Flow
from steelyard.settings import Costs, Limits, Rebalance

FREE = {
    "costs": Costs(fixed=0.0, percent=0.0),
    "limits": Limits(cash_reserve_weight=0.0, min_trade_weight=0.0),
}
SAVER = ("BND 208 @ 72", "VTI 200 @ 300", "VXUS 400 @ 62.5")
GOALS = {"BND": 0.15, "VTI": 0.60, "VXUS": 0.25}
FUNDS = ("BND", "VTI", "VXUS")


def planned(of: World) -> Plan:
    answer = plan(of.snapshot, of.market, of.strategy, targets=of.targets)
    report = verify.check(answer.document())
    assert report.ok, report.failed[:3]
    return answer


def bought(answer: Plan) -> dict[str, int]:
    return {
        step.symbol: int(step.quantity) * (1 if step.side is Side.BUY else -1)
        for step in answer.steps
    }


def depositing(of: World, amount: str, currency: str = "USD") -> World:
    flow = Flow(currency, Decimal(amount), of.snapshot.as_of)
    return of.having(flows=(flow,))


@pytest.mark.parametrize("scope", ["quantities", "candidates", "proposals"])
def test_a_month_of_saving_is_invested_in_every_scope_although_the_score_gains_little(scope: str):
    saver = world(*SAVER, cash="1200", targets=GOALS, funds=FUNDS, **FREE)
    answer = planned(saver.having(search={"scope": scope}))

    assert bought(answer) == {"BND": 3, "VTI": 2, "VXUS": 5}  # nearest shares: 71.50 is left
    assert answer.occasions == ("new_money",)
    assert answer.score.improvement < answer.score.min_improvement
    assert answer.score.charges.hurdle == 0
    assert "1,128.50 of idle cash" in answer.verdict.text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("was_there", "deposit", "whose"),
    [
        ("1200", "", "idle cash"),
        ("", "1200", "new money"),
        ("700", "500", "new money and idle cash"),
    ],
)
def test_more_than_was_brought_is_not_called_new_money(was_there: str, deposit: str, whose: str):
    saver = world(*SAVER, cash=was_there or "0", targets=GOALS, funds=FUNDS, **FREE)
    answer = planned(depositing(saver, deposit) if deposit else saver)

    assert f"1,128.50 of {whose} to work" in answer.verdict.text.replace("\u00a0", " ")


def test_cash_that_nobody_brought_counts_from_half_a_percent_and_a_deposit_at_once():
    little = world(*SAVER, cash="490", targets=GOALS, funds=FUNDS, **FREE)

    assert planned(little).occasions == ()
    brought = planned(depositing(little.having(cash={}), "490"))
    assert brought.occasions == ("new_money",)
    assert bought(brought) == {"VTI": 1, "VXUS": 2}


def test_only_the_share_of_a_commission_and_the_least_order_in_money_hold_it_back():
    costs = {"limits": Limits(cash_reserve_weight=0.0), "costs": Costs()}
    saver = world(*SAVER, cash="1200", targets=GOALS, funds=FUNDS, **costs)
    base = saver.having(limits={"min_trade_base": 400.0})

    assert bought(planned(saver)) == {"VTI": 2, "VXUS": 5}  # 3 BND, 216: under 2.00 / .8 %
    assert bought(planned(base)) == {"VTI": 2}


def test_the_target_of_cash_the_reserve_and_a_debt_come_first():
    cases = {
        "cash target": {"targets": {"BND": 0.15, "VTI": 0.60, "VXUS": 0.235}},
        "reserve": {"limits": Limits(cash_reserve_weight=0.02, min_trade_weight=0.0)},
    }
    for name, change in cases.items():
        sections = FREE | {"targets": GOALS} | change
        assert planned(world(*SAVER, cash="1200", funds=FUNDS, **sections)).steps == (), name


def test_what_is_traded_beside_it_must_gain_the_least_improvement_of_its_own():
    lines = ("AA 100 @ 100", "BB 60 @ 100", "CC 35 @ 100")
    goals = {"AA": 0.4, "BB": 0.4, "CC": 0.2}
    far = planned(world(*lines, cash="500", targets=goals, funds=("AA", "BB", "CC"), **FREE))
    near = planned(
        world("AA 81 @ 100", "BB 78 @ 100", "CC 35 @ 100", cash="600", targets=goals,
              funds=("AA", "BB", "CC"), **FREE)
    )  # fmt: skip

    assert bought(far)["AA"] < 0
    alone = next(other for other in far.alternatives if other.name == "asked_for")
    assert far.score.improvement >= alone.improvement + far.score.min_improvement
    assert set(bought(near)) == {"BB", "CC"}


def drawn(seed: int, *, tight: bool) -> World:
    """An account with new money; half with fees, a foreign fund and little cash."""
    draw = random.Random(seed)
    names = [f"F{i}" for i in range(draw.randint(2, 5))]
    prices = {name: round(draw.uniform(15, 400), 2) for name in names}
    value = draw.choice([8_000, 40_000, 200_000])
    parts = [[draw.random() + 0.2 for _ in names] for _ in range(2)]
    owned, goals = ([p / sum(row) for p in row] for row in parts)
    lines = [
        f"{n} {int(value * w / prices[n])} @ {prices[n]}" for n, w in zip(names, owned, strict=True)
    ]
    whole = draw.choice([1.0, 0.97])
    targets = {n: int(1000 * whole * g) / 1000 for n, g in zip(names, goals, strict=True)}
    sections = dict(FREE)
    if tight:
        sections = {"costs": Costs(fixed=1.0, percent=0.001), "limits": Limits()}
    foreign = (names[0],) if tight else ()
    amount = f"{value * draw.uniform(0.002, 0.06):.2f}"
    account = world(
        *lines, cash=f"{value * draw.uniform(0, 0.03 * (not tight)):.2f}", targets=targets,
        funds=names, foreign=foreign, sessions=30, **sections,
    )  # fmt: skip
    return depositing(account, amount)


def idle_beyond_a_lot(answer: Plan, of: World) -> str | None:
    """Cash over target and reserve that one lot of what is still under its target would take."""
    cash = answer.in_base(answer.cash_after)
    whole = sum(row.target or 0.0 for row in answer.holdings)
    least = max(float(answer.reserve), (1 - whole) * float(answer.value))
    idle = float(cash) - least
    costs, limits = of.strategy.costs, of.strategy.limits
    commissioned = costs.fixed / (limits.max_cost_share - costs.percent)
    after = {row.symbol: row.weight for row in answer.holdings_after}
    for row in answer.holdings:
        lot = float(row.lot_value)
        gap = ((row.target or 0.0) - after[row.symbol]) * float(answer.value)
        least = lot * max(1, math.ceil(commissioned / lot))
        fits = least * (1 + costs.percent) + costs.fixed
        step = answer.step(row.symbol)
        more = lot * (1 + costs.percent) + costs.fixed if step is not None else fits
        # a step may take another lot, a new order is at least the least one
        if gap > 0.5001 * lot and gap >= 0.5001 * min(lot, more) and idle > more + 0.01:
            if step is None and gap + lot / 2 <= commissioned:
                continue
            return f"{idle:.2f} idle, a lot of {row.symbol} is {lot:.2f}, {gap:.2f} under"
    return None


def test_a_deposit_leaves_no_more_idle_than_one_lot_of_what_is_under_its_target():
    wrong = {}
    for seed in seeds(40, 300):
        of = drawn(seed, tight=seed % 2 == 1)
        answer = planned(of)
        left_over = idle_beyond_a_lot(answer, of)
        if left_over is not None:
            wrong[seed] = left_over
        if answer.in_base(answer.cash_after) < 0:
            wrong[seed] = "cash under 0"

    assert not wrong, wrong


def test_bands_let_a_deposit_through_and_nothing_that_nobody_brought():
    banded = {**FREE, "rebalance": Rebalance(trigger="band", drift_band_weight=0.05)}
    quiet = world(*SAVER, cash="1200", targets=GOALS, funds=FUNDS, **banded)

    assert planned(quiet).verdict.text == "Hold. All 4 weights are inside their bands."
    brought = planned(depositing(quiet.having(cash={}), "1200"))
    assert bought(brought) == {"BND": 3, "VTI": 2, "VXUS": 5}
    assert brought.occasions == ("new_money",)


def test_a_short_search_still_invests():
    saver = world(*SAVER, cash="1200", targets=GOALS, funds=FUNDS, **FREE)
    answer = planned(saver.having(search={"max_nodes": 1}))

    assert bought(answer) == {"BND": 3, "VTI": 2, "VXUS": 5}


def test_a_buy_that_is_too_small_for_its_commission_is_said_to_be_left_out():
    saver = world(*SAVER, targets=GOALS, funds=FUNDS)
    answer = planned(depositing(saver, "1200"))

    assert bought(answer) == {"VTI": 2, "VXUS": 5}
    said = answer.verdict.detail.replace("\u00a0", " ")
    assert "New money buys nothing of BND: the order would be smaller than limits allow." in said
    (stop,) = (row for row in answer.not_traded if row.rule == "small_buy")
    assert stop.symbol == "BND"
    assert "USD 216.00 of it; an order is at least 250.00 (limits.max_cost_share)" in stop.reason


def test_what_the_money_does_not_reach_is_not_said_to_be_too_small():
    far = world("VTI 180 @ 300", "VXUS 420 @ 62.5", "BND 198 @ 72", targets=GOALS, funds=FUNDS)
    answer = planned(depositing(far.having(limits={"allow_sell": False}), "1200"))

    assert bought(answer) == {"VTI": 3}
    assert [row.symbol for row in answer.not_traded if row.rule == "small_buy"] == ["BND"]
    less = planned(depositing(far.having(limits={"allow_sell": False}), "950"))
    assert "small_buy" not in {row.rule for row in less.not_traded}
