"""The body of a request: so many bytes in so many seconds, JSON and nothing else, read strictly.

Where a page takes what its form sends, that and nothing else: a program has no business there.
"""

from __future__ import annotations

import asyncio
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive

from steelyard.services.security.heads import Head
from steelyard.services.security.limits import KIB, largest_body
from steelyard.services.security.refusal import Refusal
from steelyard.services.security.strict import NotStrict, strict

IN_THREAD_BYTES = 64 * KIB
"""A larger body is parsed beside the loop."""
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def announced(head: Head, *, form: bool = False) -> Refusal | None:
    """Why a body is not read at all; form: of a page's form."""
    coding = head.first("content-encoding").lower()
    if coding not in {"", "identity"}:
        what = "A packed body is not unpacked."
        return Refusal(415, "packed_body", what, "content-encoding", "identity")
    if form and not _is_form(head.first("content-type")):
        what = "The body has to be what a form sends."
        return Refusal(415, "not_a_form", what, "content-type", FORMS[0])
    if not form and not _is_json(head.first("content-type")):
        what = "The body has to be application/json, in UTF-8."
        return Refusal(415, "not_application_json", what, "content-type", "application/json")
    most = largest_body(head.method, head.path)
    chunked = bool(head.all("transfer-encoding"))
    return None if chunked or head.length <= most else too_large(most)


def _is_form(content_type: str) -> bool:
    """Read as whoever parses the form reads it: another reading would let another charset in."""
    kind, options = parse_options_header(content_type)
    charset = options.get(b"charset", b"utf-8").decode("latin-1").lower()
    return kind.decode("latin-1") in FORMS and charset == "utf-8"


def _is_json(content_type: str) -> bool:
    kind, _, more = content_type.lower().partition(";")
    charset = more.strip().removeprefix("charset=").strip('"')
    return kind.strip() == "application/json" and charset in {"", "utf-8"}


def too_large(most: int) -> Refusal:
    """It has more bytes than it may."""
    return Refusal(
        413, "body_too_large", f"The body has over {most:,} bytes.", "body", f"{most:,} bytes"
    )


async def read(
    head: Head, receive: Receive, seconds: float, *, form: bool = False
) -> bytes | Refusal | None:
    """The body, or why not; None when who sends it has gone. A form's is read by its page."""
    most = largest_body(head.method, head.path)
    try:
        async with asyncio.timeout(seconds):
            data = await _whole(receive, most)
    except TimeoutError:
        what = f"The body was not here after {seconds:g} seconds."
        return Refusal(408, "body_too_slow", what, "body", f"{seconds:g} seconds")
    if data is None:
        return None
    if len(data) > most:
        return too_large(most)
    if form:
        return data
    try:
        if len(data) > IN_THREAD_BYTES:
            await run_in_threadpool(strict, data)
        elif data:
            strict(data)
    except NotStrict as error:
        return error.refusal
    return data


async def _whole(receive: Receive, most: int) -> bytes | None:
    """All of it, or so much that it is too much; None when who sends it has gone."""
    chunks: list[bytes] = []
    size = 0
    while size <= most:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


def again(data: bytes, receive: Receive) -> Receive:
    """For the application: the body in one message, and then whatever comes."""
    waiting = [data]

    async def replayed() -> Any:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replayed
