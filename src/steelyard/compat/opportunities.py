"""What each calculator of a configuration wants: the documents' `identify_opportunities`."""

from __future__ import annotations

from collections.abc import Mapping

from steelyard.compat.convert import Converted
from steelyard.modules import contract
from steelyard.modules.candidates import Candidate
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, Module, ModuleParams
from steelyard.notices import ModuleRun, Timing
from steelyard.planning.case import Case
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.planning_set import build_context, members
from steelyard.planning.rules import with_rules
from steelyard.planning.valuation import value_portfolio
from steelyard.portfolio import BucketState
from steelyard.strategies import Strategy

Opportunities = dict[str, list[Candidate]]
"""Calculator that is on -> what it wants; empty where it failed or is out of service."""


def identified(
    converted: Converted, strategy: Strategy, disabled: Mapping[str, str]
) -> tuple[Opportunities, list[ModuleRun], list[Timing]]:
    """What the calculators want, each by its name, how they ran, and what they took."""
    case = Case(
        snapshot=converted.snapshot,
        market=converted.market,
        strategy=strategy,
        targets=converted.targets,
        state=BucketState(),
        seed=0,
        disabled=disabled,
    )
    findings = Findings()
    guard = Guard(disabled, bucket=case.snapshot.bucket, findings=findings)
    valuation = value_portfolio(case, findings)
    symbols = members(case, valuation)
    case = with_rules(case, len(symbols), findings)
    ctx = build_context(case, valuation, symbols, findings)
    wants = {
        choice.module.name: _asked(ctx, choice.module, choice.params, guard)
        for choice in case.strategy.enabled(Kind.OPPORTUNITY)
    }
    return wants, findings.runs, findings.timings


def _asked(ctx: Context, module: Module, params: ModuleParams, guard: Guard) -> list[Candidate]:
    def work(settings: ModuleParams) -> list[Candidate]:
        return contract.candidates(ctx, module.call(ctx, settings))

    return guard.run(module, ctx, params, work, len).value or []
