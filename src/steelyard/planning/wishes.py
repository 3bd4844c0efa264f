"""Find opportunities: calculators -> sizes -> mask filters -> merge -> pair conflicts -> the
finished table.

Each module is timed and guarded: one that fails costs only itself, and the plan names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from steelyard.arrays import BoolArray
from steelyard.errors import FailedLate, PlanRefused
from steelyard.modules import contract
from steelyard.modules.candidates import Candidate, Candidates, RowPredicate, Ruling
from steelyard.modules.context import Context
from steelyard.modules.registry import BUILT_IN, Kind, Module, ModuleParams
from steelyard.modules.terms import end_state
from steelyard.notices import Coverage, Notice, Stop
from steelyard.orders import Side
from steelyard.planning.answered import answered
from steelyard.planning.asked_rows import (
    asked_rows,
    base_agreed,
    probes,
    with_base,
    with_rows,
)
from steelyard.planning.blocking import Blocked, blocked, drop_of, notices, sides_of
from steelyard.planning.cash_rows import cash_rows
from steelyard.planning.collapse import collapse
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard, Outcome, kept_to
from steelyard.planning.new_money import small_buys
from steelyard.planning.overdraft import ruling_of, with_due, with_sales_for_cash
from steelyard.planning.score.objective import Objective
from steelyard.planning.sizing import Sized, merge, size, why_unasked, wishes
from steelyard.planning.table import bare_table, with_conflicts, with_scores
from steelyard.strategies import ModuleChoice, Strategy
from steelyard.telemetry.events import OpportunitiesIdentified

T = TypeVar("T")

TOWARDS_TARGETS = "weight_based"
SWITCH_ON = f"switch it on with [{Kind.OPPORTUNITY}.{TOWARDS_TARGETS}] enabled = true"
IDLE: Mapping[Outcome, str] = {"disabled": "is out of service", "failed": "failed"}
"""Outcome of a module -> what is said of one that so does not work."""


def find_opportunities(
    ctx: Context, objective: Objective, strategy: Strategy, guard: Guard
) -> Candidates:
    """Calculators, sizes, mask filters, merging, pair conflicts, priorities: the finished table."""
    findings = guard.findings
    asked: list[Wished] = [
        _run_calculator(ctx, choice, guard) for choice in strategy.enabled(Kind.OPPORTUNITY)
    ]
    rows = [row for wished in asked for row in wished.rows]
    if ctx.search.scope == "quantities":
        rows = cut(ctx, rows, findings)
    else:
        refuse_large(len(rows), {w.module: len(w.rows) for w in asked if not w.built_in}, ctx)
    table, more = table_of(
        ctx, objective, rows, partial(merge, ctx, findings=findings), strategy, guard
    )
    symbols = {symbol for wished in asked for symbol in wished.symbols} | more
    _note_unasked(ctx, symbols, _idle(ctx, asked, findings), findings)
    findings.tell(OpportunitiesIdentified(table.m))
    return table


def table_of(
    ctx: Context,
    objective: Objective,
    rows: list[Sized],
    merged: Callable[[list[Sized]], list[Sized]],
    strategy: Strategy,
    guard: Guard,
) -> tuple[Candidates, set[str]]:
    """The finished table of sized orders, and the symbols of what cash, new money and bands ask for
    beside.

    merged   the rows that filters leave, each distinct order once
    """
    waiting = blocked(ctx, strategy, guard)
    cash = cash_rows(ctx, lambda sales: _quietly(ctx, sales, strategy, guard))
    for_cash, tried = cash.rows, probes(ctx, rows)
    guard.findings.problems.extend(notices(waiting))
    rows = _unblocked(ctx, [*rows, *for_cash, *tried], waiting, guard.findings)
    rows = _masked(ctx, rows, strategy, guard)
    tried = [row for row in rows if any(row is other for other in tried)]
    rows = [row for row in rows if not any(row is other for other in tried)]
    due = asked_rows(ctx, rows, tried)
    rows = with_rows(with_sales_for_cash(rows, for_cash, merged), due)
    rows, conflicts = _paired(ctx, rows, strategy, guard)
    table = with_conflicts(bare_table(ctx, rows), conflicts)
    weights = np.array([row.priority_weight for row in rows])
    table = with_base(ctx, table)
    table = with_scores(ctx, table, objective.model, objective.rates, weights)
    table = replace(table, predicates=tuple(_predicates(ctx, table, strategy, guard)))
    if not base_agreed(ctx, table):
        table = with_base(ctx, table)
        table = with_scores(ctx, table, objective.model, objective.rates, weights)
    more = {ctx.symbols[row.i] for row in (*for_cash, *due)}
    return with_due(ctx, table, cash.lists), more


def completed(
    ctx: Context, objective: Objective, table: Candidates, strategy: Strategy, guard: Guard
) -> Candidates:
    """A table that was made elsewhere: what cannot travel, its score and its predicates, made anew.

    The same as `find_opportunities` gave there; nothing is noted, for it was there. Raises
    FailedLate for a filter that fails now.
    """
    quiet = replace(guard, findings=Findings(), bucket=None, broken={*guard.broken})
    charged = (table.cost, table.tax, objective.rates, table.hurdled)
    start = end_state(ctx.weights, ctx.cash_weight)
    table = replace(
        table, tables=collapse(objective.model, start, table.security, table.delta, *charged)
    )
    return replace(table, predicates=tuple(_predicates(ctx, table, strategy, quiet)))


def let_through(ctx: Context, rows: list[Sized], strategy: Strategy, guard: Guard) -> list[Sized]:
    """What mask filters leave of orders that no calculator asked for; what they stop is noted."""
    waiting = blocked(ctx, strategy, guard)
    guard.findings.problems.extend(notices(waiting))
    return _masked(ctx, _unblocked(ctx, rows, waiting, guard.findings), strategy, guard)


def _quietly(
    ctx: Context, rows: list[Sized], strategy: Strategy, guard: Guard
) -> tuple[list[Sized], BoolArray]:
    """What the filters leave of rows that are no candidates yet; nothing of it is noted."""
    quiet = replace(guard, findings=Findings(), bucket=None, broken={*guard.broken})
    rows = _unblocked(ctx, rows, blocked(ctx, strategy, quiet), quiet.findings)
    return _paired(ctx, _masked(ctx, rows, strategy, quiet), strategy, quiet)


@dataclass(frozen=True, slots=True)
class Wished:
    """What came of one calculator: the orders, and every symbol that it asked about."""

    module: str
    built_in: bool
    outcome: Outcome
    rows: tuple[Sized, ...] = ()
    symbols: frozenset[str] = frozenset()


def refuse_large(count: int, outside: Mapping[str, int], ctx: Context) -> None:
    """Refuse a table that would take memory and time without end, before it is built.

    outside   qualified name of each plugin's calculator -> how many of the orders it asks for
    Raises FailedLate for the plugin that asks for most: it costs itself, not the plan.
    """
    if count <= ctx.search.max_candidates:
        return
    greedy = max(outside, key=lambda name: outside[name], default=None)
    if greedy is not None and outside[greedy]:
        raise FailedLate(
            greedy,
            f"it asks for {outside[greedy]:,d} of {count:,d} orders; "
            f"at most {ctx.search.max_candidates:,d} are searched (search.max_candidates)",
        )
    raise PlanRefused(
        f"The calculators ask for {count:,d} orders; at most {ctx.search.max_candidates:,d} are "
        "searched (search.max_candidates). Nothing was planned: leave securities out, raise "
        "min_trade_base, or raise the limit.",
        code="too_many_candidates",
        place="search.max_candidates",
        value=count,
        limit=ctx.search.max_candidates,
        hint="leave securities out, raise min_trade_base, or raise the limit",
    )


def cut(ctx: Context, rows: Sequence[Sized], findings: Findings) -> list[Sized]:
    """The rows of a table within `max_candidates`, where that is only where the search begins.

    Per security and side the row nearest to the whole gap stays, the largest gaps first, then the
    others. A warning says how many there were.
    """
    most = ctx.search.max_candidates
    if len(rows) <= most:
        return list(rows)
    gaps = _gaps(ctx, rows)
    seen: set[tuple[int, Side]] = set()
    rank = []
    for j in sorted(range(len(rows)), key=lambda j: (abs(rows[j].weight - gaps[j]), j)):
        key = rows[j].i, rows[j].side
        rank.append((key in seen, -gaps[j], j))
        seen.add(key)
    stay = sorted(j for *_, j in sorted(rank)[:most])
    message = (
        f"The calculators ask for {len(rows):,d} orders in {len(seen):,d} securities; the search "
        f"begins from {most:,d} of them (search.max_candidates), those nearest to the largest "
        "gaps. It may trade every security all the same."
    )
    findings.warnings.append(Notice(code="table_cut", message=message))
    return [rows[j] for j in stay]


def _gaps(ctx: Context, rows: Sequence[Sized]) -> list[float]:
    """Distance of each row's security from its target, of value; without one its largest row."""
    largest: dict[tuple[int, Side], float] = {}
    for row in rows:
        key = row.i, row.side
        largest[key] = max(largest.get(key, 0.0), row.weight)
    if ctx.target_weights is None:
        return [largest[row.i, row.side] for row in rows]
    off = ctx.target_weights - ctx.weights
    return [abs(float(off[row.i])) for row in rows]


