"""Pairs of plans to be compared: real, small, each made once."""

from __future__ import annotations

import functools

from builders import plans
from builders.world import world
from steelyard.plans.plan import Plan
from steelyard.settings import Limits, Score, Search

TWO = ("AA 400 @ 100", "BB 20 @ 50")


@functools.cache
def usual() -> Plan:
    return world(*TWO, cash="900", targets={"AA": 0.5, "BB": 0.4}).plan()


@functools.cache
def next_day() -> Plan:
    """Another price, another holding, other targets, other cash."""
    lines = ("AA 400 @ 110", "BB 25 @ 50")
    return world(*lines, cash="1900", targets={"AA": 0.2, "BB": 0.7}).plan()


@functools.cache
def turned() -> Plan:
    """The targets the other way round: what is sold is bought, and the reverse."""
    return world(*TWO, cash="30000", targets={"AA": 0.9, "BB": 0.005}).plan()


@functools.cache
def narrow() -> Plan:
    """The bundled portfolio with less turnover."""
    return plans.bundled("growth", limits=Limits(max_turnover_weight=0.1))


@functools.cache
def other_profile() -> Plan:
    return plans.bundled("growth", score=Score(profile="aggressive"))


@functools.cache
def other_charges() -> Plan:
    return plans.bundled("growth", score=Score(cost_aversion=1.0))


@functools.cache
def hundreds(cash: str = "200000") -> Plan:
    """Two hundred securities, each to be bought."""
    symbols = [f"S{n:03d}" for n in range(200)]
    lines = [f"{symbol} {5 + n % 7} @ {50 + n}" for n, symbol in enumerate(symbols)]
    return world(
        *lines, cash=cash, targets=dict.fromkeys(symbols, 0.0049), search=Search(max_nodes=1)
    ).plan()


EVERY = (
    *(usual, next_day, turned, narrow, other_profile, other_charges),
    *(plans.growth, plans.hold, plans.euro, plans.untargeted, plans.two_currencies),
    *(plans.all_cash, plans.overdrawn, plans.absent, plans.worthless),
)
"""Plans of every kind."""


@functools.cache
def any_two() -> tuple[tuple[Plan, Plan], ...]:
    """Each with the bundled portfolio's and with its neighbour, both ways."""
    every = [make() for make in EVERY]
    beside = list(zip(every, [*every[1:], every[0]], strict=True))
    pairs = [(plan, plans.growth()) for plan in every] + beside
    return (*pairs, *((b, a) for a, b in pairs))
