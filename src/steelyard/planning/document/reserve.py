"""The document: what the reserve comes to, by which setting, and what a bear lets be spent."""

from __future__ import annotations

from steelyard.modules.context import Context
from steelyard.plans.answers import Told
from steelyard.sentences import Fact, cased, facts_of, say


def reserve_reason(ctx: Context) -> Told:
    """Which setting the reserve is from, and what a bear market adds to it."""
    wanted = ctx.regime_cash if ctx.follows_regime else None
    stays = "{least:pct} of value stays in cash"
    if wanted is None or wanted < ctx.limits.cash_reserve_weight:
        words = f"{stays} (limits.cash_reserve_weight)"
    else:
        words = f"{stays} in a {ctx.regime.name} market (regime.{ctx.regime.name}_cash)"
    facts: dict[str, Fact] = {"least": ctx.least_cash}
    if ctx.unspent_weight > 0:
        words += (
            "; of the {spare:pct} over it one plan spends at most {share:pct} (regime.bear_buys)"
        )
        facts |= {"spare": ctx.own_cash - ctx.least_cash, "share": ctx.rules.regime.bear_buys}
    why = say(words, **facts)
    return Told(text=cased(why.text), template=why.template, facts=facts_of(why))
