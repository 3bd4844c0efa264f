"""docs/promises.md, written from the scripts' own words and the lines that they printed.

    python -m benchmarks.promises.page [--check]

Without a run it writes the page again from the lines that stand in it, so that words that changed
are taken over; `--check` fails where that would change anything.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from benchmarks.promises.figures import Figure, read_line
from benchmarks.promises.postgres import binaries

PAGE = Path(__file__).resolve().parents[2] / "docs" / "promises.md"
HEAD = """\
# Promises

<!-- Written by benchmarks/promises/page.py; change it there. -->

What execution (A, B, E, F), the database (C), the
services (D, S) and slow plans (P) keep, however often they are
killed, interrupted or lied to. Each promise is tried many times by a script of
`benchmarks/promises/`, which runs alone (`python -m benchmarks.promises.c1_writers`) or with the
others:

    make promises                    some minutes; also a stage of CI
    make promises PROFILE=nightly    each of them many times more

A line says how often a promise was tried (`trials`) and broken (`bad`). `ub95` is the rate of
breaches that the trials rule out at 95 % (exact binomial; about 3 / trials without a breach): that
it never happens is more than any number of trials can say. Each script also runs with a line that
breaks its promise, its *mutant*, every night: a script that does not notice that would be worth
nothing.

SIGKILL ends a process, not the power: what the system has not yet written to the disk survives it.
Loss of power is tried on the journal of execution (A5). The database is met with SQLite's own
`synchronous = EXTRA` (or `FULL` with a write-ahead journal) there.
"""


def measured(profile: str, figures: Sequence[Figure]) -> list[str]:
    """The lines of a run, after one that says of what they are."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("SQLAlchemy", "pg8000")]
    folder = binaries()
    postgres = folder.parent.name if folder is not None else "none"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    parts = [
        f"{datetime.now(UTC):%Y-%m-%d}", f"profile {profile}", machine, python,
        f"SQLite {sqlite3.sqlite_version}", f"PostgreSQL {postgres}", *versions,
    ]  # fmt: skip
    return [f"MEASURED {'; '.join(parts)}", *map(str, figures)]


def write(scripts: Mapping[str, ModuleType], lines: Sequence[str]) -> None:
    """Write the page."""
    PAGE.write_text(page(scripts, lines), encoding="utf-8")


def lines_of(text: str) -> list[str]:
    """The lines that stand in a page."""
    return [line for line in text.splitlines() if line.startswith(("MEASURED ", "PROMISE "))]


def page(scripts: Mapping[str, ModuleType], lines: Sequence[str]) -> str:
    """The whole page."""
    figures = {f.promise: f for f in map(read_line, lines) if f is not None}
    sections = [_section(name, script, figures.get(name)) for name, script in scripts.items()]
    block = "\n".join(lines)
    return f"{HEAD}\n## As measured\n\n```text\n{block}\n```\n\n" + "\n".join(sections)


def _section(name: str, script: ModuleType, figure: Figure | None) -> str:
    result = "Not measured yet."
    if figure is not None:
        times = f"{figure.bad:,} of {figure.trials:,}"
        result = f"**{times} bad**" + (f" ({figure.note})." if figure.note else ".")
    file = f"`benchmarks/promises/{Path(str(script.__file__)).name}`"
    parts = [f"{script.HOW} {result}", f"Mutant: {script.MUTANT}. Script: {file}."]
    return f"## {name}: {script.PROMISE.rstrip('.')}\n\n" + "\n\n".join(parts) + "\n"


def main() -> int:
    """Write the page again, or say that it is not as it would be written."""
    from benchmarks.promises.run import SCRIPTS  # noqa: PLC0415 - it imports this file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    new = page(SCRIPTS, lines_of(text))
    if not options.check:
        PAGE.write_text(new, encoding="utf-8")
    elif new != text:
        print("docs/promises.md is not up to date: python -m benchmarks.promises.page")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
