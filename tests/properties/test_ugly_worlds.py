"""Ugly but valid inputs: tiny and huge, equal and many. A plan comes out, and it keeps every
rule.
"""

from decimal import Decimal

import pytest
from hypothesis import given

from builders.world import World, world
from builders.worlds import FEWER, worlds
from properties.test_invariants import RULES
from steelyard.plans.verify import check
from steelyard.settings import Costs, Limits, Planner, Score, Search

EVEN = {"AA": 0.3, "BB": 0.3, "CC": 0.3}
HELD = ("AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20")


def many(count: int, **changes) -> World:
    lines = [
        f"S{k:03d} {(k * 37) % 90 if k % 3 else 0} @ {5 + (k * 7) % 300}" for k in range(count)
    ]
    return world(*lines, cash="40000", **changes)


DEAR = Costs(fixed=50, percent=0.05, spread_bps=1000, fx_percent=0.05)
CAPS = Limits(max_group_weight=0.01, max_position_weight=0.01, max_turnover_weight=0.01)
FREE = {"costs": Costs(fixed=0, percent=0), "score": Score(order_hurdle=0, min_improvement=0)}

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
    "huge": lambda: world(
        "AA 900000000000 @ 99999.99", "BB 7 @ 0.01", cash="1e15", targets={"AA": 0.5, "BB": 0.5}
    ),
    "huge and tiny": lambda: world(
        "AA 1e12 @ 1000", "BB 1 @ 0.0001", cash="1", targets={"AA": 0.5}
    ),
    "all prices equal": lambda: world(*(f"S{k} {10 * k} @ 100" for k in range(8)), cash="9000"),
    "all in one": lambda: world(*HELD, cash="9000", targets={"AA": 1.0}),
    "everything out": lambda: world(*HELD, cash="9000", targets={}),
    "targets of zero": lambda: world(*HELD, cash="9000", targets={"AA": 0.0, "CC": 0.0}),
    "lots of a hundred": lambda: world(
        *HELD, cash="9000", targets=EVEN, lots={"AA": "100", "BB": "100", "CC": "100"}
    ),
    "lots beyond everything": lambda: world(
        *HELD, cash="9000", targets=EVEN, lots={"CC": "1000000"}
    ),
    "a commission of 5 %": lambda: world(*HELD, cash="9000", targets=EVEN, costs=DEAR),
    "a commission just under the limit": lambda: world(
        *HELD, cash="9000", targets=EVEN, costs=Costs(percent=0.00999999999)
    ),
    "free": lambda: world(*HELD, cash="9000", targets=EVEN, **FREE),
    "all in reserve": lambda: world(
        *HELD, cash="9000", targets=EVEN, limits=Limits(cash_reserve_weight=1.0)
    ),
    "one order": lambda: world(*HELD, cash="9000", targets=EVEN, search=Search(max_depth=1)),
    "ten orders": lambda: many(30, search=Search(max_depth=10, max_nodes=300)),
    "no threshold": lambda: world(
        *HELD,
        cash="9000",
        targets=EVEN,
        score=Score(min_improvement=0),
        planner=Planner(priority_threshold=0),
    ),
    "taxed wholly": lambda: world(
        *HELD,
        cash="9000",
        targets=EVEN,
        score=Score(tax_rate=1.0),
        cost_prices={"AA": "0.01", "BB": "5000"},
    ),
    "a debt": lambda: world(*HELD, cash="-20000", targets=EVEN),
    "a debt of nearly everything": lambda: world(*HELD, cash="-47499.99", targets=EVEN),
    "a debt of nearly everything, no targets": lambda: world(*HELD, cash="-47499.99"),
    "a debt to the last cent but a millionth": lambda: world(*HELD, cash="-47499.999999"),
    "a debt abroad": lambda: world(*HELD, cash={"USD": "9000", "EUR": "-5000"}, targets=EVEN),
    "money abroad alone": lambda: world(*HELD, cash={"USD": "0", "EUR": "50000"}, targets=EVEN),
    "nothing moves": lambda: world(*HELD, cash="9000", sessions=1),
    "two sessions": lambda: world(*HELD, cash="9000", targets=EVEN, sessions=2),
    "one group": lambda: world(
        *HELD, cash="9000", sectors=dict.fromkeys(EVEN, "Tech"), limits=Limits(max_group_weight=0.1)
    ),
    "every cap": lambda: world(
        *HELD, cash="9000", targets=EVEN, sectors={"AA": "T", "BB": "U", "CC": "T;U"}, limits=CAPS
    ),
    "only funds": lambda: world(*HELD, cash="9000", funds=("AA", "BB", "CC")),
    "a cap of all": lambda: world(
        *HELD, cash="9000", targets={"CC": 1.0}, limits=Limits(max_position_weight=1.0)
    ),
    "little by little": lambda: world(*HELD, cash="9000", planner=Planner(base_trade_weight=1e-9)),
    "in one bite": lambda: world(*HELD, cash="9000", planner=Planner(base_trade_weight=1.0)),
    "no least order": lambda: world(
        *HELD, cash="9000", targets=EVEN, limits=Limits(min_trade_weight=0), costs=Costs(fixed=0)
    ),
    "a hundred securities": lambda: many(100, search=Search(max_nodes=50)),
    "a hundred targets": lambda: many(
        100, targets={f"S{k:03d}": 0.0098 for k in range(100)}, search=Search(max_nodes=50)
    ),
}


