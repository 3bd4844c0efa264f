"""`strategy list` stays quick with 10,000 stored versions."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.promises.databases import NOW, Profile, folder, made
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from steelyard.store.schema import strategy_version
from steelyard.store.store import Store, stamp

PROMISE = "`strategy list` lists 10,000 stored versions, as a process; the aim is 0.6 s."
HOW = (
    "100 names of 100 versions each, five runs of the command from nothing to its end, and the "
    "median of their seconds. Counted as bad: a run that does not list every name. Seconds are "
    "reported, never gated."
)
MUTANT = "no version of a name is active"
NAMES, VERSIONS = 100, 100


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """The runs, and how long they took."""
    seconds: list[float] = []
    bad = 0
    with folder() as home:
        place = made(str(home / "store.db"), lambda store: _fill(store, active=not mutant))
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        before = usage.ru_utime + usage.ru_stime
        for _ in range(profile.runs):
            start = time.perf_counter()
            names = _listed(home, place)
            seconds.append(time.perf_counter() - start)
            bad += not names >= {f"s{i:03}" for i in range(NAMES)}
    median, fastest = statistics.median(seconds), min(seconds)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = (usage.ru_utime + usage.ru_stime - before) / profile.runs
    note = f"median {median:.2f} s, fastest {fastest:.2f} s, {processor:.2f} s of a processor"
    return Figure("C7", profile.runs, bad, note=note)


def _listed(home: Path, place: str) -> set[str]:
    output = subprocess.run(
        [sys.executable, "-m", "steelyard", "strategy", "list", "--json"],
        capture_output=True, text=True, check=False, cwd=home,
        env={**os.environ, "STEELYARD_HOME": str(home), "STEELYARD_DATABASE": place},
    ).stdout  # fmt: skip
    return set() if not output else {row["name"] for row in json.loads(output)}


def _fill(store: Store, *, active: bool) -> None:
    row: dict[str, object] = {
        "description": "", "toml": "[search]\nmax_depth = 3\n" + "# words\n" * 100,
        "sha256": "0" * 64, "rules_sha256": "0" * 64, "created_at": stamp(NOW),
        "created_by": "user",
    }  # fmt: skip
    rows = [
        row | {
            "name": f"s{i:03}", "version": k + 1, "title": f"S {i}", "parent": k or None,
            "active": int(active and k + 1 == VERSIONS), "reason": "",
        }
        for i in range(NAMES)
        for k in range(VERSIONS)
    ]  # fmt: skip
    with store.writing() as transaction:
        transaction.connection.execute(strategy_version.insert(), rows)


if __name__ == "__main__":
    script(measure)
