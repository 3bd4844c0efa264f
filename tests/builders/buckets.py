"""An account with a core and a satellite, by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from builders.world import World, world
from steelyard.buckets import Bucket, SatelliteSettings
from steelyard.strategies import default


def rated(of: World, **quality: float) -> World:
    """The world with the fundamental quality of some securities known."""
    listed = tuple(
        replace(security, quality=quality.get(security.symbol, security.quality))
        for security in of.snapshot.securities
    )
    return replace(of, snapshot=replace(of.snapshot, securities=listed))


def account(aa: int = 300, bb: int = 200, price: str = "100", cash: int = 10_000) -> World:
    """AA, BB and CC are the core's, DD, EE and FF the satellite's."""
    lines = (
        f"AA {aa} @ {price}", f"BB {bb} @ 50", "CC 0 @ 20", "DD 40 @ 50", "EE 0 @ 25", "FF 0 @ 10",
    )  # fmt: skip
    return rated(world(*lines, cash=str(cash)), CC=0.9, EE=0.95, FF=0.9)


def core(
    name: str = "core", universe=("AA", "BB", "CC"), cash: str = "8000", target_weight: float = 0.9
) -> Bucket:
    return Bucket(
        name=name, kind="core", target_weight=target_weight, universe=frozenset(universe),
        cash=MappingProxyType({"USD": Decimal(cash)}), rules=default(),
    )  # fmt: skip


def satellite(
    name: str = "growth",
    universe=("DD", "EE", "FF"),
    cash: str = "2000",
    target_weight: float = 0.1,
    **given,
) -> Bucket:
    return Bucket(
        name=name, kind="satellite", target_weight=target_weight, universe=frozenset(universe),
        cash=MappingProxyType({"USD": Decimal(cash)}),
        **{"rules": SatelliteSettings(satellite_id="growth"), **given},
    )  # fmt: skip