@pytest.mark.parametrize("name", UGLY)
def test_an_ugly_world_has_a_plan_that_keeps_every_rule(name):
    one = UGLY[name]()
    plan = one.plan()

    for rule in RULES:
        rule(one, plan)
    assert not plan.problems
    plan.to_json()


def test_a_debt_of_nearly_everything_is_paid_back_first():
    plan = UGLY["a debt of nearly everything"]().plan()

    assert plan.verdict.action == "act"
    assert {step.side for step in plan.steps} == {"sell"}


def test_two_hundred_securities_are_planned_within_the_node_budget():
    plan = many(200, search=Search(max_nodes=20)).plan()

    assert plan.reproducible
    assert plan.certificate.status in {"proven", "bounded"}
    assert plan.certificate.search_gap is not None


@pytest.mark.parametrize(
    "terms", [{"tr": 1.0}, {"div": 1.0}, {"q": 1.0}, {"stab": 1.0}, {"inc": 1.0}]
)
def test_a_score_of_one_term_plans(terms):
    """Weights of zero: everything else of the profile is switched off."""
    from builders.world import without
    from steelyard.modules.registry import Kind

    names = {
        "tr": "total_return",
        "div": "diversification",
        "q": "quality",
        "stab": "stability",
        "inc": "income",
    }
    one = world(*HELD, cash="9000")
    off = [name for short, name in names.items() if short not in terms]
    alone = World(one.snapshot, one.market, without(one.strategy, Kind.TERM, "cash", *off))

    plan = alone.plan()

    for rule in RULES:
        rule(alone, plan)
    assert {term.name: term.weight for term in plan.score.terms} == {names[next(iter(terms))]: 1.0}


def test_a_score_without_any_weight_holds():
    from builders.world import only
    from steelyard.modules.registry import Kind

    one = world(*HELD, cash="9000", score=Score(cash_weight=0.0))
    plan = World(one.snapshot, one.market, only(one.strategy, Kind.TERM, "cash")).plan()

    assert plan.verdict.action == "hold"
    assert plan.score.hold == 0


def test_values_keep_their_cents_however_large():
    plan = UGLY["huge"]().plan()

    assert plan.value == Decimal("900000000000") * Decimal("99999.99") + Decimal("0.07") + Decimal(
        "1e15"
    )


DEBTS = {name for name in UGLY if name.startswith(("a debt of nearly", "a debt to"))}
"""Weights of millions: figures of 12 digits no longer tell their differences."""


@pytest.mark.parametrize("name", sorted(set(UGLY) - DEBTS))
def test_the_second_opinion_agrees_on_an_ugly_plan(name):
    assert check(UGLY[name]().plan().document()).failed == ()


@FEWER
@given(worlds())
def test_the_second_opinion_agrees_on_any_plan(one):
    assert check(one.plan().document()).failed == ()
