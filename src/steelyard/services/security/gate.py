"""Before every route: may this be asked at all, by whom, how often, and what does the body say?

    head      framing, Host, method, origin, path      refused before anybody is asked for a token
    caller    token, or the session of a browser, or a path that is open without; an address that
              guesses is locked out
    pace      requests a second of a token, requests at once
    body      type, size, seconds, strict JSON
    reply     the headers that every answer has; what fails is a problem without detail, or a page
    audit     a line for each refusal and each call that may change something

A pure ASGI layer around the whole application, so that no route can be without it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import get_args

from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from steelyard.errors import SettingsError, StoreError
from steelyard.services.house import House
from steelyard.services.security import audit, bodies, sessions
from steelyard.services.security.callers import Caller
from steelyard.services.security.heads import Head, refusal_of
from steelyard.services.security.hosts import Hosts, is_loopback
from steelyard.services.security.keyring import Keyring
from steelyard.services.security.limits import KIB
from steelyard.services.security.rates import Locks, Pace, Room
from steelyard.services.security.refusal import Refusal
from steelyard.services.security.reply import NoStream, Reply
from steelyard.services.security.roles import CALLER
from steelyard.services.security.tokens import OWN
from steelyard.services.topology import Name

LOGGER = logging.getLogger("steelyard.services")
SERVICES: tuple[Name, ...] = get_args(Name)
HEALTH = frozenset(f"/{name}/health" for name in (*SERVICES, "api", "ui"))
METRICS = "/metrics"
OPEN = ("/health", METRICS)
"""What the paths end with that may be asked without a token, by whom is said below."""
BETWEEN_SERVICES = tuple(f"/{name}/" for name in SERVICES)
"""How paths begin by which services ask each other: with the machine's own token at any pace."""
WHENCE = "On its machine `steelyard token create --role R` makes one."
UNREAD_BYTES = 64 * KIB
"""A body of a refused request that is larger is not waited for."""
LINGER_SECONDS, LINGER_BYTES = 1.0, 512 * KIB
FORBIDDEN = 403
UNREAD = frozenset({408, 413, 415})
"""Statuses of refusals before a body was read whole."""
TOO_SLOW = 408
"""How long a refusal waits for its sender to stop, so that it is read."""


