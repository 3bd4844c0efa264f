"""Cash that is overdrawn: sales pay it back, to the reserve where they can, or the plan says so."""

from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from types import MappingProxyType

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builders.each import each
from builders.world import solution, world
from builders.worlds import FEWER
from steelyard.ledger import debt_paid, feasible
from steelyard.modules.tables import evaluate
from steelyard.money import ZERO
from steelyard.orders import Order, Side
from steelyard.planning.search.branch_and_bound import branch_and_bound
from steelyard.planning.search.problem import Problem
from steelyard.plans import verify
from steelyard.sentences import money
from steelyard.settings import Costs, Limits, Search
from steelyard.targets import Targets

FUND = {"SPY": 0.5, "IEF": 0.5}


def margin(cash="-20000", targets=FUND, **sections):
    lines = ("SPY 100 @ 590", "IEF 400 @ 95")
    return world(*lines, cash=cash, targets=targets, funds=("SPY", "IEF"), **sections)


def table_alone(of):
    """The world in which the plan is the best of the table, its sizes as they are."""
    search = of.strategy.search.model_copy(update={"scope": "candidates", "refine": False})
    return replace(of, strategy=replace(of.strategy, search=search))


def problems(plan):
    return {problem.code: problem.message for problem in plan.problems}


def amounts(plan):
    """All cash after, of the base currency and in all."""
    return plan.cash_after["USD"], plan.in_base(plan.cash_after) - plan.open_buys


def test_a_margin_loan_is_paid_back_to_the_reserve_with_and_without_targets():
    def paid(of, to):
        plan = of.plan()
        assert plan.cash_after["USD"] >= plan.reserve
        assert problems(plan) == {}
        assert f"cash from USD \u221220,000.00 to {to}" in plan.verdict.text
        assert verify.check(plan.document()).failed == ()

    bare, settled = margin(targets=None), margin(limits=Limits(funding="settled"))
    # without targets 37 shares pay it back, and the score is highest with 40
    cases = {"targets": (margin(), "1,"), "none": (bare, "3,256.44"), "settled": (settled, "1,")}
    each({**cases, "of the table": (table_alone(bare), "1,")}, paid)


def test_one_lot_more_is_sold_where_the_last_one_leaves_cash_under_nothing():
    # 15 shares pay 1,500 and cost 5: five dollars would be missing
    plan = world("AAA 100 @ 100", cash="-1500", targets={"AAA": 1.0}).plan()

    assert plan.step("AAA").quantity == 17
    assert plan.cash_after["USD"] == Decimal("194.60")
    assert "drift" in plan.verdict.text


def test_what_no_sale_can_pay_is_the_second_sentence_and_a_problem():
    plan = margin(limits=Limits(allow_sell=False)).plan()

    assert plan.verdict.action == "hold"
    assert list(problems(plan)) == ["cash_short", "reserve_short"]
    assert plan.verdict.detail.startswith(" ".join(problems(plan).values()))
    assert "20,000.00 is missing" in problems(plan)["cash_short"]
    assert "21,540.00 under the reserve of USD 1,540.00" in problems(plan)["reserve_short"]


def test_a_reserve_that_is_not_met_is_said_and_one_that_is_met_is_not():
    def said(cash, missing):
        plan = world("AA 100 @ 100", cash=cash, targets={"AA": 1.0}).plan()
        code = problems(plan).get("reserve_short", "")
        assert (f"{missing} under the reserve" in code) if missing else not code
        assert code in plan.verdict.detail

    each({"none": ("0", "200.00"), "some": ("100", "102.00"), "enough": ("250", "")}, said)


def test_foreign_debts_are_paid_by_conversion_and_named_where_nothing_pays_them():
    def of(usd):
        return world("AA 100 @ 100", cash={"USD": usd, "EUR": "-300"}, targets={"AA": 0.8})

    paid, owed = of("2000").plan(), of("100").having(limits={"allow_sell": False}).plan()

    assert paid.cash_after["EUR"] == 0
    assert [(c.from_, c.to) for c in paid.conversions] == [("USD", "EUR")]
    assert "cash_short" not in problems(paid)
    assert owed.cash_after == {"EUR": -220, "USD": 0}
    assert problems(owed)["cash_short"].startswith("EUR 220.00 is missing, and the plan may not")
    for plan in (paid, owed):
        assert verify.check(plan.document()).failed == ()


def test_an_account_that_is_not_overdrawn_has_no_sale_for_cash():
    table = solution(margin(cash="100")).table

    assert table.account.due is None
    assert {p.source for row in table.proposals for p in row} & {"raise_cash"} == set()


