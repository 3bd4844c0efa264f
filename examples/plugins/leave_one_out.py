"""A generator: every sequence that a pattern proposed, less one of its orders."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from pydantic import Field

from steelyard import PAD, Candidates, Context, ModuleParams, feasible, sequence_generator


class Params(ModuleParams):
    """How many seeds are varied."""

    most_seeds: Annotated[
        int, Field(ge=1, le=10_000, description="seeds that are varied, the first ones")
    ] = 1000


@sequence_generator(
    "leave_one_out",
    version="1.0.0",
    params=Params,
    author="Steelyard examples",
    tags=("sell", "buy"),
    dependencies=("pattern_generators",),
)
def leave_one_out(
    ctx: Context, candidates: Candidates, seeds: np.ndarray, params: Params
) -> Iterator[np.ndarray]:
    """One block for each place: every seed without its order there, as far as the cash goes."""
    for place in range(ctx.search.max_depth):
        rows = seeds[: params.most_seeds].copy()
        rows[:, place] = PAD
        yield rows[feasible(candidates.account, rows)]