class Gate:
    """Lets through what may be asked, with who asks in the state."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        limits = house.topology.limits
        self._app, self._limits, self._house = app, limits, house
        self._hosts = Hosts(house.port, house.hosts)
        self._keys = Keyring(house)
        self._pace, self._locks = Pace(limits, house.seconds), Locks(limits, house.seconds)
        self._room, self._unknown = Room(limits.in_flight), Room(limits.unknown)
        self._streams = Room(limits.streams)
        self._sending: dict[str, Room] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; there are no web sockets."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head.of(scope)
        caller = await self._admitted(head)
        room = self._unknown if caller is None and not self._is_page(head) else self._room
        reply = Reply(send, room, self._streams, head.length)
        if isinstance(caller, Refusal):
            await self._refuse(caller, head, None, receive, reply)
            return
        if not room.enter():
            await self._refuse(_busy(room.most), head, caller, receive, reply)
            return
        try:
            await self._let_in(scope, head, caller, receive, reply)
        finally:
            reply.room.leave()

    async def _admitted(self, head: Head) -> Caller | Refusal | None:
        """Who asks, as far as the head of the request says; None on a path open to all."""
        caller = refusal_of(head, self._hosts) or await self._caller(head)
        if isinstance(caller, Caller) and not _between_services(head, caller):
            wait = self._pace.wait(caller.token_id)
            if wait > 0:
                what = f"More than {self._limits.requests_per_second:g} requests a second."
                return _later(429, "too_fast", what, wait)
        return caller

    async def _caller(self, head: Head) -> Caller | Refusal | None:
        if self._is_page(head) or (_is_open(head) and not head.all("authorization")):
            return None
        name = sessions.cookie_of(self._house.port)
        secrets = [] if head.all("authorization") else sessions.secrets_of(head, name)
        if secrets and self._house.pages is not None:
            return await self._signed_in(secrets)
        return self._with_token(head)

    def _is_page(self, head: Head) -> bool:
        """Is it a page, or part of one, that is open to all?"""
        return self._house.pages is not None and self._house.pages.is_open(head)

    async def _signed_in(self, secrets: Sequence[str]) -> Caller | Refusal:
        house = self._house
        try:
            caller = await to_thread.run_sync(
                lambda: sessions.caller_of(house.store(), secrets, house.utc()),
                limiter=house.checking,
            )
        except StoreError as error:
            LOGGER.error("nobody is let in: %s", error)  # noqa: TRY400 a file, no fault of ours
            return Refusal(503, "no_sessions", "The database cannot be read; its log says why.")
        return caller or _nobody("no_session", "This browser is not signed in any more.")

    def _with_token(self, head: Head) -> Caller | Refusal:
        wait = self._locks.wait(head.peer)
        if wait > 0:
            what = "This address sent too many tokens that are not known."
            return _later(429, "locked_out", what, wait)
        scheme, _, secret = head.first("authorization").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            return _nobody("no_token", "There is no token. Send Authorization: Bearer TOKEN.")
        try:
            verdict = self._keys.verdict(secret.strip())
        except SettingsError as error:
            LOGGER.error("nobody is let in: %s", error)  # noqa: TRY400 a file, no fault of ours
            what = "The tokens of this service cannot be read; its log says why."
            return Refusal(503, "no_tokens", what)
        if verdict.caller is None and verdict.why == "unknown":
            self._locks.failed(head.peer)
        return verdict.caller or _nobody(f"{verdict.why}_token", f"The token is {verdict.why}.")

    async def _let_in(
        self, scope: Scope, head: Head, caller: Caller | None, receive: Receive, reply: Reply
    ) -> None:
        """Read the body, and ask the application."""
        scope.setdefault("state", {})[CALLER] = caller
        if head.has_body:
            body = await self._body(head, caller, receive)
            if not isinstance(body, Refusal) or body.status not in UNREAD:
                reply.unread = 0
            if isinstance(body, Refusal):
                await self._refuse(body, head, caller, receive, reply)
                return
            if body is None:
                return
            receive = bodies.again(body, receive)
        await self._ask(scope, head, caller, receive, reply)

    async def _body(
        self, head: Head, caller: Caller | None, receive: Receive
    ) -> bytes | Refusal | None:
        """The body, or why it is not waited for; None when who sends it has gone."""
        if self._is_page(head):
            return Refusal(400, "body_unasked", "This path takes no body.")
        pages, seconds = self._house.pages, self._limits.body_seconds
        form = pages is not None and pages.takes_form(head)
        refusal = bodies.announced(head, form=form)
        if refusal is not None:
            return refusal
        if caller is None or _between_services(head, caller):
            return await bodies.read(head, receive, seconds, form=form)
        sending = self._sending.setdefault(caller.token_id, Room(self._limits.sending))
        if not sending.enter():
            return _busy(sending.most)
        try:
            return await bodies.read(head, receive, seconds, form=form)
        finally:
            sending.leave()
            if not sending.used:
                del self._sending[caller.token_id]

    async def _refuse(
        self, refusal: Refusal, head: Head, caller: Caller | None, receive: Receive, reply: Reply
    ) -> None:
        """Answer, and log it. Of a large body that was not read, the connection is closed."""
        audit.refused(head, refusal.status, refusal.code, caller)
        page = None if self._house.pages is None else self._house.pages.refused(refusal, head)
        response = page or refusal.response()
        if reply.unread <= UNREAD_BYTES:
            await response({"type": "http"}, receive, reply)
            return
        response.headers["Connection"] = "close"
        start = {"status": response.status_code, "headers": response.raw_headers}
        await reply({"type": "http.response.start", **start})
        await reply({"type": "http.response.body", "body": response.body, "more_body": True})
        if refusal.status != TOO_SLOW:
            await _lingered(receive)
        await reply({"type": "http.response.body", "body": b"", "more_body": False})

    async def _ask(
        self, scope: Scope, head: Head, caller: Caller | None, receive: Receive, reply: Reply
    ) -> None:
        try:
            await self._app(scope, receive, reply)
        except NoStream:
            await self._refuse(_busy(self._streams.most), head, caller, receive, reply)
        except Exception:
            if reply.status:
                raise
            LOGGER.exception("%s %s failed", head.method, head.path)
            await self._refuse(FAULT, head, caller, receive, reply)
        else:
            _note(head, reply.status, caller)


FAULT = Refusal(
    500,
    "internal_fault",
    "This program has a fault; its log says where. Look whether it was done before asking again.",
)


def _note(head: Head, status: int, caller: Caller | None) -> None:
    """Log what a role may not do, and what may have changed something."""
    if status == FORBIDDEN:
        audit.refused(head, status, "role_too_low", caller)
    elif not head.is_safe and not (caller and _between_services(head, caller)):
        audit.answered(head, status, caller)


def _is_open(head: Head) -> bool:
    """May it be asked without a token? Health by anybody, metrics from this machine."""
    if head.method != "GET":
        return False
    return head.path in HEALTH or (head.path == METRICS and is_loopback(head.peer))


def _between_services(head: Head, caller: Caller) -> bool:
    return caller.token_id == OWN and head.path.startswith(BETWEEN_SERVICES)


def _nobody(code: str, message: str) -> Refusal:
    headers = {"WWW-Authenticate": "Bearer"}
    return Refusal(401, code, f"{message} {WHENCE}", "authorization", headers=headers)


def _busy(most: int) -> Refusal:
    return _later(503, "too_busy", f"{most} requests are being answered.", 1, f"{most}")


def _later(status: int, code: str, message: str, wait: float, limit: str | None = None) -> Refusal:
    seconds = math.ceil(wait)
    headers = {"Retry-After": str(seconds)}
    return Refusal(status, code, message, "", limit, f"ask again in {seconds} s", headers)


async def _lingered(receive: Receive) -> None:
    """Let who sends read that it is refused: a connection that is cut at once says nothing."""
    size, more = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while more and size < LINGER_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
