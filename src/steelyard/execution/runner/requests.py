"""What a runner may be asked: names and ids only. A plan never comes over the socket."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from steelyard.errors import NotExecuted

SECRET = "secret"  # noqa: S105 - the name of a field
NOTHING = "Nothing was done."
RECOVERING = "the runs that were interrupted"
"""What a runner is busy with when it begins, before anything is asked of it."""


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Execute(_Request):
    """Trade a stored plan.

    plan_id   whole, as it is stored
    account   None = the one that the plan belongs to
    """

    request: Literal["execute"]
    plan_id: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    broker: Literal["paper", "alpaca"] = "paper"
    account: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    live: bool = False


class Status(_Request):
    """What it is doing."""

    request: Literal["status"]


class Runs(_Request):
    """The newest runs, with their orders."""

    request: Literal["runs"]
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class Halt(_Request):
    """Engage the kill switch."""

    request: Literal["halt"]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


Request = Execute | Status | Runs | Halt
_ANY: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="request")])


def request_of(content: Mapping[str, Any], secret: str) -> Request:
    """What is asked; raises NotExecuted for a wrong secret before anything else is looked at."""
    mine, theirs = secret.encode(), content.get(SECRET)
    if not (isinstance(theirs, str) and hmac.compare_digest(mine, _bytes(theirs))):
        raise NotExecuted(f"The secret is wrong. {NOTHING}", code="wrong_secret", place=SECRET)
    try:
        return _ANY.validate_python({k: v for k, v in content.items() if k != SECRET})
    except ValidationError as errors:
        first = errors.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise NotExecuted(
            f"That is no request: {place or 'request'}: {first['msg']}. {NOTHING}",
            code="bad_request",
            place=place,
        ) from errors


def _bytes(text: str) -> bytes:
    """Also of what no encoding takes."""
    return text.encode("utf-8", errors="replace")
