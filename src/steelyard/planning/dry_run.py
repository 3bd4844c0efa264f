"""A dry run: what planning would have to do, told without planning.

Values, context, calculators, sizes and filters are run as for a plan, so that what fails in them is
seen; no sequence is proposed and nothing is searched. How many of them there would be is estimated
from the candidates, and bounded by the rules: no plan under the same rules has more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from statistics import median
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from steelyard.canonical import published
from steelyard.errors import PlanRefused
from steelyard.market import Market, Quote
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.registry import BUILT_IN, Kind
from steelyard.money import FxTable
from steelyard.planning.bands import by_bands
from steelyard.planning.case import Case
from steelyard.planning.choice import by_mode
from steelyard.planning.contexts import context_of
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard, settled
from steelyard.planning.new_money import new_money
from steelyard.planning.overdraft import needs
from steelyard.planning.score.objective import objective_of
from steelyard.planning.solve import within
from steelyard.planning.wishes import find_opportunities
from steelyard.portfolio import Security, Snapshot
from steelyard.strategies import ModuleChoice, Problems, Strategy, validate
from steelyard.strategies.load import without_plugins
from steelyard.strategies.rules import unmet

TYPES: Mapping[Kind, str] = {
    Kind.OPPORTUNITY: "calculator",
    Kind.PATTERN: "pattern",
    Kind.SEQUENCE: "sequence generator",
    Kind.FILTER: "filter",
    Kind.TERM: "score term",
}
SALES_FOR_CASH = 8
"""Most sales of one holding that cash asks for: of each of three amounts all and its share, all of
the holding, down to its target and a lot further."""
LISTS_FOR_CASH = 19
"""Most lists of sales for cash: six for each of three amounts, and the largest."""
NEAREST = 5
"""Plans on record that an estimate of time is the median of: those with most alike sequences."""

Timed = Sequence[tuple[int, float]]
"""(sequences, seconds) of plans that were made."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A module that the strategy runs; `error` where it failed on this portfolio."""

    type: str
    version: str
    params: Mapping[str, Any]
    error: str | None = None

    @property
    def status(self) -> Literal["ok", "error"]:
        """Did it load, and run as far as a dry run goes?"""
        return "ok" if self.error is None else "error"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many candidates and sequences: as estimated, and at most."""

    estimated_candidates: int
    upper_bound_candidates: int
    estimated_sequences: int
    upper_bound_sequences: int
    unbounded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a dry run found; `counts` is None where the portfolio cannot be valued.

    dependencies   what the modules that are on draw from, one sentence each that has any
    """

    modules: Mapping[str, Loaded]
    counts: Counts | None = None
    seconds: float | None = None
    dependencies: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """May it be planned with?"""
        return not self.errors

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        counts = self.counts
        return {
            "valid": self.valid,
            "modules_loaded": {name: _module(loaded) for name, loaded in self.modules.items()},
            "estimated_sequences": counts and counts.estimated_sequences,
            "upper_bound_sequences": counts and counts.upper_bound_sequences,
            "estimated_candidates": counts and counts.estimated_candidates,
            "upper_bound_candidates": counts and counts.upper_bound_candidates,
            "estimated_seconds": None if self.seconds is None else published(self.seconds),
            "dependencies": list(self.dependencies),
            "warnings": list(self.warnings),
            "errors": list(self.errors),
        }


def _module(loaded: Loaded) -> dict[str, Any]:
    return {
        "type": loaded.type,
        "status": loaded.status,
        "version": loaded.version,
        "params": dict(loaded.params),
        "error": loaded.error,
    }


def dry_run(case: Case, timed: Timed = (), problems: Problems | None = None) -> DryRun:
    """Check a case without planning it; never raises for what a plan would be refused for.

    timed      plans on record, from which the time is estimated; None without any
    problems   of the strategy, where they have been asked for with their lines already
    """
    strategy = case.strategy
    if problems is None:
        problems = Problems([*validate(strategy).found, *without_plugins(strategy)])
    begun = DryRun(
        modules=_loaded(strategy, {}),
        dependencies=tuple(_dependencies(strategy)),
        warnings=tuple(problems.warnings),
        errors=tuple(problems.errors),
    )
    try:
        return _counted(case, begun, timed)
    except PlanRefused as refusal:
        return replace(begun, errors=(*begun.errors, str(refusal)))


def _unsaid(texts: Iterable[str], before: Sequence[str]) -> Iterator[str]:
    """What the strategy's own problems, which have their lines, do not say already."""
    yield from (text for text in texts if not any(line.endswith(text) for line in before))


