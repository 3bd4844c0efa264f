"""How long a command takes from the shell's point of view: start, imports, reading files, planning,
printing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

STEELYARD = Path(sys.executable).parent / "steelyard"
RUNS = 7


@pytest.mark.parametrize("arguments", [["plan", "--json"], ["--help"]], ids=["plan", "help"])
def test_process(benchmark: BenchmarkFixture, arguments: list[str]) -> None:
    def run() -> None:
        subprocess.run([STEELYARD, *arguments], check=True, capture_output=True)

    benchmark.pedantic(run, rounds=RUNS, iterations=1, warmup_rounds=1)
