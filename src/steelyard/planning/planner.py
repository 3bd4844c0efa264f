"""plan(): a snapshot in, a plan document out; pure.

1. value the portfolio, or refuse                             valuation.value_portfolio
2. the planning set and its arrays                            universe.build_context
3. the objective: score terms, weights, charges               objective_of
4. find opportunities: calculators, sizes, masks, merge       steps.find_opportunities
5. generate sequences: patterns, generators, row predicates   steps.generate
6. evaluate them in batches, keep the best few                steps.evaluate, search.keep
7. search the whole table, prove or bound                     steps.prove
8. choose by the reference evaluator, or hold                 choose.choose
9. what if: partial fills, loosened rules, where asked for     what_if.consider
10. certify, narrate, write                                   prove.certify, document.write

`Steps` is the seam: `LOCAL` calls functions; another transport may carry the same four calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Protocol

import numpy as np

from steelyard.ledger import feasible
from steelyard.market import Market
from steelyard.modules.candidates import Batch, Candidates, Ranking, Scores
from steelyard.modules.context import Context
from steelyard.modules.tables import evaluate
from steelyard.notices import Notice
from steelyard.planning.case import inputs_sha256
from steelyard.planning.choice import Choice, choose
from steelyard.planning.document import Material, write
from steelyard.planning.findings import Findings
from steelyard.planning.keep import Pool
from steelyard.planning.planning_set import build_context
from steelyard.planning.proof import Evidence, certify, prove
from steelyard.planning.proposals import generate, keep_best, rankings
from steelyard.planning.questions.what_if import Case, consider
from steelyard.planning.rejections import note_rest
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.valuation import value_portfolio
from steelyard.planning.wishes import eligible_buys, find_opportunities
from steelyard.plans.plan import Plan
from steelyard.plans.score import Certificate
from steelyard.portfolio import BucketState, Snapshot
from steelyard.strategies import Strategy
from steelyard.targets import Targets, TargetsFailed
from steelyard.telemetry.events import BatchScored, Observe


class Steps(Protocol):
    """The four calls that another transport may carry."""

    def find_opportunities(
        self, ctx: Context, objective: Objective, strategy: Strategy, findings: Findings
    ) -> Candidates:
        """Calculators, sizes, mask filters, merging, priorities: the finished table."""

    def generate(
        self, ctx: Context, table: Candidates, strategy: Strategy, findings: Findings
    ) -> Iterator[Batch]:
        """Numbered batches of distinct sequences, lazily."""

    def evaluate(
        self, table: Candidates, batches: Iterable[Batch], findings: Findings
    ) -> Iterator[Scores]:
        """Scores of every batch, in any order."""

    def prove(
        self, ctx: Context, objective: Objective, table: Candidates, pool: Pool, findings: Findings
    ) -> Evidence:
        """The best sets of the whole table, and how far they are from the best there is."""


@dataclass(frozen=True, slots=True)
class Local:
    """Steps as function calls. `batch_size` changes no plan; `clock` only times."""

    batch_size: int = 4096
    clock: Callable[[], float] = time.perf_counter

    def find_opportunities(
        self, ctx: Context, objective: Objective, strategy: Strategy, findings: Findings
    ) -> Candidates:
        """See `Steps`."""
        return find_opportunities(ctx, objective, strategy, findings)

    def generate(
        self, ctx: Context, table: Candidates, strategy: Strategy, findings: Findings
    ) -> Iterator[Batch]:
        """See `Steps`."""
        return generate(ctx, table, strategy, findings, self.batch_size)

    def evaluate(
        self, table: Candidates, batches: Iterable[Batch], findings: Findings
    ) -> Iterator[Scores]:
        """See `Steps`."""
        return evaluate_batches(table, batches, findings)

    def prove(
        self, ctx: Context, objective: Objective, table: Candidates, pool: Pool, findings: Findings
    ) -> Evidence:
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
    Raises PlanRefused when the value is unknown, InternalError when two of our calculations
    disagree.
    """
    findings = Findings(
        disabled=disabled,
        bucket=snapshot.bucket,
        observe=observe,
        clock=getattr(steps, "clock", time.perf_counter),
        warnings=list(warnings),
    )

    case = Case(
        snapshot=snapshot,
        market=market,
        strategy=strategy,
        targets=targets,
        state=state,
        seed=seed,
        disabled=disabled,
        solver=partial(solve, steps=steps),
    )

    def made() -> Plan:
        material = case.solved_into(findings)
        return write(material, findings, consider(case, material, findings))

    return findings.settled(made)


