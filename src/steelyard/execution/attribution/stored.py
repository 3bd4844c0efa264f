"""Books from the journal: what entered them, who owns which order, and all executions.

Nothing of a book is stored but owners and entries: the books are derived, so that they cannot
disagree with the executions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from steelyard.buckets.books import UNASSIGNED
from steelyard.canonical import plain
from steelyard.execution.attribution.books import Books, Entered, derive
from steelyard.execution.attribution.lots import Method
from steelyard.execution.journal import rows
from steelyard.execution.journal.changes import alert
from steelyard.execution.journal.journal import Change, Journal
from steelyard.execution.journal.units import shares, shares_e9
from steelyard.execution.reconcile import stored
from steelyard.execution.reconcile.records import Opening
from steelyard.plans.account import HoldingShown


def write_owners(change: Change, run_id: str, step: int, owners: Mapping[str, Decimal]) -> None:
    """Who owns the order of a step, before it is sent."""
    for book in sorted(owners):
        units = shares_e9(owners[book])
        change.execute("INSERT INTO owner VALUES (?,?,?,?)", (run_id, step, book, units))


def entries_of(
    opening: Opening,
    holdings: Iterable[HoldingShown],
    book_of: Callable[[str], str],
    run_id: str,
) -> tuple[Entered, ...]:
    """What the books begin with, of all that an account has: lots of the plan where it knows them.

    A symbol that the plan does not know, or of which it knows another quantity, is in no lot: its
    cost is not known, and what the plan does not know at all is nobody's.
    """
    plan = {row.symbol: row for row in holdings}
    entries: list[Entered] = []
    for symbol in sorted(opening.positions):
        row, quantity = plan.get(symbol), opening.positions[symbol]
        book = UNASSIGNED if row is None else book_of(symbol)
        currency = "" if row is None else row.currency
        whole = Entered(
            entry_id=f"opening/{run_id}/{symbol}",
            book=book,
            symbol=symbol,
            currency=currency,
            quantity=quantity,
            cost=None,
            at=opening.at,
        )
        if row is None or sum(lot.quantity for lot in row.lots) != quantity:
            entries.append(whole)
            continue
        entries += [
            replace(
                whole,
                entry_id=f"{whole.entry_id}/{n:04d}",
                quantity=lot.quantity,
                cost=None
                if lot.unit_cost is None
                else lot.unit_cost * lot.quantity * row.multiplier,
            )
            for n, lot in enumerate(row.lots, start=1)
        ]
    return tuple(entries)


def entries_document(entries: Iterable[Entered]) -> list[dict[str, Any]]:
    """Entries, to be kept with the opening."""
    return [
        {
            "entry_id": each.entry_id,
            "book": each.book,
            "symbol": each.symbol,
            "currency": each.currency,
            "quantity": plain(each.quantity),
            "cost": None if each.cost is None else plain(each.cost),
            "at": each.at.isoformat(),
        }
        for each in entries
    ]


def books_of(journal: Journal, account: str, *, method: Method = "fifo") -> Books:
    """The books of an account, from all that its journal has; raises NotExecuted, see `derive`.

    An order belongs to its step: what several attempts at it fill is shared as one order.
    """
    orders, owners = _orders(journal, account)
    fills = [
        replace(fill, client_order_id=orders.get(fill.client_order_id, fill.client_order_id))
        for fill in map(stored.as_fill, rows.fills(journal, account=account))
    ]
    foreign = stored.foreign_fills(journal, account)
    acts = stored.activities(journal, account)
    return derive(_entries(journal, account), [*fills, *foreign], owners, (), acts, method=method)


def tell_unmatched(change: Change, books: Books, *, run_id: str, bucket: str) -> None:
    """An alert, once, for each sale of shares that its book did not have."""
    if not books.unmatched:
        return
    before = {
        json.loads(body)["data"]["message"]
        for (body,) in change.execute("SELECT body FROM event WHERE kind = 'AlertRaised'")
    }
    for each in books.unmatched:
        if each.text not in before:
            alert(change, run_id, bucket, "unmatched_sale", each.text)


def _orders(journal: Journal, account: str) -> tuple[dict[str, str], dict[str, dict[str, Decimal]]]:
    """(client order id -> step, step -> book -> shares) of every order of an account."""
    legs = journal.rows(
        "SELECT leg.coid, leg.run_id, leg.step FROM leg JOIN run ON run.run_id = leg.run_id "
        "WHERE run.account = ?",
        (account,),
    )
    owned = journal.rows(
        "SELECT owner.run_id, owner.step, owner.book, owner.qty_e9 FROM owner "
        "JOIN run ON run.run_id = owner.run_id WHERE run.account = ? "
        "ORDER BY owner.run_id, owner.step, owner.book",
        (account,),
    )
    owners: dict[str, dict[str, Decimal]] = {}
    for run_id, step, book, units in owned:
        owners.setdefault(f"{run_id}/{step}", {})[book] = shares(units)
    return {name: f"{run_id}/{step}" for name, run_id, step in legs}, owners


def _entries(journal: Journal, account: str) -> Iterator[Entered]:
    """What entered the books: at the opening, and by acknowledgements, which are nobody's."""
    for row in stored.comparisons(journal, account):
        for content in row.body.get("entered", ()):
            yield Entered(
                entry_id=content["entry_id"],
                book=content["book"],
                symbol=content["symbol"],
                currency=content["currency"],
                quantity=Decimal(content["quantity"]),
                cost=None if content["cost"] is None else Decimal(content["cost"]),
                at=datetime.fromisoformat(content["at"]),
            )
        for symbol, quantity in row.body.get("adopted", {}).items():
            yield Entered(
                entry_id=f"acknowledged/{row.at.isoformat()}/{symbol}",
                book=UNASSIGNED,
                symbol=symbol,
                currency="",
                quantity=Decimal(quantity),
                cost=None,
                at=row.at,
            )