def _run_calculator(ctx: Context, choice: ModuleChoice, guard: Guard) -> Wished:
    """Sized orders of one calculator; wishes that make no order become stops."""
    module = choice.module

    def work(params: ModuleParams) -> list[tuple[Candidate, float]]:
        asked = partial(contract.candidates, ctx)
        return list(wishes(answered(guard, module, ctx, params, asked)))

    run = guard.run(module, ctx, choice.params, work, len)
    pairs = run.value or []
    rows: list[Sized] = []
    stopped: dict[tuple[str, Side, str], Stop] = {}
    for candidate, weight in pairs:
        order = size(ctx, module.name, candidate, weight)
        if isinstance(order, Sized):
            rows.append(order)
        else:
            # of the sizes that one rule stops, the last is the largest: it tells the margin
            stopped[candidate.symbol, candidate.side, order.rule] = Stop(
                candidate.symbol, candidate.side, "sizing", order, module=module.name
            )
    guard.findings.stops.extend(stopped.values())
    symbols = frozenset(candidate.symbol for candidate, _ in pairs)
    return Wished(module.qualified, module.source == BUILT_IN, run.outcome, tuple(rows), symbols)


def _unblocked(
    ctx: Context, rows: list[Sized], waiting: Sequence[Blocked], findings: Findings
) -> list[Sized]:
    """The rows on the sides that no filter blocks which does not work."""
    sides = sides_of(waiting)
    findings.stops.extend(
        Stop(ctx.symbols[row.i], row.side, "filter", drop_of(waiting, row.side.value))
        for row in rows
        if row.side.value in sides
    )
    return [row for row in rows if row.side.value not in sides]


