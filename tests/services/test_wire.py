"""The documents' models: both directions, strict, finite, bounded, with their names and fields."""

import json
import math
from typing import Annotated, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from steelyard.services import wire
from steelyard.services.wire import Opportunity, Wire

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
MODELS = (
    wire.ActionCandidateModel,
    Opportunity.PortfolioContextInput,
    Opportunity.PositionInput,
    Opportunity.SecurityInput,
    wire.PortfolioContextInput,
    wire.PositionInput,
    wire.SecurityInput,
    wire.ClosesInput,
    wire.IdentifyOpportunitiesRequest,
    wire.IdentifyOpportunitiesResponse,
    wire.GenerateSequencesRequest,
    wire.SequenceBatch,
    wire.EvaluateSequencesRequest,
    wire.EvaluateSequencesResponse,
    wire.CreatePlanRequest,
    wire.CreatePlanResponse,
)


def values(annotation, metadata=()):
    """Any value of a field's type, within its bounds."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return values(inner, (*metadata, *more))
    bounds = [*metadata, *(m for field in metadata for m in getattr(field, "metadata", ()))]

    def bound(name, default=None):
        return next((getattr(b, name) for b in bounds if hasattr(b, name)), default)

    arguments = get_args(annotation)
    if not arguments:
        return plain(annotation, bound)
    if get_origin(annotation) in {tuple, dict}:
        return collections(get_origin(annotation), arguments, bound)
    if all(isinstance(argument, str) for argument in arguments):
        return st.sampled_from(arguments)
    return st.one_of([values(argument, metadata) for argument in arguments])


def collections(kind, arguments, bound):
    most = min(bound("max_length", 2), 2)
    if kind is tuple:
        return st.lists(values(arguments[0]), min_size=bound("min_length", 0), max_size=most)
    return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=most)


def plain(kind, bound):
    if kind in {int, float}:
        return numbers(kind, bound)
    if kind is str:
        return texts(bound)
    if issubclass(kind, Wire):
        return models(kind)
    return {bool: st.booleans(), type(None): st.none()}.get(kind, st.just(1.5))


def texts(bound):
    if bound("pattern"):
        days = st.dates().map(str).filter(lambda day: len(day) == 10)
        return days if "[0-9]" in bound("pattern") else st.sampled_from(["EUR", "USD"])
    most = min(bound("max_length", 20), 20)
    return TEXT.filter(lambda text: bound("min_length", 0) <= len(text) <= most)


def numbers(kind, bound):
    low = bound("ge", bound("gt", -(2**53)))
    high = bound("le", bound("lt", 2**53))
    if kind is float:
        return st.floats(low, high, exclude_min=bound("gt") is not None, allow_nan=False)
    over = bound("gt", -math.inf)
    return st.integers(math.ceil(low), math.floor(high)).filter(lambda number: number > over)


def models(model):
    """Any body of a model, as JSON has it."""
    return st.fixed_dictionaries(
        {
            name: values(field.annotation, field.metadata)
            for name, field in model.model_fields.items()
        }
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__qualname__)
@given(data=st.data())
@settings(max_examples=6)
def test_a_body_becomes_its_records_and_the_same_body_again(model, data):
    body = data.draw(models(model))

    there = model.model_validate(json.loads(json.dumps(body)))

    assert model.of(there.record()) == there
    assert model.model_validate_json(there.model_dump_json()) == there


DOCUMENTED = {
    wire.ActionCandidateModel: "side symbol name quantity price value_eur currency priority reason "
    "tags",
    Opportunity.PortfolioContextInput: "positions total_value country_weights industry_weights "
    "security_countries security_industries",
    Opportunity.PositionInput: "symbol quantity avg_price market_value_eur unrealized_pnl_pct",
    Opportunity.SecurityInput: "symbol name isin country industry allow_buy allow_sell",
    wire.IdentifyOpportunitiesRequest: "portfolio_context positions securities available_cash "
    "target_weights current_prices transaction_cost_fixed transaction_cost_percent recently_sold "
    "ineligible_symbols",
    wire.IdentifyOpportunitiesResponse: "profit_taking averaging_down rebalance_sells "
    "rebalance_buys opportunity_buys",
    wire.FeasibilitySettings: "available_cash transaction_cost_fixed transaction_cost_percent "
    "min_trade_value priority_threshold",
    wire.GenerateSequencesRequest: "opportunities feasibility combinatorial filters batch_size "
    "portfolio_context positions securities market_regime",
    wire.SequenceBatch: "batch_number sequences total_batches more_available",
    wire.PortfolioContextInput: "total_value_eur available_cash invested_value num_positions "
    "target_allocation",
    wire.PositionInput: "symbol quantity average_cost current_price value_eur currency "
    "unrealized_gain_loss unrealized_gain_loss_percent",
    wire.SecurityInput: "symbol name current_price currency market_cap sector industry",
    wire.EvaluateSequencesRequest: "sequences portfolio_context positions securities "
    "current_prices settings",
    wire.SequenceEvaluationResult: "sequence end_state_score diversification_score risk_score "
    "total_score total_cost cash_required feasible metrics",
    wire.EvaluateSequencesResponse: "top_sequences total_evaluated beam_width",
    wire.CreatePlanRequest: "portfolio_context positions securities available_cash target_weights "
    "current_prices parameters evaluator_config",
    wire.EvaluatorConfig: "urls load_balancing",
    wire.HolisticStepModel: "step_number action narrative reason cumulative_cost "
    "cumulative_cash_change",
    wire.HolisticPlanModel: "steps narrative total_score end_state_score diversification_score "
    "risk_score total_cost cash_required feasible metadata",
    wire.ExecutionStats: "total_time_seconds opportunities_identified sequences_generated "
    "sequences_evaluated batches_processed evaluators_used",
    wire.CreatePlanResponse: "plan stats",
}
"""Model -> the documents' fields; what is beside them is ours."""


