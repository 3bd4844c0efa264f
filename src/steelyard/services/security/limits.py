"""How much of it: requests, bodies, nesting, seconds. One table, so that it is read at a glance."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

KIB = 1 << 10
MIB = 1 << 20
MOST_HEAD_BYTES = 16 * KIB
MOST_DEPTH = 32
"""Arrays and objects that may be open at once in a JSON body."""
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class Limits(BaseModel):
    """What one process grants.

    requests_per_second, burst    of a token, on the routes of the management API
    in_flight     requests that are answered at once; with more, 503
    unknown       of these, of callers without a token, who may ask for health alone
    sending       of these, of one token or session, whose bodies are not here whole yet
    streams       streams of events that are open at once
    body_seconds  until a request has to be here whole
    failures      wrong tokens of one address in a minute, after which it is locked out
    lock_seconds  for how long
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_second: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 20
    burst: Annotated[int, Field(ge=1, le=10**6)] = 60
    in_flight: Annotated[int, Field(ge=1, le=10_000)] = 64
    unknown: Annotated[int, Field(ge=1, le=1000)] = 8
    sending: Annotated[int, Field(ge=1, le=10_000)] = 16
    streams: Annotated[int, Field(ge=1, le=1000)] = 32
    body_seconds: Seconds = 30
    failures: Annotated[int, Field(ge=1, le=1000)] = 5
    lock_seconds: Seconds = 60


class Size(NamedTuple):
    """Bodies of some routes may have so many bytes."""

    method: str
    path: re.Pattern[str]
    most: int


MOST_BODY_BYTES = MIB
SIZES = (
    Size("PUT", re.compile(r"/[a-z]+/contexts/[^/]+"), 16 * MIB),
    Size("POST", re.compile(r"/import(?:/[a-z]+)?"), 16 * MIB),
)
"""Routes whose bodies may be larger than `MOST_BODY_BYTES`."""


def largest_body(method: str, path: str) -> int:
    """Bytes that a body may have."""
    return next(
        (size.most for size in SIZES if size.method == method and size.path.fullmatch(path)),
        MOST_BODY_BYTES,
    )