def _closed(choice: ModuleChoice, work: Callable[[ModuleParams], T]) -> Callable[[ModuleParams], T]:
    """The work of a filter; of one that fails closed its failure has the plan made anew."""
    return kept_to(choice.module, work) if choice.fails_closed else work


def _masked(ctx: Context, rows: list[Sized], strategy: Strategy, guard: Guard) -> list[Sized]:
    """What the mask filters let through, one filter after the other."""
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "mask":
            continue
        ruling = _ruling(ctx, bare_table(ctx, rows), choice, guard)
        if ruling is not None:
            rows = _let_through(ctx, rows, choice, ruling, guard.findings)
    return rows


def _ruling(ctx: Context, table: Candidates, choice: ModuleChoice, guard: Guard) -> Ruling | None:
    def work(params: ModuleParams) -> Ruling:
        return ruling_of(ctx, table, choice.module, params)

    return guard.run(choice.module, ctx, choice.params, _closed(choice, work), _dropped).value


def _dropped(ruling: Ruling) -> int:
    return int((~ruling.keep).sum())


def _let_through(
    ctx: Context, rows: list[Sized], choice: ModuleChoice, ruling: Ruling, findings: Findings
) -> list[Sized]:
    """What a ruling keeps; what it drops and what it did not know is noted."""
    _note_unknown(choice, ruling, findings)
    name = choice.module.name
    findings.stops.extend(
        Stop(ctx.symbols[row.i], row.side, "filter", ruling.drops[j], module=name)
        for j, row in enumerate(rows)
        if not ruling.keep[j]
    )
    return [row for row, keep in zip(rows, ruling.keep, strict=True) if keep]


def _note_unknown(choice: ModuleChoice, ruling: Ruling, findings: Findings) -> None:
    for symbol, metric in sorted({*ruling.unknown}):
        findings.lacks(Coverage(symbol=symbol, metric=metric, used=None))
    if ruling.unknown:
        symbols = sorted({symbol for symbol, _ in ruling.unknown})
        count = "1 security" if len(symbols) == 1 else f"{len(symbols)} securities"
        correlation = {metric for _, metric in ruling.unknown} == {"correlation"}
        lacking = "the correlation" if correlation else "a date or cost"
        message = f"{choice.module.name} lacks {lacking} of {count}: {', '.join(symbols)}."
        findings.warnings.append(
            Notice(code="unknown_dates", message=message, module=choice.module.qualified)
        )


