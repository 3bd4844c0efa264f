"""The strategies of buckets are read once, and never one that another process has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builders.commands import own_files, run
from steelyard.errors import NotStored
from steelyard.runs.planners import Planners
from steelyard.store import buckets, events
from steelyard.store.assignments import assign
from steelyard.store.opening import open_store
from steelyard.store.store import Store
from steelyard.store.strategies import Draft, save


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "a.db"))


def draft(depth: int) -> Draft:
    return Draft(name="mine", toml=f"[search]\nmax_depth = {depth}\n", rules_sha256="0" * 64)


def test_a_text_is_read_once_for_as_long_as_its_version_stays(store: Store):
    save(store, draft(3))
    assign(store, "core", "mine")
    planners = Planners(store)
    assert planners.hit_rate is None

    first, second = planners.strategy("core"), planners.strategy("core")
    save(store, draft(4))
    third = planners.strategy("core")

    assert first is second
    assert (first.search.max_depth, first.version, first.title) == (3, 1, "Mine")
    assert (third.search.max_depth, third.version) == (4, 2)
    assert (planners.hits, planners.misses) == (1, 2)
    assert planners.hit_rate == 1 / 3


def test_one_bucket_or_all_can_be_cleared_and_that_is_an_event(store: Store):
    save(store, draft(3))
    buckets.create(store, "sat")
    assign(store, "core", "mine")
    assign(store, "sat", "mine")
    planners = Planners(store)
    for name in ("core", "sat"):
        planners.strategy(name)

    assert planners.clear("core") == 1
    assert planners.clear() == 1
    planners.strategy("core")

    assert planners.misses == 3
    cleared = events.since(store, event_type="CacheCleared")
    assert [(row.event.bucket_id, row.event.data) for row in cleared] == [
        ("core", {"planners": 1}),
        ("", {"planners": 1}),
    ]


def test_a_bucket_without_assignment_plans_by_the_default_and_an_unknown_one_is_refused(
    store: Store,
):
    buckets.create(store, "sat")

    assert Planners(store).strategy("sat").name == "sat"
    with pytest.raises(NotStored, match="Did you mean sat"):
        Planners(store).strategy("sta")


def test_a_running_process_plans_by_what_another_process_assigned(folder_of_home: Path):
    (folder_of_home / "a.toml").write_text("[search]\nmax_depth = 2\n")
    (folder_of_home / "b.toml").write_text("[search]\nmax_depth = 6\n")
    for name in ("a", "b"):
        assert run("strategy", "save", name, f"{name}.toml", "--yes").exit_code == 0
    run("bucket", "load", "core", *own_files(folder_of_home))
    run("strategy", "assign", "a", "--bucket", "core")
    store = open_store(str(Path(os.environ["STEELYARD_HOME"]) / "steelyard.db"))
    planners = Planners(store)
    before = planners.strategy("core")

    command = [sys.executable, "-m", "steelyard", "strategy", "assign", "b", "--bucket", "core"]
    subprocess.run(command, check=True, capture_output=True)
    after = planners.strategy("core")

    assert (before.name, before.search.max_depth) == ("a", 2)
    assert (after.name, after.search.max_depth) == ("b", 6)
    changes = events.since(store, event_type="ConfigurationChanged")
    assert changes[-1].event.data["old_name"] == "a"


@pytest.fixture
def folder_of_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path
