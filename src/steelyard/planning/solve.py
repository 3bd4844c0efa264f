"""A case solved: steps 1 to 8, each taking what the line above gave.

1. value the portfolio, or refuse                             valuation.value_portfolio
   weights of classes to targets of their members             classes.with_classes
2. the planning set, and its arrays                           planning_set.members, build_context
3. the objective: score terms, weights, charges               score.objective_of
4. find opportunities: calculators, sizes, masks, merge       steps.find_opportunities
5. generate sequences: patterns, generators, row predicates   steps.generate
6. evaluate them in batches, keep the best few                steps.evaluate, proposals.keep_best
7. search the whole table, prove or bound                     steps.prove
8. choose by the reference evaluator, or hold; certify        choice.choose, proof.certify

`Steps` is the seam: `LOCAL` calls functions; another transport may carry the same four calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from steelyard.arrays import PAD
from steelyard.errors import InternalError
from steelyard.ledger import debt_paid, feasible
from steelyard.modules.candidates import Batch, Candidates, Orders, Scores
from steelyard.modules.context import Context
from steelyard.modules.tables import evaluate
from steelyard.notices import Notice
from steelyard.planning.because import Because, deciding
from steelyard.planning.case import Case, inputs_sha256
from steelyard.planning.choice import Choice, Worth
from steelyard.planning.contexts import context_of
from steelyard.planning.domain import Domain, domain_of, hindrance
from steelyard.planning.drift import drift_after
from steelyard.planning.findings import HERE, Findings
from steelyard.planning.guard import Guard, settled
from steelyard.planning.keep import Pool
from steelyard.planning.lists import chosen
from steelyard.planning.modes.compare import compare
from steelyard.planning.modes.judge import Compare
from steelyard.planning.neighbours import Near, least_loss, neighbours
from steelyard.planning.proof import Evidence, Search, certify, prove
from steelyard.planning.proposals import Proposals, Row, generate, keep_best, rankings
from steelyard.planning.rejections import Filters, rejections
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.valuation import Valuation
from steelyard.planning.wishes import find_opportunities
from steelyard.plans.score import Certificate
from steelyard.strategies import Strategy
from steelyard.targets import TargetsFailed
from steelyard.telemetry.events import (
    BatchScored,
    ModuleLoadFailed,
    SearchCompleted,
    SequenceEvaluationCompleted,
    SequenceEvaluationStarted,
    SequenceGenerationCompleted,
    SequenceGenerationStarted,
)


def as_it_is(case: Case, ctx: Context, objective: Objective) -> Objective:  # noqa: ARG001
    """Formulas that are asked each time."""
    return objective


@dataclass(frozen=True)
class Steps:
    """The calls that another transport may carry, and the clock, which only times.

    find_opportunities   calculators, sizes, mask filters, merging, priorities: the finished table
    generate             numbered batches of distinct sequences, lazily
    evaluate             scores of every batch, in any order
    prove                the best sets of the whole table, and how far they are from the best
    compare              figures of the best lists, where more than the score of today decides
    remember             formulas that may have answered before; the objective as it is, otherwise
    """

    find_opportunities: Callable[[Context, Objective, Strategy, Guard], Candidates]
    generate: Callable[[Context, Candidates, Strategy, Guard], Proposals]
    evaluate: Callable[[Context, Candidates, Iterable[Batch], Strategy, Guard], Iterator[Scores]]
    prove: Callable[[Context, Objective, Candidates, Pool, Search], Evidence]
    clock: Callable[[], float] = time.perf_counter
    compare: Compare = compare
    remember: Callable[[Case, Context, Objective], Objective] = as_it_is


@dataclass(frozen=True)
class Solution:
    """What solving a case gives: everything that a document is written from.

    proposers       sequence -> the modules that proposed it
    near            lists one change away from a plan over whole lots
    evidence        None where nothing was searched: the orders follow from the targets
    inputs_sha256   hash of all that the plan is a function of
    """

    case: Case
    valuation: Valuation
    ctx: Context
    objective: Objective
    table: Candidates
    proposers: dict[Row, list[str]]
    choice: Choice
    certificate: Certificate
    evidence: Evidence | None
    near: tuple[Near, ...]
    inputs_sha256: str

    @property
    def orders(self) -> Orders:
        """What the rows of the choice index."""
        return self.choice.orders

    @property
    def searched(self) -> Evidence:
        """What the search met; raises InternalError where there was none."""
        if self.evidence is None:
            raise InternalError(
                "This plan follows from its targets, nothing was searched for it. No plan was "
                "made.",
                code="nothing_searched",
            )
        return self.evidence

    @cached_property
    def drift(self) -> float | None:
        """After the plan; None without targets."""
        return drift_after(self.ctx, self.orders, self.choice.plan.row)

    @cached_property
    def because(self) -> Mapping[int, Because]:
        """Order of the plan -> the term that its worth comes from."""
        return deciding(self.ctx, self.objective, self.choice)

    @cached_property
    def worth(self) -> Mapping[int, Worth]:
        """Order of the plan -> what it is worth."""
        return dict(zip(self.choice.plan.row, self.choice.worths, strict=True))


def solve(case: Case, guard: Guard, steps: Steps) -> Solution:
    """Steps 1 to 8; what they report beside it goes into `guard.findings`.

    Raises PlanRefused when the value is unknown, InternalError when two of our calculations
    disagree, FailedLate when a module's answer fails when it is used: `settled` then solves again.
    """
    findings = guard.findings
    _note_case(case, findings)
    with findings.timed("value and context"):
        case, valuation, ctx = context_of(case, findings, calculations=guard.calculations)
        strategy = case.strategy
        ctx = within(ctx, strategy.most_orders)
        objective = steps.remember(case, ctx, objective_of(ctx, strategy, guard))
    with findings.timed("find opportunities"):
        table = steps.find_opportunities(ctx, objective, strategy, guard)
    with findings.timed("generate and evaluate"):
        findings.tell(SequenceGenerationStarted(table.m))
        proposals = steps.generate(ctx, table, strategy, guard)
        ranked = rankings(ctx, table, strategy, guard)
        findings.tell(SequenceEvaluationStarted(len(objective.terms)))
        scores = steps.evaluate(ctx, table, proposals.batches, strategy, guard)
        pool = keep_best(ctx.search.max_depth, scores, ranked)
        findings.tell(SequenceGenerationCompleted(len(proposals.proposers)))
        findings.tell(SequenceEvaluationCompleted(pool.seen))
    with findings.timed("prove"):
        by_lots = ctx.search.scope == "quantities"
        domain = domain_if_sized(ctx, objective, table, strategy, guard)
        search = Search(domain, steps.clock, strategy, guard)
        evidence = steps.prove(ctx, objective, table, pool, search)
        findings.tell(SearchCompleted(evidence.nodes, evidence.stopped))
    with findings.timed("choose"):
        choice = chosen(ctx, objective, table, pool, (domain, evidence), steps.compare)
        if choice.best is not None:
            findings.better(choice.best.net, len(choice.best.row))
        filters: Filters = partial(_filtered, ctx, table)
        if domain is not None and by_lots:
            filters = partial(hindrance, domain, choice.orders)
        asked = (proposals.proposers, strategy.most_orders, filters)
        findings.stops.extend(rejections(ctx, objective, table, choice, asked))
        lots = evidence.lots
        by_score = choice.judgement is None
        near = neighbours(ctx, objective, choice, lots) if lots is not None and by_score else ()
        one_lot = None if lots is None or not choice.acts else least_loss(choice, lots)
    _note_value(ctx, valuation, findings)
    return Solution(
        case=case,
        valuation=valuation,
        ctx=ctx,
        objective=objective,
        table=table,
        proposers=proposals.proposers,
        choice=choice,
        certificate=certify(ctx, objective, choice, pool, evidence, (ranked, one_lot)),
        near=near,
        evidence=evidence,
        inputs_sha256=inputs_sha256(case, ctx, valuation.kept_out),
    )


def solved(case: Case, steps: Steps, guard: Guard | None = None) -> tuple[Solution, Guard]:
    """A case solved by itself, as without the modules that fail late, and what its steps report."""
    begun = guard or Guard(disabled=case.disabled, findings=Findings(clock=steps.clock))
    return settled(lambda current: (solve(case, current, steps), current), begun)


def domain_if_sized(
    ctx: Context, objective: Objective, table: Candidates, strategy: Strategy, guard: Guard
) -> Domain | None:
    """What may be traded in any size; None in the scopes of the table, where none is fitted."""
    sized = ctx.search.scope == "quantities" or ctx.search.refine
    return domain_of(ctx, objective, table, strategy, guard) if sized else None


def step_order(orders: Orders, row: Iterable[int]) -> list[int]:
    """Sells first, larger orders first within a side: cash never dips lower than at the end."""
    return sorted(row, key=lambda j: (bool(orders.is_buy[j]), -abs(float(orders.delta[j])), j))


def local(batch_size: int = 4096, clock: Callable[[], float] = time.perf_counter) -> Steps:
    """Steps as function calls. `batch_size` changes no plan; `clock` only times."""
    batched = partial(generate, batch_size=batch_size)
    return Steps(find_opportunities, batched, evaluate_here, prove, clock)


def evaluate_here(
    ctx: Context,  # noqa: ARG001 - another transport sends it
    table: Candidates,
    batches: Iterable[Batch],
    strategy: Strategy,  # noqa: ARG001
    guard: Guard,
) -> Iterator[Scores]:
    """`evaluate_batches` as a step."""
    return evaluate_batches(table, batches, guard.findings)


def evaluate_batches(
    table: Candidates, batches: Iterable[Batch], findings: Findings
) -> Iterator[Scores]:
    """Feasibility and net improvement of every batch."""
    for batch in batches:
        scores = score_batch(table, batch)
        findings.batches[HERE] += 1
        tell_scores(scores, findings)
        yield scores


def score_batch(table: Candidates, batch: Batch) -> Scores:
    """Feasibility and net improvement of one batch; nothing is told."""
    fits = feasible(table.account, batch.rows) & debt_paid(table.account, batch.rows)
    net = np.where(fits, evaluate(table.tables, batch.rows), -np.inf)
    return Scores(batch.number, batch.rows, net)


def tell_scores(scores: Scores, findings: Findings) -> None:
    """Tell that a batch is scored, and if it has a better sequence."""
    net = scores.net
    findings.tell(BatchScored(scores.number, len(net), int((net > -np.inf).sum())))
    if len(net):
        first = int(net.argmax())
        findings.better(float(net[first]), int((scores.rows[first] != PAD).sum()))


LOCAL = local()


def _filtered(ctx: Context, table: Candidates, row: Sequence[int]) -> str | None:
    """Which rule keeps a set of the table out, if a filter of rows does; of a longer one none is
    asked.
    """
    whole = np.full((1, max(ctx.search.max_depth, len(row))), PAD, dtype=np.int64)
    whole[0, : len(row)] = row
    longer = whole.shape[1] > ctx.search.max_depth
    good = longer or all(bool(predicate(whole)[0]) for predicate in table.predicates)
    return None if good else "row_filter"


def within(ctx: Context, most_orders: int | None) -> Context:
    """The context in which no proposal and no set of candidates is longer than a plan may be."""
    if most_orders is None or most_orders >= ctx.search.max_depth:
        return ctx
    search = ctx.search.model_copy(update={"max_depth": most_orders})
    return replace(ctx, rules=replace(ctx.rules, search=search))


def _note_case(case: Case, findings: Findings) -> None:
    """What the strategy could not have, and whether there are targets."""
    findings.problems.extend(case.strategy.problems)
    for problem in case.strategy.problems:
        findings.tell(ModuleLoadFailed(problem.code, problem.message))
    if isinstance(case.targets, TargetsFailed):
        reason = case.targets.reason
        message = f"The target weights could not be had: {reason} The plan was made without them."
        findings.problems.append(Notice(code="targets_failed", message=message))
    elif case.targets is None:
        message = (
            "No target weights were given: weight_based and target_fit do not run, the other "
            "calculators plan alone."
        )
        findings.warnings.append(Notice(code="no_targets", message=message))


def _note_value(ctx: Context, valuation: Valuation, findings: Findings) -> None:
    """Say what a reader must know of the money."""
    if valuation.value == 0:
        message = "The portfolio is worth nothing: there is nothing to plan with."
        findings.warnings.append(Notice(code="no_value", message=message))
    idle = {"money of open buys": ctx.open_buys_weight, "not settled yet": ctx.awaited_weight}
    parts = {what: weight for what, weight in idle.items() if weight > 0}
    if parts:
        message = (
            f"{100 * sum(parts.values()):.1f} % of value is cash that pays for nothing in this "
            f"plan: {', or '.join(parts)}."
        )
        findings.warnings.append(Notice(code="idle_cash", message=message))
