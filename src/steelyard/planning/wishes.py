"""Find opportunities: calculators -> sizes -> mask filters -> merge -> pair conflicts -> the
finished table.

Each module is timed and guarded: one that fails costs only itself, and the plan names it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from steelyard.arrays import BoolArray, IntArray, frozen
from steelyard.errors import FailedLate, ModuleError, PlanRefused
from steelyard.modules.candidates import Candidate, Candidates, RowPredicate, Ruling
from steelyard.modules.context import Context
from steelyard.modules.registry import BUILT_IN, Kind, ModuleParams
from steelyard.notices import Coverage, Drop, Notice, Stop
from steelyard.orders import Side
from steelyard.planning.findings import Findings, kept_to
from steelyard.planning.score.objective import Objective
from steelyard.planning.sizing import Sized, merge, probe, size, why_unasked, wishes
from steelyard.planning.table import bare_table, with_conflicts, with_scores
from steelyard.sentences import Sentence
from steelyard.strategies import ModuleChoice, Strategy

TOWARDS_TARGETS = "weight_based"
SWITCH_ON = f"switch it on with [{Kind.OPPORTUNITY}.{TOWARDS_TARGETS}] enabled = true"
IDLE: Mapping[str, str] = {"disabled": "is out of service", "failed": "failed"}
"""Outcome of a module -> what is said of one that so does not work."""


def find_opportunities(
    ctx: Context, objective: Objective, strategy: Strategy, findings: Findings
) -> Candidates:
    """Calculators -> size() -> mask filters -> merge -> pair conflicts -> priorities: the finished
    table.
    """
    rows: list[Sized] = []
    asked: set[str] = set()
    outside: dict[str, int] = {}
    for choice in strategy.enabled(Kind.OPPORTUNITY):
        found = _run_calculator(ctx, choice, asked, findings)
        rows += found
        if choice.module.source != BUILT_IN:
            outside[choice.module.qualified] = len(found)
    refuse_large(len(rows), outside, ctx)
    rows = _masked(ctx, rows, strategy, findings)
    rows = merge(ctx, rows, findings)
    rows, conflicts = _paired(ctx, rows, strategy, findings)
    table = with_conflicts(bare_table(ctx, rows), conflicts)
    _note_unasked(ctx, asked, _idle(ctx, findings), findings)
    findings.finished("find_opportunities", table.m)
    table = with_scores(
        ctx,
        table,
        objective.model,
        objective.rates,
        np.array([row.priority_weight for row in rows]),
    )
    return replace(table, predicates=tuple(_predicates(ctx, table, strategy, findings)))


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
        "min_trade_base, or raise the limit."
    )


def _run_calculator(
    ctx: Context, choice: ModuleChoice, asked: set[str], findings: Findings
) -> list[Sized]:
    """Sized orders of one calculator; wishes that make no order become stops."""
    name = choice.module.name

    def work(params: ModuleParams) -> list[tuple[Candidate, float]]:
        return list(wishes(ctx, name, _written(choice.module.call(ctx, params))))

    wanted = findings.guarded(choice.module, ctx, choice.params, work, len) or []
    sized: list[Sized] = []
    stopped: dict[tuple[str, Side, str], Stop] = {}
    for candidate, weight in wanted:
        asked.add(candidate.symbol)
        made = size(ctx, name, candidate, weight)
        if isinstance(made, Sized):
            sized.append(made)
        else:
            # of the sizes that one rule stops, the last is the largest: it tells the margin
            stopped[candidate.symbol, candidate.side, made.rule] = Stop(
                candidate.symbol, candidate.side, "sizing", made, module=name
            )
    findings.stops += stopped.values()
    return sized


def _written(found: Iterable[Candidate]) -> Iterator[Candidate]:
    """The candidates, held to their contract: each says why in a sentence, and its tags are
    words.
    """
    for candidate in found:
        if not isinstance(candidate.why, Sentence):
            raise ModuleError(
                f"a reason of type {type(candidate.why).__name__} for {candidate.symbol}; a "
                "sentence is asked for"
            )
        if not (
            isinstance(candidate.tags, tuple)
            and all(isinstance(tag, str) for tag in candidate.tags)
        ):
            raise ModuleError(f"tags of {candidate.symbol} that are no tuple of words")
        yield candidate


def _masked(ctx: Context, rows: list[Sized], strategy: Strategy, findings: Findings) -> list[Sized]:
    """What the mask filters let through, one filter after the other."""
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "mask":
            continue
        ruling = _ruling(ctx, bare_table(ctx, rows), choice, findings)
        if ruling is not None:
            rows = _kept(ctx, rows, choice, ruling, findings)
    return rows


def _ruling(
    ctx: Context, table: Candidates, choice: ModuleChoice, findings: Findings
) -> Ruling | None:
    def work(params: ModuleParams) -> Ruling:
        return _checked(choice.module.call(ctx, table, params), table.m)

    return findings.guarded(choice.module, ctx, choice.params, work, _dropped)


def _checked(ruling: Ruling, m: int) -> Ruling:
    if ruling.keep.shape != (m,) or ruling.keep.dtype != np.bool_:
        raise ModuleError(
            f"a mask of shape {ruling.keep.shape} and type {ruling.keep.dtype} for {m} orders"
        )
    reasons = [ruling.drops.get(int(j)) for j in np.flatnonzero(~ruling.keep)]
    if not all(map(_says_why, reasons)):
        raise ModuleError(
            "an order is dropped without a reason, or for one that is not a sentence with finite "
            "numbers"
        )
    if not all(
        isinstance(symbol, str) and isinstance(metric, str) for symbol, metric in ruling.unknown
    ):
        raise ModuleError("what is unknown is not told as pairs of a symbol and a metric")
    return ruling


def _says_why(drop: Drop | None) -> bool:
    if not (isinstance(drop, Drop) and isinstance(drop.why, Sentence)):
        return False
    return all(number is None or math.isfinite(number) for number in (drop.value, drop.limit))


def _dropped(ruling: Ruling) -> int:
    return int((~ruling.keep).sum())


def _kept(
    ctx: Context, rows: list[Sized], choice: ModuleChoice, ruling: Ruling, findings: Findings
) -> list[Sized]:
    """What a ruling keeps; what it drops and what it did not know is noted."""
    _note_unknown(choice, ruling, findings)
    for j, row in enumerate(rows):
        if not ruling.keep[j]:
            findings.stops.append(
                Stop(
                    ctx.symbols[row.i],
                    row.side,
                    "filter",
                    ruling.drops[j],
                    module=choice.module.name,
                )
            )
    return [row for row, kept in zip(rows, ruling.keep, strict=True) if kept]


def _note_unknown(choice: ModuleChoice, ruling: Ruling, findings: Findings) -> None:
    known = {(coverage.symbol, coverage.metric) for coverage in findings.coverage}
    fresh = sorted({*ruling.unknown} - known)
    findings.coverage += [
        Coverage(symbol=symbol, metric=metric, used=None) for symbol, metric in fresh
    ]
    if ruling.unknown:
        symbols = sorted({symbol for symbol, _ in ruling.unknown})
        count = "1 security" if len(symbols) == 1 else f"{len(symbols)} securities"
        lacked = (
            "the correlation"
            if {metric for _, metric in ruling.unknown} == {"correlation"}
            else "a date or cost"
        )
        message = f"{choice.module.name} lacks {lacked} of {count}: {', '.join(symbols)}."
        findings.warnings.append(
            Notice(code="unknown_dates", message=message, module=choice.module.qualified)
        )


def _paired(
    ctx: Context, rows: list[Sized], strategy: Strategy, findings: Findings
) -> tuple[list[Sized], BoolArray]:
    """What the pair filters let through, and (m, m) the pairs of it that they keep apart."""
    conflicts = np.zeros((len(rows), len(rows)), dtype=np.bool_)
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "pairs":
            continue
        found = _pairs(ctx, bare_table(ctx, rows), choice, findings)
        if found is None:
            continue
        pairs, ruling = found
        conflicts |= pairs
        if ruling is not None:
            rows = _kept(ctx, rows, choice, ruling, findings)
            conflicts = conflicts[np.ix_(ruling.keep, ruling.keep)]
    return rows, conflicts


def _pairs(
    ctx: Context, table: Candidates, choice: ModuleChoice, findings: Findings
) -> tuple[BoolArray, Ruling | None] | None:
    """What one pair filter says: pairs, and what may not be traded at all where it says that
    too.
    """

    def work(params: ModuleParams) -> tuple[BoolArray, Ruling | None]:
        told = choice.module.call(ctx, table, params)
        conflicts, ruling = told if isinstance(told, tuple) else (told, None)
        pairs = np.asarray(conflicts)
        if pairs.shape != (table.m, table.m) or pairs.dtype != np.bool_:
            raise ModuleError(
                f"pair conflicts of shape {pairs.shape} and type {pairs.dtype} for {table.m} orders"
            )
        return pairs | pairs.T, None if ruling is None else _checked(ruling, table.m)

    def count(found: tuple[BoolArray, Ruling | None]) -> int:
        pairs, ruling = found
        return int(pairs.sum()) // 2 + (0 if ruling is None else _dropped(ruling))

    return findings.guarded(choice.module, ctx, choice.params, work, count)


def _predicates(
    ctx: Context, table: Candidates, strategy: Strategy, findings: Findings
) -> Iterator[RowPredicate]:
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "rows":
            continue

        def work(params: ModuleParams, chosen: ModuleChoice = choice) -> RowPredicate:
            return kept_to(chosen.module, _checked_rows(chosen.module.call(ctx, table, params)))

        made = findings.guarded(choice.module, ctx, choice.params, work, lambda _: 1)
        if made is not None:
            yield made


def _checked_rows(predicate: RowPredicate) -> RowPredicate:
    """The predicate, held to its contract: one True or False for each row, and rows that stay as
    they are.
    """

    def permits(rows: IntArray) -> BoolArray:
        good = np.asarray(predicate(frozen(rows.view())))
        if good.shape != (len(rows),) or good.dtype != np.bool_:
            raise ModuleError(
                f"an answer of shape {good.shape} and type {good.dtype} for {len(rows)} sequences"
            )
        return good

    return permits


def _idle(ctx: Context, findings: Findings) -> str | None:
    """What keeps the calculator that trades towards targets from working, where targets were given;
    a warning says so too.
    """
    if ctx.target_weights is None:
        return None
    run = next(
        (
            run
            for run in findings.runs
            if (run.kind, run.name) == (Kind.OPPORTUNITY, TOWARDS_TARGETS)
        ),
        None,
    )
    if run is not None and run.outcome not in IDLE:
        return None
    idle, mend = (
        ("is off", SWITCH_ON)
        if run is None
        else (IDLE[run.outcome], "see the problems of the plan")
    )
    message = (
        f"Target weights were given, and {TOWARDS_TARGETS} {idle}: no order is asked for to reach "
        f"them; {mend}."
    )
    findings.warnings.append(
        Notice(
            code="targets_unused", message=message, module=f"{Kind.OPPORTUNITY}.{TOWARDS_TARGETS}"
        )
    )
    return idle


def _note_unasked(ctx: Context, asked: set[str], idle: str | None, findings: Findings) -> None:
    """Say of each held or targeted security that no calculator asked about why nothing happens to
    it.
    """
    for i, symbol in enumerate(ctx.symbols):
        targeted = ctx.target_weights is not None and ctx.target_weights[i] > 0
        if symbol not in asked and (ctx.quantities[i] > 0 or targeted):
            findings.stops.append(Stop(symbol, None, "opportunity", why_unasked(ctx, i, idle)))


def eligible_buys(wide: Context, strategy: Strategy, findings: Findings) -> tuple[str, ...]:
    """Securities not held that the mask filters would let a buy of: asked before the planning set
    is known.

    Raises FailedLate for a filter that fails here: the planning set must not depend on a filter
    that the plan says ran.
    """
    probes = [probe(wide, i) for i in range(wide.n) if wide.can_buy[i] and wide.quantities[i] == 0]
    asked = Findings(disabled=findings.disabled, gone=findings.gone)
    kept = _masked(wide, probes, strategy, asked)
    for run in asked.runs:
        qualified = f"{run.kind}.{run.name}"
        if run.outcome == "failed" and qualified not in findings.gone:
            raise FailedLate(qualified, run.error or "", struck=asked.late)
    return tuple(wide.symbols[row.i] for row in kept)
