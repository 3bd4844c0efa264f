"""What a module answers may be used again for as long as it says, and not otherwise."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from builders.plugins import plugins
from builders.world import World, with_module, world
from steelyard import Candidate, Context, ModuleParams, Side, say
from steelyard.calculations.cache import Calculations
from steelyard.errors import ModuleError
from steelyard.modules.registry import Kind, Module, check

CALLS: list[Context] = []


class Params(ModuleParams):
    """How much."""

    weight: float = 0.05


def more_of_the_first(ctx: Context, params: Params) -> list[Candidate]:
    """Buy the first one."""
    CALLS.append(ctx)
    return [Candidate(Side.BUY, ctx.symbols[0], (params.weight,), 1.0, say("the first"), ())]


def module(seconds: float | None = 60, **fields: Any) -> Module:
    return Module(
        Kind.OPPORTUNITY, "more_of_the_first", "1.0.0", "It buys.", Params, more_of_the_first,
        cache_seconds=seconds, **fields,
    )  # fmt: skip


SMALL = world("AA 40 @ 100", "BB 0 @ 50", cash="1000", targets={"AA": 0.5, "BB": 0.4})


def planned(added: Module, calculations: Calculations | None, of: World = SMALL) -> tuple[str, int]:
    """The id of the plan, and how often the module was asked for it."""
    CALLS.clear()
    plan = replace(of, strategy=with_module(of.strategy, added)).plan(calculations=calculations)
    assert not plan.problems
    return plan.plan_id, len(CALLS)


def test_a_module_that_says_how_long_is_asked_once_by_plans_that_share_a_cache():
    calculations = Calculations()
    plain = planned(module(), None)[0]

    assert planned(module(), calculations) == (plain, 1)
    assert planned(module(), calculations) == (plain, 0)


@pytest.mark.parametrize("seconds", [None, 0])
def test_a_module_that_says_nothing_or_never_is_asked_in_every_plan(seconds):
    calculations = Calculations()

    assert [planned(module(seconds), calculations)[1] for _ in range(2)] == [1, 1]


def test_another_version_account_or_seed_is_asked_again():
    calculations = Calculations()
    planned(module(), calculations)
    richer = replace(SMALL, snapshot=replace(SMALL.snapshot, cash={"USD": Decimal(20_000)}))

    assert planned(replace(module(), version="1.0.1"), calculations)[1] == 1
    assert planned(replace(module(), digest="sha256:1"), calculations)[1] == 1
    assert planned(module(), calculations, richer)[1] == 1


def test_what_is_registered_again_with_other_code_is_asked_again():
    calculations = Calculations()

    def again(ctx: Context, params: Params) -> list[Candidate]:
        CALLS.append(ctx)
        return [Candidate(Side.BUY, ctx.symbols[1], (params.weight,), 1.0, say("the first"), ())]

    ids = {planned(replace(module(), call=c), calculations)[0] for c in (more_of_the_first, again)}

    assert len(ids) == 2


def test_a_module_that_fails_is_asked_again_and_named_each_time():
    calculations, calls = Calculations(), []

    def failing(ctx: Context, params: Params) -> list[Candidate]:
        calls.append(ctx)
        raise ZeroDivisionError

    strategy = with_module(SMALL.strategy, replace(module(), call=failing))
    for _ in range(2):
        plan = replace(SMALL, strategy=strategy).plan(calculations=calculations)
        assert [each.module for each in plan.problems] == [module().qualified]

    assert len(calls) == 2


@pytest.mark.parametrize("seconds", [-1, float("nan"), 1e9, "60", True])
def test_a_time_that_is_none_is_refused(seconds):
    with pytest.raises(ModuleError, match="its cache_seconds are") as caught:
        check(module(seconds))

    assert caught.value.fault.code == "module_cache_seconds"


def test_a_module_that_is_asked_about_a_table_cannot_be_kept():
    pattern = replace(module(), kind=Kind.PATTERN)

    with pytest.raises(ModuleError, match="hangs on a table of orders") as caught:
        check(pattern)

    assert caught.value.fault.code == "module_not_cached"
    check(replace(pattern, cache_seconds=0))


PLUGIN = """
@opportunity_calculator("kept", version="1.0.0", params=Params, cache_seconds=60)
def kept(ctx, params):
    "Wish for the first one."
    return [Candidate(Side.BUY, ctx.symbols[0], (0.05,), 1.0, say("the first"), ())]

@score_term("spread", version="1.0.0", params=Params, cache_seconds=60)
def spread(ctx, params):
    "Sum of squares."
    n = ctx.n + 1
    shape = Quadratic(0.0, np.zeros(n), np.eye(n))
    return Term("spread", (Part("spread", 1.0, -1.0, 0.0, None, shape),))
"""


def test_a_plugin_that_says_how_long_is_asked_once(tmp_path):
    calculations = Calculations()
    with plugins(tmp_path, {"kept.py": PLUGIN}) as loaded:
        assert not loaded.problems
        every = [each for kind in Kind for each in loaded.modules[kind]]
        assert [each.cache_seconds for each in every] == [60, 60]
        strategy = SMALL.strategy
        for each in every:
            strategy = with_module(strategy, each)
        score = strategy.score.model_copy(update={"further": {"spread": 0.1}})
        of = replace(SMALL, strategy=replace(strategy, score=score))
        plain, cold = of.plan(), of.plan(calculations=calculations)
        before = calculations.counts()

        warm = of.plan(calculations=calculations)

    assert not plain.problems
    assert plain.plan_id == cold.plan_id == warm.plan_id
    assert calculations.counts().misses == before.misses
    assert calculations.counts().unkept == 0
