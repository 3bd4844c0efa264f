"""The one-time move of a folder of old files into the database; a second run changes nothing.

    *.toml                 a strategy each, named by its header, else by the file
    satellites.json|toml   a list of {id, name, config_toml} or of {id, name, sliders …}; the bucket
                           of each is made and plans by `<id>_config`
    core_conservative      of core.toml or default.toml, else the preset conservative; the core's

All of it in one transaction: the folder is moved, or the database is as it was.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from steelyard.buckets.satellite import Sliders
from steelyard.buckets.written import settings_of, text_of
from steelyard.errors import InputError
from steelyard.runs.settings import CONFIG
from steelyard.store.assignments import CORE, assign_in, assigned_in
from steelyard.store.buckets import create_in, is_there
from steelyard.store.exchange import name_of, same_is_active, standing_alone
from steelyard.store.store import Store, Transaction
from steelyard.store.strategies import Draft, append, words
from steelyard.strategies.files.exchange import apart
from steelyard.strategies.files.reading import read

SYSTEM: Final = "system"
REASON: Final = "moved from a folder of files"
SATELLITES: Final = ("satellites.json", "satellites.toml")
CORES: Final = ("core.toml", "default.toml")
NO_STRATEGY: Final = ("pyproject.toml", "satellites.toml", *CORES)
CORE_NAME: Final = "core_conservative"
CORE_TITLE: Final = "Core - Conservative Long-Term"
NOTHING: Final = "Nothing was moved."
LARGEST_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Moved:
    """What one file or satellite came to; version: None = the same is there already."""

    source: str
    name: str
    version: int | None
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A strategy of the folder, and the bucket that plans by it."""

    source: str
    draft: Draft
    bucket: str | None = None


def import_folder(store: Store, folder: Path) -> list[Moved]:
    """Move a folder; raises InputError, SettingsError with every problem, StoreError."""
    entries = list(_strategies(folder))
    if not entries:
        raise InputError(
            f"{folder} has no strategy file and no satellites. {NOTHING} Name the folder with the "
            "TOML files.",
            code="folder_without_strategies",
            place=str(folder),
            limit="*.toml, satellites.json or satellites.toml",
            hint="name the folder with the TOML files",
        )
    return _moved(store, entries)


def import_satellites(
    store: Store, satellites: Iterable[Mapping[str, Any]], core: str | None = None
) -> list[Moved]:
    """Move satellites as of a folder's file, and the core's strategy; raises as `import_folder`.

    core   its TOML text; None = the preset conservative
    """
    entries = [_of_satellite(entry, None) for entry in satellites]
    own = _core(None) if core is None else _of_core(core, "the settings of the core", None)
    return _moved(store, [*entries, own])


def _moved(store: Store, entries: Iterable[Entry]) -> list[Moved]:
    with store.writing() as transaction:
        return [_move(transaction, entry) for entry in entries]


def _move(transaction: Transaction, entry: Entry) -> Moved:
    draft, bucket = entry.draft, entry.bucket
    version = None
    if not same_is_active(transaction, draft):
        saved = append(transaction, draft, by=SYSTEM, reason=REASON)
        version = saved.version.version
    if bucket is not None:
        connection = transaction.connection
        if bucket != "core" and not is_there(connection, bucket):
            create_in(transaction, bucket, "satellite", "accumulating", 0.0, ())
        follows = assigned_in(connection, bucket)
        if follows is None or follows.name != draft.name:
            assign_in(transaction, bucket, draft.name, by=SYSTEM)
    return Moved(entry.source, draft.name, version, bucket)


