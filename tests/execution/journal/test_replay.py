"""A whole run in two currencies: events, postings, books and the broker's file say the same.

None of the four is made from another one: the events are read as text, the postings are summed, the
books are derived from executions, and the broker keeps its own file.
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

from typer.testing import CliRunner

from builders.accounts import d, rebuilt
from builders.plans import euro
from steelyard.cli import app
from steelyard.execution.attribution.stored import books_of
from steelyard.execution.journal import rows
from steelyard.execution.journal.opening import open_journal


def of_broker(home: Path) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """(symbol -> shares, currency -> money) by the paper broker's file."""
    with sqlite3.connect(home / "paper.db") as paper:
        positions = paper.execute("SELECT symbol, quantity FROM positions").fetchall()
        cash = paper.execute("SELECT currency, amount FROM cash").fetchall()
    return (
        {symbol: d(text) for symbol, text in positions if d(text)},
        {name: d(text) for name, text in cash if d(text)},
    )


def test_a_run_is_the_same_in_events_postings_books_and_the_brokers_file(tmp_path, monkeypatch):
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEELYARD_PAPER_PACE", "0")
    plan = tmp_path / "plan.json"
    plan.write_text(euro().to_json(), "utf-8")

    done = CliRunner().invoke(app, ["execute", str(plan), "--yes"])

    assert done.exit_code == 0, done.output
    store = open_journal(tmp_path)
    (run,) = rows.runs(store)
    positions, cash = of_broker(tmp_path)
    by_events = rebuilt(store, run.account)
    assert by_events[0] == positions
    assert {name: amount for name, amount in by_events[1].items() if amount} == cash
    stock, money = rows.balances(store, run.account)
    assert (stock, money) == (positions, cash)
    books = books_of(store, run.account).positions
    assert {symbol: sum(parts.values()) for symbol, parts in books.items()} == positions
    sums = store.rows("SELECT SUM(amount) FROM posting GROUP BY txn, commodity")
    assert {total for (total,) in sums} == {0}
    store.verify()
