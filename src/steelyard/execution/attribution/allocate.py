"""A quantity shared out so that the parts make up the whole exactly: by largest remainder."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal, localcontext

from steelyard.money import ZERO

STEP = Decimal("0.000001")
"""Of shares, where the quantities have no finer one."""
MONEY_STEP = Decimal("0.0001")
DIGITS = 60
"""Enough that no product here is rounded."""


def shared(
    whole: Decimal, weights: Mapping[str, Decimal], step: Decimal = STEP
) -> dict[str, Decimal]:
    """Parts of `whole`, pro rata to weights >= 0 of which one is above 0; their sum is `whole`.

    Each is a multiple of the step, or of the last digit of `whole` where that is finer. What
    rounding leaves goes to the largest remainders; of equal ones to the greater weight, then by
    name.
    >>> [str(part) for part in shared(Decimal(1), dict.fromkeys("ABC", Decimal(1))).values()]
    ['0.333334', '0.333333', '0.333333']
    """
    if len(weights) == 1:
        return dict.fromkeys(weights, whole)
    with localcontext() as context:
        context.prec = DIGITS
        total = sum(weights.values(), ZERO)
        unit = finest(step, whole)
        exact = {name: whole * weights[name] / total for name in sorted(weights)}
        parts = {name: _down(part, unit) for name, part in exact.items()}
        rest = int((whole - sum(parts.values(), ZERO)) / unit)
        by_remainder = sorted(
            exact, key=lambda name: (parts[name] - exact[name], -weights[name], name)
        )
        for name in by_remainder[:rest]:
            parts[name] += unit
    return parts


def finest(step: Decimal, *quantities: Decimal) -> Decimal:
    """The step, or the unit of the last digit of a quantity where that is finer."""
    exponents = [quantity.normalize().as_tuple().exponent for quantity in quantities]
    return min([step, *(Decimal(1).scaleb(each) for each in exponents if isinstance(each, int))])


def of_fill(
    quantity: Decimal, intended: Mapping[str, Decimal], before: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """An execution shared among the owners of its order, pro rata to what each still waits for.

    intended   book -> shares of the order, > 0
    before     book -> shares that it has had of it
    A filled order gives each owner exactly what was intended. What fills beyond the order is
    shared as the order was.
    """
    if len(intended) == 1:
        return dict.fromkeys(intended, quantity)
    waiting = {
        book: max(ZERO, amount - before.get(book, ZERO)) for book, amount in intended.items()
    }
    room = sum(waiting.values(), ZERO)
    step = finest(STEP, *intended.values(), *before.values())
    if quantity <= room:
        return shared(quantity, waiting, step)
    beyond = shared(quantity - room, intended, step)
    return {book: waiting[book] + beyond[book] for book in intended}


def _down(part: Decimal, unit: Decimal) -> Decimal:
    return (part / unit).to_integral_value(ROUND_FLOOR) * unit
