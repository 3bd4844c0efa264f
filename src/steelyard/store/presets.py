"""The user's own presets beside the shipped ones, and how often each was used."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from steelyard.errors import InputError
from steelyard.store.failures import row_of
from steelyard.store.schema import preset, preset_use
from steelyard.store.store import Store, Transaction, json_text
from steelyard.store.strategies import NAME, NAME_RULE
from steelyard.telemetry.events import PresetAdded, PresetApplied

FAMILY = uuid.UUID("8f7e9f0e-3f52-4a0e-9a44-6f1c8d0a5e11")
"""Under which the ids of presets are made from their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPreset:
    """A row of `preset`; tags: sorted, rating: None = nobody gave one."""

    id: str
    name: str
    description: str
    toml: str
    author: str
    tags: tuple[str, ...]
    rating: float | None
    created_at: datetime


def preset_id(kind: str, name: str) -> str:
    """The id of a preset, the same everywhere."""
    return str(uuid.uuid5(FAMILY, f"{kind}/{name}"))


def add(
    store: Store,
    name: str,
    toml: str,
    *,
    description: str = "",
    author: str = "",
    tags: Sequence[str] = (),
    rating: float | None = None,
) -> OwnPreset:
    """Keep a preset, whose text is valid; raises InputError where there is one of that name."""
    if NAME.fullmatch(name) is None:
        raise InputError(
            f"{name!r} cannot be the name of a preset: it has {NAME_RULE}. Nothing was added.",
            code="bad_preset_name",
            place="NAME",
            value=name,
            limit=NAME_RULE,
            hint="choose another name",
        )
    with store.writing() as transaction:
        if transaction.connection.scalar(select(preset.c.id).where(preset.c.name == name)):
            raise InputError(
                f"There is a preset {name} already. Nothing was added. Choose another name: "
                "--name N",
                code="preset_is_there",
                place="NAME",
                value=name,
                hint="choose another name: --name N",
            )
        row = {
            "id": preset_id("planner", name),
            "name": name,
            "description": description,
            "toml": toml,
            "author": author,
            "tags": json_text(sorted({*tags})),
            "rating": rating,
            "created_at": transaction.stamp,
        }
        transaction.connection.execute(preset.insert().values(**row))
        transaction.tell(PresetAdded(name, "planner", author))
    return next(entry for entry in own(store) if entry.name == name)


def own(store: Store) -> list[OwnPreset]:
    """The user's presets, by name."""
    with store.reading() as connection:
        rows = connection.execute(select(preset).order_by(preset.c.name)).all()
    return [_preset(row) for row in rows]


@row_of("preset")
def _preset(row: Row[Any]) -> OwnPreset:
    return OwnPreset(
        id=row.id,
        name=row.name,
        description=row.description,
        toml=row.toml,
        author=row.author,
        tags=tuple(json.loads(row.tags)),
        rating=row.rating,
        created_at=datetime.fromisoformat(row.created_at),
    )


def used(store: Store, key: str, name: str, by: str) -> None:
    """Count a use of a preset, own or shipped: by whom, a file or a bucket."""
    with store.writing() as transaction:
        used_in(transaction, key, name, by)


def used_in(transaction: Transaction, key: str, name: str, by: str) -> None:
    """As `used`, within a transaction."""
    here = preset_use.c.id == key
    done = transaction.connection.execute(
        preset_use.update().where(here).values(uses=preset_use.c.uses + 1)
    )
    if not done.rowcount:
        transaction.connection.execute(preset_use.insert().values(id=key, uses=1))
    transaction.tell(PresetApplied(name, by))


def uses(store: Store) -> Mapping[str, int]:
    """Id of a preset -> how often it was used."""
    with store.reading() as connection:
        return {row.id: row.uses for row in connection.execute(select(preset_use))}