def _paired(
    ctx: Context, rows: list[Sized], strategy: Strategy, guard: Guard
) -> tuple[list[Sized], BoolArray]:
    """What the pair filters let through, and (m, m) the pairs of it that they keep apart."""
    conflicts = np.zeros((len(rows), len(rows)), dtype=np.bool_)
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "pairs":
            continue
        answer = _pairs(ctx, bare_table(ctx, rows), choice, guard)
        if answer is None:
            continue
        pairs, ruling, _ = answer
        conflicts |= pairs
        if ruling is not None:
            rows = _let_through(ctx, rows, choice, ruling, guard.findings)
            conflicts = conflicts[np.ix_(ruling.keep, ruling.keep)]
    return rows, conflicts


def _pairs(
    ctx: Context, table: Candidates, choice: ModuleChoice, guard: Guard
) -> contract.PairAnswer | None:
    """What one pair filter says: pairs, and what may not be traded at all where it says that."""

    def work(params: ModuleParams) -> contract.PairAnswer:
        return contract.pairs(ctx, choice.module.call(ctx, table, params), table.m)

    def count(answer: contract.PairAnswer) -> int:
        pairs, ruling, _ = answer
        return int(pairs.sum()) // 2 + (0 if ruling is None else _dropped(ruling))

    return guard.run(choice.module, ctx, choice.params, _closed(choice, work), count).value


def _predicates(
    ctx: Context, table: Candidates, strategy: Strategy, guard: Guard
) -> Iterator[RowPredicate]:
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form == "pairs":
            yield from _of_pairs(ctx, table, choice, guard)
        if choice.module.form != "rows":
            continue

        def work(params: ModuleParams, module: Module = choice.module) -> RowPredicate:
            answer = module.call(ctx, table, params)
            return kept_to(module, contract.predicate(answer, ctx.search.max_depth))

        run = guard.run(choice.module, ctx, choice.params, _closed(choice, work), lambda _: 1)
        predicate = run.value
        if predicate is not None:
            yield predicate


def _of_pairs(
    ctx: Context, table: Candidates, choice: ModuleChoice, guard: Guard
) -> Iterator[RowPredicate]:
    """What a filter of pairs says of whole rows of the finished table, if it says anything.

    Its run is noted with its pairs; one that fails now was relied on.
    """
    if not serves(choice, ctx, guard):
        return

    def ask() -> RowPredicate | None:
        _, _, judge = contract.pairs(ctx, choice.module.call(ctx, table, choice.params), table.m)
        return None if judge is None else contract.predicate(judge, ctx.search.max_depth)

    judge = kept_to(choice.module, ask)()
    if judge is not None:
        yield kept_to(choice.module, judge)


def serves(choice: ModuleChoice, ctx: Context, guard: Guard) -> bool:
    """Does a filter work in this plan? What keeps it from it was noted when it was first run."""
    if choice.module.qualified in guard.broken:
        return False
    quiet = replace(guard, findings=Findings(), bucket=None)
    return quiet.hindered(choice.module, ctx) is None


def _idle(ctx: Context, asked: Sequence[Wished], findings: Findings) -> str | None:
    """What keeps the calculator that trades towards targets from working, where there are targets.

    A warning says so too.
    """
    if ctx.target_weights is None:
        return None
    module = f"{Kind.OPPORTUNITY}.{TOWARDS_TARGETS}"
    outcome = next((wished.outcome for wished in asked if wished.module == module), None)
    if outcome is None:
        idle, mend = "is off", SWITCH_ON
    elif outcome in IDLE:
        idle, mend = IDLE[outcome], "see the problems of the plan"
    else:
        return None
    message = (
        f"Target weights were given, and {TOWARDS_TARGETS} {idle}: no order is asked for to reach "
        f"them; {mend}."
    )
    if ctx.search.scope == "quantities":
        message = (
            f"Target weights were given, and {TOWARDS_TARGETS} {idle}: orders towards them come "
            f"from the search alone, as far as the score gains by them; {mend}."
        )
    findings.warnings.append(Notice(code="targets_unused", message=message, module=module))
    return idle


def _note_unasked(ctx: Context, asked: Set[str], idle: str | None, findings: Findings) -> None:
    """Say of each held or targeted security that nobody asked about why nothing happens to it."""
    for i, symbol in enumerate(ctx.symbols):
        targeted = ctx.target_weights is not None and ctx.target_weights[i] > 0
        if symbol not in asked and (ctx.quantities[i] > 0 or targeted):
            findings.stops.append(Stop(symbol, None, "opportunity", why_unasked(ctx, i, idle)))
    for i, drop in small_buys(ctx):
        findings.stops.append(Stop(ctx.symbols[i], Side.BUY, "sizing", drop))
