"""Correlation aware: buys that move alike, and buys that move like a large holding."""

import numpy as np

from builders.changes import (
    BB_AND_CC_ALIKE,
    calling,
    enabled,
    proposing,
    scoped,
    stops,
    traded,
    twins,
)
from builders.context import candidates, context, with_correlation
from builders.each import each
from builders.proposers import OVER_AND_UNDER, WORLDS
from steelyard.modules.filters.correlation_aware import Params, correlation_aware
from steelyard.modules.registry import Kind


def ruled(ctx, *orders, **params):
    """The pairs kept apart, as symbols, and symbol -> drop."""
    table = candidates(ctx, *orders)
    pairs, ruling, _ = correlation_aware(ctx, table, Params(**params))
    names = [ctx.symbols[i] for i in table.security]
    apart = {frozenset((names[a], names[b])) for a, b in zip(*np.nonzero(pairs), strict=True)}
    return apart, {names[row]: drop for row, drop in ruling.drops.items()}, ruling


def three(correlation, history="A B C", weights=(0.05, 0.05, 0.05)):
    return with_correlation(context("A B C", weights=weights), history, ("A", "B", correlation))


BUYS = ("buy A .1 .5 x", "buy B .1 .5 x", "buy C .1 .5 x")


def test_two_buys_above_the_threshold_do_not_go_together():
    apart = {value: ruled(three(value), *BUYS)[0] for value in (0.69, 0.7, 0.71, 1.0)}

    pair = {frozenset("AB")}
    assert apart == {0.69: set(), 0.7: set(), 0.71: pair, 1.0: pair}


def test_securities_that_move_against_each_other_may_go_together():
    ctx = with_correlation(context("A B", weights=0.3), "A B", ("A", "B", -0.95))

    for threshold in (0.0, 0.7):
        apart, drops, _ = ruled(ctx, *BUYS[:2], correlation_threshold=threshold)
        assert apart == set()
        assert drops == {}


def test_a_sale_goes_with_anything():
    assert ruled(three(0.9), "sell A .05 .5 x", "buy B .1 .5 x")[0] == set()
    assert ruled(three(0.9), "sell A .05 .5 x", "sell B .05 .5 x")[0] == set()


def test_every_size_is_kept_apart_and_sizes_of_one_security_are_not_a_pair_of_this_filter():
    ctx = three(0.9)
    table = candidates(ctx, "buy A .1 .5 x", "buy A .2 .5 x", "buy B .1 .5 x")

    pairs, _, _ = correlation_aware(ctx, table, Params())

    assert pairs.tolist() == [[False, False, True], [False, False, True], [True, True, False]]


def test_a_buy_that_moves_like_a_large_holding_is_dropped():
    def dropped(weight):
        return set(ruled(three(0.8, weights=(0.05, weight, 0.05)), *BUYS)[1])

    assert [dropped(weight) for weight in (0.0999, 0.10, 0.3)] == [set(), {"A"}, {"A"}]


def test_a_drop_names_the_holding_and_both_numbers():
    _, drops, _ = ruled(three(0.8, weights=(0.05, 0.3, 0.05)), *BUYS)

    drop = drops["A"]
    assert (drop.rule, drop.value, drop.limit) == ("correlation_threshold", 0.8, 0.7)
    assert (
        drop.why.text
        == "correlation of 0.80 with B, which is 30.0\u00a0% of value and stays large; "
        "more than 0.70 is too alike"
    )


def test_the_nearest_large_holding_is_named():
    ctx = with_correlation(
        context("A B C", weights=[0, 0.3, 0.4]), "A B C", ("A", "B", 0.9), ("A", "C", 0.8)
    )

    assert "with B" in ruled(ctx, "buy A .1 .5 x")[1]["A"].why.text


def test_a_large_holding_may_be_added_to_and_sold():
    ctx = with_correlation(context("A B", weights=[0.3, 0.05]), "A B", ("A", "B", 0.9))

    assert set(ruled(ctx, "buy A .1 .5 x", "sell A .1 .5 x", "sell B .05 .5 x")[1]) == set()


def test_at_the_threshold_a_buy_beside_a_large_holding_may_be_made():
    assert ruled(three(0.7, weights=(0.05, 0.3, 0.05)), *BUYS)[1] == {}


def test_what_stands_in_for_an_unknown_correlation_keeps_nothing_out():
    for history in ("A C", "B C", "C"):
        apart, drops, ruling = ruled(three(0.9, history, weights=(0.05, 0.3, 0.05)), *BUYS)

        assert apart == set()
        assert drops == {}
        unknown = tuple((symbol, "correlation") for symbol in "AB" if symbol not in history)
        assert ruling.unknown == unknown


