"""Worlds planned, their plans stored, and opened to be changed by hand."""

from __future__ import annotations

from builders.world import World
from steelyard.importers import Inputs
from steelyard.plans.plan import Plan
from steelyard.runs.stored import keep
from steelyard.runs.worksheet import Sheet, opened
from steelyard.store.store import Store


def stored(store: Store, of: World, plan: Plan | None = None) -> Plan:
    """The plan of a world, kept with its inputs."""
    made = of.planned if plan is None else plan
    targets = None if of.targets is None else of.case.target_weights
    inputs = Inputs(
        snapshot=of.snapshot, market=of.market, targets=targets, warnings=(), as_of_from="argument"
    )
    keep(store, made, inputs, (), 1.0)
    return made


def sheet_of(store: Store, of: World, plan: Plan | None = None) -> Sheet:
    """The same, opened."""
    return opened(store, stored(store, of, plan).plan_id)
