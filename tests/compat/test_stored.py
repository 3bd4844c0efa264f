"""The documents' manager over the store: what it refuses leaves everything as it was."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard import compat
from steelyard.compat import (
    ConfigurationImportExport,
    ConfigurationManager,
    ConfigurationNotFoundError,
    PlannerFactory,
    create_planner_for_bucket,
)
from steelyard.errors import InputError, NotStored, SettingsError
from steelyard.store import buckets, strategies

ONE, TWO = "[core]\nmax_plan_depth = 1\n", "[core]\nmax_plan_depth = 2\n"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ConfigurationManager]:
    manager = ConfigurationManager(tmp_path / "configurations.db")
    yield manager
    manager.close()


def create(manager: ConfigurationManager, text: str = ONE, name: str = "mine", **more) -> int:
    return asyncio.run(manager.create_new_version(name, "Mine", text, **more))


def names(manager: ConfigurationManager) -> list[tuple[str, int]]:
    return [(version.name, version.version) for version in strategies.active(manager.store)]


def test_nothing_is_opened_before_it_is_used(tmp_path: Path):
    manager = ConfigurationManager(tmp_path / "c.db")

    assert list(tmp_path.iterdir()) == []
    create(manager)
    manager.close()
    assert create(manager) == 2
    manager.close()


def test_a_manager_closes_itself(tmp_path: Path):
    async def session() -> int:
        async with ConfigurationManager(tmp_path / "c.db") as manager:
            return await manager.create_new_version("mine", "Mine", ONE)

    assert asyncio.run(session()) == 1


@pytest.mark.parametrize("text", ["max_deph = 3", "[core\n", 'preset = "other.toml"'])
def test_what_is_not_valid_is_refused_and_nothing_is_saved(manager: ConfigurationManager, text):
    with pytest.raises(SettingsError):
        create(manager, text)

    assert names(manager) == []


def test_a_parent_of_another_name_or_of_none_is_refused(manager: ConfigurationManager):
    other = create(manager, name="other")

    with pytest.raises(ConfigurationNotFoundError, match="version of other, not of mine"):
        create(manager, parent_version_id=other)
    with pytest.raises(ValueError, match="no stored configuration with the id 99"):
        create(manager, parent_version_id=99)
    assert names(manager) == [("other", 1)]


def test_two_versions_of_one_parent_are_both_kept_and_the_second_is_told(
    manager: ConfigurationManager, caplog
):
    first = create(manager)
    create(manager, TWO, parent_version_id=first)
    third = create(manager, ONE, parent_version_id=first)

    history = asyncio.run(manager.get_version_history("mine"))
    assert [(row["version"], row["parent_version_id"]) for row in history] == [
        (3, first), (2, first), (1, None),
    ]  # fmt: skip
    assert history[0]["id"] == third
    assert caplog.messages == ["version 2 of mine was saved meanwhile; both are kept"]


def test_what_is_not_there_is_a_value_error_with_the_nearest(manager: ConfigurationManager):
    config_id = create(manager)
    asyncio.run(manager.assign_config_to_bucket("core", config_id))

    with pytest.raises(ValueError, match="Did you mean mine"):
        asyncio.run(manager.get_version_history("mien"))
    with pytest.raises(ValueError, match="no version 7 of mine"):
        asyncio.run(manager.rollback_to_version("core", 7, "mine"))
    with pytest.raises(ConfigurationNotFoundError, match="bucket cor"):
        asyncio.run(manager.rollback_to_version("cor", 1, "mine"))
    with pytest.raises(ConfigurationNotFoundError, match="No configuration is assigned"):
        asyncio.run(manager.get_bucket_config("satellite_a"))


def test_a_rollback_to_a_configuration_of_another_bucket_is_refused(manager: ConfigurationManager):
    config_id = create(manager)
    create(manager, name="other")
    asyncio.run(manager.assign_config_to_bucket("core", config_id))

    with pytest.raises(InputError, match="plans by mine, not by other"):
        asyncio.run(manager.rollback_to_version("core", 1, "other"))
    assert names(manager) == [("mine", 1), ("other", 1)]


def test_assigning_by_id_pins_the_bucket_and_makes_one_that_is_not_there(
    manager: ConfigurationManager,
):
    first = create(manager)
    for bucket in ("core", "satellite_a"):
        asyncio.run(manager.assign_config_to_bucket(bucket, first))
    create(manager, TWO)

    assert asyncio.run(manager.get_bucket_config("satellite_a"))["id"] == first
    assert [(held.name, held.kind) for held in buckets.buckets(manager.store)] == [
        ("core", "core"), ("satellite_a", "satellite"),
    ]  # fmt: skip


def test_an_export_goes_to_the_named_file_alone(manager: ConfigurationManager, tmp_path: Path):
    config_id = create(manager)
    files = ConfigurationImportExport(manager)

    with pytest.raises(InputError, match="could not be written"):
        asyncio.run(files.export_config(config_id, tmp_path / "absent" / "x.toml"))
    before = sorted(tmp_path.iterdir())
    asyncio.run(files.export_config(config_id))
    assert sorted(tmp_path.iterdir()) == before


def test_an_import_without_a_name_has_the_document_s(manager: ConfigurationManager):
    config_id = asyncio.run(ConfigurationImportExport(manager).import_config(ONE))

    row = asyncio.run(manager.get_config_by_id(config_id))
    assert (row["name"], row["title"]) == ("imported_config", "Imported config")


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=60)


@settings(max_examples=25, deadline=None)
@given(TEXTS, TEXTS)
def test_a_round_trip_is_the_identity_whatever_people_write(tmp_path_factory, title, about):
    manager = ConfigurationManager(tmp_path_factory.mktemp("trip") / "c.db")
    files = ConfigurationImportExport(manager)

    async def there_and_back() -> tuple[dict, dict]:
        first = await manager.create_new_version("mine", title, ONE, about)
        again = await files.import_config(await files.export_config(first))
        return await manager.get_config_by_id(first), await manager.get_config_by_id(again)

    before, after = asyncio.run(there_and_back())
    manager.close()
    columns = ("name", "title", "description", "config_toml")
    assert [before[column] for column in columns] == [after[column] for column in columns]


def test_without_a_database_the_core_plans_by_the_defaults_and_none_is_made(
    tmp_path: Path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    assert create_planner_for_bucket("core").config.max_depth == 5
    assert list(tmp_path.iterdir()) == []


def test_the_planner_of_a_satellite_without_a_configuration_goes_by_its_sliders(
    manager: ConfigurationManager,
):
    buckets.create(manager.store, "satellite_a")

    planner = create_planner_for_bucket("satellite_a", manager.config_db_path)

    settings_of = compat.SatelliteSettings(satellite_id="satellite_a")
    service = compat.PlannerFactoryService()
    usual = service.create_for_satellite_bucket("satellite_a", settings_of)
    assert planner.config.strategy().sha256 == usual.config.strategy().sha256
    with pytest.raises(NotStored, match="no bucket satellite_b"):
        create_planner_for_bucket("satellite_b", manager.config_db_path)


def test_all_planners_can_be_dropped_and_without_any_nothing_is_told(manager: ConfigurationManager):
    heard: list[compat.PlannerEvent] = []
    factory = PlannerFactory(manager)
    config_id = create(manager)
    for bucket in ("core", "satellite_a"):
        asyncio.run(manager.assign_config_to_bucket(bucket, config_id))
    manager.emitter.subscribe(heard.append)

    asyncio.run(factory.invalidate_cache())
    before = [asyncio.run(factory.get_planner(b)) for b in ("core", "satellite_a")]
    asyncio.run(factory.invalidate_cache())
    after = [asyncio.run(factory.get_planner(b)) for b in ("core", "satellite_a")]

    (event,) = heard
    assert (event.event_type, event.data) == ("CacheCleared", {"planners": 2})
    assert [a is b for a, b in zip(before, after, strict=True)] == [False, False]


def test_a_factory_and_a_manager_find_each_other(tmp_path: Path):
    factory = PlannerFactory()
    manager = ConfigurationManager(tmp_path / "c.db", planner_factory=factory)

    assert factory.config_manager is manager
    assert PlannerFactory(ConfigurationManager(tmp_path / "d.db")).manager.planner_factory
