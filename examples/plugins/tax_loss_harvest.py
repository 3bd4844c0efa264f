"""A calculator: sell what stands far below its cost, so that the loss can be set against gains
elsewhere.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from steelyard import Candidate, Context, ModuleParams, Side, opportunity_calculator, say


class Params(ModuleParams):
    """When a loss is worth taking."""

    least_loss: Annotated[
        float, Field(gt=0, lt=1, description="least loss, fraction of the cost")
    ] = 0.20
    min_years: Annotated[
        float, Field(ge=0, le=50, description="years since the shares were bought, on average")
    ] = 0.0
    priority_weight: Annotated[float, Field(ge=0, le=2, description="multiplies the priority")] = (
        1.0
    )


@opportunity_calculator(
    "tax_loss_harvest",
    version="1.0.0",
    params=Params,
    author="Steelyard examples",
    tags=("sell", "tax"),
)
def tax_loss_harvest(ctx: Context, params: Params) -> list[Candidate]:
    """Sell all of a holding that stands far enough below its average cost."""
    losing = ctx.gain <= -params.least_loss  # NaN, an unknown cost, is no loss
    ripe = np.nan_to_num(ctx.years_held) >= params.min_years
    return [
        Candidate(
            Side.SELL,
            ctx.symbols[i],
            (-float(ctx.weights[i]),),
            params.priority_weight,
            say(
                "{loss:pct} below cost, least {least:pct}",
                loss=-float(ctx.gain[i]),
                least=params.least_loss,
            ),
            ("tax_loss",),
        )
        for i in np.flatnonzero(ctx.held & ctx.can_sell & losing & ripe)
    ]
