"""plan(): caps, funding and open orders each bind where they should and nowhere else."""

from dataclasses import replace
from decimal import Decimal

from builders.buckets import rated
from builders.changes import HELD, USUAL, stops, usual
from builders.world import world
from steelyard.orders import Order, Side
from steelyard.planning.solve import local
from steelyard.plans import verify
from steelyard.settings import Limits, Search

SECTORS = {"AA": "Tech", "BB": "Energy", "CC": "Energy"}


def limited(**limits):
    return usual(limits=Limits(**limits)).plan()


def quantities(plan, side):
    return {step.symbol: step.quantity for step in plan.steps if step.side is side}


def spent(plan):
    bought = [step for step in plan.steps if step.side is Side.BUY]
    return sum((step.notional_base + step.costs.total for step in bought), Decimal(0))


def order(symbol, side, shares, price=None):
    return Order("o", symbol, side, Decimal(shares), price)


# funding


def test_with_proceeds_sales_pay_for_buys_and_with_settled_they_do_not():
    free = usual(cash="2000").plan()
    settled = usual(cash="2000", limits=Limits(funding="settled")).plan()

    assert spent(free) > 2000
    assert spent(settled) <= 2000
    assert settled.step("AA") is not None


def test_with_settled_money_a_buy_may_take_the_cash_down_to_the_reserve():
    plan = limited(funding="settled")

    assert plan.cash["USD"] - spent(plan) >= plan.reserve
    assert spent(plan) > 0


def test_the_reserve_stays_and_under_a_full_reserve_sales_pay_for_every_buy():
    assert limited(cash_reserve_weight=0.1).cash_after["USD"] >= Decimal("5650")
    full = limited(cash_reserve_weight=1.0)
    sold = limited(cash_reserve_weight=1.0, allow_buy=False)
    assert 9000 <= full.cash_after["USD"] < sold.cash_after["USD"]


def test_a_debt_is_paid_by_sales_before_anything_is_bought():
    plan = usual(cash="-3000").plan()

    assert plan.step("AA") is not None
    assert plan.cash_after["USD"] > -3000
    if quantities(plan, Side.BUY):
        assert plan.cash_after["USD"] >= plan.reserve


def test_where_only_settled_cash_pays_sales_go_on_under_the_reserve():
    plan = usual(cash="100", limits=Limits(funding="settled", cash_reserve_weight=0.05)).plan()

    assert plan.verdict.action == "act"
    assert quantities(plan, Side.SELL)
    assert not quantities(plan, Side.BUY)
    assert verify.check(plan.document()).failed == ()


# open orders


def test_an_open_buy_takes_its_money_at_its_limit_or_at_the_price():
    def plan(*orders):
        return usual(limits=Limits(allow_sell=False), orders=orders).plan()

    at_limit = plan(order("CC", Side.BUY, 125, Decimal(60)))
    assert spent(plan()) > 1500 >= spent(at_limit) == spent(plan(order("CC", Side.BUY, 375)))


def test_money_promised_to_open_buys_does_not_keep_the_reserve():
    promised = (order("CC", Side.BUY, 300, Decimal(20)),)

    plan = usual(limits=Limits(allow_sell=False, cash_reserve_weight=0.05), orders=promised).plan()

    free = plan.cash["USD"] - plan.open_buys
    assert plan.open_buys == 6000
    if plan.steps:
        assert plan.cash_after["USD"] - plan.open_buys >= min(plan.reserve, free)
    assert spent(plan) <= 3000 - plan.reserve


def test_an_open_sell_leaves_only_the_rest_to_sell():
    most = usual(orders=(order("AA", Side.SELL, 350),)).plan()
    covered = usual(orders=(order("AA", Side.SELL, 400),)).plan()

    assert quantities(most, Side.SELL).get("AA", 0) <= 50
    assert covered.step("AA") is None
    assert "open_orders" in {rule for _, rule in stops(covered, "AA")}


# switches and caps


def test_selling_or_buying_can_be_switched_off():
    assert quantities(limited(allow_sell=False), Side.SELL) == {}
    assert quantities(limited(allow_buy=False), Side.BUY) == {}


def test_a_turnover_cap_binds():
    assert USUAL.planned.turnover > 0.1 >= limited(max_turnover_weight=0.1).turnover > 0


def test_a_target_wins_over_a_default_cap():
    after = {row.symbol: row.weight for row in USUAL.planned.holdings_after}["BB"]

    assert 0.2 < after <= 0.3 + 1e-9


def test_without_targets_a_position_over_its_cap_may_stay_but_not_grow():
    def bought(kind):
        of = rated(world("AA 300 @ 100", "BB 100 @ 100", cash="60000"), AA=0.95, BB=0.95)
        listed = tuple(replace(s, product_type=kind) for s in of.snapshot.securities)
        plan = of.having(securities=listed).plan(targets=None)
        return quantities(plan, Side.BUY), stops(plan, "AA")

    for kind in ("EQUITY", "BOND", "CRYPTO", "OTHER", ""):
        buys, why = bought(kind)
        assert "AA" not in buys, kind
        assert ("sizing", "max_position") in why, kind
    for kind in ("ETF", "ETC", "MUTUALFUND", "CASHLIKE"):
        assert "max_position" not in {rule for _, rule in bought(kind)[1]}, kind


def group_weights(of, plan):
    """Sector -> weight before, weight after the plan."""
    ctx = of.prepared.ctx
    after = {row.symbol: row.weight for row in plan.holdings_after}
    moved = [after.get(symbol, 0.0) for symbol in ctx.symbols]
    both = zip(ctx.weights @ ctx.sectors.shares, moved @ ctx.sectors.shares, strict=True)
    return dict(zip(ctx.sectors.labels, both, strict=True))


def test_a_group_cap_binds():
    free = usual(sectors=SECTORS)
    capped = usual(sectors=SECTORS, limits=Limits(max_group_weight=0.25))

    assert group_weights(free, free.plan())["Energy"][1] > 0.25
    assert group_weights(capped, capped.plan())["Energy"][1] <= 0.25


def test_a_group_over_its_cap_may_stay_but_not_grow():
    sectors = {"AA": "Tech", "BB": "Tech", "CC": "Energy"}
    of = usual(sectors=sectors, limits=Limits(max_group_weight=0.25))
    plan = of.plan()

    before, after = group_weights(of, plan)["Tech"]
    assert before > 0.25
    assert after <= before
    assert plan.verdict.action == "act"


def test_a_group_cap_over_one_group_alone_is_no_cap():
    one_group = dict.fromkeys(SECTORS, "Tech")

    assert usual(sectors=one_group, limits=Limits(max_group_weight=0.1)).plan().steps


def test_the_depth_is_the_most_orders_of_a_plan():
    counts = [len(usual(search=Search(max_depth=depth)).plan().steps) for depth in (1, 2, 10)]

    assert counts[0] == 1
    assert counts == sorted(counts)
    assert counts[2] <= len(HELD)


def test_the_plan_reads_no_clock_but_the_one_of_the_steps():
    plan = USUAL.plan(steps=local(clock=lambda: 0.0))

    assert {timing.seconds for timing in plan.timings} == {0.0}


def test_a_security_bought_yesterday_is_not_sold():
    yesterday = USUAL.snapshot.as_of.replace(day=USUAL.snapshot.as_of.day - 1)
    fresh = tuple(replace(h, last_bought=yesterday) for h in USUAL.snapshot.holdings)
    plan = replace(USUAL, snapshot=replace(USUAL.snapshot, holdings=fresh)).plan()

    assert plan.step("AA") is None
    assert ("filter", "min_hold_days") in stops(plan, "AA")
