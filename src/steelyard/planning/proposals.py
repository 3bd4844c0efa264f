"""Distinct sequences in numbered batches, lazily: patterns first, then generators on the patterns'
seeds.

What is kept of them once they are scored: the best, after rank filters where the plan is the best
proposal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray, canonical_rows, frozen
from steelyard.errors import FailedLate, ModuleError, one_line
from steelyard.modules.candidates import Batch, Candidates, Ranking, RowPredicate, Scores
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, ModuleParams
from steelyard.notices import Timing
from steelyard.planning.findings import Findings, kept_to
from steelyard.planning.keep import Pool, best
from steelyard.strategies import ModuleChoice, Strategy

Row = tuple[int, ...]

TWO_DIMENSIONS = 2

VARIANT = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""What a pattern may call a variant: the plan shows the name."""

LONGEST_NAME = 80
"""Characters of a wrong name that are shown."""

END = object()
"""Comes after the last block of a generator."""


def generate(
    ctx: Context, table: Candidates, strategy: Strategy, findings: Findings, batch_size: int
) -> Iterator[Batch]:
    """Distinct sequences in numbered batches: patterns first, then generators on the patterns'
    seeds.
    """
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


def _proposals(
    ctx: Context, table: Candidates, strategy: Strategy, findings: Findings
) -> Iterator[tuple[str, IntArray]]:
    """(module, rows) of every pattern, then of every block of every generator; a failing one only
    ends itself.
    """
    depth = ctx.search.max_depth
    seeds = [np.zeros((0, depth), dtype=np.int64)]
    for choice in strategy.enabled(Kind.PATTERN):

        def work(params: ModuleParams, chosen: ModuleChoice = choice) -> dict[str, IntArray]:
            return _named(
                chosen.module.name, chosen.module.call(ctx, table, params), table.m, depth
            )

        found = findings.guarded(
            choice.module, ctx, choice.params, work, lambda named: sum(map(len, named.values()))
        )
        for name, rows in (found or {}).items():
            seeds.append(rows)
            yield name, rows
    seed_rows = np.concatenate(seeds)
    for choice in strategy.enabled(Kind.SEQUENCE):
        if choice.module.form == "what_if":
            continue
        yield from (
            (choice.module.name, rows) for rows in _blocks(ctx, table, choice, seed_rows, findings)
        )


def _blocks(
    ctx: Context, table: Candidates, choice: ModuleChoice, seeds: IntArray, findings: Findings
) -> Iterator[IntArray]:
    """Blocks of a lazy generator: what came before a failure counts."""
    if not findings.may_run(choice.module, ctx):
        return
    count, seconds = 0, 0.0
    blocks = _called(ctx, table, choice, seeds)
    while True:
        start = findings.clock()
        try:
            block = next(blocks, END)
            rows = None if block is END else checked(block, table.m, ctx.search.max_depth)
        except FailedLate:
            raise  # another module's answer failed inside of this one
        except Exception as error:  # noqa: BLE001 a module of any quality may fail in any way; the plan names it and goes on
            findings.failed(choice.module, error, seconds + findings.clock() - start)
            return
        seconds += findings.clock() - start
        if rows is None:
            findings.timings.append(Timing(name=choice.module.qualified, seconds=round(seconds, 6)))
            findings.ran(choice.module, "ok" if count else "nothing", count, seconds=seconds)
            return
        count += len(rows)
        yield rows


def _called(
    ctx: Context, table: Candidates, choice: ModuleChoice, seeds: IntArray
) -> Iterator[Any]:
    """What the generator yields; the call itself waits for the first block, so that its failure is
    one of the blocks.
    """
    yield from choice.module.call(ctx, table, seeds, choice.params)


def _named(module: str, found: Any, m: int, depth: int) -> dict[str, IntArray]:
    """Who proposes which rows: the module, or each of its variants as `module.variant`."""
    if not isinstance(found, Mapping):
        return {module: checked(found, m, depth)}
    odd = [
        one_line(repr(variant), LONGEST_NAME)
        for variant in found
        if not (isinstance(variant, str) and VARIANT.fullmatch(variant))
    ]
    if odd:
        raise ModuleError(
            f"variants are named in small letters, digits and _, at most 64 of them; not {odd[0]}"
        )
    return {f"{module}.{variant}": checked(rows, m, depth) for variant, rows in found.items()}


