"""What everything is worth: what refuses a plan, what is only left out of it, and what is said."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from builders.changes import GOALS, HELD, USUAL, exact, stops, usual
from builders.world import AS_OF, World, world
from steelyard.errors import PlanRefused
from steelyard.market import Quote
from steelyard.money import FxRate, FxTable
from steelyard.orders import Order, Side
from steelyard.plans.verify import check
from steelyard.portfolio import Holding


def with_quote(of: World, symbol: str, age: int) -> World:
    """The newest price of a symbol is that many sessions old."""
    day = of.market.dates[-1 - age].astype(object)
    quote = Quote(symbol, of.market.quotes[symbol].price, day)
    return replace(of, market=replace(of.market, quotes={**of.market.quotes, symbol: quote}))


def without_quote(of: World, *symbols: str) -> World:
    quotes = {s: quote for s, quote in of.market.quotes.items() if s not in symbols}
    return replace(of, market=replace(of.market, quotes=quotes))


def with_old_rate(of: World) -> World:
    old = FxRate("EUR", Decimal("1.25"), of.market.dates[-7].astype(object))
    return replace(of, market=replace(of.market, fx=FxTable("USD", {"EUR": (old,)})))


def refused(of: World, match: str) -> None:
    with pytest.raises(PlanRefused, match=match):
        of.plan()


def test_a_held_security_without_a_price_refuses_the_plan_and_every_reason_is_told_at_once():
    what_to_do = r"nothing was planned:\n  AA: no price.*\n.*--exclude SYMBOL"

    refused(without_quote(USUAL, "AA"), what_to_do)
    refused(without_quote(USUAL, "AA", "BB"), r"AA: no price.*\n *BB: no price")


def test_closes_of_weeks_or_months_are_refused_since_they_would_be_taken_for_those_of_days():
    for days in (7, 30):
        dates = np.datetime64(AS_OF) - days * np.arange(len(USUAL.market.dates))[::-1]
        sparse = replace(USUAL, market=replace(USUAL.market, dates=dates))
        refused(sparse, f"{days} days apart.*Nothing was planned: give daily closes")


def test_a_few_quotes_far_apart_are_no_history_and_no_reason_to_refuse():
    daily = usual(sessions=12)
    dates = np.datetime64(AS_OF) - 30 * np.arange(12)[::-1]

    assert replace(daily, market=replace(daily.market, dates=dates)).plan().verdict.action == "act"


def test_a_held_price_may_be_five_weekdays_old_and_not_six():
    assert with_quote(USUAL, "AA", 0).plan().value > 0
    assert with_quote(USUAL, "AA", 5).plan().value > 0
    too_old = "and 6 weekdays old; at most 5 are allowed"
    refused(with_quote(USUAL, "AA", 6), too_old)


def test_a_held_foreign_security_without_a_rate_refuses_the_plan():
    foreign = usual(foreign=("BB",))

    without_rate = replace(foreign, market=replace(foreign.market, fx=FxTable("USD")))
    refused(without_rate, "BB: no exchange rate from EUR into USD")


def test_an_old_rate_is_no_rate_and_its_date_age_and_limit_are_told():
    old = (
        r"from EUR into USD is of 2024-03-07 and 6 weekdays old; at most 5 are "
        r"allowed \(limits.max_stale_sessions\)"
    )

    refused(with_old_rate(usual(foreign=("BB",))), f"BB: the newest exchange rate {old}")
    euros = with_old_rate(usual(cash={"USD": "9000", "EUR": "1"}))
    refused(euros, f"cash in EUR: the newest exchange rate {old}")


def test_cash_of_a_currency_without_a_rate_refuses_the_plan_but_an_empty_balance_does_not():
    pound = "cash in GBP: no exchange rate from GBP into USD"

    refused(usual(cash={"USD": "9000", "GBP": "1"}), pound)
    assert usual(cash={"USD": "9000", "GBP": "0"}).plan().value == USUAL.planned.value


def test_a_portfolio_that_owes_more_than_it_owns_is_refused_with_the_amount():
    refused(world("AA 40 @ 100", cash="-5000"), r"worth -1,000\.00 USD")


def test_an_open_buy_without_a_price_refuses_the_plan():
    order = Order("o-1", "XX", Side.BUY, Decimal(1), None)

    refused(usual(orders=(order,)), "open buy o-1 of XX cannot be valued")


def test_a_portfolio_worth_nothing_is_a_hold_with_a_warning():
    empty = [world()]
    for targets in (None, {"AA": 0.5, "BB": 0.5}, {}):
        empty.append(world("AA 0 @ 10", "BB 0 @ 5", targets=targets))
        empty.append(world("AA 40 @ 100", "BB 0 @ 5", cash="-4000", targets=targets))

    for of in empty:
        plan = of.plan()
        assert plan.verdict.action == "hold", of
        assert plan.candidates == (), of
        assert "no_value" in {notice.code for notice in plan.warnings}, of
        assert all(row.weight == 0 for row in plan.holdings_after), of


# what is left out


def test_a_targeted_security_without_a_price_is_not_traded_and_the_rest_goes_on():
    plan = without_quote(USUAL, "CC").plan()

    assert stops(plan, "CC") == [("input", "no_price")]
    assert plan.steps
    furthest = "CC stays furthest from its target, 30.0\u00a0pp under it: no price."
    assert furthest in plan.verdict.detail
    assert check(plan.document()).ok


def test_what_is_stale_and_not_held_is_untradable_and_says_by_how_much():
    price = with_quote(USUAL, "CC", 6).plan()
    rate = with_old_rate(usual(foreign=("CC",))).plan()

    for plan, rule in ((price, "stale_price"), (rate, "stale_rate")):
        row = next(row for row in plan.not_traded if row.symbol == "CC")
        stop = (row.stage, row.rule, row.value, row.limit, row.margin)
        assert stop == ("input", rule, 6, 5, 1)
        assert plan.step("CC") is None
    assert "7 Mar 2024" in row.reason.replace("\u00a0", " ")
    absent = [(row.symbol, row.target, row.why) for row in rate.drift.absent]
    assert absent == [("CC", 0.3, "old exchange rate")]


def test_a_stale_or_unpriced_security_changes_no_figure_of_the_rest():
    for targets in (GOALS, None):
        wide = world(*HELD, "DD 0 @ 30", cash="9000", targets=targets)
        narrow = usual(targets=targets).plan()
        for changed in (with_quote(wide, "DD", 6), without_quote(wide, "DD")):
            assert changed.plan().steps == narrow.steps
            assert changed.plan().score == narrow.score


def test_an_excluded_holding_is_left_out_of_the_value_and_named():
    plan = replace(USUAL, snapshot=replace(USUAL.snapshot, excluded=("BB",))).plan()

    assert plan.excluded == ("BB",)
    assert plan.value == USUAL.planned.value - 7500
    assert "BB" not in {row.symbol for row in plan.holdings}


def test_a_holding_of_no_shares_is_not_held():
    of = usual(targets=None)
    holdings = (*of.snapshot.holdings, Holding("DD", Decimal(0), ()))
    empty = replace(of, snapshot=replace(of.snapshot, holdings=holdings))

    assert exact(empty.plan()) == exact(of.plan())


# what is said


def untradable(plan) -> list[str]:
    return [notice.message for notice in plan.warnings if notice.code == "untradable_target"]


def test_a_target_that_cannot_be_bought_is_a_warning_with_the_symbol_it_may_be_a_slip_of():
    plan = world("NVDA 400 @ 100", cash="9000", targets={"NVDA": 0.5, "NVDIA": 0.04}).plan()

    slip = "The target of NVDIA, 4.0 % of value, cannot be bought: no price. Did you mean NVDA?"
    assert untradable(plan) == [slip]
    reasons = [row.reason for row in plan.not_traded if row.symbol == "NVDIA"]
    assert reasons == ["No price; it is not traded."]


def test_many_targets_that_cannot_be_bought_share_a_warning_after_the_largest():
    slips = {f"X{i}": 0.01 + i / 1000 for i in range(8)}

    lines = untradable(usual(targets={**GOALS, **slips}).plan())

    assert [line.split()[3] for line in lines[:5]] == ["X7,", "X6,", "X5,", "X4,", "X3,"]
    rest = "3 more targets, 3.3 % of value together, cannot be bought; each stands under what is"
    assert lines[5:] == [f"{rest} not traded."]


# money that open buys may take


def test_an_open_buy_takes_its_money_at_its_limit_or_at_the_price_as_far_as_it_is_open():
    def promised(shares, price, filled=0):
        order = Order("o", "CC", Side.BUY, Decimal(shares), price, filled_quantity=Decimal(filled))
        return usual(orders=(order,)).plan().open_buys

    assert promised(125, Decimal(60)) == promised(375, None) == 7500
    assert promised(200, Decimal(20), filled=100) == 2000
