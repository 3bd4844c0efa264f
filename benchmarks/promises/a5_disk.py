"""A full disk, an I/O error, a loss of power: nothing is sent after it, nothing is lost."""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from benchmarks.promises import checker, lives
from benchmarks.promises.broker_process import ACCOUNT
from benchmarks.promises.databases import SEED, Profile
from benchmarks.promises.figures import Figure
from benchmarks.promises.lives import Counter, memory
from benchmarks.promises.script import script
from steelyard.brokers.broker import Reply, Ticket
from steelyard.brokers.paper import PaperBroker, Script, open_paper
from steelyard.errors import ChainBroken, JournalFailed
from steelyard.execution.journal.chain import key_of
from steelyard.execution.journal.journal import Connection, Journal
from steelyard.execution.journal.opening import FILE, now
from steelyard.sqlite import pragmas

PROMISE = "After a full disk, an I/O error or a loss of power nothing is sent, and nothing is lost."
HOW = (
    "The journal lies on a disk of the test's own (a VFS of SQLite), `synchronous = EXTRA`. First "
    "each of its writes, syncs and truncations in turn fails, as a full disk or as an I/O error, "
    "once or from then on; the run is then resumed on a sound disk. Then the power is cut before "
    "and after each sync: of what was not synced, nothing, all, or any part is there, a write torn "
    "in two among them. Counted as bad: an order or a cancel that is sent after the error, an "
    "error that does not end the process as a failed journal, an event that was committed and is "
    "not there afterwards, a file or a chain that is not sound, and what the checker of A1 says."
)
MUTANT = "synchronous is OFF"
INSTANT = Script(instant=True)
ROLLBACK = (3, 40, 1)
"""A library without write-ahead journals: of them a VFS written in Python sees too little."""
CI_FAULTS, CI_CUTS = 120, 400
DRAWS = 3
Entry = tuple[str, str, int, bytes]
"""What happened to a file: write, truncate, sync, delete, or "told": how many events by then."""


@dataclass
class Disk:
    """What the files of a folder were asked, and which of it fails.

    fails      number of the write, sync or truncation that fails; -1 = none
    forever    and everything after it
    """

    fails: int = -1
    error: type[apsw.Error] = apsw.FullError
    forever: bool = False
    asked: int = 0
    broken: bool = False
    log: list[Entry] = field(default_factory=list)

    def ask(self, entry: Entry) -> None:
        """Write it down, or fail."""
        here = self.asked == self.fails
        self.asked += 1
        if here or (self.broken and self.forever):
            self.broken = True
            raise self.error("injected")
        self.log.append(entry)


