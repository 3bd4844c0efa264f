"""The documents' manager of configurations, over the store: versions, assignments, files.

A configuration is a version of a strategy; its id is the number of its row. What is created is
validated first, what is rolled back is appended, and a bucket that plans by another version from
then on has its planner dropped, whoever changed it here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

from steelyard.compat.events import Emitted, PlannerEventEmitter
from steelyard.compat.records import NOTHING
from steelyard.errors import InputError, NotStored
from steelyard.store import assignments, buckets, strategies
from steelyard.store.exchange import name_of, standing_alone
from steelyard.store.opening import open_store
from steelyard.store.store import Store
from steelyard.store.strategies import Draft, Version
from steelyard.strategies.files.exchange import apart, together
from steelyard.telemetry.events import ConfigurationChanged, PlannerEvent

T = TypeVar("T")
DATABASE = "planner_configurations.db"
LOGGER = logging.getLogger("steelyard")
IMPORTED = "imported_config"
"""The name of an imported configuration that says none."""


class ConfigurationNotFoundError(NotStored, ValueError):
    """A configuration, a version or an assignment that is not there; the documents' code expects
    ValueError.
    """

    code = "configuration_not_found"


class Invalidates(Protocol):
    """A factory of planners: the documents' or ours."""

    async def invalidate_cache(self, bucket_id: str | None = None) -> None:
        """Drop the planner of a bucket, or all."""


