"""The stored buckets of a database, for the documents' batch job: planned as they are, and kept."""

from __future__ import annotations

import os
import time
from pathlib import Path

from steelyard.calculations.cache import calculations_from
from steelyard.compat.events import PlannerEventEmitter
from steelyard.compat.stored import DATABASE
from steelyard.planning import planner
from steelyard.plans.plan import Plan
from steelyard.runs.planners import Planners
from steelyard.runs.stored import keep, order_of
from steelyard.store.opening import open_store
from steelyard.store.store import Store
from steelyard.telemetry.events import PlannerEvent
from steelyard.telemetry.recorder import stamped


class StoredBuckets:
    """Plans buckets of a database: what they own, by the strategy that they plan by now.

    config_db_path   a path or a URL, opened at the first plan
    emitter          hears what happens, from the thread that plans; None = one of its own
    Its plans share `calculations`, a cache as the environment sets it.
    """

    def __init__(
        self,
        config_db_path: str | Path = DATABASE,
        *,
        emitter: PlannerEventEmitter | None = None,
    ) -> None:
        self.config_db_path = str(config_db_path)
        self.emitter = emitter or PlannerEventEmitter()
        self.calculations = calculations_from(os.environ)
        self._planners: Planners | None = None

    @property
    def planners(self) -> Planners:
        """The strategies that were read, with their hits and misses; raises StoreError."""
        if self._planners is None:
            store = open_store(
                self.config_db_path, heard=self.emitter.tell, correlation_id=os.urandom(8).hex()
            )
            self._planners = Planners(store)
        return self._planners

    @property
    def store(self) -> Store:
        """The database; raises StoreError."""
        return self.planners.store

    def close(self) -> None:
        """Close the database; the next plan opens it again."""
        if self._planners is not None:
            self._planners.store.close()
            self._planners = None

    def plan(self, bucket_id: str) -> Plan:
        """The plan of a bucket, kept with its inputs and what happened while it was made.

        Raises NotStored for a bucket that is not there, InputError for one without holdings,
        PlanRefused; then nothing is kept.
        """
        order = order_of(self.store, self.planners, bucket_id)
        events: list[PlannerEvent] = []
        run_id = os.urandom(8).hex()
        observe = stamped(bucket_id, run_id, self.store.now, [events.append])
        start = time.perf_counter()
        inputs = order.inputs
        plan = planner.plan(
            inputs.snapshot,
            inputs.market,
            order.strategy,
            targets=inputs.targets,
            state=order.state,
            warnings=inputs.warnings,
            observe=observe,
            calculations=self.calculations,
        )
        seconds = time.perf_counter() - start
        keep(self.store, plan, inputs, order.files, seconds, events)
        return plan
