"""Does a paper account fit a plan? Its file lies in the home, so that is seen before any run."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from steelyard.brokers.paper.book import Book, read
from steelyard.brokers.paper.sessions import session_for
from steelyard.brokers.paper.tables import connect
from steelyard.canonical import plain
from steelyard.execution.approved import Approved
from steelyard.execution.paper import FILE
from steelyard.execution.rails.plan import weekend_before
from steelyard.money import ZERO


def misfit(home: Path, account: str, plan: Approved) -> str:
    """Why an account that is there cannot trade a plan, in a sentence; "" = it can, or is new.

    The rails `plan_age` and `holdings` ask the same when the run begins. Nothing is written. Raises
    BrokerError for a file that is none.
    """
    path = home / FILE
    if not path.is_file():
        return ""
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA query_only = ON")
        book = read(connection, account)
        return "" if book is None else _other_day(book, plan) or _other_holdings(book, plan)


def _other_day(book: Book, plan: Approved) -> str:
    day = session_for(plan.as_of, book.now, book.zone).day
    if plan.as_of >= book.as_of and plan.as_of in {day, *weekend_before(day)}:
        return ""
    return (
        f"The paper account {book.account} is at {max(day, book.as_of)} already, the prices of the "
        f"plan are of {plan.as_of}."
    )


def _other_holdings(book: Book, plan: Approved) -> str:
    here = book.positions()
    symbols = sorted({*plan.positions, *(each.symbol for each in plan.instructions)})
    pairs = [(s, here.get(s, ZERO), plan.positions.get(s, ZERO)) for s in symbols]
    lines = [f"{s} {plain(own)}, planned {plain(then)}" for s, own, then in pairs if own != then]
    if not lines:
        return ""
    more = "" if len(lines) == 1 else f" and {len(lines) - 1} more"
    return (
        f"The paper account {book.account} traded before and holds other shares than the plan: "
        f"{lines[0]}{more}."
    )
