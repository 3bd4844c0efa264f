"""What inputs leave open: a target against a cap, a type that no file says, a target unpriced."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.each import each
from builders.world import world
from builders.worlds import FEWER, worlds
from steelyard import strategies
from steelyard.buckets import SatelliteSettings
from steelyard.buckets.sliders import strategy_of
from steelyard.errors import PlanRefused
from steelyard.modules.registry import Kind, modules
from steelyard.orders import Side
from steelyard.plans import verify
from steelyard.strategies import PRESETS, preset
from steelyard.targets import Targets

THIRDS = world(
    "AA 100 @ 50", "BB 100 @ 60", "CC 100 @ 70", cash="2000",
    targets={"AA": 0.333, "BB": 0.333, "CC": 0.333},
)  # fmt: skip
CAP = "limits.max_position_weight"


def typed(of, kind):
    securities = tuple(replace(s, product_type=kind) for s in of.snapshot.securities)
    return of.having(securities=securities)


def head(plan, code):
    return [notice for notice in plan.warnings if notice.code == code and notice.head]


# a cap against a target


def test_a_cap_that_nobody_wrote_gives_way_to_every_target_and_that_is_said_once():
    sliders = SatelliteSettings(satellite_id="s", position_spread=1.0)
    shipped = [preset(name) for name in PRESETS]
    for strategy in (strategies.default(), strategy_of(sliders), *shipped):
        plan = replace(THIRDS, strategy=strategy).plan()
        (notice,) = head(plan, "cap_gave_way")
        for word in ("AA 33.3 %", "BB 33.3 %", "CC 33.3 %", CAP, strategy.source(CAP)):
            assert word in notice.message
        assert verify.check(plan.document()).ok


def test_three_targets_of_a_third_are_reached_under_the_default_cap():
    plan = THIRDS.planned

    assert plan.verdict.action == "act"
    assert plan.drift.after < 0.03


def test_a_cap_that_a_file_of_the_user_says_is_never_overruled():
    copied = preset("default")
    written = strategies.parse(f"[limits]\nmax_position_weight = {0.2}", "mine")
    assert copied.limits == written.limits

    with pytest.raises(PlanRefused) as refused:
        replace(THIRDS, strategy=written).plan()

    (fault,) = refused.value.faults
    assert (fault.code, fault.limit) == ("cap_against_target", "0.2")
    for word in ('"mine"', CAP, "AA", "BB", "CC"):
        assert word in fault.place
    for word in ("20.0 %", "AA 33.3 %", "Nothing was planned."):
        assert word in fault.message


def test_a_written_cap_refuses_only_what_is_one_name_or_may_be():
    written = strategies.parse("[limits]\nmax_position_weight = 0.2", "mine")
    for kind, refused in {"EQUITY": 1, "": 1, "BOND": 1, "ETF": 0, "CASHLIKE": 0}.items():
        of = typed(replace(THIRDS, strategy=written), kind)
        if not refused:
            assert of.plan().drift.after < 0.03, kind
            continue
        with pytest.raises(PlanRefused) as error:
            of.plan()
        assert ("product_type" in str(error.value)) == (kind == ""), kind


def test_a_written_cap_over_every_target_says_nothing():
    written = strategies.parse("[limits]\nmax_position_weight = 0.5", "mine")

    assert head(replace(THIRDS, strategy=written).plan(), "cap_gave_way") == []


# a type that no file says

ONE_FUND = typed(world("VWCE 1000 @ 128.40", cash="1000"), "")


def test_one_world_fund_of_unknown_type_is_held_and_asked_about():
    plan = ONE_FUND.planned

    assert plan.verdict.action == "hold"
    (question,) = head(plan, "unknown_type")
    for word in ("VWCE", "one name, or a fund?", "product_type", "--securities"):
        assert word in question.message


def test_with_targets_the_target_decides_and_nobody_is_asked():
    plan = replace(ONE_FUND, targets=Targets({"VWCE": 1.0})).plan()

    assert head(plan, "unknown_type") == []
    assert [n.symbol for n in head(plan, "cap_gave_way")] == ["VWCE"]


def test_as_one_name_it_is_trimmed_and_as_a_fund_it_is_not():
    assert typed(ONE_FUND, "EQUITY").plan().step("VWCE").side is Side.SELL
    assert typed(ONE_FUND, "ETF").plan().verdict.action == "hold"


def test_no_module_sells_an_unknown_type_for_its_weight():
    of = typed(world("AA 900 @ 100", "BB 50 @ 100", "CC 50 @ 100", cash="3000"), "")
    proposers = {
        proposer
        for row in of.prepared.table.proposals
        for proposer in row
        if "concentration" in proposer.tags
    }

    assert "rebalance_sells" in modules(Kind.OPPORTUNITY)
    assert proposers == set()


# a target that cannot be bought


def test_nothing_is_sold_for_having_no_target_while_a_target_cannot_be_bought():
    of = world("AA 300 @ 100", "VOO 50 @ 400", cash="5000", targets={"AA": 0.5, "VOOO": 0.5})
    plan = of.plan()

    assert plan.step("VOO") is None
    sold = [row for row in plan.not_traded if row.symbol == "VOO" and row.side is not Side.BUY]
    assert {row.rule for row in sold} == {"target_without_price"}
    (notice,) = head(plan, "target_without_price")
    for word in ("VOOO 50.0 % (no price)", "nothing was sold for having no target: VOO"):
        assert word in notice.message
    assert verify.check(plan.document()).ok


def test_a_target_left_out_on_the_users_word_holds_no_sale_back():
    of = world("AA 300 @ 100", "VOO 50 @ 400", cash="5000", targets={"AA": 0.5, "VOOO": 0.5})
    plan = of.having(excluded=("VOOO",)).plan()

    assert plan.step("VOO").side is Side.SELL
    assert head(plan, "target_without_price") == []


@FEWER
@given(worlds(), st.floats(0.01, 0.3))
def test_in_no_world_a_symbol_is_sold_for_having_no_target_while_one_is_missing(of, weight):
    if not isinstance(of.targets, Targets):
        return
    weights = {symbol: part * (1 - weight) for symbol, part in of.targets.weights.items()}
    of = replace(of, targets=Targets({**weights, "ZZTYPO": weight}))

    plan = of.plan()

    untargeted = {row.symbol for row in plan.holdings if not row.target}
    orders = [*plan.candidates, *plan.steps]
    assert [o.symbol for o in orders if o.side is Side.SELL and o.symbol in untargeted] == []
    assert verify.check(plan.document()).failed == ()


def test_the_second_opinion_sees_what_breaks_these_rules():
    def sees(change, rule):
        document = verify.load(of.planned.to_json())
        change(document)
        assert rule in {check.name for check in verify.check(document).failed}

    of = world("AA 300 @ 100", "BB 100 @ 100", cash="5000", targets={"AA": 0.9})
    assert of.planned.step("BB").side is Side.SELL
    typo = {"symbol": "ZZ", "target": 0.0, "why": "no price"}
    cases = {
        "another type": (
            lambda document: document["holdings"][0].update(product_type="ETF"),
            "funds are told by their type",
        ),
        "a typo": (
            lambda document: document["drift"].update(absent=[typo]),
            "nothing is sold for having no target while another cannot be bought",
        ),
    }
    each(cases, sees)
