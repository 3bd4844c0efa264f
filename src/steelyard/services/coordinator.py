"""POST /coordinator/create-plan, and /planning/create, its older name: a whole plan.

The coordinator is the planner with its steps carried by services: see `remote`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import Field

from steelyard.errors import ServiceError
from steelyard.planning.solve import Steps
from steelyard.services.carrier import Carrier
from steelyard.services.house import House
from steelyard.services.messages import Message
from steelyard.services.remote import carried
from steelyard.services.security.roles import needs

T = TypeVar("T")
router = APIRouter(tags=["coordinator"])


class OfBucket(Message):
    """A plan of what a bucket holds, by its own strategy; it is kept."""

    bucket: Annotated[str, Field(min_length=1, max_length=64)]
