"""Single best: the one feasible order that gains most alone."""

from dataclasses import replace

import numpy as np

from builders.changes import alone, exact, only_with, proposing
from builders.context import candidates, context, orders, proposed
from builders.world import world
from steelyard.arrays import frozen
from steelyard.ledger import feasible
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.single_best import single_best
from steelyard.modules.registry import Kind

UNTARGETED = world(
    "AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20", "DD 90 @ 310", cash="9000",
    sectors={"AA": "Tech", "BB": "Energy", "CC": "Health", "DD": "Tech"},
)  # fmt: skip


def test_it_is_the_feasible_order_of_largest_gain_alone_whatever_its_priority():
    ctx = context("A B C", weights=0.3)
    table = candidates(
        ctx,
        "buy A .50 .9 opportunity_buys",
        "sell B .10 .7 profit_taking",
        "sell B .05 .6 profit_taking",
        "buy C .05 .5 rebalance_buys",
    )
    gains = {("A", 0.5): 9.0, ("B", 0.1): 1.0, ("B", 0.05): 3.0, ("C", 0.05): 2.0}
    alone_of = [
        gains[ctx.symbols[i], round(abs(float(delta)), 2)]
        for i, delta in zip(table.security, table.delta, strict=True)
    ]

    rows = single_best(ctx, replace(table, alone=frozen(np.array(alone_of))), NoParams())

    assert orders(ctx, table, rows) == [["-B"]]
    assert abs(float(table.delta[rows[0, 0]])) == 0.05


def test_when_nothing_is_feasible_there_is_none():
    assert proposed(single_best, NoParams(), "A", "buy A .05 .9 opportunity_buys", weights=1) == []


def test_in_a_plan_no_single_order_gains_more():
    of = only_with(alone(proposing(UNTARGETED), "single_best"), Kind.SEQUENCE)
    table = of.prepared.table
    every = np.arange(table.m)[:, None]
    best = float(table.alone[feasible(table.account, every)].max())

    plan = of.planned

    assert len(exact(plan)) == 1
    assert (
        float(plan.score.improvement) == np.round(best, 9)
        or abs(float(plan.score.improvement) - best) < 1e-9
    )
