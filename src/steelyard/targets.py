"""Target weights of symbols and classes: where the owner wants the portfolio to be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import steelyard.proxies  # noqa: F401 - its records can be pickled
from steelyard.errors import InputError
from steelyard.portfolio import Security
from steelyard.settings import SUM_TOLERANCE

CASH = "CASH"
"""The name that cash has among bands, as in a targets file."""


@dataclass(frozen=True, slots=True)
class Band:
    """How far a weight may be from its target: of value, and of the target; the smaller holds.

    absolute   of value: .05 is 5 points either side; None = not said
    relative   of the target: .25 of a target of 8 % is 2 points either side; None = not said
    """

    absolute: float | None = None
    relative: float | None = None

    def __post_init__(self) -> None:
        """Raises InputError for a width outside 0 to 1."""
        for name, width in (("band", self.absolute), ("relative band", self.relative)):
            if width is not None and not 0 <= width <= 1:
                whole = "value" if name == "band" else "the target"
                raise InputError(
                    f"A {name} is {width}; it is a fraction of {whole}, from 0 to 1. Nothing was "
                    "planned.",
                    code="bad_band",
                    place=name,
                    value=width,
                    limit="0 to 1",
                )

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


def class_column(dimension: str) -> str:
    """The column of the securities file that has a dimension.

    >>> class_column(""), class_column("region")
    ('class', 'class.region')
    """
    return f"class.{dimension}" if dimension else "class"


def class_key(name: str, dimension: str = "") -> str:
    """A class as a targets file writes it.

    >>> class_key("US large"), class_key("Asia", "region")
    ('class:US large', 'class.region:Asia')
    """
    return f"{class_column(dimension)}:{name}"


def is_class(name: str) -> bool:
    """Is it a class, as a targets file writes it? No symbol has small letters."""
    return name.startswith(("class:", "class."))


@dataclass(frozen=True, slots=True)
class Targets:
    """Weights by symbol and by class, fractions of value; what is missing to 1 is cash, what is
    absent is 0 (sell it).

    weights      symbol -> weight; once classes are resolved also of their members, and of a class
                 as `class:NAME` what no member can be bought for
    bands        symbol, or CASH -> its own band, over the strategy's
    classes      class -> weight, as they were asked for
    class_bands  class -> its own band
    dimension    of the classes; "" is the column `class`
    own          symbol -> weight as they were asked for, once classes are resolved; None = not yet

    Raises InputError for a weight that is negative or not finite, for a sum over 1 + 1e-6 (weights
    are never renormalised), and for a band of what has no target. Of symbols and classes together
    the sum is known when members are: by `planning.classes`.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    bands: Mapping[str, Band] = field(default_factory=lambda: MappingProxyType({}))
    classes: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    class_bands: Mapping[str, Band] = field(default_factory=lambda: MappingProxyType({}))
    dimension: str = ""
    own: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        classes = {class_key(name, self.dimension): w for name, w in self.classes.items()}
        for name, weight in sorted({**self.weights, **classes}.items()):
            if not (math.isfinite(weight) and weight >= 0):
                raise InputError(
                    f"The target of {name} is {weight}; a weight is a fraction of value, 0 or "
                    "more. Nothing was planned.",
                    code="bad_weight",
                    place=name,
                    value=weight,
                    limit="0 or more",
                )
        for whole in (self.weights, self.classes):
            _refuse_over_1(math.fsum(whole.values()))
        strays = [name for name in self.bands if name not in {*self.weights, CASH}]
        strays += [class_key(name) for name in self.class_bands if name not in self.classes]
        if strays:
            raise InputError(
                f"{', '.join(sorted(strays))} has a band and no target: a band is around one. "
                "Nothing was planned.",
                code="band_without_target",
                place=min(strays),
                hint="give it a target, or leave the band out",
            )

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> Targets:
        """Of weights by symbol and by class, these as `class:NAME` or `class.DIMENSION:NAME`.

        >>> dict(Targets.of({"AAPL": 0.1, "class:Bonds": 0.3}).classes)
        {'Bonds': 0.3}
        """
        named = {key: key.partition(":") for key in weights if is_class(key)}
        dimensions = {column.partition(".")[2] for column, _, _ in named.values()}
        if len(dimensions) > 1:
            columns = " and ".join(class_column(dimension) for dimension in sorted(dimensions))
            raise InputError(
                f"The targets are of classes by {columns}: one plan has classes of one dimension. "
                "Nothing was planned.",
                code="targets_of_two_dimensions",
                place="targets",
                value=columns,
                limit="one dimension",
            )
        return cls(
            MappingProxyType({s: w for s, w in sorted(weights.items()) if s not in named}),
            classes=MappingProxyType({name: weights[key] for key, (_, _, name) in named.items()}),
            dimension=next(iter(dimensions), ""),
        )

    @property
    def asked(self) -> Mapping[str, float]:
        """Symbol -> weight as they were asked for, classes apart."""
        return self.weights if self.own is None else self.own

    def has(self, security: Security) -> bool:
        """Is it of a class with a target?"""
        return security.classes.get(self.dimension) in self.classes

    @property
    def cash(self) -> float:
        """What the targets leave for cash."""
        classes = self.classes.values() if self.own is None else ()
        return max(0.0, 1 - math.fsum([*self.weights.values(), *classes]))


def _refuse_over_1(total: float) -> None:
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


@dataclass(frozen=True, slots=True)
class TargetsFailed:
    """Targets were wanted and could not be had; the plan goes on without them and says so."""

    reason: str
