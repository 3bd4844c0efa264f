"""Worlds whose securities have classes, and targets of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from builders.world import World
from steelyard.targets import Band, Targets

NO_ONE: Mapping[str, int] = MappingProxyType({})
NO_BAND: Mapping[str, Band] = MappingProxyType({})


def classed(
    of: World,
    members: Mapping[str, str],
    targets: Mapping[str, float],
    *,
    own: Mapping[str, float] | None = None,
    preference: Mapping[str, int] = NO_ONE,
    frozen: Collection[str] = (),
    bands: Mapping[str, Band] = NO_BAND,
) -> World:
    """The world with classes.

    members   class -> its symbols with blanks between them
    targets   class -> weight; `own` symbol -> weight
    frozen    symbols that may not be bought
    """
    class_of = {symbol: name for name, symbols in members.items() for symbol in symbols.split()}
    securities = tuple(
        replace(
            security,
            classes={"": class_of[security.symbol]} if security.symbol in class_of else {},
            preference=preference.get(security.symbol),
            allow_buy=security.symbol not in frozen,
        )
        for security in of.snapshot.securities
    )
    goals = Targets(own or {}, classes=targets, class_bands=bands)
    return replace(of, snapshot=replace(of.snapshot, securities=securities), targets=goals)
