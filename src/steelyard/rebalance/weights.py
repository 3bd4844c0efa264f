"""Target weights as exact decimals: read, and checked whole."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from steelyard.errors import InputError
from steelyard.money import ZERO

ONE = Decimal(1)
OVER = Decimal("0.000001")
"""A sum this much over 1 is rounding, and is scaled down to 1."""
CASH = "CASH"
Weight = Decimal | int | float | str
NOTHING = "Nothing was calculated."


def targets_of(weights: Mapping[str, Weight]) -> dict[str, Decimal]:
    """Symbol in capitals -> weight of value, sorted; CASH is what the others leave.

    A float counts as the decimal that it is written as. Raises InputError for what is no weight,
    one below 0, two spellings of one symbol, and a sum over 1.
    """
    exact: dict[str, Decimal] = {}
    for name, weight in weights.items():
        symbol = name.strip().upper()
        if symbol in exact:
            raise InputError(
                f"{symbol} has two targets, in two spellings. {NOTHING} Give it one.",
                code="target_twice",
                place=symbol,
                hint="give it one target",
            )
        exact[symbol] = _weight(symbol, weight)
    total = sum(exact.values(), ZERO)
    if total > ONE + OVER:
        raise InputError(
            f"The targets sum to {total:f}, {total - ONE:f} over 1. {NOTHING} Weights are "
            "fractions of value and are never rescaled: lower them.",
            code="targets_over_1",
            value=f"{total:f}",
            limit=1,
            hint="lower them",
        )
    scale = ONE / total if total > ONE else ONE
    return {symbol: weight * scale for symbol, weight in sorted(exact.items()) if symbol != CASH}


def _weight(symbol: str, weight: Weight) -> Decimal:
    try:
        text = repr(weight) if isinstance(weight, float) else str(weight)
        exact = Decimal(text) if not isinstance(weight, bool) else None
    except InvalidOperation:
        exact = None
    if exact is not None and exact.is_finite() and exact >= 0:
        return exact
    raise InputError(
        f"The target of {symbol} is {weight!r}; a weight is a number of 0 or more, a fraction of "
        f"value. {NOTHING}",
        code="bad_weight",
        place=symbol,
        value=weight,
        limit="0 or more",
    )
