"""Many securities: their matrices are factors, and that changes no plan."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.context import context
from builders.world import with_on, world
from steelyard import arrays, strategies
from steelyard.arrays import LARGEST_DENSE, Factored, dense, diagonal_of, firsts
from steelyard.errors import ModuleError
from steelyard.ledger import Account
from steelyard.modules import contract_terms
from steelyard.modules.registry import Kind
from steelyard.modules.tables import Pairs, evaluate, pair_nets
from steelyard.modules.terms import Part, Quadratic, Term
from steelyard.planning.collapse import collapse
from steelyard.planning.guard import Guard
from steelyard.planning.planning_set import build_context, members
from steelyard.planning.score.charges import ChargeRates
from steelyard.planning.score.model import Point, ScoreModel
from steelyard.planning.score.objective import objective_of
from steelyard.planning.score.reference import evaluate as scored_by_formula
from steelyard.planning.search.extend import net_with_order
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.relax import relaxation
from steelyard.planning.search.root_bound import root_bound
from steelyard.planning.valuation import value_portfolio


def some_world(seed, n, kinds):
    """n securities, most of them held, with targets: of whole, young and no history."""
    rng = np.random.default_rng(seed)
    shares, prices = rng.integers(0, 9, n), rng.integers(10, 90, n)
    aims = rng.dirichlet(np.ones(n)) * 0.95
    names = [f"S{i:03d}" for i in range(n)]
    made_of = world(
        *map("{} {} @ {}".format, names, shares, prices),
        cash="900", targets=dict(zip(names, aims.tolist(), strict=True)),
        sectors={name: f"s{i % 5}" for i, name in enumerate(names) if i % 7},
    )  # fmt: skip
    closes = made_of.market.closes.copy()
    for column, kind in enumerate(rng.choice(kinds, n)):
        closes[: {"young": 20, "none": -1}.get(kind, 0), column] = np.nan
        if kind == "still":
            closes[:, column] = closes[-1, column]
    closes.setflags(write=False)
    return made_of.having(closes=closes)


def orders_of(plan):
    return [(step.side, step.symbol, step.quantity) for step in plan.steps]


def test_with_factors_the_plan_is_the_one_that_matrices_give():
    kinds = {"whole": ["whole"], "mixed": ["whole", "young", "still", "none"], "none": ["none"]}
    strategy = strategies.default()
    strategy = with_on(strategy, Kind.FILTER, "correlation_aware")
    strategy = with_on(strategy, Kind.PATTERN, "adaptive")
    wrong = []
    for seed, (name, some) in enumerate(kinds.items()):
        case = some_world(seed, 14, some).having(strategy=strategy)
        few = case.plan()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(arrays, "LARGEST_DENSE", 5)
            many = case.plan()
        assert few.steps, name
        if orders_of(few) != orders_of(many):
            wrong.append((name, orders_of(few), orders_of(many)))
        assert many.score.improvement == pytest.approx(few.score.improvement, abs=1e-9), name

    assert not wrong


def scored(world):
    """(context, objective, what hold scores) of a world."""
    guard = Guard()
    valuation = value_portfolio(world.case, guard.findings)
    ctx = build_context(world.case, valuation, members(world.case, valuation), guard.findings)
    objective = objective_of(ctx, world.strategy, guard)
    hold = scored_by_formula(objective.terms, objective.weights, ctx.weights, ctx.cash_weight)
    return ctx, objective, hold


def test_of_many_securities_all_memory_is_less_than_one_matrix_of_them():
    n = 3_000
    many = some_world(1, n, ["whole"])
    tracemalloc.start()
    ctx, objective, _ = scored(many)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert isinstance(ctx.estimates.correlation, Factored)
    assert isinstance(objective.model.curvature, Factored)
    assert peak < n * n * np.dtype(np.float64).itemsize


def test_whatever_many_securities_lack_they_are_scored_as_the_array_form_says():
    n, wrong = LARGEST_DENSE + 100, []
    for kinds in (["none"], ["still"], ["whole", "none"], ["young", "still", "none", "none"]):
        ctx, objective, hold = scored(some_world(3, n, kinds))
        at_hold = Point.at(objective.model, np.append(ctx.weights, ctx.cash_weight))
        if abs(at_hold.value() - hold.score) > 1e-9:
            wrong.append((kinds, at_hold.value(), hold.score))
        unit = diagonal_of(ctx.estimates.correlation)
        if np.abs(unit - 1).max() > 1e-12:
            wrong.append((kinds, unit))

    assert not wrong


def test_one_security_or_none_is_a_plan():
    empty, single = world(cash="100").plan(), world("AA 3 @ 20", cash="100").plan()

    assert empty.steps == ()
    assert single.value == 160


def test_six_hundred_securities_without_a_history_are_a_plan_that_says_so():
    n = LARGEST_DENSE + 100
    plan = some_world(5, n, ["none"]).plan()

    assert sum(lack.metric == "correlation" for lack in plan.data_coverage) == n


def test_a_plugin_gives_factors_of_many_securities_and_only_those_that_are_seen_to_be_concave():
    ctx, cash = context("A B C"), np.eye(4)[:, :1]
    cases = {
        "an array": (np.eye(4), "a Factored is due"),
        "factors": (Factored(np.ones(4), cash, np.ones(1)), None),
        "a weight under 0": (Factored(np.ones(4), cash, -np.ones(1)), "not positive semidefinite"),
        "a diagonal under 0": (Factored(-np.ones(4), cash, np.ones(1)), "not positive semidefin"),
        "a weight too many": (Factored(np.ones(4), cash, np.ones(2)), "the factors of the curvat"),
        "a row too few": (Factored(np.ones(3), cash, np.ones(1)), "the diagonal of the curvature"),
        "no number": (Factored(np.ones(4), cash, np.full(1, np.nan)), "is not finite"),
    }
    wrong = []
    for name, (matrix, due) in cases.items():
        part = Part("p", 1.0, -1.0, 0.0, None, Quadratic(0.0, np.zeros(4), matrix))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(arrays, "LARGEST_DENSE", 2)
            try:
                contract_terms.term(ctx, "t", Term("t", (part,)), proven=False)
                answer = None
            except ModuleError as error:
                answer = str(error)
        if (answer is None) != (due is None) or (due and due not in str(answer)):
            wrong.append((name, answer))

    assert not wrong


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 12), depth=st.integers(1, 4))
@settings(deadline=None)
def test_tables_of_orders_that_are_never_written_out_say_what_written_ones_say(seed, n, depth):
    rng = np.random.default_rng(seed)
    model = ScoreModel(
        0.0, rng.normal(size=n + 1), factors_of(rng, n), ((0.3, factors_of(rng, n)),), (),
        np.append(np.full(n, 0.1), 0.0),
    )  # fmt: skip
    written = replace(
        model, curvature=dense(model.curvature), norms=((0.3, dense(model.norms[0][1])),)
    )
    security = np.sort(rng.integers(0, n, 2 * n))
    delta, cost = rng.normal(0, 0.1, 2 * n), rng.random(2 * n) / 1e3
    start, rates = np.full(n + 1, 1 / (n + 1)), ChargeRates(1.0, 1.0, 1e-3)
    few, many = (
        collapse(each, start, security, delta, cost, cost, rates) for each in (written, model)
    )
    some = rng.permutation(firsts(security))
    rows = np.array([rng.permutation(some)[:depth] for _ in range(5)])
    rows[rng.random(rows.shape) < 0.2] = -1
    relaxed = relaxation(problem_of(many, security, delta, depth))

    assert isinstance(many.quadratic, Pairs)
    assert evaluate(many, rows) == pytest.approx(evaluate(few, rows), abs=1e-10)
    assert net_with_order(many, rows) == pytest.approx(net_with_order(few, rows), abs=1e-9)
    a, b = some[: len(some) // 2], some[len(some) // 2 :]
    singles = pair_nets(many, a, b).ravel()
    pairs = np.stack([np.repeat(a, len(b)), np.tile(b, len(a))], axis=1)
    assert singles == pytest.approx(evaluate(few, pairs), abs=1e-9)
    assert root_bound(relaxed).bound >= float(evaluate(few, rows).max()) - 1e-9


def factors_of(rng, n):
    """A matrix of n securities and cash, positive semidefinite also without a tenth of each."""
    return Factored(0.1 + rng.random(n + 1), rng.normal(size=(n + 1, 3)) / 2, rng.random(3))


def problem_of(tables, security, delta, depth):
    """With cash for everything."""
    account = Account(
        security=security, delta=delta, cost=np.zeros(len(delta)),
        conflicts=np.zeros((0, 0), dtype=np.bool_), cash=9.0, spendable=9.0, reserve=0.0,
        settled_only=False, turnover_cap=None, group_shares=np.zeros((len(delta), 0)),
        group_weights=np.zeros(0), group_cap=None,
    )  # fmt: skip
    return Problem(tables, account, depth, ())
