"""plan(): a snapshot in, a plan document out; pure.

1. value the portfolio, or refuse                             universe.value_portfolio
2. the planning set and its arrays                            universe.build_context
3. the objective: score terms, weights, charges               objective_of
4. find opportunities: calculators, sizes, masks, merge       steps.find_opportunities
5. generate sequences: patterns, generators, row predicates   steps.generate
6. evaluate them in batches, keep the best few                steps.evaluate, search.keep
7. search the whole table, prove or bound                     steps.prove
8. choose by the reference evaluator, or hold                 choose.choose
9. certify, narrate, write                                    prove.certify, document.write

`Steps` is the seam: `LOCAL` calls functions; another transport may carry the same four calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from steelyard.choose import Choice, Objective, choose, note_rest
from steelyard.context import PAD, Batch, BoolArray, Candidate, Candidates, Context, IntArray, RowPredicate, Ruling, Scores, canonical
from steelyard.document import Material, write
from steelyard.errors import ModuleError, PlanRefused
from steelyard.findings import Findings, Stop
from steelyard.inputs import inputs_sha256
from steelyard.ledger import feasible
from steelyard.market import Market
from steelyard.orders import Side
from steelyard.plans import Coverage, Notice, Plan
from steelyard.portfolio import BucketState, Snapshot
from steelyard.prove import Evidence, certify, prove
from steelyard.registry import Kind, ModuleParams
from steelyard.scoring import Term
from steelyard.scoring.charges import charge_rates
from steelyard.scoring.model import build_model
from steelyard.scoring.weights import term_weights
from steelyard.search.evaluate import evaluate
from steelyard.search.keep import Pool, best
from steelyard.sizing import Sized, merge, probe, size, why_unasked, wishes
from steelyard.strategies import ModuleChoice, Strategy
from steelyard.table import bare_table, with_conflicts, with_scores
from steelyard.targets import Targets, TargetsFailed
from steelyard.telemetry.events import BatchScored, Observe
from steelyard.universe import build_context, value_portfolio

Row = tuple[int, ...]


class Steps(Protocol):
    """The four calls that another transport may carry."""

    def find_opportunities(self, ctx: Context, objective: Objective, strategy: Strategy, findings: Findings) -> Candidates:
        """Calculators, sizes, mask filters, merging, priorities: the finished table."""

    def generate(self, ctx: Context, table: Candidates, strategy: Strategy, findings: Findings) -> Iterator[Batch]:
        """Numbered batches of distinct sequences, lazily."""

    def evaluate(self, table: Candidates, batches: Iterable[Batch], findings: Findings) -> Iterator[Scores]:
        """Scores of every batch, in any order."""

    def prove(self, ctx: Context, objective: Objective, table: Candidates, pool: Pool, findings: Findings) -> Evidence:
        """The best sets of the whole table, and how far they are from the best there is."""


@dataclass(frozen=True, slots=True)
class Local:
    """Steps as function calls. `batch_size` changes no plan; `clock` only times."""

    batch_size: int = 4096
    clock: Callable[[], float] = time.perf_counter

    def find_opportunities(self, ctx: Context, objective: Objective, strategy: Strategy, findings: Findings) -> Candidates:
        """See `Steps`."""
        return find_opportunities(ctx, objective, strategy, findings)

    def generate(self, ctx: Context, table: Candidates, strategy: Strategy, findings: Findings) -> Iterator[Batch]:
        """See `Steps`."""
        return generate(ctx, table, strategy, findings, self.batch_size)

    def evaluate(self, table: Candidates, batches: Iterable[Batch], findings: Findings) -> Iterator[Scores]:
        """See `Steps`."""
        return evaluate_batches(table, batches, findings)

    def prove(self, ctx: Context, objective: Objective, table: Candidates, pool: Pool, findings: Findings) -> Evidence:
        """See `Steps`."""
        return prove(ctx, objective, table, pool, findings.clock)


LOCAL = Local()


def plan(
    snapshot: Snapshot,
    market: Market,
    strategy: Strategy,
    *,
    targets: Targets | TargetsFailed | None = None,
    state: BucketState | None = None,
    seed: int = 0,
    disabled: Mapping[str, str] = MappingProxyType({}),
    steps: Steps = LOCAL,
    observe: Observe | None = None,
    warnings: Iterable[Notice] = (),
) -> Plan:
    """Plan one portfolio; the same inputs give the same plan id.

    targets    weights by symbol; a failure with its reason; None = the heuristics plan alone
    state      what the bucket remembers; None = the verdict latch is off
    disabled   modules out of service -> why; by name or qualified name
    steps      who carries the pipeline
    observe    called with every event
    warnings   what the importers noticed: they go into the document
    Raises PlanRefused when the value is unknown, InternalError when two of our calculations disagree.
    """
    findings = Findings(disabled=disabled, observe=observe, clock=getattr(steps, "clock", time.perf_counter), warnings=list(warnings))
    known_targets = _targets(targets, findings)
    with findings.timed("value and context"):
        valuation = value_portfolio(snapshot, market, known_targets.weights if known_targets else (), strategy.limits, findings)
        ctx = build_context(
            snapshot,
            market,
            strategy,
            valuation,
            targets=known_targets,
            state=state or BucketState(),
            seed=seed,
            eligible=lambda wide: eligible_buys(wide, strategy, disabled),
            findings=findings,
        )
        objective = objective_of(ctx, strategy, findings)
    with findings.timed("find opportunities"):
        table = steps.find_opportunities(ctx, objective, strategy, findings)
    with findings.timed("generate and evaluate"):
        batches = steps.generate(ctx, table, strategy, findings)
        pool = best(ctx.search.max_depth, steps.evaluate(table, batches, findings))
        findings.finished("evaluate", pool.seen)
    with findings.timed("prove"):
        evidence = steps.prove(ctx, objective, table, pool, findings)
        findings.finished("prove", evidence.proof.nodes)
    with findings.timed("choose"):
        choice = choose_in_scope(ctx, objective, table, pool, evidence)
        note_rest(ctx, table, choice, findings)
    note_value(ctx, valuation.value == 0, findings)
    return write(
        Material(
            snapshot=snapshot,
            market=market,
            strategy=strategy,
            valuation=valuation,
            ctx=ctx,
            table=table,
            objective=objective,
            choice=choice,
            certificate=certify(ctx, table, choice, pool, evidence),
            evidence=evidence,
            inputs_sha256=inputs_sha256(ctx, snapshot, market, strategy, known_targets, disabled),
        ),
        findings,
    )


def choose_in_scope(ctx: Context, objective: Objective, table: Candidates, proposals: Pool, evidence: Evidence) -> Choice:
    """The plan: the best of what was proposed, or of the whole table; the best proposal is then an alternative."""
    named = {"greedy": evidence.greedy}
    if ctx.search.scope == "proposals":
        return choose(ctx, objective, table, proposals, named)
    if len(proposals.rows):
        named["proposal"] = proposals.rows[:1]
    return choose(ctx, objective, table, evidence.proof.pool, named)


def _targets(targets: Targets | TargetsFailed | None, findings: Findings) -> Targets | None:
    if isinstance(targets, TargetsFailed):
        findings.problems.append(
            Notice(code="targets_failed", message=f"The target weights could not be had: {targets.reason} The plan was made without them.")
        )
        return None
    if targets is None:
        message = "No target weights were given: weight_based and target_fit do not run, the other calculators plan alone."
        findings.warnings.append(Notice(code="no_targets", message=message))
    return targets


def note_value(ctx: Context, empty: bool, findings: Findings) -> None:
    """Say what a reader must know of the money."""
    if empty:
        findings.warnings.append(Notice(code="no_value", message="The portfolio is worth nothing: there is nothing to plan with."))
    foreign = ctx.cash_weight - ctx.spendable_weight
    if foreign > 0:
        message = f"{100 * foreign:.1f} % of value is cash that pays for nothing in this plan: foreign balances and money of open buys."
        findings.warnings.append(Notice(code="idle_cash", message=message))


def objective_of(ctx: Context, strategy: Strategy, findings: Findings) -> Objective:
    """Run the score terms; one that fails is left out, named in `problems`, and the others take its weight."""
    terms: list[Term] = []
    for choice in strategy.enabled(Kind.TERM):

        def work(params: ModuleParams, chosen: ModuleChoice = choice) -> Term:
            term: Term = chosen.module.call(ctx, params)
            build_model([term], {term.name: 1.0})
            return term

        made = findings.guarded(choice.module, ctx, choice.params, work, lambda term: len(term.parts))
        if made is not None:
            terms.append(made)
    weights = term_weights(ctx, [term.name for term in terms])
    return Objective(tuple(terms), MappingProxyType(weights), build_model(terms, weights), charge_rates(ctx, weights))


def find_opportunities(ctx: Context, objective: Objective, strategy: Strategy, findings: Findings) -> Candidates:
    """Calculators -> size() -> mask filters -> merge -> pair conflicts -> priorities: the finished table."""
    rows: list[Sized] = []
    asked: set[str] = set()
    for choice in strategy.enabled(Kind.OPPORTUNITY):
        rows += _run_calculator(ctx, choice, asked, findings)
    refuse_large(len(rows), ctx)
    rows = _masked(ctx, rows, strategy, findings)
    rows = merge(ctx, rows, findings)
    table = bare_table(ctx, rows)
    table = _with_conflicts(ctx, table, strategy, findings)
    _note_unasked(ctx, asked, findings)
    findings.finished("find_opportunities", table.m)
    table = with_scores(ctx, table, objective.model, objective.rates, np.array([row.priority_weight for row in rows]))
    return replace(table, predicates=tuple(_predicates(ctx, table, strategy, findings)))


def refuse_large(count: int, ctx: Context) -> None:
    """Refuse a table that would take memory and time without end, before it is built."""
    if count > ctx.search.max_candidates:
        raise PlanRefused(
            f"The calculators ask for {count:,d} orders; at most {ctx.search.max_candidates:,d} are searched (search.max_candidates). "
            "Nothing was planned: leave securities out, raise min_trade_base, or raise the limit."
        )


def _run_calculator(ctx: Context, choice: ModuleChoice, asked: set[str], findings: Findings) -> list[Sized]:
    """Sized orders of one calculator; wishes that make no order become stops."""
    name = choice.module.name

    def work(params: ModuleParams) -> list[tuple[Candidate, float]]:
        return list(wishes(ctx, name, choice.module.call(ctx, params)))

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
            stopped[candidate.symbol, candidate.side, made.rule] = Stop(candidate.symbol, candidate.side, "sizing", made, module=name)
    findings.stops += stopped.values()
    return sized


def _masked(ctx: Context, rows: list[Sized], strategy: Strategy, findings: Findings) -> list[Sized]:
    """What the mask filters let through, one filter after the other."""
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "mask":
            continue
        ruling = _ruling(ctx, bare_table(ctx, rows), choice, findings)
        if ruling is None:
            continue
        _note_unknown(choice, ruling, findings)
        for j, row in enumerate(rows):
            if not ruling.keep[j]:
                findings.stops.append(Stop(ctx.symbols[row.i], row.side, "filter", ruling.drops[j], module=choice.module.name))
        rows = [row for row, kept in zip(rows, ruling.keep, strict=True) if kept]
    return rows


def _ruling(ctx: Context, table: Candidates, choice: ModuleChoice, findings: Findings) -> Ruling | None:
    def work(params: ModuleParams) -> Ruling:
        ruling: Ruling = choice.module.call(ctx, table, params)
        missing = [j for j in np.flatnonzero(~ruling.keep) if int(j) not in ruling.drops]
        if ruling.keep.shape != (table.m,) or missing:
            raise ModuleError(f"a mask of shape {ruling.keep.shape} for {table.m} orders, {len(missing)} dropped without a reason")
        return ruling

    return findings.guarded(choice.module, ctx, choice.params, work, lambda ruling: int((~ruling.keep).sum()))


def _note_unknown(choice: ModuleChoice, ruling: Ruling, findings: Findings) -> None:
    findings.coverage += [Coverage(symbol=symbol, metric=metric, used=None) for symbol, metric in ruling.unknown]
    if ruling.unknown:
        symbols = sorted({symbol for symbol, _ in ruling.unknown})
        message = f"{choice.module.name} does not know the trade dates of {len(symbols)} securities: {', '.join(symbols)}."
        findings.warnings.append(Notice(code="unknown_dates", message=message, module=choice.module.qualified))


def _with_conflicts(ctx: Context, table: Candidates, strategy: Strategy, findings: Findings) -> Candidates:
    """The table with the pairs that its filters keep apart."""
    conflicts = np.zeros((table.m, table.m), dtype=np.bool_)
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "pairs":
            continue

        def work(params: ModuleParams, chosen: ModuleChoice = choice) -> BoolArray:
            pairs = np.asarray(chosen.module.call(ctx, table, params), dtype=np.bool_)
            if pairs.shape != (table.m, table.m):
                raise ModuleError(f"pair conflicts of shape {pairs.shape} for {table.m} orders")
            return pairs | pairs.T

        found = findings.guarded(choice.module, ctx, choice.params, work, lambda pairs: int(pairs.sum()) // 2)
        conflicts |= False if found is None else found
    return with_conflicts(table, conflicts)


def _note_unasked(ctx: Context, asked: set[str], findings: Findings) -> None:
    """Say of each held or targeted security that no calculator asked about why nothing happens to it."""
    for i, symbol in enumerate(ctx.symbols):
        targeted = ctx.target_weights is not None and ctx.target_weights[i] > 0
        if symbol not in asked and (ctx.quantities[i] > 0 or targeted):
            findings.stops.append(Stop(symbol, None, "opportunity", why_unasked(ctx, i)))


def eligible_buys(wide: Context, strategy: Strategy, disabled: Mapping[str, str]) -> tuple[str, ...]:
    """Securities not held that the mask filters would let a buy of: asked before the planning set is known."""
    probes = [probe(wide, i) for i in range(wide.n) if wide.can_buy[i] and wide.quantities[i] == 0]
    kept = _masked(wide, probes, strategy, Findings(disabled=disabled))
    return tuple(wide.symbols[row.i] for row in kept)


def generate(ctx: Context, table: Candidates, strategy: Strategy, findings: Findings, batch_size: int) -> Iterator[Batch]:
    """Distinct sequences in numbered batches: patterns first, then generators on the patterns' seeds."""
    names: list[str] = []
    buffer: list[tuple[Row, int]] = []
    number = 0
    for name, rows in _proposals(ctx, table, strategy, findings):
        names.append(name)
        for row in _fresh(rows, table.predicates, findings.proposers, name):
            buffer.append((row, len(names) - 1))
            if len(buffer) == batch_size:
                yield _batch(number, buffer, names, ctx.search.max_depth)
                number, buffer = number + 1, []
    if buffer:
        yield _batch(number, buffer, names, ctx.search.max_depth)
    findings.finished("generate", len(findings.proposers))


