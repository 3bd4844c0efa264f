"""What the gate of the services asks about pages for people."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from steelyard.environment import command
from steelyard.errors import Fault
from steelyard.services.house import House
from steelyard.services.security.heads import Head
from steelyard.services.security.refusal import Refusal
from steelyard.services.security.roles import caller_of
from steelyard.web.shell import HEADERS, page, templates

OPEN = re.compile(r"/assets/[^/]+|/sign-in(?:/[^/]*)?|/favicon\.ico|/robots\.txt")
"""Paths that are asked without a session."""
PROGRAMS = re.compile(
    r"/(?:api|configs|presets|satellites|planner|planning|coordinator|evaluator|generator"
    r"|opportunity|events|metrics|openapi\.json|ui)(?:/.*)?"
    r"|/buckets/[^/]+/(?:assign-config|rollback|config)"
)
"""Paths of programs, which send and get JSON."""
UNAUTHORISED = 401
NO_PLACE = 404
ELSEWHERE = {"cross-site", "same-site"}
"""Sec-Fetch-Site of a link in a mail or another page: the cookie does not come with it."""


class WebPages:
    """The pages of one house."""

    def __init__(self, house: House) -> None:
        self._house = house

    def is_open(self, head: Head) -> bool:
        """Style, scripts and fonts, and the link that signs somebody in."""
        return head.method == "GET" and OPEN.fullmatch(head.path) is not None

    def takes_form(self, head: Head) -> bool:
        """Every change by a page, and none by a program."""
        return head.method == "POST" and PROGRAMS.fullmatch(head.path) is None

    def refused(self, refusal: Refusal, head: Head) -> Response | None:
        """A refusal as a page, for a browser that asked for one."""
        if PROGRAMS.fullmatch(head.path) or "text/html" not in head.first("accept"):
            return None
        again = refusal.status == UNAUTHORISED and head.first("sec-fetch-site") in ELSEWHERE
        text = (
            templates()
            .get_template("refused.html")
            .render(
                refusal=refusal,
                again=again and head.method == "GET",
                theme="system",
                command=partial(command, self._house.variables),
            )
        )
        return HTMLResponse(text, refusal.status, headers={**HEADERS, **refusal.headers})

    def lost(self, request: Request, status: int, fault: Fault) -> Response | None:
        """An address that is no page, as a page, for a browser that asked for one."""
        asks = "text/html" in request.headers.get("accept", "")
        if not asks or PROGRAMS.fullmatch(request.url.path) or caller_of(request) is None:
            return None
        missing = status == NO_PLACE
        heading = "There is no such page." if missing else "That is not done at this address."
        shown = replace(fault, message=f"Nothing is at {request.url.path}.") if missing else fault
        return page(request, "failed.html", at="", status=status, heading=heading, faults=[shown])
