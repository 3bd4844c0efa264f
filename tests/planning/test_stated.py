"""Orders that somebody states: a table of them, and what stops a list of them."""

from decimal import Decimal

import numpy as np
import pytest

from builders.requests import planning
from steelyard.compat.requests import order_of
from steelyard.ledger import feasible
from steelyard.modules.candidates import Proposal
from steelyard.orders import Side
from steelyard.planning.contexts import context_of
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.score.objective import objective_of
from steelyard.planning.stated import Stated, distinct, hindrance, judged, keys, stated_table
from steelyard.planning.wishes import find_opportunities
from steelyard.sentences import say


@pytest.fixture
def world():
    case, _ = order_of(planning().record())
    guard = Guard(findings=Findings())
    case, _, ctx = context_of(case, guard.findings)
    return ctx, objective_of(ctx, case.strategy, guard), case.strategy, guard


def stated(side, symbol, quantity, priority=None, source="request"):
    proposal = Proposal(source, say("because"), ())
    return Stated(symbol, side, Decimal(quantity), priority, None, (proposal,))


def test_one_order_of_two_lists_is_one_row_that_both_proposed():
    twice = [
        stated(Side.BUY, "CCC", 20, 0.2, "a"),
        stated(Side.BUY, "CCC", 20, 0.6, "b"),
        stated(Side.BUY, "CCC", 20, 0.4, "a"),
    ]

    (order,) = distinct(twice)

    assert [proposal.source for proposal in order.proposals] == ["a", "b"]
    assert order.priority == 0.6


def test_what_the_calculators_ask_for_stated_makes_the_table_that_they_make(world):
    ctx, objective, strategy, guard = world
    table = find_opportunities(ctx, objective, strategy, guard)
    orders = [
        Stated(*key, float(table.priority[j]), float(table.together[j]), table.proposals[j])
        for j, key in enumerate(keys(ctx, table))
    ]

    again = stated_table(ctx, objective, orders, strategy, Guard(findings=Findings()))

    assert keys(ctx, again) == keys(ctx, table)
    assert again.draws == table.draws
    assert again.pool == table.pool
    assert again.base == table.base
    assert again.alone == pytest.approx(table.alone, abs=1e-12)


def test_orders_of_nearly_one_size_stay_apart_and_stated_priorities_lead(world):
    ctx, objective, strategy, guard = world
    orders = [stated(Side.BUY, "CCC", 48, 0.1), stated(Side.BUY, "CCC", 50, 0.9)]

    table = stated_table(ctx, objective, orders, strategy, guard)

    priority = dict(zip(keys(ctx, table), table.priority.tolist(), strict=True))
    assert priority["CCC", Side.BUY, Decimal(48)] == 0.1
    assert priority["CCC", Side.BUY, Decimal(50)] == 0.9


def test_what_no_rule_of_its_own_stops_may_be_traded(world):
    ctx, *_ = world

    assert hindrance(ctx, stated(Side.SELL, "AAA", 100)) is None
    assert hindrance(ctx, stated(Side.BUY, "CCC", 50)) is None
    assert hindrance(ctx, stated(Side.BUY, "CCC", 51)).rule == "max_position"


def test_verdicts_come_in_the_order_of_the_lists_and_the_ledger_agrees(world):
    ctx, objective, strategy, guard = world
    sell, buy = stated(Side.SELL, "AAA", 40), stated(Side.BUY, "CCC", 50)
    lists = [[buy], [sell, buy], [buy, sell]]

    verdicts = list(judged(ctx, objective, lists, strategy, guard))

    assert [verdict.place for verdict in verdicts] == [0, 1, 2]
    assert [v.stopped and v.stopped.drop.rule for v in verdicts] == ["cash", None, None]
    assert verdicts[1].scored.net == pytest.approx(verdicts[2].scored.net, abs=1e-12)
    table = stated_table(ctx, objective, [sell, buy], strategy, guard)
    at = {key: j for j, key in enumerate(keys(ctx, table))}
    row = sorted(at[order.key] for order in (sell, buy))
    assert feasible(table.account, np.array([row])).all()
