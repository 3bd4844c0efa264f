"""Filters: what may not be traded, each rule in the strongest form that it can take.

In: a Context, the table of possible orders and the filter's Params. Out, by the `form` in the
decorator:

    mask    a Ruling: which orders may be traded, why the others may not, which inputs were unknown
    pairs   (m, m) True where two orders may not go together; or that and a Ruling; or these and a
            predicate of rows, for what depends on the other orders
    rows    a predicate over rows of candidate indices
    rank    a Ranking: which proposals stay; it acts only where the plan is the best proposal

Filters of masks and pairs are asked before priorities exist: the `priority`, `draws` and `pool` of
the table are empty or 0. Both bind the search, so a plan never breaks them.

To add one: a file with a `Params` model and one function under `@sequence_filter`; its tests in
`tests/modules/filters/`, its parameters in `tests/contracts/`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from steelyard.arrays import BoolArray, FloatArray, frozen
from steelyard.modules.candidates import TRAILING_STOP, Candidates, Ruling
from steelyard.modules.context import Context
from steelyard.notices import Drop
from steelyard.sentences import Sentence, say

DATES = frozenset({"last_bought", "last_sold"})
"""Metrics of the rules over trade dates."""

OnMissing = Annotated[
    Literal["allow", "deny"],
    Field(description="what to do with an order whose date or cost is unknown"),
]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule over the securities of a context, asked of the orders of one side.

    name      the parameter that sets it
    buys      asked of buys, else of sells
    metric    what it needs to know
    value     (n,)  what is compared, NaN where nothing is known
    unknown   (n,)  True where something should be known and is not
    broken    (n,)  True where the order may not be traded
    limit     what `value` is held against
    why       sentence for a security that breaks it
    """

    name: str
    buys: bool
    metric: str
    value: FloatArray
    unknown: BoolArray
    broken: BoolArray
    limit: float
    why: Callable[[int], Sentence]


def ruling(
    ctx: Context,
    candidates: Candidates,
    rules: Sequence[Rule],
    on_missing: Literal["allow", "deny"],
) -> Ruling:
    """Ask every rule of every order, the first broken drops it; no date holds a trailing stop."""
    keep = np.ones(candidates.m, dtype=np.bool_)
    drops: dict[int, Drop] = {}
    unknown: set[tuple[str, str]] = set()
    for row, (security, is_buy) in enumerate(
        zip(candidates.security.tolist(), candidates.is_buy.tolist(), strict=True)
    ):
        for rule in rules:
            if rule.buys != is_buy or (rule.metric in DATES and _stops(candidates, row)):
                continue
            if rule.unknown[security]:
                unknown.add((ctx.symbols[security], rule.metric))
            drop = _drop(rule, security, on_missing)
            if drop is not None and keep[row]:
                keep[row] = False
                drops[row] = drop
    return Ruling(frozen(keep), drops, tuple(sorted(unknown)))


def _stops(candidates: Candidates, row: int) -> bool:
    return any(TRAILING_STOP in proposal.tags for proposal in candidates.proposals[row])


def _drop(rule: Rule, security: int, on_missing: Literal["allow", "deny"]) -> Drop | None:
    if rule.unknown[security]:
        if on_missing == "allow":
            return None
        why = say(
            "{metric:text} is unknown, and {rule:text} denies what it cannot check",
            metric=rule.metric,
            rule=rule.name,
        )
        return Drop(rule.name, None, rule.limit, why)
    if not rule.broken[security]:
        return None
    return Drop(rule.name, float(rule.value[security]), rule.limit, rule.why(security))


def purchase_unknown(ctx: Context) -> BoolArray:
    """(n,) held, so it was bought, but nobody says when."""
    return ctx.held & np.isnan(ctx.days_since_bought)


def sale_unknown(ctx: Context) -> BoolArray:
    """(n,) held without any date. Where a purchase is on record and no sale, there was none."""
    return purchase_unknown(ctx) & np.isnan(ctx.days_since_sold)


def since(template: str, days: FloatArray, limit: int) -> Callable[[int], Sentence]:
    """The sentence of a rule over days: `{days:days}` and `{limit:days}` are filled in."""
    return lambda security: say(template, days=int(days[security]), limit=limit)
