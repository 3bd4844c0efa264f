"""Bodies of two forms: ours, which names a context or a bucket, and the documents', which is whole.

One key tells which it is, so that what is wrong is located in that form alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Discriminator

OURS, WHOLE = "named", "whole"
"""Tags of the two forms."""


def by(key: str, ours: type[BaseModel]) -> Discriminator:
    """Tells the forms apart: ours has this key."""

    def form(body: Any) -> str:
        named = key in body if isinstance(body, Mapping) else isinstance(body, ours)
        return OURS if named else WHOLE

    return Discriminator(form)
