"""The documents' older planner, to compare with: every set of the candidate table, one by one.

It makes the same table by the same rules and answers with the same document; what it does not do
is propose, collapse and search. Each set that can be paid for is scored by the reference evaluator,
the readable one: it agrees with `create_holistic_plan` where the best set was proposed there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations, islice
from math import comb
from typing import Unpack

import numpy as np

from steelyard.arrays import PAD
from steelyard.compat.planner import HolisticPlanner, Options, holistic_of
from steelyard.compat.records import NOTHING, HolisticPlan, PortfolioContext, Position, Security
from steelyard.errors import PlanRefused
from steelyard.ledger import debt_paid, feasible
from steelyard.modules.candidates import Batch, Candidates, Scores
from steelyard.modules.context import Context
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.proposals import Proposals
from steelyard.planning.score.objective import Objective
from steelyard.planning.scored import doing_nothing, score_set
from steelyard.planning.solve import LOCAL, Steps, evaluate_batches
from steelyard.planning.wishes import find_opportunities
from steelyard.strategies import Strategy
from steelyard.telemetry.events import BatchScored

BATCH = 4096
MOST_SETS = 300_000
"""Sets of a table that are tried; a scored one takes about 0.1 ms."""
WHO = "enumeration"


async def create_holistic_plan_original(
    portfolio_context: PortfolioContext,
    available_cash: float,
    securities: Sequence[Security],
    positions: Sequence[Position],
    **options: Unpack[Options],
) -> HolisticPlan:
    """The best of all sets of the table, with the arguments of `create_holistic_plan`.

    Raises PlanRefused where there are too many, and what `create_holistic_plan` raises.
    """
    planner, more = holistic_of(OriginalPlanner, options)
    return await planner.create_plan(
        portfolio_context, positions, securities, available_cash, **more
    )


class OriginalPlanner(HolisticPlanner):
    """A planner with plain enumeration in the place of proposals."""

    def steps(self) -> Steps:
        """Those of one plan."""
        plain = Plain()
        return replace(
            LOCAL,
            find_opportunities=plain.find_opportunities,
            generate=plain.generate,
            evaluate=plain.evaluate,
        )


class Plain:
    """Steps that remember the objective of the table that they made."""

    def __init__(self) -> None:
        self.of: Objective | None = None

    def find_opportunities(
        self, ctx: Context, objective: Objective, strategy: Strategy, guard: Guard
    ) -> Candidates:
        """The table, as always; raises PlanRefused for one with too many sets."""
        self.of = objective
        table = find_opportunities(ctx, objective, strategy, guard)
        sets = sum(comb(table.m, size) for size in range(1, ctx.search.max_depth + 1))
        if sets > MOST_SETS:
            what = f"The table of {table.m} candidates has {sets:,} sets of up to "
            mend = "lower max_plan_depth or max_opportunities_per_category"
            raise PlanRefused(
                f"{what}{ctx.search.max_depth} orders, and plain enumeration tries at most "
                f"{MOST_SETS:,}. {NOTHING} To make it fewer, {mend}.",
                code="too_many_sets",
                value=sets,
                limit=MOST_SETS,
                hint=mend,
            )
        return table

    def generate(
        self,
        ctx: Context,
        table: Candidates,
        strategy: Strategy,  # noqa: ARG002
        guard: Guard,  # noqa: ARG002
    ) -> Proposals:
        """Every set that the filters let through, in batches."""
        proposers: dict[tuple[int, ...], list[str]] = {}
        return Proposals(_batches(table, ctx.search.max_depth, proposers), proposers)

    def evaluate(
        self,
        ctx: Context,
        table: Candidates,
        batches: Iterable[Batch],
        strategy: Strategy,  # noqa: ARG002
        guard: Guard,
    ) -> Iterator[Scores]:
        """Net of every set by the reference evaluator; -inf for one that cannot be paid for.

        A term without an array form is scored when the best are compared, as in every plan.
        """
        findings, objective = guard.findings, self.of
        if objective is None or objective.black_boxes:
            return evaluate_batches(table, batches, findings)
        hold = doing_nothing(ctx, objective, table).evaluation.score
        return _scored(partial(_net, ctx, objective, table, hold), table, batches, findings)


def _net(
    ctx: Context, objective: Objective, table: Candidates, hold: float, row: Sequence[int]
) -> float:
    return score_set(ctx, objective, table, [j for j in row if j != PAD], hold).net


def _scored(
    net_of: Callable[[Sequence[int]], float],
    table: Candidates,
    batches: Iterable[Batch],
    findings: Findings,
) -> Iterator[Scores]:
    for batch in batches:
        fits = feasible(table.account, batch.rows) & debt_paid(table.account, batch.rows)
        pairs = zip(batch.rows.tolist(), fits, strict=True)
        net = np.array([net_of(row) if fit else -np.inf for row, fit in pairs])
        findings.tell(BatchScored(batch.number, len(batch.rows), int(fits.sum())))
        first = int(net.argmax())
        findings.better(float(net[first]), int((batch.rows[first] != PAD).sum()))
        yield Scores(batch.number, batch.rows, net)


def _batches(
    table: Candidates, depth: int, proposers: dict[tuple[int, ...], list[str]]
) -> Iterator[Batch]:
    number = 0
    for size in range(1, depth + 1):
        sets = combinations(range(table.m), size)
        while chunk := list(islice(sets, BATCH)):
            rows = np.full((len(chunk), depth), PAD, dtype=np.int64)
            rows[:, :size] = chunk
            for predicate in table.predicates:
                rows = rows[predicate(rows)]
            if len(rows):
                proposers |= {tuple(row[:size]): [WHO] for row in rows.tolist()}
                yield Batch(number, rows, np.zeros(len(rows), dtype=np.int64), (WHO,))
                number += 1
