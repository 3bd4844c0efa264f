"""`/presets`: configurations to begin with, those that are shipped and one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from steelyard.runs.presets import Entry, New, add, preset_named, tagged, whole_text
from steelyard.services.api.fields import (
    MOST_TAGS,
    Answer,
    Asked,
    ConfigName,
    Here,
    Text,
    Title,
    Toml,
    changing,
)
from steelyard.services.api.paging import Page, cut
from steelyard.services.api.received import strategy_from
from steelyard.services.api.remembered import Remembered
from steelyard.services.security.roles import needs

router = APIRouter(prefix="/presets", tags=["presets"], route_class=Remembered)

LONGEST_TAG = 64
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]*$", max_length=LONGEST_TAG)]


class NewPreset(Asked):
    """A preset of one's own."""

    name: ConfigName
    config_toml: Toml
    description: Annotated[Text | None, Field(description="by default the configuration's")] = None
    author: Annotated[Title, Field(description="who made it")] = ""
    tags: Annotated[
        list[Tag] | None, Field(max_length=MOST_TAGS, description="to look it up by")
    ] = None
    rating: Annotated[float | None, Field(ge=0, le=5, allow_inf_nan=False, description="stars")] = (
        None
    )


class Preset(Answer):
    """A preset in the list; `downloads`: how often it was begun with on this machine."""

    id: str
    name: str
    kind: Annotated[str, Field(description="planner: a strategy; satellite: positions of sliders")]
    description: str
    author: str
    tags: list[str]
    downloads: int
    rating: float | None
    created_at: Annotated[str | None, Field(description="null of a shipped one")]


class WholePreset(Preset):
    """A preset with its text."""

    config_toml: str


class Presets(Answer):
    """Strategies first, then sliders of satellites, then one's own."""

    presets: list[Preset]
    next: str | None


class Tagged(Page):
    """Query of the list."""

    tag: Annotated[
        str | None, Field(max_length=LONGEST_TAG, description="only those that have it")
    ] = None


@router.get("", dependencies=[needs("viewer")], summary="All presets")
def list_(here: Here, query: Annotated[Tagged, Query()]) -> Presets:
    """The presets, with a tag where one is asked for; 404 for a tag that none has."""
    entries, then = cut(tagged(here.store(), query.tag), query, lambda entry: entry.id)
    return Presets(presets=[_preset(entry) for entry in entries], next=then)


@router.get("/{preset_id}", dependencies=[needs("viewer")], summary="One preset")
def get(
    here: Here, preset_id: Annotated[str, Path(min_length=1, max_length=LONGEST_TAG)]
) -> WholePreset:
    """A preset by its id or its name, with its text."""
    store = here.store()
    entry = preset_named(store, preset_id)
    return WholePreset(**_preset(entry).model_dump(), config_toml=whole_text(store, entry))


@router.post("", status_code=201, dependencies=[needs("planner")], summary="Keep a preset")
def create(here: Here, body: NewPreset) -> WholePreset:
    """Keep a configuration as a preset of one's own, under a name that is free."""
    strategy = strategy_from(body.config_toml, body.name)
    about = strategy.description if body.description is None else body.description
    new = New(body.name, body.config_toml, about, body.author, body.tags or (), body.rating)
    entry = add(changing(here), new)
    return WholePreset(**_preset(entry).model_dump(), config_toml=body.config_toml)


def _preset(entry: Entry) -> Preset:
    return Preset(
        id=entry.id,
        name=entry.name,
        kind=entry.kind,
        description=entry.description,
        author=entry.author,
        tags=list(entry.tags),
        downloads=entry.uses,
        rating=entry.rating,
        created_at=None if entry.created_at is None else entry.created_at.isoformat(),
    )
