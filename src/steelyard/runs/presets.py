"""The library of presets: the shipped ones of both kinds and the user's own, in one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from steelyard.buckets import PRESETS as SATELLITE_PRESETS
from steelyard.buckets import SatelliteSettings
from steelyard.buckets.written import text_of as text_of_settings
from steelyard.errors import InputError, NotStored, did_you_mean
from steelyard.store import presets as stored
from steelyard.store.store import Store
from steelyard.strategies import PRESETS, preset
from steelyard.strategies.presets import text_of as shipped_text

AUTHOR: Final = "Steelyard"
Kind = Literal["planner", "satellite"]
TAGS: Final[Mapping[str, tuple[str, ...]]] = {
    "default": ("general",),
    "conservative": ("few-orders", "long-term"),
    "aggressive": ("active", "many-orders"),
    "balanced": ("general",),
    "momentum": ("active", "momentum"),
    "momentum_hunter": ("active", "momentum"),
    "dip_buyer": ("contrarian", "long-term"),
    "value": ("contrarian", "long-term"),
    "steady_eddy": ("few-orders", "long-term"),
    "dividend_catcher": ("dividends", "income"),
    "us_taxable": ("long-term", "tax"),
}
"""What the shipped presets can be looked up by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A preset in the list.

    kind         planner: a strategy; satellite: positions of sliders
    author       of a shipped one "Steelyard"
    uses         how often it was begun with or applied on this machine
    rating       None = nobody gave one
    created_at   None of a shipped one
    """

    name: str
    kind: Kind
    author: str
    tags: tuple[str, ...]
    description: str
    uses: int = 0
    rating: float | None = None
    id: str
    created_at: datetime | None = None


def library(store: Store | None, tag: str | None = None) -> list[Entry]:
    """Every preset, planner ones first, with a tag where one is asked for; None = only shipped."""
    uses = {} if store is None else stored.uses(store)
    own = [] if store is None else stored.own(store)
    entries = [*map(_planner, PRESETS), *map(_satellite, SATELLITE_PRESETS), *map(_own, own)]
    counted = [_counted(entry, uses) for entry in entries]
    return [entry for entry in counted if tag is None or tag in entry.tags]


def tagged(store: Store | None, tag: str | None) -> list[Entry]:
    """The presets with a tag, all of them without; raises NotStored for a tag that none has."""
    tags = sorted({each for entry in library(store) for each in entry.tags})
    if tag is None or tag in tags:
        return library(store, tag)
    near = did_you_mean(tag, tags)
    raise NotStored(
        f"No preset has the tag {tag!r}.{near} Tags are {', '.join(tags)}.",
        code="no_preset_with_tag",
        place="--tag",
        value=tag,
        limit=", ".join(tags),
        hint=near.strip() or ", ".join(tags),
    )


@dataclass(frozen=True, slots=True)
class New:
    """A preset of one's own that is to be kept; its text is valid."""

    name: str
    toml: str
    description: str = ""
    author: str = ""
    tags: Sequence[str] = ()
    rating: float | None = None


def add(store: Store, new: New) -> Entry:
    """Keep a preset; raises InputError where there is one of that name, shipped or not."""
    if new.name in PRESETS:
        raise InputError(
            f"{new.name} is a preset that is shipped. Nothing was added. Choose another name: "
            "--name N",
            code="preset_is_shipped",
            place="--name",
            value=new.name,
            hint="choose another name: --name N",
        )
    stored.add(
        store,
        new.name,
        new.toml,
        description=new.description,
        author=new.author,
        tags=new.tags,
        rating=new.rating,
    )
    return preset_named(store, new.name)


def document(entry: Entry) -> dict[str, Any]:
    """A preset in the list as plain JSON values."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "author": entry.author,
        "tags": list(entry.tags),
        "description": entry.description,
        "uses": entry.uses,
        "rating": entry.rating,
        "id": entry.id,
        "created_at": None if entry.created_at is None else entry.created_at.isoformat(),
    }


def whole_text(store: Store | None, entry: Entry) -> str:
    """The text of a preset, of a shipped one with its comments: itself a strategy file."""
    shipped = entry.kind == "planner" and entry.name in PRESETS
    return shipped_text(entry.name) if shipped else text_of(store, entry)


def preset_named(store: Store | None, name: str) -> Entry:
    """The preset of that name, a planner's before a satellite's; NotStored with the nearest."""
    entries = library(store)
    entry = next((entry for entry in entries if name in {entry.name, entry.id}), None)
    if entry is not None:
        return entry
    names = sorted({entry.name for entry in entries})
    near = did_you_mean(name, names)
    raise NotStored(
        f"There is no preset {name!r}.{near} Nothing was done. To see them: steelyard strategy "
        "presets",
        code="no_preset_of_that_name",
        place="--preset",
        value=name,
        limit=", ".join(names),
        hint=near.strip() or "steelyard strategy presets",
    )


def text_of(store: Store | None, entry: Entry) -> str:
    """The strategy text that begins with a preset."""
    if entry.kind == "satellite":
        settings = SatelliteSettings(satellite_id=entry.name, preset=entry.name)
        return text_of_settings(settings)
    own = [] if store is None else stored.own(store)
    text = next((row.toml for row in own if row.name == entry.name), None)
    return f'preset = "{entry.name}"\n' if text is None else text


def _planner(name: str) -> Entry:
    return Entry(
        name=name,
        kind="planner",
        author=AUTHOR,
        tags=TAGS[name],
        description=preset(name).description,
        id=stored.preset_id("planner", name),
    )


def _satellite(name: str) -> Entry:
    row = SATELLITE_PRESETS[name].model_dump(exclude_none=True)
    sliders = ", ".join(f"{key} {value:g}" for key, value in row.items() if type(value) is float)
    return Entry(
        name=name,
        kind="satellite",
        author=AUTHOR,
        tags=TAGS[name],
        description=f"Sliders: {sliders}",
        id=stored.preset_id("satellite", name),
    )


def _own(row: stored.OwnPreset) -> Entry:
    return Entry(
        name=row.name,
        kind="planner",
        author=row.author,
        tags=row.tags,
        description=row.description,
        rating=row.rating,
        id=row.id,
        created_at=row.created_at,
    )


def _counted(entry: Entry, uses: Mapping[str, int]) -> Entry:
    return replace(entry, uses=uses.get(entry.id, 0))