def test_a_buy_whose_correlation_is_unknown_is_denied_where_the_user_says_so():
    _, drops, ruling = ruled(three(0.9, "B C"), *BUYS, "sell A .05 .5 x", on_missing="deny")

    assert set(drops) == {"A"}
    assert (
        drops["A"].why.text
        == "correlation is unknown, and correlation_threshold denies what it cannot check"
    )
    assert ruling.unknown == (("A", "correlation"),)


def test_a_buy_is_judged_by_what_the_plan_leaves_of_the_holding_that_it_moves_like():
    ctx = three(0.8, weights=(0.05, 0.3, 0.05))
    table = candidates(ctx, "sell B .21 .5 x", "sell B .1 .5 x", "buy A .1 .5 x", "buy C .1 .5 x")

    _, ruling, permits = correlation_aware(ctx, table, Params())

    rows = np.array([[2, -1], [0, 2], [1, 2], [1, 3]])
    assert ruling.keep.all()  # some plan may buy each of them
    assert permits(rows).tolist() == [False, True, False, True]


# in a plan


def asked(of):
    return enabled(of, Kind.FILTER, "correlation_aware")


def test_a_proven_plan_buys_two_that_move_alike_unless_the_filter_keeps_them_apart():
    free, apart = BB_AND_CC_ALIKE.planned, asked(BB_AND_CC_ALIKE).plan()

    assert {"+BB", "+CC"} <= traded(free)
    assert len({"+BB", "+CC"} & traded(apart)) == 1
    assert free.certificate.status == apart.certificate.status == "proven"
    assert apart.score.plan < free.score.plan
    assert any(run.name == "correlation_aware" and run.count for run in apart.modules)


def test_a_proven_plan_buys_what_moves_like_a_large_holding_unless_the_filter_keeps_it_out():
    lines = ("AA 500 @ 100", "BB 400 @ 50", "CC 0 @ 80", "DD 100 @ 40")
    targets = {"AA": 0.5, "BB": 0.2, "CC": 0.15, "DD": 0.13}
    of = twins(*lines, cash="26000", targets=targets)
    free, strict = of.plan(), asked(of).plan()

    assert "+CC" in traded(free)
    assert "+CC" not in traded(strict)
    assert strict.certificate.status == "proven"
    assert strict.certificate.candidates < free.certificate.candidates
    stages = {stage for stage, rule in stops(strict, "CC") if rule == "correlation_threshold"}
    assert stages == {"filter"}


def test_a_buy_is_no_more_kept_out_by_what_the_plan_sells_in_any_scope():
    lines = ("AA 500 @ 100", "BB 600 @ 50", "CC 0 @ 80", "DD 100 @ 40")
    of = twins(*lines, cash="16000", targets={"AA": 0.5, "BB": 0.05, "CC": 0.4, "DD": 0.04})

    def buys_the_twin(scope):
        plan = scoped(asked(of), scope).plan()
        assert {"-BB", "+CC"} <= traded(plan)
        (bb,) = (row.weight for row in plan.holdings_after if row.symbol == "BB")
        assert bb < Params().large_holding

    each({scope: scope for scope in ("quantities", "candidates", "proposals")}, buys_the_twin)


def test_the_patterns_keep_apart_what_the_filter_keeps_apart():
    plan = proposing(asked(BB_AND_CC_ALIKE)).plan()

    assert plan.verdict.action == "act"
    assert len({"+BB", "+CC"} & traded(plan)) <= 1


def test_conflicts_stay_with_their_orders_when_the_filter_drops_others():
    lines = ("AA 500 @ 100", "AB 0 @ 30", "BB 0 @ 50", "CC 0 @ 80", "DD 100 @ 40")
    targets = {"AA": 0.5, "AB": 0.1, "BB": 0.15, "CC": 0.15, "DD": 0.08}
    free = twins(*lines, cash="46000", targets=targets)
    strict = asked(free).prepared

    def names(of):
        return [of.ctx.symbols[i] for i in of.table.security]

    pairs = zip(*np.nonzero(strict.table.account.conflicts), strict=True)
    apart = {frozenset((names(strict)[a], names(strict)[b])) for a, b in pairs}
    assert apart == {frozenset({"BB", "CC"})}
    assert "AB" in set(names(free.prepared)) - set(names(strict))
    assert strict.table.account.conflicts.shape == (strict.table.m, strict.table.m)


def test_what_the_filter_could_not_compare_is_told():
    plan = asked(WORLDS["cost_optimized"]).plan()

    messages = [w.message for w in plan.warnings if w.module == "filters.correlation_aware"]
    assert messages == ["correlation_aware lacks the correlation of 1 security: CC."]


def test_a_filter_of_pairs_may_say_nothing_of_single_orders():
    def all_apart(ctx, table, params):
        return ~np.eye(table.m, dtype=np.bool_)

    plan = calling(asked(OVER_AND_UNDER), Kind.FILTER, "correlation_aware", all_apart).plan()

    assert len(plan.steps) == 1
    assert plan.certificate.status == "proven"
