"""The text of a request to its model, strictly: what two readers may read differently is refused.

What HTTP refuses of a body (`security.strict`) is refused here too, without a server.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from steelyard.errors import Fault, InputError, one_line
from steelyard.services.wire import BucketRequest, CreatePlanRequest, PlanRequest

MOST_PLACES = 20
"""Places of a request that are listed."""
LONGEST_SHOWN = 60
NOTHING = "Nothing was planned."
REQUEST: TypeAdapter[CreatePlanRequest | BucketRequest] = TypeAdapter(PlanRequest)


def request_of(text: str) -> CreatePlanRequest | BucketRequest:
    """The request of a text; raises InputError with every place that is not usable."""
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(
            f"The request is not JSON, at {place}: {error.msg}. {NOTHING}",
            code="request_not_json",
            place=place,
        ) from error
    except RecursionError as error:
        raise InputError(
            f"The request is nested deeper than any request. {NOTHING}", code="request_too_deep"
        ) from error
    try:
        return REQUEST.validate_python(value)
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> InputError:
    slips = error.errors(include_url=False)
    # a tag of the form comes first in each place, and is no part of the request
    places = [".".join(map(str, slip["loc"][1:])) or "the request" for slip in slips]
    lines = [f"{place}: {slip['msg']}" for place, slip in zip(places, slips, strict=True)]
    shown = lines[:MOST_PLACES]
    more = f"\nand {len(lines) - len(shown)} more" if len(lines) > len(shown) else ""
    return InputError(
        "\n".join([f"The request cannot be read, in {len(lines)} places. {NOTHING}", *shown])
        + more,
        code="request_unreadable",
        place=places[0],
        faults=tuple(
            Fault("request_unreadable", f"{line}. {NOTHING}", place)
            for line, place in zip(shown, places, strict=False)
        ),
    )


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            shown = one_line(repr(name), LONGEST_SHOWN)
            raise InputError(
                f"The request says {shown} twice in one place, so it can be read in two ways. "
                f"{NOTHING}",
                code="request_name_twice",
                value=shown,
            )
        values[name] = value
    return values


def _no_number(text: str) -> NoReturn:
    raise InputError(
        f"The request has {text[:LONGEST_SHOWN]}, which is no number. {NOTHING}",
        code="request_no_number",
        value=text[:LONGEST_SHOWN],
        limit="a finite number",
    )


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)
