"""What the plan was chosen by besides the score of today: the lists compared, along time, over
shocks, and the frontier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.canonical import published
from steelyard.planning.costs import exact
from steelyard.planning.modes import monte_carlo, stochastic, timeframes
from steelyard.planning.modes.compare import sampled
from steelyard.planning.modes.contenders import seed_of
from steelyard.planning.modes.draws import pairs_of
from steelyard.planning.modes.judge import Judgement
from steelyard.planning.modes.tails import lead_of
from steelyard.planning.proof import PROVEN
from steelyard.planning.scored import Scored
from steelyard.planning.solve import Solution, step_order
from steelyard.plans.orders import AlternativeStep
from steelyard.plans.outlook import (
    Compared,
    Fan,
    FanPoint,
    FrontierPoint,
    GivenUp,
    HorizonShown,
    Outlook,
    Sampled,
    ShockShown,
)

HOLD = 0
MOST_BESIDE = 10
"""Lists that are shown beside the plan and hold."""
SAMPLED_DIGITS = 8
"""Of what is drawn: what lies behind them is summed in another order on other machines."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CENT = Decimal("0.01")


def sampled_shown(m: Solution) -> Sampled | None:
    """What was drawn; None where nothing was."""
    by, rules = m.choice.judgement, m.ctx.rules.evaluation
    if by is None or not rules.sampled:
        return None
    figures = by.figures
    lead, error = _lead(m, by)
    return Sampled(
        paths=_paths(m),
        seed=seed_of(m.ctx),
        mean=_rounded(figures[by.best, 0]),
        cvar=_rounded(figures[by.best, 1]),
        standard_error=_rounded(figures[by.best, 2]),
        cvar_error=_rounded(figures[by.best, 3]),
        tail=rules.tail,
        hold_mean=_rounded(figures[HOLD, 0]),
        hold_cvar=_rounded(figures[HOLD, 1]),
        lead=lead,
        lead_error=error,
    )


def _paths(m: Solution) -> int:
    """How many scenarios were drawn: whole pairs, of each shift as many."""
    rules = m.ctx.rules.evaluation
    if rules.mode == "monte_carlo":
        return 2 * pairs_of(rules.paths)
    return 2 * pairs_of(stochastic.paths_each(m.ctx)) * len(rules.shifts)


def _lead(m: Solution, by: Judgement) -> tuple[float | None, float | None]:
    other = by.next
    if other is None:
        return None, None
    rules = m.ctx.rules.evaluation
    two = sampled(m.ctx, m.objective, by.lists, np.array([by.best, other]))
    lead = lead_of(two[0], two[1], rules.tail_weight, rules.tail)
    return _rounded(lead.mean), _rounded(lead.mean_error)


def outlook_shown(m: Solution) -> Outlook | None:
    """None where the score of today alone decides."""
    by = m.choice.judgement
    if by is None:
        return None
    mode = m.ctx.rules.evaluation.mode
    return Outlook(
        mode=mode,
        compared=len(by.ends),
        beside=tuple(_beside(m, by)),
        given_up=_given_up(m, by),
        fan=_fan(m, by) if mode == "monte_carlo" else None,
        shocks=tuple(_shocks(m, by)) if mode == "stochastic" else (),
        horizons=tuple(_horizons(m, by)) if mode == "multi_timeframe" else (),
    )


def frontier_shown(m: Solution) -> Iterable[FrontierPoint]:
    """The frontier, best score first; nothing but in its mode."""
    by = m.choice.judgement
    if by is None or by.on is None:
        return
    for k in sorted(np.flatnonzero(by.on).tolist(), key=lambda k: (-by.figures[k, 0], k)):
        score, diversification, risk, cost = by.figures[k].tolist()
        yield FrontierPoint(
            steps=_steps(m, by.ends[k]),
            score=score,
            diversification=diversification,
            risk=risk,
            cost=cost,
            chosen=k == by.best,
        )


