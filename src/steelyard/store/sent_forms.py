"""Forms of pages that were sent: which were acted upon, and where each led.

A row is written before the work of a form, and has an address after it. Of a row without one nobody
can tell whether the work was done: the process that was at it has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from steelyard.store.schema import sent_form
from steelyard.store.store import Transaction, stamp

FORGOTTEN = timedelta(days=2)
"""After this a row is dropped: no form is taken that is so old."""


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form that was sent before.

    address   where it led; None = it was begun, and nobody wrote down how it ended
    is_other  it came from the same page, with something else in it
    """

    address: str | None
    is_other: bool


def begin(
    transaction: Transaction, digest: str, nonce: str, *, single: bool = False
) -> SentForm | None:
    """Note that a form is acted upon; what was sent before, where it is not to be.

    single   of its page no other one may have been sent either
    """
    connection = transaction.connection
    old = stamp(transaction.at - FORGOTTEN)
    connection.execute(delete(sent_form).where(sent_form.c.sent_at < old))
    rows = connection.execute(select(sent_form).where(sent_form.c.nonce == nonce)).all()
    same = next((row for row in rows if row.digest == digest), None)
    if same is not None:
        return SentForm(same.address, is_other=False)
    if rows and single:
        return SentForm(rows[-1].address, is_other=True)
    new = {"digest": digest, "nonce": nonce, "sent_at": transaction.stamp}
    connection.execute(insert(sent_form).values(**new))
    return None


def led(transaction: Transaction, digest: str, address: str) -> None:
    """Note where the work of a form led."""
    here = sent_form.c.digest == digest
    transaction.connection.execute(update(sent_form).where(here).values(address=address))


def undone(transaction: Transaction, digest: str) -> None:
    """The work of a form was refused: it may be sent again as it is."""
    transaction.connection.execute(delete(sent_form).where(sent_form.c.digest == digest))