class _Files(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.name = f"disk-{id(disk)}"
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 - SQLite's name
        return _File(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - as SQLite calls
        super().xDelete(filename, syncdir)
        self.disk.log.append(("delete" if syncdir else "unlink", Path(filename).name, 0, b""))


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path or "temporary").name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.ask(("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.ask(("truncate", self._name, newsize, b""))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.ask(("sync", self._name, 0, b""))
        super().xSync(flags)


@dataclass
class Watched:
    """The broker; counts what is sent after the disk broke."""

    broker: PaperBroker
    disk: Disk
    late: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.broker, name)

    def submit(self, ticket: Ticket) -> Reply:
        """Send, and count."""
        self.late += self.disk.broken
        return self.broker.submit(ticket)

    def cancel(self, client_order_id: str) -> None:
        """Send, and count."""
        self.late += self.disk.broken
        self.broker.cancel(client_order_id)


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Every fault, then every cut."""
    lives.warm()
    wrongs: list[list[str]] = []
    with memory() as home:
        whole = Disk()
        _life(home / "whole", whole, mutant=mutant)
        nightly = profile.lives > 1_000
        faults = range(whole.asked) if nightly else range(0, whole.asked, whole.asked // CI_FAULTS)
        for number, fails in enumerate(faults):
            wrongs.append(_fault(home / f"fault-{number}", fails, mutant=mutant))
        cuts = [*_cuts(whole.log)]
        chosen = cuts if nightly else cuts[:: max(1, len(cuts) // CI_CUTS)]
        key = (home / "whole" / "journal.key").read_bytes()
        for number, cut in enumerate(chosen):
            wrongs.append(_cut(home / f"cut-{number}", whole.log, cut, key))
    for each in [each for each in wrongs if each][:10]:
        print(f"A5: {'; '.join(each)[:300]}", file=sys.stderr)
    note = f"{len(faults)} faults of {whole.asked} writes and syncs, {len(chosen)} cuts"
    return Figure("A5", len(wrongs), sum(bool(each) for each in wrongs), note=note)


def _life(home: Path, disk: Disk, *, mutant: bool = False) -> Watched:
    """Execute the plan with the journal on that disk."""
    home.mkdir()
    broker = Watched(open_paper(home / "paper.db", ACCOUNT, lives.opening(), INSTANT), disk)
    lives.live(home, broker, Counter(), lambda place, _: _journal(place, disk, mutant=mutant))
    return broker


def _journal(home: Path, disk: Disk, *, mutant: bool) -> Journal:
    files = _Files(disk)
    seen = [0]

    def connect() -> Connection:
        connection = apsw.Connection(str(home / FILE), vfs=files.name)
        off = ("synchronous=OFF",) if mutant else ()
        for pragma in (*pragmas(ROLLBACK), *off):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        opened: Connection = connection
        return opened

    def heard(_: object) -> None:
        seen[0] += 1
        disk.log.append(("told", "", seen[0], b""))

    journal = Journal(
        connect, key_of(home), now=now, place=str(home / FILE), heard=heard,
        errors=(apsw.Error, OSError),
    )  # fmt: skip
    journal.vfs = files  # type: ignore[attr-defined]  # as long as it is used
    return journal


def _fault(home: Path, fails: int, *, mutant: bool) -> list[str]:
    """One write fails; then the run is resumed on a sound disk."""
    error = (apsw.FullError, apsw.IOError)[fails % 2]
    disk = Disk(fails, error, forever=fails % 3 == 0)
    wrong: list[str] = []
    home.mkdir()
    broker = Watched(open_paper(home / "paper.db", ACCOUNT, lives.opening(), INSTANT), disk)
    try:
        lives.live(home, broker, Counter(), lambda place, _: _journal(place, disk, mutant=mutant))
        wrong.append("the error was not noticed")
    except JournalFailed:
        pass
    if broker.late:
        wrong.append(f"SENT: {broker.late} orders or cancels after the error")
    told = max((entry[2] for entry in disk.log if entry[0] == "told"), default=0)
    wrong += _sound(home, told)
    lives.live(home, broker.broker, Counter())
    wrong += checker.wrongs(home, lives.plan())
    shutil.rmtree(home)
    return wrong


def _sound(home: Path, told: int) -> list[str]:
    """Is the file whole, its chain too, and is every event there that was committed?"""
    try:
        journal = lives.opened(home, Counter())
        journal.whole()
        journal.verify()
        events = len(journal.events())
        journal.close()
    except (JournalFailed, ChainBroken, sqlite3.Error) as error:
        return [f"UNSOUND: {error}"]
    return [] if events >= told else [f"LOST: {told - events} of {told} events that were committed"]


def _cuts(log: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    """(entries that happened, draw): before and after each sync, each with a draw of the rest."""
    for number, entry in enumerate(log):
        if entry[0] in {"sync", "delete", "unlink"}:
            for happened in (number, number + 1):
                yield from ((happened, draw) for draw in range(DRAWS))


def _cut(home: Path, log: Sequence[Entry], cut: tuple[int, int], key: bytes) -> list[str]:
    """What is on the disk after the power was cut, and whether the journal opens as it was."""
    happened, draw = cut
    home.mkdir()
    (home / "journal.key").write_bytes(key)
    (home / "journal.key").chmod(0o600)
    chance = random.Random(SEED + happened)  # noqa: S311
    for name, data in _left(log[:happened], draw, chance).items():
        (home / name).write_bytes(data)
    told = max((entry[2] for entry in log[:happened] if entry[0] == "told"), default=0)
    wrong = _sound(home, told)
    shutil.rmtree(home)
    return wrong


def _left(log: Sequence[Entry], draw: int, rng: random.Random) -> dict[str, bytes]:
    """Files with what was synced, and none (0), all (1), or some (2) of what was not."""
    files: dict[str, bytearray] = {}
    waiting: dict[str, list[Entry]] = {}
    for entry in log:
        kind, name, _, _ = entry
        if kind == "sync":
            _apply(files.setdefault(name, bytearray()), waiting.pop(name, []))
        elif kind == "delete":
            files.pop(name, None)
            waiting.pop(name, None)
        elif kind in {"write", "truncate", "unlink"}:
            waiting.setdefault(name, []).append(entry)
    for name, entries in waiting.items():
        some = entries if draw == 1 else [entry for entry in entries if draw and rng.random() < 0.5]
        if draw == 2 and some and some[-1][0] == "write":
            kind, _, offset, data = some[-1]
            some = [*some[:-1], (kind, name, offset, data[: len(data) // 2 // 512 * 512])]
        if any(entry[0] == "unlink" for entry in some):
            files.pop(name, None)
        elif some or name in files:
            _apply(files.setdefault(name, bytearray()), some)
    return {name: bytes(data) for name, data in files.items()}


def _apply(data: bytearray, entries: Sequence[Entry]) -> None:
    for kind, _, offset, more in entries:
        if kind == "truncate":
            del data[offset:]
        elif kind == "write":
            data.extend(bytes(max(0, offset + len(more) - len(data))))
            data[offset : offset + len(more)] = more


if __name__ == "__main__":
    script(measure)