def test_the_search_over_a_debt_finds_the_best_of_all_sets_that_pay_it():
    of = world(
        "AA 90 @ 100", "BB 70 @ 100", "CC 40 @ 100", cash="-5000",
        targets={"AA": 0.4, "BB": 0.3, "CC": 0.2}, search=Search(max_depth=3),
    )  # fmt: skip
    table = solution(of).table
    problem = Problem(table.tables, table.account, 3, table.predicates)

    proof = branch_and_bound(problem, [], max_nodes=100_000)

    rows = np.array(
        [[*c, *[-1] * (3 - len(c))] for k in (1, 2, 3) for c in combinations(range(table.m), k)]
    )
    good = feasible(table.account, rows) & debt_paid(table.account, rows)
    best = evaluate(table.tables, rows[good]).max()
    assert proof.proven
    assert abs(proof.pool.net[0] - best) < 1e-9


@st.composite
def overdrawn(draw):
    """One to four holdings of whole or broken shares, and a debt of up to nearly all of it."""
    count = draw(st.integers(1, 4))
    lines, worth = [], ZERO
    for name in ("AA", "BB", "CC", "DD")[:count]:
        shares = draw(st.sampled_from(["1", "7", "40", "133", "12.5", "0.75"]))
        price = draw(st.decimals(Decimal("0.5"), Decimal(900), places=2))
        lines.append(f"{name} {shares} @ {price}")
        worth += Decimal(shares) * price
    debt = (worth * Decimal(draw(st.integers(1, 99))) / 100).quantize(Decimal("0.01"))
    parts = draw(st.lists(st.integers(0, 25), min_size=count, max_size=count))
    goals = {line.split()[0]: part / 100 for line, part in zip(lines, parts, strict=True)}
    return world(
        *lines, cash=str(-max(debt, Decimal("0.01"))),
        targets=draw(st.sampled_from([None, goals])),
        lots={"AA": draw(st.sampled_from(["1", "0.001", "10"]))},
        foreign=draw(st.sampled_from([(), ("AA",)])),
        costs=draw(st.sampled_from([Costs(), Costs(fixed=0.0, percent=0.0)])),
        limits=Limits(
            cash_reserve_weight=draw(st.sampled_from([0.0, 0.02, 0.1])),
            funding=draw(st.sampled_from(["proceeds", "settled"])),
            allow_buy=draw(st.booleans()),
        ),
        search=Search(scope=draw(st.sampled_from(["candidates", "proposals"]))),
    )  # fmt: skip


def everything_sold(of):
    """Cash if all were sold, base currency."""
    costs, cash = of.strategy.costs, of.cash
    for holding in of.snapshot.holdings:
        currency = of.snapshot.security(holding.symbol).currency
        amount = holding.quantity * of.market.quotes[holding.symbol].price * of.rates[currency]
        charge = Decimal(repr(costs.fixed)) + Decimal(repr(costs.percent)) * amount
        cash += max(ZERO, amount - charge)
    return cash


@FEWER
@given(overdrawn())
def test_cash_ends_at_the_reserve_or_at_least_at_0_where_sales_can_do_it_else_the_plan_says_so(of):
    plan = of.plan()
    most, (base, whole) = everything_sold(of), amounts(plan)

    if most >= 0:
        assert base >= 0
        assert "cash_short" not in problems(plan)
    else:
        assert f"{money(-base)} is missing" in problems(plan)["cash_short"]
    if most >= plan.reserve:
        assert whole >= plan.reserve
        assert problems(plan) == {}
    else:
        missing = money(plan.reserve - whole)
        assert problems(plan)["reserve_short"].startswith(f"Cash ends {missing} under the reserve")
    assert verify.check(plan.document()).failed == ()


def test_open_orders_keep_their_money_and_their_shares():
    buy = Order("b", "BB", Side.BUY, Decimal(10), Decimal(100))
    sell = Order("s", "AA", Side.SELL, Decimal(90), None)
    of = world(
        "AA 100 @ 100", "BB 50 @ 100", cash="-1000", targets={"AA": 0.6, "BB": 0.3},
        orders=(buy, sell),
    )  # fmt: skip
    plan = of.plan()

    assert plan.cash_after["USD"] - plan.open_buys >= 0
    assert all(step.quantity <= 10 for step in plan.steps if step.symbol == "AA")
    assert verify.check(plan.document()).failed == ()


def test_a_target_of_nothing_is_sold_out_before_a_target_is_left_short():
    of = margin(cash="-38000", targets={"SPY": 0.97})
    of = replace(of, targets=Targets(MappingProxyType({"SPY": 0.97})))
    plan, whole = of.plan(), table_alone(of).plan()

    assert whole.step("IEF").quantity == 400
    # a rest of one least order is worth more to the score than its drift costs
    assert plan.step("IEF").quantity == 396
    assert plan.score.plan > whole.score.plan
    for each_plan in (plan, whole):
        assert each_plan.step("SPY").quantity == 3  # 97 shares are its target
        assert each_plan.cash_after["USD"] >= each_plan.reserve
