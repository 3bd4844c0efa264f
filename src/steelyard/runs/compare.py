"""Two strategies on the same snapshots with the same seed: which plans better, and by whose aims.

Each side's plan is scored by its own strategy and by the other's: the same orders, the other's
scales, weights and charges (`planning.questions.judge`). A side is better only where it is so by
one scoring and no worse by the other; what each wins by its own aims and loses by the other's is
decided by neither. There is no winner by default: a refusal, a hold on both sides or an interval
around zero gives none.

    outcome A, B   better by more than the tolerance under one scoring, not worse under the other
    tie            the same orders, or within the tolerance under both
    none           neither trades, a side has no plan, the scorings disagree, or the interval of the
                   mean has zero in it

m snapshots
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.errors import PlanRefused, SteelyardError, one_line
from steelyard.importers import Inputs
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.planner import solved_plan
from steelyard.planning.questions.judge import Traded, judged, traded
from steelyard.planning.solve import LOCAL, Steps
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState
from steelyard.runs.bootstrap import LEAST, Interval, blocks, interval
from steelyard.sentences import Sentence, longer, say
from steelyard.strategies import Strategy

Outcome = Literal["A", "B", "tie", "none"]
Tell = Callable[[str, int, int], None]
"""(snapshot, how many are done, of how many)"""

TOLERANCE = 0.001
"""Of the score: .1 points, what one order has to be worth in the default strategy. Less is no
reason to change one's strategy."""
SHOWN = 4
"""Digits of a score that are printed: it is decided by these, so that no figure contradicts it."""

CENT = Decimal("0.01")
LONGEST_REASON = 1000
"""Characters of a reason: a file may have thousands of lines that are rejected."""
NEITHER_PLANS = say("neither has a plan of it")


@dataclass(frozen=True, slots=True)
class Posed:
    """A snapshot to plan, under a label; an error where it could not be read."""

    label: str
    inputs: Inputs | SteelyardError
    state: BucketState | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What one side made of a snapshot.

    score, score_under_other   of the end state less charges, 1 is 100 points; None without a judge
    cash_required   what the orders take from cash beyond what sales bring, costs included; base
    turnover        half of all that is sold and bought, of value
    cost            base currency
    drift           after the plan; None without targets
    seconds         that planning took
    """

    plan_id: str
    score: float
    score_under_other: float | None
    steps: int
    cash_required: Decimal
    turnover: float
    cost: Decimal
    drift: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a side has no plan of a snapshot."""

    reason: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One snapshot planned by both; `as_of` and currency are None where it could not be read.

    orders   of A and of B; none of a side that holds, or has no plan
    """

    label: str
    as_of: date | None
    currency: str | None
    a: Planned | Refused
    b: Planned | Refused
    outcome: Outcome
    why: Sentence
    orders: tuple[tuple[Traded, ...], tuple[Traded, ...]] = ((), ())

    @property
    def differences(self) -> tuple[float, float] | None:
        """A less B under the scoring of A, and under that of B; None without both plans."""
        a, b = self.a, self.b
        if isinstance(a, Refused) or isinstance(b, Refused):
            return None
        if a.score_under_other is None or b.score_under_other is None:
            return None
        return a.score - b.score_under_other, a.score_under_other - b.score


@dataclass(frozen=True, slots=True)
class Mean:
    """A side over every snapshot that both could plan; money is None of several currencies."""

    score: float
    score_under_other: float
    steps: float
    cash_required: Decimal | None
    turnover: float
    cost: Decimal | None
    drift: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies compared; `a`, `b` and the intervals are None where there is nothing to count.

    titles             for people: of a stored strategy with its version
    by_mode            does more than the score of today choose its plans?
    under_a, under_b   A less B under the scoring of A, and under that of B
    """

    names: tuple[str, str]
    titles: tuple[str, str]
    outcome: Outcome
    why: Sentence
    a: Mean | None
    b: Mean | None
    snapshots: tuple[Compared, ...]
    under_a: Interval | None
    under_b: Interval | None
    seed: int
    tolerance: float
    by_mode: tuple[bool, bool] = (False, False)

    @property
    def both(self) -> tuple[Compared, ...]:
        """The snapshots that both could plan."""
        return tuple(case for case in self.snapshots if case.differences is not None)


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is compared; `tell` hears of every snapshot that begins."""

    seed: int = 0
    tolerance: float = TOLERANCE
    steps: Steps = LOCAL
    tell: Tell = lambda _label, _n, _of: None


USUAL = Manner()


def _called(rules: Strategy) -> str:
    """A stored strategy by its title and version: two of one name differ in that alone."""
    version = rules.version
    return rules.name if version is None else f"{rules.title or rules.name} (v{version})"


def compare(
    a: Strategy,
    b: Strategy,
    posed: Sequence[Posed],
    random: np.random.Generator,
    manner: Manner = USUAL,
) -> Comparison:
    """Plan every snapshot by both strategies, in the order given: an interval takes neighbours to
    be alike.

    random   draws the resamples of the interval, and nothing else
    """
    cases = []
    for n, snapshot in enumerate(posed):
        manner.tell(snapshot.label, n, len(posed))
        cases.append(_compared(a, b, snapshot, manner))
    both = [case for case in cases if case.differences is not None]
    under_a, under_b = _intervals(both, random)
    outcome, why = _overall(cases, both, (under_a, under_b), manner.tolerance)
    return Comparison(
        names=(a.name, b.name),
        titles=(_called(a), _called(b)),
        outcome=outcome,
        why=why,
        a=_mean(both, [case.a for case in both if isinstance(case.a, Planned)]),
        b=_mean(both, [case.b for case in both if isinstance(case.b, Planned)]),
        snapshots=tuple(cases),
        under_a=under_a,
        under_b=under_b,
        seed=manner.seed,
        tolerance=manner.tolerance,
        by_mode=(_by_mode(a), _by_mode(b)),
    )


def _by_mode(rules: Strategy) -> bool:
    return rules.evaluation.mode != "single_objective"


@dataclass(frozen=True, slots=True)
class _Run:
    """One side's plan of a snapshot, before anybody judges it; a reason where it has none."""

    case: Case
    seconds: float
    plan: Plan | None = None
    orders: tuple[Traded, ...] = ()
    reason: str = ""


