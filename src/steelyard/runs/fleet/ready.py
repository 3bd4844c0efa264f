"""What is asked of a fleet to what it is planned with: folder, strategies, files in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from steelyard.canonical import sha256
from steelyard.engine import EngineSettings
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.plans.plan import Plan
from steelyard.runs.code import code_sha256
from steelyard.runs.fleet.folder import Folder, file_digests, look_through
from steelyard.runs.fleet.rules import Named, Strategies, strategies_of
from steelyard.runs.fleet.shared import Shared, common_files
from steelyard.telemetry.health import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks for.

    files      option of `plan` -> a file of all accounts; None = that of the folder, where it is
    strategy   of accounts that name none; None = the default
    mapping    the user's mapping file
    today      no date of any file may be after it
    page       makes the report of a plan under the name of its account; None = no report
    """

    path: Path
    today: date
    files: Mapping[str, Path | None]
    strategy: str | None = None
    base: str | None = None
    as_of: date | None = None
    seed: int = 0
    mapping: Path | None = None
    limits: FileLimits = LIMITS
    engine: EngineSettings
    page: Callable[[Plan, str], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A fleet that can be planned. parts: hashes of all that its accounts have in common."""

    folder: Folder
    strategies: Strategies
    shared: Shared
    parts: Mapping[str, str]


def make_ready(asked: Asked, by_name: Named, health: Health) -> Ready:
    """Look through a folder and read what is in common; raises SteelyardError."""
    folder = look_through(asked.path, asked.files)
    files = {f"{path.name} of --{name}": digest for name, path, digest in _files(folder, asked)}
    strategies = strategies_of(folder, asked.strategy, by_name, health)
    shared = Shared(
        **common_files(folder.common, asked.mapping, asked.limits, asked.base),
        strategies=strategies.by_key,
        engine=asked.engine,
        today=asked.today,
        as_of=asked.as_of,
        seed=asked.seed,
        page=asked.page,
    )
    options = {"base": asked.base, "as_of": f"{asked.as_of}", "seed": asked.seed}
    parts = {
        **files,
        **strategies.parts(),
        "the code of Steelyard": code_sha256(),
        "the engine": sha256(asked.engine.model_dump(mode="json")),
        "an option": sha256(options),
    }
    return Ready(folder=folder, strategies=strategies, shared=shared, parts=parts)


def _files(folder: Folder, asked: Asked) -> list[tuple[str, Path, str]]:
    paths = dict(folder.common)
    if asked.mapping is not None:
        paths["mapping"] = asked.mapping
    digests = file_digests(paths)
    return [(name, path, digests[name]) for name, path in paths.items()]
