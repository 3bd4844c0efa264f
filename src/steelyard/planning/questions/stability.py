"""How sure the plan is: it and its rivals under bootstrap re-estimates of returns and risk."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from steelyard.arrays import FloatArray, IntArray, floats
from steelyard.estimates.estimate import TEN_YEARS, Estimates, estimate
from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context
from steelyard.modules.terms import end_state
from steelyard.planning.case import Case
from steelyard.planning.collapse import collapse
from steelyard.planning.guard import Guard
from steelyard.planning.questions.again import Asked, Lots, Progress
from steelyard.planning.score.model import Point
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.search.branch_and_bound import branch_and_bound
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.quantities import LotSearch
from steelyard.planning.solve import Solution
from steelyard.planning.ways import ways_of
from steelyard.plans.answers import Stability
from steelyard.sentences import Fact, say, worded

RESAMPLES = 20
SEARCHED_WHOLE = 100
"""Ways to trade up to which the best of a re-estimate is searched by pairs too."""
BLOCK_DAYS = 21
"""Mean length of a bootstrap block: a month keeps most of the dependence between days."""


def stability(asked: Asked, tell: Progress) -> Stability:
    """In how many re-estimates of returns and risk the answer stands, and what it misses."""
    choice, threshold = asked.now.choice, asked.now.choice.threshold
    row, holds, regrets = choice.plan.row, 0, list[float]()
    for k, estimates in enumerate(resampled(asked.now.case, asked.now.ctx)):
        tell("re-estimating returns and risk", k, RESAMPLES)
        net, best = _net_and_best(asked, estimates)
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


def resampled(case: Case, ctx: Context) -> Iterator[Estimates]:
    """Estimates from bootstrap histories: blocks of days, all together, ending at today's prices.

    Source: Politis and Romano, The stationary bootstrap (1994).
    """
    market = case.market
    currencies = [security.currency for security in ctx.securities]
    closes = market.base_closes(ctx.symbols, currencies, ctx.limits.max_stale_sessions)[
        -TEN_YEARS - 1 :
    ]
    with np.errstate(invalid="ignore"):
        returns = np.diff(np.log(closes), axis=0)
    yields = floats(s.dividend_yield for s in ctx.securities)
    quality = floats(s.quality for s in ctx.securities)
    stated = floats(s.expected_return for s in ctx.securities)
    rng = np.random.default_rng([ctx.seed, RESAMPLES])
    for _ in range(RESAMPLES):
        drawn = returns[_blocks(rng, len(returns))]
        yield estimate(
            _history(drawn, closes),
            settings=ctx.score,
            dividend_yield=yields,
            fundamental_quality=quality,
            stated_return=stated,
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


def _net_and_best(asked: Asked, estimates: Estimates) -> tuple[float, float]:
    basis = asked.basis
    if isinstance(basis, Solution):
        return _under(asked, basis, estimates)
    return _refitted(asked, basis, estimates)


def _under(asked: Asked, solution: Solution, estimates: Estimates) -> tuple[float, float]:
    """(net of the plan, best net of any set) under other estimates, in a scope of the table."""
    case, table = solution.case, solution.table
    ctx = replace(solution.ctx, estimates=estimates)
    objective = objective_of(ctx, case.strategy, Guard(case.disabled, asked.gone))
    start = end_state(ctx.weights, ctx.cash_weight)
    tables = collapse(
        objective.model, start, table.security, table.delta, table.cost, table.tax, objective.rates
    )
    problem = Problem(tables, table.account, ctx.search.max_depth, table.predicates)
    proof = branch_and_bound(
        problem, [solution.searched.proof.pool.rows], max_nodes=ctx.search.max_nodes
    )
    best = float(proof.pool.net[0]) if len(proof.pool.net) else 0.0
    return net_of(ctx, objective, solution.orders, solution.choice.plan.row), best


def net_of(ctx: Context, objective: Objective, orders: Orders, row: Sequence[int]) -> float:
    """Net of a set by the model's arrays."""
    at, model = list(row), objective.model
    start = end_state(ctx.weights, ctx.cash_weight)
    after = end_state(
        orders.after(ctx.weights, row), ctx.cash_weight - math.fsum(orders.delta[at].tolist())
    )
    gain = Point.at(model, after).value() - Point.at(model, start).value()
    cost, tax = float(orders.cost[at].sum()), float(orders.tax[at].sum())
    return gain - objective.rates.total(cost, tax, len(at))


def _refitted(asked: Asked, lots: Lots, estimates: Estimates) -> tuple[float, float]:
    """(net of the plan's orders in their best quantities, best net of any list), over whole lots.

    The plan's side of each security stays, its quantity is fitted again; the other list comes from
    a search from the plan that does not branch, and of many ways changes single orders alone.
    """
    now, domain = asked.now, lots.domain
    ctx = replace(now.ctx, estimates=estimates)
    guard = Guard(now.case.disabled, asked.gone)
    objective = objective_of(ctx, now.case.strategy, guard)
    counted = domain.most_orders is not None
    ways = ways_of(ctx, domain.trades, objective.rates, domain.account, counted)
    search = LotSearch.of(replace(domain.problem, model=objective.model, ways=ways))
    fitted = search.fitted(lots.listed) if now.choice.acts else None
    starts = [lots.listed, *([] if fitted is None else [fitted.orders])]
    seeds = [*domain.seeds, *starts]
    if len(ways) > SEARCHED_WHOLE:
        return 0.0 if fitted is None else fitted.net, search.roughly(seeds)
    best = search.run(seeds, 0).lists
    return 0.0 if fitted is None else fitted.net, best[0].net if best else 0.0
