"""Class-style modules: the documents' example loads as written and works like every other."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from builders.context import candidates, context
from builders.plugins import every, planned, plugins
from builders.world import BUSY
from steelyard.arrays import PAD, frozen
from steelyard.compat import ModuleConfig, PlannerConfiguration
from steelyard.compat.modules import (
    ModuleMetadata,
    OpportunityCalculator,
    PatternGenerator,
    SequenceFilter,
    SequenceGenerator,
    completed,
    filter_registry,
    opportunity_calculator_registry,
    opportunity_registry,
    pattern_generator_registry,
    sequence_generator_registry,
)
from steelyard.errors import ModuleError
from steelyard.modules import registry
from steelyard.modules.candidates import Ruling
from steelyard.modules.registry import Kind, modules

# the plugin of the documents, word for word but for the module that it imports from: they forget
# ModuleMetadata
MINE = """
from steelyard.compat.modules import (
    OpportunityCalculator,
    opportunity_registry
)

class MyCustomCalculator(OpportunityCalculator):
    @property
    def metadata(self):
        return ModuleMetadata(
            name="my_custom",
            version="1.0.0",
            author="Me"
        )

    async def calculate(self, context, params):
        # Custom logic
        return []

# Auto-register
opportunity_registry.register(MyCustomCalculator())
"""


@pytest.fixture
def own_registry(monkeypatch):
    """A copy that the test may fill."""
    monkeypatch.setattr(registry, "_MODULES", {kind: dict(modules(kind)) for kind in Kind})


class Swap(PatternGenerator):
    """Sell the first, buy the last."""

    @property
    def metadata(self):
        return ModuleMetadata(
            "swap", "1.2.3", "Me", tags=["sell", "buy"], dependencies=["opportunity_calculators"]
        )

    def default_params(self):
        return {"most": 1, "share": 0.5, "names": ["a"]}

    async def generate(self, context, candidates, params):
        await asyncio.sleep(0)
        return [[0, candidates.m - 1]] * params["most"]


class Singles(SequenceGenerator):
    """Every order alone."""

    @property
    def metadata(self):
        return ModuleMetadata("singles", "1.0.0", dependencies=["pattern_generators.single_best"])

    async def generate(self, context, candidates, seeds, params):
        return [[row] for row in range(candidates.m)]


class Everything(SequenceFilter):
    """Lets everything through."""

    @property
    def metadata(self):
        return ModuleMetadata("everything", "1.0.0")

    async def filter(self, context, candidates, params):
        return Ruling(frozen(np.ones(candidates.m, dtype=np.bool_)), {})


def test_the_plugin_of_the_documents_loads_as_written_and_takes_part(tmp_path):
    with plugins(tmp_path, {"my_custom_calculator.py": MINE}, head="") as loaded:
        plan = planned(BUSY, loaded)

    assert loaded.problems == ()
    (module,) = every(loaded)
    assert (module.qualified, module.version, module.author) == (
        "opportunity_calculators.my_custom", "1.0.0", "Me",
    )  # fmt: skip
    run = next(run for run in plan.modules if run.name == "my_custom")
    assert (run.outcome, run.error) == ("nothing", None)


def test_an_object_is_a_module_like_every_other(own_registry):
    pattern_generator_registry.register(Swap())

    module = registry.module(Kind.PATTERN, "swap")
    ctx = context("A B")
    table = candidates(ctx, "sell A .1 .5", "buy B .1 .5")
    assert (
        module.call(ctx, table, module.params(most=2)).tolist()
        == [[0, 1, *[PAD] * (ctx.search.max_depth - 2)]] * 2
    )
    assert pattern_generator_registry.get("swap") is module
    assert (module.summary, module.default_params()) == (
        "Sell the first, buy the last.",
        {"most": 1, "share": 0.5, "names": ["a"]},
    )
    assert module.metadata == ModuleMetadata(
        "swap", "1.2.3", "Me", "Sell the first, buy the last.", tags=["sell", "buy"],
        dependencies=["opportunity_calculators"],
    )  # fmt: skip


def test_its_parameters_are_checked_by_the_types_of_their_defaults():
    params = Swap().as_module().params

    assert params(share=0.1).share == 0.1
    for wrong in ({"most": 1.5}, {"share": "x"}, {"strange": 1}):
        with pytest.raises(ValueError, match="validation error"):
            params(**wrong)


def test_generators_and_filters_have_classes_too():
    ctx = context("A B")
    table = candidates(ctx, "sell A .1 .5", "buy B .1 .5")
    generator, everything = Singles().as_module(), Everything().as_module()

    (block,) = generator.call(ctx, table, np.zeros((0, 5), dtype=np.int64), generator.params())

    assert block[:, 0].tolist() == [0, 1]
    assert (generator.form, everything.form) == ("sequences", "mask")
    assert everything.call(ctx, table, everything.params()).keep.all()


def test_dependencies_are_met_by_a_name_or_by_any_module_of_a_kind():
    assert Singles().validate_dependencies(["pattern_generators.single_best"]) == []
    assert Singles().validate_dependencies(["pattern_generators.rebalance"]) == [
        "singles requires pattern_generators.single_best, which is not enabled"
    ]
    assert Swap().validate_dependencies(["opportunity_calculators.weight_based"]) == []
    assert len(Swap().validate_dependencies(["pattern_generators.swap"])) == 1


def test_an_object_of_another_kind_or_of_none_is_refused(own_registry):
    with pytest.raises(
        ModuleError,
        match=r"Swap is not a module of opportunity_calculators\. It was not registered",
    ):
        opportunity_registry.register(Swap())
    with pytest.raises(ModuleError, match="str is not a module"):
        opportunity_registry.register("weight_based")


def test_a_class_may_register_again_and_another_of_its_name_may_not(own_registry):
    class Other(Swap):
        """Another of that name."""

    pattern_generator_registry.register(Swap())
    pattern_generator_registry.register(Swap())

    with pytest.raises(ModuleError, match="registered already"):
        pattern_generator_registry.register(Other())


def test_a_class_that_is_registered_has_a_switch_and_starts_off(own_registry):
    pattern_generator_registry.register(Swap())

    config = PlannerConfiguration()
    assert not config.pattern_generators.swap.enabled
    config.pattern_generators.swap = ModuleConfig(params={"share": 0.1})
    choice = config.strategy().choice(Kind.PATTERN, "swap")
    assert (choice.enabled, choice.params.share) == (True, 0.1)


def test_the_registries_have_the_names_of_the_guide_and_show_the_same_modules():
    registries = (
        opportunity_registry, pattern_generator_registry, sequence_generator_registry,
        filter_registry,
    )  # fmt: skip

    assert opportunity_registry is opportunity_calculator_registry
    for view in registries:
        assert view.get_all() == dict(modules(view.kind))
        assert view.get("no_such_module") is None
    assert opportunity_registry.get("profit_taking").qualified.endswith("profit_taking")


def test_a_class_without_its_method_cannot_be_made():
    class Unfinished(OpportunityCalculator):
        @property
        def metadata(self):
            return ModuleMetadata("unfinished", "1.0.0")

    with pytest.raises(TypeError, match="calculate"):
        Unfinished()


def test_a_coroutine_is_run_to_its_end_also_inside_a_running_loop():
    async def seven():
        await asyncio.sleep(0)
        return 7

    async def outer():
        return completed(seven)

    assert completed(seven) == 7
    assert asyncio.run(outer()) == 7
    assert completed(lambda: 7) == 7
