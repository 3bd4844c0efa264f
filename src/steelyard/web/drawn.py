"""Stored plans with their exhibits, the last ones at hand: a plan never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from cachetools import LRUCache

from steelyard.plans.plan import Plan
from steelyard.report.page import exhibits_of
from steelyard.services.house import House
from steelyard.store import plans
from steelyard.store.plans import StoredPlan

MOST = 32
"""Plans at hand; one of 50 holdings takes about a megabyte."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stored plan and what the report shows of it, by the names of its sections."""

    stored: StoredPlan
    exhibits: Mapping[str, Any]

    @property
    def plan(self) -> Plan:
        """The plan itself."""
        return self.stored.plan


class DrawnPlans:
    """Those of a house, by their id."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._drawn: LRUCache[str, Drawn] = LRUCache(MOST)

    def get(self, house: House, plan_id: str) -> Drawn:
        """A plan by its id or its first digits; raises NotStored; blocks."""
        with self._lock:
            drawn = self._drawn.get(plan_id)
        if drawn is not None:
            return drawn
        stored = plans.load(house.store(), plan_id)
        drawn = Drawn(stored, exhibits_of(stored.plan))
        with self._lock:
            self._drawn[stored.plan.plan_id] = drawn
        return drawn
