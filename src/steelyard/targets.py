"""Target weights: where the owner wants the portfolio to be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import steelyard.proxies  # noqa: F401 - its records can be pickled
from steelyard.errors import InputError
from steelyard.settings import SUM_TOLERANCE


@dataclass(frozen=True, slots=True)
class Band:
    """How far a weight may be from its target: of value, and of the target; the smaller holds.

    absolute   of value: .05 is 5 points either side; None = not said
    relative   of the target: .25 of a target of 8 % is 2 points either side; None = not said
    """

    absolute: float | None = None
    relative: float | None = None

    def half(self, target: float) -> float | None:
        """Half width around a target, of value; None where nothing is said."""
        widths = [
            width
            for width in (
                self.absolute,
                None if self.relative is None else self.relative * target,
            )
            if width is not None
        ]
        return min(widths, default=None)


@dataclass(frozen=True, slots=True)
class Targets:
    """Weights by symbol, fractions of value; what is missing to 1 is cash, what is absent is 0
    (sell it).

    bands        symbol -> its own band, over the strategy's
    classes      class -> weight, as the file gives them; `weights` says where they went once they
                 are resolved
    class_bands  class -> its own band
    dimension    of the classes; "" is the column `class`

    Raises InputError for a weight that is negative or not finite and for a sum over 1 + 1e-6:
    weights are never renormalised.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    bands: Mapping[str, Band] = field(default_factory=lambda: MappingProxyType({}))
    classes: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    class_bands: Mapping[str, Band] = field(default_factory=lambda: MappingProxyType({}))
    dimension: str = ""

    def __post_init__(self) -> None:
        for symbol, weight in sorted(self.weights.items()):
            if not (math.isfinite(weight) and weight >= 0):
                raise InputError(
                    f"The target of {symbol} is {weight}; a weight is a fraction of value, 0 or "
                    "more. Nothing was planned.",
                    code="bad_weight",
                    place=symbol,
                    value=weight,
                    limit="0 or more",
                )
        total = math.fsum(self.weights.values())
        if total > 1 + SUM_TOLERANCE:
            raise InputError(
                f"The targets sum to {total:.6g}, {total - 1:.4g} over 1. Weights are fractions of "
                "portfolio value and are never rescaled; what is left under 1 is cash. Nothing "
                "was planned: lower them and plan again.",
                code="targets_over_1",
                value=f"{total:.6g}",
                limit=1,
                hint="lower them and plan again",
            )

    @property
    def cash(self) -> float:
        """What the targets leave for cash."""
        return max(0.0, 1 - math.fsum(self.weights.values()))


@dataclass(frozen=True, slots=True)
class TargetsFailed:
    """Targets were wanted and could not be had; the plan goes on without them and says so."""

    reason: str
