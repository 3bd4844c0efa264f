"""What a form sends: its fields, from a page that this caller was shown, and acted upon once.

Every form has a hidden field `nonce`: a random number and its MAC, which only this machine can
make, over whoever was shown the page. A page of somebody else cannot send one. A form that is sent
twice as it is, by a double click or a reload in the middle, is acted upon once: the second one is
answered with where the first one went. The same page with something else typed is another form.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from cachetools import LRUCache
from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from steelyard.errors import InputError
from steelyard.services.house import House
from steelyard.services.security.callers import Caller
from steelyard.services.security.roles import caller_of
from steelyard.services.security.tokens import own_token

FIELD = "nonce"
RANDOM_BYTES = 12
MAC_DIGITS = 32
PURPOSE = b"forms of pages"
MOST_FIELDS = 5000
MOST_FILES = 8
MOST_REMEMBERED = 10_000
SEE_OTHER = 303
NUL = "\0"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file of a form."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What a form sent; of a field that is there more than once, `fields` has the last.

    by       who sent it
    digest   of where it was sent, and of all that is in it
    """

    fields: Mapping[str, str]
    every: Sequence[tuple[str, str]]
    files: Mapping[str, Sent]
    digest: str
    by: Caller
    _once: Once

    def text(self, name: str, default: str = "") -> str:
        """A field without the space around it."""
        return self.fields.get(name, default).strip()

    def named(self, prefix: str) -> dict[str, str]:
        """The fields of a prefix, without it: `quantity.` gives symbol -> what was typed."""
        return {
            name.removeprefix(prefix): value.strip()
            for name, value in self.fields.items()
            if name.startswith(prefix)
        }

    async def once(
        self, work: Callable[[], str], limiter: CapacityLimiter | None = None
    ) -> Response:
        """Do the work of the form in a thread, once, and go to the address that it gives.

        A form that fails may be sent again: what it raises is for the page to show.

        limiter   of work that takes a while: other pages are not kept waiting by it
        """
        return RedirectResponse(await self._once.address(self.digest, work, limiter), SEE_OTHER)


class Once:
    """Forms that were acted upon, those sent last: their digest -> where that led."""

    def __init__(self) -> None:
        self._sent: LRUCache[str, asyncio.Future[str]] = LRUCache(MOST_REMEMBERED)

    async def address(
        self, digest: str, work: Callable[[], str], limiter: CapacityLimiter | None = None
    ) -> str:
        """Where the work of a form led; it is done by whoever comes first."""
        before = self._sent.get(digest)
        if before is not None:
            return await asyncio.shield(before)
        future = self._sent[digest] = asyncio.get_running_loop().create_future()
        try:
            address = await to_thread.run_sync(work, limiter=limiter)
        except BaseException as error:
            self._sent.pop(digest, None)
            future.set_exception(error)
            future.exception()  # whoever sent it alone has it from here
            raise
        future.set_result(address)
        return address


def new_nonce(house: House, caller: Caller) -> str:
    """What a form shown to a caller sends back."""
    number = secrets.token_hex(RANDOM_BYTES)
    return f"{number}.{_mac(house, caller, number)}"


async def posted(request: Request) -> Form:
    """The form of a request; raises InputError where no page of ours sent it."""
    house: House = request.app.state.house
    caller = caller_of(request)
    if caller is None:  # the route's role was checked before
        raise _stale()
    try:
        content = await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS)
    except HTTPException as error:  # what the parser of forms raises within an application
        raise InputError(
            f"The form cannot be read: {error.detail} Nothing was done. Load the page and send it "
            "again.",
            code="form_unreadable",
            place="form",
        ) from error
    files: dict[str, Sent] = {}
    every: list[tuple[str, str]] = []
    for name, value in content.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:
                files[name] = Sent(value.filename, await value.read())
        else:
            every.append((name, value.replace(NUL, "")))
    await content.close()
    fields = dict(every)
    number, _, mac = fields.get(FIELD, "").partition(".")
    own = _mac(house, caller, number)
    if not hmac.compare_digest(mac.encode("utf-8", "replace"), own.encode()):
        raise _stale()
    once = request.app.state.forms = getattr(request.app.state, "forms", None) or Once()
    return Form(fields, every, files, _digest(request.url.path, every, files), caller, once)


Posted = Annotated[Form, Depends(posted)]
"""Parameter of a handler that takes a form."""


def _digest(path: str, every: Sequence[tuple[str, str]], files: Mapping[str, Sent]) -> str:
    """Of a form as it was sent, its nonce too."""
    parts = [(name, sent.name, hashlib.sha256(sent.content).hexdigest()) for name, sent in
             sorted(files.items())]  # fmt: skip
    text = json.dumps([path, list(every), parts])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _mac(house: House, caller: Caller, number: str) -> str:
    key = hashlib.sha256(PURPOSE + own_token(house).encode()).digest()
    text = f"{caller.token_id}.{number}".encode("utf-8", "replace")
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:MAC_DIGITS]


def _stale() -> InputError:
    return InputError(
        "This form was not made for this session: it is too old, or of another page. Nothing was "
        "done. Load the page again and send the form from there.",
        code="form_stale",
        place=FIELD,
        hint="load the page again",
    )
