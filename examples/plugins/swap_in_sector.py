"""A pattern: sell one security and buy another of the same sector, so that the portfolio stays
where it was.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from steelyard import PAD, Candidates, Context, ModuleParams, feasible, pattern_generator


class Params(ModuleParams):
    """How many swaps are proposed."""

    most_swaps: Annotated[
        int, Field(ge=1, le=100, description="swaps proposed, the sales of highest priority first")
    ] = 20


@pattern_generator(
    "swap_in_sector",
    version="1.0.0",
    params=Params,
    author="Steelyard examples",
    tags=("sell", "buy"),
)
def swap_in_sector(ctx: Context, candidates: Candidates, params: Params) -> np.ndarray:
    """Every sale with the buy of highest priority in its sector, as far as the cash goes."""
    shares = (ctx.sectors.shares * ctx.sectors.labelled[:, None])[candidates.security]
    rows = []
    for sale in (row for row in candidates.pool if not candidates.is_buy[row]):
        for buy in (row for row in candidates.pool if candidates.is_buy[row]):
            other = candidates.security[buy] != candidates.security[sale]
            if other and shares[sale] @ shares[buy] > 0:
                rows.append([sale, buy, *[PAD] * (ctx.search.max_depth - 2)])
                break
    table = np.array(rows, dtype=np.int64).reshape(-1, ctx.search.max_depth)
    return table[feasible(candidates.account, table)][: params.most_swaps]
