"""A request that is not let through: status, why, and what limit it met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi.responses import JSONResponse

from steelyard.errors import Fault
from steelyard.services.problems import problem

FAULT = 500
"""The one status of which it is not known what was done."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`message` says what; that nothing was done is added, where that is so."""

    status: int
    code: str
    message: str
    place: str = ""
    limit: str | None = None
    hint: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> JSONResponse:
        """As problem+json."""
        message = self.message if self.status == FAULT else f"{self.message} Nothing was done."
        fault = Fault(self.code, message, self.place, None, self.limit, self.hint)
        return problem(self.status, (fault,), self.headers)
