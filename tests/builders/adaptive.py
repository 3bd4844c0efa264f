"""Nine worlds, each in need of one variant of the pattern `adaptive`, which alone proposes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from builders.buckets import rated
from builders.changes import YOUNG, alone, described, proposing
from builders.world import World, world
from steelyard.modules.patterns.adaptive.choices import Variant
from steelyard.settings import Limits, Neutral, Score


def adapting(of: World, variant: Variant) -> World:
    """The world in which one variant makes all proposals, and the plan is the best of them."""
    return alone(proposing(of), "adaptive", variants=(variant,))


COUNTRIES = {"AA": ("US",), "BB": ("CH",), "CC": ("JP",), "DD": ("US",), "EE": ("CH",)}
SECTORS = {"AA": "Tech", "BB": "Energy", "CC": "Tech", "DD": "Energy", "EE": "Tech"}

FREE = Limits(max_position_weight=1.0)
CALM = Score(neutral=Neutral(vol=0.1))

WEAK: Mapping[Variant, World] = {
    # cash at its target in the gaps: more of it is new money, which needs no pattern
    "geographic_gap": described(
        world(
            *("AA 500 @ 100", "BB 300 @ 100"), cash="20000", targets={"AA": 0.35, "BB": 0.45},
            limits=FREE, sessions=YOUNG,
        ),
        countries=COUNTRIES,
    ),
    "sector_gap": world(
        *("AA 500 @ 100", "BB 300 @ 100"), cash="20000", targets={"AA": 0.42, "BB": 0.38},
        sectors=SECTORS, limits=FREE, sessions=YOUNG,
    ),
    # CH and Energy are under their targets: DD is in both, BB in JP, CC in Health
    "joint_gap": described(
        world(
            *("AA 500 @ 100", "BB 100 @ 100", "CC 100 @ 100", "DD 100 @ 100"), cash="20000",
            targets={"AA": 0.35, "BB": 0.13, "CC": 0.14, "DD": 0.18}, limits=FREE, sessions=YOUNG,
            sectors={"AA": "Tech", "BB": "Tech", "CC": "Health", "DD": "Energy"},
        ),
        countries={"AA": ("US",), "BB": ("JP",), "CC": ("US",), "DD": ("CH",)},
    ),
    "geographic_swap": described(
        world(
            *("AA 700 @ 100", "BB 270 @ 100"), cash="3000", targets={"AA": 0.5, "BB": 0.47},
            limits=FREE, score=CALM, sessions=YOUNG,
        ),
        countries=COUNTRIES,
    ),
    "concentration_trim": world(
        *("AA 500 @ 100", "BB 225 @ 100", "CC 225 @ 100", "DD 0 @ 100", "EE 0 @ 100"), cash="5000",
        targets={"AA": 0.2, "BB": 0.225, "CC": 0.225, "DD": 0.15, "EE": 0.15}, sessions=YOUNG,
    ),
    "risk_reduction": described(
        world("AA 100 @ 100", "BB 250 @ 100", "VV 600 @ 100", cash="5000"),
        quality={"AA": 1.0, "VV": 0.9},
    ),
    "quality_upgrade": described(
        world(
            *("AA 400 @ 100", "BB 180 @ 100", "CC 180 @ 100", "DD 180 @ 100"), cash="6000",
            score=CALM, sessions=YOUNG,
        ),
        quality={"AA": 0.0, "BB": 1.0, "CC": 0.6, "DD": 0.6},
    ),
    "income_gap": described(
        world("AA 250 @ 100", "BB 100 @ 100", "CC 100 @ 100", cash="55000", sessions=YOUNG),
        dividend_yield={"AA": 0.0, "BB": 0.06, "CC": 0.0}, quality={"BB": 0.9, "CC": 0.9},
    ),
    # without targets, for cash over its target is new money
    "cash_drag": rated(
        world(
            *("AA 200 @ 100", "BB 200 @ 100", "CC 200 @ 100"), cash="40000", limits=FREE,
            sessions=YOUNG,
        ),
        AA=0.95, BB=0.95, CC=0.95,
    ),
}  # fmt: skip
"""None has new money, which buys by itself: what cash there is is a target, or there are none."""

WORLDS: Mapping[Variant, World] = MappingProxyType(
    {variant: adapting(of, variant) for variant, of in WEAK.items()}
)