def _strategies(folder: Path) -> Iterator[Entry]:
    """Every strategy of the folder, the satellites' and the core's with their buckets."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder. {NOTHING}", code="no_such_folder", place=str(folder)
        )
    satellites = list(_satellites(folder))
    ids = {str(entry["id"]) for entry in satellites}
    files = {path.stem: path for path in sorted(folder.glob("*.toml")) if path.is_file()}
    own = {CONFIG.format(key): files.get(key) or files.get(CONFIG.format(key)) for key in ids}
    for path in files.values():
        if path.name not in NO_STRATEGY and path not in own.values():
            yield _of_file(path, None)
    for entry in satellites:
        yield _of_satellite(entry, own[CONFIG.format(entry["id"])])
    core = next((folder / name for name in CORES if (folder / name).is_file()), None)
    if core is not None or satellites or files:
        yield _core(core)


def _of_file(path: Path, name: str | None, bucket: str | None = None) -> Entry:
    text, metadata = apart(read(path))
    chosen = name or name_of(metadata, text, path.stem)
    strategy = standing_alone(text, chosen, str(path), path.parent)
    draft = Draft(
        name=chosen,
        title=str(metadata.get("title", "")) or words(chosen),
        description=str(metadata.get("description", "")) or strategy.description,
        toml=text,
        rules_sha256=strategy.sha256,
    )
    return Entry(path.name, draft, bucket)


def _core(path: Path | None) -> Entry:
    if path is None:
        return _of_core('preset = "conservative"\n', "preset conservative", None)
    return _of_core(apart(read(path))[0], path.name, path.parent)


def _of_core(text: str, source: str, folder: Path | None) -> Entry:
    strategy = standing_alone(text, CORE_NAME, source, folder)
    draft = Draft(
        name=CORE_NAME,
        title=CORE_TITLE,
        description=strategy.description,
        toml=text,
        rules_sha256=strategy.sha256,
    )
    return Entry(source, draft, "core")


def _of_satellite(entry: Mapping[str, Any], path: Path | None) -> Entry:
    """Its own TOML text, a file of its name, or its sliders."""
    key, title = str(entry["id"]), f"{entry.get('name') or words(str(entry['id']))} Strategy"
    name = CONFIG.format(key)
    if path is not None and not entry.get("config_toml"):
        return _of_file(path, name, key)
    text = entry.get("config_toml") or text_of(_settings(key, entry))
    source = f"satellite {key}"
    strategy = standing_alone(str(text), name, source, None)
    draft = Draft(
        name=name,
        title=title,
        description=strategy.description,
        toml=str(text),
        rules_sha256=strategy.sha256,
    )
    return Entry(source, draft, key)


def _settings(key: str, entry: Mapping[str, Any]) -> Any:
    """The sliders of a satellite, at the top of its entry or in `settings`."""
    inner = entry.get("settings")
    values = {**entry, **(inner if isinstance(inner, Mapping) else {})}
    names = {*Sliders.model_fields, "preset"}
    chosen = {name: value for name, value in values.items() if name in names}
    return settings_of({"satellite_id": key, **chosen}, f"satellite {key}")


def _satellites(folder: Path) -> Iterator[Mapping[str, Any]]:
    ids: set[str] = set()
    for name in SATELLITES:
        path = folder / name
        if not path.is_file():
            continue
        for entry in _entries(path):
            if not (isinstance(entry, Mapping) and isinstance(entry.get("id"), str)):
                raise _unusable(path, "every satellite is a table with an id")
            if entry["id"] in ids:
                raise _unusable(path, f"it has the satellite {entry['id']} twice")
            if entry["id"] == CORE:
                raise _unusable(path, "a satellite is called core, which is the rest's name")
            ids.add(entry["id"])
            yield entry


def _entries(path: Path) -> list[Any]:
    """The list of a file: itself, under `satellites`, or a table of tables by id."""
    if path.stat().st_size > LARGEST_BYTES:
        raise _unusable(path, f"it has over {LARGEST_BYTES:,} bytes")
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unusable(path, str(error)) from error
    if isinstance(values, Mapping):
        values = values.get("satellites", values)
    if isinstance(values, Mapping):
        values = [
            {"id": key, **entry} if isinstance(entry, Mapping) else entry
            for key, entry in values.items()
        ]
    return list(values) if isinstance(values, list) else [values]


def _unusable(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} cannot be read: {reason}. {NOTHING}",
        code="satellites_unreadable",
        place=str(path),
        value=reason,
        limit="a list of {id, name, config_toml}",
        hint="correct the file",
    )