def minimal_case(strategy: Strategy) -> Case:
    """The smallest portfolio that a strategy can be tried on: cash, and one thing to buy."""
    day, symbol, price = date(2020, 1, 2), "AAA", Decimal(100)
    snapshot = Snapshot(
        as_of=day,
        base_currency="USD",
        holdings=(),
        cash={"USD": Decimal(10_000)},
        securities=(Security(symbol=symbol, name=symbol, currency="USD"),),
    )
    market = Market(
        symbols=(symbol,),
        dates=np.array([day], dtype="datetime64[D]"),
        closes=np.array([[float(price)]]),
        quotes={symbol: Quote(symbol, price, day)},
        fx=FxTable("USD", {}),
    )
    return Case(snapshot=snapshot, market=market, strategy=strategy)


def _counted(case: Case, begun: DryRun, timed: Timed) -> DryRun:
    """The report with what the candidates of the case say."""

    def prepared(guard: Guard) -> tuple[Case, Context, Candidates, Guard]:
        own, _, ctx = context_of(case, guard.findings)
        ctx = within(ctx, own.strategy.most_orders)
        objective = objective_of(ctx, own.strategy, guard)
        return own, ctx, find_opportunities(ctx, objective, own.strategy, guard), guard

    own, ctx, table, guard = settled(prepared, Guard(disabled=case.disabled, findings=Findings()))
    failed = {
        f"{run.kind}.{run.name}": run.error or ""
        for run in guard.findings.runs
        if run.outcome == "failed"
    }
    counts = counts_of(ctx, table, own.strategy)
    seconds = estimated_seconds(timed, counts.estimated_sequences)
    return replace(
        begun,
        modules=_loaded(own.strategy, failed),
        counts=counts,
        seconds=seconds,
        warnings=(
            *begun.warnings,
            *_unsaid(_warned(guard.findings, counts, seconds), begun.warnings),
            *_compared(ctx, seconds),
        ),
        errors=(*begun.errors, *(f"{name} failed: {error}" for name, error in failed.items())),
    )


def _warned(findings: Findings, counts: Counts, seconds: float | None) -> Iterator[str]:
    yield from (notice.message for notice in findings.warnings)
    failed = ("module_failed",)
    yield from (notice.message for notice in findings.problems if notice.code not in failed)
    for name in counts.unbounded:
        yield f"How much {name} proposes is not known before it runs: it counts in the bound alone."
    if seconds is None:
        yield "No plan on record says how long one takes, so the time is not estimated."


def _compared(ctx: Context, seconds: float | None) -> Iterator[str]:
    """What the estimate of the time does not know of."""
    rules = ctx.rules.evaluation
    if seconds is not None and by_mode(ctx):
        over = f" over {rules.paths:,d} scenarios" if rules.sampled else ""
        yield (
            f'evaluation.mode is "{rules.mode}": up to {rules.compared} lists are compared{over}. '
            "The time is estimated from plans on record, which may have been chosen otherwise."
        )


def _loaded(strategy: Strategy, failed: Mapping[str, str]) -> Mapping[str, Loaded]:
    """Qualified name -> what is on; where something is off it cannot fail."""
    return MappingProxyType(
        {
            choice.module.qualified: Loaded(
                TYPES[kind],
                choice.module.version,
                choice.params.model_dump(mode="json", by_alias=True),
                failed.get(choice.module.qualified),
            )
            for kind in Kind
            for choice in strategy.enabled(kind)
        }
    )


def _dependencies(strategy: Strategy) -> Iterator[str]:
    for kind in Kind:
        for choice in strategy.enabled(kind):
            module, missing = choice.module, unmet(strategy, choice)
            if missing:
                yield f"{module.qualified} finds nothing without {' and '.join(missing)}."
            elif module.dependencies:
                yield f"{module.qualified} has what it draws from."


def counts_of(ctx: Context, table: Candidates, strategy: Strategy) -> Counts:
    """Estimates from the finished table, bounds from the rules.

    ctx   with the depth of the plan
    """
    unbounded: list[str] = []
    most_candidates = _most_candidates(ctx, strategy, unbounded)
    depth = ctx.search.max_depth
    choices = [c for kind in (Kind.PATTERN, Kind.SEQUENCE) for c in _proposing(strategy, kind)]
    limits = [(choice, _limit(choice, depth)) for choice in choices]
    unbounded += [choice.module.qualified for choice, limit in limits if limit is None]
    sets = _sets(most_candidates, depth)
    every = [limit for _, limit in limits]
    bound = sets if None in every else min(sets, sum(limit or 0 for limit in every))
    likely = sum(_likely(table, choice, limit or 0, depth) for choice, limit in limits)
    estimate = min(likely, _sets(table.m, depth), bound)
    return Counts(table.m, most_candidates, estimate, bound, tuple(unbounded))


