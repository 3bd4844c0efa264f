"""What the orders cost, and the cash account."""

from __future__ import annotations

from steelyard.report.exhibits.trades import trades
from steelyard.report.exhibits.waterfall import cost
from steelyard.report.exhibits.words import capital, lower, rate
from steelyard.report.terminal.sections.view import View, in_base
from steelyard.sentences import money, percent


def draw(view: View) -> None:
    """Print the costs by kind, the conversions and the cash account; nothing where no money moves.

    A plan without orders may convert for a withdrawal.
    """
    plan = view.plan
    if plan.steps:
        _of_orders(view)
    elif plan.flows or plan.conversions:
        view.title("Money in and out")
    else:
        return
    exhibit = trades(plan)
    for exchange in exhibit.exchanges:
        pair = f"{exchange.from_} to {exchange.to} at {rate(exchange.rate)}"
        charge = in_base(plan, exchange.cost)
        view.say(f"Converts {money(exchange.amount)} {pair}, cost {charge}.")
    view.say(f"{exhibit.cash_said} {exhibit.reserve_said}")


def _of_orders(view: View) -> None:
    plan, fall = view.plan, cost(view.plan)
    view.title(f"Costs {in_base(plan, plan.costs.total)} · turnover {percent(plan.turnover)} %")
    parts = ", ".join(f"{lower(bar.label)} {bar.text}" for bar in fall.bars if bar.kind != "end")
    view.say(" ".join((f"{capital(parts)} {plan.base_currency}.", *fall.notes)))
