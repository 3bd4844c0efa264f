"""The plan partly filled: what of it fills, and what that end state is worth by the same score."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

from steelyard.modules.sequences import Fill, Order
from steelyard.planning.scored import Scored, score_set
from steelyard.planning.sizing import Sized
from steelyard.planning.solve import Solution
from steelyard.planning.table import bare_table
from steelyard.plans.answers import Filling, FillScenario, Robustness
from steelyard.sentences import Sentence, longer, say, worded


def filled(solution: Solution, order: Order, fill: Fill) -> FillScenario:
    """The end state of a scenario, by the score of the plan."""
    ctx = solution.ctx
    orders = [
        (n, j, q)
        for n, (j, q) in enumerate(zip(order, fill.quantities, strict=True), start=1)
        if q > 0
    ]
    part = bare_table(ctx, [_part(solution, j, q) for _, j, q in orders])
    free = solution.orders.free
    part = replace(part, free=None if free is None else free[[j for _, j, _ in orders]])
    scored = score_set(
        ctx, solution.objective, part, range(len(orders)), solution.choice.hold.evaluation.score
    )
    cash = ctx.cash_weight - math.fsum(float(change) for change in part.delta) - scored.cost
    return FillScenario(
        name=fill.why.text,
        fills=tuple(_filling(solution, n, j, q) for n, j, q in orders),
        improvement=scored.net,
        cash_after=cash,
        keeps_reserve=part.account.pays(range(len(orders))),
        **worded(_scenario(fill.why, scored, cash)),
    )


def _part(solution: Solution, j: int, quantity: Decimal) -> Sized:
    """Part of an order, or all of it: then it weighs exactly what the table says."""
    table = solution.orders
    whole = table.quantity[j]
    return Sized(
        i=int(table.security[j]),
        side=table.side(j),
        quantity=quantity,
        weight=abs(float(table.delta[j])) * float(quantity / whole),
        full_exit=bool(table.full_exit[j]) and quantity == whole,
        to_target=False,
        priority_weight=1.0,
        proposals=table.proposals[j],
    )


def _filling(solution: Solution, n: int, j: int, quantity: Decimal) -> Filling:
    p = solution.valuation.priced[solution.ctx.symbols[solution.orders.security[j]]]
    return Filling(n=n, quantity=quantity, notional_base=quantity * p.share)


def _scenario(why: Sentence, scored: Scored, cash: float) -> Sentence:
    return longer(why, ": {net:spoints} points, {cash:pct} in cash", net=scored.net, cash=cash)


def robustness(scenarios: list[FillScenario]) -> Robustness | None:
    """All scenarios in one sentence; None where there is none."""
    if not scenarios:
        return None
    nets = [scenario.improvement for scenario in scenarios]
    beats, short = (
        sum(net > 0 for net in nets),
        sum(not scenario.keeps_reserve for scenario in scenarios),
    )
    worst, mean = min(nets), math.fsum(nets) / len(nets)
    sentence = say(
        "filled in part, the plan beats hold in {beats:count} of {scenarios:count} scenarios: "
        "{mean:spoints} points net on average, "
        "{worst:spoints} at worst",
        beats=beats,
        scenarios=len(nets),
        mean=mean,
        worst=worst,
    )
    if short:
        sentence = longer(
            sentence, "; {short:count} would leave less cash than must stay", short=short
        )
    return Robustness(
        worst=worst,
        mean=mean,
        share=beats / len(nets),
        scenarios=tuple(scenarios),
        **worded(sentence),
    )
