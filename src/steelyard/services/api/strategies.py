"""`/api/strategies`: every stored strategy, by the version that is active."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from steelyard.services.api import etags
from steelyard.services.api.configs import Row, row_of
from steelyard.services.api.etags import NOT_MODIFIED, IfNoneMatch
from steelyard.services.api.fields import Answer, Here, NameInPath, Number
from steelyard.services.api.paging import InQuery, cut
from steelyard.services.api.remembered import Remembered
from steelyard.services.security.roles import needs
from steelyard.store import strategies
from steelyard.store.strategies import followers_in

router = APIRouter(prefix="/api/strategies", tags=["strategies"], route_class=Remembered)


class Listed(Row):
    """The active version of a name, and the buckets that follow it."""

    buckets: list[str]


class Strategies(Answer):
    """Stored strategies, by name."""

    strategies: list[Listed]
    next: str | None


class WholeStrategy(Listed):
    """A version with its text."""

    config_toml: str


class Which(BaseModel):
    """Query of one version; the active one by default."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[Number | None, Field(description="by default the active one")] = None


@router.get("", dependencies=[needs("viewer")], summary="Stored strategies")
def list_(here: Here, page: InQuery) -> Strategies:
    """The active version of every name, by name."""
    store = here.store()
    shown, then = cut(strategies.active(store), page, lambda version: version.name)
    with store.reading() as connection:
        rows = [
            Listed(
                **row_of(version, strategies.ids_in(connection, version.name)).model_dump(),
                buckets=list(followers_in(connection, version.name)),
            )
            for version in shown
        ]
    return Strategies(strategies=rows, next=then)


@router.get(
    "/{name}",
    dependencies=[needs("viewer")],
    summary="One version",
    response_model=WholeStrategy,
    responses=NOT_MODIFIED,
)
def get(
    here: Here,
    response: Response,
    name: NameInPath,
    query: Annotated[Which, Query()],
    if_none_match: IfNoneMatch = None,
) -> WholeStrategy | Response:
    """A version of a name with its text; the ETag of the active one is what a save may ask for."""
    with here.store().reading() as connection:
        version = strategies.version_in(connection, name, query.version)
        tag = etags.of_name(version) or ""
        if etags.is_same(tag, if_none_match):
            return Response(status_code=304, headers={"ETag": tag})
        response.headers["ETag"] = tag
        return WholeStrategy(
            **row_of(version, strategies.ids_in(connection, name)).model_dump(),
            buckets=list(followers_in(connection, name)),
            config_toml=version.toml,
        )