def _proposals(ctx: Context, table: Candidates, strategy: Strategy, findings: Findings) -> Iterator[tuple[str, IntArray]]:
    """(module, rows) of every pattern, then of every block of every generator; a failing one only ends itself."""
    depth = ctx.search.max_depth
    seeds = [np.zeros((0, depth), dtype=np.int64)]
    for choice in strategy.enabled(Kind.PATTERN):

        def work(params: ModuleParams, chosen: ModuleChoice = choice) -> IntArray:
            return checked(chosen.module.call(ctx, table, params), table.m, depth)

        rows = findings.guarded(choice.module, ctx, choice.params, work, len)
        if rows is not None:
            seeds.append(rows)
            yield choice.module.name, rows
    seed_rows = np.concatenate(seeds)
    for choice in strategy.enabled(Kind.SEQUENCE):
        yield from ((choice.module.name, rows) for rows in _blocks(ctx, table, choice, seed_rows, findings))


def _blocks(ctx: Context, table: Candidates, choice: ModuleChoice, seeds: IntArray, findings: Findings) -> Iterator[IntArray]:
    """Blocks of a lazy generator: what came before a failure counts."""
    if not findings.may_run(choice.module, ctx):
        return
    count = 0
    try:
        for block in choice.module.call(ctx, table, seeds, choice.params):
            rows = checked(block, table.m, ctx.search.max_depth)
            count += len(rows)
            yield rows
    except Exception as error:  # noqa: BLE001 a module of any quality may fail in any way; the plan names it and goes on
        findings.failed(choice.module, error)
    else:
        findings.ran(choice.module, "ok" if count else "nothing", count)


