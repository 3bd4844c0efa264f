"""What is refused, what is said, and what one bad input or module costs: never more than itself,
never silent.
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest

from builders.world import AS_OF, SESSIONS, World, with_call, without, world
from steelyard.errors import InternalError, PlanRefused
from steelyard.market import Quote
from steelyard.modules.candidates import Candidate
from steelyard.modules.registry import Kind
from steelyard.modules.terms import Term, linear_part
from steelyard.money import FxRate, FxTable
from steelyard.orders import Order, Side
from steelyard.planning.findings import Findings
from steelyard.planning.solve import local
from steelyard.plans.verify import check
from steelyard.portfolio import BucketState, Holding
from steelyard.sentences import say
from steelyard.settings import Costs, Groups, Score
from steelyard.targets import Targets, TargetsFailed

HELD = ("AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20")
GOALS = {"AA": 0.2, "BB": 0.3, "CC": 0.3}


def usual(**changes) -> World:
    return world(*HELD, cash="9000", **{"targets": GOALS, **changes})


def with_quote(one: World, symbol: str, age: int) -> World:
    """The newest price of a symbol is that many sessions old."""
    days = one.market.dates
    quote = Quote(symbol, one.market.quotes[symbol].price, days[-1 - age].astype(object))
    return replace(one, market=replace(one.market, quotes={**one.market.quotes, symbol: quote}))


def without_quote(one: World, symbol: str) -> World:
    return replace(
        one,
        market=replace(
            one.market, quotes={s: q for s, q in one.market.quotes.items() if s != symbol}
        ),
    )


def stops(plan, symbol):
    return [(row.stage, row.rule) for row in plan.not_traded if row.symbol == symbol]


# unknown value


def test_a_held_security_without_a_price_refuses_the_plan_and_says_what_to_do():
    with pytest.raises(
        PlanRefused, match=r"nothing was planned:\n  AA: no price.*\n.*--exclude SYMBOL"
    ):
        without_quote(usual(), "AA").plan()


@pytest.mark.parametrize(("days", "told"), [(7, "7 days apart"), (30, "30 days apart")])
def test_closes_of_weeks_or_months_are_refused_since_they_would_be_taken_for_those_of_days(
    days, told
):
    daily = usual()
    dates = np.datetime64(AS_OF) - days * np.arange(len(daily.market.dates))[::-1]

    with pytest.raises(PlanRefused, match=f"{told}.*Nothing was planned: give daily closes"):
        replace(daily, market=replace(daily.market, dates=dates)).plan()


def test_a_few_quotes_far_apart_are_no_history_and_no_reason_to_refuse():
    daily = usual(sessions=12)
    dates = np.datetime64(AS_OF) - 30 * np.arange(12)[::-1]

    assert replace(daily, market=replace(daily.market, dates=dates)).plan().verdict.action == "act"


def test_every_reason_is_told_at_once():
    with pytest.raises(PlanRefused) as refused:
        without_quote(without_quote(usual(), "AA"), "BB").plan()

    assert "AA: no price" in str(refused.value)
    assert "BB: no price" in str(refused.value)


@pytest.mark.parametrize(("age", "fine"), [(0, True), (5, True), (6, False)])
def test_a_held_price_may_be_five_sessions_old_and_not_six(age, fine):
    one = with_quote(usual(), "AA", age)

    if fine:
        assert one.plan().value > 0
    else:
        with pytest.raises(
            PlanRefused, match="6 sessions before the as-of date; at most 5 are allowed"
        ):
            one.plan()


def test_a_targeted_security_without_a_price_is_not_traded_and_the_rest_goes_on():
    plan = without_quote(usual(), "CC").plan()

    assert stops(plan, "CC") == [("input", "no_price")]
    assert plan.steps


def untradable(plan) -> list[str]:
    return [notice.message for notice in plan.warnings if notice.code == "untradable_target"]


def test_a_target_that_cannot_be_bought_is_a_warning_with_the_symbol_it_may_be_a_slip_of():
    plan = world("NVDA 400 @ 100", cash="9000", targets={"NVDA": 0.5, "NVDIA": 0.04}).plan()

    assert untradable(plan) == [
        "The target of NVDIA, 4.0 % of value, cannot be bought: no price. Did you mean NVDA?"
    ]
    assert [row.reason for row in plan.not_traded if row.symbol == "NVDIA"] == [
        "No price; it is not traded."
    ]


def test_many_targets_that_cannot_be_bought_share_a_warning_after_the_largest():
    slips = {f"X{i}": 0.01 + i / 1000 for i in range(8)}

    told = untradable(world(*HELD, cash="9000", targets={**GOALS, **slips}).plan())

    assert [line.split()[3] for line in told[:5]] == ["X7,", "X6,", "X5,", "X4,", "X3,"]
    assert told[5:] == [
        (
            "3 more targets, 3.3 % of value together, cannot be bought; each stands under what is "
            "not "
            "traded."
        )
    ]


def test_what_stays_furthest_from_its_target_may_be_what_cannot_be_bought():
    plan = without_quote(usual(), "CC").plan()

    assert (
        "CC stays furthest from its target, 30.0\u00a0pp under it: no price." in plan.verdict.detail
    )
    assert check(plan.document()).ok


def test_a_target_of_a_group_that_no_security_has_is_a_warning_with_the_one_it_may_be_a_slip_of():
    groups = Groups(sector={"Technologie": 0.4, "Energy": 0.6}, country={"Nowhere": 1.0})

    plan = usual(sectors={"AA": "Technology", "BB": "Energy"}, groups=groups).plan()

    assert [notice.message for notice in plan.warnings if notice.code == "unknown_group"] == [
        (
            "No security of this plan has the sector Technologie, to which groups.sector gives a "
            "target of 40.0 %. Did you mean Technology?"
        ),
        (
            "No security of this plan has the country Nowhere, to which groups.country gives a "
            "target of 100.0 %."
        ),
    ]


def test_a_stale_security_that_is_not_held_is_untradable_and_says_by_how_much():
    plan = with_quote(usual(), "CC", 6).plan()

    row = next(row for row in plan.not_traded if row.symbol == "CC")
    assert (row.stage, row.rule, row.value, row.limit, row.margin) == (
        "input",
        "stale_price",
        6,
        5,
        1,
    )
    assert plan.step("CC") is None


@pytest.mark.parametrize("targets", [GOALS, None])
def test_a_stale_or_unpriced_security_changes_no_figure_of_the_rest(targets):
    one = world(*HELD, "DD 0 @ 30", cash="9000", targets=targets)
    without_it = world(*HELD, cash="9000", targets=targets)

    for changed in (with_quote(one, "DD", 6), without_quote(one, "DD")):
        assert changed.plan().steps == without_it.plan().steps
        assert changed.plan().score == without_it.plan().score


def test_a_held_foreign_security_without_a_rate_refuses_the_plan():
    one = usual(foreign=("BB",))

    with pytest.raises(PlanRefused, match="BB: no exchange rate from EUR into USD"):
        replace(one, market=replace(one.market, fx=FxTable("USD"))).plan()


def with_old_rate(one: World) -> World:
    old = FxRate("EUR", Decimal("1.25"), one.market.dates[-7].astype(object))
    return replace(one, market=replace(one.market, fx=FxTable("USD", {"EUR": (old,)})))


def test_an_old_rate_is_no_rate_and_its_date_age_and_limit_are_told():
    told = (
        r"from EUR into USD is of 2024-03-07, 6 sessions before the as-of date; at most 5 are "
        r"allowed \(limits.max_stale_sessions\)"
    )

    with pytest.raises(PlanRefused, match=f"BB: the newest exchange rate {told}"):
        with_old_rate(usual(foreign=("BB",))).plan()
    with pytest.raises(PlanRefused, match=f"cash in EUR: the newest exchange rate {told}"):
        with_old_rate(world(*HELD, cash={"USD": "9000", "EUR": "1"}, targets=GOALS)).plan()


def test_an_old_rate_of_what_is_not_held_leaves_it_out_and_says_by_how_much():
    plan = with_old_rate(usual(foreign=("CC",))).plan()

    row = next(row for row in plan.not_traded if row.symbol == "CC")
    assert (row.stage, row.rule, row.value, row.limit, row.margin) == (
        "input",
        "stale_rate",
        6,
        5,
        1,
    )
    assert "7 Mar 2024" in row.reason.replace("\u00a0", " ")
    assert [(one.symbol, one.target, one.why) for one in plan.drift.absent] == [
        ("CC", 0.3, "old exchange rate")
    ]


def test_cash_of_a_currency_without_a_rate_refuses_the_plan_but_an_empty_balance_does_not():
    def holding(amount):
        return world(*HELD, cash={"USD": "9000", "GBP": amount}, targets=GOALS)

    with pytest.raises(PlanRefused, match="cash in GBP: no exchange rate from GBP into USD"):
        holding("1").plan()
    assert holding("0").plan().value == usual().plan().value


def test_a_portfolio_that_owes_more_than_it_owns_is_refused_with_the_amount():
    with pytest.raises(PlanRefused, match=r"worth -1,000\.00 USD"):
        world("AA 40 @ 100", cash="-5000").plan()


@pytest.mark.parametrize("targets", [None, {"AA": 0.5, "BB": 0.5}, {}])
@pytest.mark.parametrize("lines", [(), ("AA 0 @ 10", "BB 0 @ 5"), ("AA 40 @ 100", "BB 0 @ 5")])
def test_a_portfolio_worth_nothing_is_a_hold_with_a_warning(lines, targets):
    owed = "-4000" if lines and "40" in lines[0] else "0"
    plan = world(*lines, cash=owed, targets=targets if lines else None).plan()

    assert plan.verdict.action == "hold"
    assert plan.candidates == ()
    assert "no_value" in {notice.code for notice in plan.warnings}
    assert all(row.weight == 0 for row in plan.holdings_after)


def test_an_open_buy_without_a_price_refuses_the_plan():
    with pytest.raises(PlanRefused, match="open buy o-1 of XX cannot be valued"):
        usual(orders=(Order("o-1", "XX", Side.BUY, Decimal(1), None),)).plan()


# notices


def test_without_targets_a_warning_says_which_parts_do_not_run():
    plan = usual(targets=None).plan()

    assert [notice.code for notice in plan.warnings] == ["no_targets"]
    outcomes = {(run.kind, run.name): run.outcome for run in plan.modules}
    assert (
        outcomes[Kind.OPPORTUNITY, "weight_based"]
        == outcomes[Kind.TERM, "target_fit"]
        == "no_input"
    )
    assert plan.objective.mode == "none"
    assert plan.drift.before is None
    assert plan.problems == ()


def test_failed_targets_are_a_problem_with_their_reason_and_the_plan_goes_on_without():
    failed = replace(usual(), targets=TargetsFailed("The optimiser found no solution.")).plan()

    assert [notice.code for notice in failed.problems] == ["targets_failed"]
    assert "The optimiser found no solution." in failed.problems[0].message
    assert failed.steps == usual(targets=None).plan().steps


def test_money_that_pays_for_nothing_is_a_warning_with_its_share():
    plan = world(*HELD, cash={"USD": "9000", "EUR": "4000"}, targets=GOALS).plan()

    notice = next(notice for notice in plan.warnings if notice.code == "idle_cash")
    assert "8.1 %" in notice.message


def test_a_commission_that_is_never_small_is_a_warning():
    plan = usual(costs=Costs(percent=0.02)).plan()

    assert "costs_high" in {notice.code for notice in plan.warnings}


def test_what_is_missing_is_counted_with_the_value_used():
    plan = usual(sessions=40).plan()

    used = {(row.symbol, row.metric): row.used for row in plan.data_coverage}
    assert used["AA", "volatility"] == 0.25
    assert used["AA", "dividend_yield"] == 0.02
    assert used["AA", "sector"] is None
    assert used["AA", "average_cost"] is None


# modules


def failing(*_args):
    raise RuntimeError("out of luck")


def candidate(symbol="CC", weights=(0.05,), priority_weight=1.0, side=Side.BUY):
    return [Candidate(side, symbol, weights, priority_weight, say("for a test"))]


BAD_CALCULATORS = {
    "raises": failing,
    "an unknown symbol": lambda ctx, params: candidate("NOPE"),
    "not a number": lambda ctx, params: candidate(weights=(float("nan"),)),
    "endless": lambda ctx, params: candidate(weights=(float("inf"),)),
    "a buy of less than nothing": lambda ctx, params: candidate(weights=(-0.05,)),
    "a sale of more": lambda ctx, params: candidate("AA", (0.05,), side=Side.SELL),
    "nothing": lambda ctx, params: candidate(weights=(0.0,)),
    "too heavy": lambda ctx, params: candidate(priority_weight=9.0),
    "a heavy nothing": lambda ctx, params: candidate(priority_weight=float("nan")),
    "not a list": lambda ctx, params: 7,
    "None": lambda ctx, params: None,
}

BAD_PATTERNS = {
    "raises": failing,
    "the wrong depth": lambda ctx, table, params: np.zeros((1, 2), dtype=np.int64),
    "one dimension": lambda ctx, table, params: np.zeros(5, dtype=np.int64),
    "floats": lambda ctx, table, params: np.zeros((1, 5)),
    "an unknown candidate": lambda ctx, table, params: np.full((1, 5), table.m),
    "None": lambda ctx, table, params: None,
}

BAD_GENERATORS = {
    "raises": failing,
    "raises later": lambda ctx, table, seeds, params: iter_then_fail(table, ctx.search.max_depth),
    "the wrong depth": lambda ctx, table, seeds, params: iter([np.zeros((1, 2), dtype=np.int64)]),
    "an unknown candidate": lambda ctx, table, seeds, params: iter([np.full((1, 5), 10**6)]),
    "not an iterator": lambda ctx, table, seeds, params: 7,
}

BAD_FILTERS = {
    "raises": failing,
    "not a ruling": lambda ctx, table, params: np.ones(table.m, dtype=bool),
    "None": lambda ctx, table, params: None,
}

BAD_TERMS = {
    "raises": failing,
    "not finite": lambda ctx, params: Term(
        "quality", (linear_part("q", 1.0, (0.0, 1.0), np.full(ctx.n, np.nan), 0.0),)
    ),
    "the wrong size": lambda ctx, params: Term(
        "quality", (linear_part("q", 1.0, (0.0, 1.0), np.zeros(ctx.n + 3), 0.0),)
    ),
    "another name": lambda ctx, params: Term(
        "fame", (linear_part("q", 1.0, (0.0, 1.0), np.zeros(ctx.n), 0.0),)
    ),
    "None": lambda ctx, params: None,
}


def iter_then_fail(table, depth):
    yield np.full((1, depth), -1)
    raise RuntimeError("out of luck")


CASES = [
    *((Kind.OPPORTUNITY, "opportunity_buys", how, call) for how, call in BAD_CALCULATORS.items()),
    *((Kind.PATTERN, "direct_buy", how, call) for how, call in BAD_PATTERNS.items()),
    *((Kind.SEQUENCE, "enhanced_combinatorial", how, call) for how, call in BAD_GENERATORS.items()),
    *((Kind.FILTER, "eligibility", how, call) for how, call in BAD_FILTERS.items()),
    *((Kind.TERM, "quality", how, call) for how, call in BAD_TERMS.items()),
]


@pytest.mark.parametrize(
    ("kind", "name", "how", "call"),
    CASES,
    ids=[f"{kind.name.lower()}-{how}" for kind, _, how, _ in CASES],
)
def test_a_faulty_module_costs_only_itself_and_is_named(kind, name, how, call):
    plan = replace(usual(), strategy=with_call(usual().strategy, kind, name, call)).plan()
    as_if_off = replace(usual(), strategy=without(usual().strategy, kind, name)).plan()

    assert [(notice.code, notice.module) for notice in plan.problems] == [
        ("module_failed", f"{kind}.{name}")
    ]
    run = next(run for run in plan.modules if (run.kind, run.name) == (kind, name))
    assert run.outcome == "failed"
    assert run.error
    assert run.error in plan.problems[0].message
    assert [(s.side, s.quantity, s.symbol) for s in plan.steps] == [
        (s.side, s.quantity, s.symbol) for s in as_if_off.steps
    ]
    assert plan.score == as_if_off.score


@pytest.mark.parametrize("kind", Kind)
def test_a_module_out_of_service_is_a_problem_and_not_run(kind):
    name = {
        Kind.OPPORTUNITY: "opportunity_buys",
        Kind.PATTERN: "direct_buy",
        Kind.SEQUENCE: "enhanced_combinatorial",
        Kind.FILTER: "eligibility",
        Kind.TERM: "quality",
    }[kind]
    plan = usual().plan(disabled={f"{kind}.{name}": "three failures"})
    as_if_off = replace(usual(), strategy=without(usual().strategy, kind, name)).plan()

    assert [(notice.code, notice.module) for notice in plan.problems] == [
        ("module_disabled", f"{kind}.{name}")
    ]
    assert "three failures" in plan.problems[0].message
    assert plan.score == as_if_off.score
    assert plan.inputs_sha256 != usual().plan().inputs_sha256


def test_a_bare_name_puts_every_module_of_that_name_out_of_service():
    plan = usual().plan(disabled={"averaging_down": "tired"})

    assert {notice.module for notice in plan.problems} == {
        "opportunity_calculators.averaging_down",
        "pattern_generators.averaging_down",
    }


def test_all_calculators_out_of_service_are_a_hold_that_says_so():
    names = {
        choice.module.qualified: "off" for choice in usual().strategy.choices[Kind.OPPORTUNITY]
    }
    plan = usual().plan(disabled=names)

    assert plan.verdict.action == "hold"
    assert len(plan.problems) == len(names)


def test_without_any_score_term_the_plan_is_refused():
    names = {choice.module.qualified: "off" for choice in usual().strategy.choices[Kind.TERM]}

    with pytest.raises(PlanRefused, match="No score term is left"):
        usual().plan(disabled=names)


def split_quality(lie):
    """The world in which the formula of the quality term differs from its arrays by `lie` of the
    weights.
    """

    def lying(ctx, params):
        honest = linear_part("q", 1.0, (0.3, 0.75), ctx.quality, 0.55)
        return Term(
            "quality",
            (replace(honest, raw=lambda weights, cash: honest.raw(weights, cash) + lie(weights)),),
        )

    return replace(usual(), strategy=with_call(usual().strategy, Kind.TERM, "quality", lying))


def test_a_term_whose_formula_and_arrays_disagree_is_left_out_and_named():
    plan = split_quality(lambda weights: float(weights[0]) ** 2).plan()

    assert [(notice.code, notice.module) for notice in plan.problems] == [
        ("module_failed", "score_terms.quality")
    ]
    assert "the formula gives" in plan.problems[0].message
    assert "quality" not in {term.name for term in plan.score.terms}


def test_a_term_whose_formula_and_arrays_disagree_only_somewhere_withholds_the_plan():
    with pytest.raises(InternalError, match="No plan was made"):
        split_quality(lambda weights: 0.01 * float(weights.max() - weights.min()) ** 2).plan()


# the verdict


def test_an_act_verdict_is_kept_until_seven_tenths_of_the_least_improvement():
    net = usual().plan().score.improvement

    def acts(least, previous):
        one = replace(usual(score=Score(min_improvement=least)), state=BucketState(previous))
        plan = one.plan()
        assert plan.verdict.previous == previous
        return plan.verdict.action == "act"

    for previous in (None, "hold", "act"):
        assert acts(net * 0.999, previous)
    assert [acts(net * 1.2, previous) for previous in (None, "hold", "act")] == [False, False, True]
    assert [acts(net * 1.5, previous) for previous in (None, "hold", "act")] == [
        False,
        False,
        False,
    ]


def test_a_hold_improves_nothing_and_costs_nothing():
    plan = usual(score=Score(min_improvement=100.0)).plan()

    assert plan.verdict.action == "hold"
    assert (plan.score.improvement, plan.score.charges.total, plan.costs.total, plan.turnover) == (
        0,
        0,
        0,
        0,
    )
    assert plan.score.plan == plan.score.hold
    assert plan.cash_after == plan.cash
    assert plan.drift.after == plan.drift.before


# helpers of the stages


def test_findings_time_what_they_guard_by_the_clock_that_is_passed_in():
    ticks = iter([1.0, 3.5])
    findings = Findings(clock=lambda: next(ticks))

    with findings.timed("work"):
        pass

    assert [(t.name, t.seconds) for t in findings.timings] == [("work", 2.5)]


def test_the_plan_reads_no_clock_but_the_one_of_the_steps():
    plan = usual().plan(steps=local(clock=lambda: 0.0))

    assert {timing.seconds for timing in plan.timings} == {0.0}


def test_an_excluded_holding_is_left_out_of_the_value_and_named():
    one = usual()
    left_out = replace(one, snapshot=replace(one.snapshot, excluded=("BB",))).plan()

    assert left_out.excluded == ("BB",)
    assert left_out.value == one.plan().value - 7500
    assert "BB" not in {row.symbol for row in left_out.holdings}


def test_a_holding_of_no_shares_is_not_held():
    one = usual(targets=None)
    empty = replace(
        one,
        snapshot=replace(
            one.snapshot, holdings=(*one.snapshot.holdings, Holding("DD", Decimal(0), ()))
        ),
    )

    assert empty.plan().steps == one.plan().steps


def test_a_security_bought_yesterday_is_not_sold():
    one = usual()
    fresh = tuple(replace(h, last_bought=AS_OF - timedelta(days=1)) for h in one.snapshot.holdings)
    plan = replace(one, snapshot=replace(one.snapshot, holdings=fresh)).plan()

    assert plan.step("AA") is None
    assert ("filter", "min_hold_days") in stops(plan, "AA")


def test_the_sessions_of_the_made_world_are_enough_for_every_estimate():
    assert {row.metric for row in usual().plan().data_coverage} == {
        "dividend_yield",
        "sector",
        "country",
        "average_cost",
    }
    assert date(2024, 3, 15) == AS_OF
    assert SESSIONS > 252
    assert Targets(MappingProxyType(GOALS)).cash == pytest.approx(0.2)
