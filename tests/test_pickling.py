"""What a plan is made of goes to another process and comes back the same."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from steelyard import importers, strategies
from steelyard.importers import Inputs
from steelyard.planning import planner
from steelyard.samples import sample
from steelyard.strategies import Strategy


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    files = sample("euro")
    read = importers.read(
        files.holdings, prices=files.prices, targets=files.targets,
        securities=files.securities, fx=files.fx, index=files.index,
    )  # fmt: skip
    return importers.assemble(read, base_currency="EUR")


def planned(inputs: Inputs, strategy: Strategy) -> str:
    return planner.plan(inputs.snapshot, inputs.market, strategy, targets=inputs.targets).plan_id


def test_every_record_comes_back_the_same_from_a_pickle_and_from_a_copy(inputs):
    parts = {
        "snapshot": inputs.snapshot, "targets": inputs.targets, "strategy": strategies.default(),
        "aggressive": strategies.preset("aggressive"), "securities": inputs.snapshot.securities,
        "rates": inputs.market.fx,
    }  # fmt: skip
    wrong = [
        name
        for name, part in parts.items()
        if not pickle.loads(pickle.dumps(part)) == copy.deepcopy(part) == part
    ]

    assert wrong == []


def test_the_closes_of_a_market_that_came_back_may_not_be_written_to_either(inputs):
    for market in (pickle.loads(pickle.dumps(inputs.market)), copy.deepcopy(inputs.market)):
        assert np.array_equal(market.closes, inputs.market.closes, equal_nan=True)
        assert not market.closes.flags.writeable
        assert not market.dates.flags.writeable


def test_a_pool_of_processes_makes_the_plan_that_this_process_makes(inputs):
    rules = [strategies.default(), strategies.preset("conservative")]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        plans = list(pool.map(planned, [inputs, inputs], rules))

    assert plans == [planned(inputs, strategy) for strategy in rules]
