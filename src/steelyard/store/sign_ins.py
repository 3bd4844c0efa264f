"""Who may look at the pages: a link that is used once, and the session that it opens.

Neither secret is kept: of both the database has the SHA-256. A row is one sign-in from its link to
its end; what ended a while ago is dropped when the next link is made.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from steelyard.store.schema import sign_in
from steelyard.store.store import Transaction, stamp

LINK_LIVES: Final = timedelta(minutes=15)
"""Of a link that nobody has used yet."""
SESSION_LIVES: Final = timedelta(hours=24)
FORGOTTEN: Final = timedelta(days=30)
"""After its end a sign-in is dropped."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in; until: of the session, None = the link was not used yet."""

    id: str
    role: str
    created_at: datetime
    used_at: datetime | None
    until: datetime | None
    revoked_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """May its session look at anything?"""
        return self.until is not None and self.revoked_at is None and now < self.until


def offer(transaction: Transaction, link_sha256: str, role: str) -> str:
    """The id of a new link; old sign-ins are dropped."""
    old = stamp(transaction.at - FORGOTTEN)
    ended = or_(sign_in.c.until < old, sign_in.c.link_until < old)
    transaction.connection.execute(delete(sign_in).where(ended))
    name = secrets.token_hex(4)
    transaction.connection.execute(
        insert(sign_in).values(
            id=name,
            link_sha256=link_sha256,
            role=role,
            created_at=transaction.stamp,
            link_until=stamp(transaction.at + LINK_LIVES),
        )
    )
    return name


def use(transaction: Transaction, link_sha256: str, session_sha256: str) -> SignIn | None:
    """Open the session of a link; None where it is none, was used before, or is too old."""
    free = (
        (sign_in.c.link_sha256 == link_sha256)
        & sign_in.c.used_at.is_(None)
        & sign_in.c.revoked_at.is_(None)
        & (sign_in.c.link_until > transaction.stamp)
    )
    opened = update(sign_in).where(free)
    until = stamp(transaction.at + SESSION_LIVES)
    values = {"session_sha256": session_sha256, "used_at": transaction.stamp, "until": until}
    if not transaction.connection.execute(opened.values(**values)).rowcount:
        return None
    return session(transaction.connection, session_sha256)


def is_offered(connection: Connection, link_sha256: str, now: datetime) -> bool:
    """Is it a link that nobody has used yet, and that is not too old?"""
    free = sign_in.c.used_at.is_(None) & (sign_in.c.link_until > stamp(now))
    query = select(sign_in.c.id).where(sign_in.c.link_sha256 == link_sha256, free)
    return connection.execute(query).first() is not None


def by_id(connection: Connection, name: str) -> SignIn | None:
    """A sign-in, whatever became of it."""
    row = connection.execute(select(sign_in).where(sign_in.c.id == name)).first()
    return None if row is None else _sign_in(row)


def session(connection: Connection, session_sha256: str) -> SignIn | None:
    """The sign-in of a session, whatever became of it; None where there is none."""
    query = select(sign_in).where(sign_in.c.session_sha256 == session_sha256)
    row = connection.execute(query).first()
    return None if row is None else _sign_in(row)


def revoke(transaction: Transaction, name: str) -> bool:
    """End a sign-in by its id; was it open?"""
    still = (sign_in.c.id == name) & sign_in.c.revoked_at.is_(None)
    ended = update(sign_in).where(still).values(revoked_at=transaction.stamp)
    return bool(transaction.connection.execute(ended).rowcount)


def sign_ins(connection: Connection) -> list[SignIn]:
    """Those whose link was used, the newest first."""
    query = select(sign_in).where(sign_in.c.used_at.is_not(None))
    rows = connection.execute(query.order_by(sign_in.c.used_at.desc(), sign_in.c.id))
    return [_sign_in(row) for row in rows]


def _sign_in(row: Row[tuple[str, ...]]) -> SignIn:
    times = (row.created_at, row.used_at, row.until, row.revoked_at)
    created, used, until, revoked = (t and datetime.fromisoformat(t) for t in times)
    return SignIn(row.id, row.role, created, used, until, revoked)
