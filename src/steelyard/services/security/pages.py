"""What the gate asks about pages for people, which a browser shows, beside routes for programs."""

from __future__ import annotations

from typing import Protocol

from fastapi import Request, Response

from steelyard.errors import Fault
from steelyard.services.security.heads import Head
from steelyard.services.security.refusal import Refusal


class Pages(Protocol):
    """The pages of an application; those of the web UI are `steelyard.web.pages`."""

    def is_open(self, head: Head) -> bool:
        """May it be asked without a session: a style sheet, a link that signs somebody in?"""

    def takes_form(self, head: Head) -> bool:
        """Does it take what a form of a page sends, in the place of JSON?"""

    def refused(self, refusal: Refusal, head: Head) -> Response | None:
        """A refusal as a page; None where no page was asked for."""

    def lost(self, request: Request, status: int, fault: Fault) -> Response | None:
        """An address or a method that no route has, as a page; None as of `refused`."""