def checked(rows: Any, m: int, depth: int) -> IntArray:
    """Rows of a module as canonical sets; raises ModuleError for a wrong shape or an unknown candidate."""
    array = np.asarray(rows)
    if array.ndim != TWO_DIMENSIONS or array.shape[1] != depth or not np.issubdtype(array.dtype, np.integer):
        raise ModuleError(f"sequences of shape {array.shape} and type {array.dtype}; rows of {depth} indices are asked for")
    return canonical(array.astype(np.int64), m)


TWO_DIMENSIONS = 2


def _fresh(rows: IntArray, predicates: Iterable[RowPredicate], proposers: dict[Row, list[str]], name: str) -> Iterator[Row]:
    """Rows that no module proposed before and every predicate lets through; who proposed what is noted."""
    allowed = np.ones(len(rows), dtype=np.bool_)
    for predicate in predicates:
        allowed &= predicate(rows)
    for cells in rows[allowed].tolist():
        row = tuple(j for j in cells if j != PAD)
        known = proposers.get(row)
        if known is None:
            proposers[row] = [name]
            if row:
                yield row
        elif name not in known:
            known.append(name)


def _batch(number: int, buffer: list[tuple[Row, int]], names: list[str], depth: int) -> Batch:
    rows = np.full((len(buffer), depth), PAD, dtype=np.int64)
    for k, (row, _) in enumerate(buffer):
        rows[k, : len(row)] = row
    return Batch(number, rows, np.array([origin for _, origin in buffer], dtype=np.int64), tuple(names))


def _predicates(ctx: Context, table: Candidates, strategy: Strategy, findings: Findings) -> Iterator[RowPredicate]:
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "rows":
            continue

        def work(params: ModuleParams, chosen: ModuleChoice = choice) -> RowPredicate:
            predicate: RowPredicate = chosen.module.call(ctx, table, params)
            return predicate

        made = findings.guarded(choice.module, ctx, choice.params, work, lambda _: 1)
        if made is not None:
            yield made


def evaluate_batches(table: Candidates, batches: Iterable[Batch], findings: Findings) -> Iterator[Scores]:
    """Feasibility and net improvement of every batch."""
    leader = 0.0
    for batch in batches:
        net = np.where(feasible(table.account, batch.rows), evaluate(table.tables, batch.rows), -np.inf)
        leader = max(leader, float(net.max(initial=0.0)))
        findings.tell(BatchScored(batch.number, len(batch.rows), leader))
        yield Scores(batch.number, batch.rows, net)
