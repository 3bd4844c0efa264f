"""The steps of a plan that stores what it calculates, and takes what is stored.

What is quick is done as without: only sequences of the scope `proposals`, more than a batch of
them, slow formulas, lists compared by drawn scenarios, and searches over whole lots that take
more than a second are worth a place in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.calculations.digest import digest
from steelyard.modules.candidates import Batch, Candidates, Ranking, Scores
from steelyard.modules.context import Context
from steelyard.planning.case import Case, inputs_sha256
from steelyard.planning.findings import HERE, Findings
from steelyard.planning.guard import Guard
from steelyard.planning.keep import Pool
from steelyard.planning.modes.contenders import Contenders
from steelyard.planning.proof import Evidence, Search
from steelyard.planning.proposals import rankings
from steelyard.planning.score.objective import Objective
from steelyard.planning.solve import LOCAL, Steps, evaluate_batches, score_batch, tell_scores
from steelyard.runs.batch.answers import Answers
from steelyard.runs.batch.best import Best
from steelyard.runs.batch.compared import comparison
from steelyard.runs.batch.nodes import STRETCH_SECONDS, Nodes
from steelyard.runs.batch.ranges import Ranges
from steelyard.runs.batch.sequences import sequences
from steelyard.runs.batch.work import Progress, Work
from steelyard.store.batches import COMPARED, SEQUENCES
from steelyard.strategies import Strategy

DIGITS = 16
"""Of a hash that names a part of a run."""


@dataclass
class Stored:
    """A plan's steps in one run; use them for one plan at a time.

    begin        the run in this process; asked once, when something slow is met
    batch_size   sequences that are stored at once, at least
    stretch      seconds between two stretches of a search that are stored
    in_one_go    table -> its sequences, evaluated and not stored
    remarks      what is said of searches that went on, or could not
    """

    begin: Callable[[], Work]
    batch_size: int
    inner: Steps = LOCAL
    stretch: float = STRETCH_SECONDS
    work: Work | None = None
    in_one_go: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    _answers: Answers | None = None
    _cases: list[tuple[Context, Case]] = field(default_factory=list)

    def steps(self) -> Steps:
        """What planning is given."""
        return replace(
            self.inner,
            evaluate=self.evaluate,
            prove=self.prove,
            compare=self.compare,
            remember=self.remember,
        )

    @property
    def progress(self) -> Progress:
        """How far it is: sequences that are evaluated, and all."""
        run = Progress(0, 0) if self.work is None else self.work.progress
        others = sum(self.in_one_go.values())
        return Progress(run.evaluated + others, run.total + others)

    def remember(self, case: Case, ctx: Context, objective: Objective) -> Objective:
        """Black boxes that are asked of nothing twice; raises StoreError."""
        self._cases.append((ctx, case))
        if not objective.black_boxes:
            return objective
        if self._answers is None:
            self._answers = Answers(self._begun())
        return self._answers.remembered(objective, inputs_sha256(case, ctx))

    def evaluate(
        self,
        ctx: Context,
        table: Candidates,
        batches: Iterable[Batch],
        strategy: Strategy,
        guard: Guard,
    ) -> Iterator[Scores]:
        """Scores of the best of every range; raises OtherSequences, StoreError."""
        orders = digest(security=table.account.security, delta=table.account.delta).hex()
        if ctx.search.scope != "proposals":
            self.in_one_go[orders] = 0  # once more, where a module failed late
            for scores in self.inner.evaluate(ctx, table, batches, strategy, guard):
                self.in_one_go[orders] += len(scores.net)
                yield scores
            return
        rows = _every(ctx, batches)
        before = self.work is not None and self.work.run.evaluated > 0
        if len(rows) <= self.batch_size and not before:
            self.in_one_go[orders] = len(rows)
            yield from evaluate_batches(table, [_batch(0, rows)], guard.findings)
            return

        def evaluate(number: int, some: IntArray) -> Scores:
            scores = score_batch(table, _batch(number, some))
            guard.findings.batches[HERE] += 1
            tell_scores(scores, guard.findings)
            return scores

        part = f"{SEQUENCES}:{digest(score=table.tables, account=table.account).hex()[:DIGITS]}"
        best = Best(ctx.search.max_depth, _ranked(ctx, table, strategy, guard))
        task = sequences(part, rows, self.batch_size, evaluate, best)
        for _, scores in Ranges(self._begun(), task).results():
            yield scores

    def prove(
        self, ctx: Context, objective: Objective, table: Candidates, pool: Pool, search: Search
    ) -> Evidence:
        """The search, its nodes stored where it takes its time; raises StoreError."""
        case = self._case(ctx)
        if case is not None:
            without = (sorted(search.guard.disabled), sorted(search.guard.gone))
            of = digest(inputs=inputs_sha256(case, ctx), without=without).hex()

            def record_of(name: str) -> Nodes:
                return Nodes(self._begun, f"{of}:{name}", self.stretch, self.remarks)

            search = replace(search, record_of=record_of)
        return self.inner.prove(ctx, objective, table, pool, search)

    def compare(
        self, ctx: Context, objective: Objective, lists: Contenders, rows: IntArray
    ) -> FloatArray:
        """Figures of the lists, stored where they are drawn; raises StoreError."""
        case = self._case(ctx)
        if case is None or not ctx.rules.evaluation.sampled:
            return self.inner.compare(ctx, objective, lists, rows)
        of = digest(inputs=inputs_sha256(case, ctx), lists=lists, rows=rows).hex()

        def figures(places: IntArray) -> FloatArray:
            return self.inner.compare(ctx, objective, lists, rows[places])

        task = comparison(f"{COMPARED}:{of[:DIGITS]}", len(rows), figures)
        results = {entry.start: result for entry, result in Ranges(self._begun(), task).results()}
        return np.concatenate([results[start] for start in sorted(results)])

    def _case(self, ctx: Context) -> Case | None:
        return next((case for known, case in self._cases if known is ctx), None)

    def _begun(self) -> Work:
        if self.work is None:
            self.work = self.begin()
        return self.work


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
