"""Ugly but valid inputs: tiny and huge, equal and many. A plan comes out that keeps every rule."""

from decimal import Decimal

import pytest
from hypothesis import given

from builders.changes import off, only_with, usual
from builders.each import each
from builders.world import World, world
from builders.worlds import FEWER, worlds
from properties.test_invariants import RULES, SHORT
from steelyard.modules.registry import Kind
from steelyard.plans.verify import check
from steelyard.settings import Costs, Limits, Planner, Score, Search

EVEN = {"AA": 0.3, "BB": 0.3, "CC": 0.3}


def many(count: int, **changes) -> World:
    shares = [(k * 37) % 90 if k % 3 else 0 for k in range(count)]
    lines = [f"S{k:03d} {shares[k]} @ {5 + (k * 7) % 300}" for k in range(count)]
    return world(*lines, cash="40000", **changes)


DEAR = Costs(fixed=50, percent=0.05, spread_bps=1000, fx_percent=0.05)
CAPS = Limits(max_group_weight=0.01, max_position_weight=0.01, max_turnover_weight=0.01)
FREE = {"costs": Costs(fixed=0, percent=0), "score": Score(order_hurdle=0, min_improvement=0)}

EQUAL = {"AA": 0.5, "BB": 0.5}
HUNDREDS = {"AA": "100", "BB": "100", "CC": "100"}
LOSS = {"AA": "0.01", "BB": "5000"}
MIXED = {"AA": "T", "BB": "U", "CC": "T;U"}


def even(**changes) -> World:
    """AA, BB and CC under equal targets."""
    return usual(**{"targets": EVEN, **changes})


def free(**changes) -> World:
    return usual(**{"targets": None, **changes})


UGLY = {
    "tiny prices": lambda: world(
        "AA 400000 @ 0.0001", "BB 0 @ 0.0002", cash="30", targets={"AA": 0.3, "BB": 0.5}
    ),
    "a millionth of a share": lambda: world(
        "AA 0.000001 @ 100", "BB 0 @ 50", cash="1000", targets={"BB": 0.5}
    ),
    "all in millionths": lambda: world(
        "AA 0.000001 @ 100", "BB 0.000003 @ 50", cash="0.00001", targets=EVEN
    ),
    "less than a cent": lambda: world("AA 0 @ 100", cash="0.001", targets={"AA": 1.0}),
    "huge": lambda: world("AA 900000000000 @ 99999.99", "BB 7 @ 0.01", cash="1e15", targets=EQUAL),
    "huge and tiny": lambda: world(
        "AA 1e12 @ 1000", "BB 1 @ 0.0001", cash="1", targets={"AA": 0.5}
    ),
    "all prices equal": lambda: world(*(f"S{k} {10 * k} @ 100" for k in range(8)), cash="9000"),
    "all in one": lambda: usual(targets={"AA": 1.0}),
    "everything out": lambda: usual(targets={}),
    "targets of zero": lambda: usual(targets={"AA": 0.0, "CC": 0.0}),
    "lots of a hundred": lambda: even(lots=HUNDREDS),
    "lots beyond everything": lambda: even(lots={"CC": "1000000"}),
    "a commission of 5 %": lambda: even(costs=DEAR),
    "a commission just under the limit": lambda: even(costs=Costs(percent=0.00999999999)),
    "free": lambda: even(**FREE),
    "all in reserve": lambda: even(limits=Limits(cash_reserve_weight=1.0)),
    "one order": lambda: even(search=Search(max_depth=1)),
    "ten orders": lambda: many(30, search=Search(max_depth=10, max_nodes=300)),
    "no threshold": lambda: even(
        score=Score(min_improvement=0), planner=Planner(priority_threshold=0)
    ),
    "taxed wholly": lambda: even(score=Score(tax_rate=1.0), cost_prices=LOSS),
    "a debt": lambda: even(cash="-20000"),
    "a debt of nearly everything": lambda: even(cash="-47499.99"),
    "a debt of nearly everything, no targets": lambda: free(cash="-47499.99"),
    "a debt to the last cent but a millionth": lambda: free(cash="-47499.999999"),
    "a debt abroad": lambda: even(cash={"USD": "9000", "EUR": "-5000"}),
    "money abroad alone": lambda: even(cash={"USD": "0", "EUR": "50000"}),
    "nothing moves": lambda: free(sessions=1),
    "two sessions": lambda: even(sessions=2),
    "one group": lambda: free(
        sectors=dict.fromkeys(EVEN, "Tech"), limits=Limits(max_group_weight=0.1)
    ),
    "every cap": lambda: even(sectors=MIXED, limits=CAPS),
    "only funds": lambda: free(funds=("AA", "BB", "CC")),
    "a cap of all": lambda: usual(targets={"CC": 1.0}, limits=Limits(max_position_weight=1.0)),
    "little by little": lambda: free(planner=Planner(base_trade_weight=1e-9)),
    "in one bite": lambda: free(planner=Planner(base_trade_weight=1.0)),
    "no least order": lambda: even(limits=Limits(min_trade_weight=0), costs=Costs(fixed=0)),
    "a hundred securities": lambda: many(100, search=Search(max_nodes=50)),
    "a hundred targets": lambda: many(
        100, targets={f"S{k:03d}": 0.0098 for k in range(100)}, search=Search(max_nodes=50)
    ),
}
DEBTS = {name for name in UGLY if name.startswith(("a debt of nearly", "a debt to"))}
"""Weights of millions: figures of 12 digits no longer tell their differences."""


@pytest.mark.parametrize("part", [0, 1])
def test_an_ugly_world_has_a_plan_that_keeps_every_rule_and_that_verify_agrees_with(part):
    def keeps_every_rule(name, build):
        of = build()
        plan = of.plan()
        for rule in RULES:
            rule(of, plan)
        assert {problem.code for problem in plan.problems} <= SHORT
        assert name in DEBTS or check(plan.document()).failed == ()
        plan.to_json()

    each({name: (name, UGLY[name]) for name in list(UGLY)[part::2]}, keeps_every_rule)


def test_a_debt_of_nearly_everything_is_paid_back_first():
    plan = UGLY["a debt of nearly everything"]().plan()

    assert plan.verdict.action == "act"
    assert {step.side for step in plan.steps} == {"sell"}


def test_two_hundred_securities_are_planned_within_the_node_budget():
    plan = many(200, search=Search(max_nodes=20)).plan()

    assert plan.reproducible
    assert plan.certificate.status in {"proven", "bounded"}
    assert plan.certificate.search_gap is not None


def test_a_score_of_one_term_plans_and_of_none_holds():
    terms = ("total_return", "diversification", "quality", "stability", "income")
    of = free()

    def plans(name):
        single = off(of, Kind.TERM, "cash", *(other for other in terms if other != name))
        plan = single.plan()
        for rule in RULES:
            rule(single, plan)
        assert {term.name: term.weight for term in plan.score.terms} == {name: 1.0}

    each({name: name for name in terms}, plans)
    nothing = only_with(free(score=Score(cash_weight=0.0)), Kind.TERM, "cash").plan()
    assert nothing.verdict.action == "hold"
    assert nothing.score.hold == 0


def test_values_keep_their_cents_however_large():
    plan = UGLY["huge"]().plan()

    shares = Decimal("900000000000") * Decimal("99999.99")
    assert plan.value == shares + Decimal("0.07") + Decimal("1e15")


@FEWER
@given(worlds())
def test_the_second_opinion_agrees_on_any_plan(one):
    assert check(one.plan().document()).failed == ()
