"""Explaining a plan: re-solved, never guessed, and outside the plan's id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache

import numpy as np
import pytest

from builders.changes import with_form
from builders.classes import classed
from builders.world import BUSY, with_call, without, world
from steelyard import samples, strategies
from steelyard.importers import assemble, read
from steelyard.modules.registry import Kind
from steelyard.modules.terms import BlackBox, Part, Term
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.planner import plan
from steelyard.planning.questions.again import asked_of
from steelyard.planning.questions.explain import explain
from steelyard.planning.questions.stability import RESAMPLES, _history, _net_and_best
from steelyard.planning.questions.thresholds import LARGEST_FALL, PRECISION, _price
from steelyard.planning.search.quantities import LotSearch
from steelyard.planning.solve import LOCAL, solved
from steelyard.plans import verify
from steelyard.plans.plan import Plan, plan_id
from steelyard.sentences import FORMATS

pytestmark = pytest.mark.real_quotes


@cache
def growth_case(min_improvement: float | None = None) -> Case:
    sample = samples.sample("growth")
    files = read(
        sample.holdings, prices=sample.prices, targets=sample.targets, securities=sample.securities
    )
    inputs = assemble(files)
    strategy, snapshot = strategies.default(), inputs.snapshot
    if min_improvement is not None:
        strategy = replace(
            strategy, score=strategy.score.model_copy(update={"min_improvement": min_improvement})
        )
        # little more than the reserve: no money is put to work that need not gain as much
        snapshot = replace(snapshot, cash={"USD": Decimal(3600)})
    return Case(snapshot=snapshot, market=inputs.market, strategy=strategy, targets=inputs.targets)


def planned(case: Case) -> Plan:
    asked = {"targets": case.targets, "state": case.state, "seed": case.seed}
    return plan(case.snapshot, case.market, case.strategy, **asked)


@cache
def explained(min_improvement: float | None = None) -> Plan:
    case = growth_case(min_improvement)
    return explain(case, planned(case))


def test_an_explanation_leaves_the_plan_and_its_id_alone():
    bare = planned(growth_case())

    told = explained()

    assert told.plan_id == bare.plan_id == plan_id(told.document())
    assert (
        told.model_copy(
            update={"explanation": None, "timings": bare.timings, "certificate": bare.certificate}
        )
        == bare
    )


def test_the_same_case_is_explained_the_same_twice_and_progress_is_told_to_almost_all():
    case, calls = growth_case(), []

    again = explain(case, planned(case), lambda *call: calls.append(call))

    assert again.explanation == explained().explanation
    assert calls[0] == ("re-estimating returns and risk", 0, RESAMPLES)
    assert all(0 <= done < total for _, done, total in calls)


def test_stability_counts_the_re_estimates_in_which_the_plan_beats_hold():
    stability = explained().explanation.stability

    assert stability.resamples == RESAMPLES
    assert 0 <= stability.share <= 1
    assert stability.share * RESAMPLES == pytest.approx(stability.facts["holds"])
    assert stability.mean_regret >= 0
    assert stability.text == explained().explanation.text


def test_a_counterfactual_is_what_planning_with_the_changed_rule_gives():
    case, told = growth_case(), explained()

    for found in told.explanation.counterfactuals:
        section, setting = found.setting.split(".")
        now = getattr(getattr(case.strategy, section), setting)
        then = planned(case.with_setting(section, setting, type(now)(found.then)))

        as_it_is = told.score.improvement
        if setting == "order_hurdle":
            # today's plan by the changed rule: each order that is charged is charged less
            as_it_is += (1 - found.then / now) * told.score.charges.hurdle
        assert found.now == now
        gain = then.score.improvement - as_it_is
        assert found.gain == pytest.approx(gain, abs=1e-9)
        assert found.gain_least - 1e-9 <= gain <= found.gain_most + 1e-9
        assert found.gain_most - found.gain_least < 1e-4
    assert [found.name for found in told.explanation.counterfactuals] == [
        "another percent of reserve",
        "a looser position cap",
        "a smaller least order",
        "a lower hurdle for each order",
    ]


def test_one_more_order_is_asked_only_where_the_number_of_orders_is_limited():
    limited = growth_case().with_setting("limits", "max_orders", 4)
    by_depth = growth_case().with_setting("search", "max_depth", 4)
    wrong = []
    for case, key in ((limited, "limits.max_orders"), (by_depth, "search.max_depth")):
        now = planned(case)
        more = explain(case, now).explanation.counterfactuals[0]
        section, setting = more.setting.split(".")
        then = planned(case.with_setting(section, setting, 5))

        gain = then.score.improvement - now.score.improvement
        if (more.name, more.setting, more.now) != ("one more order", key, 4):
            wrong.append(more)
        if not (len(now.steps) == 4 and more.gain > 0 and abs(more.gain - gain) < 1e-9):
            wrong.append((more, gain))

    assert wrong == []


def test_the_money_of_a_counterfactual_is_the_cost_that_would_eat_its_gain():
    told = explained()
    per_cost = told.score.charges.cost / float(told.costs.total)

    for found in told.explanation.counterfactuals:
        if found.money is not None:
            assert float(found.money) * per_cost == pytest.approx(found.gain, abs=per_cost)


def test_at_its_threshold_an_order_is_gone_and_just_inside_it_is_there():
    case, told = growth_case(), explained()
    found = next(
        threshold for threshold in told.explanation.thresholds if threshold.price is not None
    )
    step = told.steps[found.n - 1]
    factor = float(found.price) / float(step.price)
    # an order that is worth next to nothing there: a list without it may be as good a little before
    inside = factor + 2 * (PRECISION if factor < 1 else -PRECISION)

    def at(k: float) -> Plan:
        quote = replace(case.market.quotes[step.symbol], price=_price(step.price, k))
        return planned(
            replace(case, market=case.market.at_prices({**case.market.quotes, step.symbol: quote}))
        )

    assert at(factor).step(step.symbol) is None
    assert at(inside).step(step.symbol) is not None


def test_every_step_has_a_threshold_or_says_how_far_it_was_looked_for():
    told = explained()

    assert [threshold.symbol for threshold in told.explanation.thresholds] == [
        step.symbol for step in told.steps
    ]
    for threshold in told.explanation.thresholds:
        if threshold.price is None and threshold.side is Side.SELL:
            assert threshold.facts["limit"] == LARGEST_FALL


def test_a_hold_plan_is_told_the_smallest_loosening_that_would_act():
    told = explained(0.30)

    assert told.verdict.action == "hold"
    found = {relaxation.setting: relaxation for relaxation in told.explanation.relaxations}
    assert found["score.min_improvement"].then == pytest.approx(0.225)
    assert told.explanation.thresholds == ()
    assert told.explanation.counterfactuals


def test_an_acting_plan_needs_no_relaxation():
    assert explained().explanation.relaxations == ()


def test_every_number_of_an_explanation_is_a_fact():
    for whole in (explained().explanation, explained(0.30).explanation):
        for part in (
            whole.stability,
            *whole.counterfactuals,
            *whole.thresholds,
            *whole.relaxations,
        ):
            assert not any(c.isdigit() for c in without_facts(part.text, part.facts)), part.text


def without_facts(text: str, facts: Mapping[str, object]) -> str:
    """The text without anything that a fact reads as in any format."""
    shown = set()
    for fact in facts.values():
        for value in (fact, *readings(fact)):
            for form in FORMATS.values():
                with suppress(TypeError, ValueError, AttributeError):
                    shown.add(form(value))
    for piece in sorted(shown, key=len, reverse=True):
        text = text.replace(piece, " ")
    return text


def readings(fact: object) -> Iterator[object]:
    """Text facts that stand for a decimal or a date."""
    if isinstance(fact, str):
        with suppress(InvalidOperation):
            yield Decimal(fact)
        with suppress(ValueError):
            yield date.fromisoformat(fact)


def test_a_resampled_history_ends_at_todays_closes_and_keeps_gaps():
    closes = np.array([[10.0, np.nan], [11.0, 5.0], [12.0, 6.0]])
    returns = np.array([[0.1, np.nan], [0.2, 0.3]])

    history = _history(returns, closes)

    assert history[-1].tolist() == [12.0, 6.0]
    assert np.diff(np.log(history[:, 0])) == pytest.approx([0.1, 0.2])
    assert np.isnan(history[0, 1])
    assert np.log(history[2, 1] / history[1, 1]) == pytest.approx(0.3)


def test_without_history_or_orders_there_is_still_an_explanation():
    case = growth_case()
    alone = replace(case.snapshot, holdings=(), securities=case.snapshot.securities[:2])
    market = replace(case.market, dates=case.market.dates[:0], closes=case.market.closes[:0])
    empty = replace(case, snapshot=alone, market=market, targets=None)

    told = explain(empty, planned(empty))

    assert told.explanation is not None
    assert told.explanation.stability.resamples == RESAMPLES


def with_rows(permits) -> Case:
    """A case with a filter of sequences that does what is said."""
    of = with_form(BUSY, "correlation_aware", "rows", lambda ctx, table, params: permits)
    return of.case


def test_a_filter_that_fails_only_when_the_plan_is_explained_leaves_the_plan_and_a_warning():
    explaining = []

    def permits(rows):
        if explaining:
            raise RuntimeError("out of luck")
        return np.ones(len(rows), dtype=np.bool_)

    case = with_rows(permits)
    bare = planned(case)

    told = explain(case, bare, lambda *call: explaining.append(call))

    assert told.explanation is None
    assert told.model_copy(update={"warnings": bare.warnings}) == bare
    assert told.plan_id == plan_id(told.document())
    assert [(notice.code, notice.module) for notice in told.warnings[len(bare.warnings) :]] == [
        ("not_explained", "filters.correlation_aware")
    ]
    assert (
        told.warnings[-1].message == "The plan is made, but not what would change it: "
        "filters.correlation_aware failed when it was asked again: RuntimeError: out of luck."
    )


def test_what_is_refused_when_it_is_solved_again_leaves_the_plan_and_a_warning():
    case = growth_case().with_setting("search", "scope", "candidates")
    bare = planned(case)
    crowded = replace(
        case.strategy,
        search=case.strategy.search.model_copy(
            update={"max_candidates": bare.certificate.candidates - 1}
        ),
    )

    told = explain(replace(case, strategy=crowded), bare)

    assert told.explanation is None
    assert "solving again was refused: " in told.warnings[-1].message


def test_a_term_that_the_plan_is_made_without_weighs_nothing_when_it_is_explained(monkeypatch):
    nets, few = [], 3
    monkeypatch.setattr("steelyard.planning.questions.stability.RESAMPLES", few)

    def under(*given):
        nets.append(_net_and_best(*given))
        return nets[-1]

    monkeypatch.setattr("steelyard.planning.questions.stability._net_and_best", under)

    def raw(weights, cash):
        if weights.max(initial=0.0) > 0.15:
            raise RuntimeError("out of luck")
        return 0.0

    def term(ctx, params):
        return Term("quality", (Part("q", 1.0, 0.0, 1.0, raw, BlackBox()),))

    faulty = with_call(BUSY.strategy, Kind.TERM, "quality", term)
    case = replace(BUSY, strategy=faulty).case
    off = replace(case, strategy=without(BUSY.strategy, Kind.TERM, "quality"))

    assert explain(case, planned(case)).explanation == explain(off, planned(off)).explanation
    assert nets[:few] == nets[few:]


def test_of_many_orders_only_the_largest_are_asked_for_their_price_and_that_is_said():
    case = growth_case().with_setting("search", "resolved_orders", 2)
    bare = planned(case)

    told = explain(case, bare).explanation

    largest = sorted(bare.steps, key=lambda step: -step.notional_base)[:2]
    assert {threshold.n for threshold in told.thresholds} == {step.n for step in largest}
    assert told.unasked.text == (
        "The price at which an order leaves was looked for of the 2 largest of "
        f"{len(bare.steps)} orders."
    )
    assert explained().explanation.unasked is None


def test_what_a_search_leaves_open_is_told_as_a_span_that_holds_what_a_proof_finds():
    case = growth_case().with_setting("score", "order_hurdle", 0.005)
    hasty, wrong = case.with_setting("search", "max_nodes", 1), []
    proven, bounded = (explain(asked, planned(asked)) for asked in (case, hasty))

    for exact, span in zip(
        proven.explanation.counterfactuals, bounded.explanation.counterfactuals, strict=True
    ):
        inside = span.gain_least - 1e-9 <= exact.gain <= span.gain_most + 1e-9
        claims = "gain" in span.facts and span.gain_most - span.gain_least > 1e-9
        if span.setting != exact.setting or not inside or claims:
            wrong.append((span.text, span.gain_least, exact.gain, span.gain_most))

    assert bounded.certificate.search_gap > 0
    assert wrong == []


def test_without_targets_a_looser_cap_may_cost_and_its_span_says_so():
    of = world(
        "BB 4 @ 21150.63", "DD 2 @ 32771.55", "EE 11 @ 8407.01", cash="28819.16",
        lots={"BB": "1"}, funds=("DD",), foreign=("EE",),
        cost_prices={"BB": "31509.99", "DD": "49100.57", "EE": "9455.78"},
    )  # fmt: skip
    plan = explain(of.case, of.planned)
    (cap,) = (
        row for row in plan.explanation.counterfactuals
        if row.setting == "limits.max_position_weight"
    )  # fmt: skip

    assert cap.gain < 0
    assert (cap.gain_least, cap.gain_most) == (cap.gain, cap.gain)
    assert cap.text.startswith(
        "A looser position cap (20.0\xa0% to 25.0\xa0%) changes the plan by −"
    )
    assert verify.check(plan.document()).failed == ()


def test_a_distance_from_target_is_told_where_another_price_leaves_the_target_as_it_is():
    several = classed(
        world(
            "AA 1 @ 274", "CC 8 @ 273", "DD 5 @ 552", "EE 4 @ 983", cash="-51",
            funds=("AA", "CC", "DD", "EE"),
        ),
        {"X": "AA CC EE", "Y": "DD"}, {"X": 0.176, "Y": 0.723},
        preference={"AA": 1, "CC": 2, "DD": 3, "EE": 2},
    )  # fmt: skip
    single = classed(
        world("AA 40 @ 100", "CC 30 @ 100", "DD 30 @ 100", funds=("AA", "CC", "DD")),
        {"X": "AA CC", "Y": "DD"}, {"X": 0.5, "Y": 0.48},
    )  # fmt: skip
    plans = [explain(of.case, of.planned) for of in (several, single)]
    rows = [row for plan in plans for row in plan.explanation.thresholds if row.price is not None]

    assert [(row.symbol, row.off_target is None) for row in rows] == [("CC", True), ("DD", False)]
    assert ["off its target" in row.text for row in rows] == [False, True]
    assert [verify.check(plan.document()).failed for plan in plans] == [(), ()]


def test_an_answer_at_another_price_is_that_of_a_context_estimated_anew():
    case = growth_case()
    asked = asked_of(case, planned(case), LOCAL)
    quote = replace(case.market.quotes["LLY"], price=Decimal(300))
    changed = replace(case, market=case.market.at_prices({**case.market.quotes, "LLY": quote}))

    reused = asked.posed(changed)[1]
    anew = solved(changed, LOCAL)[0].ctx

    assert reused.weights.tolist() == anew.weights.tolist()
    assert reused.estimates is asked.now.ctx.estimates
    for name in ("expected_return", "volatility", "quality", "drawdown"):
        assert (getattr(reused.estimates, name) == getattr(anew.estimates, name)).all(), name


def test_a_rule_that_estimates_are_made_by_has_them_made_again():
    case = growth_case()
    asked = asked_of(case, planned(case), LOCAL)

    other = asked.posed(case.with_setting("score", "risk_free", 0.04))[1]

    assert (other.estimates.expected_return != asked.now.ctx.estimates.expected_return).any()


def test_bootstraps_keep_the_orders_and_fit_their_quantities():
    case = growth_case()
    asked = asked_of(case, planned(case), LOCAL)
    listed, search = asked.basis.listed, LotSearch.of(asked.basis.domain.problem)

    fitted = search.fitted(listed)

    ways = search.problem.ways
    assert fitted.orders.traded.tolist() == listed.traded.tolist()
    for i in listed.traded.tolist():
        assert ways.lot[fitted.orders.way[i]] * ways.lot[listed.way[i]] > 0
    assert fitted.net >= search.place(listed).net - 1e-12
