"""The rules of one plan: its scope, and thresholds that follow the number of names, both said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from steelyard.notices import Notice
from steelyard.planning.case import Case
from steelyard.planning.findings import Findings
from steelyard.strategies.planned import as_planned
from steelyard.strategies.scope import idle, idle_sentence
from steelyard.strategies.strategy import Strategy
from steelyard.strategies.thresholds import FEW, following, threshold


def with_rules(case: Case, names: int, findings: Findings) -> Case:
    """The case by the rules that its plan is made by; what they came to is said.

    names   in the planning set
    """
    asked, targets = case.strategy, case.target_weights is not None
    strategy = as_planned(asked, targets=targets, names=names)
    findings.warnings.extend(_notices(asked, strategy, names))
    return replace(case, strategy=strategy)


def _notices(asked: Strategy, strategy: Strategy, names: int) -> Iterator[Notice]:
    scope = strategy.search.scope
    without = idle(asked, scope)
    if without:
        yield Notice(code="idle_settings", message=idle_sentence(scope, without))
    keys = following(asked) if names > FEW else []
    if keys:
        came_to = ", ".join(f"{key} {threshold(strategy, key):g}" for key in keys)
        message = (
            f"Thresholds that no file sets follow the {names:,d} securities of the plan: {came_to}."
        )
        yield Notice(code="thresholds_follow", message=message)
