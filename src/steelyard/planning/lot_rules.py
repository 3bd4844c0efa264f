"""What the lot method needs of the holdings, and what the year's gains leave: refused or said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from steelyard.errors import PlanRefused, each
from steelyard.modules.context import Context
from steelyard.money import ZERO
from steelyard.notices import Notice
from steelyard.planning.costs import exact
from steelyard.planning.findings import Findings
from steelyard.portfolio import TaxLot
from steelyard.sentences import money

FIELDS = {"acquired": "acquired", "average_cost": "unit_cost"}
"""Column of the holdings file -> field of a lot."""


def note_lots(ctx: Context, findings: Findings) -> None:
    """Say what is left of the yearly budget.

    Raises PlanRefused where a holding of several lots lacks what the method chooses by.
    """
    lacking = list(_lacking(ctx))
    if lacking:
        method = f"lots.method = {ctx.lots.method}"
        what = "; ".join(lacking)
        hint = "fill the columns in for each lot of the holdings file, or set lots.method = fifo"
        raise PlanRefused(
            f"{method} cannot choose between the lots of holdings that lack what it chooses by: "
            f"{what}. Nothing was planned: {hint}.",
            code="lots_incomplete",
            place="holdings",
            value=what,
            limit=method,
            faults=each("lots_incomplete", lacking),
            hint=hint,
        )
    findings.warnings.extend(_budget(ctx))
    findings.warnings.extend(_undated(ctx))


def _undated(ctx: Context) -> Iterator[Notice]:
    """Sales at a loss without a day, where a window is after them."""
    symbols = [past.symbol for past in ctx.past if past.undated]
    if ctx.lots.wash_sale_days and symbols:
        message = (
            f"{', '.join(symbols)}: sold at a loss, and no day is given (last_sold). It counts as "
            f"sold today, so for {ctx.lots.wash_sale_days} days nothing of the kind is bought. "
            "Give the day."
        )
        yield Notice(code="loss_without_day", message=message, head=True)


def _lacking(ctx: Context) -> Iterator[str]:
    """`VTI without acquired in 1 of 3 lots`, of what may be sold."""
    for i in np.flatnonzero(ctx.can_sell).tolist():
        holding = ctx.holdings[i]
        if holding is None or len(holding.lots) == 1:
            continue
        for column in ctx.lot_rule.needs:
            count = sum(getattr(lot, FIELDS[column]) is None for lot in holding.lots)
            if count:
                yield f"{ctx.symbols[i]} without {column} in {count} of {len(holding.lots)} lots"


def _budget(ctx: Context) -> Iterator[Notice]:
    """How much net gain the plan may realise, and what counts as one."""
    budget, before = ctx.lots.max_gain_base, ctx.state.realised_gain
    if budget is None:
        return
    base, rest = ctx.base_currency, exact(budget) - (before or ZERO)
    most = f"lots.max_gain_base allows {base} {money(exact(budget))} of net gain this year"
    if rest < 0:
        message = (
            f"{most}; {money(before or ZERO)} is realised already, {money(-rest)} more. Sales "
            "realise no further net gain."
        )
    elif before is None:
        message = f"{most}. What was realised before is not known and counts as 0 (--realised)."
    else:
        message = f"{most}; {money(before)} is realised already, so {money(rest)} is left."
    yield Notice(code="gain_budget", message=message, head=True)
    unknown = [
        ctx.symbols[i]
        for i in np.flatnonzero(ctx.can_sell).tolist()
        if (holding := ctx.holdings[i]) and any(map(_costless, holding.lots))
    ]
    if unknown:
        message = (
            f"The cost of {', '.join(unknown)} is not known: against lots.max_gain_base a sale of "
            "it counts as gain from the first cent."
        )
        yield Notice(code="gain_unknown", message=message)


def _costless(lot: TaxLot) -> bool:
    return lot.unit_cost is None
