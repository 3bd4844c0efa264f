"""Which engine plans: the file, over it the documents' flags, over these our variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.engine import EngineSettings, engine_settings, read_engine
from steelyard.errors import SettingsError


def test_without_anything_the_planner_plans_and_the_other_engine_watches(tmp_path: Path):
    usual = read_engine(tmp_path, {})

    assert (usual.active, usual.shadow, usual.on_divergence) == ("fast", "on", "alert")


def test_the_file_is_under_the_documents_flags_and_these_under_our_variables(tmp_path: Path):
    (tmp_path / "execution.toml").write_text(
        '[engine]\nactive = "reference"\nshadow = "none"\non_divergence = "block"\n'
        "\n[other]\nx = 1\n"
    )
    flags = {"ENABLE_REBALANCER_COMPARISON": "True", "USE_NEW_PORTFOLIO_REBALANCER": "1"}

    assert read_engine(tmp_path, {}) == EngineSettings(
        active="reference", shadow="none", on_divergence="block"
    )
    assert read_engine(tmp_path, flags).shadow == "on"
    assert read_engine(tmp_path, flags).active == "fast"
    assert read_engine(tmp_path, {**flags, "STEELYARD_ENGINE_ACTIVE": "reference"}).active == (
        "reference"
    )


@pytest.mark.parametrize(
    ("flag", "on", "off"),
    [
        ("USE_NEW_PORTFOLIO_REBALANCER", {"active": "fast"}, {"active": "reference"}),
        ("ENABLE_REBALANCER_COMPARISON", {"shadow": "on"}, {"shadow": "none"}),
        ("ENABLE_REBALANCER_MONITORING", {"on_divergence": "alert"}, {"on_divergence": "log"}),
    ],
)
def test_the_flags_of_the_documents_are_aliases(flag: str, on: dict[str, str], off: dict[str, str]):
    for text, due in (("true", on), ("1", on), ("no", off), ("OFF", off), ("", {})):
        assert engine_settings({}, {flag: text}) == EngineSettings.model_validate(due), text


@pytest.mark.parametrize(
    ("table", "environment", "place"),
    [
        ({"active": "quick"}, {}, "engine.active"),
        ({"shadows": "on"}, {}, "engine.shadows"),
        ({"active": 1}, {}, "engine.active"),
        ({}, {"STEELYARD_ENGINE_ON_DIVERGENCE": "panic"}, "engine.on_divergence"),
        ({}, {"USE_NEW_PORTFOLIO_REBALANCER": "maybe"}, "USE_NEW_PORTFOLIO_REBALANCER"),
    ],
)
def test_an_unknown_name_or_value_is_refused_by_its_place(
    table: dict[str, object], environment: dict[str, str], place: str
):
    with pytest.raises(SettingsError) as refused:
        engine_settings(table, environment)

    assert refused.value.fault.place == place


@pytest.mark.parametrize("content", [b"[engine", b"\xff\xfe", b'engine = "fast"'])
def test_a_file_that_says_nothing_usable_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "execution.toml").write_bytes(content)

    with pytest.raises(SettingsError):
        read_engine(tmp_path, {})
