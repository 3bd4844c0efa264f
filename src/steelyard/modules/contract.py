"""What a module may answer: one check for each kind, asked of built-in modules and plugins alike.

In: what a module returned, and the context and table it was asked about. Out: the same, checked, in
the one form that planning works with; what answers later (predicates, values, formulas) comes
wrapped, and is checked whenever it answers. Everything here raises ModuleError for what breaks the
contract: how, by how much, and what is due.

k sequences · d steps deep · m orders of the table · n securities
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from steelyard.arrays import PAD, BoolArray, FloatArray, IntArray, canonical_rows, frozen
from steelyard.errors import ModuleError, one_line
from steelyard.modules.candidates import Candidate, Candidates, Ranking, RowPredicate, Ruling
from steelyard.modules.context import Context
from steelyard.modules.contract_terms import exactly, function_of, term, type_name
from steelyard.modules.registry import Form, Kind, Module
from steelyard.modules.sequences import Fill, Loosening, Order
from steelyard.modules.terms import Term
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.sentences import Sentence

Rows = IntArray | Mapping[str, IntArray]
Pairs = (
    BoolArray
    | tuple[BoolArray, Ruling | None]
    | tuple[BoolArray, Ruling | None, RowPredicate | None]
)

ANSWERS: Mapping[tuple[Kind, Form | None], Any] = {
    (Kind.OPPORTUNITY, None): list[Candidate],
    (Kind.PATTERN, None): Rows,
    (Kind.SEQUENCE, "sequences"): Iterator[IntArray],
    (Kind.FILTER, "mask"): Ruling,
    (Kind.FILTER, "pairs"): Pairs,
    (Kind.FILTER, "rows"): RowPredicate,
    (Kind.FILTER, "rank"): Ranking,
    (Kind.TERM, None): Term,
}
"""Kind and form of a module -> type of its answer; a what-if is an iterator, see `what_if`."""

MOST_PRIORITY_WEIGHT = 2.0
MOST_SIZES = 100
"""Of one candidate."""
MOST_TAGS, LONGEST_TAG = 50, 100
LARGEST_FACT = 1e18
SMALLEST_EXPONENT = -30
"""Of a fact: figures that nobody reads would fill a page with digits."""
LONGEST_SENTENCE = 2000
"""Characters, as people read it."""

VARIANT = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""What a pattern may call a variant: the plan shows the name."""
MOST_VARIANTS = 64
LONGEST_NAME = 80
"""Characters of a wrong name that are shown."""
TABLE = 2
"""Dimensions of rows."""
MOST_RANKED = 1_000_000


def checked(
    module: Module, ctx: Context, table: Candidates | None, answer: Any, *, proven: bool = True
) -> Any:
    """The answer of a module of any kind but what-if, in the form in which it gave it.

    table    None for calculators and score terms, which are not asked about one
    proven   see `term`
    """
    m, depth = 0 if table is None else table.m, ctx.search.max_depth
    match module.kind, module.form:
        case Kind.OPPORTUNITY, _:
            return candidates(ctx, answer)
        case Kind.PATTERN, _:
            return pattern(answer, m, depth)
        case Kind.SEQUENCE, _:
            return (rows(block, m, depth) for block in answer)
        case Kind.FILTER, "mask":
            return ruling(ctx, answer, m)
        case Kind.FILTER, "pairs":
            return pairs(ctx, answer, m)
        case Kind.FILTER, "rows":
            return predicate(answer, depth)
        case Kind.FILTER, "rank":
            return ranking(answer, depth)
        case _:
            return term(ctx, module.name, answer, proven=proven)


# sentences


