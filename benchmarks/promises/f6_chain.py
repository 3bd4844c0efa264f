"""Whatever is done to the events of a journal without its key is noticed, and where it begins."""

from __future__ import annotations

import hmac
import random
import sqlite3
import sys
from collections import Counter as Tally
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from benchmarks.promises import lives
from benchmarks.promises.broker_process import ACCOUNT
from benchmarks.promises.databases import SEED, Profile
from benchmarks.promises.figures import Figure
from benchmarks.promises.lives import Counter, memory
from benchmarks.promises.script import script
from steelyard.brokers.paper import Script, open_paper
from steelyard.errors import ChainBroken
from steelyard.execution.journal import chain
from steelyard.execution.journal.chain import Row, link
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import FILE, now

PROMISE = "No event of a journal is changed, removed, added or moved without its key unnoticed."
HOW = (
    "The events of a run are taken, and one thing is done to them: a sign of one column is "
    "changed, rows are removed, added or exchanged, the chain is written anew from some place on "
    "with another key, or rows are cut off the end. Then the chain is verified with the head that "
    "was printed. Counted as bad: what is not noticed, and what is noticed at a place behind it. "
    "Without the printed head a cut at the end is not noticed, which is counted and stated."
)
MUTANT = "the hash of an event is not compared"
DEEDS_A_LIFE = 2
Rows = list[list[object]]
Deed = Callable[[Rows, random.Random], int]
"""Does something to rows; the number of the first event that is not what was written."""


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """So many deeds, in turn."""
    lives.warm()
    trials = profile.lives * DEEDS_A_LIFE
    rng = random.Random(SEED)  # noqa: S311 - the same deeds each time
    bad = Tally[str]()
    cut = 0
    with ExitStack() as stack:
        home = stack.enter_context(memory())
        key, rows = _events(home / "run")
        head = bytes(rows[-1][8]).hex()  # type: ignore[call-overload]
        if mutant:
            stack.enter_context(patch.object(hmac, "compare_digest", lambda *_: True))
        for number in range(trials):
            name = sorted(DEEDS)[number % len(DEEDS)]
            copy = [[*row] for row in rows]
            first = DEEDS[name](copy, rng)
            bad[name] += not _noticed(key, copy, head, first)
            if name == "cut":
                cut += not _noticed(key, copy, "", first)
    for name, count in bad.items():
        if count:
            print(f"F6: {name}: {count} not noticed", file=sys.stderr)
    note = f"{len(rows)} events; without the printed head {cut} cuts at the end are not noticed"
    return Figure("F6", trials, bad.total(), note=note)


def _events(home: Path) -> tuple[bytes, Rows]:
    home.mkdir()
    broker = open_paper(home / "paper.db", ACCOUNT, lives.opening(), Script(instant=True))
    lives.live(home, broker, Counter())
    connection = sqlite3.connect(home / FILE)
    query = "SELECT seq, ts_utc, mono_ns, boot_id, run_id, kind, body, prev, hash FROM event"
    rows = [[*row] for row in connection.execute(f"{query} ORDER BY seq")]
    return (home / "journal.key").read_bytes(), rows


def _noticed(key: bytes, rows: Rows, head: str, first: int) -> bool:
    """Does a journal of these rows say that it is broken, at that event?"""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    journal = Journal(lambda: connection, key, now=now)
    connection.executemany("INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?)", rows)
    try:
        journal.verify(head)
    except ChainBroken as error:
        return f"broken at event {first}:" in str(error)
    finally:
        journal.close()
    return False


def _changed(rows: Rows, rng: random.Random) -> int:
    place, column = rng.randrange(len(rows)), rng.randrange(1, 9)
    old = rows[place][column]
    if isinstance(old, int):
        rows[place][column] = old + rng.choice((-1, 1))
    elif isinstance(old, bytes):
        at = rng.randrange(len(old))
        rows[place][column] = old[:at] + bytes([old[at] ^ 1 << rng.randrange(8)]) + old[at + 1 :]
    else:
        text = str(old) or "x"
        at = rng.randrange(len(text))
        rows[place][column] = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
    return place + 1


def _removed(rows: Rows, rng: random.Random) -> int:
    """Rows in the middle, with the numbers behind them closed up half of the times."""
    first = rng.randrange(len(rows) - 2)
    del rows[first : rng.randrange(first + 1, len(rows) - 1)]
    if rng.random() < 0.5:
        _numbered(rows)
    return first + 1


def _added(rows: Rows, rng: random.Random) -> int:
    """A row that looks like another one, chained by whoever does not have the key."""
    place = rng.randrange(len(rows))
    before = rows[place - 1][8] if place else chain.FIRST
    copy = [*rows[rng.randrange(len(rows))]]
    copy[7], copy[8] = before, rng.randbytes(32)
    rows.insert(place, copy)
    _numbered(rows)
    return place + 1


def _before_the_first(rows: Rows, rng: random.Random) -> int:
    """A row that no count from 1 on comes to."""
    rows.insert(0, [rng.choice((0, -1, -(2**63))), *rows[0][1:]])
    return 1


def _exchanged(rows: Rows, rng: random.Random) -> int:
    first, second = sorted(rng.sample(range(len(rows)), 2))
    rows[first], rows[second] = rows[second], rows[first]
    _numbered(rows)
    return first + 1


def _rewritten(rows: Rows, rng: random.Random) -> int:
    """Another story from some place on, whole in itself, with another key."""
    first, key = rng.randrange(len(rows)), rng.randbytes(32)
    before = bytes(rows[first - 1][8]) if first else chain.FIRST  # type: ignore[call-overload]
    for row in rows[first:]:
        row[6] = str(row[6]).replace("a", "b")
        row[7] = before
        before = row[8] = link(key, before, tuple(Row(*row)[:7]))  # type: ignore[arg-type]
    return first + 1


def _cut(rows: Rows, rng: random.Random) -> int:
    del rows[rng.randrange(1, len(rows)) :]
    return len(rows) + 1


def _numbered(rows: Rows) -> None:
    for number, row in enumerate(rows):
        row[0] = number + 1


DEEDS: dict[str, Deed] = {
    "changed": _changed, "removed": _removed, "added": _added, "exchanged": _exchanged,
    "rewritten": _rewritten, "cut": _cut, "before the first": _before_the_first,
}  # fmt: skip


if __name__ == "__main__":
    script(measure)
