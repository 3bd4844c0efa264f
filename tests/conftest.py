"""What every test may rely on: builders on the path, a home of its own, how hard hypothesis tries.

Examples are derandomised, so that a red build is red for all; the nightly profile tries harder.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# tests are collected with importlib, which puts no folder on the path
HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

pytest.register_assert_rewrite("builders")

COMMON = {
    "deadline": None, "derandomize": True, "suppress_health_check": [HealthCheck.too_slow],
    "database": None,
}  # fmt: skip
settings.register_profile("default", max_examples=40, **COMMON)
settings.register_profile("nightly", max_examples=500, **COMMON)
settings.load_profile("default")

HOMES = itertools.count()


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the home of who runs it, or that of another test."""
    home = tmp_path_factory.getbasetemp() / f"home-{next(HOMES)}"
    monkeypatch.setenv("STEELYARD_HOME", str(home))