def sentence(why: Any) -> Sentence:
    """A sentence whose every number is a fact: its template has no digit."""
    if not isinstance(why, Sentence):
        raise ModuleError(
            f"it gives a reason of type {type_name(why)}; a sentence is due (`say`)",
            code="reason_no_sentence",
            value=type_name(why),
        )
    at = f"the sentence {why.template!r}"
    try:
        literals = "".join(literal for literal, *_ in string.Formatter().parse(why.template))
        unread = [name for name, fact in why.facts.items() if not _readable(fact)]
        size = len(why.text)
    except (LookupError, ValueError, ArithmeticError, TypeError, AttributeError) as error:
        raise ModuleError(
            f"{at} does not fit its facts: {type(error).__name__} {error}",
            code="template_misfit",
            place=at,
        ) from error
    if any(sign.isdigit() for sign in literals):
        raise ModuleError(
            f"{at} has a number in its template; numbers are facts, {{like:pct}}",
            code="number_in_template",
            place=at,
        )
    if unread:
        raise ModuleError(
            f"{at} has the fact {unread[0]!r}, which is not a finite number that can be read",
            code="fact_unreadable",
            place=at,
            value=unread[0],
        )
    if size > LONGEST_SENTENCE:
        raise ModuleError(
            f"{at} has {size:,} characters with its facts; at most {LONGEST_SENTENCE:,}",
            code="sentence_too_long",
            place=at,
            value=size,
            limit=LONGEST_SENTENCE,
        )
    return why


def _readable(fact: object) -> bool:
    """Is a number finite, and neither so large nor so long that it is no number for people?"""
    if not isinstance(fact, int | float | Decimal):
        return True
    if not math.isfinite(fact) or abs(float(fact)) > LARGEST_FACT:
        return False
    return not isinstance(fact, Decimal) or int(fact.as_tuple().exponent) >= SMALLEST_EXPONENT


# calculators


def candidates(ctx: Context, answer: Iterable[Any]) -> list[Candidate]:
    """What a calculator wants: symbols of the set, signs of the side, sentences as reasons."""
    symbols = set(ctx.symbols)
    return [_candidate(symbols, candidate) for candidate in answer]


def _candidate(symbols: set[str], candidate: Any) -> Candidate:
    if not isinstance(candidate, Candidate):
        raise ModuleError(
            f"it returns a {type_name(candidate)} where a Candidate is due",
            code="not_a_candidate",
            value=type_name(candidate),
        )
    symbol = candidate.symbol
    if symbol not in symbols:
        raise ModuleError(
            f"it proposes {symbol}, which is not in the planning set",
            code="outside_planning_set",
            place=symbol,
        )
    sign = 1 if candidate.side is Side.BUY else -1
    if not 0 < len(candidate.weights) <= MOST_SIZES:
        raise ModuleError(
            f"it proposes {symbol} in {len(candidate.weights):,} sizes; 1 to {MOST_SIZES} are due",
            code="number_of_sizes",
            place=symbol,
            value=len(candidate.weights),
            limit=f"1 to {MOST_SIZES}",
        )
    if not all(math.isfinite(weight) and weight * sign > 0 for weight in candidate.weights):
        finite = all(map(math.isfinite, candidate.weights))
        raise ModuleError(
            f"it proposes to {candidate.side} {symbol} by {candidate.weights} of value; "
            f"{'the signs do not match' if finite else 'each must be a finite number'}",
            code="size_sign",
            place=symbol,
            value=str(candidate.weights),
        )
    if not 0 <= candidate.priority_weight <= MOST_PRIORITY_WEIGHT:
        raise ModuleError(
            f"its priority_weight {candidate.priority_weight:g} of {symbol} is outside "
            f"0..{MOST_PRIORITY_WEIGHT:g}",
            code="priority_range",
            place=symbol,
            value=f"{candidate.priority_weight:g}",
            limit=f"0..{MOST_PRIORITY_WEIGHT:g}",
        )
    tags: Any = candidate.tags
    if not isinstance(tags, tuple) or not all(isinstance(tag, str) for tag in tags):
        raise ModuleError(
            f"the tags of {symbol} are {one_line(repr(tags), LONGEST_NAME)}; {TEXTS}",
            code="tags_no_texts",
            place=symbol,
            limit=TEXTS,
        )
    if len(tags) > MOST_TAGS or max(map(len, tags), default=0) > LONGEST_TAG:
        raise ModuleError(
            f"{symbol} has {len(tags)} tags; at most {MOST_TAGS} of {LONGEST_TAG} characters",
            code="too_many_tags",
            place=symbol,
            value=len(tags),
            limit=MOST_TAGS,
        )
    sentence(candidate.why)
    return candidate


