"""What a run left behind, judged from the two files alone; nothing of `execution` is imported.

In: `paper.db`, the broker's truth; `journal.db` and its key; the plan's document. Out: everything
that is wrong, in words; nothing, where nothing is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

STATED = {"DONE", "ABORTED", "NEEDS_HUMAN"}
OVER = {"DONE", "ABORTED"}
LEG_OVER = {"FILLED", "BLOCKED", "SKIPPED", "REJECTED", "CANCELLED", "EXPIRED"}
OPEN_AT_BROKER = "state NOT IN ('filled','cancelled','expired','rejected')"
SHARES, MONEY = 10**9, 10**4
COLUMNS = "seq, ts_utc, mono_ns, boot_id, run_id, kind, body, prev, hash"
Sums = dict[tuple[str, str], int]


def wrongs(home: Path, plan: Mapping[str, Any], *, ghosts: bool = False) -> list[str]:
    """What is wrong in a folder with one account after everything that ran there has ended.

    ghosts   the broker fills orders after it said they were over: such a fill may be missing in
             the books as long as the account is frozen
    """
    with (
        closing(_opened(home / "paper.db")) as paper,
        closing(_opened(home / "journal.db")) as ours,
    ):
        fills = [*_fills(paper, ours)]
        if ghosts and _frozen(ours):
            fills = []
        return [
            *_files(paper, ours),
            *_orders(paper, ours),
            *_quantities(paper, plan),
            *fills,
            *(() if ghosts and _frozen(ours) else _balances(paper, ours)),
            *_states(paper, ours),
            *_chain(ours, (home / "journal.key").read_bytes()),
        ]


def states(home: Path) -> list[str]:
    """Where its runs ended: state and outcome."""
    with closing(_opened(home / "journal.db")) as ours:
        rows = ours.execute("SELECT state, outcome FROM run ORDER BY rowid").fetchall()
    return [f"{state} {outcome or ''}".strip() for state, outcome in rows]


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=rw", uri=True)


def _files(*files: sqlite3.Connection) -> Iterator[str]:
    for file in files:
        state = file.execute("PRAGMA integrity_check").fetchone()[0]
        if state != "ok":
            yield f"a file is damaged: {state}"


def _orders(paper: sqlite3.Connection, ours: sqlite3.Connection) -> Iterator[str]:
    names = [name for (name,) in paper.execute("SELECT client_order_id FROM orders")]
    if len(names) != len({*names}):
        yield "DUPLICATE: the broker has two orders of one client order id"
    legs = {row[0]: row[1:] for row in ours.execute("SELECT coid, symbol, side, qty_e9 FROM leg")}
    query = "SELECT client_order_id, symbol, side, quantity FROM orders"
    for name, symbol, side, quantity in paper.execute(query):
        if legs.get(name) != (symbol, side, _whole(quantity, SHARES)):
            yield f"the broker has the order {name}, which is not as it was written"


def _quantities(paper: sqlite3.Connection, plan: Mapping[str, Any]) -> Iterator[str]:
    """No more than what was approved, whatever the legs say."""
    approved: Sums = {}
    for step in plan["steps"]:
        place = (step["symbol"], step["side"])
        approved[place] = approved.get(place, 0) + _whole(str(step["quantity"]), SHARES)
    filled: Sums = {}
    for symbol, side, quantity in paper.execute("SELECT symbol, side, quantity FROM executions"):
        filled[symbol, side] = filled.get((symbol, side), 0) + _whole(quantity, SHARES)
    for place, units in filled.items():
        if units > approved.get(place, 0):
            yield f"OVER: {place} {units / SHARES:g} filled of {approved.get(place, 0) / SHARES:g}"


def _fills(paper: sqlite3.Connection, ours: sqlite3.Connection) -> Iterator[str]:
    query = "SELECT exec_id, client_order_id, quantity, value, fee FROM executions"
    theirs = {
        row[0]: (row[1], _whole(row[2], SHARES), _whole(row[3], MONEY), _whole(row[4], MONEY))
        for row in paper.execute(query)
    }
    query = "SELECT exec_id, coid, qty_e9, value_e4, fee_e4 FROM fill"
    books = {row[0]: row[1:] for row in ours.execute(query)}
    for name in sorted(theirs.keys() - books.keys()):
        yield f"LOST: the execution {name} is not in the journal"
    for name in sorted(books.keys() - theirs.keys()):
        yield f"the journal has the execution {name}, which the broker does not"
    for name in sorted(theirs.keys() & books.keys()):
        if theirs[name] != books[name]:
            yield f"the execution {name} differs: {theirs[name]} and {books[name]}"


def _balances(paper: sqlite3.Connection, ours: sqlite3.Connection) -> Iterator[str]:
    """Σ postings is what the broker has, and each transaction comes to nothing."""
    if not ours.execute("SELECT COUNT(*) FROM posting").fetchone()[0]:
        if paper.execute("SELECT COUNT(*) FROM executions").fetchone()[0]:
            yield "there were executions before the books began"
        return
    books = {
        (kind.partition(":")[0], name): units
        for kind, name, units in ours.execute(
            "SELECT account, commodity, SUM(amount) FROM posting WHERE account LIKE 'shares:%' "
            "OR account LIKE 'cash:%' GROUP BY account, commodity"
        )
    }
    theirs = {
        ("shares", symbol): _whole(quantity, SHARES)
        for symbol, quantity in paper.execute("SELECT symbol, quantity FROM positions")
    } | {
        ("cash", name): _whole(amount, MONEY)
        for name, amount in paper.execute("SELECT currency, amount FROM cash")
    }
    for place in sorted(books.keys() | theirs.keys()):
        if books.get(place, 0) != theirs.get(place, 0):
            yield f"{place}: books {books.get(place, 0)}, broker {theirs.get(place, 0)}"
    off = ours.execute(
        "SELECT txn, commodity FROM posting GROUP BY txn, commodity HAVING SUM(amount) <> 0"
    ).fetchall()
    if off:
        yield f"postings do not come to nothing: {off}"


def _states(paper: sqlite3.Connection, ours: sqlite3.Connection) -> Iterator[str]:
    runs = ours.execute("SELECT run_id, state, outcome FROM run").fetchall()
    if not runs:
        yield "there is no run"
    for name, state, outcome in runs:
        if state not in STATED:
            yield f"STRANDED: {name} is {state}"
        if state not in OVER:
            continue
        if outcome is None:
            yield f"{name} is {state} without an outcome"
        legs = ours.execute("SELECT coid, state FROM leg WHERE run_id = ?", (name,)).fetchall()
        if state == "DONE" or outcome != "not_started":
            yield from (
                f"{coid} is {leg}, {name} {state}" for coid, leg in legs if leg not in LEG_OVER
            )
    if sum(outcome not in {None, "not_started"} for _, _, outcome in runs) > 1:
        yield "the plan was executed twice"
    if all(state in OVER for _, state, _ in runs):
        query = f"SELECT COUNT(*) FROM orders WHERE {OPEN_AT_BROKER}"  # noqa: S608 - a constant
        if count := paper.execute(query).fetchone()[0]:
            yield f"{count} orders work at the broker after the end"


def _chain(ours: sqlite3.Connection, key: bytes) -> Iterator[str]:
    before = bytes(32)
    rows = ours.execute(f"SELECT {COLUMNS} FROM event ORDER BY seq")  # noqa: S608 - constants
    for number, row in enumerate(rows, 1):
        text = json.dumps(row[:7], ensure_ascii=True, separators=(",", ":"))
        mark = hmac.new(key, before + text.encode(), hashlib.sha256).digest()
        if row[0] != number or row[7] != before or row[8] != mark:
            yield f"the event {number} is not as it was written"
            return
        before = row[8]


def _frozen(ours: sqlite3.Connection) -> bool:
    query = "SELECT COUNT(*) FROM freeze WHERE lifted_utc IS NULL"
    return bool(ours.execute(query).fetchone()[0])


def _whole(number: str, units: int) -> int:
    scaled = Decimal(number) * units
    if scaled != int(scaled):
        raise ValueError(f"{number} is no whole number of 1/{units}")
    return int(scaled)


def ids_of(home: Path) -> Iterable[str]:
    """Client order ids that the broker has."""
    with closing(_opened(home / "paper.db")) as paper:
        return [name for (name,) in paper.execute("SELECT client_order_id FROM orders")]
