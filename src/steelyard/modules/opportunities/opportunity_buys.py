"""Opportunity buys: what has a smooth record or is rising; dividends go back to their payer."""

from __future__ import annotations

import numpy as np

from steelyard.arrays import BoolArray, FloatArray
from steelyard.modules.candidates import Candidate
from steelyard.modules.context import Context
from steelyard.modules.opportunities import BUY_LADDER, PriorityWeight, quality_word, reaches
from steelyard.modules.registry import ModuleParams, opportunity_calculator
from steelyard.orders import Side
from steelyard.sentences import Fact, Sentence, say
from steelyard.settings import Fraction, setting

FAST = 0.25
"""Momentum at which its score is .88: about one volatility of a year."""
UNKNOWN_MOMENTUM = 0.5


class Params(ModuleParams):
    """What counts as worth buying, and what pays for more of itself.

    Quality is what the securities file says, else steadiness, told from prices: it finds calmer
    names, not better-paid ones. The score that is held against the least is (1 - w) quality + w
    momentum, momentum as `momentum_score` has it.
    """

    min_quality_score: float | None = setting(
        None,
        "least quality, or least mix of quality and momentum; when absent it is a rank, see "
        "`best_share`",
        ge=0,
        le=1,
    )
    best_share: Fraction = setting(
        0.5, "best share of the planning set by that score, where no least score is set"
    )
    momentum_weight: Fraction = setting(0.0, "weight of momentum in that mix; 0 = quality alone")
    reinvest_dividends: bool = setting(
        True, "does a dividend set aside for reinvestment buy what paid it"
    )
    priority_weight: PriorityWeight = 1.1

    def most_sizes(self) -> int:
        """The ladder and a dividend."""
        return len(BUY_LADDER) + 1


def momentum_score(momentum: FloatArray) -> FloatArray:
    """Momentum on the scale of quality, (n,) in 0..1: (1 + tanh(m / .25)) / 2, .5 where unknown.

    momentum   (n,)  growth of twelve months less the newest, NaN unknown
    >>> momentum_score(np.array([0.0, 0.25, np.nan])).round(2)
    array([0.5 , 0.88, 0.5 ])
    """
    return np.where(np.isnan(momentum), UNKNOWN_MOMENTUM, (1 + np.tanh(momentum / FAST)) / 2)


def scores(ctx: Context, params: Params) -> FloatArray:
    """What is held against the least, (n,)."""
    w = params.momentum_weight
    return np.asarray((1 - w) * ctx.quality + w * momentum_score(ctx.trends.momentum))


def comparable(ctx: Context, params: Params) -> BoolArray:
    """(n,) whose score is known and can be ranked."""
    if params.momentum_weight < 1:
        return ~ctx.estimates.missing["quality"]
    return np.isfinite(ctx.trends.momentum)


def earmarks(ctx: Context) -> FloatArray:
    """Dividends set aside for what paid them, (n,) of value."""
    amounts = np.array([float(ctx.state.dividends.get(symbol, 0)) for symbol in ctx.symbols])
    return np.asarray(amounts * ctx.fx / ctx.value)


@opportunity_calculator("opportunity_buys", version="2.0.0", params=Params, tags=("buy",))
def opportunity_buys(ctx: Context, params: Params) -> list[Candidate]:
    """Buy one to eight base orders of a security of high quality or momentum, held or not; a
    dividend's worth of what paid it.
    """
    best = reaches(
        scores(ctx, params), comparable(ctx, params), params.min_quality_score, params.best_share
    )
    dividends = earmarks(ctx) * params.reinvest_dividends
    candidates: list[Candidate] = []
    for i in np.flatnonzero(ctx.can_buy):
        good, dividend = bool(best[i]), float(dividends[i])
        if not good and not dividend > 0:
            continue
        sizes = [step * ctx.base_weight for step in BUY_LADDER] if good else []
        candidates.append(
            Candidate(
                Side.BUY,
                ctx.symbols[i],
                tuple(sorted({*sizes, dividend})) if dividend > 0 else tuple(sizes),
                params.priority_weight,
                _why(ctx, params, int(i), good=good, dividend=dividend),
                ("quality", "opportunity") * good + ("dividend",) * (dividend > 0),
            )
        )
    return candidates


def _why(ctx: Context, params: Params, i: int, *, good: bool, dividend: float) -> Sentence:
    """Every reason that holds, in one sentence."""
    reasons: list[str] = []
    facts: dict[str, Fact] = {}
    if good:
        word = quality_word(ctx, i)
        reasons.append(_of_score(params, float(ctx.trends.momentum[i]), word))
        facts |= {"quality": float(ctx.quality[i])}
        if params.min_quality_score is not None:
            facts |= {"limit": params.min_quality_score}
        else:
            ranked = int(comparable(ctx, params).sum())
            facts |= {"best": params.best_share, "ranked": ranked}
        if params.momentum_weight > 0:
            facts |= {"share": params.momentum_weight, "score": float(scores(ctx, params)[i])}
            momentum = float(ctx.trends.momentum[i])
            facts |= {} if np.isnan(momentum) else {"momentum": momentum}
    if dividend > 0:
        reasons.append("its dividend of {dividend:money} {currency:text} goes back into it")
        paid = ctx.state.dividends[ctx.symbols[i]]
        facts |= {"dividend": paid, "currency": ctx.securities[i].currency}
    return say("; ".join(reasons), **facts)


def _of_score(params: Params, momentum: float, word: str) -> str:
    enough = "at least {limit:ratio}"
    if params.min_quality_score is None:
        enough = "in the best {best:pct} of {ranked:count} names"
    if not params.momentum_weight > 0:
        return f"{word} {{quality:ratio}}, {enough}"
    rise = "{momentum:spct} in a year" if not np.isnan(momentum) else "an unknown momentum"
    return (
        f"{word} {{quality:ratio}} and {rise} ({{share:pct}} of the mix) score {{score:ratio}}, "
        f"{enough}"
    )
