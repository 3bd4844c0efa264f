"""The code of the list of improvements, as written there, runs on our planner and our store.

What defines a class runs as that class, with ours behind it where it takes attributes for granted;
what uses one runs with ours; the bodies of route handlers are called with a router that notes them.
"""

from __future__ import annotations

import ast
import asyncio
import hashlib
import inspect
import json
import logging
import re
import sys
import time
import traceback
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from builders.plugins import pin
from steelyard import compat
from steelyard.compat import (
    ABTestRunner,
    ConfigurationDiffer,
    ConfigurationImportExport,
    ConfigurationManager,
    HolisticPlanner,
    PlannerConfiguration,
    PlannerContext,
    PlannerEvent,
    PlannerEventEmitter,
    PlannerFactory,
    parse_toml_config,
    translate,
)
from steelyard.modules import registry
from steelyard.modules.registry import Kind
from steelyard.store import events
from steelyard.strategies import schema

PAGE = Path(__file__).parent / "improvements.txt"
FENCE = re.compile(
    r"^## (?P<title>[^\n]+)\n\n```python\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
WRITTEN = "a0e87b29bfaafdc3ece8279c0394ff351e41563ddf1edede4b18ab7c7cbb99e6"
"""SHA-256 of the document's blocks, one after the other: no formatter may touch them."""
BLOCKS = {
    match["title"]: match["text"] for match in FENCE.finditer(PAGE.read_text(encoding="utf-8"))
}
SHALLOW, DEEP = "[core]\nmax_plan_depth = 3\n", "[core]\nmax_plan_depth = 5\n"


class Router:
    """Notes handlers by method and path, and leaves the functions as they are."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[..., Any]] = {}

    def _noting(self, method: str) -> Callable[[str], Callable[[Any], Any]]:
        def of(path: str) -> Callable[[Any], Any]:
            def note(function: Any) -> Any:
                self.handlers[f"{method} {path}"] = function
                return function

            return note

        return of

    get = property(lambda self: self._noting("GET"))
    post = property(lambda self: self._noting("POST"))


@pytest.fixture
def names() -> dict[str, Any]:
    """What the blocks take for granted, and then what they define."""
    free = {
        "ABC": ABC, "Any": Any, "Dict": dict, "List": list, "Path": Path, "abstractmethod":
        abstractmethod, "dataclass": dataclass, "datetime": datetime, "field": field,
        "hashlib": hashlib, "json": json, "logger": logging.getLogger("steelyard"),
        "params": {}, "time": time, "traceback": traceback, "router": Router(),
    }  # fmt: skip
    return {**{name: getattr(compat, name) for name in compat.__all__}, **free}


def run(title: str, names: dict[str, Any]) -> None:
    """Run a block, with module names as ours, in an event loop if it awaits anything."""
    code = compile(
        translate(BLOCKS[title]), title, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )  # fmt: skip
    coroutine = eval(code, names)
    if coroutine is not None:
        asyncio.run(coroutine)


def grafted(theirs: type, ours: object) -> type:
    """A class of the document; what it takes for granted is ours."""
    return type("Grafted", (theirs,), {"__getattr__": lambda _, name: getattr(ours, name)})


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ConfigurationManager]:
    manager = ConfigurationManager(tmp_path / "planner_configurations.db")
    yield manager
    manager.close()


def stored(manager: ConfigurationManager, *texts: str, name: str = "momentum") -> list[int]:
    """Ids of versions of a name with these texts."""
    return [
        asyncio.run(manager.create_new_version(name, name.title(), text, f"text {n}"))
        for n, text in enumerate(texts, 1)
    ]


def parameters(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_the_blocks_are_the_document_s_to_the_byte():
    assert hashlib.sha256("".join(BLOCKS.values()).encode()).hexdigest() == WRITTEN
    assert len(BLOCKS) == 27


# 6 caching


def test_the_cache_of_the_document_and_ours_are_one_for_its_decorator(names: dict[str, Any]):
    ours = names["CalculationCache"]
    run("6.1 Calculation Caching", names)  # its `cacheable` asks a cache that it does not make
    calls: list[object] = []

    class Counting:
        name = "profit_taking"

        @names["cacheable"](ttl=60)
        async def calculate(self, context: object, params: dict[str, Any]) -> tuple[str, ...]:
            calls.append(context)
            return ("sell AAPL",)

    for made in (names["CalculationCache"], ours):
        names["cache"] = made()
        calls.clear()
        asked = [({"value": 1}, {"a": 1}), ({"value": 1}, {"a": 1}), ({"value": 1}, {"a": 2})]

        wants = [asyncio.run(Counting().calculate(*each)) for each in (*asked, ({}, {"a": 2}))]

        assert wants == [("sell AAPL",)] * 4
        assert len(calls) == 3
        names["cache"].clear_expired()


def test_a_calculator_of_the_document_s_class_with_our_decorator_is_asked_once(
    names: dict[str, Any], small: PlannerContext
):
    run("6.1 Calculation Caching", {**names, "cacheable": compat.cacheable})
    calls: list[object] = []

    class Own(compat.OpportunityCalculator):
        metadata = compat.ModuleMetadata("own_cached", "1.0.0")

        @compat.cacheable(ttl=60)
        async def calculate(self, context: Any, params: dict[str, Any]) -> list[str]:
            calls.append(context)
            return ["sell AAPL"]

        @compat.cacheable(ttl=60)
        def size(self, context: Any, params: dict[str, Any]) -> int:
            calls.append(context)
            return len(calls)

    async def several() -> list[object]:
        return await asyncio.gather(*(Own().calculate(small, {}) for _ in range(3)))

    assert asyncio.run(several()) == [("sell AAPL",)] * 3
    assert Own().size(small, {}) == Own().size(small, {}) == 2
    assert compat.hash_context(small) == compat.hash_context(replace(small))
    assert compat.clear_expired() == 0


# 1 observability


def test_events_of_the_document_reach_our_subscribers_and_ours_its_emitter(
    names: dict[str, Any], small: PlannerContext
):
    run("1.1 Structured Event System", names)
    theirs = names["PlannerEvent"](datetime.now(UTC), "core", "PlanningCompleted", {"orders": 2})
    heard: list[PlannerEvent] = []
    emitter = PlannerEventEmitter([heard.append])

    emitter.emit(theirs)
    asyncio.run(HolisticPlanner(emitter=emitter).plan(small))

    assert heard[0] is theirs
    listed = re.findall(r"^# - (\w+)$", BLOCKS["1.1 Structured Event System"], re.MULTILINE)
    ours = {event.event_type for event in heard[1:]}
    assert set(listed) - ours == {"ModuleLoadFailed", "ConfigurationChanged"}
    assert all(event.bucket_id == "core" for event in heard)
    assert names["PlannerEventEmitter"]().emit(heard[1]) is None


@pytest.mark.parametrize("title", ["1.2 Performance Profiling & Metrics"])
def test_the_tracker_of_the_document_times_our_calculators(
    names: dict[str, Any], small: PlannerContext, title: str
):
    run(title, names)
    planner = grafted(names["HolisticPlanner"], HolisticPlanner())(PlannerConfiguration())

    wants = asyncio.run(planner.identify_opportunities(small))

    assert wants == asyncio.run(HolisticPlanner().identify_opportunities(small))
    stats = planner.perf.get_stats()
    assert stats["weight_based.calculate"]["count"] == 1
    own = compat.PerformanceTracker()
    with own.track("weight_based", "calculate"):
        pass
    assert set(own.get_stats()["weight_based.calculate"]) == set(stats["weight_based.calculate"])


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records]


def test_a_line_of_the_structured_logger_is_json_with_bucket_and_fields(
    names: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    ours = names["StructuredLogger"]
    with caplog.at_level(logging.INFO):
        run("1.3 Structured Logging", names)
        usage = BLOCKS["1.3 Structured Logging"].partition("# Usage:")[2]
        exec(usage, {**names, "StructuredLogger": ours})

    theirs, again = logged(caplog)
    assert theirs == again == {
        "bucket_id": "satellite_a", "message": "Opportunities identified",
        "calculator": "profit_taking", "count": 5, "elapsed_ms": 150,
    }  # fmt: skip


# 2 reliability


class Failing:
    """A calculator that fails."""

    name = "failing"
    calls = 0

    async def calculate(self, context: object, params: object) -> list[object]:
        Failing.calls += 1
        raise ValueError("out of luck")


@pytest.fixture
def with_failing() -> SimpleNamespace:
    """A planner of ours, whose calculators are one that fails and those that it has."""
    Failing.calls = 0
    heard: list[PlannerEvent] = []
    planner = HolisticPlanner(emitter=PlannerEventEmitter([heard.append]))
    calculators = [Failing(), *planner.opportunity_calculators]
    return SimpleNamespace(
        opportunity_calculators=calculators, logger=planner.logger, bucket_id=planner.bucket_id,
        emit_event=planner.emit_event, heard=heard,
    )  # fmt: skip


def test_a_calculator_that_fails_costs_itself_and_is_told(
    names: dict[str, Any], small: PlannerContext, with_failing: SimpleNamespace, caplog
):
    run("2.1 Graceful Degradation", names)
    planner = grafted(names["HolisticPlanner"], with_failing)()

    wants = asyncio.run(planner.identify_opportunities(small))

    assert wants["failing"] == []
    assert wants["weight_based"]
    (event,) = with_failing.heard
    assert (event.event_type, event.data) == ("CalculatorFailure", {"failed": ["failing"]})
    (line,) = logged(caplog)
    assert (line["bucket_id"], line["error"]) == ("core", "out of luck")
    assert "ValueError" in line["traceback"]


def test_the_breaker_of_the_document_leaves_out_what_failed_three_times(
    names: dict[str, Any], small: PlannerContext, with_failing: SimpleNamespace
):
    names["timedelta"] = timedelta
    run("2.2 Circuit Breaker Pattern", names)
    planner = grafted(names["HolisticPlanner"], with_failing)(PlannerConfiguration())

    for _ in range(4):
        asyncio.run(planner.identify_opportunities(small))

    assert Failing.calls == 3
    assert planner.circuit_breaker.is_open("failing")
    assert not planner.circuit_breaker.is_open("weight_based")


@pytest.fixture
def fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of that name that has a router and nothing else."""
    module = types.ModuleType("fastapi")
    module.APIRouter = Router  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fastapi", module)


@pytest.mark.usefixtures("fastapi")
def test_the_health_route_checks_the_modules_of_a_bucket_s_planner(
    names: dict[str, Any], manager: ConfigurationManager
):
    (config_id,) = stored(manager, SHALLOW)
    asyncio.run(manager.assign_config_to_bucket("satellite_a", config_id))
    names["create_planner_for_bucket"] = lambda bucket_id: compat.create_planner_for_bucket(
        bucket_id, manager.config_db_path
    )
    run("2.3 Health Checks", names)
    (check,) = names["router"].handlers.values()

    health = asyncio.run(check("satellite_a"))

    assert (health["status"], health["errors"]) == ("healthy", [])
    assert health["modules"]["profit_taking"] == {"status": "ok", "type": "calculator"}


# 3 configurations


@pytest.mark.parametrize(
    "title", ["3.1 Configuration Versioning", "9.2 Configuration Change Detection"]
)
def test_our_manager_takes_what_the_document_s_takes(names: dict[str, Any], title: str):
    run(title, names)
    theirs = names["ConfigurationManager"]

    methods = {
        name: parameters(method)
        for name, method in inspect.getmembers(theirs, inspect.isfunction)
        if name in {"__init__", *theirs.__dict__}
    }
    assert len(methods) > 1
    for name, due in methods.items():
        ours = parameters(getattr(ConfigurationManager, name))
        assert ours[: len(due)] == due, name
        assert inspect.iscoroutinefunction(getattr(ConfigurationManager, name)) == (
            name != "__init__"
        )


def routed(names: dict[str, Any], title: str) -> dict[str, Callable[..., Any]]:
    run(title, names)
    return names["router"].handlers


def test_the_routes_of_configurations_work_on_the_store(
    names: dict[str, Any], manager: ConfigurationManager
):
    names["config_manager"] = manager
    routes = routed(names, "3.1 Configuration Versioning (2)")

    async def session() -> tuple[Any, ...]:
        create, assign = routes["POST /configs"], routes["POST /buckets/{bucket_id}/assign-config"]
        first = await create("momentum", "Momentum", SHALLOW, "as it was")
        await assign("satellite_a", first["config_id"])
        second = await create("momentum", "Momentum, deeper", DEEP)
        await assign("satellite_a", second["config_id"])
        done = await routes["POST /buckets/{bucket_id}/rollback"]("satellite_a", "momentum", 1)
        history = await routes["GET /configs/{name}/history"]("momentum")
        return done, history, await routes["GET /buckets/{bucket_id}/config"]("satellite_a")

    done, history, config = asyncio.run(session())

    assert done == {"status": "rolled_back"}
    rows = [(row["version"], row["title"], row["is_active"]) for row in history["history"]]
    assert rows == [(3, "Momentum", True), (2, "Momentum, deeper", False), (1, "Momentum", False)]
    assert (config["version"], config["config_toml"]) == (3, SHALLOW)
    assert config["parent_version_id"] == history["history"][2]["id"]


def test_the_workflow_of_the_document_ends_with_the_first_version_again(
    names: dict[str, Any], manager: ConfigurationManager
):
    async def create_config(name: str, title: str, config_toml: str, description: str) -> int:
        text = config_toml.removesuffix("...")  # which stands for more of it there
        return await manager.create_new_version(name, title, text, description)

    async def rollback_config(bucket_id: str, config_name: str, version: int) -> int:
        return await manager.rollback_to_version(bucket_id, version, config_name)

    names |= {
        "create_config": create_config, "rollback_config": rollback_config,
        "assign_config": manager.assign_config_to_bucket,
    }  # fmt: skip
    run("3.1 Configuration Versioning (3)", names)

    config = asyncio.run(manager.get_bucket_config("satellite_a"))
    assert (config["title"], config["version"]) == ("Momentum Hunter - Aggressive", 3)
    assert parse_toml_config(config["config_toml"]).max_depth == 3


SATELLITES = (
    {"id": "satellite_a", "name": "Momentum", "config_toml": DEEP},
    {"id": "satellite_b", "name": "Empty"},
)


class SatellitesRepo:
    """The satellites, as the document's repository has them."""

    async def get_all(self) -> tuple[dict[str, str], ...]:
        return SATELLITES


async def core_settings() -> str:
    return SHALLOW


def test_the_migration_of_the_document_moves_satellites_and_the_core(
    names: dict[str, Any], manager: ConfigurationManager
):
    names |= {
        "satellites_repo": SatellitesRepo(), "config_manager": manager,
        "build_toml_from_settings": core_settings,
    }  # fmt: skip
    run("3.1 Configuration Versioning (4)", names)

    asyncio.run(names["migrate_existing_configs"]())

    config = asyncio.run(manager.get_bucket_config("satellite_a"))
    assert (config["name"], config["title"]) == ("satellite_a_config", "Momentum Strategy")
    assert asyncio.run(manager.get_bucket_config("core"))["name"] == "core_conservative"


def test_our_migration_does_the_same_once(manager: ConfigurationManager):
    def migrate() -> list[Any]:
        work = compat.migrate_existing_configs(SatellitesRepo(), manager, core_settings)
        return asyncio.run(work)

    first, second = migrate(), migrate()

    assert [(row.name, row.version, row.bucket) for row in first] == [
        ("satellite_a_config", 1, "satellite_a"), ("satellite_b_config", 1, "satellite_b"),
        ("core_conservative", 1, "core"),
    ]  # fmt: skip
    assert [row.version for row in second] == [None] * 3
    assert asyncio.run(manager.get_bucket_config("core"))["config_toml"] == SHALLOW


OLD = "[opportunity_calculators]\nrebalance_buys = false\n"
NEW = (
    "[opportunity_calculators]\nweight_based = false\n"
    "[opportunity_calculators.profit_taking]\nwindfall_threshold = 0.2\n"
)


def test_the_differ_of_the_document_compares_two_strategies(names: dict[str, Any]):
    run("3.2 Configuration Diffing", names)

    changes = names["ConfigurationDiffer"]().semantic_diff(OLD, NEW)

    assert (changes["modules_added"], changes["modules_removed"]) == (
        ["rebalance_buys"], ["weight_based"],
    )  # fmt: skip
    assert list(changes["params_changed"]) == ["profit_taking"]
    assert changes["params_changed"]["profit_taking"]["new"]["windfall_threshold"] == 0.2


def test_our_differ_sees_every_kind_of_module_and_the_globals(names: dict[str, Any]):
    run("3.2 Configuration Diffing", names)
    more = NEW + "[filters.recently_traded]\nenabled = false\n[search]\nmax_depth = 7\n"

    changes = ConfigurationDiffer().semantic_diff(OLD, more)

    assert changes["modules_added"] == ["opportunity_calculators.rebalance_buys"]
    assert set(changes["modules_removed"]) == {
        "opportunity_calculators.weight_based", "filters.recently_traded",
    }  # fmt: skip
    params = changes["params_changed"]["opportunity_calculators.profit_taking"]
    assert params["new"] == {"windfall_threshold": 0.2}
    assert changes["globals_changed"]["search.max_depth"]["new"] == 7
    lines, theirs = ConfigurationDiffer().diff(OLD, more), names["ConfigurationDiffer"]()
    assert lines[:2] == ["--- Current\n", "+++ New\n"]
    assert lines[3:] == [line for line in theirs.diff(OLD, more) if line[:1] in "+- "][2:]


def test_the_routes_of_presets_can_be_noted(names: dict[str, Any]):
    routes = routed(names, "3.3 Configuration Presets Library")

    assert list(routes) == ["GET /presets", "GET /presets/{preset_id}", "POST /presets"]
    assert [asyncio.run(function("x")) for function in list(routes.values())[:2]] == [None, None]


# 4 testing


def test_a_dry_run_of_the_document_and_ours_load_the_same_calculators(
    names: dict[str, Any], small: PlannerContext
):
    run("4.1 Dry-Run Mode", names)
    planner = grafted(names["HolisticPlanner"], HolisticPlanner())()

    theirs = asyncio.run(planner.dry_run(small))
    ours = asyncio.run(HolisticPlanner().dry_run(small))

    assert (theirs["valid"], theirs["errors"]) == (True, [])
    assert set(theirs["modules_loaded"]) <= set(ours["modules_loaded"])
    assert set(theirs) == set(ours)
    assert theirs["estimated_sequences"] > 0


def test_the_dry_run_route_tries_a_configuration_on_the_smallest_context(names: dict[str, Any]):
    (dry_run,) = routed(names, "4.1 Dry-Run Mode (2)").values()

    report = asyncio.run(dry_run("satellite_a", SHALLOW))

    assert (report["valid"], report["errors"]) == (True, [])
    assert report["estimated_sequences"] > 0
    assert report["modules_loaded"]["weight_based"]["type"] == "calculator"


def test_the_a_b_runner_of_the_document_compares_two_plans(
    names: dict[str, Any], small: PlannerContext
):
    run("4.2 A/B Testing Framework", names)
    one_order = PlannerConfiguration(max_depth=1)

    comparison = asyncio.run(
        names["ABTestRunner"]().run_test("core", PlannerConfiguration(), one_order, small)
    )

    assert comparison["winner"] == "a"
    assert comparison["config_a"]["end_score"] > comparison["config_b"]["end_score"]
    assert comparison["config_a"]["num_steps"] > 1
    assert comparison["config_b"]["num_steps"] == 1


def test_our_a_b_runner_names_no_winner_of_two_that_plan_alike(
    names: dict[str, Any], small: PlannerContext
):
    run("4.2 A/B Testing Framework", names)
    one_order, other = PlannerConfiguration(max_depth=1), PlannerConfiguration(name="other")

    def tested(runner: Any, a: PlannerConfiguration, b: PlannerConfiguration) -> dict[str, Any]:
        return asyncio.run(runner().run_test("core", a, b, small))

    better = tested(ABTestRunner, PlannerConfiguration(), one_order)
    worse = tested(ABTestRunner, one_order, PlannerConfiguration())
    same = tested(ABTestRunner, PlannerConfiguration(), other)

    assert (better["winner"], worse["winner"], same["winner"]) == ("a", "b", "tie")
    assert tested(names["ABTestRunner"], PlannerConfiguration(), other)["winner"] == "b"
    assert better["config_a"]["end_score"] > better["config_b"]["end_score"]
    assert set(better["config_a"]) > {"end_score", "num_steps", "cash_required"}
    assert better["why"]


def test_our_a_b_runner_names_no_winner_where_neither_trades(small: PlannerContext):
    closed = [replace(security, allow_buy=False, allow_sell=False) for security in small.securities]
    context = replace(small, securities=tuple(closed))

    comparison = asyncio.run(
        ABTestRunner().run_test(
            "core", PlannerConfiguration(), PlannerConfiguration(max_depth=1), context
        )
    )

    assert comparison["winner"] == "none"
    assert (comparison["config_a"]["num_steps"], comparison["config_b"]["num_steps"]) == (0, 0)


def test_a_side_without_a_plan_has_no_score_and_the_other_does_not_win(small: PlannerContext):
    context = replace(small, available_cash=-1e9)

    comparison = asyncio.run(
        ABTestRunner().run_test("core", PlannerConfiguration(), PlannerConfiguration(), context)
    )

    assert comparison["winner"] == "none"
    assert comparison["config_a"]["end_score"] is None
    assert "more is owed than owned" in comparison["config_a"]["refused"]


# 5 modules


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry as it is, back again afterwards."""
    every = {kind: dict(registry.modules(kind)) for kind in Kind}
    monkeypatch.setattr(registry, "_MODULES", every)


@pytest.mark.usefixtures("own_registry")
def test_a_module_with_the_document_s_metadata_is_registered(names: dict[str, Any]):
    run("5.1 Module Metadata & Versioning", names)

    class Named(names["ProfitTakingCalculator"]):  # type: ignore[misc]
        async def calculate(self, context: object, params: object) -> list[object]:
            return []

    module = Named().as_module()

    assert (module.name, module.version, module.tags) == (
        "profit_taking", "1.0.0", ("sell", "profit", "windfall"),
    )  # fmt: skip
    assert module.summary == "Identifies windfall positions for profit-taking"


def test_dependencies_are_checked_by_qualified_names(names: dict[str, Any]):
    run("5.2 Module Dependencies", names)

    class Whole(names["CombinatorialGenerator"]):  # type: ignore[misc]
        async def generate(self, *inputs: object) -> list[object]:
            return []

    theirs = Whole()
    assert theirs.validate_dependencies(["pattern_generators.single_best"]) == []
    assert theirs.validate_dependencies(["filters.eligibility"]) == [
        "Combinatorial generator requires at least one pattern generator"
    ]
    assert theirs.as_module().dependencies == ("pattern_generators.single_best",)


def test_the_validator_of_the_document_finds_every_enabled_module(names: dict[str, Any]):
    asked: list[str] = []

    def noted(name: str) -> Any:
        asked.append(name)
        return compat.get_module_by_name(name)

    names["get_module_by_name"] = noted
    run("5.2 Module Dependencies (2)", names)
    config = PlannerConfiguration()

    assert names["ConfigurationValidator"].validate_dependencies(config) == []
    assert asked == [
        *config.enabled_opportunity_calculators, *config.enabled_pattern_generators,
        *config.enabled_sequence_generators, *config.enabled_filters,
    ]  # fmt: skip


@pytest.fixture
def plugin_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the document's own plugin in the document's own folder."""
    folder = tmp_path / ".arduino-trader" / "plugins"
    folder.mkdir(parents=True)
    text = translate(BLOCKS["5.3 Plugin System (2)"])
    (folder / "my_custom_calculator.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


@pytest.mark.usefixtures("own_registry")
def test_the_loader_of_the_document_registers_its_plugin(
    names: dict[str, Any], plugin_home: Path, caplog
):
    names |= {"importlib": __import__("importlib.util")}
    with caplog.at_level(logging.INFO):
        run("5.3 Plugin System", names)  # which does not expand `~`, and finds nothing
        assert compat.opportunity_registry.get("my_custom") is None
        names["PluginLoader"](plugin_home).load_plugins()

    assert compat.opportunity_registry.get("my_custom").metadata.author == "Me"
    assert caplog.messages == ["Loaded plugin: my_custom_calculator"]


@pytest.mark.usefixtures("own_registry")
def test_our_loader_runs_what_is_allowed_and_says_how_to_allow_the_rest(
    names: dict[str, Any], plugin_home: Path, caplog
):
    usage = BLOCKS["5.3 Plugin System"].partition("# Usage in planner initialization:")[2]
    exec(usage, names)

    digest = pin(plugin_home / "my_custom_calculator.py")
    (warning,) = caplog.messages
    assert f"'my_custom_calculator.py': \"{digest}\"" in warning
    assert compat.opportunity_registry.get("my_custom") is None

    loader = compat.PluginLoader("~/.arduino-trader/plugins", {"my_custom_calculator.py": digest})
    try:
        (module,) = loader.load_plugins()
        assert compat.opportunity_registry.get("my_custom") is module
    finally:
        loader.close()


@pytest.mark.usefixtures("own_registry", "plugin_home")
def test_a_plugin_that_changed_since_it_was_allowed_is_not_run(caplog):
    allowed = {"my_custom_calculator.py": f"sha256:{'0' * 64}"}
    loader = compat.PluginLoader("~/.arduino-trader/plugins", allowed)

    assert loader.load_plugins() == []
    assert "my_custom_calculator.py was not loaded" in caplog.messages[0]


# 7 documentation


def test_the_generated_documentation_names_every_calculator(
    names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    run("7.1 Auto-Generated Documentation", names)

    names["generate_module_documentation"]()

    text = (tmp_path / "docs" / "modules.md").read_text(encoding="utf-8")
    for name, module in registry.modules(Kind.OPPORTUNITY).items():
        assert f"### {name}\n\n**Version**: {module.version}\n" in text


def test_the_schema_of_the_document_has_our_calculators_and_their_parameters(names: dict[str, Any]):
    ours = names["generate_toml_schema"]
    run("7.2 Configuration Schema", names)

    made = names["generate_toml_schema"]()

    calculators = made["properties"]["opportunity_calculators"]["properties"]
    assert set(calculators) == set(registry.modules(Kind.OPPORTUNITY))
    _, table = calculators["profit_taking"]["oneOf"]
    assert table["properties"]["windfall_threshold"]["type"] == "number"
    assert json.loads(json.dumps(made)) == made
    assert ours() == schema()


def test_a_parameter_s_schema_has_its_type_and_default():
    made = compat.generate_param_schema(
        {"on": True, "days": 3, "share": 0.5, "mode": "a", "list": [1], "off": None}
    )

    types = {name: entry.get("type") for name, entry in made.items()}
    assert types == {
        "on": "boolean", "days": "integer", "share": "number", "mode": "string", "list": "array",
        "off": None,
    }  # fmt: skip
    assert made["off"] == {"default": None}


# 8 files


def rules_of(manager: ConfigurationManager, config_id: int) -> str:
    """Hash of what a stored configuration makes act."""
    row = asyncio.run(manager.get_config_by_id(config_id))
    return parse_toml_config(row["config_toml"]).strategy().sha256


def test_files_of_the_document_s_class_come_back_as_the_same_rules(
    names: dict[str, Any], manager: ConfigurationManager
):
    run("8.1 Configuration File Export", names)
    theirs = grafted(names["ConfigurationImportExport"], SimpleNamespace(config_manager=manager))()
    (config_id,) = stored(manager, SHALLOW)

    text = asyncio.run(theirs.export_config(config_id))
    again = asyncio.run(theirs.import_config(text))
    ours = asyncio.run(ConfigurationImportExport(manager).import_config(text, name="ours"))

    row = asyncio.run(manager.get_config_by_id(again))
    assert (row["name"], row["title"], row["version"]) == ("momentum", "Momentum", 2)
    assert rules_of(manager, again) == rules_of(manager, ours) == rules_of(manager, config_id)
    assert asyncio.run(manager.get_config_by_id(ours))["config_toml"].strip() == SHALLOW.strip()


def test_our_export_comes_back_to_the_byte_with_what_people_say_of_it(
    manager: ConfigurationManager, tmp_path: Path
):
    title, about = 'A "title"\n[limits]\nmax_orders = 1 # \u202e', "two\nlines\n# Name: other"
    files = ConfigurationImportExport(manager)
    config_id = asyncio.run(manager.create_new_version("odd", title, SHALLOW, about))

    text = asyncio.run(files.export_config(config_id, tmp_path / "odd.toml"))
    again = asyncio.run(files.import_config(text))

    before, after = (asyncio.run(manager.get_config_by_id(key)) for key in (config_id, again))
    for column in ("name", "title", "description", "config_toml"):
        assert before[column] == after[column]
    assert (tmp_path / "odd.toml").read_text(encoding="utf-8") == text


def test_the_routes_of_files_export_import_and_clone(
    names: dict[str, Any], manager: ConfigurationManager
):
    class UploadFile:
        def __init__(self, text: str) -> None:
            self.text = text

        async def read(self) -> bytes:
            return self.text.encode()

    names |= {
        "UploadFile": UploadFile, "File": lambda default: default, "Response": SimpleNamespace,
        "config_import_export": ConfigurationImportExport(manager),
    }  # fmt: skip
    routes = routed(names, "8.1 Configuration File Export (2)")
    (config_id,) = stored(manager, SHALLOW)

    response = asyncio.run(routes["GET /configs/{config_id}/export"](config_id))
    upload = routes["POST /configs/import"](UploadFile(response.content), name="uploaded")
    imported = asyncio.run(upload)
    cloned = asyncio.run(routes["POST /configs/{config_id}/clone"](config_id, "copy", "A copy"))

    assert response.headers["Content-Disposition"].endswith(f"planner_config_{config_id}.toml")
    assert (imported["status"], cloned["status"]) == ("imported", "cloned")
    keys = (config_id, imported["config_id"], cloned["config_id"])
    rows = [asyncio.run(manager.get_config_by_id(key)) for key in keys]
    assert [(row["name"], row["title"]) for row in rows] == [
        ("momentum", "Momentum"), ("uploaded", "Momentum"), ("copy", "A copy"),
    ]  # fmt: skip
    assert len({row["config_toml"] for row in rows}) == 1


# 9 instances


def test_the_factory_of_the_document_keeps_a_planner_until_its_text_changes(
    names: dict[str, Any], manager: ConfigurationManager
):
    run("9.1 Planner Instance Caching", names)
    ours = SimpleNamespace(config_manager=manager, repositories=None, services=None)
    factory = grafted(names["PlannerFactory"], ours)()
    shallow, deep = stored(manager, SHALLOW, DEEP)

    async def planner(config_id: int) -> HolisticPlanner:
        await manager.assign_config_to_bucket("satellite_a", config_id)
        return await factory.get_planner("satellite_a")

    first, same, other = (asyncio.run(planner(key)) for key in (shallow, shallow, deep))

    assert first is same
    assert first is not other
    assert (first.config.max_depth, other.config.max_depth) == (3, 5)


def test_our_factory_plans_with_what_another_process_assigned(manager: ConfigurationManager):
    factory = PlannerFactory(manager)
    elsewhere = ConfigurationManager(manager.config_db_path)
    shallow, deep = stored(manager, SHALLOW, DEEP)

    def planner() -> HolisticPlanner:
        return asyncio.run(factory.get_planner("satellite_a"))

    asyncio.run(manager.assign_config_to_bucket("satellite_a", shallow))
    first, same = planner(), planner()
    asyncio.run(elsewhere.assign_config_to_bucket("satellite_a", deep))
    other = planner()
    elsewhere.close()

    assert first is same
    assert other.config.max_depth == 5
    assert (factory.read.hits, factory.read.misses) == (1, 2)


def test_assigning_and_rolling_back_drop_the_planner_of_that_bucket_alone(
    manager: ConfigurationManager,
):
    factory = PlannerFactory(manager)
    shallow, deep = stored(manager, SHALLOW, DEEP)
    for bucket in ("satellite_a", "satellite_b"):
        asyncio.run(manager.assign_config_to_bucket(bucket, shallow))
    first = {b: asyncio.run(factory.get_planner(b)) for b in ("satellite_a", "satellite_b")}

    asyncio.run(manager.assign_config_to_bucket("satellite_a", deep))
    asyncio.run(manager.rollback_to_version("satellite_a", 1, "momentum"))

    changed = asyncio.run(factory.get_planner("satellite_a"))
    assert changed is not first["satellite_a"]
    assert changed.config.max_depth == 3
    assert asyncio.run(factory.get_planner("satellite_b")) is first["satellite_b"]
    cleared = events.since(manager.store, event_type="CacheCleared")
    assert [entry.event.bucket_id for entry in cleared] == ["satellite_a"]


def test_the_manager_of_the_document_tells_ours_and_its_factory(
    names: dict[str, Any], manager: ConfigurationManager
):
    heard: list[PlannerEvent] = []
    dropped: list[str] = []

    class Driver:
        """The main database of the document's class: its one statement, on our store."""

        async def execute(self, statement: str, values: tuple[str, int, str]) -> None:
            assert "INTO bucket_planner_configs" in statement
            await manager.assign_config_to_bucket(*values[:2])

        async def commit(self) -> None:
            """Done already."""

    class Factory:
        async def invalidate_cache(self, bucket_id: str) -> None:
            dropped.append(bucket_id)

    names["aiosqlite"] = SimpleNamespace(connect=lambda _: Driver())
    run("9.2 Configuration Change Detection", names)
    manager.emitter.subscribe(heard.append)
    ours = SimpleNamespace(main_db=Driver(), emit_event=manager.emit_event)
    theirs = grafted(names["ConfigurationManager"], ours)(planner_factory=Factory())
    (config_id,) = stored(manager, SHALLOW)

    asyncio.run(theirs.assign_config_to_bucket("satellite_a", config_id))

    assert dropped == ["satellite_a"]
    changes = [event for event in heard if event.event_type == "ConfigurationChanged"]
    assert [event.bucket_id for event in changes] == ["satellite_a"] * 2
    assert [dict(event.data) for event in changes] == [
        {"name": "momentum", "version": 1, "old_name": None, "old_version": None, "pinned": True},
        {"config_id": config_id},
    ]


def test_every_block_is_run_by_one_of_these_tests():
    source = Path(__file__).read_text(encoding="utf-8")

    assert [title for title in BLOCKS if f'"{title}"' not in source] == []