def _compared(a: Strategy, b: Strategy, posed: Posed, manner: Manner) -> Compared:
    inputs = posed.inputs
    if isinstance(inputs, SteelyardError):
        unread = Refused(one_line(str(inputs), LONGEST_REASON))
        return Compared(posed.label, None, None, unread, unread, "none", NEITHER_PLANS)
    runs = [_run(strategy, posed, inputs, manner) for strategy in (a, b)]
    scores = [_scores(run.case, runs) for run in runs]
    sides = [
        _side(run, own[n], other[n])
        for n, (run, own, other) in enumerate(zip(runs, scores, scores[::-1], strict=True))
    ]
    day, currency = inputs.snapshot.as_of, inputs.snapshot.base_currency
    case = Compared(posed.label, day, currency, sides[0], sides[1], "none", NEITHER_PLANS)
    outcome, why = _of_case(case, [run.orders for run in runs], manner.tolerance)
    return replace(case, outcome=outcome, why=why, orders=(runs[0].orders, runs[1].orders))


def _run(strategy: Strategy, posed: Posed, inputs: Inputs, manner: Manner) -> _Run:
    case = Case(
        snapshot=inputs.snapshot,
        market=inputs.market,
        strategy=strategy,
        targets=inputs.targets,
        state=posed.state or BucketState(),
        seed=manner.seed,
    )
    clock = manner.steps.clock
    begun = clock()
    try:
        solution, plan = solved_plan(case, manner.steps, None, inputs.warnings)
    except PlanRefused as refusal:
        return _Run(case, clock() - begun, reason=one_line(str(refusal), LONGEST_REASON))
    return _Run(case, clock() - begun, plan, traded(solution))


def _scores(judge: Case, runs: Sequence[_Run]) -> list[float | None]:
    """(2,) what each side's orders are worth to a judge; None of a side without a plan, and of both
    where the judge cannot value the snapshot.
    """
    lists = [run.orders for run in runs if run.plan is not None]
    try:
        worth = iter(judged(judge, lists))
    except PlanRefused:
        return [None, None]
    return [None if run.plan is None else next(worth) for run in runs]


def _side(run: _Run, own: float | None, other: float | None) -> Planned | Refused:
    plan = run.plan
    if plan is None or own is None:
        return Refused(run.reason)
    signs = {Side.BUY: 1, Side.SELL: -1}
    spent = sum((signs[step.side] * step.notional_base for step in plan.steps), ZERO)
    return Planned(
        plan_id=plan.plan_id,
        score=own,
        score_under_other=other,
        steps=len(plan.steps),
        cash_required=max(ZERO, spent + plan.costs.total),
        turnover=plan.turnover,
        cost=plan.costs.total,
        drift=plan.drift.after,
        seconds=run.seconds,
    )


