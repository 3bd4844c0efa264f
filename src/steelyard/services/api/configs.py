"""`/configs`: configurations, which are the versions of stored strategies; ids are their rows'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from steelyard.errors import ChangedMeanwhile, InputError, NotStored
from steelyard.runs.compared_versions import difference
from steelyard.services.api import etags
from steelyard.services.api.etags import IfMatch, IfNoneMatch
from steelyard.services.api.fields import (
    Answer,
    Asked,
    ConfigId,
    ConfigName,
    Here,
    IdInPath,
    NameInPath,
    Number,
    Text,
    Title,
    Toml,
    changing,
)
from steelyard.services.api.paging import InQuery, cut
from steelyard.services.api.received import refuse_plugins, strategy_from
from steelyard.services.api.remembered import Remembered
from steelyard.services.security.roles import needs
from steelyard.store import strategies
from steelyard.store.exchange import clone_in, draft_of, exported, name_of, refuse_followed
from steelyard.store.strategies import Version, append, followers_in, version_in
from steelyard.strategies.files.exchange import apart

router = APIRouter(prefix="/configs", tags=["configs"], route_class=Remembered)

IMPORTED = "imported_config"
"""The name of an imported configuration that says none."""


class NewConfig(Asked):
    """A configuration to be saved as the next version of its name."""

    name: ConfigName
    title: Annotated[Title, Field(description="what people call it; empty = as before")] = ""
    config_toml: Toml
    description: Annotated[
        Text | None, Field(description="by default the text's own, or as before")
    ] = None
    reason: Annotated[Text, Field(description="why, for the history")] = ""
    parent_version_id: Annotated[
        ConfigId | None,
        Field(description="the version that it was made from: 409 if another was saved since"),
    ] = None


class Imported(Asked):
    """A configuration as a file has it, exported or not: its content, never a path."""

    config_toml: Annotated[
        Toml,
        Field(
            validation_alias=AliasChoices("config_toml", "toml_content", "content"),
            description="the file's content; also called toml_content or content",
        ),
    ]
    name: Annotated[ConfigName | None, Field(description="by default as the content says")] = None
    title: Annotated[Title | None, Field(description="in place of the content's")] = None


class Cloned(Asked):
    """The name of a copy, whose history begins anew."""

    new_name: ConfigName
    new_title: Annotated[Title | None, Field(description="by default the copied one's")] = None


class Saved(Answer):
    """What was saved, and the buckets that plan by it from now on."""

    config_id: ConfigId
    name: str
    version: Number
    title: str
    status: Literal["saved", "imported", "cloned"]
    buckets: list[str]


class Row(Answer):
    """A version in a history; `id` is its `config_id`."""

    id: ConfigId
    config_id: ConfigId
    name: str
    version: Number
    title: str
    description: str
    is_active: bool
    created_at: str
    created_by: str
    parent_version_id: ConfigId | None
    sha256: str
    reason: str


class History(Answer):
    """The versions of a name, the newest first."""

    history: list[Row]
    next: str | None


class Versions(BaseModel):
    """Which two versions of a name are compared: b with a."""

    model_config = ConfigDict(extra="forbid")

    a: Annotated[Number, Field(description="the version before")]
    b: Annotated[Number, Field(description="the version after")]


class Side(Answer):
    """A version that was compared."""

    name: str
    version: Number
    title: str
    sha256: str


class Difference(Answer):
    """What tells two versions apart: line by line, and in what acts."""

    a: Side
    b: Side
    unified: str
    modules_added: list[str]
    modules_removed: list[str]
    params_changed: dict[str, dict[str, Any]]
    globals_changed: dict[str, dict[str, Any]]
    inherited: dict[str, Any]


@router.post("", status_code=201, dependencies=[needs("planner")], summary="Save a configuration")
def create(
    here: Here,
    response: Response,
    body: NewConfig,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Saved:
    """Save the next version of a name: it is the active one, and buckets that follow move to it.

    If-Match has the ETag of the active version; If-None-Match `*` saves only a name that is new.
    """
    strategy = strategy_from(body.config_toml, body.name)
    draft = draft_of(body.name, body.config_toml, strategy, body.title, body.description)
    with changing(here).writing() as transaction:
        before = _active(transaction.connection, body.name)
        etags.check(etags.of_name(before), if_match, if_none_match)
        _check_parent(transaction.connection, body, before)
        version = append(transaction, draft, reason=body.reason).version
        return _saved(transaction.connection, response, version, "saved")


@router.get("/{name}/history", dependencies=[needs("viewer")], summary="Versions of a name")
def history(here: Here, response: Response, name: NameInPath, page: InQuery) -> History:
    """Every version of a name, the newest first; the ETag is of the active one."""
    versions = strategies.history(here.store(), name)
    ids = {version.version: version.id for version in versions}
    shown, then = cut(versions, page, lambda version: str(version.version))
    active = next((version for version in versions if version.active), None)
    response.headers["ETag"] = etags.of_name(active) or ""
    return History(history=[row_of(version, ids) for version in shown], next=then)


@router.get("/{name}/diff", dependencies=[needs("viewer")], summary="Two versions compared")
def diff(here: Here, name: NameInPath, versions: Annotated[Versions, Query()]) -> Difference:
    """What is another in version b than in version a of a name: line by line, and in what acts."""
    numbers = versions.a, versions.b
    old, new = (strategies.version(here.store(), name, number) for number in numbers)
    return Difference(**difference(old, new))


@router.get(
    "/{config_id}/export",
    dependencies=[needs("viewer")],
    response_class=PlainTextResponse,
    summary="A configuration as a file",
)
def export(here: Here, config_id: IdInPath) -> PlainTextResponse:
    """A version as a TOML file that importing gives back, with its title and description."""
    text = exported(strategies.by_id(here.store(), config_id))
    name = f"attachment; filename=planner_config_{config_id}.toml"
    return PlainTextResponse(text, headers={"Content-Disposition": name})


@router.post("/import", status_code=201, dependencies=[needs("planner")], summary="Save a file")
def import_(here: Here, response: Response, body: Imported) -> Saved:
    """Save the content of a file as a version of the name that it has, or that is given."""
    text, metadata = apart(body.config_toml)
    refuse_plugins(text, body.name or IMPORTED)
    name = body.name or name_of(metadata, text, IMPORTED)
    strategy = strategy_from(text, name)
    title = metadata.get("title") if body.title is None else body.title
    draft = draft_of(name, text, strategy, title, metadata.get("description"))
    with changing(here).writing() as transaction:
        if body.name is None:
            mend = "Give another name, or this one: `name`."
            refuse_followed(transaction.connection, draft, "the content", mend)
        version = append(transaction, draft, reason="imported over HTTP").version
        return _saved(transaction.connection, response, version, "imported")


@router.post(
    "/{config_id}/clone", status_code=201, dependencies=[needs("planner")], summary="Copy a version"
)
def clone(here: Here, response: Response, config_id: IdInPath, body: Cloned) -> Saved:
    """Save a copy of a version under a name that is free."""
    with changing(here).writing() as transaction:
        old = strategies.by_id_in(transaction.connection, config_id)
        version = clone_in(
            transaction, old, body.new_name, title=body.new_title, by=strategies.USER
        ).version
        return _saved(transaction.connection, response, version, "cloned")


def row_of(version: Version, ids: Mapping[int, ConfigId]) -> Row:
    """A version as it is answered; ids: by number, of its name."""
    return Row(
        id=version.id,
        config_id=version.id,
        name=version.name,
        version=version.version,
        title=version.title,
        description=version.description,
        is_active=version.active,
        created_at=version.created_at.isoformat(),
        created_by=version.created_by,
        parent_version_id=None if version.parent is None else ids.get(version.parent),
        sha256=version.sha256,
        reason=version.reason,
    )


def _active(connection: Connection, name: str) -> Version | None:
    try:
        return version_in(connection, name)
    except NotStored:
        return None


def _check_parent(connection: Connection, body: NewConfig, before: Version | None) -> None:
    """Raise ChangedMeanwhile where it was not made from the version that is active now."""
    if body.parent_version_id is None or (before and before.id == body.parent_version_id):
        return
    parent = strategies.by_id_in(connection, body.parent_version_id)
    if parent.name != body.name or before is None:
        raise InputError(
            f"The configuration {parent.id} is version {parent.version} of {parent.name}, not of "
            f"{body.name}. Nothing was saved.",
            code="parent_of_another",
            place="parent_version_id",
            value=parent.id,
            limit=body.name,
            hint="leave it out, or give the id of a version of that name",
        )
    raise ChangedMeanwhile(
        f"Version {before.version} of {body.name} was saved after version {parent.version}, which "
        "this one was made from. Nothing was saved. Compare the two, and send what is to be "
        f"saved with parent_version_id {before.id}.",
        code="saved_meanwhile",
        place="parent_version_id",
        value=parent.id,
        limit=before.id,
        hint=f"send it again with parent_version_id {before.id}",
    )


def _saved(
    connection: Connection,
    response: Response,
    version: Version,
    status: Literal["saved", "imported", "cloned"],
) -> Saved:
    response.headers["ETag"] = etags.of_name(version) or ""
    return Saved(
        config_id=version.id,
        name=version.name,
        version=version.version,
        title=version.title,
        status=status,
        buckets=list(followers_in(connection, version.name)),
    )
