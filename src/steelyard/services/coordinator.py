"""POST /coordinator/create-plan, and /planning/create, its older name: a whole plan.

The coordinator is the planner with its steps carried by services: see `remote`.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import APIRouter
from pydantic import Field

from steelyard.services.messages import Message

T = TypeVar("T")
router = APIRouter(tags=["coordinator"])


class OfBucket(Message):
    """A plan of what a bucket holds, by its own strategy; it is kept."""

    bucket: Annotated[str, Field(min_length=1, max_length=64)]