def _proposing(strategy: Strategy, kind: Kind) -> list[ModuleChoice]:
    """The modules of a kind whose sequences may be a plan."""
    return [choice for choice in strategy.enabled(kind) if choice.module.form != "what_if"]


def _limit(choice: ModuleChoice, depth: int) -> int | None:
    """Most sequences of a module; None of one that is not built in, or does not say."""
    return choice.params.most_sequences(depth) if choice.module.source == BUILT_IN else None


def _sets(count: int, depth: int) -> int:
    """Sets of at most `depth` of so many candidates."""
    return sum(math.comb(count, size) for size in range(1, depth + 1))


def _most_candidates(ctx: Context, strategy: Strategy, unbounded: list[str]) -> int:
    """Most rows of the table: what calculators may ask for, and what cash, money and bands do."""
    buys, sells = int(ctx.can_buy.sum()), int((ctx.held & ctx.can_sell).sum())
    rows, most = 0, ctx.search.max_candidates
    for choice in strategy.enabled(Kind.OPPORTUNITY):
        module = choice.module
        sizes = choice.params.most_sizes() if module.source == BUILT_IN else None
        if sizes is None:
            unbounded.append(module.qualified)
        tags = set(module.tags)
        rows += (
            most if sizes is None else sizes * (buys * ("buy" in tags) + sells * ("sell" in tags))
        )
    rows = min(rows, most)
    if ctx.target_weights is not None:
        rows += min(rows, buys)  # a buy that passes its target stands a lot shorter beside it
    if needs(ctx):
        selling = int((ctx.quantities > 0).sum())
        rows += SALES_FOR_CASH * selling + LISTS_FOR_CASH * min(ctx.search.max_depth, selling)
    if ctx.search.scope != "quantities" and (new_money(ctx) or by_bands(ctx)):
        rows += ctx.n
    return rows


@runtime_checkable
class Combining(Protocol):
    """Parameters of a generator that combines sales and buys."""

    max_sells: int
    max_buys: int
    max_candidates: int


def _likely(table: Candidates, choice: ModuleChoice, limit: int, depth: int) -> int:
    """Sequences that a module proposes of a table if everything fits together."""
    if not _feeds(table, choice):
        return 0
    params = choice.params
    if not isinstance(params, Combining):
        return limit
    sides = [
        _sizes(table, params, buys=buys, every=getattr(params, "sizes", "best") == "all")
        for buys in (False, True)
    ]
    ways = [
        _ways(counts, min(most, depth))
        for counts, most in zip(sides, (params.max_sells, params.max_buys), strict=True)
    ]
    shapes = (
        sold * bought
        for s, sold in enumerate(ways[0])
        for b, bought in enumerate(ways[1])
        if 1 <= s + b <= depth
    )
    return min(limit, sum(shapes))


def _feeds(table: Candidates, choice: ModuleChoice) -> bool:
    """Is there a candidate that the module draws from?"""
    sources = {proposal.source for row in table.proposals for proposal in row}
    present = {f"{Kind.OPPORTUNITY}.{source}" for source in sources}
    present |= {str(Kind.OPPORTUNITY)} if present else set()
    needs_of = [set(alternatives.split("|")) for alternatives in choice.module.dependencies]
    return bool(present) and all(present & names for names in needs_of)


def _sizes(table: Candidates, params: Combining, *, buys: bool, every: bool) -> list[int]:
    """Orders to choose from in each security that a generator draws on one side."""
    drawn = [row for row in table.pool if bool(table.is_buy[row]) is buys][: params.max_candidates]
    if not every:
        return [1] * len(drawn)
    side = table.is_buy == buys
    return [int((side & (table.security == table.security[row])).sum()) for row in drawn]


def _ways(counts: Sequence[int], most: int) -> list[int]:
    """Ways to take 0, 1, …, `most` securities with one of their orders each."""
    ways = [1] + [0] * most
    for count in counts:
        for number in range(most, 0, -1):
            ways[number] += ways[number - 1] * count
    return ways


def estimated_seconds(timed: Timed, sequences: int) -> float | None:
    """Median time of the plans on record with most alike numbers of sequences; None without any.

    >>> estimated_seconds([(10, 0.1), (1000, 0.5), (1100, 0.7), (900, 0.6)], 1000)
    0.55
    """
    if not timed:
        return None

    def apart(plan: tuple[int, float]) -> float:
        return abs(math.log1p(plan[0]) - math.log1p(sequences))

    return median(seconds for _, seconds in sorted(timed, key=apart)[:NEAREST])
