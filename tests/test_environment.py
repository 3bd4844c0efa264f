"""The table of environment variables: each that the code reads, its default, where files lie."""

from __future__ import annotations

import re
from pathlib import Path

import platformdirs.macos
import platformdirs.unix
import pytest

import steelyard
from steelyard import engine
from steelyard import environment as home
from steelyard.calculations import cache
from steelyard.cli import connecting, logs
from steelyard.environment import HEALTH_FILE, VARIABLES
from steelyard.execution import configuration
from steelyard.importers import limits
from steelyard.services.reading import file as topology_file
from steelyard.services.running import ports
from steelyard.services.security import tokens
from steelyard.telemetry import breaker
from steelyard.telemetry.health import FILE

BY_NAME = {one.name: one for one in VARIABLES}


def test_every_variable_that_the_code_names_is_in_the_table():
    sources = Path(steelyard.__file__).parent.rglob("*.py")

    named = {
        name
        for source in sources
        for name in re.findall(
            r"\b(?:STEELYARD|SERVICES|EVALUATOR|COORDINATOR)_[A-Z_]+\b",
            source.read_text(encoding="utf-8"),
        )
        if not name.endswith("_")
    }

    names = (*breaker.VARIABLES.values(), *limits.VARIABLES.values(), *cache.VARIABLES.values())
    names = (*names, *map(engine.variable, engine.EngineSettings.model_fields))
    code = {
        configuration.SAMPLE,
        connecting.PACE,
        home.VARIABLE,
        home.DATABASE,
        logs.VARIABLE,
        logs.FORMAT,
        tokens.VARIABLE,
        topology_file.CONFIG,
        topology_file.TIMEOUT,
        ports.EVALUATOR,
        *names,
    }
    assert named == set(BY_NAME) == code


@pytest.mark.parametrize("rule", breaker.VARIABLES)
def test_a_default_in_the_table_is_that_of_the_code(rule: str):
    assert float(BY_NAME[breaker.VARIABLES[rule]].default) == getattr(breaker.Rules(), rule)


def test_the_default_limits_in_the_table_are_those_of_the_code():
    shown = {name: BY_NAME[variable].default for name, variable in limits.VARIABLES.items()}

    assert shown == {name: f"{getattr(limits.LIMITS, name):,}" for name in limits.VARIABLES}


def test_the_default_cache_in_the_table_is_that_of_the_code():
    shown = {name: BY_NAME[variable].default for name, variable in cache.VARIABLES.items()}

    assert shown == {"seconds": f"{cache.SECONDS:g}", "most_bytes": f"{cache.MOST_BYTES:,}"}


def test_every_level_of_the_log_is_in_the_table():
    assert all(f"`{level}`" in BY_NAME[logs.VARIABLE].meaning for level in logs.LEVELS)


def test_the_file_of_failures_lies_where_the_table_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    folders = {
        "Linux": platformdirs.unix.Unix("steelyard", appauthor=False).user_data_path,
        "macOS": platformdirs.macos.MacOS("steelyard", appauthor=False).user_data_path,
    }

    for platform, folder in folders.items():
        shown = (folder / FILE).as_posix().replace(Path.home().as_posix(), "~")
        assert HEALTH_FILE[platform].startswith(f"`{shown}`")
    assert HEALTH_FILE["Windows"].endswith(f"\\steelyard\\{FILE}`")
