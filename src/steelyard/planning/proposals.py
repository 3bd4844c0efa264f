"""Distinct sequences in numbered batches, lazily: patterns first, then generators on the patterns'
seeds.

What is kept of them once they are scored: the best, after rank filters where the plan is the best
proposal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray
from steelyard.errors import FailedLate
from steelyard.modules import contract
from steelyard.modules.candidates import Batch, Candidates, Ranking, RowPredicate, Scores
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, Module, ModuleParams
from steelyard.notices import Timing
from steelyard.planning.guard import Guard, failed_late, kept_to
from steelyard.planning.keep import Pool, best
from steelyard.strategies import ModuleChoice, Strategy

Row = tuple[int, ...]

END = object()
"""Comes after the last block of a generator."""


@dataclass(frozen=True)
class Proposals:
    """Distinct sequences in numbered batches, drawn once and lazily.

    proposers   sequence -> the modules that proposed it; whole once all batches are drawn
    """

    batches: Iterator[Batch]
    proposers: dict[Row, list[str]]


def generate(
    ctx: Context, table: Candidates, strategy: Strategy, guard: Guard, batch_size: int
) -> Proposals:
    """Patterns first, then generators on the patterns' seeds."""
    proposers: dict[Row, list[str]] = {}
    return Proposals(_batches(ctx, table, strategy, guard, batch_size, proposers), proposers)


def _batches(
    ctx: Context,
    table: Candidates,
    strategy: Strategy,
    guard: Guard,
    batch_size: int,
    proposers: dict[Row, list[str]],
) -> Iterator[Batch]:
    names: list[str] = []
    buffer: list[tuple[Row, int]] = []
    number = 0
    for name, rows in _proposed(ctx, table, strategy, guard):
        names.append(name)
        for row in _fresh(rows, table.predicates, proposers, name):
            buffer.append((row, len(names) - 1))
            if len(buffer) == batch_size:
                yield _batch(number, buffer, names, ctx.search.max_depth)
                number, buffer = number + 1, []
    if buffer:
        yield _batch(number, buffer, names, ctx.search.max_depth)


def _proposed(
    ctx: Context, table: Candidates, strategy: Strategy, guard: Guard
) -> Iterator[tuple[str, IntArray]]:
    """(module, rows) of every pattern, then of every block of every generator."""
    depth = ctx.search.max_depth
    seeds = [np.zeros((0, depth), dtype=np.int64)]
    for choice in strategy.enabled(Kind.PATTERN):

        def work(params: ModuleParams, module: Module = choice.module) -> dict[str, IntArray]:
            answer = contract.pattern(module.call(ctx, table, params), table.m, depth)
            return _named(module.name, answer)

        run = guard.run(
            choice.module, ctx, choice.params, work, lambda rows: sum(map(len, rows.values()))
        )
        for name, rows in (run.value or {}).items():
            seeds.append(rows)
            yield name, rows
    seed_rows = np.concatenate(seeds)
    for choice in strategy.enabled(Kind.SEQUENCE):
        if choice.module.form != "what_if":
            for rows in _blocks(ctx, table, choice, seed_rows, guard):
                yield choice.module.name, rows


def _blocks(
    ctx: Context, table: Candidates, choice: ModuleChoice, seeds: IntArray, guard: Guard
) -> Iterator[IntArray]:
    """Blocks of a lazy generator; one that fails after a block has the plan made as without it."""
    module, findings = choice.module, guard.findings
    if guard.hindered(module, ctx) is not None:
        return
    count, seconds = 0, 0.0
    blocks = _called(ctx, table, choice, seeds)
    while True:
        start = findings.clock()
        try:
            block = next(blocks, END)
            rows = None if block is END else contract.rows(block, table.m, ctx.search.max_depth)
        except FailedLate:
            raise  # another module's answer failed inside of this one
        except Exception as error:
            if count:  # its blocks are proposed: the plan is made again as without them
                raise failed_late(module, error) from error
            guard.failed(module, error, seconds + findings.clock() - start)
            return
        seconds += findings.clock() - start
        if rows is None:
            findings.timings.append(Timing(name=module.qualified, seconds=round(seconds, 6)))
            guard.finished(module, count, seconds)
            return
        count += len(rows)
        yield rows


