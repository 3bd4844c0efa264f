"""Caps, funding, open orders, currencies, tax: each binds where it should and nowhere else."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from builders.world import AS_OF, prepared, world
from steelyard.orders import Order, Side
from steelyard.plans import verify
from steelyard.portfolio import Holding, TaxLot
from steelyard.settings import Costs, Groups, Limits, Score

HELD = ("AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20")
GOALS = {"AA": 0.2, "BB": 0.3, "CC": 0.3}


def usual(**changes):
    return world(*HELD, cash=changes.pop("cash", "9000"), **{"targets": GOALS, **changes})


def traded(plan, side):
    return {step.symbol: step.quantity for step in plan.steps if step.side is side}


def spent(plan):
    return sum(
        (s.notional_base + s.costs.total for s in plan.steps if s.side is Side.BUY), Decimal(0)
    )


def test_with_proceeds_sales_pay_for_buys_and_with_settled_they_do_not():
    free, settled = (
        usual(cash="2000").plan(),
        usual(cash="2000", limits=Limits(funding="settled")).plan(),
    )

    assert spent(free) > 2000
    assert spent(settled) <= 2000
    assert settled.step("AA") is not None


def test_with_settled_money_a_buy_may_take_the_cash_down_to_the_reserve():
    plan = usual(limits=Limits(funding="settled")).plan()

    assert plan.cash["USD"] - spent(plan) >= plan.reserve
    assert spent(plan) > 0


def test_selling_or_buying_can_be_switched_off():
    assert traded(usual(limits=Limits(allow_sell=False)).plan(), Side.SELL) == {}
    assert traded(usual(limits=Limits(allow_buy=False)).plan(), Side.BUY) == {}


def test_a_turnover_cap_binds():
    free, capped = usual().plan(), usual(limits=Limits(max_turnover_weight=0.1)).plan()

    assert free.turnover > 0.1 >= capped.turnover > 0


def test_an_order_that_a_cap_keeps_out_is_told_as_that_and_not_as_want_of_money():
    plan = usual(limits=Limits(max_turnover_weight=0.001)).plan()

    assert plan.verdict.action == "hold"
    assert {row.rule for row in plan.not_traded if row.candidate is not None} == {"max_turnover"}


def test_a_position_cap_binds_and_funds_are_exempt():
    company, fund = usual().plan(), usual(funds=("BB",)).plan()

    def after(plan):
        return next(row.weight for row in plan.holdings_after if row.symbol == "BB")

    assert after(company) <= 0.2
    assert 0.2 < after(fund) <= 0.3 + 1e-9


def test_a_position_over_its_cap_may_stay_but_not_grow():
    plan = world("AA 400 @ 100", "BB 0 @ 20", cash="9000", targets={"AA": 0.95}).plan()

    assert traded(plan, Side.BUY) == {}
    assert {row.rule for row in plan.not_traded if row.symbol == "AA"} <= {
        "no_crossing",
        "max_position",
    }


SECTORS = {"AA": "Tech", "BB": "Energy", "CC": "Energy"}


def sector_weights(one, plan):
    groups = prepared(one).ctx.sectors
    after = {row.symbol: row.weight for row in plan.holdings_after}
    moved = [after.get(symbol, 0.0) for symbol in prepared(one).ctx.symbols]
    return dict(zip(groups.labels, (moved @ groups.shares).tolist(), strict=True))


def test_a_group_cap_binds():
    free, capped = (
        usual(sectors=SECTORS),
        usual(sectors=SECTORS, limits=Limits(max_group_weight=0.25)),
    )

    assert sector_weights(free, free.plan())["Energy"] > 0.25
    assert sector_weights(capped, capped.plan())["Energy"] <= 0.25


def test_a_group_over_its_cap_may_stay_but_not_grow():
    one = usual(
        sectors={"AA": "Tech", "BB": "Tech", "CC": "Energy"}, limits=Limits(max_group_weight=0.25)
    )
    before, plan = prepared(one).ctx, one.plan()

    tech = float((before.weights @ before.sectors.shares)[before.sectors.labels.index("Tech")])
    assert tech > 0.25
    assert sector_weights(one, plan)["Tech"] <= tech
    assert plan.verdict.action == "act"


def test_a_group_cap_over_one_group_alone_is_no_cap():
    one = usual(sectors=dict.fromkeys(SECTORS, "Tech"), limits=Limits(max_group_weight=0.1))

    assert one.plan().steps


def test_the_reserve_stays_and_under_a_full_reserve_sales_pay_for_every_buy():
    assert usual(limits=Limits(cash_reserve_weight=0.1)).plan().cash_after["USD"] >= Decimal("5650")
    full = usual(limits=Limits(cash_reserve_weight=1.0)).plan()
    assert full.cash_after["USD"] >= 9000
    assert (
        full.cash_after["USD"]
        < usual(limits=Limits(cash_reserve_weight=1.0, allow_buy=False)).plan().cash_after["USD"]
    )


def test_a_debt_is_paid_by_sales_before_anything_is_bought():
    plan = usual(cash="-3000").plan()

    assert plan.step("AA") is not None
    assert plan.cash_after["USD"] > -3000
    if traded(plan, Side.BUY):
        assert plan.cash_after["USD"] >= plan.reserve


def test_an_open_buy_takes_its_money_at_its_limit_or_at_the_price():
    def plan(*orders):
        return usual(limits=Limits(allow_sell=False), orders=orders).plan()

    at_limit = plan(Order("o", "CC", Side.BUY, Decimal(125), Decimal(60)))
    at_price = plan(Order("o", "CC", Side.BUY, Decimal(375), None))

    assert at_limit.open_buys == at_price.open_buys == 7500
    assert spent(plan()) > 1500 >= spent(at_limit) == spent(at_price)


def test_money_promised_to_open_buys_does_not_keep_the_reserve():
    promised = (Order("o", "CC", Side.BUY, Decimal(300), Decimal(20)),)

    plan = usual(
        cash="9000", limits=Limits(allow_sell=False, cash_reserve_weight=0.05), orders=promised
    ).plan()

    assert plan.open_buys == 6000
    assert plan.steps == () or plan.cash_after["USD"] - plan.open_buys >= min(
        plan.reserve, plan.cash["USD"] - plan.open_buys
    )
    assert spent(plan) <= 3000 - plan.reserve


def test_where_only_settled_cash_pays_sales_go_on_under_the_reserve():
    plan = usual(cash="100", limits=Limits(funding="settled", cash_reserve_weight=0.05)).plan()

    assert plan.verdict.action == "act"
    assert traded(plan, Side.SELL)
    assert not traded(plan, Side.BUY)
    assert verify.check(plan.document()).failed == ()


def test_the_filled_part_of_an_open_buy_takes_no_more_money():
    half = Order("o", "CC", Side.BUY, Decimal(200), Decimal(20), filled_quantity=Decimal(100))

    assert usual(orders=(half,)).plan().open_buys == 2000


def test_an_open_sell_leaves_only_the_rest_to_sell():
    one = usual(orders=(Order("o", "AA", Side.SELL, Decimal(350), None),))

    assert traded(one.plan(), Side.SELL).get("AA", 0) <= 50
    covered = usual(orders=(Order("o", "AA", Side.SELL, Decimal(400), None),)).plan()
    assert covered.step("AA") is None
    assert "open_orders" in {row.rule for row in covered.not_traded if row.symbol == "AA"}


def test_an_open_sell_of_a_part_stops_the_full_exit():
    one = world(
        "AA 400 @ 100",
        "BB 50 @ 50",
        cash="9000",
        targets={"AA": 0.8},
        orders=(Order("o", "BB", Side.SELL, Decimal(10), None),),
    )

    assert traded(one.plan(), Side.SELL)["BB"] <= 40


def test_what_is_not_wanted_goes_whole_even_in_odd_lots():
    one = world("AA 400 @ 100", "BB 53.7 @ 50", cash="9000", targets={"AA": 0.8}, lots={"BB": "10"})

    assert {row.quantity for row in one.plan().candidates if row.symbol == "BB"} == {
        20,
        40,
        Decimal("53.7"),
    }


def test_a_remainder_under_the_least_order_goes_too():
    """240 of 250 shares at 1 would leave 10, under half a percent of value."""
    one = world("AA 100 @ 100", "BB 250 @ 1", cash="5000", targets={"AA": 0.5})

    assert {row.quantity for row in one.plan().candidates if row.symbol == "BB"} == {Decimal(250)}


def test_lots_of_a_hundred_are_kept():
    plan = usual(lots={"AA": "100", "BB": "100", "CC": "100"}).plan()

    assert plan.candidates
    assert all(row.quantity % 100 == 0 for row in plan.candidates)


def test_fractional_shares_are_never_sold_beyond_what_is_held():
    """2.9999999999 shares that no open order covers are two whole lots, not three."""
    cover = Order("o", "BB", Side.SELL, Decimal(1), None)
    one = world(
        "AA 400 @ 100", "BB 3.9999999999 @ 5000", cash="9000", targets={"AA": 0.5}, orders=(cover,)
    )

    assert max(row.quantity for row in one.plan().candidates if row.symbol == "BB") == 2


def test_a_foreign_order_converts_its_whole_amount_at_the_rate_and_pays_the_margin():
    plan = usual(foreign=("AA", "CC"), costs=Costs(fx_percent=0.01)).plan()
    by_symbol = {step.symbol: step for step in plan.steps}

    sold = by_symbol["AA"]
    assert (sold.currency, sold.fx_rate, sold.notional_base) == (
        "EUR",
        Decimal("1.25"),
        sold.quantity * 100 * Decimal("1.25"),
    )
    assert sold.costs.fx == sold.notional_base / 100
    assert plan.costs.fx == sum(step.costs.fx for step in plan.steps)
    conversion = plan.conversions[0]
    assert (conversion.from_, conversion.to, conversion.amount, conversion.rate) == (
        "EUR",
        "USD",
        sold.notional,
        Decimal("1.25"),
    )


def test_half_the_spread_is_paid():
    plan = usual(costs=Costs(spread_bps=40)).plan()

    assert plan.steps
    assert all(step.costs.spread == step.notional_base * Decimal("0.002") for step in plan.steps)


def dated_lots(one):
    lots = (
        TaxLot(Decimal(100), AS_OF - timedelta(days=3000), Decimal(20)),
        TaxLot(Decimal(100), None, Decimal(90)),
        TaxLot(Decimal(200), AS_OF - timedelta(days=900), Decimal(120)),
    )
    others = tuple(h for h in one.snapshot.holdings if h.symbol != "AA")
    return replace(
        one, snapshot=replace(one.snapshot, holdings=(*others, Holding("AA", Decimal(400), lots)))
    )


def test_lots_are_sold_oldest_first_and_those_of_unknown_date_before_all():
    step = dated_lots(usual()).plan().step("AA")

    assert step is not None
    assert [lot.quantity for lot in step.lots][:2] == [100, 100]
    assert [lot.unit_cost for lot in step.lots][:2] == [90, 20]
    assert sum(lot.quantity for lot in step.lots) == step.quantity
    assert step.lots[1].gain == 8000


def test_tax_is_charged_on_the_gain_of_the_lots_sold_and_shown_apart_from_costs():
    free, taxed = dated_lots(usual()).plan(), dated_lots(usual(score=Score(tax_rate=0.25))).plan()

    step = taxed.step("AA")
    assert step is not None
    gains = sum(lot.gain for lot in step.lots if lot.gain is not None)
    assert taxed.costs.tax == gains / 4
    assert taxed.score.charges.tax > 0 == free.score.charges.tax
    assert free.costs.tax is None
    assert taxed.costs.total == sum(s.costs.total for s in taxed.steps)


def test_the_tax_on_a_lot_of_unknown_cost_is_not_guessed():
    plan = usual(score=Score(tax_rate=0.25)).plan()

    assert plan.step("AA") is not None
    assert plan.costs.tax is None
    assert ("AA", "average_cost") in {(row.symbol, row.metric) for row in plan.data_coverage}


@pytest.mark.parametrize(
    ("percent", "least"),
    [
        (0.002, "282.5"),
        (0.0099, "20000"),
        (0.00999999999, "2E+11"),
        (0.01, "282.5"),
        (0.05, "282.5"),
    ],
)
def test_the_least_order_keeps_its_commission_under_a_hundredth_or_is_half_a_percent_of_value(
    percent, least
):
    assert usual(costs=Costs(percent=percent)).plan().rules.min_order_base == Decimal(least)


def test_group_targets_alone_move_money_between_groups():
    one = world(
        "AA 400 @ 100", "BB 100 @ 100", cash="3000", sectors={"AA": "Tech", "BB": "Energy"},
        groups=Groups(sector={"Tech": 0.5, "Energy": 0.5}),
    )  # fmt: skip

    plan = one.plan()

    assert plan.verdict.action == "act"
    assert {(step.side, step.symbol) for step in plan.steps} <= {
        (Side.SELL, "AA"),
        (Side.BUY, "BB"),
    }
    assert one.plan().steps == plan.steps
    untargeted = replace(one, strategy=replace(one.strategy, groups=Groups())).plan()
    assert untargeted.score.hold != plan.score.hold


def test_the_depth_is_the_most_orders_of_a_plan():
    from steelyard.settings import Search

    counts = [len(usual(search=Search(max_depth=depth)).plan().steps) for depth in (1, 2, 10)]

    assert counts[0] == 1
    assert counts == sorted(counts)
    assert counts[2] <= 3
