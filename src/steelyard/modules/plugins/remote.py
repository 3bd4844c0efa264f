"""The calls of a plugin's modules, and what their answers are once they are checked.

Every function here may raise ModuleError: `findings.guarded` then names the module and the plan
goes on without it.
"""

from __future__ import annotations

import math
import string
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np

from steelyard.arrays import PAD, BoolArray, FloatArray, IntArray, frozen
from steelyard.errors import DeadlineStruck, ModuleError
from steelyard.modules.candidates import Candidate, Candidates, Ranking, RowPredicate, Ruling
from steelyard.modules.context import Context
from steelyard.modules.plugins.answers import (
    ArraysTold,
    CandidatesTold,
    KeptTold,
    MaskTold,
    MoreTold,
    PairsTold,
    PartTold,
    PatternTold,
    RankTold,
    RawTold,
    RulingTold,
    SentenceTold,
    TermTold,
)
from steelyard.modules.plugins.channel import Answer, Array
from steelyard.modules.plugins.worker import Worker
from steelyard.modules.registry import Form, Kind, ModuleParams
from steelyard.modules.terms import (
    LEAST_VARIANCE,
    BlackBox,
    Linear,
    Norm,
    Part,
    Quadratic,
    Raw,
    Shape,
    Term,
)
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.sentences import Fact, Sentence, say

T = TypeVar("T")

PRIORITY = (0.0, 2.0)
SHARES_WITHIN = 1e-9
CONVEX_WITHIN = 1e-10
"""Least eigenvalue of a matrix that counts as positive semidefinite, relative to its largest
entry.
"""
PATIENCE = 6
"""How many times the deadline of one question all questions to one answer may take together."""
STEEPEST = 1e5
"""Largest figure of a part in units of its span: beyond it rounding alone would change the
score.
"""
LARGEST_FACT = 1e18
SMALLEST_EXPONENT = -30
"""Of a fact: figures that nobody reads would fill a page with digits."""
LONGEST_SENTENCE = 2000
"""Characters, as people read it."""
STREAM_ROWS = 5_000_000


@dataclass(frozen=True, slots=True)
class Remote:
    """A module in its worker."""

    worker: Worker
    qualified: str

    def ask(
        self, form: type[Answer[T]], params: ModuleParams, records: Mapping[str, Any], **facts: Any
    ) -> tuple[T, tuple[Array, ...]]:
        """Call the module."""
        told = {"module": self.qualified, "params": params.model_dump_json(by_alias=True), **facts}
        return self.worker.ask("call", told, form, records)

    def keep(self, number: int) -> Kept:
        """What the worker keeps under a number, until nobody holds the result."""
        return Kept(self.worker, number, self.worker.generation)


class Kept:
    """Something that stays in the worker: a generator, a predicate, a value, a formula."""

    def __init__(self, worker: Worker, number: int, generation: int) -> None:
        self._worker, self._number, self._generation = worker, number, generation
        self._spent = 0.0
        weakref.finalize(self, worker.dropped.append, number).atexit = False

    def ask(self, what: str, form: type[Answer[T]], **facts: Any) -> tuple[T, tuple[Array, ...]]:
        """Ask it; raises ModuleError when its worker has ended since, DeadlineStruck when all
        questions together take too long.
        """
        if self._worker.generation != self._generation:
            raise ModuleError("its worker has ended since it answered")
        most = PATIENCE * self._worker.seconds
        if self._spent > most:
            raise DeadlineStruck(
                f"its answers took over {most:g} s together ({PATIENCE} times plugins.seconds); it "
                "is not asked again"
            )
        start = time.monotonic()
        try:
            return self._worker.ask(what, {"kept": self._number, **facts}, form)
        finally:
            self._spent += time.monotonic() - start


def call_of(kind: Kind, form: Form | None, remote: Remote) -> Callable[..., Any]:
    """The function of a module: takes and gives what a built-in one of its kind does."""
    match kind, form:
        case (Kind.OPPORTUNITY, _):
            return lambda ctx, params: candidates(
                ctx, *remote.ask(Answer[CandidatesTold], params, {"context": ctx})
            )
        case (Kind.PATTERN, _):
            return lambda ctx, table, params: pattern(
                ctx, table, *remote.ask(Answer[PatternTold], params, _inputs(ctx, table))
            )
        case (Kind.SEQUENCE, _):
            return lambda ctx, table, seeds, params: blocks(remote, ctx, table, seeds, params)
        case (Kind.FILTER, "mask"):
            return lambda ctx, table, params: mask(
                ctx, table, *remote.ask(Answer[MaskTold], params, _inputs(ctx, table))
            )
        case (Kind.FILTER, "pairs"):
            return lambda ctx, table, params: pairs(
                ctx, table, *remote.ask(Answer[PairsTold], params, _inputs(ctx, table))
            )
        case (Kind.FILTER, "rows"):
            return lambda ctx, table, params: predicate(remote, ctx, table, params)
        case (Kind.FILTER, "rank"):
            return lambda ctx, table, params: ranking(remote, ctx, table, params)
        case _:
            return lambda ctx, params: term(
                remote, ctx, *remote.ask(Answer[TermTold], params, {"context": ctx})
            )


