"""Before every route: who asks. A pure ASGI layer, so that a refusal costs no body."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from steelyard.errors import Fault
from steelyard.services.house import House
from steelyard.services.problems import problem
from steelyard.services.security.roles import CALLER
from steelyard.services.security.tokens import caller_with

OPEN = ("/health", "/metrics")
"""What a path without a token ends with."""


class Gate:
    """Lets through who has a token; health answers without, by up or down alone."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"].endswith(OPEN):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        scheme, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        caller = caller_with(self._house, secret) if scheme.lower() == "bearer" else None
        if caller is None:
            fault = Fault(
                code="no_token",
                message="No token that is known. Nothing was done. Send Authorization: Bearer …",
                place="Authorization",
            )
            refusal = problem(401, (fault,), {"WWW-Authenticate": "Bearer"})
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})[CALLER] = caller
        await self._app(scope, receive, send)
