"""The cookie of a browser that is signed in, and whose it is.

Cookies know no ports: every program of this machine is sent those of the others. So each port's has
a name of its own, what others set is never minded, and of several with our name any may be ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from steelyard.services.security.book import digest
from steelyard.services.security.callers import ROLES, Caller
from steelyard.services.security.heads import Head
from steelyard.store import sign_ins
from steelyard.store.store import Store

COOKIE = "steelyard_session"
"""How the name of the cookie begins."""
MOST = 16
"""Cookies of the name that are looked up."""
PREFIX = "web-"
"""How the id of a caller begins who is signed in, before that of the sign-in."""


def cookie_of(port: int) -> str:
    """The name of the cookie of a service; port 0 = any."""
    return f"{COOKIE}_{port}" if port else COOKIE


def secrets_of(head: Head, name: str) -> list[str]:
    """What the cookies of a name say, whatever else there is."""
    pairs = [pair.partition("=") for line in head.all("cookie") for pair in line.split(";")]
    values = [value.strip().strip('"') for key, _, value in pairs if key.strip() == name]
    return [value for value in values if value][:MOST]


def caller_of(store: Store, secrets: Sequence[str], now: datetime) -> Caller | None:
    """Whose session it is; None where none is open. Raises StoreError; blocks.

    Of several the one that may most: what another program sets lowers nobody.
    """
    with store.reading() as connection:
        entries = [sign_ins.session(connection, digest(secret)) for secret in secrets]
    callers = [
        Caller(PREFIX + entry.id, role)
        for entry in entries
        for role in ROLES
        if entry is not None and role == entry.role and entry.is_open(now)
    ]
    return max(callers, key=lambda caller: ROLES.index(caller.role), default=None)
