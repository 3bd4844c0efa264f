"""From a case to its context: valued, classes as symbols, thresholds by the number of names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from steelyard.modules.context import Context
from steelyard.planning.case import Case
from steelyard.planning.classes import with_classes
from steelyard.planning.decisions import refuse_cap_against_target
from steelyard.planning.findings import Findings
from steelyard.planning.planning_set import build_context, members
from steelyard.planning.rules import with_rules
from steelyard.planning.valuation import Valuation, value_portfolio

if TYPE_CHECKING:
    from steelyard.calculations.cache import Calculations


def context_of(
    case: Case,
    findings: Findings,
    like: Context | None = None,
    also: Iterable[str] = (),
    calculations: Calculations | None = None,
) -> tuple[Case, Valuation, Context]:
    """The case by the rules that hold for its names, what it is worth, and its context.

    like   lends its estimates where they are the same
    also   symbols that are in the context beside the planning set, as far as they have a price
    calculations   what was calculated before; None = nothing is kept
    """
    valuation = value_portfolio(case, findings)
    case, valuation = with_classes(case, valuation, findings)
    refuse_cap_against_target(case)
    symbols = members(case, valuation)
    case = with_rules(case, len(symbols), findings)
    every = tuple(sorted({*symbols, *(set(also) & valuation.priced.keys())}))
    ctx = build_context(case, valuation, every, findings, like, calculations)
    return case, valuation, ctx