def _of_case(
    case: Compared, orders: Sequence[Sequence[Traded]], tolerance: float
) -> tuple[Outcome, Sentence]:
    """Which side is better on one snapshot, and why."""
    under = case.differences
    if isinstance(case.a, Refused) and isinstance(case.b, Refused):
        return "none", NEITHER_PLANS
    if under is None:
        side = "A" if isinstance(case.a, Refused) else "B"
        return "none", say(
            "{side:text} has no plan of it, so there is nothing to compare", side=side
        )
    if not any(orders):
        return "none", say("neither trades")
    if _same(orders):
        return "tie", say("both trade the same")
    return decided(*under, tolerance)


def _same(orders: Sequence[Sequence[Traded]]) -> bool:
    first, second = ({(o.symbol, o.side, o.quantity) for o in side} for side in orders)
    return first == second


def decided(
    under_a: float, under_b: float, tolerance: float, head: str = "A less B is"
) -> tuple[Outcome, Sentence]:
    """Which side is better, by A less B under each scoring.

    >>> [decided(*pair, 0.001)[0] for pair in ((0.02, 0), (0, -0.02), (0.0005, 0), (0.02, -0.02))]
    ['A', 'B', 'tie', 'none']
    """
    words = head + " {under_a:spoints} points by A's scoring and {under_b:spoints} by B's"
    why = say(words, under_a=under_a, under_b=under_b)
    under_a, under_b = (round(under, SHOWN) for under in (under_a, under_b))
    if max(abs(under_a), abs(under_b)) <= tolerance:
        more = "; {tolerance:points} points and less are a tie"
        return "tie", longer(why, more, tolerance=tolerance)
    if min(under_a, under_b) >= -tolerance:
        return "A", why
    if max(under_a, under_b) <= tolerance:
        return "B", why
    return "none", longer(why, ": the scorings disagree")


def _overall(
    cases: Sequence[Compared],
    both: Sequence[Compared],
    intervals: tuple[Interval | None, Interval | None],
    tolerance: float,
) -> tuple[Outcome, Sentence]:
    """Which side is better over all snapshots: by the means, where their intervals decide them."""
    if len(cases) == 1:
        return cases[0].outcome, cases[0].why
    if not both:
        return "none", say("both have a plan of none of {count:count} snapshots", count=len(cases))
    if {case.outcome for case in both} == {"none"} and not any(map(_trades, both)):
        return "none", say("neither trades on any snapshot")
    under_a, under_b = _means_of(both)
    outcome, why = decided(under_a, under_b, tolerance, "on average A less B is")
    if outcome in {"A", "B"} and not _sure(intervals, (under_a, under_b), tolerance):
        return "none", longer(why, ": an interval has 0 in it, so it may be chance")
    return outcome, why


def _trades(case: Compared) -> bool:
    return any(isinstance(side, Planned) and side.steps for side in (case.a, case.b))


def _sure(
    intervals: tuple[Interval | None, Interval | None], means: tuple[float, float], tolerance: float
) -> bool:
    """Do the intervals, where there are any, agree with what decides: means over the tolerance?"""
    pairs = zip(intervals, means, strict=True)
    return all(
        where is None or where.excludes_zero
        for where, mean in pairs
        if abs(round(mean, SHOWN)) > tolerance
    )


def _differences(both: Sequence[Compared]) -> FloatArray:
    """(m, 2) A less B under the scoring of each."""
    return np.array([case.differences for case in both], dtype=np.float64).reshape(-1, 2)


def _means_of(both: Sequence[Compared]) -> tuple[float, float]:
    under_a, under_b = _differences(both).mean(axis=0).tolist()
    return under_a, under_b


def _intervals(
    both: Sequence[Compared], random: np.random.Generator
) -> tuple[Interval | None, Interval | None]:
    """Of the mean difference under each scoring, from the same resamples."""
    if len(both) < LEAST:
        return None, None
    places = blocks(len(both), random)
    under_a, under_b = (interval(column, places) for column in _differences(both).T)
    return under_a, under_b


def _mean(both: Sequence[Compared], sides: Sequence[Planned]) -> Mean | None:
    if not sides:
        return None
    count, alike = len(sides), len({case.currency for case in both}) == 1
    drifts = [side.drift for side in sides if side.drift is not None]

    def of(values: Iterable[float]) -> float:
        return math.fsum(values) / count

    def money(amounts: Iterable[Decimal]) -> Decimal | None:
        return (sum(amounts, ZERO) / count).quantize(CENT) if alike else None

    return Mean(
        score=of(side.score for side in sides),
        score_under_other=of(side.score_under_other or 0.0 for side in sides),
        steps=of(float(side.steps) for side in sides),
        cash_required=money(side.cash_required for side in sides),
        turnover=of(side.turnover for side in sides),
        cost=money(side.cost for side in sides),
        drift=math.fsum(drifts) / len(drifts) if drifts else None,
        seconds=of(side.seconds for side in sides),
    )
