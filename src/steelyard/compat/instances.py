"""The documents' factory of planners: one for each bucket, for as long as its version stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from steelyard.compat.planner import HolisticPlanner
from steelyard.compat.records import CORE
from steelyard.compat.repositories import answer
from steelyard.compat.stored import DATABASE, ConfigurationManager
from steelyard.runs.folder import Moved, import_satellites
from steelyard.runs.planners import Planners
from steelyard.strategies import Strategy


class PlannerFactory:
    """Planners of stored buckets; which version it is, is asked of the database at every call.

    config_manager           None = that of the first manager that is made with this factory
    repositories, services   of the planners, see `HolisticPlanner`
    """

    def __init__(
        self,
        config_manager: ConfigurationManager | None = None,
        *,
        repositories: object | None = None,
        services: object | None = None,
    ) -> None:
        self.config_manager = config_manager
        self.repositories, self.services = repositories, services
        self._planners: dict[str, tuple[Strategy, HolisticPlanner]] = {}
        self._read: Planners | None = None
        if config_manager is not None and config_manager.planner_factory is None:
            config_manager.planner_factory = self

    @property
    def manager(self) -> ConfigurationManager:
        """Of the configurations; one of the documents' own database where none was named."""
        if self.config_manager is None:
            self.config_manager = ConfigurationManager(planner_factory=self)
        return self.config_manager

    @property
    def read(self) -> Planners:
        """The strategies that were read, with their hits and misses."""
        if self._read is None:
            self._read = Planners(self.manager.store)
        return self._read

    async def get_planner(self, bucket_id: str) -> HolisticPlanner:
        """The planner of a bucket, the same one while its version stays.

        Raises ConfigurationNotFoundError, a ValueError, for a bucket to which none is assigned.
        """
        await self.manager.get_bucket_config(bucket_id)
        strategy = await asyncio.to_thread(self.read.strategy, bucket_id)
        before = self._planners.get(bucket_id)
        if before is not None and before[0] is strategy:
            return before[1]
        planner = HolisticPlanner(
            strategy, bucket_id, repositories=self.repositories, services=self.services,
            database=self.manager.config_db_path,
        )  # fmt: skip
        self._planners[bucket_id] = strategy, planner
        return planner

    async def invalidate_cache(self, bucket_id: str | None = None) -> None:
        """Drop the planner of a bucket, or all; nothing is told where there is none."""
        names = [*self._planners] if bucket_id is None else [bucket_id]
        dropped = [name for name in names if self._planners.pop(name, None) is not None]
        if dropped:
            await asyncio.to_thread(self.read.clear, bucket_id)


def create_planner_for_bucket(
    bucket_id: str, config_db_path: str | Path = DATABASE
) -> HolisticPlanner:
    """The planner of a bucket now: by what it is assigned to, else its sliders or the default.

    Raises NotStored for a bucket that is not there; the core always is, without a database too.
    """
    if bucket_id == CORE and not ("://" in str(config_db_path) or Path(config_db_path).exists()):
        return HolisticPlanner()
    manager = ConfigurationManager(config_db_path)
    try:
        strategy = Planners(manager.store).strategy(bucket_id)
        return HolisticPlanner(strategy, bucket_id, database=config_db_path)
    finally:
        manager.close()


class SatellitesRepository(Protocol):
    """The satellites of an account."""

    def get_all(
        self,
    ) -> Sequence[Mapping[str, Any]] | Awaitable[Sequence[Mapping[str, Any]]]:
        """Of each: `id`, `name`, and `config_toml` or its sliders."""


async def migrate_existing_configs(
    satellites_repo: SatellitesRepository,
    config_manager: ConfigurationManager,
    build_toml_from_settings: Callable[[], str | Awaitable[str]] | None = None,
) -> list[Moved]:
    """Move satellites and the core into the database, once: a second run changes nothing.

    Each satellite plans by `<id>_config`, the core by `core_conservative`: of the settings' text,
    else the preset conservative. All of it is moved, or nothing.
    """
    satellites = await answer(satellites_repo.get_all())
    core = None if build_toml_from_settings is None else await answer(build_toml_from_settings())
    return await config_manager.run(lambda store: import_satellites(store, satellites, core))
