"""What is missing or odd in a context, said: targets that cannot be bought, figures that stand in,
groups, costs, the least order, the regime.
"""

from __future__ import annotations

import math

import numpy as np

from steelyard.errors import did_you_mean, one_line
from steelyard.estimates.estimate import without_history
from steelyard.market import Market
from steelyard.modules.context import Context
from steelyard.modules.patterns.adaptive.choices import yields_known
from steelyard.modules.registry import Kind
from steelyard.notices import Coverage, Drop, Notice
from steelyard.planning.findings import Findings
from steelyard.planning.kept_out import WHY_ABSENT
from steelyard.strategies import Strategy

LABEL_SHOWN = 60
"""Characters of a group's name in a warning."""

ABSENT_TOLD = 5
"""Targets that cannot be bought, each with a warning of its own; the others share one."""


def remark(ctx: Context, market: Market, strategy: Strategy, findings: Findings) -> None:
    """Note all of it."""
    _note_absent(ctx, market, findings)
    _note_coverage(ctx, findings)
    _note_groups(ctx, findings)
    _note_costs(ctx, findings)
    _note_least(ctx, findings)
    _note_regime(ctx, strategy, findings)
    _note_yields(ctx, strategy, findings)


def _note_yields(ctx: Context, strategy: Strategy, findings: Findings) -> None:
    """Say why a pattern that looks for income finds none."""
    adaptive = strategy.choice(Kind.PATTERN, "adaptive")
    asked = adaptive.enabled and "income_gap" in adaptive.params.model_dump()["variants"]
    if not asked or not ctx.n or yields_known(ctx).any():
        return
    message = (
        "The variant income_gap of the pattern adaptive finds nothing: no dividend yield is known. "
        "Say dividend_yield in the securities file (--securities)."
    )
    qualified = adaptive.module.qualified
    findings.warnings.append(Notice(code="no_yields", message=message, module=qualified))


def why_absent(drop: Drop) -> str:
    """Its words, or those of whoever withheld the price."""
    return WHY_ABSENT.get(drop.rule) or drop.why.text


def _note_absent(ctx: Context, market: Market, findings: Findings) -> None:
    """Warn of every target that cannot be bought: a slip in a symbol looks like this."""
    for absent in ctx.absent[:ABSENT_TOLD]:
        unpriced = absent.why == WHY_ABSENT["no_price"]
        near = did_you_mean(absent.symbol, list(market.symbols)) if unpriced else ""
        message = (
            f"The target of {absent.symbol}, {100 * absent.target:.1f} % of value, cannot be "
            f"bought: {absent.why}.{near}"
        )
        findings.warnings.append(
            Notice(code="untradable_target", message=message, symbol=absent.symbol)
        )
    rest = ctx.absent[ABSENT_TOLD:]
    if rest:
        total = 100 * math.fsum(absent.target for absent in rest)
        more = (
            f"{len(rest)} more target{'' if len(rest) == 1 else 's'}, {total:.1f} % of value "
            "together, cannot be bought"
        )
        findings.warnings.append(
            Notice(
                code="untradable_target", message=f"{more}; each stands under what is not traded."
            )
        )


def _note_coverage(ctx: Context, findings: Findings) -> None:
    neutral = ctx.score.neutral
    used = {
        "expected_return": without_history(ctx.score),
        "volatility": neutral.vol,
        "quality": neutral.quality,
        "drawdown": neutral.drawdown,
        "correlation": neutral.corr,
    }
    for i, (symbol, security) in enumerate(zip(ctx.symbols, ctx.securities, strict=True)):
        lacking: list[tuple[str, float | None]] = [
            (metric, used.get(metric))
            for metric, missing in ctx.estimates.missing.items()
            if missing[i]
        ]
        if security.dividend_yield is None:
            lacking.append(("dividend_yield", neutral.yield_))
        if not security.sectors and not security.is_fund:
            lacking.append(("sector", None))
        if not security.countries and not security.is_fund:
            lacking.append(("country", None))
        if ctx.quantities[i] > 0 and np.isnan(ctx.average_cost[i]):
            lacking.append(("average_cost", None))
        for metric, neutral_value in lacking:
            findings.lacks(Coverage(symbol=symbol, metric=metric, used=neutral_value))


def _note_costs(ctx: Context, findings: Findings) -> None:
    if ctx.costs.percent >= ctx.limits.max_cost_share:
        findings.warnings.append(
            Notice(
                code="costs_high",
                message=(
                    f"A commission of {100 * ctx.costs.percent:.2f} % is never under "
                    f"{100 * ctx.limits.max_cost_share:.2f} % of an order; the smallest order is "
                    f"{100 * ctx.limits.min_trade_weight:.2f} % of value instead."
                ),
            )
        )


def _note_least(ctx: Context, findings: Findings) -> None:
    """Say that the least order is more than all that there is."""
    if ctx.min_order_weight > 1:
        by_base = ctx.limits.min_trade_base >= ctx.min_order_weight * ctx.value
        key = "limits.min_trade_base" if by_base else "limits.max_cost_share"
        message = (
            f"The smallest order by {key} is {ctx.min_order_weight * ctx.value:,.2f} "
            f"{ctx.base_currency}, more than the value of {ctx.value:,.2f}: nothing can be traded "
            f"but a holding sold whole. {'Lower' if by_base else 'Raise'} it."
        )
        findings.warnings.append(Notice(code="least_order_over_value", message=message))


def _note_groups(ctx: Context, findings: Findings) -> None:
    """Warn of targets of sectors and countries that no security has: a slip in a name."""
    for grouping, targets in (
        (ctx.sectors, ctx.groups.sector),
        (ctx.countries, ctx.groups.country),
    ):
        for label, weight in targets.items():
            if label in grouping.labels:
                continue
            near = one_line(did_you_mean(label, grouping.labels), 2 * LABEL_SHOWN)
            message = (
                f"No security of this plan has the {grouping.dimension} "
                f"{one_line(label, LABEL_SHOWN)}, to which groups.{grouping.dimension} gives a "
                f"target of {100 * weight:.1f} %. {near}"
            ).rstrip()
            findings.warnings.append(Notice(code="unknown_group", message=message))


def _note_regime(ctx: Context, strategy: Strategy, findings: Findings) -> None:
    """Say that the market regime is unknown where a module that runs asks for it."""
    asking = [
        choice.module
        for kind in Kind
        for choice in strategy.enabled(kind)
        if "market_regime" in choice.module.needs
    ]
    if ctx.regime.why is not None and asking:
        message = (
            f"The market regime is unknown: {ctx.regime.why.text}. "
            f"{', '.join(module.name for module in asking)} did not run."
        )
        findings.warnings.append(
            Notice(code="regime_unknown", message=message, module=asking[0].qualified)
        )