TEXTS = "a tuple of texts is due"


# patterns and generators


def pattern(answer: Any, m: int, depth: int) -> Rows:
    """Rows of a pattern, or of each of its variants."""
    if not isinstance(answer, Mapping):
        return rows(answer, m, depth)
    odd = [
        one_line(repr(variant), LONGEST_NAME)
        for variant in answer
        if not (isinstance(variant, str) and VARIANT.fullmatch(variant))
    ]
    if odd or len(answer) > MOST_VARIANTS:
        raise ModuleError(
            f"it has {len(answer)} variants; at most {MOST_VARIANTS}, and variants are named in "
            f"small letters, digits and _, at most 64 of them{f'; not {odd[0]}' if odd else ''}",
            code="variants",
            value=len(answer),
            limit=MOST_VARIANTS,
        )
    return {variant: rows(table, m, depth) for variant, table in answer.items()}


def rows(answer: Any, m: int, depth: int) -> IntArray:
    """(k, d) rows of candidate indices as canonical sets; an empty list is no rows."""
    array = np.asarray(answer)
    if array.shape == (0,):
        return frozen(np.zeros((0, depth), dtype=np.int64))
    if array.ndim != TABLE or array.shape[1] != depth or not np.issubdtype(array.dtype, np.integer):
        raise ModuleError(
            f"sequences of shape {array.shape} and type {array.dtype}; rows of {depth} indices are "
            "due",
            code="sequence_shape",
            value=str(array.shape),
            limit=f"rows of {depth} indices",
        )
    if array.size and (array.max() >= m or array.min() < PAD):
        strange = array[(array >= m) | (array < PAD)][0]
        raise ModuleError(
            f"a sequence names candidate {strange} of a table of {m}, from 0 on, and {PAD} for "
            "none",
            code="sequence_index",
            value=str(strange),
            limit=m,
        )
    return frozen(canonical_rows(array.astype(np.int64), m))


def what_if(answer: Any, order: Order, table: Candidates) -> Fill | Loosening:
    """What a what-if generator asks about a plan, its `order` of rows of the table."""
    if isinstance(answer, Loosening):
        return answer
    if not isinstance(answer, Fill):
        raise ModuleError(
            f"it asks for a {type_name(answer)}; a what-if is a Fill or a Loosening",
            code="not_a_what_if",
            value=type_name(answer),
        )
    short = answer.parent != order or len(answer.quantities) != len(order)
    if short or not all(
        0 <= quantity <= table.quantity[j]
        for j, quantity in zip(order, answer.quantities, strict=True)
    ):
        raise ModuleError(
            "it asks for a filling that is none of this plan", code="filling_of_another"
        )
    sentence(answer.why)
    return answer


# filters


def ruling(ctx: Context, answer: Any, m: int) -> Ruling:
    """What a mask filter says of m orders: a reason for each that may not be traded."""
    if not isinstance(answer, Ruling):
        raise ModuleError(
            f"it returns a {type_name(answer)} where a Ruling is due",
            code="not_a_ruling",
            value=type_name(answer),
        )
    keep = exactly(answer.keep, "a mask", (m,), np.bool_)
    if any(not 0 <= row < m for row in answer.drops):
        raise ModuleError(
            f"it drops order {max(answer.drops)} of {m}",
            code="drop_index",
            value=max(answer.drops),
            limit=m,
        )
    if any(int(j) not in answer.drops for j in np.flatnonzero(~keep)):
        raise ModuleError("an order is dropped without a reason", code="drop_without_reason")
    for drop in answer.drops.values():
        _reason(drop)
    symbols = set(ctx.symbols)
    for symbol, metric in answer.unknown:
        if not isinstance(metric, str) or symbol not in symbols:
            raise ModuleError(
                f"it lacks something of {one_line(str(symbol), LONGEST_NAME)}, which is not in the "
                "planning set; what is unknown is pairs of a symbol and a metric",
                code="lacks_of_stranger",
                value=one_line(str(symbol), LONGEST_NAME),
            )
    return answer