def _inputs(ctx: Context, table: Candidates) -> dict[str, Any]:
    """What travels of a call."""
    return {"context": ctx, "table": table}


def _one(
    arrays: Sequence[Array], what: str, shape: tuple[int, ...], dtype: type[np.generic]
) -> Array:
    """The one array of an answer, of a shape (-1: any length) and a type."""
    if len(arrays) != 1:
        raise ModuleError(f"it answers with {len(arrays)} arrays where {what} is due")
    array = arrays[0]
    fits = array.ndim == len(shape) and all(
        want in {-1, have} for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype != dtype:
        due = " x ".join("any" if want == -1 else str(want) for want in shape)
        raise ModuleError(
            f"{what} has shape {array.shape} and type {array.dtype}; {due} of type "
            f"{np.dtype(dtype)} is due"
        )
    return array


def candidates(ctx: Context, told: CandidatesTold, arrays: Sequence[Array]) -> list[Candidate]:
    """What a calculator wants: known symbols, signs that match the side, sentences that keep the
    rule.
    """
    _none(arrays)
    known = set(ctx.symbols)
    found: list[Candidate] = []
    for one in told.candidates:
        if one.symbol not in known:
            raise ModuleError(f"it proposes {one.symbol}, which is not in the planning set")
        sign = 1 if one.side == "buy" else -1
        if not all(weight * sign > 0 for weight in one.weights):
            raise ModuleError(
                f"it proposes to {one.side} {one.symbol} by {one.weights} of value; the signs do "
                "not match"
            )
        if not PRIORITY[0] <= one.priority_weight <= PRIORITY[1]:
            raise ModuleError(
                f"its priority_weight {one.priority_weight:g} of {one.symbol} is outside "
                f"{PRIORITY[0]:g}..{PRIORITY[1]:g}"
            )
        found.append(
            Candidate(
                Side(one.side),
                one.symbol,
                one.weights,
                one.priority_weight,
                sentence(one.why),
                one.tags,
            )
        )
    return found


def sentence(told: SentenceTold) -> Sentence:
    """A sentence whose every number is a fact: its template has none."""
    try:
        facts: dict[str, Fact] = {one.name: one.fact for one in told.facts}
        literals = "".join(literal for literal, *_ in string.Formatter().parse(told.template))
        if any(sign.isdigit() for sign in literals):
            raise ModuleError(
                f"the sentence {told.template!r} has a number in its template; numbers are facts, "
                "{like:pct}"
            )
        odd = next(
            (
                name
                for name, fact in facts.items()
                if isinstance(fact, int | float | Decimal) and not _readable(fact)
            ),
            None,
        )
        if odd is not None:
            raise ModuleError(
                f"the sentence {told.template!r} has the fact {odd!r}, which is not a finite number"
                " that can be read"
            )
        said = say(told.template, **facts)
    except (LookupError, ValueError, ArithmeticError, TypeError, AttributeError) as error:
        raise ModuleError(
            f"the sentence {told.template!r} does not fit its facts: {type(error).__name__} {error}"
        ) from error
    if len(said.text) > LONGEST_SENTENCE:
        raise ModuleError(
            f"the sentence {told.template!r} has {len(said.text):,} characters with its facts; at "
            f"most {LONGEST_SENTENCE:,}"
        )
    return said


def _readable(fact: float | Decimal) -> bool:
    """Is a number finite, and neither so large nor so long that it is no number for people?"""
    if not math.isfinite(fact) or abs(float(fact)) > LARGEST_FACT:
        return False
    return not isinstance(fact, Decimal) or int(fact.as_tuple().exponent) >= SMALLEST_EXPONENT


def _none(arrays: Sequence[Array]) -> None:
    if arrays:
        raise ModuleError(f"it answers with {len(arrays)} arrays where none is due")


def pattern(
    ctx: Context, table: Candidates, told: PatternTold, arrays: Sequence[Array]
) -> IntArray | dict[str, IntArray]:
    """Rows of a pattern, or of each of its variants."""
    if told.variants is None:
        return _rows(arrays, ctx.search.max_depth, table.m)
    if len(arrays) != len(told.variants):
        raise ModuleError(f"it answers with {len(arrays)} arrays for {len(told.variants)} variants")
    return {
        name: _rows([array], ctx.search.max_depth, table.m)
        for name, array in zip(told.variants, arrays, strict=True)
    }


def _rows(arrays: Sequence[Array], depth: int, m: int) -> IntArray:
    if len(arrays) == 1 and not arrays[0].size:
        return frozen(np.zeros((0, depth), dtype=np.int64))
    rows = _one(arrays, "the table of sequences", (-1, depth), np.int64)
    if rows.max() >= m or rows.min() < PAD:
        raise ModuleError(
            f"a sequence names candidate {int(rows.max())}; the table has {m}, from 0 on, and {PAD}"
            " for none"
        )
    return rows


def blocks(
    remote: Remote, ctx: Context, table: Candidates, seeds: IntArray, params: ModuleParams
) -> Iterator[IntArray]:
    """Blocks of a generator, each asked for when it is wanted; ended when all together take too
    long or are too many.
    """
    told, arrays = remote.ask(Answer[KeptTold], params, _inputs(ctx, table), seeds=seeds)
    _none(arrays)
    kept = remote.keep(told.kept)
    count = 0
    while True:
        more, arrays = kept.ask("next", Answer[MoreTold])
        if not more.more:
            return
        rows = _rows(arrays, ctx.search.max_depth, table.m)
        count += max(len(rows), 1)
        if count > STREAM_ROWS:
            raise ModuleError(
                f"it gave more than {STREAM_ROWS:,} sequences; no more were asked for"
            )
        yield rows


def mask(ctx: Context, table: Candidates, told: MaskTold, arrays: Sequence[Array]) -> Ruling:
    """What a mask filter says."""
    return _ruling(ctx, table, told.ruling, arrays)


def _ruling(ctx: Context, table: Candidates, told: RulingTold, arrays: Sequence[Array]) -> Ruling:
    keep: BoolArray = _one(arrays, "the mask", (table.m,), np.bool_)
    strange = [symbol for symbol, _ in told.unknown if symbol not in set(ctx.symbols)]
    if strange:
        raise ModuleError(f"it lacks something of {strange[0]}, which is not in the planning set")
    if any(drop.row >= table.m for drop in told.drops):
        raise ModuleError(f"it drops order {max(drop.row for drop in told.drops)} of {table.m}")
    drops = {
        drop.row: Drop(drop.rule, drop.value, drop.limit, sentence(drop.why)) for drop in told.drops
    }
    return Ruling(keep, drops, told.unknown)


def pairs(
    ctx: Context, table: Candidates, told: PairsTold, arrays: Sequence[Array]
) -> tuple[BoolArray, Ruling | None]:
    """What a pair filter says, and what may not be traded at all where it says that too."""
    found: BoolArray = _one(arrays[:1], "the table of pairs", (table.m, table.m), np.bool_)
    if found.diagonal().any():
        raise ModuleError(
            "it keeps an order apart from itself; what may not be traded at all is a Ruling"
        )
    if told.ruling is None:
        _none(arrays[1:])
        return found, None
    return found, _ruling(ctx, table, told.ruling, arrays[1:])


def predicate(
    remote: Remote, ctx: Context, table: Candidates, params: ModuleParams
) -> RowPredicate:
    """The predicate of a row filter; asked once of the empty row, so that one that cannot answer is
    no filter.
    """
    told, arrays = remote.ask(Answer[KeptTold], params, _inputs(ctx, table))
    _none(arrays)
    kept = remote.keep(told.kept)

    def permits(rows: IntArray) -> BoolArray:
        _, arrays = kept.ask("rows", Answer[ArraysTold], rows=rows)
        return _one(arrays, "the answer for each sequence", (len(rows),), np.bool_)

    permits(np.full((1, ctx.search.max_depth), PAD, dtype=np.int64))
    return permits


def ranking(remote: Remote, ctx: Context, table: Candidates, params: ModuleParams) -> Any:
    """The ranking of a rank filter."""
    told, arrays = remote.ask(Answer[RankTold], params, _inputs(ctx, table))
    _none(arrays)
    kept = remote.keep(told.kept)

    def value(rows: IntArray) -> FloatArray:
        _, arrays = kept.ask("value", Answer[ArraysTold], rows=rows)
        found: FloatArray = _one(arrays, "the value of each sequence", (len(rows),), np.float64)
        if np.isnan(found).any() or np.isposinf(found).any():
            raise ModuleError("the value of a sequence is no number that can be ordered")
        return found

    return Ranking(value, told.most)


def term(remote: Remote, ctx: Context, told: TermTold, arrays: Sequence[Array]) -> Any:
    """A score term: its arrays are what counts, and the readable formula of each part is made from
    them here.
    """
    if told.name != remote.qualified.partition(".")[2]:
        raise ModuleError(f"its term is called {told.name!r}; it must have the name of the module")
    total = math.fsum(part.share for part in told.parts)
    if abs(total - 1) > SHARES_WITHIN:
        raise ModuleError(f"the shares of its parts sum to {total:.6g}; they must sum to 1")
    return Term(told.name, tuple(_part(remote, ctx, part, arrays) for part in told.parts))


def _part(remote: Remote, ctx: Context, told: PartTold, arrays: Sequence[Array]) -> Any:
    if not told.lo < told.hi:
        raise ModuleError(
            f"the anchors of its part {told.name} are {told.lo:g} and {told.hi:g}; they must "
            "increase"
        )
    size = ctx.n + 1

    def taken(place: int | None, *shape: int) -> FloatArray:
        found = arrays[place : place + 1] if place is not None else ()
        array: FloatArray = _one(found, f"an array of its part {told.name}", shape, np.float64)
        if not np.isfinite(array).all():
            raise ModuleError(f"an array of its part {told.name} is not finite")
        _flat(told, float(np.abs(array).max(initial=0.0)))
        return array

    _flat(told, max(abs(told.lo), abs(told.hi), abs(told.constant)))

    shape: Shape
    raw: Raw

    match told.form:
        case "Linear":
            slope = taken(told.slope, size)
            shape, raw = Linear(told.constant, slope), _plain_formula(told.constant, slope, None)
        case "Quadratic":
            slope = taken(told.slope, size)
            curvature = _convex(told, taken(told.curvature, size, size))
            shape = Quadratic(told.constant, slope, curvature)
            raw = _plain_formula(told.constant, slope, curvature)
        case "Norm":
            variance = _convex(told, taken(told.variance, size, size))
            shape, raw = Norm(variance), _norm_formula(variance, LEAST_VARIANCE)
        case "BlackBox" if told.kept is not None:
            shape = BlackBox(told.max_delta)
            raw = _remote_formula(told, remote.keep(told.kept))
        case _:
            raise ModuleError(
                f"its part {told.name} is a {told.form}; a plugin's part is Linear, Quadratic, Norm"
                " or BlackBox"
            )
    return Part(told.name, told.share, told.lo, told.hi, raw, shape)


def _flat(told: PartTold, figure: float) -> None:
    """Raises ModuleError for a figure that is so large beside the anchors that rounding would
    decide.
    """
    span = told.hi - told.lo
    if not figure <= STEEPEST * span:
        raise ModuleError(
            f"its part {told.name} has the figure {figure:g}, more than {STEEPEST:g} times what "
            f"lies between its anchors, {span:g}"
        )


def _convex(told: PartTold, matrix: FloatArray) -> FloatArray:
    """The matrix, if the part is concave with it: proofs rest on that."""
    even = (matrix + matrix.T) / 2
    slack = CONVEX_WITHIN * max(1.0, float(np.abs(even).max(initial=0.0)))
    try:
        np.linalg.cholesky(even + 2 * slack * np.eye(len(even)))
    except np.linalg.LinAlgError as error:
        raise ModuleError(
            f"the matrix of its part {told.name} is not positive semidefinite, so the part is not "
            "concave"
        ) from error
    return frozen(even)


def _plain_formula(
    constant: float, slope: FloatArray, curvature: FloatArray | None
) -> Callable[[FloatArray, float], float]:
    """raw = constant + slope . z - z' H z."""

    def raw(weights: FloatArray, cash: float) -> float:
        z = np.append(weights, cash)
        bent = [] if curvature is None else (-z * (curvature @ z)).tolist()
        return math.fsum([constant, *(slope * z).tolist(), *bent])

    return raw


def _norm_formula(variance: FloatArray, least: float) -> Callable[[FloatArray, float], float]:
    """raw = -sqrt(z' V z)."""

    def raw(weights: FloatArray, cash: float) -> float:
        z = np.append(weights, cash)
        return -math.sqrt(max(math.fsum((z * (variance @ z)).tolist()), least))

    return raw


def _remote_formula(part: PartTold, kept: Kept) -> Callable[[FloatArray, float], float]:
    """The formula, asked once for each end state: the score must not change while it is looked
    at.
    """
    known: dict[tuple[bytes, float], float] = {}

    def raw(weights: FloatArray, cash: float) -> float:
        place = (weights.tobytes(), cash)
        if place not in known:
            known[place] = _figure(
                part, kept.ask("raw", Answer[RawTold], weights=weights, cash=cash)[0]
            )
        return known[place]

    return raw


def _figure(part: PartTold, told: RawTold) -> float:
    """The number that a formula gives."""
    try:
        figure = float(told.raw)
    except ValueError as error:
        raise ModuleError("its formula gives no number") from error
    if not math.isfinite(figure):
        raise ModuleError(f"its formula gives {figure}")
    _flat(part, abs(figure))
    return figure
