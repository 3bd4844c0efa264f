"""The stored buckets of a database, for the documents' batch job: planned in batches, and kept."""

from __future__ import annotations

import os
from pathlib import Path

from steelyard.calculations.cache import calculations_from
from steelyard.compat.events import PlannerEventEmitter
from steelyard.compat.stored import DATABASE
from steelyard.engine import EngineSettings
from steelyard.runs import bucket_plan
from steelyard.runs.batch.bucket import Outcome, batch_bucket
from steelyard.runs.batch.call import Manner
from steelyard.runs.planners import Planners
from steelyard.store.opening import open_store
from steelyard.store.store import Store
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.health import Health


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

    def plan(self, bucket_id: str, batch_size: int) -> Outcome:
        """So many sequences more of a bucket's plan; once it is of all of them, it is kept.

        What is kept with it: its inputs, and what happened in the call that finished it. Raises
        NotStored for a bucket that is not there, InputError for one without holdings, PlanRefused;
        then no plan is kept.
        """
        planning = bucket_plan.Manner(
            engine=EngineSettings(shadow="none"),
            health=Health({}, Rules()),
            correlation_id=os.urandom(8).hex(),
            calculations=self.calculations,
        )
        manner = Manner(batch_size=batch_size, most=batch_size)
        return batch_bucket(self.store, self.planners, bucket_id, planning, manner, alone=False)
