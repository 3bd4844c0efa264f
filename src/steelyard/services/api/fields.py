"""What fields of requests and answers share: names, ids, texts and their limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from steelyard.services.house import House
from steelyard.store.store import Store
from steelyard.store.strategies import LONGEST_NAME, LONGEST_TITLE, NAME
from steelyard.telemetry import traces

MOST_TOML = 1024 * 1024
"""Characters of a configuration."""
MOST_ID = 2**63 - 1
MOST_TEXT = 10_000
MOST_TAGS = 32

ConfigName = Annotated[
    str, Field(pattern=f"^{NAME.pattern}$", max_length=LONGEST_NAME, examples=["momentum_hunter"])
]
ConfigId = Annotated[int, Field(ge=1, le=MOST_ID, examples=[1])]
Number = Annotated[int, Field(ge=1, le=MOST_ID, description="of a version of a name")]
Title = Annotated[str, Field(max_length=LONGEST_TITLE)]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
Toml = Annotated[
    str,
    Field(min_length=1, max_length=MOST_TOML, description="TOML text, as in a strategy file"),
]
Bucket = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, examples=["core"])]

BucketInPath = Annotated[str, Path(min_length=1, max_length=LONGEST_NAME, examples=["core"])]
NameInPath = Annotated[str, Path(min_length=1, max_length=LONGEST_NAME)]


def _digits(value: object) -> object:
    """An id of a path is spelled in one way: no sign, point, underscore or space."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("not a whole number in digits")
    return value


IdInPath = Annotated[int, Path(ge=1, le=MOST_ID), BeforeValidator(_digits)]


async def house_of(request: Request) -> House:
    """What a handler stands in; async, so that asking costs no thread."""
    house: House = request.app.state.house
    return house


Here = Annotated[House, Depends(house_of)]


def changing(house: House) -> Store:
    """The database for a change: its events have the trace of the request in common; blocks."""
    return replace(house.store(), correlation_id=traces.trace_id() or "")


class Asked(BaseModel):
    """A request: what it has no field for is refused, and no value is turned into another kind."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Answer(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid")
