"""A plan is the same without the cache of calculations, cold, warm, and shared by threads."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from hypothesis import given

from builders.regimes import history
from builders.world import BUSY, World
from builders.worlds import FEWER, worlds
from steelyard.calculations.cache import Calculations
from steelyard.rebalance import planned

SHARED = Calculations()
"""Of all worlds of this file: whatever one left there, the next is planned with."""


def of_half(of: World) -> World:
    """The account that owns every second holding: the same securities, in another account."""
    return replace(of, snapshot=replace(of.snapshot, holdings=of.snapshot.holdings[::2]))


@FEWER
@given(worlds())
def test_the_cache_changes_no_plan(of: World):
    plain = of.plan().plan_id
    small, cold = Calculations(most_bytes=2000), Calculations()

    ids = {of.plan(calculations=each).plan_id for each in (cold, cold, small, small, SHARED)}

    assert ids == {plain}
    half = of_half(of)
    assert half.plan(calculations=cold).plan_id == half.plan().plan_id


def test_accounts_in_threads_that_share_a_cache_plan_as_each_alone():
    index = replace(BUSY, market=replace(BUSY.market, index=history(1.002)))
    accounts = [of_half(BUSY), index]
    alone = [of.plan().plan_id for of in accounts]
    calculations = Calculations()

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda of: of.plan(calculations=calculations).plan_id, 2 * accounts))

    assert ids == 2 * alone
    assert calculations.counts().hits > len(ids)


def test_the_second_plan_of_an_account_calculates_nothing_again():
    calculations = Calculations()
    of = replace(BUSY, market=replace(BUSY.market, index=history(1.002)))
    of.plan(calculations=calculations)
    before = calculations.counts().misses

    of.plan(calculations=calculations)

    assert before > len(of.snapshot.securities)
    assert calculations.counts().misses == before


def test_another_account_shares_the_figures_of_the_securities_that_both_look_at():
    calculations, mine = Calculations(), ["AA", "BB", "CC"]
    targets = replace(BUSY.targets, weights=dict.fromkeys(mine, 0.3))
    held = tuple(h for h in BUSY.snapshot.holdings if h.symbol in mine)
    few = replace(BUSY, targets=targets, snapshot=replace(BUSY.snapshot, holdings=held))
    BUSY.plan(calculations=calculations)
    own = calculations.tally()

    plan = few.plan(calculations=own)

    assert plan.plan_id == few.plan().plan_id
    assert own.counts().hits >= len(mine)
    assert own.counts().misses <= 2  # the set's correlation, and what its mix was worth


def test_the_exact_engine_takes_the_cache_too():
    calculations = Calculations()
    plain = planned.solved_plan(BUSY.case)[1]

    plans = [planned.solved_plan(BUSY.case, None, (), calculations)[1] for _ in range(2)]

    assert {plan.plan_id for plan in plans} == {plain.plan_id}
    assert calculations.counts().hits > 0


def test_a_plan_without_a_cache_imports_none():
    code = (
        "import sys, steelyard\n"
        "steelyard.plan({'A': 10}, prices={'A': 5}, cash=100, targets={'A': 0.5}, "
        "base_currency='USD', as_of='2026-11-20',"
        " securities=[{'symbol': 'A', 'currency': 'USD'}])\n"
        "print([name for name in sys.modules if name.startswith(('cachetools', "
        "'steelyard.calculations.c'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