def _beside(m: Solution, by: Judgement) -> Iterator[Compared]:
    """The plan, hold, the best by the score of today and of the others, in the order of values."""
    draws = m.ctx.rules.evaluation.sampled
    shown = {by.best, HOLD, _by_score(by)}
    shown.update(
        [k for k in by.order if k not in shown and np.isfinite(by.values[k])][:MOST_BESIDE]
    )
    for place, k in enumerate((k for k in by.order if k in shown), start=1):
        value = float(by.values[k])
        yield Compared(
            name="hold" if k == HOLD else f"list_{place}",
            steps=_steps(m, by.ends[k]),
            improvement=by.ends[k].net,
            eligible=bool(by.lists.eligible[k]),
            value=_rounded(value) if np.isfinite(value) else None,
            mean=_rounded(by.figures[k, 0]) if draws else None,
            cvar=_rounded(by.figures[k, 1]) if draws else None,
            chosen=k == by.best,
        )


def _by_score(by: Judgement) -> int:
    """Place of the best list by the score of today that may be the plan."""
    may_be = (k for k in by.order if by.lists.eligible[k])
    # as the document tells the score: what lies behind its digits decides nothing a reader sees
    return max(
        may_be, key=lambda k: (published(by.ends[k].net), k == by.best, np.isfinite(by.values[k]))
    )


def _given_up(m: Solution, by: Judgement) -> GivenUp | None:
    other = _by_score(by)
    less = by.ends[other].net - by.plan.net
    if less <= PROVEN:
        return None
    won = float(by.values[by.best] - by.values[other])
    return GivenUp(
        points=100 * less,
        base_per_year=m.objective.rates.base_per_year(less, m.ctx.value),
        won=_rounded(won) if np.isfinite(won) else None,
    )


def _fan(m: Solution, by: Judgement) -> Fan:
    market, plan = monte_carlo.fanned(m.ctx, by.lists, by.best, QUANTILES)
    _, hold = monte_carlo.fanned(m.ctx, by.lists, HOLD, QUANTILES)
    points = tuple(
        FanPoint(
            years=market.step * period,
            **{
                name: _money(m, value)
                for name, value in zip(
                    ("p05", "p25", "p50", "p75", "p95"), plan.bands[:, period].tolist(), strict=True
                )
            },
            hold_p05=_money(m, hold.bands[0, period]),
            hold_p50=_money(m, hold.bands[2, period]),
            hold_p95=_money(m, hold.bands[4, period]),
        )
        for period in range(market.periods + 1)
    )
    return Fan(
        points=points,
        fall_p50=_quantile(plan.falls, 0.5),
        fall_p95=_quantile(plan.falls, 0.95),
        hold_fall_p50=_quantile(hold.falls, 0.5),
        hold_fall_p95=_quantile(hold.falls, 0.95),
        loss=_rounded(float((plan.ends < hold.start).mean())),
        hold_loss=_rounded(float((hold.ends < hold.start).mean())),
    )


def _shocks(m: Solution, by: Judgement) -> Iterator[ShockShown]:
    two = sampled(m.ctx, m.objective, by.lists, np.array([HOLD, by.best]))
    values = stochastic.worth(m.ctx, by.lists)
    for n, shift in enumerate(m.ctx.rules.evaluation.shifts):
        at = slice(2 * n, 2 * n + 2)
        yield ShockShown(
            shift=shift,
            value=_money(m, values[n]),
            hold=_rounded(float(two[0][:, at].mean())),
            plan=_rounded(float(two[1][:, at].mean())),
        )


def _horizons(m: Solution, by: Judgement) -> Iterator[HorizonShown]:
    ahead = timeframes.ahead(m.ctx, by.lists, by.best)
    rules = m.ctx.rules.evaluation
    for n, (years, share) in enumerate(zip(rules.horizons, rules.shares, strict=True)):
        yield HorizonShown(
            years=years,
            share=share,
            hold=float(by.figures[HOLD, n]),
            plan=float(by.figures[by.best, n]),
            annual_return=ahead[n][0],
            volatility=ahead[n][1],
        )


def _steps(m: Solution, scored: Scored) -> tuple[AlternativeStep, ...]:
    return tuple(
        AlternativeStep(
            side=m.orders.side(j),
            symbol=m.ctx.symbols[m.orders.security[j]],
            quantity=m.orders.quantity[j],
        )
        for j in step_order(m.orders, scored.row)
    )


def _quantile(values: FloatArray, share: float) -> float:
    return _rounded(float(np.quantile(values, share)))


def _rounded(value: float) -> float:
    return float(f"{value:.{SAMPLED_DIGITS}g}")


def _money(m: Solution, share: float) -> Decimal:
    return exact(published(share * m.ctx.value)).quantize(CENT)
