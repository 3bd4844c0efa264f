"""How sure the plan is: it and its rivals under bootstrap re-estimates of returns and risk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray
from steelyard.estimates.estimate import TEN_YEARS, Estimates, estimate
from steelyard.modules.tables import evaluate
from steelyard.modules.terms import end_state
from steelyard.planning.collapse import collapse
from steelyard.planning.guard import Guard
from steelyard.planning.questions.loosened import Progress
from steelyard.planning.score.objective import objective_of
from steelyard.planning.search.branch_and_bound import branch_and_bound
from steelyard.planning.search.problem import Problem
from steelyard.planning.solve import Solution
from steelyard.plans.answers import Stability
from steelyard.sentences import Fact, say, worded

RESAMPLES = 20
BLOCK_DAYS = 21
"""Mean length of a bootstrap block: a month keeps most of the dependence between days."""


def stability(solution: Solution, gone: Mapping[str, str], tell: Progress) -> Stability:
    """In how many re-estimates of returns and risk the answer stands, and what it misses.

    gone   modules that the plan is made without, since they failed late -> error
    """
    row, threshold = solution.choice.plan.row, solution.choice.threshold
    holds, regrets = 0, []
    for k, estimates in enumerate(resampled(solution)):
        tell("re-estimating returns and risk", k, RESAMPLES)
        net, best = _under(solution, gone, estimates)
        reachable = best if best >= threshold else 0.0
        holds += net > 0 if row else reachable == 0.0
        regrets.append(max(0.0, reachable - net))
    share, regret = holds / RESAMPLES, float(np.mean(regrets))
    facts: dict[str, Fact] = {"resamples": RESAMPLES, "holds": holds}
    opening = "Under {resamples:count} re-estimates of returns and risk "
    if row:
        sentence = say(
            opening + "the plan beats hold in {holds:count}; "
            "it misses the best plan of each by {regret:points} points on average.",
            **facts,
            regret=regret,
        )
    else:
        sentence = say(opening + "hold stays the answer in {holds:count}.", **facts)
    return Stability(resamples=RESAMPLES, share=share, mean_regret=regret, **worded(sentence))


def resampled(solution: Solution) -> Iterator[Estimates]:
    """Estimates from bootstrap histories: blocks of days, all together, ending at today's prices.

    Source: Politis and Romano, The stationary bootstrap (1994).
    """
    market, ctx = solution.case.market, solution.ctx
    currencies = [security.currency for security in ctx.securities]
    closes = market.base_closes(ctx.symbols, currencies, ctx.limits.max_stale_sessions)[
        -TEN_YEARS - 1 :
    ]
    with np.errstate(invalid="ignore"):
        returns = np.diff(np.log(closes), axis=0)
    yields = np.array(
        [np.nan if s.dividend_yield is None else s.dividend_yield for s in ctx.securities]
    )
    quality = np.array([np.nan if s.quality is None else s.quality for s in ctx.securities])
    rng = np.random.default_rng([ctx.seed, RESAMPLES])
    for _ in range(RESAMPLES):
        drawn = returns[_blocks(rng, len(returns))]
        yield estimate(
            _history(drawn, closes),
            settings=ctx.score,
            dividend_yield=yields,
            fundamental_quality=quality,
            adjusted=market.adjusted,
        )


def _blocks(rng: np.random.Generator, days: int) -> IntArray:
    """(days,) indices of a stationary bootstrap sample, wrapping around."""
    if not days:
        return np.zeros(0, dtype=np.int64)
    fresh = rng.random(days) < 1 / BLOCK_DAYS
    fresh[0] = True
    starts = rng.integers(0, days, days)
    born = np.maximum.accumulate(np.where(fresh, np.arange(days), 0))
    return np.asarray((starts[born] + np.arange(days) - born) % days)


def _history(returns: FloatArray, closes: FloatArray) -> FloatArray:
    """(T, n) closes that end at the newest ones and moved by `returns` (T - 1, n); NaN as there."""
    if not len(returns):
        return closes
    moved = np.isfinite(returns)
    later = np.cumsum(np.where(moved, returns, 0.0)[::-1], axis=0)[::-1]
    newest = np.where(np.isfinite(closes[-1]), closes[-1], 1.0)
    history = np.vstack([newest * np.exp(-later), newest])
    history[:-1][~moved] = np.nan
    history[-1, ~np.isfinite(closes[-1])] = np.nan
    return np.asarray(history)


def _under(
    solution: Solution, gone: Mapping[str, str], estimates: Estimates
) -> tuple[float, float]:
    """(net of the plan, best net of any set) under other estimates; the same orders and limits."""
    case, row, table = solution.case, solution.choice.plan.row, solution.table
    ctx = replace(solution.ctx, estimates=estimates)
    objective = objective_of(ctx, case.strategy, Guard(case.disabled, gone))
    start = end_state(ctx.weights, ctx.cash_weight)
    tables = collapse(
        objective.model, start, table.security, table.delta, table.cost, table.tax, objective.rates
    )
    cells = np.full((1, ctx.search.max_depth), PAD, dtype=np.int64)
    cells[0, : len(row)] = row
    problem = Problem(tables, table.account, ctx.search.max_depth, table.predicates)
    proof = branch_and_bound(
        problem, [cells, solution.evidence.proof.pool.rows], max_nodes=ctx.search.max_nodes
    )
    best = float(proof.pool.net[0]) if len(proof.pool.net) else 0.0
    return (float(evaluate(tables, cells)[0]) if row else 0.0), best