def solve(
    snapshot: Snapshot,
    market: Market,
    strategy: Strategy,
    *,
    targets: Targets | TargetsFailed | None = None,
    state: BucketState | None = None,
    seed: int = 0,
    steps: Steps = LOCAL,
    findings: Findings,
) -> Material:
    """Steps 1 to 8: everything that a document is written from; see `plan`.

    Raises FailedLate when a module's answer fails when it is used: `findings.settled` solves again
    without that module.
    """
    findings.problems += strategy.problems
    known_targets = _targets(targets, findings)
    with findings.timed("value and context"):
        valuation = value_portfolio(
            snapshot,
            market,
            known_targets.weights if known_targets else (),
            strategy.limits,
            findings,
        )
        ctx = build_context(
            snapshot,
            market,
            strategy,
            valuation,
            targets=known_targets,
            state=state or BucketState(),
            seed=seed,
            eligible=lambda wide: eligible_buys(wide, strategy, findings),
            findings=findings,
        )
        objective = objective_of(ctx, strategy, findings)
    with findings.timed("find opportunities"):
        table = steps.find_opportunities(ctx, objective, strategy, findings)
    with findings.timed("generate and evaluate"):
        batches = steps.generate(ctx, table, strategy, findings)
        ranked = rankings(ctx, table, strategy, findings)
        pool = keep_best(ctx.search.max_depth, steps.evaluate(table, batches, findings), ranked)
        findings.finished("evaluate", pool.seen)
    with findings.timed("prove"):
        evidence = steps.prove(ctx, objective, table, pool, findings)
        findings.finished("prove", evidence.proof.nodes)
    with findings.timed("choose"):
        choice = choose_in_scope(ctx, objective, table, pool, evidence)
        note_rest(ctx, table, choice, findings)
    note_value(ctx, valuation.value == 0, findings)
    certificate = certify(ctx, objective, table, choice, pool, evidence)
    return Material(
        snapshot=snapshot,
        market=market,
        strategy=strategy,
        valuation=valuation,
        ctx=ctx,
        table=table,
        objective=objective,
        choice=choice,
        certificate=as_ranked(certificate, ranked),
        evidence=evidence,
        inputs_sha256=inputs_sha256(
            ctx, snapshot, market, strategy, known_targets, findings.disabled
        ),
    )


def choose_in_scope(
    ctx: Context, objective: Objective, table: Candidates, proposals: Pool, evidence: Evidence
) -> Choice:
    """The plan: the best of what was proposed, or of the whole table; the best proposal is then an
    alternative.
    """
    named = {"greedy": evidence.greedy}
    if ctx.search.scope == "proposals":
        return choose(ctx, objective, table, proposals, named)
    if len(proposals.rows):
        named["proposal"] = proposals.rows[:1]
    return choose(ctx, objective, table, evidence.proof.pool, named)


def as_ranked(certificate: Certificate, ranked: Sequence[Ranking]) -> Certificate:
    """The certificate with what rank filters leave of the proposals: the plan is the best of those
    alone.
    """
    most = min((ranking.most for ranking in ranked), default=certificate.sequences)
    if most >= certificate.sequences:
        return certificate
    covers = f"best of at most {most:,d} of {certificate.sequences:,d} proposals, the first by rank"
    return certificate.model_copy(update={"covers": covers})


def _targets(targets: Targets | TargetsFailed | None, findings: Findings) -> Targets | None:
    if isinstance(targets, TargetsFailed):
        findings.problems.append(
            Notice(
                code="targets_failed",
                message=(
                    f"The target weights could not be had: {targets.reason} The plan was made "
                    "without them."
                ),
            )
        )
        return None
    if targets is None:
        message = (
            "No target weights were given: weight_based and target_fit do not run, the other "
            "calculators plan alone."
        )
        findings.warnings.append(Notice(code="no_targets", message=message))
    return targets


def note_value(ctx: Context, empty: bool, findings: Findings) -> None:
    """Say what a reader must know of the money."""
    if empty:
        findings.warnings.append(
            Notice(
                code="no_value",
                message="The portfolio is worth nothing: there is nothing to plan with.",
            )
        )
    foreign = ctx.cash_weight - ctx.spendable_weight
    if foreign > 0:
        message = (
            f"{100 * foreign:.1f} % of value is cash that pays for nothing in this plan: foreign "
            "balances and money of open buys."
        )
        findings.warnings.append(Notice(code="idle_cash", message=message))


def evaluate_batches(
    table: Candidates, batches: Iterable[Batch], findings: Findings
) -> Iterator[Scores]:
    """Feasibility and net improvement of every batch."""
    leader = 0.0
    for batch in batches:
        net = np.where(
            feasible(table.account, batch.rows), evaluate(table.tables, batch.rows), -np.inf
        )
        leader = max(leader, float(net.max(initial=0.0)))
        findings.tell(BatchScored(batch.number, len(batch.rows), leader))
        yield Scores(batch.number, batch.rows, net)
