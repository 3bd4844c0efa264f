"""The head of a request, and what of it is refused before anybody asks who sent it.

framing     one length, one Host, one Authorization, a path: else two readers of it disagree
host        the Host header names this service: else a page of another name asks (DNS rebinding)
method      no TRACE, CONNECT, override
origin      no page of another origin, by whatever way; there is no CORS
path        one spelling
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from steelyard.services.security.hosts import Hosts
from steelyard.services.security.limits import MOST_HEAD_BYTES
from steelyard.services.security.refusal import Refusal

VERSIONS = frozenset({"1.0", "1.1"})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
SINGLE = ("host", "authorization", "content-length", "content-type", "transfer-encoding", "origin")
MOST_DIGITS = 15
"""Of a length."""
LINE_OVERHEAD = 4
"""Bytes of a header's line besides name and value."""
CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
CROOKED = re.compile(rb"%2f|%5c|%25|\\|//", re.IGNORECASE)
"""Spellings of a path that somebody may read as another one."""
DOTS = re.compile(r"/\.{1,2}(?:/|$)")


@dataclass(frozen=True, slots=True)
class Head:
    """`headers` has names in lower case; `peer` is the other end of the connection itself."""

    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: Mapping[str, list[str]]
    version: str
    scheme: str
    port: int
    peer: str

    @classmethod
    def of(cls, scope: Scope) -> Head:
        """As ASGI has it."""
        client, server = scope.get("client"), scope.get("server")
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            values = headers.setdefault(name.decode("latin-1").lower(), [])
            values.append(value.decode("latin-1").strip())
        return cls(
            method=scope["method"],
            path=scope["path"],
            raw_path=scope.get("raw_path") or scope["path"].encode(),
            query=scope["query_string"],
            headers=headers,
            version=scope.get("http_version", ""),
            scheme=scope.get("scheme", "http"),
            port=cast(int, server[1]) or 0 if server else 0,
            peer=client[0] if client else "",
        )

    def all(self, name: str) -> Sequence[str]:
        """Every header of a name."""
        return self.headers.get(name, ())

    def first(self, name: str) -> str:
        """A header, or nothing."""
        return next(iter(self.all(name)), "")

    @property
    def has_body(self) -> bool:
        """Is there one, as far as the head says?"""
        return self.length > 0

    @property
    def length(self) -> float:
        """Bytes of the body, as far as the head says; infinity for one in chunks."""
        text = self.first("content-length") or "0"
        if self.all("transfer-encoding") or not text.isdigit() or len(text) > MOST_DIGITS:
            return math.inf
        return int(text)

    @property
    def is_safe(self) -> bool:
        """Is it a method that changes nothing?"""
        return self.method in SAFE


def refusal_of(head: Head, hosts: Hosts) -> Refusal | None:
    """Why it is not let through, if it is not."""
    return _method(head) or _framing(head) or _host(head, hosts) or _origin(head) or _path(head)


def _method(head: Head) -> Refusal | None:
    override = next((name for name in OVERRIDES if head.all(name)), None)
    if head.method in METHODS and override is None:
        return None
    what = (
        f"{head.method[:20]!r} is no method of ours."
        if override is None
        else "A method is not overridden."
    )
    return Refusal(
        405, "method_refused", what, override or "method", headers={"Allow": ", ".join(METHODS)}
    )


def _framing(head: Head) -> Refusal | None:
    twice = next((name for name in SINGLE if len(head.all(name)) > 1), None)
    if twice is not None:
        return _close(400, "header_twice", f"The header {twice} is there more than once.", twice)
    if head.version not in VERSIONS:
        return _close(400, "http_version", "This is HTTP/1.1.", "version", "HTTP/1.1")
    if not head.all("host"):
        return _close(400, "no_host", "There is no Host header.", "host")
    if head.all("content-length") and head.all("transfer-encoding"):
        what = "The body has a length and is in chunks."
        return _close(400, "two_framings", what, "content-length")
    if not head.path.startswith("/"):
        return _close(400, "no_path", "The target is no path; this is no proxy.", "target")
    size = sum(
        len(name) + len(value) + LINE_OVERHEAD
        for name, values in head.headers.items()
        for value in values
    )
    if size + len(head.raw_path) + len(head.query) > MOST_HEAD_BYTES:
        what = "The head of the request is too large."
        return _close(431, "head_too_large", what, "headers", f"{MOST_HEAD_BYTES} bytes")
    return None


def _close(status: int, code: str, message: str, place: str, limit: str | None = None) -> Refusal:
    """A refusal after which nothing more is read: where it ends is not known."""
    return Refusal(status, code, message, place, limit, headers={"Connection": "close"})


def _host(head: Head, hosts: Hosts) -> Refusal | None:
    host = head.first("host").lower()
    if hosts.names(host, head.scheme, head.port):
        return None
    return Refusal(421, "wrong_host", "The Host header does not name this service.", "host")


def _origin(head: Head) -> Refusal | None:
    """Pages of this service alone; a program sends no Origin."""
    asked = "access-control-request-method"
    if head.method == "OPTIONS" and head.all(asked):
        return Refusal(403, "no_cors", "No other origin may ask.", asked)
    origin = head.first("origin").lower()
    if origin and origin != f"{head.scheme}://{head.first('host').lower()}":
        return Refusal(403, "foreign_origin", "No other origin may ask.", "origin")
    if not head.is_safe and head.first("sec-fetch-site") in {"cross-site", "same-site"}:
        return Refusal(403, "foreign_site", "No other site may ask.", "sec-fetch-site")
    return None


def _path(head: Head) -> Refusal | None:
    if CONTROL.search(unquote_to_bytes(head.raw_path) + unquote_to_bytes(head.query)):
        what = "There is a control character in the address."
        return Refusal(422, "control_in_address", what, "path")
    if CROOKED.search(head.raw_path) or DOTS.search(head.path):
        what = "The path has dots, slashes or percent signs that could be read as another path."
        return Refusal(422, "crooked_path", what, "path")
    return None
