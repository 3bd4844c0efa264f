"""What would change a plan, and how sure it is: asked for, slower, never part of the plan's id.

1. stability         bootstrap re-estimates of returns and risk: does the plan still beat hold, and
   by how much
                     does it miss the best of each
2. counterfactuals   one more order, a looser cap, another percent of reserve: the gain of each, by
   re-solving
3. thresholds        for each order the price at which it leaves the plan, other prices as they are
4. relaxations       of a hold plan: the smallest loosening of one limit that lets a plan through
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray
from steelyard.canonical import plain
from steelyard.errors import FailedLate, PlanRefused
from steelyard.estimates.estimate import TEN_YEARS, Estimates, estimate
from steelyard.modules.context import Context
from steelyard.modules.tables import evaluate
from steelyard.modules.terms import end_state
from steelyard.notices import Notice
from steelyard.orders import Side
from steelyard.planning.collapse import collapse
from steelyard.planning.document import Material, worded
from steelyard.planning.findings import Findings
from steelyard.planning.planner import solve
from steelyard.planning.questions import what_if
from steelyard.planning.score.objective import objective_of
from steelyard.planning.search.branch_and_bound import branch_and_bound
from steelyard.planning.search.problem import Problem
from steelyard.plans.answers import (
    Counterfactual,
    Explanation,
    Relaxation,
    Stability,
    Threshold,
)
from steelyard.plans.orders import Step
from steelyard.plans.plan import Plan
from steelyard.sentences import Sentence, say
from steelyard.strategies import Strategy

RESAMPLES = 20
BLOCK_DAYS = 21
"""Mean length of a bootstrap block: a month keeps most of the dependence between days."""

LARGEST_FALL = 0.5
LARGEST_RISE = 2.0
PRICE_HALVINGS = 6
PRICE_DIGITS = 6

MORE_RESERVE = 0.01
LOOSER_CAP = 0.05

Progress = Callable[[str, int, int], None]
"""(what, done, of how many)"""


@dataclass(frozen=True, kw_only=True)
class Case(what_if.Case):
    """The inputs of a plan, to be solved again as the planner solves it."""

    solver: what_if.Solver = solve


def explain(case: Case, plan: Plan, progress: Progress | None = None) -> Plan:
    """The plan with its explanation; `progress` is told what is being solved.

    The plan must be the one that the case makes. Where a module that worked in the plan fails in
    what is solved again, or nothing may be planned there, the plan stays as it is and a warning
    says why it is not explained.
    """
    try:
        return plan.model_copy(
            update={"explanation": _explanation(case, plan, progress or _silent)}
        )
    except FailedLate as failed:
        return _unexplained(
            plan, f"{failed.module} failed when it was asked again: {failed.told}", failed.module
        )
    except PlanRefused as refused:
        return _unexplained(plan, f"solving again was refused: {refused}", None)


def _unexplained(plan: Plan, why: str, module: str | None) -> Plan:
    message = f"The plan is made, but not what would change it: {why.rstrip('.')}."
    return plan.model_copy(
        update={
            "warnings": (
                *plan.warnings,
                Notice(code="not_explained", message=message, module=module),
            )
        }
    )


def _explanation(case: Case, plan: Plan, tell: Progress) -> Explanation:
    """Solve again for all four parts; raises FailedLate and PlanRefused."""
    findings = Findings(disabled=case.disabled)
    made = findings.settled(partial(case.solved_into, findings))
    stability = _stability(case, made, findings.gone, tell)
    counterfactuals = tuple(_counterfactuals(case, made, tell))
    thresholds = tuple(_thresholds(case, plan, tell))
    relaxations = () if made.choice.acts else tuple(_relaxations(case, tell))
    return Explanation(
        text=stability.text,
        stability=stability,
        counterfactuals=counterfactuals,
        thresholds=thresholds,
        relaxations=relaxations,
    )


def _silent(what: str, done: int, total: int) -> None:
    """Nobody wants to know."""


# 1. stability


def _stability(case: Case, made: Material, gone: Mapping[str, str], tell: Progress) -> Stability:
    row, threshold = made.choice.plan.row, made.choice.threshold
    holds, regrets = 0, []
    for k, estimates in enumerate(resampled(case, made.ctx)):
        tell("re-estimating returns and risk", k, RESAMPLES)
        net, best = _under(case, made, gone, estimates, row)
        reachable = best if best >= threshold else 0.0
        holds += net > 0 if row else reachable == 0.0
        regrets.append(max(0.0, reachable - net))
    share, regret = holds / RESAMPLES, float(np.mean(regrets))
    if row:
        told = say(
            "Under {resamples:count} re-estimates of returns and risk the plan beats hold in "
            "{holds:count}; "
            "it misses the best plan of each by {regret:points} points on average.",
            resamples=RESAMPLES,
            holds=holds,
            regret=regret,
        )
    else:
        told = say(
            "Under {resamples:count} re-estimates of returns and risk hold stays the answer in "
            "{holds:count}.",
            resamples=RESAMPLES,
            holds=holds,
        )
    return Stability(resamples=RESAMPLES, share=share, mean_regret=regret, **worded(told))


def resampled(case: Case, ctx: Context) -> Iterator[Estimates]:
    """Estimates from bootstrap histories: blocks of days, all securities together, ending at
    today's prices.

    Source: Politis and Romano, The stationary bootstrap (1994).
    """
    currencies = [security.currency for security in ctx.securities]
    closes = case.market.base_closes(ctx.symbols, currencies, ctx.limits.max_stale_sessions)[
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
            adjusted=case.market.adjusted,
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
    """(T, n) closes that end at the newest one of each security and moved by `returns` (T - 1, n);
    NaN where there was none.
    """
    if not len(returns):
        return closes
    known = np.isfinite(returns)
    later = np.cumsum(np.where(known, returns, 0.0)[::-1], axis=0)[::-1]
    newest = np.where(np.isfinite(closes[-1]), closes[-1], 1.0)
    history = np.vstack([newest * np.exp(-later), newest])
    history[:-1][~known] = np.nan
    history[-1, ~np.isfinite(closes[-1])] = np.nan
    return np.asarray(history)


def _under(
    case: Case, made: Material, gone: Mapping[str, str], estimates: Estimates, row: tuple[int, ...]
) -> tuple[float, float]:
    """(net of the plan, best net of any set) when the estimates are others; the same orders, costs
    and limits.

    gone   modules that the plan is made without, since they failed late -> error
    """
    ctx = replace(made.ctx, estimates=estimates, quality=estimates.quality)
    objective = objective_of(ctx, case.strategy, Findings(disabled=case.disabled, gone=dict(gone)))
    table, start = made.table, end_state(ctx.weights, ctx.cash_weight)
    tables = collapse(
        objective.model, start, table.security, table.delta, table.cost, table.tax, objective.rates
    )
    cells = np.full((1, ctx.search.max_depth), PAD, dtype=np.int64)
    cells[0, : len(row)] = row
    problem = Problem(tables, table.account, ctx.search.max_depth, table.predicates)
    proof = branch_and_bound(
        problem, [cells, made.evidence.proof.pool.rows], max_nodes=ctx.search.max_nodes
    )
    best = float(proof.pool.net[0]) if len(proof.pool.net) else 0.0
    return (float(evaluate(tables, cells)[0]) if row else 0.0), best


# 2. counterfactuals


def _counterfactuals(case: Case, made: Material, tell: Progress) -> Iterator[Counterfactual]:
    changes = list(_changes(case.strategy))
    for k, (name, section, setting, now, then) in enumerate(changes):
        tell("solving with one rule changed", k, len(changes))
        other = case.solved(strategy=case.with_setting(section, setting, then))
        gain = other.choice.plan.net - made.choice.plan.net
        money = (
            Decimal(repr(round(gain / made.objective.rates.cost * made.ctx.value, 2)))
            if made.objective.rates.cost > 0
            else None
        )
        told = _counterfactual_text(made.ctx, name, now, then, gain, money)
        yield Counterfactual(
            name=name,
            setting=f"{section}.{setting}",
            now=now,
            then=then,
            gain=gain,
            money=money,
            **worded(told),
        )


def _changes(strategy: Strategy) -> Iterator[tuple[str, str, str, float, float]]:
    """(name, section, setting, now, then) of every rule that is in force."""
    depth, limits = strategy.search.max_depth, strategy.limits
    if depth < MOST_DEPTH:
        yield "one more order", "search", "max_depth", depth, depth + 1
    yield (
        "another percent of reserve",
        "limits",
        "cash_reserve_weight",
        limits.cash_reserve_weight,
        _up(limits.cash_reserve_weight, MORE_RESERVE),
    )
    if limits.max_position_weight < 1:
        yield (
            "a looser position cap",
            "limits",
            "max_position_weight",
            limits.max_position_weight,
            _up(limits.max_position_weight, LOOSER_CAP),
        )
    if limits.max_group_weight is not None and limits.max_group_weight < 1:
        yield (
            "a looser group cap",
            "limits",
            "max_group_weight",
            limits.max_group_weight,
            _up(limits.max_group_weight, LOOSER_CAP),
        )
    if limits.max_turnover_weight is not None:
        yield (
            "more turnover",
            "limits",
            "max_turnover_weight",
            limits.max_turnover_weight,
            limits.max_turnover_weight + LOOSER_CAP,
        )


MOST_DEPTH = 10


def _up(weight: float, by: float) -> float:
    """A weight raised, at most to 1, without the noise of binary fractions."""
    return min(1.0, round(weight + by, 9))


def _counterfactual_text(
    ctx: Context, name: str, now: float, then: float, gain: float, money: Decimal | None
) -> Sentence:
    form = "count" if name == "one more order" else "pct"
    change = f"{{change:text}} ({{now:{form}}} to {{then:{form}}})"
    facts: dict[str, Any] = {
        "change": name[0].upper() + name[1:],
        "now": now,
        "then": then,
        "gain": gain,
    }
    if gain == 0 or money is None:
        return say(change + " changes nothing.", **facts)
    facts |= {"currency": ctx.base_currency, "worth": abs(money)}
    return say(
        change
        + " changes the plan by {gain:spoints} points, as much as {currency:text} {worth:whole} of"
        " costs.",
        **facts,
    )


# 3. thresholds


def _thresholds(case: Case, plan: Plan, tell: Progress) -> Iterator[Threshold]:
    for k, step in enumerate(plan.steps):
        tell("finding the prices at which orders leave", k, len(plan.steps))
        factor, at = leaves_at(case, step)
        if factor is None or at is None:
            limit = LARGEST_FALL if step.side is Side.SELL else LARGEST_RISE
            told = say(
                "{symbol:text} stays in the plan at any price up to {limit:ratio} times today's.",
                symbol=step.symbol,
                limit=limit,
            )
            if step.side is Side.SELL:
                told = say(
                    "{symbol:text} stays in the plan at any price down to {limit:ratio} times "
                    "today's.",
                    symbol=step.symbol,
                    limit=limit,
                )
            yield Threshold(
                n=step.n,
                symbol=step.symbol,
                side=step.side,
                price_now=step.price,
                price=None,
                off_target=None,
                **worded(told),
            )
            continue
        price = _price(step.price, factor)
        off = _off_target(at, step.symbol)
        facts: dict[str, Any] = {
            "symbol": step.symbol,
            "price": price,
            "currency": step.currency,
            "move": factor - 1,
        }
        text = "{symbol:text} leaves the plan at about {price:qty} {currency:text} ({move:spct})"
        if off is not None:
            text, facts = text + ", then {off:spp} off its target", facts | {"off": off}
        yield Threshold(
            n=step.n,
            symbol=step.symbol,
            side=step.side,
            price_now=step.price,
            price=price,
            off_target=off,
            **worded(say(text + ".", **facts)),
        )


def leaves_at(case: Case, step: Step) -> tuple[float | None, Material | None]:
    """Factor of today's price at which the order is no longer in the plan, to about one percent,
    and the case there.

    A sale is tried at falling prices, a buy at rising ones; (None, None) if it stays over the whole
    range.
    """
    near, far = 1.0, LARGEST_FALL if step.side is Side.SELL else LARGEST_RISE
    beyond = _at_price(case, step, far)
    if _trades(beyond, step):
        return None, None
    for _ in range(PRICE_HALVINGS):
        middle = (near + far) / 2
        made = _at_price(case, step, middle)
        if _trades(made, step):
            near = middle
        else:
            far, beyond = middle, made
    return far, beyond


def _price(price: Decimal, factor: float) -> Decimal:
    return Decimal(f"{float(price) * factor:.{PRICE_DIGITS}g}")


def _at_price(case: Case, step: Step, factor: float) -> Material:
    quote = replace(case.market.quotes[step.symbol], price=_price(step.price, factor))
    return case.solved(
        market=replace(case.market, quotes={**case.market.quotes, step.symbol: quote})
    )


def _trades(made: Material, step: Step) -> bool:
    table = made.table
    return any(
        made.ctx.symbols[table.security[j]] == step.symbol
        and bool(table.is_buy[j]) is (step.side is Side.BUY)
        for j in made.choice.plan.row
    )


def _off_target(made: Material, symbol: str) -> float | None:
    if made.ctx.target_weights is None:
        return None
    i = made.ctx.symbols.index(symbol)
    return float(made.ctx.weights[i] - made.ctx.target_weights[i])


# 4. relaxations


def _relaxations(case: Case, tell: Progress) -> Iterator[Relaxation]:
    """Each limit alone, loosened step by step until a plan gets through."""
    ladders = list(_ladders(case.strategy))
    for k, (section, setting, now, rungs) in enumerate(ladders):
        tell("loosening one limit at a time", k, len(ladders))
        for then in rungs:
            other = case.solved(strategy=case.with_setting(section, setting, then))
            if other.choice.acts:
                told = say(
                    "A plan gets through when {setting:text} goes from {now:text} to {then:text}: "
                    "it gains {gain:points} points net.",
                    setting=f"{section}.{setting}",
                    now=_number(now),
                    then=_number(then),
                    gain=other.choice.plan.net,
                )
                yield Relaxation(
                    setting=f"{section}.{setting}",
                    now=now,
                    then=then,
                    improvement=other.choice.plan.net,
                    **worded(told),
                )
                break


def _ladders(strategy: Strategy) -> Iterator[tuple[str, str, float, list[float]]]:
    """(section, setting, now, values to try, mildest first)."""
    limits, score, depth = strategy.limits, strategy.score, strategy.search.max_depth
    yield (
        "score",
        "min_improvement",
        score.min_improvement,
        [score.min_improvement * share for share in (0.75, 0.5, 0.25, 0.0)],
    )
    yield (
        "limits",
        "cash_reserve_weight",
        limits.cash_reserve_weight,
        [limits.cash_reserve_weight * share for share in (0.75, 0.5, 0.25, 0.0)],
    )
    yield (
        "limits",
        "min_trade_weight",
        limits.min_trade_weight,
        [limits.min_trade_weight * share for share in (0.5, 0.25, 0.0)],
    )
    yield "search", "max_depth", depth, list(range(depth + 1, MOST_DEPTH + 1))
    for cap in ("max_position_weight", "max_group_weight", "max_turnover_weight"):
        now = getattr(limits, cap)
        if now is not None and now < 1:
            yield "limits", cap, now, [_up(now, by) for by in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)]


def _number(value: float) -> str:
    return plain(Decimal(repr(value)))