class ConfigurationManager:
    """Versions of configurations, and which one a bucket plans by.

    config_db_path    a path or a URL; opened at the first use, made where there is none
    planner_factory   told to drop the planners of buckets that change
    emitter           hears every event once it is in the database; None = one of its own
    Raises StoreError for a database that is no use; `close` it, or use `async with`.
    """

    def __init__(
        self,
        config_db_path: str | Path = DATABASE,
        planner_factory: Invalidates | None = None,
        *,
        emitter: PlannerEventEmitter | None = None,
    ) -> None:
        self.config_db_path, self.planner_factory = str(config_db_path), planner_factory
        self.emitter = emitter or PlannerEventEmitter()
        self._opened: Store | None = None
        self._changed: list[str] = []
        if planner_factory is not None and getattr(planner_factory, "config_manager", self) is None:
            planner_factory.config_manager = self  # type: ignore[attr-defined]

    @property
    def store(self) -> Store:
        """The database; raises StoreError."""
        if self._opened is None:
            self._opened = open_store(self.config_db_path, heard=self._hear)
        return self._opened

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    async def __aenter__(self) -> ConfigurationManager:
        """As it is."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, at: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    async def create_new_version(
        self,
        name: str,
        title: str,
        config_toml: str,
        description: str | None = None,
        parent_version_id: int | None = None,
    ) -> int:
        """The id of a new version, which is the active one of its name from now on.

        parent_version_id   the version that it was made from; None = the active one
        Raises SettingsError with every problem of a configuration that is not valid,
        ConfigurationNotFoundError for a parent that is not of the name.
        """

        def create(store: Store) -> int:
            parent = None if parent_version_id is None else _by_id(store, parent_version_id)
            if parent is not None and parent.name != name:
                raise _no_parent(parent, name)
            strategy = standing_alone(config_toml, name, name, None)
            draft = Draft(
                name=name,
                title=title,
                description=description,
                toml=config_toml,
                rules_sha256=strategy.sha256,
            )
            number = None if parent is None else parent.version
            saved = strategies.save(store, draft, parent=number)
            for other in saved.meanwhile:
                LOGGER.warning("version %d of %s was saved meanwhile; both are kept", other, name)
            return saved.version.id

        return await self.run(create)

    async def assign_config_to_bucket(self, bucket_id: str, planner_config_id: int) -> None:
        """Let a bucket plan by exactly this version; a bucket that is not there is made.

        Raises ConfigurationNotFoundError for a version that is not there.
        """

        def assign(store: Store) -> None:
            version = _by_id(store, planner_config_id)
            if bucket_id not in {held.name for held in buckets.buckets(store)}:
                core = bucket_id == assignments.CORE
                buckets.create(
                    store,
                    bucket_id,
                    kind="core" if core else "satellite",
                    status="active" if core else "accumulating",
                    target_weight=1.0 if core else 0.0,
                )
            assignments.assign(store, bucket_id, version.name, version.version)

        await self.run(assign)

    async def rollback_to_version(self, bucket_id: str, version: int, config_name: str) -> int:
        """Append a version that says what an old one says, and plan the bucket by it; its id.

        Raises ConfigurationNotFoundError for what is not there, InputError for a configuration that
        the bucket does not plan by.
        """
        return await self.run(
            lambda store: assignments.rollback_bucket(store, bucket_id, version, config_name).id
        )

    async def get_bucket_config(self, bucket_id: str) -> dict[str, Any]:
        """The configuration that a bucket plans by now; ConfigurationNotFoundError without one."""
        version = await self.run(lambda store: assignments.planned_by(store, bucket_id))
        if version is None:
            raise ConfigurationNotFoundError(
                f"No configuration is assigned to the bucket {bucket_id}. {NOTHING}",
                code="nothing_assigned",
                place=bucket_id,
                hint="assign_config_to_bucket",
            )
        return await self.run(lambda store: _as_row(store, version))

    async def get_config_by_id(self, config_id: int) -> dict[str, Any]:
        """A configuration; ConfigurationNotFoundError for an id that is none."""
        return await self.run(lambda store: _as_row(store, _by_id(store, config_id)))

    async def get_version_history(self, config_name: str) -> list[dict[str, Any]]:
        """Every version of a name, newest first; ConfigurationNotFoundError without any."""
        return await self.run(
            lambda store: [
                _as_row(store, version) for version in strategies.history(store, config_name)
            ]
        )

    def emit_event(self, event: PlannerEvent) -> Emitted:
        """Tell whoever listens to `emitter`; may be awaited."""
        return self.emitter.emit(event)

    def _hear(self, event: PlannerEvent) -> None:
        if event.event_type == ConfigurationChanged.__name__:
            self._changed.append(event.bucket_id)
        self.emitter.tell(event)

    async def run(self, work: Callable[[Store], T]) -> T:
        """Work with the database beside the event loop; then drop the planners that are old."""
        try:
            answer = await asyncio.to_thread(lambda: work(self.store))
        except NotStored as error:
            raise ConfigurationNotFoundError(
                str(error),
                code=error.fault.code,
                place=error.fault.place,
                value=error.fault.value,
                limit=error.fault.limit,
                hint=error.fault.hint,
            ) from error
        while self._changed:
            bucket_id = self._changed.pop(0)
            if self.planner_factory is not None:
                await self.planner_factory.invalidate_cache(bucket_id)
        return answer


class ConfigurationImportExport:
    """Configurations as files: the text, and a table of what people say of it."""

    def __init__(self, config_manager: ConfigurationManager | None = None) -> None:
        self.config_manager = config_manager or ConfigurationManager()

    async def export_config(self, config_id: int, file_path: str | Path | None = None) -> str:
        """A configuration as TOML, written to a file too if one is named; importing gives it back.

        Raises ConfigurationNotFoundError, and InputError for a file that cannot be written.
        """
        row = await self.config_manager.get_config_by_id(config_id)
        names = ("name", "title", "description", "version", "created_at")
        text = together(row["config_toml"], {name: row[name] for name in names})
        if file_path is not None:
            await asyncio.to_thread(_write, Path(file_path), text)
        return text

    async def import_config(
        self, toml_content: str, name: str | None = None, title: str | None = None
    ) -> int:
        """The id of the version that a text makes; `# Name:` and `# Title:` above it are read too.

        name, title   in place of what the text says
        Raises SettingsError with every problem of a text that is not valid.
        """
        text, metadata = apart(toml_content)
        chosen = name or name_of(metadata, text, IMPORTED)
        return await self.config_manager.create_new_version(
            name=chosen,
            title=title or str(metadata.get("title", "")),
            config_toml=text,
            description=metadata.get("description"),
        )


def _as_row(store: Store, version: Version) -> dict[str, Any]:
    """A version by the documents' columns."""
    parent = version.parent
    return {
        "id": version.id,
        "name": version.name,
        "title": version.title,
        "description": version.description,
        "config_toml": version.toml,
        "version": version.version,
        "is_active": version.active,
        "created_at": version.created_at.isoformat(),
        "created_by": version.created_by,
        "parent_version_id": parent and strategies.version(store, version.name, parent).id,
    }


def _by_id(store: Store, config_id: int) -> Version:
    return strategies.by_id(store, config_id)


def _no_parent(parent: Version, name: str) -> ConfigurationNotFoundError:
    return ConfigurationNotFoundError(
        f"The configuration {parent.id} is a version of {parent.name}, not of {name}: it cannot be "
        "the parent. Nothing was saved.",
        code="parent_of_another",
        place="parent_version_id",
        value=parent.id,
        limit=f"a version of {name}",
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(
            f"{path} could not be written: {error.strerror or error}. Name another file.",
            code="export_unwritable",
            place=str(path),
            value=error.strerror,
            hint="name another file",
        ) from error
