"""Averaging down: only what fell is bought, nothing is sold."""

from builders.context import proposed
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.averaging_down import averaging_down

FELL, ROSE, SALE = (
    "buy A .05 .6 averaging_down", "buy B .05 .9 opportunity_buys", "sell C .1 .9 profit_taking",
)  # fmt: skip


def test_only_what_fell_is_bought_and_nothing_sold():
    rows = proposed(averaging_down, NoParams(), "A B C", FELL, ROSE, SALE, weights=0.2)

    assert rows == [["+A"]]


def test_when_nothing_fell_there_is_nothing():
    assert proposed(averaging_down, NoParams(), "A B", ROSE, weights=0.2) == []
