"""A folder of old files moves into the database once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from steelyard.buckets import SatelliteSettings, strategy_of
from steelyard.errors import SteelyardError
from steelyard.runs.folder import CORE_NAME, CORE_TITLE, import_folder
from steelyard.runs.planners import Planners
from steelyard.store import buckets
from steelyard.store.opening import open_store
from steelyard.store.store import Store
from steelyard.store.strategies import active, history, version


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "a.db"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "hunter.toml").write_text("[search]\nmax_depth = 4\n")
    (folder / "tech.toml").write_text("[search]\nmax_depth = 2\n")
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (folder / "satellites.json").write_text(
        json.dumps(
            [
                {"id": "tech", "name": "Tech"},
                {"id": "dips", "name": "Dips", "config_toml": "[search]\nmax_depth = 3\n"},
                {"id": "calm", "name": "Calm", "preset": "steady_eddy", "risk_appetite": 0.1},
            ]
        )
    )
    return folder


def test_files_and_satellites_become_strategies_and_buckets_that_plan_by_them(
    store: Store, old: Path
):
    import_folder(store, old)

    assert [row.name for row in active(store)] == [
        "calm_config",
        CORE_NAME,
        "dips_config",
        "hunter",
        "tech_config",
    ]
    planners = Planners(store)
    by = {row.name: planners.strategy(row.name) for row in buckets.buckets(store)}
    assert {name: strategy.name for name, strategy in by.items()} == {
        "core": CORE_NAME,
        "calm": "calm_config",
        "dips": "dips_config",
        "tech": "tech_config",
    }
    assert (by["tech"].search.max_depth, by["dips"].search.max_depth) == (2, 3)
    sliders = SatelliteSettings(satellite_id="calm", preset="steady_eddy", risk_appetite=0.1)
    assert by["calm"].sha256 == strategy_of(sliders).sha256
    titles = {row.name: (row.title, row.created_by) for row in active(store)}
    assert titles["dips_config"] == ("Dips Strategy", "system")
    assert titles[CORE_NAME] == (CORE_TITLE, "system")


def test_a_second_run_changes_nothing_and_a_changed_file_is_the_next_version(
    store: Store, old: Path
):
    import_folder(store, old)
    assigned = version(store, "hunter")

    again = import_folder(store, old)
    (old / "hunter.toml").write_text("[search]\nmax_depth = 5\n")
    changed = import_folder(store, old)

    assert {row.version for row in again} == {None}
    assert version(store, "hunter", 1) == assigned.__class__(
        **{**{f: getattr(assigned, f) for f in assigned.__slots__}, "active": False}
    )
    assert [row.name for row in changed if row.version is not None] == ["hunter"]
    assert len(history(store, "hunter")) == 2


def test_one_file_that_is_no_use_leaves_the_database_as_it_was(store: Store, old: Path):
    (old / "zbad.toml").write_text("max_deph = 3\n")

    with pytest.raises(SteelyardError, match="max_depth"):
        import_folder(store, old)

    assert active(store) == []
    assert buckets.buckets(store) == []


def test_every_shape_of_the_list_of_satellites_is_read(store: Store, tmp_path: Path):
    text = "[search]\nmax_depth = 3\n"
    shapes = {
        "a.json": ("satellites.json", json.dumps([{"id": "one", "config_toml": text}])),
        "b.json": ("satellites.json", json.dumps({"satellites": [{"id": "two"}]})),
        "c.json": ("satellites.json", json.dumps({"three": {"config_toml": text}})),
        "d.toml": ("satellites.toml", '[[satellites]]\nid = "four"\npreset = "dip_buyer"\n'),
        "bom.json": ("satellites.json", "\ufeff" + json.dumps([{"id": "six"}])),
        "e.toml": ("satellites.toml", '[five]\nrisk_appetite = 0.5\n'),
    }  # fmt: skip
    for key, (name, content) in shapes.items():
        folder = tmp_path / key
        folder.mkdir()
        (folder / name).write_text(content, encoding="utf-8")
        import_folder(store, folder)

    names = {row.name for row in buckets.buckets(store)}
    assert names == {"core", "one", "two", "three", "four", "five", "six"}


def test_what_is_no_folder_of_strategies_is_refused(store: Store, tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "satellites.json").write_text("[{]")
    nameless = tmp_path / "nameless"
    nameless.mkdir()
    (nameless / "satellites.json").write_text('[{"name": "x"}]')
    for name, ids in (("twice", ["a", "b", "a"]), ("cores", ["core"])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "satellites.json").write_text(json.dumps([{"id": i} for i in ids]))
    cases = {
        tmp_path / "twice": "satellites_unreadable",
        tmp_path / "cores": "satellites_unreadable",
        tmp_path / "nowhere": "no_such_folder",
        empty: "folder_without_strategies",
        broken: "satellites_unreadable",
        nameless: "satellites_unreadable",
    }

    for folder, code in cases.items():
        with pytest.raises(SteelyardError) as refusal:
            import_folder(store, folder)
        assert refusal.value.fault.code == code, folder
