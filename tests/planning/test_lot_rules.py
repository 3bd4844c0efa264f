"""What the lot method needs of the holdings, and what is left of the year's gains."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from builders.taxed import realised
from builders.world import world
from steelyard.errors import PlanRefused
from steelyard.orders import Side
from steelyard.plans import verify
from steelyard.portfolio import BucketState, Holding, TaxLot
from steelyard.settings import Lots, Score, Search

SCOPES = ("proposals", "candidates", "quantities")


def holding(*parts, symbol="AA"):
    """Lots of `(shares, cost, acquired)`."""
    lots = tuple(
        TaxLot(Decimal(shares), acquired, None if cost is None else Decimal(cost))
        for shares, cost, acquired in parts
    )
    return Holding(symbol, sum(lot.quantity for lot in lots), lots)


def of_lots(*parts, lots, score=None, scope="quantities", state=None):
    """AA at 100 USD, half of it to go into BB."""
    of = world(
        "AA 100 @ 100", "BB 0 @ 100", cash="200", targets={"AA": 0.5, "BB": 0.48}, sessions=30,
        funds=("AA", "BB"), search=Search(scope=scope), score=score or Score(), state=state,
    )  # fmt: skip
    return of.having(holdings=(holding(*parts),), lots=lots)


DAYS = [date(2019, 1, 2), date(2020, 1, 2), date(2023, 9, 1)]


@pytest.mark.parametrize(
    ("method", "lacks"),
    [
        ("lifo", "AA without acquired in 1 of 2 lots"),
        ("hifo", "AA without average_cost in 1 of 2 lots"),
        ("specific", "AA without average_cost in 1 of 2 lots"),
        (
            "min_tax",
            "AA without acquired in 1 of 2 lots; AA without average_cost in 1 of 2 lots",
        ),
    ],
)
def test_a_method_that_cannot_choose_refuses_and_names_what_is_missing(method, lacks):
    score = Score(tax_rate=0.3, tax_rate_long=0.1)
    of = of_lots((50, "90", None), (50, None, DAYS[0]), lots=Lots(method=method), score=score)

    with pytest.raises(PlanRefused) as caught:
        of.plan()

    refused = caught.value.fault
    assert (refused.code, refused.value, refused.limit) == (
        "lots_incomplete", lacks, f"lots.method = {method}",
    )  # fmt: skip
    assert "Nothing was planned" in str(caught.value)
    assert "lots.method = fifo" in refused.hint


def test_a_holding_of_one_lot_and_the_oldest_first_need_nothing():
    for method in ("lifo", "hifo", "specific", "min_tax"):
        assert of_lots((100, None, None), lots=Lots(method=method)).plan().steps
    assert of_lots((50, "90", None), (50, None, DAYS[0]), lots=Lots()).plan().steps


def test_what_may_not_be_sold_needs_nothing():
    of = of_lots((50, "90", None), (50, None, DAYS[0]), lots=Lots(method="specific"))
    locked = tuple(replace(s, allow_sell=s.symbol != "AA") for s in of.snapshot.securities)

    assert of.having(securities=locked).plan().verdict.action in {"act", "hold"}


def told(plan):
    (notice,) = [notice for notice in plan.warnings if notice.code == "gain_budget"]
    return notice.message


@pytest.mark.parametrize("scope", SCOPES)
def test_a_budget_bounds_the_gain_and_says_which_order_it_stops(scope):
    state = BucketState(realised_gain=Decimal(600))
    lots = Lots(max_gain_base=1000)
    of = of_lots((100, "80", DAYS[0]), lots=lots, scope=scope, state=state)

    plan, free = of.plan(), of.having(lots=Lots()).plan()

    assert realised(free) > 400
    assert realised(plan) <= 400
    assert told(plan) == (
        "lots.max_gain_base allows USD 1,000.00 of net gain this year; 600.00 is realised "
        "already, so 400.00 is left."
    )
    stops = [stop for stop in plan.not_traded if stop.rule == "gain_budget"]
    assert {(stop.symbol, stop.limit) for stop in stops} <= {("AA", 400)}
    assert all(stop.margin == stop.value - 400 > 0 for stop in stops)
    assert verify.check(plan.document()).failed == ()
    if scope == "quantities":  # 20 shares of a gain of 20 are the budget, exactly
        assert plan.step("AA").quantity == 20
        assert plan.realised_gain.long == 400
        assert "That makes 1,000.00 this year, of at most 1,000.00." in plan.verdict.detail
    else:
        assert stops


def test_a_budget_that_is_passed_already_leaves_only_what_realises_no_net_gain():
    state = BucketState(realised_gain=Decimal("1234.56"))
    gains = of_lots((100, "80", DAYS[0]), lots=Lots(max_gain_base=1000), state=state)
    mixed = of_lots(
        (50, "80", DAYS[0]), (50, "130", DAYS[1]), state=state,
        lots=Lots(method="specific", max_gain_base=1000),
    )  # fmt: skip

    plan = gains.plan()
    assert [step for step in plan.steps if step.side is Side.SELL] == []
    assert told(plan) == (
        "lots.max_gain_base allows USD 1,000.00 of net gain this year; 1,234.56 is realised "
        "already, 234.56 more. Sales realise no further net gain."
    )
    assert realised(mixed.plan()) <= 0
    assert mixed.plan().step("AA").quantity > 20


def test_what_nobody_told_counts_as_nothing_and_is_said():
    plan = of_lots((100, "80", DAYS[0]), lots=Lots(max_gain_base=100)).plan()

    assert told(plan).endswith(
        "What was realised before is not known and counts as 0 (--realised)."
    )
    assert plan.realised_gain.before is None
    assert "nothing being known of what was sold before" in plan.verdict.detail


def test_against_a_budget_an_unknown_cost_counts_as_nothing_paid():
    plan = of_lots((100, None, DAYS[0]), lots=Lots(max_gain_base=700)).plan()

    assert plan.step("AA").quantity == 7
    (message,) = [n.message for n in plan.warnings if n.code == "gain_unknown"]
    assert message == (
        "The cost of AA is not known: against lots.max_gain_base a sale of it counts as gain from "
        "the first cent."
    )
    assert plan.realised_gain.long is None
    assert "What is realised is unknown for AA: no cost is given." in plan.verdict.detail


def test_no_sale_pays_a_debt_past_the_budget_and_what_is_missing_is_said():
    of = of_lots((100, "80", DAYS[0]), lots=Lots(max_gain_base=100))
    plan = of.having(cash={"USD": Decimal(-3000)}).plan()

    assert realised(plan) <= 100
    assert "cash_short" in {notice.code for notice in plan.problems}


def test_gains_and_losses_of_several_sales_count_together():
    """A loss makes room for a gain: what counts is the net."""
    of = world(
        "AA 100 @ 100", "BB 100 @ 100", "CC 0 @ 100", funds=("AA", "BB", "CC"), sessions=30,
        targets={"AA": 0.25, "BB": 0.25, "CC": 0.48},
    )  # fmt: skip
    both = holding((100, "80", DAYS[0])), holding((100, "110", DAYS[0]), symbol="BB")
    plan = of.having(holdings=both, lots=Lots(max_gain_base=0)).plan()

    # of BB half is sold at a loss of 500; of AA as much as takes that up, at 20 a share
    sold = {step.symbol: step.quantity for step in plan.steps if step.side is Side.SELL}
    assert sold["BB"] in {49, 50}
    assert sold["AA"] == sold["BB"] * 10 // 20
    assert realised(plan) <= 0


def test_a_loss_without_its_day_counts_as_sold_today_and_is_said_first():
    gone = Holding("BB", Decimal(0), (), sold_at_loss=True)
    of = of_lots((100, "60", DAYS[0]), lots=Lots(wash_sale_days=30))

    plan = of.having(holdings=(*of.snapshot.holdings, gone)).plan()

    assert "BB" not in {step.symbol for step in plan.steps}
    (said,) = [warning for warning in plan.warnings if warning.code == "loss_without_day"]
    assert said.head
    assert said.message.startswith("BB: sold at a loss, and no day is given")
