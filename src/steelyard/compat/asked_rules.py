"""The rules of a self-contained request as a strategy, and what of them changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from steelyard import strategies
from steelyard.compat.asked import MOST_ORDERS, Asked
from steelyard.compat.convert import Converted
from steelyard.modules.registry import Kind
from steelyard.strategies import Strategy

WHY = "the request"
"""Who set a rule, in the plan."""
SWITCHES: Mapping[str, tuple[Kind, str]] = {
    "enable_adaptive_patterns": (Kind.PATTERN, "adaptive"),
    "enable_market_regime": (Kind.PATTERN, "market_regime"),
    "enable_partial_execution": (Kind.SEQUENCE, "partial_execution"),
    "enable_constraint_relaxation": (Kind.SEQUENCE, "constraint_relaxation"),
    "enable_correlation_aware": (Kind.FILTER, "correlation_aware"),
}
"""Switch of a request -> the module that it switches."""

COMBINATIONS = {
    "combinatorial_max_sells": "max_sells",
    "combinatorial_max_buys": "max_buys",
    "combinatorial_max_candidates": "max_candidates",
}
"""Parameters of both combinatorial generators."""

MODES: Mapping[str, str] = {
    "monte_carlo": "enable_monte_carlo",
    "stochastic": "enable_stochastic_scenarios",
}
"""Ways to evaluate that draw, the strongest first -> the switch of a request."""

SPELLED = frozenset(
    {
        "max_depth",
        "max_opportunities_per_category",
        "priority_threshold",
        "enable_diverse_selection",
        "diversity_weight",
        "transaction_cost_fixed",
        "transaction_cost_percent",
        "beam_width",
        "cost_penalty_factor",
        "enable_monte_carlo",
        "enable_multi_objective",
        "enable_stochastic_scenarios",
        "enable_multi_timeframe",
    }
)
"""Rules of a request that a strategy reads by the same name."""

IDLE: Mapping[str, tuple[Any, str]] = {
    "enable_priority_sorting": (True, "every sequence is scored, in whatever order"),
    "enable_early_termination": (True, "every sequence is scored, none is left out"),
    "min_batches_to_evaluate": (2, "every sequence is scored, none is left out"),
    "plateau_threshold": (3, "every sequence is scored, none is left out"),
}
"""Rule that changes nothing -> its default, and why."""
OF_MODE: Mapping[str, tuple[str, Any]] = {
    "monte_carlo_paths": ("monte_carlo", 100),
    "stochastic_scenario_shifts": ("stochastic", None),
}
"""Rule of one way to evaluate -> that, and the default of the rule."""


def strategy_of(asked: Asked, converted: Converted) -> tuple[Strategy, tuple[str, ...]]:
    """The rules of a request as a strategy, and what of them changes nothing."""
    rules = asked.rules
    changes: dict[str, Any] = {name: rules[name] for name in SPELLED if name in rules}
    mode = next((mode for mode, switch in MODES.items() if rules.get(switch)), None)
    own = {name for name, (owner, _) in OF_MODE.items() if owner == mode}
    changes |= {name: rules[name] for name in own if rules.get(name) is not None}
    changes["search"] = {"scope": rules.get("scope") or "proposals"}
    if changes["search"]["scope"] == "proposals":
        changes.pop("beam_width", None)  # there it says only how many come back
    if asked.sequences:
        changes["max_depth"] = MOST_ORDERS
    for name, (kind, module) in SWITCHES.items():
        if name in rules:
            changes.setdefault(kind.value, {})[module] = {"enabled": rules[name]}
    if "correlation_threshold" in rules:
        module = changes.setdefault(Kind.FILTER.value, {}).setdefault("correlation_aware", {})
        module["correlation_threshold"] = rules["correlation_threshold"]
    _combinations(rules, changes)
    if "min_trade_value" in rules:
        changes["limits"] = {"min_trade_base": rules["min_trade_value"]}
    strategy = strategies.from_mapping(changes, WHY)
    if converted.groups:
        groups = {"groups": converted.groups}
        strategy = strategies.overlay(strategy, groups, why=WHY, name=strategy.name)
    if asked.strategy:
        strategy = strategies.overlay(strategy, asked.strategy, why=WHY, name=strategy.name)
    return strategy, (*_idle(rules), *_of_evaluation(rules, strategy, own))


def _of_evaluation(
    rules: Mapping[str, Any], strategy: Strategy, own: Collection[str]
) -> Iterator[str]:
    """What of the evaluation changes nothing, and what is worth knowing of it."""
    for name, (owner, default) in OF_MODE.items():
        if name not in own and name in rules and rules[name] != default:
            yield f"{name} changes nothing: the evaluation is not {owner}."
    yield from strategy.warnings
    for problem in strategies.validate(strategy).found:
        if problem.severity == "warning" and problem.place[:1] == ("evaluation",):
            yield problem.text


def _combinations(rules: Mapping[str, Any], changes: dict[str, Any]) -> None:
    """Both generators of combinations: weighted, or each in turn."""
    own = {ours: rules[name] for name, ours in COMBINATIONS.items() if name in rules}
    plain, weighted = dict(own), dict(own)
    if "combinatorial_max_combinations_per_depth" in rules:
        plain["max_combinations"] = rules["combinatorial_max_combinations_per_depth"]
    if "max_combinations" in rules:
        weighted["max_combinations"] = rules["max_combinations"]
    if "enable_weighted_combinations" in rules:
        weighted["enabled"] = rules["enable_weighted_combinations"]
        plain["enabled"] = not rules["enable_weighted_combinations"]
    if plain or weighted:
        modules = changes.setdefault(Kind.SEQUENCE.value, {})
        modules |= {"combinatorial": plain, "enhanced_combinatorial": weighted}


def _idle(rules: Mapping[str, Any]) -> Iterator[str]:
    """Rules that change nothing; of a whole plan also the bounds of a sequence's value."""
    if "min_batches_to_evaluate" in rules:
        own = {"min_sequence_value": rules["min_sequence_value"] > rules["min_trade_value"]}
        own["max_sequence_value"] = rules["max_sequence_value"] is not None
        for name in (name for name, acts in own.items() if acts):
            bound = "limits.max_turnover_weight says what a plan may trade"
            yield f"{name} bounds what the generator streams, not a whole plan: {bound}."
    for name, (default, why) in IDLE.items():
        if name in rules and rules[name] != default:
            yield f"{name} changes nothing: {why}."