def checked(rows: Any, m: int, depth: int) -> IntArray:
    """Rows of a module as canonical sets; raises ModuleError for a wrong shape or an unknown
    candidate.
    """
    array = np.asarray(rows)
    if (
        array.ndim != TWO_DIMENSIONS
        or array.shape[1] != depth
        or not np.issubdtype(array.dtype, np.integer)
    ):
        raise ModuleError(
            f"sequences of shape {array.shape} and type {array.dtype}; rows of {depth} indices are "
            "asked for"
        )
    if array.size and (array.max() >= m or array.min() < PAD):
        strange = array[(array >= m) | (array < PAD)][0]
        raise ModuleError(f"a sequence names candidate {strange} of a table of {m}")
    return canonical_rows(array.astype(np.int64), m)


def _fresh(
    rows: IntArray, predicates: Iterable[RowPredicate], proposers: dict[Row, list[str]], name: str
) -> Iterator[Row]:
    """Rows that no module proposed before and every predicate lets through; who proposed what is
    noted.
    """
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
    return Batch(
        number, rows, np.array([origin for _, origin in buffer], dtype=np.int64), tuple(names)
    )


def rankings(
    ctx: Context, table: Candidates, strategy: Strategy, findings: Findings
) -> tuple[Ranking, ...]:
    """What the rank filters say; nothing where the plan is the best of the whole table, which no
    filter may cut.
    """
    found: list[Ranking] = []
    for choice in strategy.enabled(Kind.FILTER):
        if choice.module.form != "rank":
            continue
        if ctx.search.scope != "proposals":
            findings.ran(
                choice.module,
                "no_input",
                None,
                "it ranks proposals, and search.scope is candidates",
            )
            continue

        def work(params: ModuleParams, chosen: ModuleChoice = choice) -> Ranking:
            ranking: Ranking = chosen.module.call(ctx, table, params)
            if not isinstance(ranking.most, int) or ranking.most < 0:
                raise ModuleError(f"a ranking that keeps {ranking.most!r} proposals")
            value = _checked_values(ranking.value)
            value(np.full((1, ctx.search.max_depth), PAD, dtype=np.int64))
            return Ranking(kept_to(chosen.module, value), ranking.most)

        made = findings.guarded(choice.module, ctx, choice.params, work, lambda _: 1)
        found += [] if made is None else [made]
    return tuple(found)


def _checked_values(value: Callable[[IntArray], FloatArray]) -> Callable[[IntArray], FloatArray]:
    """The value of a ranking, held to its contract: one number for each row, and rows that stay as
    they are.
    """

    def valued(rows: IntArray) -> FloatArray:
        found = np.asarray(value(frozen(rows.view())), dtype=np.float64)
        if found.shape != (len(rows),) or np.isnan(found).any():
            raise ModuleError(
                f"values of shape {found.shape}, {int(np.isnan(found).sum())} of them no numbers, "
                f"for {len(rows)} sequences"
            )
        return found

    return valued


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
        seen += int(good.sum())
        tops = [
            _first(ranking, top, batch.rows[good], batch.net[good])
            for ranking, top in zip(ranked, tops, strict=True)
        ]
    kept = np.array(
        [all(row in other for other in map(_keys, tops)) for row in map(bytes, tops[0].rows)],
        dtype=np.bool_,
    )
    return replace(best(depth, [Scores(0, tops[0].rows[kept], tops[0].net[kept])]), seen=seen)


def _keys(top: Scores) -> set[bytes]:
    return set(map(bytes, top.rows))


def _first(ranking: Ranking, top: Scores, rows: IntArray, net: FloatArray) -> Scores:
    """The first rows of a ranking among those it kept so far and some more."""
    rows, net = np.concatenate([top.rows, rows]), np.concatenate([top.net, net])
    value = ranking.value(rows)
    # lexsort's last key is the first to count: value downwards, then the row itself
    order = np.lexsort((*rows.T[::-1], -value))
    kept = order[np.isfinite(value[order])][: ranking.most]
    return Scores(0, rows[kept], net[kept])
