"""The steps of a plan that stores what it calculates, and takes what is stored.

What is quick is done as without: only sequences of the scope `proposals`, more than a batch of
them, and slow formulas are worth a place in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Batch, Candidates, Ranking, Scores
from steelyard.modules.context import Context
from steelyard.planning.case import Case, inputs_sha256
from steelyard.planning.findings import HERE, Findings
from steelyard.planning.guard import Guard
from steelyard.planning.proposals import rankings
from steelyard.planning.score.objective import Objective
from steelyard.planning.solve import LOCAL, Steps, evaluate_batches, score_batch, tell_scores
from steelyard.runs.batch.answers import Answers
from steelyard.runs.batch.best import Best
from steelyard.runs.batch.digest import DIGITS, digest_of
from steelyard.runs.batch.ranges import Ranges
from steelyard.runs.batch.work import Work
from steelyard.store.batches import SEQUENCES
from steelyard.strategies import Strategy


@dataclass
class Stored:
    """A plan's steps in one run; use them for one plan at a time."""

    work: Work
    inner: Steps = LOCAL
    _answers: Answers = field(init=False)

    def __post_init__(self) -> None:
        """Nothing was read yet."""
        self._answers = Answers(self.work)

    def steps(self) -> Steps:
        """What planning is given."""
        return replace(self.inner, evaluate=self.evaluate, remember=self.remember)

    def remember(self, case: Case, ctx: Context, objective: Objective) -> Objective:
        """Black boxes that are asked of nothing twice."""
        return self._answers.remembered(objective, lambda: inputs_sha256(case, ctx))

    def evaluate(
        self,
        ctx: Context,
        table: Candidates,
        batches: Iterable[Batch],
        strategy: Strategy,
        guard: Guard,
    ) -> Iterator[Scores]:
        """Scores of the best of every range; raises OtherSequences, StoreError."""
        if ctx.search.scope != "proposals":
            for scores in self.inner.evaluate(ctx, table, batches, strategy, guard):
                self.work.in_one_go(len(scores.net))
                yield scores
            return
        rows = _every(ctx, batches)
        if len(rows) <= self.work.batch_size and not self.work.run.evaluated:
            self.work.in_one_go(len(rows))
            yield from evaluate_batches(table, [_batch(0, rows)], guard.findings)
            return
        self.work.begins(len(rows))

        def evaluate(number: int, some: IntArray) -> Scores:
            scores = score_batch(table, _batch(number, some))
            guard.findings.batches[HERE] += 1
            tell_scores(scores, guard.findings)
            return scores

        part = f"{SEQUENCES}:{digest_of(table.tables, table.account)[:DIGITS]}"
        best = Best(ctx.search.max_depth, _ranked(ctx, table, strategy, guard))
        yield from Ranges(self.work, part, rows, evaluate, best).scores()


def _every(ctx: Context, batches: Iterable[Batch]) -> IntArray:
    """(k, d) every sequence, in the generators' order."""
    nothing = np.zeros((0, ctx.search.max_depth), dtype=np.int64)
    return np.concatenate([nothing, *(batch.rows for batch in batches)])


def _batch(number: int, rows: IntArray) -> Batch:
    return Batch(number, rows, np.zeros(len(rows), dtype=np.int64), ("",))


def _ranked(
    ctx: Context, table: Candidates, strategy: Strategy, guard: Guard
) -> tuple[Ranking, ...]:
    """What the rank filters say; what they report is noted where the plan asks them."""
    return rankings(ctx, table, strategy, Guard(guard.disabled, guard.gone, None, Findings()))
