"""Tax loss: which lots go, what takes their place, and what may not."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from builders.cases import Case, Change
from builders.context import candidates
from builders.taxed import alike, of_class
from builders.world import AS_OF, prepared, with_on, world
from steelyard.modules.opportunities.tax_loss import Params, tax_loss
from steelyard.modules.registry import Kind
from steelyard.orders import Side
from steelyard.portfolio import Holding, TaxLot
from steelyard.settings import Lots, Score

MEMBERS = {"AA": ("stocks", 1), "BB": ("stocks", 2), "CC": ("stocks", 3), "DD": ("bonds", 1)}
RATES = Score(tax_rate=0.3)
OLD = date(2020, 1, 2)


def lots(*parts, symbol="AA", **dates):
    """A holding of `(shares, cost)` or `(shares, cost, acquired)`."""
    every = tuple(
        TaxLot(Decimal(shares), acquired[0] if acquired else OLD, Decimal(cost))
        for shares, cost, *acquired in parts
    )
    return Holding(symbol, sum(lot.quantity for lot in every), every, **dates)


def losing(*holdings, method="specific", days=30, score=RATES, **options):
    """AA, BB, CC of one class, DD of another, each 100 USD; AA and DD are held, no targets."""
    of = world(
        *("AA 100 @ 100", "BB 0 @ 100", "CC 0 @ 100", "DD 100 @ 100"), cash="4000", sessions=30,
        funds=("AA", "BB", "CC", "DD"), score=score, **options,
    )  # fmt: skip
    usual = (lots((40, "150"), (60, "80")), lots((100, "100"), symbol="DD"))
    of = of_class(of, MEMBERS).having(lots=Lots(method=method, wash_sale_days=days))
    of = of.having(holdings=holdings or usual)
    return replace(of, strategy=with_on(of.strategy, Kind.OPPORTUNITY, "tax_loss"))


def asked(of, **params):
    """(side, symbol, shares) of what the calculator asks for."""
    ctx = prepared(of).ctx
    return [
        (c.side.value, c.symbol, round(c.weights[0] * ctx.value / 100, 6))
        for c in tax_loss(ctx, Params(**params))
    ]


def table_of(of):
    ctx = prepared(of).ctx
    return ctx, candidates(ctx)


CASE = Case(
    lambda: table_of(losing()),
    {
        "min_loss_share": Change(0.5), "min_loss_base": Change(5_000.0),
        "priority_weight": Change(0.5),
    },
)  # fmt: skip
WORLD = losing(targets={"AA": 0.4, "DD": 0.42})


def test_the_dearest_lots_go_and_the_next_member_by_preference_takes_their_place():
    assert asked(losing()) == [("sell", "AA", -40), ("buy", "BB", 40)]
    sale, buy = tax_loss(prepared(losing()).ctx, Params())
    assert sale.why.text == (
        "lots at a loss of USD 2,000.00, 33.3\u00a0% of their cost; BB takes their place"
    )
    assert buy.why.text == "takes the place of AA, sold at a loss"
    assert (sale.side, sale.tags) == (Side.SELL, ("tax_loss",))


def test_only_lots_that_the_method_sells_first_can_be_taken():
    assert asked(losing(lots((60, "80", OLD), (40, "150", date(2021, 1, 4))), method="fifo")) == []
    first = lots((40, "150", OLD), (60, "80", date(2021, 1, 4)))
    assert asked(losing(first, method="fifo")) == [("sell", "AA", -40), ("buy", "BB", 40)]


@pytest.mark.parametrize(
    ("params", "due"),
    [
        ({"min_loss_share": 1 / 3}, 2), ({"min_loss_share": 0.34}, 0),
        ({"min_loss_base": 2000.0}, 2), ({"min_loss_base": 2000.01}, 0),
    ],
)  # fmt: skip
def test_a_loss_at_its_threshold_is_taken_and_one_under_it_is_not(params, due):
    assert len(asked(losing(), **params)) == due


def test_a_loss_that_saves_less_tax_than_both_orders_cost_is_not_taken():
    # 40 shares of 100: 2 x 2.00 fixed and .2 % of 8,000 are 20.00; a loss of 2,000 saves rate x it
    assert asked(losing(score=Score(tax_rate=0.0101))) != []
    assert asked(losing(score=Score(tax_rate=0.0099))) == []


def test_a_loss_has_nowhere_to_go_where_the_class_has_nobody_else():
    assert asked(losing(lots((100, "150"), symbol="DD"))) == []


def test_a_substitute_is_no_partner_within_a_wash_sale_window_and_one_without_it():
    twins = {"AA": "twins", "BB": "twins"}
    assert asked(alike(losing(), twins)) == [("sell", "AA", -40), ("buy", "CC", 40)]
    single = alike(of_class(losing(days=0), {}), {"AA": "twins", "DD": ""} | twins)
    assert asked(single) == [("sell", "AA", -40), ("buy", "BB", 40)]
    assert asked(alike(of_class(losing(), {}), twins)) == []


def test_what_was_bought_within_the_window_waits_and_what_was_sold_at_a_loss_is_no_partner():
    recent = lots((40, "150"), (60, "80"), last_bought=AS_OF - timedelta(days=30))
    assert asked(losing(recent)) == []
    later = replace(recent, last_bought=AS_OF - timedelta(days=31))
    assert asked(losing(later)) != []
    gone = Holding("BB", Decimal(0), (), last_sold=AS_OF - timedelta(days=30), sold_at_loss=True)
    assert asked(losing(later, gone))[1] == ("buy", "CC", 40)


def test_a_plan_with_targets_lends_that_of_what_is_sold_to_its_partner_and_says_so():
    plan = WORLD.plan()

    assert [(step.side, step.symbol) for step in plan.steps] == [
        (Side.SELL, "AA"),
        (Side.BUY, "BB"),
    ]
    assert plan.step("AA").quantity in {39, 40}
    assert "lots at a loss of USD 2,000.00" in plan.step("AA").reason
    (notice,) = [notice for notice in plan.warnings if notice.code == "target_lent"]
    assert notice.message.startswith("15.0 % of value that the targets give AA stand for BB")
    targets = {row.symbol: row.target for row in plan.holdings}
    assert targets["AA"] + targets["BB"] == pytest.approx(0.4)


def test_within_the_window_the_partner_stands_in_for_what_may_not_be_bought_back():
    of = losing(
        lots((60, "80"), last_sold=AS_OF - timedelta(days=10), sold_at_loss=True),
        lots((40, "100", AS_OF - timedelta(days=10)), symbol="BB"),
        lots((100, "100"), symbol="DD"),
        targets={"AA": 0.4, "DD": 0.4},
    )  # fmt: skip

    plan = of.plan()

    assert [step.symbol for step in plan.steps if step.symbol in {"AA", "BB"}] == []
    assert {row.symbol: row.target for row in plan.holdings}["BB"] > 0.1
    after = of.having(as_of=AS_OF).plan(targets=of.targets, disabled={"tax_loss": "for a test"})
    assert "target_lent" not in {notice.code for notice in after.warnings}


def test_without_a_rate_of_tax_there_is_nothing_to_save():
    plan = losing(score=Score(tax_rate=0.0)).plan()

    (run,) = [run for run in plan.modules if run.name == "tax_loss"]
    assert (run.outcome, run.error) == ("no_input", "score.tax_rate is 0")
