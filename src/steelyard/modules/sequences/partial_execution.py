"""Partial execution: what if the plan stops early or an order fills in part? A report, no plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, sequence_generator
from steelyard.modules.sequences import Fill, Order
from steelyard.money import ZERO
from steelyard.sentences import Sentence, say
from steelyard.settings import setting

Share = Annotated[float, Field(ge=0, lt=1)]


class Params(ModuleParams):
    """Which scenarios."""

    prefixes: bool = setting(True, "the plan ended after each of its orders")
    fills: tuple[Share, ...] = setting(
        (0.5, 0.75), "shares of one order that fill while the others fill whole", strict=False
    )
    min_shares: int = setting(1, "an order of which fewer shares fill counts as not filled", ge=0)


@sequence_generator(
    "partial_execution", version="1.0.0", params=Params, tags=("what_if",), on=False, form="what_if"
)
def partial_execution(
    ctx: Context,
    candidates: Candidates,
    order: Order,
    settings: Mapping[str, Any],  # noqa: ARG001 - the shape of every what-if generator
    params: Params,
) -> Iterator[Fill]:
    """The plan's prefixes in order of execution, then each order in part, the others whole."""
    whole = tuple(candidates.quantity[j] for j in order)
    seen = {whole, (ZERO,) * len(order)}
    for quantities, why in _scenarios(ctx, candidates, order, whole, params):
        if quantities not in seen:
            seen.add(quantities)
            yield Fill(order, quantities, why)


def _scenarios(
    ctx: Context, candidates: Candidates, order: Order, whole: tuple[Decimal, ...], params: Params
) -> Iterator[tuple[tuple[Decimal, ...], Sentence]]:
    steps = len(order)
    for done in range(1, steps if params.prefixes else 1):
        why = say("the first {done:count} of {steps:count} orders alone", done=done, steps=steps)
        if done == 1:
            why = say("the first of {steps:count} orders alone", steps=steps)
        yield whole[:done] + (ZERO,) * (steps - done), why
    for n, row in enumerate(order):
        lot = ctx.securities[candidates.security[row]].lot_size
        for share in params.fills:
            filled = whole[n] * Decimal(repr(share)) // lot * lot
            quantity = filled if filled >= params.min_shares else ZERO
            why = say("{share:pct} of order {n:count}, the others whole", share=share, n=n + 1)
            yield (*whole[:n], quantity, *whole[n + 1 :]), why