@pytest.mark.parametrize("model", DOCUMENTED, ids=lambda model: model.__qualname__)
def test_the_documents_fields_are_there_and_all_others_say_that_they_are_ours(model):
    schema = model.model_json_schema()
    fields = schema["properties"]
    documented = DOCUMENTED[model].split()

    assert set(documented) <= fields.keys()
    for name in fields.keys() - set(documented):
        assert "ours, not in the documents" in fields[name]["description"], name
    assert set(schema.get("required", ())) <= {*documented, "plan_id", "document"}


DEFAULTS = {
    "max_depth": (4, 0, 11),
    "max_combinations": (1000, 9, 10_001),
    "max_opportunities_per_category": (5, 0, 21),
    "priority_threshold": (0.3, -0.1, 1.1),
    "combinatorial_max_combinations_per_depth": (50, 9, 201),
    "combinatorial_max_sells": (4, 0, 11),
    "combinatorial_max_buys": (4, 0, 11),
    "combinatorial_max_candidates": (12, 3, 31),
    "enable_weighted_combinations": (True, 1, "true"),
    "enable_diverse_selection": (True, 1, "true"),
    "diversity_weight": (0.3, -0.1, 1.1),
    "enable_adaptive_patterns": (True, 1, "true"),
    "enable_partial_execution": (False, 0, None),
    "enable_constraint_relaxation": (False, 0, None),
    "enable_market_regime": (False, 0, None),
    "enable_correlation_aware": (True, 1, None),
    "correlation_threshold": (0.7, -0.1, 1.1),
    "min_sequence_value": (100.0, -1, math.inf),
    "max_sequence_value": (None, 0, math.nan),
    "transaction_cost_fixed": (2.0, -1, 1e7),
    "transaction_cost_percent": (0.002, -0.1, 0.11),
    "min_trade_value": (100.0, -1, "100"),
    "beam_width": (10, 0, 101),
    "cost_penalty_factor": (0.1, -0.1, 1.1),
    "monte_carlo_paths": (100, 9, 501),
    "enable_priority_sorting": (True, 1, None),
    "batch_size": (500, 9, 5001),
    "enable_early_termination": (True, 1, None),
    "min_batches_to_evaluate": (2, 0, 21),
    "plateau_threshold": (3, 0, 11),
}
"""Parameter -> its default, and two values that it may not have."""


@pytest.mark.parametrize("name", DEFAULTS)
def test_parameters_have_the_documents_defaults_and_ranges(name):
    default, *wrong = DEFAULTS[name]

    assert getattr(wire.PlanParameters(), name) == default
    for value in wrong:
        with pytest.raises(ValidationError, match=name):
            wire.PlanParameters.model_validate({name: value})


def test_the_generator_makes_partial_and_relaxed_sequences_unless_told_otherwise():
    settings = wire.CombinatorialSettings()

    assert settings.enable_partial_execution
    assert settings.enable_constraint_relaxation


def test_a_request_with_more_than_is_read_is_refused_where_it_is():
    body = {"bucket": "core", "holdings": 1}

    with pytest.raises(ValidationError) as refused:
        TypeAdapter(wire.PlanRequest).validate_python(body)

    assert [error["loc"][1:] for error in refused.value.errors()] == [("holdings",)]


def test_models_that_share_a_name_have_the_documents_name_in_both_services():
    names = {model.__name__ for model in MODELS}

    assert {"PositionInput", "SecurityInput", "PortfolioContextInput"} <= names
    assert wire.PositionInput.__name__ == Opportunity.PositionInput.__name__
