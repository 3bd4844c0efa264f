"""Score terms of other shapes, separable and black box, through the whole planner."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from builders.changes import NoParams, with_term
from builders.context import candidates, context
from builders.tables import gradient, value
from builders.world import solution, world
from steelyard import strategies
from steelyard.ledger import feasible
from steelyard.modules.registry import Kind, Module
from steelyard.modules.tables import evaluate
from steelyard.modules.terms import BlackBox, Part, Separable, Term
from steelyard.planning.collapse import collapse
from steelyard.planning.score.charges import ChargeRates
from steelyard.planning.score.model import build_model


def sparing(ctx, _):
    """Prefers small weights, more so the larger they are: -sum of |w|^1.5."""

    def raw(weights, cash):
        return -float(sum(abs(w) ** 1.5 for w in weights))

    shape = Separable(
        lambda w: -(np.abs(w) ** 1.5), lambda w: -1.5 * np.sqrt(np.abs(w)) * np.sign(w)
    )
    return Term("sparing", (Part("sparing", 1.0, -0.5, 0.0, raw, shape),))


def liking(symbol, max_delta):
    """A black box that only wants to hold one name, whatever it costs."""

    def term(ctx, _):
        i = ctx.symbols.index(symbol)
        part = Part(
            "liking", 1.0, 0.0, 1.0, lambda weights, cash: 1.0 if weights[i] > 0 else 0.0,
            BlackBox(max_delta),
        )  # fmt: skip
        return Term("liking", (part,))

    return term


def test_a_separable_shape_is_exact_in_value_gradient_and_tables():
    ctx = context("A B C", weights=[0.3, 0.2, 0.1])
    table = candidates(
        ctx, "sell A .10 .9 x", "sell A .20 .9 x", "buy B .05 .8 y", "buy C .07 .8 y"
    )
    term = sparing(ctx, None)
    model = build_model([term], {"sparing": 1.0}, ctx.n + 1)
    z = np.append(ctx.weights, ctx.cash_weight)

    tables = collapse(
        model, z, table.security, table.delta, np.zeros(4), np.zeros(4), ChargeRates(0, 0, 0)
    )

    for row in ([0], [1], [0, 2], [1, 2, 3]):
        after = z.copy()
        for j in row:
            after[table.security[j]] += table.delta[j]
            after[-1] -= table.delta[j]
        cells = np.array([row + [-1] * (3 - len(row))])
        part = term.parts[0]
        assert evaluate(tables, cells)[0] == pytest.approx(
            value(model, after) - value(model, z), abs=1e-12
        )
        assert value(model, after) == pytest.approx(
            part.scaled(part.raw(after[:-1], after[-1])), abs=1e-12
        )
    step = 1e-6 * np.eye(4)
    assert gradient(model, z) == pytest.approx(
        [(value(model, z + e) - value(model, z - e)) / 2e-6 for e in step], abs=1e-6
    )


WORLD = world(
    "AA 40 @ 100", "BB 30 @ 100", "CC 0 @ 50", "DD 0 @ 20", cash="3000",
    targets={"AA": 0.25, "BB": 0.3, "CC": 0.25, "DD": 0.1},
)  # fmt: skip


def test_a_separable_term_takes_part_in_the_proof():
    plain, weighed = (
        WORLD.plan(),
        replace(WORLD, strategy=with_term(WORLD.strategy, "sparing", sparing, 0.5)).plan(),
    )

    assert weighed.certificate.status == "proven"
    assert weighed.certificate.selected_by is None
    assert [term.name for term in weighed.score.terms] == [
        *(term.name for term in plain.score.terms),
        "sparing",
    ]
    assert sum(term.weight for term in weighed.score.terms) == pytest.approx(1)
    assert weighed.plan_id != plain.plan_id


def test_a_black_box_re_ranks_and_the_certificate_says_so():
    unknown = replace(
        WORLD, strategy=with_term(WORLD.strategy, "liking", liking("DD", None), 0.9)
    ).plan()

    assert unknown.step("DD") is not None
    assert unknown.certificate.status == "none"
    assert unknown.certificate.search_gap is None
    assert unknown.certificate.bound is None
    assert unknown.certificate.selected_by.startswith("liking, of ")


def test_a_black_box_that_says_its_reach_is_bounded_never_proven():
    bounded = replace(
        WORLD, strategy=with_term(WORLD.strategy, "liking", liking("DD", 1.0), 0.9)
    ).plan()

    certificate = bounded.certificate
    assert certificate.status == "bounded"
    assert certificate.bound >= bounded.score.hold + bounded.score.improvement
    assert certificate.search_gap == pytest.approx(
        certificate.bound - bounded.score.hold - bounded.score.improvement, abs=1e-9
    )


def test_the_bound_of_a_black_box_holds_over_every_feasible_set():
    from steelyard.planning.scored import score_set

    case = replace(WORLD, strategy=with_term(WORLD.strategy, "liking", liking("DD", 1.0), 0.9))
    objective = solution(case)
    hold = objective.choice.hold.evaluation.score

    best = 0.0
    for size in range(1, 4):
        for row in itertools.combinations(range(objective.table.m), size):
            if feasible(objective.table.account, np.array([row]))[0]:
                best = max(
                    best,
                    score_set(objective.ctx, objective.objective, objective.table, row, hold).net,
                )

    assert objective.certificate.bound >= hold + best - 1e-9
    assert objective.choice.plan.net == pytest.approx(
        max(best, objective.choice.plan.net), abs=1e-9
    )


def test_a_term_without_a_weight_is_left_out_and_named():
    module = Module(Kind.TERM, "stray", "1.0.0", "a test term", NoParams, sparing)
    choice = strategies.ModuleChoice(module, enabled=True, params=NoParams(), why="strategy file")
    strategy = WORLD.strategy
    choices = {**strategy.choices, Kind.TERM: (*strategy.choices[Kind.TERM], choice)}

    plan = replace(WORLD, strategy=replace(strategy, choices=MappingProxyType(choices))).plan()

    assert [problem.module for problem in plan.problems] == ["score_terms.stray"]
    assert "stray" not in {term.name for term in plan.score.terms}


def test_further_terms_may_not_take_all_the_weight():
    with pytest.raises(ValueError, match="must leave some weight"):
        strategies.default().score.model_validate({"further": {"a": 0.6, "b": 0.4}})