def _reason(drop: Any) -> None:
    if not isinstance(drop, Drop):
        raise ModuleError(
            f"it drops an order for a {type_name(drop)}; a Drop is due",
            code="not_a_drop",
            value=type_name(drop),
        )
    figures = [figure for figure in (drop.value, drop.limit) if figure is not None]
    if not isinstance(drop.rule, str) or not all(map(math.isfinite, figures)):
        raise ModuleError(
            f"it drops an order by {drop.rule!r} at {drop.value} with the limit {drop.limit}; a "
            "reason has a name and finite numbers",
            code="drop_not_finite",
            place=str(drop.rule),
            value=drop.value,
            limit=drop.limit,
        )
    sentence(drop.why)


PairAnswer = tuple[BoolArray, Ruling | None, Any]
"""Pairs, what may not be traded at all, and a predicate of rows; None where it has none."""


def pairs(ctx: Context, answer: Any, m: int) -> PairAnswer:
    """(m, m) True where two orders may not go together, what may not be traded at all, and what
    only a whole row can tell.
    """
    parts = answer if isinstance(answer, tuple) else (answer,)
    conflicts, ruled, ask = (*parts, None, None)[:3]
    apart = exactly(conflicts, "a table of pairs", (m, m), np.bool_)
    if apart.diagonal().any():
        raise ModuleError(
            "it keeps an order apart from itself; what may not be traded at all is a Ruling",
            code="apart_from_itself",
        )
    return frozen(apart | apart.T), None if ruled is None else ruling(ctx, ruled, m), ask


def predicate(answer: Any, depth: int) -> RowPredicate:
    """The predicate of a row filter: one truth a row, and rows left as they are.

    Asked once of the empty row, so that one that cannot answer is no filter.
    """
    ask = function_of(answer)

    def permits(rows: IntArray) -> BoolArray:
        good: BoolArray = exactly(ask(frozen(rows.view())), "an answer", (len(rows),), np.bool_)
        return good

    permits(nothing(depth))
    return permits


def ranking(answer: Any, depth: int) -> Ranking:
    """The ranking of a rank filter: one number for each row; asked once of the empty row too."""
    if not isinstance(answer, Ranking):
        raise ModuleError(
            f"it returns a {type_name(answer)} where a Ranking is due",
            code="not_a_ranking",
            value=type_name(answer),
        )
    if not isinstance(answer.most, int) or not 0 <= answer.most <= MOST_RANKED:
        raise ModuleError(
            f"a ranking that keeps {answer.most!r} proposals",
            code="ranking_size",
            value=repr(answer.most),
        )
    ask = function_of(answer.value)

    def value(rows: IntArray) -> FloatArray:
        values: FloatArray = np.asarray(ask(frozen(rows.view())), dtype=np.float64)
        odd = np.isnan(values) | np.isposinf(values)
        if values.shape != (len(rows),) or odd.any():
            raise ModuleError(
                f"values of shape {values.shape} for {len(rows)} sequences; {int(odd.sum())} of "
                "them are no number that can be ordered",
                code="ranking_values",
                value=str(values.shape),
                limit=len(rows),
            )
        return values

    value(nothing(depth))
    return Ranking(value, answer.most)


def nothing(depth: int) -> IntArray:
    """(1, d) the empty sequence."""
    return np.full((1, depth), PAD, dtype=np.int64)