def _called(
    ctx: Context, table: Candidates, choice: ModuleChoice, seeds: IntArray
) -> Iterator[Any]:
    """What the generator yields; its call waits for the first block, and fails as one of them."""
    yield from choice.module.call(ctx, table, seeds, choice.params)


def _named(module: str, answer: contract.Rows) -> dict[str, IntArray]:
    """Who proposes which rows: the module, or each of its variants as `module.variant`."""
    if not isinstance(answer, Mapping):
        return {module: answer}
    return {f"{module}.{variant}": rows for variant, rows in answer.items()}


def _fresh(
    rows: IntArray, predicates: Iterable[RowPredicate], proposers: dict[Row, list[str]], name: str
) -> Iterator[Row]:
    """Rows that nobody proposed before and every predicate lets through; notes who proposed."""
    allowed = np.ones(len(rows), dtype=np.bool_)
    for predicate in predicates:
        allowed &= predicate(rows)
    for cells in rows[allowed].tolist():
        row = tuple(j for j in cells if j != PAD)
        names = proposers.get(row)
        if names is None:
            proposers[row] = [name]
            if row:
                yield row
        elif name not in names:
            names.append(name)


def _batch(number: int, buffer: list[tuple[Row, int]], names: list[str], depth: int) -> Batch:
    rows = np.full((len(buffer), depth), PAD, dtype=np.int64)
    for k, (row, _) in enumerate(buffer):
        rows[k, : len(row)] = row
    return Batch(
        number, rows, np.array([origin for _, origin in buffer], dtype=np.int64), tuple(names)
    )


def rankings(
    ctx: Context, table: Candidates, strategy: Strategy, guard: Guard
) -> tuple[Ranking, ...]:
    """What the rank filters say; nothing where the plan is the best of the whole table."""
    answers: list[Ranking] = []
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "rank":
            continue
        if ctx.search.scope != "proposals":
            guard.idle(choice.module, f"it ranks proposals, and search.scope is {ctx.search.scope}")
            continue

        def work(params: ModuleParams, module: Module = choice.module) -> Ranking:
            answer = module.call(ctx, table, params)
            ranking = contract.ranking(answer, ctx.search.max_depth)
            return replace(ranking, value=kept_to(module, ranking.value))

        ranking = guard.run(choice.module, ctx, choice.params, work, lambda _: 1).value
        answers += [] if ranking is None else [ranking]
    return tuple(answers)


def keep_best(depth: int, scores: Iterable[Scores], ranked: Sequence[Ranking]) -> Pool:
    """The best of all feasible rows that every ranking keeps; `seen` counts all that were offered.

    Running and whole: each ranking keeps its first rows by a total order (its value, then the
    canonical row), so neither the order of arrival nor the size of a batch can matter.
    """
    if not ranked:
        return best(depth, scores)
    nothing = Scores(0, np.zeros((0, depth), dtype=np.int64), np.zeros(0))
    tops, seen = [nothing] * len(ranked), 0
    for batch in scores:
        good = np.isfinite(batch.net)
        seen += int(good.sum()) + batch.others
        tops = [
            first_by(ranking, top, batch.rows[good], batch.net[good])
            for ranking, top in zip(ranked, tops, strict=True)
        ]
    keep = np.array(
        [all(row in other for other in map(_keys, tops)) for row in map(bytes, tops[0].rows)],
        dtype=np.bool_,
    )
    return replace(best(depth, [Scores(0, tops[0].rows[keep], tops[0].net[keep])]), seen=seen)


def _keys(top: Scores) -> set[bytes]:
    return set(map(bytes, top.rows))


def first_by(ranking: Ranking, top: Scores, rows: IntArray, net: FloatArray) -> Scores:
    """The first rows of a ranking among those it kept so far and some more."""
    rows, net = np.concatenate([top.rows, rows]), np.concatenate([top.net, net])
    value = ranking.value(rows)
    # lexsort's last key is the first to count: value downwards, then the row itself
    order = np.lexsort((*rows.T[::-1], -value))
    first = order[np.isfinite(value[order])][: ranking.most]
    return Scores(0, rows[first], net[first])
