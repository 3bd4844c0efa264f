"""The journal's pace beside that of bare commits, and how long a run takes to come back.

    python -m benchmarks.journal     prints the table, and writes README.md

Both on the disk of the temporary folder, in turns, in the same run: only their ratio says something
of the code. The journal that a run comes back from has 100,000 events of 3,750 earlier runs in the
same account; the run was killed with an order on its way.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.promises import checker, lives
from benchmarks.promises.broker_process import ACCOUNT
from benchmarks.promises.lives import Counter
from steelyard.brokers.broker import BrokerFill
from steelyard.brokers.paper import Script, open_paper
from steelyard.execution.attribution.stored import entries_document, entries_of
from steelyard.execution.journal import rows
from steelyard.execution.journal.changes import (
    NewLeg,
    NewRun,
    begin,
    book,
    end_run,
    set_leg,
    set_run,
)
from steelyard.execution.journal.journal import Change, Journal
from steelyard.execution.journal.opening import FILE, connect, leased, open_journal
from steelyard.execution.reconcile import opened
from steelyard.execution.reconcile.stored import begin_account
from steelyard.execution.states import LegState, Outcome, RunState
from steelyard.orders import Side

PAGE = Path(__file__).with_name("README.md")
START, END = "<!-- journal: written by journal.py -->", "<!-- journal: end -->"
COMMITS, TURNS = 150, 10
BROKER_PER_S = 200 / 60
"""Requests that a broker allows: 200 a minute."""
EVENTS, ROUNDS, KILLED_AT = 100_000, 3, 60
AIM_RATIO, AIM_S = 0.5, 5.0
PATH = (RunState.ARMED, RunState.SELLING, RunState.BUYING, RunState.RECONCILING)
LEG_PATH = (LegState.READY, LegState.SUBMITTING, LegState.ACCEPTED)


def per_second(work: Callable[[int], None]) -> float:
    """How often in a second."""
    start = time.perf_counter()
    for number in range(COMMITS):
        work(number)
    return COMMITS / (time.perf_counter() - start)


def paces(home: Path) -> tuple[float, float]:
    """(commits a second of the journal, of SQLite alone with a row as large), medians of turns."""
    journal, bare = open_journal(home), connect(home / "bare.db")
    bare.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT, prev BLOB, hash BLOB)")
    bare.execute("CREATE TABLE leg (coid TEXT PRIMARY KEY, state TEXT)")
    bare.execute("INSERT INTO leg VALUES ('a', 'b')")
    with leased(journal, home, ACCOUNT) as lease:
        with journal.writing(lease) as change:
            begin(change, _run(0), lease.fence, [_leg(n) for n in range(1, COMMITS * TURNS + 1)])
        run, legs = rows.run(journal, "r-0"), iter(rows.legs(journal, "r-0"))
        body = str(journal.events()[0][1].data)[:300]

        def ours(_: int) -> None:
            with journal.writing(lease) as change:
                set_leg(change, run, next(legs), LegState.READY)

        def theirs(number: int) -> None:
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("UPDATE leg SET state = ? WHERE coid = 'a'", (str(number),))
            row = (body, os.urandom(32), os.urandom(32))
            bare.execute("INSERT INTO event(body, prev, hash) VALUES (?,?,?)", row)
            bare.execute("COMMIT")

        pairs = [(per_second(ours), per_second(theirs)) for _ in range(TURNS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def _run(number: int) -> NewRun:
    return NewRun(
        run_id=f"r-{number}", account=ACCOUNT, mode="paper", plan_id=f"{number:064x}",
        config_version=0, build="b", key="0", request="{}", request_hash="h", bucket="core",
        broker="paper", orders=4, engine={},
    )  # fmt: skip


def _leg(step: int) -> NewLeg:
    side = Side.BUY if step % 2 else Side.SELL
    return NewLeg(
        step=step, attempt=1, symbol="AAPL", side=side, quantity=Decimal(1),
        limit_price=Decimal(250),
    )  # fmt: skip


def _old(change: Change, journal: Journal, number: int, fence: int) -> None:
    """A run of long ago that bought and sold the same."""
    begin(change, _run(number), fence, [_leg(step) for step in range(1, 5)])
    run = rows.run(journal, f"r-{number}")
    run = set_run(change, run, PATH[0])
    for leg in rows.legs(journal, run.run_id):
        for state in LEG_PATH:
            leg = set_leg(change, run, leg, state)
        at = datetime(2019, 1, 1, 15, tzinfo=UTC) + timedelta(hours=12 * number)
        fill = BrokerFill(
            exec_id=f"old-{number}-{leg.step}", client_order_id=leg.client_order_id,
            symbol="AAPL", side=leg.side, quantity=Decimal(1), price=Decimal(250),
            value=Decimal(250), fee=Decimal(0), currency="USD", at=at,
        )  # fmt: skip
        book(change, run, fill)
        set_leg(change, run, leg, LegState.FILLED)
    for step in PATH[1:]:
        run = set_run(change, run, step)
    end_run(change, run, RunState.DONE, Outcome.DONE)


def history(home: Path) -> int:
    """A journal of so many events, with a run that was killed at its end; how many events."""
    home.mkdir()
    journal = open_journal(home)
    for pragma in ("synchronous=OFF", "journal_mode=MEMORY"):
        journal.connection.execute(f"PRAGMA {pragma}").fetchall()
    number, events = 0, 0
    while events < EVENTS:
        with journal.writing() as change:
            for _ in range(50):
                number += 1
                _old(change, journal, number, 1)
        events = journal.row("SELECT MAX(seq) FROM event")[0]
    broker = open_paper(home / "paper.db", ACCOUNT, lives.opening(), Script(instant=True))
    seen = frozenset(row.exec_id for row in rows.fills(journal))
    first = replace(opened(broker), seen=seen)
    with journal.writing() as change:
        entries = entries_document(entries_of(first, lives.holdings(), lambda _: "core", "r-1"))
        begin_account(change, ACCOUNT, first, entries, run_id="r-1", bucket="core")
    journal.close()
    broker.close()

    def killed() -> None:
        lives.live(home, open_paper(home / "paper.db", ACCOUNT), Counter(KILLED_AT))

    lives.forked(killed, home / "log")
    return events


def comes_back(home: Path) -> tuple[float, float]:
    """(processor seconds to verify chain and file, to bring the run to its end)."""
    broker = open_paper(home / "paper.db", ACCOUNT)
    start = time.process_time()
    with closing(open_journal(home)) as journal:
        journal.verify()
        journal.whole()
    verified = time.process_time() - start
    start = time.process_time()
    lives.live(home, broker, Counter())
    return verified, time.process_time() - start


def _s(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.2f}, slowest {max(times):.2f}"


def main() -> None:
    """Measure, and write the table into the page."""
    lives.warm()
    with TemporaryDirectory() as name:
        home = Path(name)
        (home / "pace").mkdir()
        ours, bare = paces(home / "pace")
        events = history(home / "old")
        size = (home / "old" / FILE).stat().st_size
        times = []
        for number in range(ROUNDS):
            copy = home / f"copy-{number}"
            shutil.copytree(home / "old", copy)
            times.append(comes_back(copy))
            print(times[-1], checker.states(copy)[-1], flush=True)
    verified, back = zip(*times, strict=True)
    table = [
        ("what", "measured", "aim"), ("---", "---", "---"),
        ("commits a second of the journal", f"{ours:,.0f}", ""),
        ("of SQLite alone, a row as large, the same disk", f"{bare:,.0f}", ""),
        ("ratio", f"{ours / bare:.2f}", f"{AIM_RATIO}"),
        ("commits for each of a broker's 200 requests a minute", f"{ours / BROKER_PER_S:,.0f}", ""),
        (f"{events:,} events, {size / 1e6:.0f} MB: file, chain verified, CPU s", _s(verified), ""),
        ("a killed run of it comes to its end, verify too, CPU s", _s(back), f"{AIM_S}"),
    ]  # fmt: skip
    lines = [f"| {' | '.join(cells)} |" for cells in table]
    print("\n".join(lines))
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    after = rest.partition(END)[2]
    text = "\n".join(lines)
    PAGE.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
