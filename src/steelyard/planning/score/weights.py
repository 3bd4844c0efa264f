"""How much each term counts: the profile, less what target fit or cash takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from steelyard.errors import ModuleError
from steelyard.modules.context import Context

TERM_OF: Mapping[str, str] = {
    "tr": "total_return",
    "div": "diversification",
    "q": "quality",
    "stab": "stability",
    "inc": "income",
}
"""Share of a profile -> the term that it weighs."""


def term_weights(ctx: Context, names: Iterable[str]) -> dict[str, float]:
    """Weights of the named terms, in their order; they sum to 1.

    names   the terms that could be made: one that failed or is disabled is left out, the others
            take its part in proportion
    Terms of `score.further` have the weight given there, the others share the rest.
    With targets: target_fit has `target_fit_weight`, the five terms of the profile the rest.
    Without: cash has `cash_weight`, the five the rest. If no named term has a share, all weights
    are 0 and hold wins.
    Raises ModuleError for a term that has no share in this mode.
    """
    named = tuple(names)
    shares = _shares(ctx)
    for name in named:
        if name not in shares:
            mode = "without target weights" if ctx.target_weights is None else "with target weights"
            raise ModuleError(
                f"The score term {name!r} has no weight {mode}; those that have are "
                f"{', '.join(shares)}. It was not scored.",
                code="term_without_weight",
                value=name,
                limit=", ".join(shares),
            )
    total = math.fsum(shares[name] for name in named)
    return {name: shares[name] / total if total > 0 else 0.0 for name in named}


def _shares(ctx: Context) -> dict[str, float]:
    if ctx.target_weights is None:
        own, portion = "cash", ctx.score.cash_weight
    else:
        own, portion = "target_fit", ctx.score.target_fit_weight
    profile = {
        TERM_OF[short]: share * (1 - portion)
        for short, share in ctx.score.profile_weights().items()
    }
    further = ctx.score.further
    rest = 1 - math.fsum(further.values())
    return {name: share * rest for name, share in (profile | {own: portion}).items()} | further
