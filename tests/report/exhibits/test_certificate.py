"""How far a plan is from the best: the badge, its figures, and the lists that come nearest."""

from decimal import Decimal

from builders import plans as sample
from builders import quantities
from builders.each import each
from builders.world import AS_OF, world
from steelyard.portfolio import Flow
from steelyard.report.exhibits import certificate
from steelyard.report.exhibits.neighbours import NEAREST, neighbours
from steelyard.report.exhibits.words import on_scale
from steelyard.report.exhibits.worth import a_year, gained, near
from steelyard.settings import Costs

BADGES = {
    "proven": (quantities.proven, "ok", "Proven best"),
    "hold": (quantities.hold, "ok", "Proven: nothing gains enough to act"),
    "bounded": (quantities.growth, "warn", "Within 0.04 points of the best"),
    "one lot": (quantities.one, "ok", "Within one lot of the best"),
    "unmeasured": (quantities.unmeasured, "info", "Distance from the best not measured"),
    "table": (quantities.five, "ok", "Proven best of the candidates"),
}


def test_the_badge_tells_how_far_and_of_what_the_plan_is_the_best():
    def is_told(make, level, badge):
        box = certificate.box(make())
        assert (box.level, box.badge) == (level, badge)

    each(BADGES, is_told)


def test_a_gap_is_told_in_points_in_money_a_year_and_as_a_share_rounded_up():
    figures = dict(certificate.box(quantities.growth()).figures)

    assert figures["A better plan gains at most"] == "0.04 points"
    assert figures["as money a year"] == "31 USD"
    assert figures["of the improvement"].replace("\u00a0", " ") == "0.2 %"


def test_what_was_searched_around_the_plan_is_told_where_nothing_is_proven():
    pairs = "No change of one order or of two improves it."

    assert pairs in certificate.box(quantities.growth()).said
    assert pairs not in certificate.box(quantities.proven()).said
    single = quantities.growth().certificate.model_copy(update={"local_optimum": "single"})
    alone = quantities.growth().model_copy(update={"certificate": single})
    assert "No change of one order improves it." in certificate.box(alone).said


def test_beside_the_verdict_its_sentence_is_not_told_again():
    for make in (quantities.growth, quantities.proven, quantities.one):
        box = certificate.box(make())
        assert box.said.split(". ")[0] in make().verdict.detail
        assert "possible plan" not in box.beside
        assert box.beside


def test_the_nearest_lists_are_feasible_and_the_others_follow_best_first():
    plan = quantities.growth()
    exhibit = neighbours(plan)

    assert len(exhibit.nearest) == NEAREST
    assert all(row.feasible for row in exhibit.nearest)
    assert len(exhibit.nearest) + len(exhibit.others) == len(plan.certificate.neighbours)
    assert [row.points for row in exhibit.nearest] == ["−0.003", "−0.01", "−0.01"]
    assert exhibit.nearest[0].change == "Sell 209 AAPL instead of 210"
    assert [row.fits for row in exhibit.others].count("no") == 4
    assert neighbours(quantities.five()) is None


def test_money_a_year_is_what_the_document_says_of_each_order():
    for step in sample.growth().steps:
        assert a_year(sample.growth(), step.adds.score) == step.adds.base_per_year


def test_a_score_or_a_change_outside_the_scale_is_no_number():
    assert [on_scale(score) for score in (0.0, 1.0, 1.00001, -0.00001, 2.98, -2.98)] == [
        "0.00", "100.00", "100.00", "0.00", "off the scale", "off the scale",
    ]  # fmt: skip
    assert [gained(change) for change in (0.5, -1.0, 3.14, -3.14)] == [
        "+50.00", "−100.00", "off the scale", "off the scale",
    ]  # fmt: skip
    assert [near(change) for change in (-0.0000004, 0.12, 0.0)] == ["−0.00004", "+12.00", "0.00"]


def test_what_is_claimed_is_what_the_verdict_says_also_where_a_deposit_alone_is_worth_it():
    lines, goals = ("VT 300 @ 100", "BND 200 @ 100"), {"VT": 0.55, "BND": 0.45}
    for amount, opening in (("5500", "Proven best: "), ("150", "Proven: ")):
        flow = Flow("USD", Decimal(amount), AS_OF)
        of = world(*lines, targets=goals, funds=("VT", "BND"), costs=Costs(fixed=0.0))
        plan = of.having(flows=(flow,), limits={"allow_sell": False}).plan()

        assert plan.rests
        assert plan.steps
        assert opening in plan.verdict.detail
        assert certificate.box(plan).said.startswith(opening)
