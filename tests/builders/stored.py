"""A folder with a small stored bucket and its plan, as the command line leaves it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from builders.commands import own_files, run
from steelyard import importers
from steelyard.runs.stored import load
from steelyard.store.store import Store

PROGRAM = (sys.executable, "-m", "steelyard")
DAY = "2026-01-09"
SECONDS = 30.0


def planned(folder: Path) -> str:
    """The id of a plan of the bucket core, which sells some of AAA and buys BBB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEELYARD_HOME", str(folder / "home"))
        patch.delenv("STEELYARD_DATABASE", raising=False)
        patch.chdir(folder)
        assert run("bucket", "load", "core", *own_files(folder), "--as-of", DAY).exit_code == 0
        return str(
            json.loads(run("plan", "--bucket", "core", "--save", "--json").stdout)["plan_id"]
        )


def reloaded(store: Store, folder: Path, rows: str) -> None:
    """The bucket core owns something else now; rows: of a holdings file."""
    (folder / "h.csv").write_text(f"symbol,quantity,price\n{rows}")
    files = importers.read(folder / "h.csv")
    load(store, "core", importers.assemble(files, as_of=date.fromisoformat(DAY)), ())


def command(home: Path, *words: str, pace: float = 0.0) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, without any key."""
    return subprocess.run(
        [*PROGRAM, *words], env=environment(home, pace), capture_output=True, text=True,
        timeout=2 * SECONDS, check=False,
    )  # fmt: skip


def environment(home: Path, pace: float = 0.0, **more: str) -> dict[str, str]:
    """Of a process that keeps its files in `home`."""
    bare = {name: text for name, text in os.environ.items() if not name.startswith("APCA_")}
    bare.pop("STEELYARD_DATABASE", None)
    return bare | {"STEELYARD_HOME": str(home), "STEELYARD_PAPER_PACE": f"{pace:g}", **more}


@contextmanager
def running(
    home: Path, *, pace: float = 0.0, more: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A runner that listens; it is killed at the end where it still is there."""
    process = subprocess.Popen(
        [*PROGRAM, "runner"], env=environment(home, pace, **(more or {})), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        until(lambda: (home / "runner.sock").exists() or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.communicate()


def until(happened, seconds: float = SECONDS) -> None:
    """Wait for something; AssertionError where it does not come."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
