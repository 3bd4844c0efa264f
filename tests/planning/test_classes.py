"""Weights of classes become targets of members: who is bought, who is sold, what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.classes import classed
from builders.world import World, world
from builders.worlds import FEWER, worlds
from steelyard.errors import InputError, PlanRefused
from steelyard.planning.classes import Member, Slice, bands_of, resolve
from steelyard.planning.questions.explain import explain
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.portfolio import TaxLot
from steelyard.settings import Limits, Lots, Rebalance, Search
from steelyard.targets import Band, Targets

METHODS = ("fifo", "lifo", "hifo", "min_tax")
FREE = Limits(max_position_weight=1.0)


def targets_of(planned: Plan) -> dict[str, float]:
    """Symbol, or class that cannot be bought -> its target, of those that have one."""
    bought = {row.symbol: row.target or 0.0 for row in planned.holdings if row.target}
    return bought | {row.symbol: row.target for row in planned.drift.absent}


def approx(weights: dict[str, float]) -> object:
    return pytest.approx(weights, abs=1e-9)


def accounts() -> World:
    """10,000 USD: AA 3000, BB 2000, CC 1000 in funds, 4000 in cash; DD is listed."""
    return world(
        "AA 30 @ 100", "BB 40 @ 50", "CC 50 @ 20", "DD 0 @ 10", cash="4000",
        funds=("AA", "BB", "CC", "DD"), limits=FREE, search=Search(scope="candidates"),
    )  # fmt: skip


def test_what_a_class_lacks_goes_to_its_first_member_that_may_be_bought():
    of, wrong = accounts(), []
    for preference, frozen, due in (
        ({}, (), {"AA": 0.4, "BB": 0.2, "CC": 0.1}),
        ({"BB": 1, "AA": 2}, (), {"AA": 0.3, "BB": 0.3, "CC": 0.1}),
        ({"CC": 1}, (), {"AA": 0.3, "BB": 0.2, "CC": 0.2}),
        ({"CC": 1, "DD": 1}, ("CC",), {"AA": 0.3, "BB": 0.2, "CC": 0.1, "DD": 0.1}),
        ({}, ("AA", "BB"), {"AA": 0.3, "BB": 0.2, "CC": 0.2}),
    ):
        planned = classed(
            of, {"Shares": "AA BB CC DD"}, {"Shares": 0.7}, preference=preference, frozen=frozen
        ).plan()
        if targets_of(planned) != approx(due):
            wrong.append((preference, frozen, targets_of(planned)))
    assert not wrong


def test_what_a_class_has_too_much_of_comes_from_losses_then_least_tax_then_last_preference():
    of, wrong = accounts(), []
    for costs, preference, due in (
        ({}, {}, {"AA": 0.3, "BB": 0.15}),  # nobody knows a cost: CC, then BB, by symbol
        ({}, {"AA": 3, "BB": 1, "CC": 2}, {"BB": 0.2, "AA": 0.15, "CC": 0.1}),
        ({"AA": "120"}, {}, {"AA": 0.15, "BB": 0.2, "CC": 0.1}),
        ({"AA": "50", "BB": "45", "CC": "5"}, {}, {"AA": 0.3, "BB": 0.05, "CC": 0.1}),
        ({"AA": "50", "BB": "25", "CC": "25"}, {"BB": 1}, {"BB": 0.2, "AA": 0.25}),
    ):
        planned = classed(
            _with_costs(of, costs), {"Shares": "AA BB CC"}, {"Shares": 0.45}, preference=preference
        ).plan()
        if targets_of(planned) != approx(due):
            wrong.append((costs, preference, targets_of(planned)))
    assert not wrong


def _with_costs(of: World, costs: dict[str, str]) -> World:
    holdings = tuple(
        replace(
            holding,
            lots=tuple(
                replace(lot, unit_cost=Decimal(costs[holding.symbol]))
                if holding.symbol in costs
                else lot
                for lot in holding.lots
            ),
        )
        for holding in of.snapshot.holdings
    )
    return of.having(holdings=holdings, score={"tax_rate": 0.25})


def test_a_loss_behind_an_older_gain_is_reached_only_through_it():
    of, wrong = _with_costs(accounts(), {"BB": "49"}), []
    gain, loss = TaxLot(Decimal(10), None, Decimal(50)), TaxLot(Decimal(20), None, Decimal(150))
    for name, lots, due in (
        ("loss first", (loss, replace(gain, acquired=date(2020, 1, 2))), {"AA": 0.2, "BB": 0.2}),
        ("gain first", (gain, replace(loss, acquired=date(2020, 1, 2))), {"AA": 0.3, "BB": 0.1}),
    ):
        holdings = tuple(
            replace(h, lots=lots) if h.symbol == "AA" else h for h in of.snapshot.holdings
        )
        planned = classed(of.having(holdings=holdings), {"Shares": "AA BB"}, {"Shares": 0.4}).plan()
        if targets_of(planned) != approx(due):
            wrong.append((name, targets_of(planned)))
    assert not wrong


def test_what_may_not_be_sold_gives_last():
    of = accounts()
    securities = tuple(replace(s, allow_sell=s.symbol != "CC") for s in of.snapshot.securities)
    planned = classed(
        of.having(securities=securities), {"Shares": "AA BB CC"}, {"Shares": 0.55}
    ).plan()

    assert targets_of(planned) == approx({"AA": 0.3, "BB": 0.15, "CC": 0.1})


def test_a_class_that_nobody_is_in_stays_cash_is_said_first_and_no_untargeted_name_is_sold():
    planned = classed(
        accounts(), {"Shares": "AA BB"}, {"Shares": 0.6, "Shaers": 0.2, "Gold": 0.1}
    ).plan()

    heads = [notice.message for notice in planned.warnings if notice.head]
    assert targets_of(planned) == approx(
        {"AA": 0.4, "BB": 0.2, "class:Shaers": 0.2, "class:Gold": 0.1}
    )
    assert "did you mean Shares?" in heads[0]
    assert "class:Gold 10.0 %" in heads[0]
    assert "nothing was sold for having no target: CC" in heads[0]
    assert [step.symbol for step in planned.steps] == ["AA"]
    assert verify.check(planned.document()).failed == ()


def test_a_class_without_a_member_that_may_be_bought_says_what_it_lacks():
    planned = classed(
        accounts(), {"Shares": "AA BB", "Rest": "CC DD"}, {"Shares": 0.2, "Rest": 0.25},
        frozen={"CC", "DD"},
    ).plan()  # fmt: skip

    heads = [notice.message for notice in planned.warnings if notice.head]
    assert targets_of(planned) == approx({"AA": 0.2, "CC": 0.1, "class:Rest": 0.15})
    assert "class:Rest 15.0 % (none of its securities may be bought)" in heads[0]
    # BB is sold all the same: its class has too much, and it is no name without a target
    assert {step.symbol for step in planned.steps} == {"AA", "BB"}
    assert verify.check(planned.document()).failed == ()


def test_members_with_rows_of_their_own_must_sum_to_their_class():
    of = accounts()
    agreed = classed(
        of, {"Shares": "AA BB", "Rest": "CC"}, {"Shares": 0.5, "Rest": 0.2},
        own={"AA": 0.1, "BB": 0.4},
    ).plan()  # fmt: skip
    assert targets_of(agreed) == approx({"AA": 0.1, "BB": 0.4, "CC": 0.2})
    assert [(row.name, row.by_rows) for row in agreed.classes] == [
        ("Shares", True),
        ("Rest", False),
    ]
    assert verify.check(agreed.document()).failed == ()

    with pytest.raises(InputError) as refused:
        classed(of, {"Shares": "AA BB"}, {"Shares": 0.5}, own={"AA": 0.1}).plan()
    assert refused.value.fault.code == "class_against_symbol"
    assert all(part in str(refused.value) for part in ("class:Shares", "50.0 %", "10.0 %", "(AA)"))

    with pytest.raises(InputError) as over:
        classed(of, {"Shares": "AA"}, {"Shares": 0.5}, own={"BB": 0.6}).plan()
    assert over.value.fault.code == "targets_over_1"


def test_targets_check_themselves():
    wrong = []
    for make, code in (
        (lambda: Targets(classes={"A": -0.1}), "bad_weight"),
        (lambda: Targets(classes={"A": math.nan}), "bad_weight"),
        (lambda: Targets(classes={"A": 0.6, "B": 0.5}), "targets_over_1"),
        (lambda: Band(-0.01), "bad_band"),
        (lambda: Band(None, 1.01), "bad_band"),
        (lambda: Targets({"A": 0.5}, bands={"B": Band(0.1)}), "band_without_target"),
        (lambda: Targets(classes={"A": 0.5}, class_bands={"B": Band(0.1)}), "band_without_target"),
    ):
        try:
            wrong.append((make(), code))
        except InputError as error:
            if error.fault.code != code:
                wrong.append((error, code))
    assert not wrong


def test_a_plan_with_classes_is_explained_as_it_is_made():
    of = classed(
        accounts().having(score={"min_improvement": 0.0}),
        {"Shares": "AA BB", "Rest": "CC DD"}, {"Shares": 0.4, "Rest": 0.5}, preference={"DD": 1},
    )  # fmt: skip
    for scope in ("candidates", "quantities"):
        asked = of.having(search={"scope": scope})
        planned = asked.plan()
        explained = explain(asked.case, planned)
        # each order's price may move until it leaves the plan: the class is resolved anew at each
        assert explained.explanation is not None, explained.warnings
        assert len(explained.explanation.thresholds) == len(planned.steps) > 0
        assert verify.check(explained.document()).failed == ()


def test_with_bands_a_class_is_traded_when_it_is_outside_its_own_to_target_or_edge():
    of = accounts().having(limits={"cash_reserve_weight": 0.0})
    named, targets = {"Shares": "AA BB", "Rest": "CC DD"}, {"Shares": 0.42, "Rest": 0.18}
    bought: dict[object, dict[str, float]] = {}
    for half, to in ((0.1, "target"), (0.05, "target"), (0.05, "edge")):
        rules = replace(of.strategy, rebalance=Rebalance(trigger="band", to=to))
        planned = classed(
            replace(of, strategy=rules), named, targets,
            bands={"Shares": Band(half), "Rest": Band(half)},
        ).plan()  # fmt: skip
        bought[half, to] = {row.name: round(row.weight_after, 2) for row in planned.classes}
        assert verify.check(planned.document()).failed == ()

    # 50 % and 10 % before; the band of cash is around 40 %, where it is
    assert bought == {
        (0.1, "target"): {"Shares": 0.5, "Rest": 0.1},
        (0.05, "target"): {"Shares": 0.42, "Rest": 0.18},
        (0.05, "edge"): {"Shares": 0.47, "Rest": 0.13},
    }


def test_a_class_its_band_and_a_preference_are_inputs_of_the_hash():
    of = classed(accounts(), {"Shares": "AA BB", "Rest": "CC"}, {"Shares": 0.5, "Rest": 0.2})
    goals = of.targets
    assert isinstance(goals, Targets)
    changed = (
        replace(goals, classes={"Shares": 0.5, "Rest": 0.1}),
        replace(goals, class_bands={"Rest": Band(0.03)}),
        replace(goals, class_bands={"Rest": Band(None, 0.03)}),
    )
    hashes = [replace(of, targets=each).plan().inputs_sha256 for each in (goals, *changed)]
    first, *others = of.snapshot.securities
    named = (replace(first, preference=7), *others)
    hashes.append(of.having(securities=named).plan().inputs_sha256)
    assert len(set(hashes)) == len(hashes)


WEIGHTS = st.integers(0, 40).map(lambda n: n / 100)
MEMBERS = st.builds(
    lambda weight, cut, taxes, preference, can_buy, can_sell: (
        weight, cut, taxes, preference, can_buy, can_sell
    ),
    WEIGHTS, st.floats(0, 1), st.tuples(*[st.integers(-3, 3)] * 2),
    st.one_of(st.none(), st.integers(1, 3)), st.booleans(), st.booleans(),
)  # fmt: skip


@st.composite
def classes(draw: st.DrawFn) -> list[Member]:
    rows = draw(st.lists(MEMBERS, min_size=0, max_size=5))
    return [
        Member(
            f"S{n}", weight, math.inf if preference is None else preference, can_buy, can_sell,
            tuple(
                Slice(part, Decimal(tax) / 10, loss=tax < 0)
                for part, tax in zip((weight * cut, weight * (1 - cut)), taxes, strict=True)
                if part
            ),
        )
        for n, (weight, cut, taxes, preference, can_buy, can_sell) in enumerate(rows)
    ]  # fmt: skip


@given(classes(), WEIGHTS, st.randoms(use_true_random=False))
def test_targets_of_members_sum_to_their_class_and_move_one_way(members, target, random):
    resolved, rest = resolve(target, members)
    shuffled = random.sample(members, len(members))

    assert math.isclose(math.fsum(resolved.values()) + rest, target, abs_tol=1e-9)
    assert resolve(target, shuffled) == (resolved, rest)
    assert all(weight >= 0 for weight in resolved.values())
    gap = target - math.fsum(member.weight for member in members)
    moves = {m.symbol: resolved[m.symbol] - m.weight for m in members}
    by_symbol = {member.symbol: member for member in members}
    more = [symbol for symbol, move in moves.items() if move > 1e-12]
    less = [symbol for symbol, move in moves.items() if move < -1e-12]
    assert not (more and less)
    if gap > 1e-12:
        buyable = sorted((m for m in members if m.can_buy), key=lambda m: (m.preference, m.symbol))
        assert more == [m.symbol for m in buyable[:1]]
        assert (rest > 0) is (not buyable)
    elif gap < -1e-12:
        # nobody gives who may not be sold while another that may has something spare
        givers = {by_symbol[symbol].can_sell for symbol in less}
        spare = [m for m in members if m.can_sell and resolved[m.symbol] > 1e-9]
        assert rest == 0
        assert not (False in givers and spare)


@given(
    classes(), WEIGHTS, st.sampled_from([0.0, 0.01, 0.05, 0.2]), st.sampled_from(["edge", "target"])
)
def test_a_member_is_outside_its_band_only_while_its_class_is(members, target, half, to):
    resolved, _ = resolve(target, members)
    bands = bands_of(members, resolved, half, to)

    off = {member.symbol: abs(resolved[member.symbol] - member.weight) for member in members}
    beyond = [max(0.0, off[symbol] - (band.half(0.0) or 0.0)) for symbol, band in bands.items()]
    assert set(bands) == set(off)
    total = math.fsum(off.values())
    if total <= half:
        assert max(beyond, default=0.0) <= 1e-12
    elif to == "edge":
        # each goes to its edge, and the class to its own
        assert math.isclose(math.fsum(beyond), total - half, abs_tol=1e-9)
    else:
        # each that moves goes to its target, and the class to its own
        assert {s for s, more in zip(bands, beyond, strict=True) if more > 1e-12} == {
            symbol for symbol, move in off.items() if move * (1 - half / total) > 1e-12
        }


@given(st.permutations(["AA", "BB", "CC"]))
def test_the_order_of_classes_and_securities_is_no_input(order):
    of = classed(accounts(), {"Shares": "AA BB", "Rest": "CC"}, {"Shares": 0.55, "Rest": 0.2})
    goals = of.targets
    assert isinstance(goals, Targets)
    ranked = sorted(of.snapshot.securities, key=lambda s: (*order, "DD").index(s.symbol))
    turned = replace(goals, classes=dict(reversed(list(goals.classes.items()))))
    other = replace(of.having(securities=tuple(ranked)), targets=turned)

    assert other.plan().plan_id == of.planned.plan_id


@given(
    worlds(), st.lists(st.sampled_from("XYZ-"), min_size=8, max_size=8), st.sampled_from(METHODS),
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.4]), min_size=2, max_size=2),
)  # fmt: skip
@settings(FEWER)
def test_classes_of_any_account_are_planned_and_derived_anew(of, named, method, weights):
    symbols = [security.symbol for security in of.snapshot.securities]
    members = {
        name: " ".join(s for s, own in zip(symbols, named, strict=False) if own == name)
        for name in "XYZ"
    }
    of = replace(of, strategy=replace(of.strategy, lots=Lots(method=method)))
    asked = classed(
        of, members, dict(zip("XY", weights, strict=True)),
        own={}, preference=dict.fromkeys(symbols[-1:], 1), frozen=symbols[:1],
    )  # fmt: skip
    try:
        planned = asked.plan()
    except PlanRefused as refused:
        if refused.fault.code != "lots_incomplete":
            raise
        return  # the method asks for what no lot says
    report = verify.check(planned.document())

    assert report.failed == ()
    total = math.fsum([*targets_of(planned).values()])
    assert math.isclose(total, math.fsum(weights), abs_tol=1e-9)
