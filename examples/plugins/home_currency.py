"""A score term: prefer what is quoted in the currency that the account counts in.

Formula: raw = sum of w_i, i quoted in the base currency, and all cash unless told otherwise. Unit:
fraction of value. Source: definition.
Its weight stands in the strategy: [score.further] home_currency = 0.1
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from steelyard import Context, ModuleParams, Term, linear_part, score_term


class Params(ModuleParams):
    """What is at home."""

    cash_counts: Annotated[
        bool, Field(description="does cash, of whatever currency, count as at home")
    ] = True


@score_term(
    "home_currency", version="1.0.0", params=Params, author="Steelyard examples", tags=("currency",)
)
def home_currency(ctx: Context, params: Params) -> Term:
    """Share of the portfolio in the base currency."""
    at_home = np.array(
        [float(security.currency == ctx.base_currency) for security in ctx.securities]
    )
    return Term(
        "home_currency",
        (linear_part("at_home", 1.0, (0.0, 1.0), at_home, float(params.cash_counts)),),
    )
