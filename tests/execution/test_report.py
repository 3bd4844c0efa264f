"""A run's report, from the journal: planned against filled, slippage, drift, cash, reasons."""

from __future__ import annotations

from decimal import Decimal

import pytest

from builders.accounts import activity
from builders.plans import euro, growth
from builders.run import HALF, RUN, STOPPED, Fate, Script, ran
from steelyard.errors import NotStored
from steelyard.execution.listing import listing
from steelyard.execution.report import run_report
from steelyard.execution.results import RunReport
from steelyard.execution.states import Outcome, RunState
from steelyard.report.exhibits.run import explained

CUT = Script({4: HALF, 5: STOPPED}, outcome=Outcome.PARTIAL, reason="two orders are short")
WHOLE = Script()
BLOCK = {"rail": "spread", "code": "spread", "why": "1.4 % is above 1 %"}


def of(folder, plan, script=WHOLE) -> RunReport:
    return run_report(ran(folder, plan, script), RUN)


def test_planned_and_filled_stand_side_by_side_with_the_reason_of_what_is_missing(tmp_path):
    report = of(tmp_path, growth(), CUT)
    steps = {step.symbol: step for step in report.steps}

    assert (steps["QUAL"].planned, steps["QUAL"].filled) == (48, 24)
    assert (steps["JPM"].planned, steps["JPM"].filled, steps["JPM"].attempts) == (37, 0, 0)
    missing = [step for step in report.steps if not step.is_whole]
    assert [step.symbol for step in missing] == ["QUAL", "JPM"]
    assert [step.reason for step in missing] == [HALF.reason, STOPPED.reason]
    assert len(report.filled) == 10


def test_slippage_is_a_cost_above_0_on_both_sides_of_the_market(tmp_path):
    report = of(tmp_path, growth())
    sale, buy = report.steps[0], report.steps[2]

    # the middle is a cent above the plan's price, and each fill two cents worse than it
    assert sale.on_plan == 249 * Decimal("125.674") - Decimal("31290.34")
    assert buy.on_plan == Decimal("6790.48") - 39 * Decimal("174.085")
    assert buy.on_midpoint == Decimal("6790.48") - 39 * Decimal("174.095")
    assert sale.bps == pytest.approx(0.01 / 125.674, rel=0.05)
    assert report.slippage_base == sum(step.on_plan for step in report.steps)


def test_a_fill_better_than_planned_is_slippage_below_0(tmp_path):
    better = Script({1: Fate(((Decimal(1), -30),))})

    assert of(tmp_path, growth(), better).steps[0].on_plan < 0


def test_money_of_another_currency_is_in_base_at_the_plans_rates(tmp_path):
    report = of(tmp_path, euro())
    rate = next(row.fx_rate for row in euro().holdings if row.currency == "USD")

    assert report.base_currency == "EUR"
    assert report.fees_base == 11 * Decimal("1.05") * rate
    assert report.sold_base == sum(
        step.value * rate for step in report.steps if step.side.value == "sell"
    )
    assert {row.currency for row in report.cash} == {"EUR", "USD"}


def test_weights_after_a_whole_run_are_those_that_were_planned(tmp_path):
    report = of(tmp_path, growth())

    for row in report.weights:
        assert row.after == pytest.approx(row.planned, abs=2e-4)
    assert report.drift is not None
    assert report.drift[1] == pytest.approx(growth().drift.after, abs=5e-4)


def test_what_did_not_fill_is_residual_drift_against_the_band(tmp_path):
    report = of(tmp_path, growth(), CUT)
    rows = {row.symbol: row for row in report.weights}

    assert rows["JPM"].inside is False
    assert rows["JPM"].after - rows["JPM"].target == pytest.approx(-0.028, abs=1e-3)
    assert rows["KO"].inside is True


def test_cash_before_and_after_is_the_brokers_and_adds_up(tmp_path):
    (row,) = of(tmp_path, growth(), CUT).cash

    assert row.before == 10374
    assert row.after == row.before + row.sold - row.bought - row.fees
    assert row.other == 0


def test_a_broker_that_differs_is_told_with_every_line(tmp_path):
    report = of(tmp_path, growth(), Script(off_cash=Decimal("-12.34")))

    assert report.compared is not None
    assert not report.compared.clean
    assert report.compared.breaks == ("8950.6 USD are expected, the broker has 8938.26",)
    assert report.cash[0].other == Decimal("-12.34")


def test_what_changed_cash_without_an_order_is_told(tmp_path):
    paid = activity("d", "DIVIDEND", {"USD": "12.34"}, "KO")

    report = of(tmp_path, growth(), Script(off_cash=Decimal("12.34"), activities=[paid]))

    assert report.compared is not None
    assert report.compared.clean
    assert report.compared.explained == (paid,)
    assert explained(paid) == "Dividend of KO: +12.34\u00a0USD."
    assert report.cash[0].other == Decimal("12.34")
    assert [line.income for line in report.books] == [Decimal("12.34")]


def test_rails_that_stopped_something_are_told_once_with_how_often(tmp_path):
    (blocked,) = of(tmp_path, growth(), Script(blocks=[BLOCK])).blocks

    assert (blocked.rail, blocked.why, blocked.count) == ("spread", BLOCK["why"], 2)


def test_a_run_that_goes_on_has_a_report_too(tmp_path):
    report = of(tmp_path, growth(), Script(state=RunState.HALTED, reason="kill switch"))

    assert (report.outcome, report.ended_at) == (None, None)
    assert report.cash[0].after is None
    assert report.cash[0].other is None


def test_books_are_worth_what_the_bucket_holds_and_realise_what_it_sold(tmp_path):
    (line,) = of(tmp_path, growth()).books

    assert line.book == "core"
    assert line.incomplete == ()
    assert line.realised > 0


def test_a_sale_of_what_the_book_did_not_have_is_told(tmp_path):
    report = of(tmp_path, growth(), Script({1: Fate(((Decimal(2), 2),))}))

    assert report.unmatched[0].startswith("core sold 78 AAPL that it did not have")


def test_an_unknown_run_is_told_with_the_nearest(tmp_path):
    with pytest.raises(NotStored, match=f"Did you mean {RUN}"):
        run_report(ran(tmp_path, growth(), Script()), RUN[:-1] + "b")


def test_runs_are_listed_with_an_order_for_each_that_was_sent_or_never_sent(tmp_path):
    (run,) = listing(ran(tmp_path, growth(), CUT))

    assert (run["run_id"], run["bucket"], run["mode"]) == (RUN, "core", "paper")
    assert (run["state"], run["outcome"]) == ("DONE", "partial")
    orders = {order["symbol"]: order for order in run["orders"]}
    assert len(run["orders"]) == 11
    assert orders["QUAL"]["filled_quantity"] == "24"
    assert orders["QUAL"]["average_price"] == "111.913"
    assert (orders["JPM"]["sent"], orders["JPM"]["average_price"]) == (False, None)
    assert orders["JPM"]["reason"] == STOPPED.reason
