"""What a form sends: its fields, from a page that this caller was shown, and acted upon once.

Every form has a hidden field `nonce`: the time, a random number and their MAC, which only this
machine can make, over whoever was shown the page. A page of somebody else cannot send one. A form
that is sent twice as it is, by a double click, a reload in the middle or after a restart, is acted
upon once: the second one is answered with where the first one went. The same page with something
else typed is another form, but where money moves: of such a page one form is acted upon.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from cachetools import LRUCache
from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from steelyard.errors import ChangedMeanwhile, InputError, StoreError
from steelyard.services.house import House
from steelyard.services.security.callers import Caller
from steelyard.services.security.roles import caller_of
from steelyard.services.security.tokens import own_token
from steelyard.store import sent_forms
from steelyard.store.sent_forms import SentForm

FIELD = "nonce"
RANDOM_BYTES = 12
MAC_DIGITS = 32
PURPOSE = b"forms of pages"
MOST_FIELDS = 5000
MOST_FILES = 8
MOST_REMEMBERED = 10_000
LIVES = timedelta(hours=24)
"""Of a form, as of a session."""
LOGGER = logging.getLogger("steelyard.web")
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
    nonce    of the page that it was on
    """

    fields: Mapping[str, str]
    every: Sequence[tuple[str, str]]
    files: Mapping[str, Sent]
    digest: str
    nonce: str
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
        self,
        work: Callable[[], str],
        limiter: CapacityLimiter | None = None,
        *,
        single: bool = False,
    ) -> Response:
        """Do the work of the form in a thread, once, and go to the address that it gives.

        A form that fails may be sent again: what it raises is for the page to show.

        limiter   of work that takes a while: other pages are not kept waiting by it
        single    of its page no other form may have been acted upon
        """
        act = partial(self._once.acted, self.digest, self.nonce, work, single=single)
        return RedirectResponse(await self._once.address(self.digest, act, limiter), SEE_OTHER)


class Once:
    """Forms that were acted upon, by their digest: those at work here, and what the store knows."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._at_work: dict[str, asyncio.Future[str]] = {}
        self._refused: LRUCache[str, bool] = LRUCache(MOST_REMEMBERED)

    async def address(
        self, digest: str, act: Callable[[], str], limiter: CapacityLimiter | None = None
    ) -> str:
        """Where a form led; it is acted upon by whoever comes first, the others wait for it."""
        before = self._at_work.get(digest)
        if before is not None:
            return await asyncio.shield(before)
        future = self._at_work[digest] = asyncio.get_running_loop().create_future()
        try:
            address = await to_thread.run_sync(act, limiter=limiter)
        except BaseException as error:
            future.set_exception(error)
            future.exception()  # whoever sent it alone has it from here
            raise
        else:
            future.set_result(address)
            return address
        finally:
            del self._at_work[digest]

    def acted(self, digest: str, nonce: str, work: Callable[[], str], *, single: bool) -> str:
        """Where the work of a form led, now or before; blocks.

        Raises ChangedMeanwhile where nobody can tell whether it was done, and what the work raises.
        """
        with self._house.store().writing() as transaction:
            before = sent_forms.begin(transaction, digest, nonce, single=single)
        if before is not None and before.address is not None and not before.is_other:
            return before.address
        if before is not None and (before.is_other or digest not in self._refused):
            raise _sent_before(before)
        self._refused.pop(digest, None)
        try:
            address = work()
        except BaseException:
            self._refused[digest] = True  # its row may be there still, where nothing can be written
            self._noted(sent_forms.undone, digest)
            raise
        self._noted(sent_forms.led, digest, address)
        return address

    def _noted(self, note: Callable[..., None], *values: str) -> None:
        """Note how a form ended; what cannot be noted changes nothing of what was done."""
        try:
            with self._house.store().writing() as transaction:
                note(transaction, *values)
        except StoreError as error:
            LOGGER.warning("How a form ended could not be noted: %s", error)


def new_nonce(house: House, caller: Caller) -> str:
    """What a form shown to a caller sends back."""
    number = f"{int(house.utc().timestamp()):x}-{secrets.token_hex(RANDOM_BYTES)}"
    return f"{number}.{_mac(house, caller, number)}"


async def posted(request: Request) -> Form:
    """The form of a request; raises InputError where no page of ours sent it."""
    house: House = request.app.state.house
    caller = caller_of(request)
    if caller is None:  # the route's role was checked before
        raise _stale()
    try:
        content = await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS)
    except (HTTPException, UnicodeError, LookupError) as error:  # what parsers of forms raise
        why = getattr(error, "detail", "its texts are not UTF-8.")
        raise InputError(
            f"The form cannot be read: {why} Nothing was done. Load the page and send it again.",
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
    if int(number.partition("-")[0], 16) < (house.utc() - LIVES).timestamp():
        raise _stale()
    once = request.app.state.forms = getattr(request.app.state, "forms", None) or Once(house)
    return Form(fields, every, files, _digest(request.url.path, every, files), number, caller, once)


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


def _sent_before(before: SentForm) -> ChangedMeanwhile:
    if before.is_other:
        what = "Another form of this page was sent before, and acted upon: this one moves nothing."
    else:
        what = (
            "This form was sent before, and Steelyard ended while it was at work: whether it was "
            "done is not known. It is not done again."
        )
    return ChangedMeanwhile(
        f"{what} Load the page again, look at what is there, and send it from there if it is still "
        "wanted.",
        code="form_sent_before",
        place=FIELD,
        hint="load the page again",
    )


def _stale() -> InputError:
    return InputError(
        "This form was not made for this session: it is too old, or of another page. Nothing was "
        "done. Load the page again and send the form from there.",
        code="form_stale",
        place=FIELD,
        hint="load the page again",
    )
