"""What each calculator of a configuration wants: the documents' `identify_opportunities`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from steelyard import strategies
from steelyard.compat.convert import Converted
from steelyard.compat.records import PlannerContext
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
from steelyard.telemetry.events import Observe

Opportunities = dict[str, list[Candidate]]
"""Calculator that is on -> what it wants; empty where it failed or is out of service."""
Asked = Callable[[Module, PlannerContext, Mapping[str, Any]], Awaitable[list[Candidate]]]


@dataclass(frozen=True, kw_only=True)
class Calculator(Module):
    """A calculator of a planner, which the documents' own code calls.

    asked   runs it on a planner's context
    """

    asked: Asked = field(repr=False, compare=False)

    @classmethod
    def of(cls, module: Module, asked: Asked) -> Calculator:
        """A module that can be called."""
        own = {part.name: getattr(module, part.name) for part in fields(Module)}
        return cls(**own, asked=asked)

    async def calculate(
        self, context: PlannerContext, params: Mapping[str, Any] = MappingProxyType({})
    ) -> list[Candidate]:
        """What it wants of a context; what it raises comes through.

        params   in place of those that the planner's configuration says
        """
        return await self.asked(self, context, params)


def identified(
    converted: Converted, strategy: Strategy, disabled: Mapping[str, str], observe: Observe
) -> tuple[Opportunities, list[ModuleRun], list[Timing]]:
    """What the calculators want, each by its name, how they ran, and what they took."""
    findings = Findings(observe)
    guard = Guard(disabled, bucket=converted.snapshot.bucket, findings=findings)
    case, ctx = _context(converted, strategy, disabled, findings)
    wants = {
        choice.module.name: _asked(ctx, choice.module, choice.params, guard)
        for choice in case.strategy.enabled(Kind.OPPORTUNITY)
    }
    return wants, findings.runs, findings.timings


def wanted_by(
    module: Module, converted: Converted, strategy: Strategy, params: Mapping[str, Any]
) -> list[Candidate]:
    """What one calculator wants, with some of its parameters; raises whatever it raises."""
    if params:
        changes = {module.kind.value: {module.name: dict(params)}}
        strategy = strategies.overlay(strategy, changes, why="parameters", name=strategy.name)
    case, ctx = _context(converted, strategy, {}, Findings())
    choice = case.strategy.choice(module.kind, module.name)
    return contract.candidates(ctx, choice.module.call(ctx, choice.params))


def _context(
    converted: Converted, strategy: Strategy, disabled: Mapping[str, str], findings: Findings
) -> tuple[Case, Context]:
    case = Case(
        snapshot=converted.snapshot,
        market=converted.market,
        strategy=strategy,
        targets=converted.targets,
        state=BucketState(),
        seed=0,
        disabled=disabled,
    )
    valuation = value_portfolio(case, findings)
    symbols = members(case, valuation)
    case = with_rules(case, len(symbols), findings)
    return case, build_context(case, valuation, symbols, findings)


def _asked(ctx: Context, module: Module, params: ModuleParams, guard: Guard) -> list[Candidate]:
    def work(settings: ModuleParams) -> list[Candidate]:
        return contract.candidates(ctx, module.call(ctx, settings))

    return guard.run(module, ctx, params, work, len).value or []
