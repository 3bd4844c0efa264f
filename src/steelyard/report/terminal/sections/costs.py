"""What the orders cost, and the cash account."""

from __future__ import annotations

from steelyard.report.exhibits.trades import trades
from steelyard.report.exhibits.words import rate
from steelyard.report.terminal.sections.view import View, in_base
from steelyard.sentences import money, percent


def draw(view: View) -> None:
    """Print the costs by kind, the conversions and the cash account; nothing for a plan that
    holds.
    """
    plan = view.plan
    base = plan.base_currency
    if not plan.steps:
        return
    view.title(f"Costs {in_base(plan, plan.costs.total)} · turnover {percent(plan.turnover)} %")
    tax = (
        "not estimated"
        if plan.costs.tax is None
        else f"{in_base(plan, plan.costs.tax)}, payable later"
    )
    view.say(
        f"Commission {money(plan.costs.commission)}, spread {money(plan.costs.spread)}, "
        f"currency conversion {money(plan.costs.fx)} {base}; tax {tax}."
    )
    exhibit = trades(plan)
    for exchange in exhibit.exchanges:
        pair = (
            f"{money(exchange.amount)} {exchange.from_} to {exchange.to} at {rate(exchange.rate)}"
        )
        view.say(f"Converts {pair}, cost {in_base(plan, exchange.cost)}.")
    view.say(f"{exhibit.cash_said} {exhibit.reserve_said}")
