"""Each of the documents' four requests, from the request to its answer."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.seed_baseline import case

import steelyard
from builders.requests import (
    ACCOUNT,
    DAY,
    LISTS,
    OPPORTUNITIES,
    POSITIONS,
    SECURITIES,
    TARGETS,
    evaluating,
    generating,
    in_a_chain,
    order,
    plan_request,
    planning,
)
from steelyard.compat.requests import order_of
from steelyard.errors import InputError, PlanRefused, SettingsError
from steelyard.planning.planner import plan
from steelyard.planning.solve import LOCAL, local
from steelyard.plans.verify import check
from steelyard.services.documents.asked import create, evaluate, generate, identify
from steelyard.services.wire import (
    CreatePlanRequest,
    GenerateSequencesRequest,
    IdentifyOpportunitiesRequest,
)

EXAMPLE = Path(steelyard.__file__).parents[2] / "examples" / "create_plan.json"


SHOCKS = {"enable_stochastic_scenarios": True}


def traded(actions):
    return {(action.side, action.symbol, action.quantity) for action in actions}


LARGER = [pytest.param(n, k, marks=pytest.mark.nightly) for n in (100, 200) for k in (1, 10)]


@pytest.mark.parametrize(("n", "beam_width"), [(20, 1), (20, 10), (50, 10), *LARGER])
def test_the_services_in_a_chain_end_at_the_plan_that_the_planner_makes_at_once(n, beam_width):
    whole = create(plan_request(n, beam_width=beam_width))
    opportunities, made, evaluated = in_a_chain(n, beam_width)
    inputs, (asked, _) = case(n).inputs, order_of(plan_request(n).record())
    direct = plan(inputs.snapshot, inputs.market, asked.strategy, targets=inputs.targets)

    steps = [step.action for step in whole.plan.steps]
    best = evaluated.top_sequences[0]
    assert len(steps) > 2
    assert traded(best.sequence) == traded(steps)
    assert traded(steps) == {
        (step.side.value.upper(), step.symbol, step.quantity) for step in direct.steps
    }
    after = float(direct.score.plan - direct.score.charges.total)
    assert best.total_score == pytest.approx(after, abs=1e-9)
    assert whole.plan.end_state_score == pytest.approx(after, abs=1e-9)
    assert best.cash_required == pytest.approx(whole.plan.cash_required, rel=1e-9)
    assert (best.feasible, whole.plan.feasible) == (True, True)
    assert made == evaluated.total_evaluated == whole.stats.sequences_evaluated
    assert len(evaluated.top_sequences) == beam_width == evaluated.beam_width
    totals = [result.total_score for result in evaluated.top_sequences]
    assert totals == sorted(totals, reverse=True)
    assert sum(len(getattr(opportunities, name)) for name in LISTS) > 5


def test_an_empty_account_has_an_empty_plan_that_says_why():
    nothing = {**ACCOUNT, "available_cash": 0.0, "total_value_eur": 0.0, "invested_value": 0.0}
    empty = {"positions": [], "securities": [], "target_weights": None, "available_cash": 0.0}
    answer = create(planning(portfolio_context={**nothing, "num_positions": 0}, **empty))

    assert answer.plan.steps == ()
    assert answer.plan.feasible
    assert answer.plan.cash_required == answer.plan.total_cost == 0
    assert any("worth nothing" in warning for warning in answer.warnings)


def test_the_example_plans_trades_and_its_document_is_checked_anew():
    answer = create(CreatePlanRequest.model_validate_json(EXAMPLE.read_text(encoding="utf-8")))

    assert [step.action.symbol for step in answer.plan.steps[-2:]] == ["IWDA", "ALV"]
    assert answer.document["plan_id"] == answer.plan_id
    assert check(answer.document).ok
    last = answer.plan.steps[-1]
    assert last.cumulative_cost == pytest.approx(answer.plan.total_cost)
    assert 6240.55 + last.cumulative_cash_change == pytest.approx(
        float(answer.document["cash_after"]["EUR"])
    )
    bought = sum(s.action.value_eur for s in answer.plan.steps if s.action.side == "BUY")
    assert answer.plan.cash_required == pytest.approx(bought + answer.plan.total_cost)


def test_stats_count_what_the_steps_did_and_are_no_part_of_the_plan():
    small, large = (create(planning(), local(batch_size=size)) for size in (3, 4096))

    assert small.plan_id == large.plan_id
    assert small.stats.batches_processed == -(-small.stats.sequences_evaluated // 3) > 1
    assert large.stats.batches_processed == 1
    for stats in (small.stats, large.stats):
        assert stats.sequences_generated == stats.sequences_evaluated > 5
        assert stats.opportunities_identified > 3
        assert stats.evaluators_used == 0


def test_whoever_carries_the_steps_is_asked_and_seconds_are_by_its_clock():
    ticks = iter(range(10_000))
    calls = []

    def watched(ctx, table, batches, strategy, guard):
        calls.append(table.m)
        return LOCAL.evaluate(ctx, table, batches, strategy, guard)

    answer = create(planning(), replace(LOCAL, evaluate=watched, clock=lambda: float(next(ticks))))

    assert calls == [answer.stats.opportunities_identified]
    assert answer.stats.total_time_seconds == int(answer.stats.total_time_seconds) > 0


def test_what_was_assumed_is_said_in_the_plan():
    answer = create(
        planning(
            as_of=None,
            evaluator_config={"urls": ["http://127.0.0.1:1"]},
            portfolio_context={**ACCOUNT, "num_positions": 5},
            parameters={"plateau_threshold": 5},
        )
    )

    text = " ".join(answer.warnings)
    for part in ("as of today", "the topology says", "num_positions is 5", "plateau_threshold"):
        assert part in text
    assert "plateau_threshold" in json.dumps(answer.document["warnings"])


def test_the_opportunity_service_answers_in_five_lists_by_priority():
    request = IdentifyOpportunitiesRequest.model_validate(
        {
            "portfolio_context": {"total_value": 17_000.0},
            "positions": [
                {"symbol": "AAA", "quantity": 100, "avg_price": 80.0, "market_value_eur": 1e4},
                {"symbol": "BBB", "quantity": 70, "avg_price": 90.0, "market_value_eur": 7e3},
            ],
            "securities": [{"symbol": s, "name": s, "isin": ""} for s in ("AAA", "BBB", "CCC")],
            "available_cash": 3_000.0,
            "target_weights": TARGETS,
            "current_prices": {"CCC": 100.0},
            "as_of": DAY,
        }
    )

    answer = identify(request)

    assert {action.symbol for action in answer.rebalance_sells} == {"AAA"}
    assert {action.symbol for action in answer.rebalance_buys} == {"CCC"}
    for name in LISTS:
        actions = getattr(answer, name)
        assert [a.priority for a in actions] == sorted((a.priority for a in actions), reverse=True)
        for action in actions:
            assert action.value_eur == pytest.approx(action.quantity * action.price)
            assert isinstance(action.model_dump()["quantity"], int)
            assert not action.reason.endswith(".")
    assert any("its value by its shares" in warning for warning in answer.warnings)
    closed = identify(request.model_copy(update={"ineligible_symbols": ("CCC",)}))
    assert closed.rebalance_buys == ()
    sold = identify(request.model_copy(update={"recently_sold": ("AAA",)}))
    assert sold.rebalance_sells == ()
    assert sold.rebalance_buys != ()


def test_sequences_come_in_numbered_batches_and_the_last_knows_how_many_there_were():
    batches = list(generate(generating(OPPORTUNITIES, batch_size=10)))
    assert [batch.batch_number for batch in batches] == [*range(len(batches))]
    assert [batch.more_available for batch in batches] == [True] * (len(batches) - 1) + [False]
    assert [batch.total_batches for batch in batches] == [None] * (len(batches) - 1) + [
        len(batches)
    ]

    sequences = [frozenset(traded(s)) for batch in batches for s in batch.sequences]
    stated = {(o["side"], o["symbol"], o["quantity"]) for os in OPPORTUNITIES.values() for o in os}
    assert len(set(sequences)) == len(sequences) > 3
    assert set().union(*sequences) <= stated
    assert {("SELL", "AAA", 40), ("BUY", "CCC", 50)} in sequences


def test_a_sequence_is_worth_what_the_filters_let_it_be():
    bounds = {"min_sequence_value": 2_500.0, "max_sequence_value": 6_500.0}
    batches = generate(generating(OPPORTUNITIES, filters=bounds))

    values = [sum(t.value_eur for t in s) for batch in batches for s in batch.sequences]
    assert values
    assert all(2_500 <= value <= 6_500 for value in values)
    answer = create(planning(parameters=bounds))
    assert sum("bounds what the generator streams" in text for text in answer.warnings) == 2


def test_amounts_at_their_bounds_are_answered():
    largest = {"positions": [], "portfolio_context": {**ACCOUNT, "available_cash": 1e15}}
    dear = order("BUY", "CCC", 1e15, price=1e15)

    (result,) = evaluate(evaluating([dear], **largest)).top_sequences

    assert result.cash_required > 1e15
    assert not result.feasible


def test_without_a_trade_there_is_a_batch_without_sequences():
    (batch,) = generate(generating({}))

    assert (batch.sequences, batch.more_available, batch.total_batches) == ((), False, 1)


def test_a_batch_is_made_when_it_is_asked_for_and_not_before():
    request = plan_request(20)
    opportunities = {
        "rebalance_buys": [
            order("BUY", s.symbol, 10 * k, price=s.current_price or 1.0, priority=0.5)
            for s in request.securities
            for k in (1, 2)
            if s.allow_buy and s.currency == "EUR"
        ]
    }
    stream = generate(generating(opportunities, positions=[], securities=[], batch_size=10))

    first = next(stream)

    assert (first.batch_number, first.more_available, len(first.sequences)) == (0, True, 10)
    stream.close()  # nothing else was begun that would have to be ended


def test_the_generator_works_on_trades_alone_and_says_what_it_assumed():
    request = GenerateSequencesRequest.model_validate(
        {"opportunities": OPPORTUNITIES, "feasibility": {"available_cash": 3_000.0}}
    )

    first = next(generate(request))

    assert first.sequences
    text = " ".join(first.warnings)
    assert "as many shares as are to be sold are held of AAA" in text
    assert "No security describes AAA, CCC" in text


@pytest.mark.parametrize(
    ("sequence", "rule", "value", "limit"),
    [
        ([order("BUY", "CCC", 39)], "cash", -0.04549, 0.02),
        ([order("SELL", "BBB", 71)], "holdings", 71, 70),
        ([order("BUY", "CCC", 10.5)], "lot_size", 10.5, 1),
        ([order("SELL", "CCC", 1)], "allow_sell", None, None),
        ([order("BUY", "CCC", 1)], "min_order", 0.005, 0.0125),
        ([order("BUY", "CCC", 51)], "max_position", 0.255, 0.25),
        (
            [order("BUY", "CCC", 10), order("BUY", "CCC", 20)],
            "one_order_per_security",
            2,
            1,
        ),
        ([order("SELL", "AAA", 20)], "new_money", 0.0, 0.04481),
    ],
)
def test_an_infeasible_sequence_says_the_rule_and_the_number_that_stop_it(
    sequence, rule, value, limit
):
    good = [order("SELL", "AAA", 40), order("BUY", "CCC", 50)]

    first, last = evaluate(evaluating(sequence, good)).top_sequences

    assert (first.feasible, first.stopped_by) == (True, None)
    assert traded(first.sequence) == {("SELL", "AAA", 40), ("BUY", "CCC", 50)}
    stopped = last.stopped_by
    assert not last.feasible
    assert (stopped.rule, stopped.value, stopped.limit) == (
        rule,
        value if value is None else pytest.approx(value),
        limit if limit is None else pytest.approx(limit),
    )
    assert stopped.message
    bought = sum(o["value_eur"] for o in sequence if o["side"] == "BUY")
    paid = sum(2 + 0.002 * o["value_eur"] for o in sequence)
    assert last.total_cost == pytest.approx(paid)
    assert last.cash_required == pytest.approx(bought + paid)


@pytest.mark.parametrize("beam_width", [1, 10])
def test_as_many_come_back_as_the_beam_is_wide(beam_width):
    sequences = [[order("BUY", "CCC", shares)] for shares in range(10, 25)]

    answer = evaluate(evaluating(*sequences, settings={"beam_width": beam_width}))

    assert (answer.total_evaluated, answer.beam_width) == (15, beam_width)
    assert [result.sequence[0].quantity for result in answer.top_sequences] == [
        *range(24, 24 - beam_width, -1)
    ]


def test_the_allocation_of_the_account_stands_where_no_targets_are_given():
    account = {**ACCOUNT, "target_allocation": TARGETS}
    by_account = create(planning(portfolio_context=account, target_weights=None))

    assert traded(s.action for s in by_account.plan.steps) == traded(
        s.action for s in create(planning()).plan.steps
    )


def test_a_currency_is_worth_what_its_largest_position_says_and_that_is_said():
    dollars = {**POSITIONS[1], "currency": "USD", "value_eur": 6_300.0}
    securities = [SECURITIES[0], {**SECURITIES[1], "currency": "USD"}, SECURITIES[2]]
    answer = create(planning(positions=[POSITIONS[0], dollars], securities=securities))

    assert float(answer.document["value"]) == pytest.approx(19_300.0)
    assert any("1 USD = 0.9 EUR" in warning for warning in answer.warnings)


def test_more_rules_of_a_strategy_stand_over_the_parameters():
    kept = create(planning(strategy={"limits": {"cash_reserve_weight": 0.14}}))

    assert float(kept.document["cash_after"]["EUR"]) >= 2_800.0


@pytest.mark.parametrize(
    ("changes", "error", "place"),
    [
        ({"parameters": {"stochastic_scenario_shifts": [-10], **SHOCKS}}, SettingsError, ""),
        ({"strategy": {"limits": {"cash_reserve": 0.1}}}, SettingsError, ""),
        ({"strategy": {"plugins": {"files": ["/tmp"]}}}, SettingsError, ""),
        ({"positions": [POSITIONS[0], POSITIONS[0]]}, InputError, "position"),
        ({"securities": [{**SECURITIES[0], "currency": "USD"}]}, InputError, "AAA"),
        (
            {"closes": {"dates": ["2026-11-19", DAY], "prices": {"AAA": [1.0]}}},
            InputError,
            "closes.prices.AAA",
        ),
        ({"closes": {"dates": [DAY, DAY], "prices": {}}}, InputError, "market"),
        ({"positions": [{**POSITIONS[0], "currency": "CHF"}], "securities": []}, PlanRefused, ""),
    ],
)
def test_what_cannot_be_planned_is_refused_with_its_place(changes, error, place):
    with pytest.raises(error) as refused:
        create(planning(**changes))

    assert "othing was planned" in str(refused.value) or "No plan" in str(refused.value)
    if place:
        assert refused.value.fault.place == place


MODES = {
    "enable_monte_carlo": "monte_carlo",
    "enable_stochastic_scenarios": "stochastic",
    "enable_multi_objective": "multi_objective",
    "enable_multi_timeframe": "multi_timeframe",
}


@pytest.mark.parametrize("switch", MODES)
def test_a_request_that_switches_an_evaluation_on_is_planned_by_it(switch):
    answer = create(planning(parameters={switch: True}))

    assert answer.document["outlook"]["mode"] == MODES[switch]
    assert answer.document["choice_rule"]
    assert check(answer.document).ok
    assert any("tail" in text for text in answer.warnings) is (switch == "enable_monte_carlo")


def test_of_the_parameters_of_an_evaluation_that_is_off_it_is_told_that_they_change_nothing():
    idle = {"monte_carlo_paths": 200, "stochastic_scenario_shifts": [-0.2]}
    off, paths = create(planning(parameters=idle)), planning(parameters={**idle, **SHOCKS})

    assert off.document["plan_id"] != create(paths).document["plan_id"]
    assert {
        "monte_carlo_paths changes nothing: the evaluation is not monte_carlo.",
        "stochastic_scenario_shifts changes nothing: the evaluation is not stochastic.",
    } <= {*off.warnings}
    assert create(paths).document["strategy"]["settings"]["evaluation"]["shifts"] == [-0.2]
    both = create(planning(parameters={"enable_monte_carlo": True, **SHOCKS}))
    assert any("enable_monte_carlo is true, and one evaluation" in text for text in both.warnings)


@pytest.mark.parametrize("switch", MODES)
def test_sequences_are_ordered_by_the_evaluation_and_say_what_it_has_of_them(switch):
    sequences = [[order("BUY", "CCC", shares)] for shares in (12, 18, 24)]
    settings = {switch: True, "monte_carlo_paths": 500}

    answer = evaluate(evaluating(*sequences, [order("BUY", "CCC", 39)], settings=settings))

    *may, stopped = answer.top_sequences
    values = [result.metrics.get("value", -1.0) for result in may]
    assert values == sorted(values, reverse=True)
    assert max(values) > -1.0
    assert (stopped.feasible, "value" in stopped.metrics) == (False, False)
    for result in may:
        if switch == "enable_multi_objective":
            assert result.total_score == result.end_state_score
            assert result.metrics["volatility"] > 0
        else:
            assert result.total_score == result.metrics["value"] != result.end_state_score
    figures = {
        "enable_multi_objective": "on_frontier",
        "enable_multi_timeframe": "score_in_5_years",
    }
    assert figures.get(switch, "mean_error") in may[0].metrics


def test_more_sequences_than_an_evaluation_compares_are_told():
    sequences = [[order("BUY", "CCC", shares)] for shares in range(10, 25)]
    rules = {"settings": {"enable_multi_timeframe": True, "beam_width": 4}}
    few = {"strategy": {"evaluation": {"compared": 2}}}

    answer = evaluate(evaluating(*sequences, **rules, **few))

    assert len(answer.top_sequences) == 4
    assert all("value" in result.metrics for result in answer.top_sequences)
    assert any("the 4 best by the score of today were compared" in w for w in answer.warnings)


def test_an_order_in_what_has_no_rate_is_not_judged():
    foreign = order("BUY", "DDD", 1, currency="CHF")

    with pytest.raises(InputError, match="DDD has no price"):
        evaluate(evaluating([foreign]))
