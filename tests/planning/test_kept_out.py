"""What is valued and not traded, what a share is worth, and money that settles later."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from builders.changes import USUAL, stops, usual
from builders.positions import with_multipliers, with_position, with_settling
from builders.world import AS_OF, world
from steelyard.errors import PlanRefused
from steelyard.modules.context import AbsentTarget
from steelyard.notices import Drop
from steelyard.orders import Order, Side
from steelyard.planning import decisions
from steelyard.plans.verify import check
from steelyard.portfolio import Holding, Security
from steelyard.sentences import say
from steelyard.settings import Costs, Limits, Score

SHORT = with_position(world("SPY 100 @ 590", cash="15000"), "TSLA", "-20", "400")
POSITIONS = (
    ("SHRT", "-20", "400", "EQUITY", "1", "short", Decimal(-8000)),
    ("X240", "3", "2.5", "OPTION", "100", "option", Decimal(750)),
    ("X300", "-2", "1.5", "OPTION", "100", "option", Decimal(-300)),
    ("FUT", "2", None, "FUTURE", "50", "future", Decimal(0)),
    ("FUTV", "1", "120", "FUTURE", "1", "future", Decimal(120)),
)


def head(plan) -> list[str]:
    return [notice.message for notice in plan.warnings if notice.code == "kept_out" and notice.head]


def test_a_short_counts_negative_and_is_told_first_and_not_traded():
    plan = replace(SHORT, targets=replace(USUAL.targets, weights={"SPY": 0.9})).plan()

    assert plan.value == 66_000
    assert [(row.symbol, row.value, row.weight) for row in plan.kept_out] == [
        ("TSLA", -8000, pytest.approx(-8 / 66))
    ]
    assert plan.holdings[0].weight == pytest.approx(59 / 66)
    what = "1 position is valued and not traded: TSLA (short position), worth USD \u22128,000.00"
    rest = "(\u221212.1 % of value). No order touches it, and every weight counts it."
    assert head(plan) == [f"{what} {rest}"]
    assert stops(plan, "TSLA") == [("input", "short")]
    assert plan.kept_out[0].why == "A short position of 20: it is valued and not traded."
    # SPY and cash are off, and so is the whole short
    assert plan.drift.before == pytest.approx(
        (abs(59 / 66 - 0.9) + abs(15 / 66 - 0.1) + 8 / 66) / 2
    )
    assert check(plan.document()).ok


def test_what_would_have_a_target_bought_is_said_of_its_own_hindrance():
    short = replace(SHORT, targets=replace(USUAL.targets, weights={"SPY": 0.3, "TSLA": 0.6})).plan()
    (notice,) = [row for row in short.warnings if row.code.startswith("target_")]
    advice = "Close the short position or leave its target out, and plan again."
    wrong = {}
    for why, due in (
        ("no price", "correct the symbol or give its price"),
        ("no exchange rate", "give its exchange rate"),
        ("old exchange rate", "give a newer exchange rate"),
        ("old price", "give a newer price"),
        ("a price in doubt", "correct its price or accept it"),
        ("option", "leave the target of the option out"),
    ):
        advised = decisions._advice(AbsentTarget("TSLA", 0.6, why))
        wrong |= {why: advised} if advised != due else {}

    assert (notice.code, notice.message[-len(advice) :]) == ("target_not_traded", advice)
    assert wrong == {}


def test_every_kind_of_position_is_worth_its_shares_times_price_times_multiplier():
    for symbol, quantity, price, kind, multiplier, rule, value in POSITIONS:
        of = with_position(USUAL, symbol, quantity, price, kind, multiplier)
        plan = of.plan()
        row = plan.kept_out[0]

        assert (row.symbol, row.value) == (symbol, value)
        assert plan.value == USUAL.planned.value + value, symbol
        assert stops(plan, symbol) == [("input", rule)]
        assert symbol not in {h.symbol for h in (*plan.holdings, *plan.holdings_after)}
        assert symbol not in {c.symbol for c in plan.candidates}
        assert check(plan.document()).ok, symbol


def test_a_short_or_an_option_without_a_price_refuses_the_plan_and_names_the_way_out():
    for kind, quantity in (("EQUITY", "-3"), ("OPTION", "3")):
        of = with_position(USUAL, "XX", quantity, None, kind)
        with pytest.raises(PlanRefused, match=r"XX: no price(.|\n)*--exclude SYMBOL"):
            of.plan()
        assert of.having(excluded=("XX",)).plan().value == USUAL.planned.value


def test_a_target_of_what_is_not_traded_is_absent_with_its_reason():
    for symbol, quantity, price, kind, _, rule, _ in POSITIONS:
        of = with_position(usual(targets={"AA": 0.2, symbol: 0.1}), symbol, quantity, price, kind)
        absent = of.plan().drift.absent
        why = "short position" if rule == "short" else rule
        assert [(row.symbol, row.target, row.why) for row in absent] == [(symbol, 0.1, why)]
    listed = usual(targets={"AA": 0.2, "OO": 0.1})
    option = Security("OO", "USD", product_type="OPTION")
    plan = listed.having(securities=(*listed.snapshot.securities, option)).plan()
    assert [row.why for row in plan.drift.absent] == ["option"]
    assert plan.kept_out == ()


def test_without_targets_an_option_that_is_listed_is_not_bought():
    of = usual(targets=None)
    quote = replace(of.market.quotes["CC"], symbol="OO")
    listed = (*of.snapshot.securities, Security("OO", "USD", product_type="OPTION"))
    plan = of.having(securities=listed, quotes={**of.market.quotes, "OO": quote}).plan()

    assert "OO" not in {row.symbol for row in plan.candidates}
    assert stops(plan, "OO") == [("input", "option")]


def test_a_withheld_price_keeps_a_security_out_and_refuses_the_plan_where_it_is_held():
    drop = Drop("price_jump", 9.0, 3.0, say("its price is {factor:ratio} times", factor=9.0))

    out = USUAL.having(withheld={"CC": drop}).plan()
    assert stops(out, "CC") == [("input", "price_jump")]
    assert [(row.symbol, row.why) for row in out.drift.absent] == [("CC", "a price in doubt")]
    assert "CC" not in {row.symbol for row in (*out.holdings, *out.candidates)}
    with pytest.raises(PlanRefused, match=r"BB: its price is 9\.00 times"):
        USUAL.having(withheld={"BB": drop}).plan()


def test_a_price_of_a_day_after_the_plan_is_refused_with_both_days():
    quote = replace(USUAL.market.quotes["CC"], on=AS_OF + timedelta(days=1))

    with pytest.raises(PlanRefused, match="CC is of 2024-03-16, after the day of the plan"):
        USUAL.having(quotes={**USUAL.market.quotes, "CC": quote}).plan()


# what was sold out


def test_what_is_sold_out_needs_no_price_and_its_days_hold_back_a_targeted_security():
    sold = Holding("CC", Decimal(0), (), last_sold=AS_OF - timedelta(days=2))
    gone = Holding("ZZ", Decimal(0), (), last_sold=AS_OF - timedelta(days=2))
    of = USUAL.having(holdings=(*USUAL.snapshot.holdings, sold, gone))
    plan = of.plan()

    assert USUAL.planned.step("CC") is not None
    assert plan.step("CC") is None
    assert ("filter", "opposite_days") in stops(plan, "CC")
    assert next(row for row in plan.holdings if row.symbol == "CC").last_sold == sold.last_sold
    assert plan.value == USUAL.planned.value
    assert check(plan.document()).ok


# what a share is worth


def test_a_bond_by_the_hundred_plans_as_the_same_bond_quoted_for_one():
    rules = {
        "costs": Costs(fixed=1.5, percent=0.001, spread_bps=6.0, fx_percent=0.0015),
        "score": Score(tax_rate=0.25),
    }
    orders = (Order("open", "CC", Side.BUY, Decimal(100), Decimal("20")),)
    quoted = with_multipliers(
        usual(cost_prices={"AA": "60", "BB": "55"}, foreign=("BB",), orders=orders, **rules),
        {"AA": Decimal("0.01"), "BB": Decimal(100), "CC": Decimal("0.5")},
    )
    single = world(
        "AA 400 @ 1", "BB 150 @ 5000", "CC 0 @ 10", cash="9000", targets=quoted.targets.weights,
        cost_prices={"AA": "0.6", "BB": "5500"}, foreign=("BB",),
        orders=(replace(orders[0], limit_price=Decimal(10)),), **rules,
    )  # fmt: skip
    ours, theirs = quoted.plan(), single.plan()

    assert ours.value == theirs.value
    assert ours.open_buys == theirs.open_buys == 1000
    assert ours.steps
    for a, b in zip(ours.steps, theirs.steps, strict=True):
        assert (a.symbol, a.side, a.quantity, a.costs) == (b.symbol, b.side, b.quantity, b.costs)
        assert (a.notional, a.notional_base) == (b.notional, b.notional_base)
        assert [lot.gain for lot in a.lots] == [lot.gain for lot in b.lots]
        assert (a.adds.base_per_year, a.adds.how) == (b.adds.base_per_year, b.adds.how)
        assert a.adds.score == pytest.approx(b.adds.score)
        assert a.adds.drift_pp == pytest.approx(b.adds.drift_pp)
    assert ours.costs == theirs.costs
    assert ours.score.plan == pytest.approx(theirs.score.plan)
    assert {h.symbol: h.price for h in ours.holdings} == {"AA": 100, "BB": 50, "CC": 20}
    assert check(ours.document()).ok


def test_a_multiplier_and_a_settling_amount_change_the_hash_of_the_inputs():
    hashes = [
        of.plan().inputs_sha256
        for of in (
            USUAL,
            with_multipliers(USUAL, {"CC": Decimal(2)}),
            with_settling(USUAL, ("USD", "1", 1)),
            with_position(USUAL, "XX", "-1", "10"),
            with_position(USUAL, "XX", "-1", "11"),
        )
    ]

    assert len({*hashes}) == len(hashes)


# money on its way


def test_money_that_leaves_pays_for_nothing_from_today_and_money_that_arrives_as_proceeds_do():
    def buys(amount: str, funding: str = "proceeds") -> Decimal:
        of = world(
            "AA 0 @ 10", cash="1000", targets={"AA": 1.0},
            limits=Limits(
                max_position_weight=1.0, cash_reserve_weight=0.0, funding=funding,
                min_trade_weight=0.0,
            ),
            costs=Costs(fixed=0, percent=0),
        )  # fmt: skip
        plan = with_settling(of, ("USD", amount, 3)).plan()
        assert plan.value == 1000 + Decimal(amount)
        assert check(plan.document()).ok
        return sum((step.notional_base for step in plan.steps), Decimal(0))

    assert buys("-400") == buys("-400", "settled") == 600
    assert buys("500") == 1500
    assert buys("500", "settled") == 1000  # all that is there; the rest of the way waits


def test_money_that_is_to_settle_by_today_is_settled_and_each_later_amount_has_its_rung():
    of = with_settling(
        usual(limits=Limits(settlement_days=2)),
        ("USD", "100", -1), ("USD", "20", 0), ("USD", "-700", 3), ("USD", "5", 3), ("EUR", "8", 10),
    )  # fmt: skip
    plan = of.plan()
    dollars = [rung for rung in plan.cash_ladder if rung.currency == "USD"]
    end = plan.cash_after["USD"]
    settles = AS_OF + timedelta(days=4)  # two weekdays after a Friday

    assert plan.cash == {"USD": 9120}
    assert [(row.currency, row.amount) for row in plan.settling] == [
        ("USD", -700), ("USD", 5), ("EUR", 8),
    ]  # fmt: skip
    assert [(r.date, r.balance, r.kind, r.estimated) for r in dollars] == [
        (AS_OF, 9120, "settled", False),
        (AS_OF, end, "traded", True),
        (AS_OF + timedelta(days=3), 8425, "settled", False),
        (settles, end, "settled", True),
    ]
    euros = [(r.balance, r.kind, r.estimated) for r in plan.cash_ladder if r.currency == "EUR"]
    assert euros == [(0, "settled", False), (8, "settled", False)]
    assert plan.cash_after["EUR"] == 8
    assert check(plan.document()).ok


def test_money_on_its_way_without_a_rate_refuses_the_plan():
    with pytest.raises(PlanRefused, match="cash in GBP: no exchange rate from GBP into USD"):
        with_settling(USUAL, ("GBP", "8", 10)).plan()


# where a price is from


def test_a_price_is_shown_with_its_source_its_day_and_its_unit():
    quote = replace(USUAL.market.quotes["BB"], source="p.csv", unit="GBp")
    plan = USUAL.having(quotes={**USUAL.market.quotes, "BB": quote}).plan()
    shown = {h.symbol: (h.price_source, h.price_on, h.price_unit) for h in plan.holdings}

    assert shown["BB"] == ("p.csv", AS_OF, "GBp")
    assert shown["AA"] == ("", AS_OF, "USD")
    step = plan.step("BB")
    assert (step.price_source, step.price_on, step.price_unit) == shown["BB"]
