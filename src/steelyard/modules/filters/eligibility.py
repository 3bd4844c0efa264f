"""Eligibility: which holdings may be sold at all."""

from __future__ import annotations

import numpy as np

from steelyard.modules.candidates import Candidates, Ruling
from steelyard.modules.context import Context
from steelyard.modules.filters import OnMissing, Rule, purchase_unknown, ruling, since
from steelyard.modules.registry import ModuleParams, sequence_filter
from steelyard.sentences import Sentence, say
from steelyard.settings import setting


class Params(ModuleParams):
    """When a sale is too early, or panic.

    `no_panic_sell_pct` is off by default: a rule that never sells losers works against a stop.
    """

    min_hold_days: int = setting(
        90, "days from the last buy; from this day on it may be sold", ge=0, le=3650
    )
    no_panic_sell_pct: float | None = setting(
        None,
        "a holding further below its average cost than this is not sold; off when absent",
        ge=0,
        le=1,
    )
    on_missing: OnMissing = "allow"


@sequence_filter("eligibility", form="mask", version="1.0.0", params=Params, tags=("sell",))
def eligibility(ctx: Context, candidates: Candidates, params: Params) -> Ruling:
    """Keep a sale only after the minimum holding time and, if asked for, not at a deep loss."""
    rules = [
        Rule(
            name="min_hold_days",
            buys=False,
            metric="last_bought",
            value=ctx.days_since_bought,
            unknown=purchase_unknown(ctx) & (params.min_hold_days > 0),
            broken=ctx.days_since_bought < params.min_hold_days,
            limit=params.min_hold_days,
            why=since(
                "bought {days:days} ago, held for at least {limit:days}",
                ctx.days_since_bought,
                params.min_hold_days,
            ),
        )
    ]
    if params.no_panic_sell_pct is not None:
        rules.append(_no_panic(ctx, params.no_panic_sell_pct))
    return ruling(ctx, candidates, rules, params.on_missing)


def _no_panic(ctx: Context, limit: float) -> Rule:
    costed = ctx.average_cost > 0
    gain = np.divide(ctx.prices, ctx.average_cost, out=np.full(ctx.n, np.nan), where=costed) - 1

    def why(security: int) -> Sentence:
        return say(
            "{loss:pct} below its cost, not sold further than {limit:pct} below",
            loss=-float(gain[security]),
            limit=limit,
        )

    return Rule(
        name="no_panic_sell_pct",
        buys=False,
        metric="average_cost",
        value=gain,
        unknown=ctx.held & ~costed,
        # a loss of exactly the limit may be sold; prices are compared, not rounded losses
        broken=costed & (ctx.prices < ctx.average_cost * (1 - limit)),
        limit=-limit,
        why=why,
    )
