"""The store keeps the same contract on SQLite and on PostgreSQL: its tests, counted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.promises.databases import Profile
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script

PROMISE = "The store keeps the same contract on SQLite and on PostgreSQL."
HOW = (
    "Each test of `tests/store/test_contract.py` on each database. A trial is a test that ran; "
    "counted as bad: one that failed. Without PostgreSQL its half is left out, and the note says "
    "so. Of the nightly profile: in CI these tests run with all others."
)
MUTANT = "the database does without its unique index of the active version"
ROOT = Path(__file__).resolve().parents[2]
TESTS = "tests/store/test_contract.py"
OUTCOME = re.compile(r"(\d+) (passed|failed|errors?|skipped)")
BREAK = """
import pytest, sys
from steelyard.store import opening
whole = opening.open_store
def broken(*place, **more):
    store = whole(*place, **more)
    with store.writing() as transaction:
        transaction.connection.exec_driver_sql("DROP INDEX IF EXISTS one_active")
    return store
opening.open_store = broken
sys.exit(pytest.main(sys.argv[1:]))
"""


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """The tests that ran, and those that failed."""
    del profile  # each test once, whatever the profile
    start = ["-c", BREAK] if mutant else ["-m", "pytest"]
    only = ["-k", "second"] if mutant else []
    output = subprocess.run(
        [sys.executable, *start, "-q", "-p", "no:cacheprovider", *only, TESTS],
        capture_output=True, text=True, cwd=ROOT, check=False,
    ).stdout  # fmt: skip
    counts = {word.rstrip("s"): int(number) for number, word in OUTCOME.findall(output)}
    bad = counts.get("failed", 0) + counts.get("error", 0)
    ran = counts.get("passed", 0) + bad
    skipped = counts.get("skipped", 0)
    note = f"{skipped} left out: no PostgreSQL" if skipped else "both databases"
    return Figure("C6", max(ran, 1), bad if ran else 1, note=note)


if __name__ == "__main__":
    script(measure)
