"""What buckets plan by, and what they own: `/buckets/{bucket_id}` and the lists of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import Connection

from steelyard.errors import InputError, NotStored
from steelyard.runs import listed_buckets
from steelyard.runs.settings import shown
from steelyard.services.api import etags
from steelyard.services.api.configs import Row, row_of
from steelyard.services.api.etags import NOT_MODIFIED, IfMatch, IfNoneMatch
from steelyard.services.api.fields import (
    Answer,
    Asked,
    BucketInPath,
    ConfigId,
    ConfigName,
    Here,
    Number,
    changing,
)
from steelyard.services.api.paging import InQuery, cut
from steelyard.services.api.remembered import Remembered
from steelyard.services.security.roles import needs
from steelyard.store import assignments, buckets, strategies
from steelyard.store.assignments import Assignment
from steelyard.store.exchange import still_whole
from steelyard.store.strategies import Version

router = APIRouter(tags=["buckets"], route_class=Remembered)


class Assigned(Asked):
    """Which configuration a bucket is to plan by."""

    config_id: ConfigId
    pinned: Annotated[
        bool | None,
        Field(
            description="true: it stays with this version; false: it moves with the name. By "
            "default it moves with the name if this is its active version"
        ),
    ] = None


class RolledBack(Asked):
    """To which version of which name a bucket is to go back."""

    config_name: ConfigName
    version: Number


class PlansBy(Answer):
    """What a bucket plans by from now on."""

    status: Literal["assigned", "rolled_back"]
    bucket_id: str
    config_id: ConfigId
    name: str
    version: Number
    title: str
    pinned: bool


class BucketConfig(Row):
    """The configuration that a bucket plans by now."""

    config_toml: str
    bucket_id: str
    pinned: bool
    assigned_at: str
    assigned_by: str


class ListedBucket(Answer):
    """A bucket; money in decimal strings, `value` in base currency as of the load."""

    bucket: str
    kind: str
    status: str
    budget_weight: float
    cash: dict[str, str]
    value: str | None
    as_of: str | None
    strategy: str | None
    version: int | None


class Buckets(Answer):
    """The core, then the satellites by name."""

    buckets: list[ListedBucket]
    next: str | None


class Follows(Answer):
    """The stored strategy that a bucket plans by."""

    name: str
    version: int
    title: str
    pinned: bool
    assigned_at: str
    assigned_by: str


class WholeBucket(Answer):
    """A bucket with its settings and what it was loaded from."""

    bucket: str
    kind: str
    status: str
    budget_weight: float
    cash: dict[str, str]
    value: str | None
    as_of: str | None
    strategy: Follows | None
    version: int | None
    base_currency: str | None
    universe: list[str]
    settings: list[dict[str, Any]]
    loaded_at: str | None
    files: list[dict[str, Any]]
    portfolio_sha256: str | None
    market_sha256: str | None


@router.post(
    "/buckets/{bucket_id}/assign-config",
    dependencies=[needs("operator")],
    summary="Let a bucket plan by a configuration",
)
def assign(
    here: Here,
    response: Response,
    bucket_id: BucketInPath,
    body: Assigned,
    if_match: IfMatch = None,
) -> PlansBy:
    """Let a bucket plan by a configuration; If-Match has the ETag of what it plans by now."""
    store = changing(here)
    version = strategies.by_id(store, body.config_id)
    still_whole(version)
    with store.writing() as transaction:
        _check(transaction.connection, bucket_id, if_match)
        number = _number(transaction.connection, version, body.pinned)
        assignments.assign_in(transaction, bucket_id, version.name, number)
        return _plans_by(transaction.connection, response, bucket_id, "assigned")


@router.post(
    "/buckets/{bucket_id}/rollback",
    dependencies=[needs("operator")],
    summary="Let a bucket plan as by an older version",
)
def rollback(
    here: Here,
    response: Response,
    bucket_id: BucketInPath,
    body: RolledBack,
    if_match: IfMatch = None,
) -> PlansBy:
    """Save a version with the content of an old one, and plan the bucket by it.

    Nothing of the history is lost; other buckets that follow the name move with it.
    """
    store = changing(here)
    still_whole(strategies.version(store, body.config_name, body.version))
    with store.writing() as transaction:
        _check(transaction.connection, bucket_id, if_match)
        assignments.rollback_bucket_in(transaction, bucket_id, body.version, body.config_name)
        return _plans_by(transaction.connection, response, bucket_id, "rolled_back")


@router.get(
    "/buckets/{bucket_id}/config",
    dependencies=[needs("viewer")],
    summary="What a bucket plans by",
    response_model=BucketConfig,
    responses=NOT_MODIFIED,
)
def config(
    here: Here, response: Response, bucket_id: BucketInPath, if_none_match: IfNoneMatch = None
) -> BucketConfig | Response:
    """The configuration that a bucket plans by now; 404 where none is assigned to it."""
    with here.store().reading() as connection:
        assignments.check_bucket(connection, bucket_id)
        follows, version, tag = _state(connection, bucket_id)
        if follows is None or version is None:
            raise _nothing_assigned(bucket_id)
        if etags.is_same(tag, if_none_match):
            return Response(status_code=304, headers={"ETag": tag})
        response.headers["ETag"] = tag
        row = row_of(version, strategies.ids_in(connection, version.name))
    return BucketConfig(
        **row.model_dump(),
        config_toml=version.toml,
        bucket_id=bucket_id,
        pinned=follows.pinned,
        assigned_at=follows.assigned_at.isoformat(),
        assigned_by=follows.assigned_by,
    )


@router.get("/api/buckets", dependencies=[needs("viewer")], summary="All buckets")
def list_(here: Here, page: InQuery) -> Buckets:
    """The buckets with their money and what they plan by, the core first."""
    store = here.store()
    shown_rows, then = cut(buckets.buckets(store), page, lambda row: row.name)
    rows = [(row, assignments.planned_by(store, row.name)) for row in shown_rows]
    documents = [listed_buckets.document(row, version) for row, version in rows]
    return Buckets(buckets=[ListedBucket(**document) for document in documents], next=then)


@router.get("/api/buckets/{bucket_id}", dependencies=[needs("viewer")], summary="One bucket")
def whole(here: Here, bucket_id: BucketInPath) -> WholeBucket:
    """A bucket with its settings, where each is from, and what it was loaded from."""
    store = here.store()
    row, version = buckets.bucket_of(store, bucket_id), assignments.planned_by(store, bucket_id)
    return WholeBucket(**listed_buckets.whole(row, version, shown(row, version)))


def _state(connection: Connection, bucket_id: str) -> tuple[Assignment | None, Version | None, str]:
    """What a bucket follows, what it plans by now, and the tag of both."""
    follows = assignments.assigned_in(connection, bucket_id)
    version = assignments.planned_by_in(connection, bucket_id)
    return follows, version, etags.of_assignment(bucket_id, follows, version)


def _check(connection: Connection, bucket_id: str, if_match: str | None) -> None:
    """Raise NotMatched where the bucket plans by another one by now than the caller saw."""
    follows, _, tag = _state(connection, bucket_id)
    etags.check(None if follows is None else tag, if_match)


def _number(connection: Connection, version: Version, pinned: bool | None) -> int | None:
    """The version that the bucket stays with; None = it moves with the name."""
    active = strategies.version_in(connection, version.name)
    if pinned or (pinned is None and active.id != version.id):
        return version.version
    if active.id == version.id:
        return None
    raise InputError(
        f"The configuration {version.id} is version {version.version} of {version.name}, and what "
        f"moves with the name plans by version {active.version}. Nothing was assigned. Leave "
        f"`pinned` out, or assign {active.id}.",
        code="follows_another",
        place="pinned",
        value=version.id,
        limit=active.id,
        hint=f"leave `pinned` out, or assign {active.id}",
    )


def _plans_by(
    connection: Connection,
    response: Response,
    bucket_id: str,
    status: Literal["assigned", "rolled_back"],
) -> PlansBy:
    follows, version, tag = _state(connection, bucket_id)
    if follows is None or version is None:
        raise _nothing_assigned(bucket_id)
    response.headers["ETag"] = tag
    return PlansBy(
        status=status,
        bucket_id=bucket_id,
        config_id=version.id,
        name=version.name,
        version=version.version,
        title=version.title,
        pinned=follows.pinned,
    )


def _nothing_assigned(bucket_id: str) -> NotStored:
    assign = f"POST /buckets/{bucket_id}/assign-config"
    return NotStored(
        f"No configuration is assigned to the bucket {bucket_id}: it plans by the default, a "
        f"satellite by its settings. To assign one: {assign}",
        code="no_config_assigned",
        place=bucket_id,
        hint=assign,
    )
