"""The cookie of a browser that is signed in, and whose it is."""

from __future__ import annotations

from datetime import datetime
from http.cookies import CookieError, SimpleCookie

from steelyard.services.security.book import digest
from steelyard.services.security.callers import ROLES, Caller
from steelyard.services.security.heads import Head
from steelyard.store import sign_ins
from steelyard.store.store import Store

COOKIE = "steelyard_session"
PREFIX = "web-"
"""How the id of a caller begins who is signed in, before that of the sign-in."""


def secret_of(head: Head) -> str | None:
    """What the cookie says; None where there is none, or none that can be read."""
    cookies: SimpleCookie = SimpleCookie()
    try:
        for line in head.all("cookie"):
            cookies.load(line)
    except CookieError:
        return None
    entry = cookies.get(COOKIE)
    return None if entry is None or not entry.value else entry.value


def caller_of(store: Store, secret: str, now: datetime) -> Caller | None:
    """Whose session it is; None where it is none, over or revoked. Raises StoreError; blocks."""
    with store.reading() as connection:
        entry = sign_ins.session(connection, digest(secret))
    if entry is None or not entry.is_open(now):
        return None
    role = next((role for role in ROLES if role == entry.role), None)
    return None if role is None else Caller(PREFIX + entry.id, role)
