"""Forty-two things that went wrong elsewhere, each as a test, or with why it cannot here."""

from __future__ import annotations

import ast
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from builders.trading import (
    CALM,
    FREE,
    SOON,
    Stage,
    document_of,
    on_paper,
    quoting,
    refusing,
    staged,
)
from builders.world import world
from steelyard.brokers.broker import Rejected
from steelyard.execution.attribution.stored import books_of
from steelyard.execution.states import Outcome, RunState
from steelyard.settings import Costs

D = Decimal
HERE = Path(__file__)
TESTS = HERE.parents[1]

SCENARIOS, UNANSWERED = "execution/test_scenarios.py", "execution/test_unanswered.py"
INCIDENTS: dict[int, str | tuple[str, ...]] = {
    1: ("test_an_account_that_reads_as_empty_trades_nothing",),
    2: ("test_no_approved_order_is_lost_or_rounded_on_its_way",),
    3: ("test_a_run_in_which_nothing_was_sent_says_why",),
    4: ("test_credit_is_no_value",),
    5: ("test_no_second_filter_throws_a_sale_away",),
    6: ("test_what_is_held_and_has_no_target_is_sold",),
    7: ("test_two_processes_do_not_trade_one_account",),
    8: ("rebalance/test_calculate.py::test_c04_to_c07_a_drift_of_exactly_the_band_trades",),
    9: ("rebalance/test_calculate.py::test_c12_weights_over_one_are_refused_and_never_rescaled",),
    10: (f"{UNANSWERED}::test_b02_a_status_that_nobody_knows_is_an_order_that_works",),
    11: ("test_all_of_the_equity_with_fees_is_bought_without_a_reject",),
    12: ("test_prices_and_shares_are_whole_ticks_and_lots",),
    13: ("test_a_fill_before_the_first_look_is_not_missed",),
    14: (f"{SCENARIOS}::test_w22_a_step_that_asks_the_same_waits_instead",),
    15: ("test_nothing_replaces_an_order_whose_cancel_is_not_confirmed",),
    16: (f"{SCENARIOS}::test_w21_each_step_sends_what_the_one_before_left",),
    17: ("test_what_is_bought_belongs_to_the_bucket_of_its_plan",),
    18: ("test_nothing_to_do_is_a_success",),
    19: (f"{SCENARIOS}::test_w25_a_rest_that_the_broker_cancels_is_sent_once_more",),
    20: ("test_a_debt_sells_nothing_that_was_not_approved",),
    21: (
        f"{SCENARIOS}::test_w23_w24_a_quote_that_is_none_skips_its_symbol_and_no_other",
    ),
    22: ("test_a_holding_of_seven_digits_is_sold_whole",),
    23: (f"{SCENARIOS}::test_w08_money_that_never_settles_leaves_what_is_visible",),
    24: (
        f"{SCENARIOS}::test_w23_w24_a_quote_that_is_none_skips_its_symbol_and_no_other",
    ),
    25: (
        f"{UNANSWERED}::test_e14_two_prices_that_disagree_stop_the_run",
        "test_no_more_is_sold_than_is_held",
    ),
    26: (f"{UNANSWERED}::test_e02_an_order_that_was_sent_before_a_crash_is_adopted",),
    27: ("test_a_part_of_a_share_that_the_broker_does_not_take_is_dropped_and_the_rest_traded",),
    28: ("rebalance/test_calculate.py::test_c13_a_sum_over_one_by_rounding_is_scaled_down_to_one",),
    29: ("test_no_more_is_sold_than_is_held",),
    30: (f"{SCENARIOS}::test_w15_without_sales_the_buys_go_at_once",),
    31: (
        f"{SCENARIOS}::test_w03_a_rejected_sale_blocks_a_buy_even_where_there_is_money",
    ),
    32: (f"{UNANSWERED}::test_e01_a_plan_is_executed_once",),
    33: ("test_what_was_skipped_is_not_counted_as_turnover",),
    34: ("test_the_same_plan_and_script_give_the_same_run",),
    35: ("execution/test_sessions.py",),
    36: "weights of several strategies are never merged: each has a bucket, planned by itself",
    37: ("test_a_day_trade_reject_parks_its_order_and_no_other",),
    38: ("test_nothing_replaces_an_order_whose_cancel_is_not_confirmed",),
    39: (f"{SCENARIOS}::test_w15_without_sales_the_buys_go_at_once",),
    40: "no figure of a run is of another day: its value is read from the broker as it begins",
    41: (
        f"{SCENARIOS}::test_w20_limits_walk_from_the_midpoint_to_the_far_side",
    ),
    42: ("test_no_name_is_read_from_an_id",),
}  # fmt: skip


def test_every_incident_has_its_test_or_a_reason() -> None:
    assert sorted(INCIDENTS) == [*range(1, 43)]
    for entry in INCIDENTS.values():
        names = (entry,) if isinstance(entry, str) else entry
        for name in names:
            file, _, test = name.partition("::")
            if isinstance(entry, str):
                assert len(name) > 20
            elif ".py" in name:
                assert test in names_in(TESTS / file) or not test
            else:
                assert name in names_in(HERE)


@cache
def names_in(path: Path) -> set[str]:
    """Names of the tests of a file."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def swap(home: Path, **settings: Any) -> Stage:
    """Sell 50 AA, buy 50 BB, without any money."""
    lines = ("AA 100 @ 100", "BB 0 @ 100")
    return staged(home, *lines, **{"targets": {"AA": 0.5, "BB": 0.5}, **settings})


def test_an_account_that_reads_as_empty_trades_nothing(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.instead["account"] = lambda call: replace(call(), positions=())
    assert stage.refused().fault.code == "holdings_changed"
    assert stage.sent == []


def test_no_approved_order_is_lost_or_rounded_on_its_way(tmp_path: Path) -> None:
    lots = dict.fromkeys(("AA", "BB", "CC"), "0.000000001")
    stage = staged(
        tmp_path, "AA 7.227357600 @ 333.33", "BB 0.000000001 @ 0.9", "CC 0 @ 2500", cash="1",
        targets={"CC": 1}, lots=lots, script=replace(CALM, midpoint=0),
    )  # fmt: skip
    with stage.leased() as lease:
        stage.start(lease)
    wished = [(each.symbol, each.side, each.quantity) for each in stage.plan.instructions]
    assert [(leg.symbol, leg.side, leg.quantity) for leg in stage.legs] == wished
    assert D("7.2273576") in {leg.quantity for leg in stage.legs}


def test_a_run_in_which_nothing_was_sent_says_why(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.instead["quotes"] = quoting("AA", "90", "110")
    run = stage.trade()
    assert (stage.sent, run.outcome) == ([], Outcome.DONE_WITH_SKIPS)
    assert "AA: 0 of 50, bid 90, ask 110" in run.reason


def test_credit_is_no_value(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 50 @ 100", cash="5000", targets={"AA": 1})

    def margin(call: Any) -> Any:
        real = call()
        return replace(real, cash=tuple(replace(c, spendable=D(40_000)) for c in real.cash))

    stage.broker.instead["account"] = margin
    with stage.leased() as lease:
        assert stage.start(lease).request.equity_base == 10_000


def test_no_second_filter_throws_a_sale_away(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 0.02 @ 100", "BB 100 @ 100", targets={"BB": 1}, lots={"AA": "0.001"}
    )
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent[0] == "sell AA 0.02"


def test_what_is_held_and_has_no_target_is_sold(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 50 @ 100", "ZZ 50 @ 100", targets={"AA": 1})
    stage.trade()
    assert stage.shares == {"AA": "100"}


def test_two_processes_do_not_trade_one_account(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    with stage.leased():
        assert stage.refused().fault.code == "account_busy"
    assert stage.sent == []


@pytest.mark.parametrize("fixed", [0, 2])
def test_all_of_the_equity_with_fees_is_bought_without_a_reject(tmp_path: Path, fixed: int) -> None:
    names = "ABCDE"
    stage = staged(
        tmp_path, *(f"{n}{n} 0 @ 7.31" for n in names), cash="10000",
        targets={f"{n}{n}": 0.2 for n in names}, costs=Costs(fixed=fixed, percent=0.002),
        script=replace(SOON, midpoint=0, spread_bps=30, wobble_bps=2),
    )  # fmt: skip
    run = stage.trade()
    assert not any(leg.state == "REJECTED" for leg in stage.legs)
    assert run.outcome in {Outcome.DONE, Outcome.DONE_WITH_SKIPS, Outcome.PARTIAL}
    assert 0 <= stage.cash < 100


def test_prices_and_shares_are_whole_ticks_and_lots(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 0 @ 142.135", "BB 100 @ 0.4712", "CC 100 @ 33.335", cash="2000",
        targets={"AA": 0.5}, lots={"AA": "0.001"},
        script=replace(SOON, midpoint=0, wobble_bps=20),
    )  # fmt: skip
    stage.trade()
    assert {t.symbol for t in stage.broker.tickets} == {"AA", "BB", "CC"}
    for ticket in stage.broker.tickets:
        assert ticket.limit_price % (D("0.01") if ticket.limit_price >= 1 else D("0.0001")) == 0
        assert ticket.quantity % D("0.001") == 0


def test_a_fill_before_the_first_look_is_not_missed(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=CALM)
    assert stage.trade().outcome is Outcome.DONE
    assert [fill.quantity for fill in stage.fills] == [50, 50]


def test_nothing_replaces_an_order_whose_cancel_is_not_confirmed(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=replace(SOON, spread_bps=40))
    stage.broker.fills_of("AA", [(1, "10")])
    stage.broker.instead["cancel"] = lambda call, name: None
    run = stage.trade()
    assert stage.sent == ["sell AA 50"]
    assert (run.state, stage.state("AA")) == (RunState.NEEDS_HUMAN, "CANCELLING")
    assert len(stage.broker.cancels) > 2
    del stage.broker.instead["cancel"]
    run = stage.recover()
    assert (run.state, run.outcome) == (RunState.ABORTED, Outcome.PARTIAL)
    assert stage.shares == {"AA": "90"}


def test_what_is_bought_belongs_to_the_bucket_of_its_plan(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.trade()
    books = books_of(stage.journal, "core").positions
    assert books == {"AA": {stage.plan.bucket: 50}, "BB": {stage.plan.bucket: 50}}


def test_nothing_to_do_is_a_success(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 50 @ 100", "BB 50 @ 100", targets={"AA": 0.5, "BB": 0.5})
    run = stage.trade()
    assert (run.state, run.outcome, run.reason) == (RunState.DONE, Outcome.DONE, "")
    assert (stage.sent, stage.alerts()) == ([], [])


def test_a_debt_sells_nothing_that_was_not_approved(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 60 @ 100", "BB 50 @ 100", cash="-500", targets={"AA": 0.5, "BB": 0.5}
    )
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent == ["sell AA 7", "buy BB 2"]
    assert stage.cash == 0


@pytest.mark.parametrize("parts", [1, 3])
def test_a_holding_of_seven_digits_is_sold_whole(tmp_path: Path, parts: int) -> None:
    script = replace(SOON, partial=1, parts=parts, part_gap_s=(20, 20), spread_bps=20)
    stage = staged(tmp_path, "AA 7.2273576 @ 100", "BB 0 @ 100", targets={"BB": 1}, script=script)
    run = stage.trade()
    assert stage.shares == {"BB": "7"}
    assert "sell AA 7.2273576" in stage.sent
    assert run.outcome in {Outcome.DONE, Outcome.DONE_WITH_SKIPS}


@pytest.mark.parametrize("held", ["9", "9.999999", "0"])
def test_no_more_is_sold_than_is_held(tmp_path: Path, held: str) -> None:
    opening = {"positions": {"AA": D(held), "BB": D(90)}}
    stage = staged(tmp_path, "AA 10 @ 100", "BB 90 @ 100", targets={"BB": 1}, opening=opening)
    assert stage.refused().fault.code == "holdings_changed"
    assert stage.sent == []


def test_a_part_of_a_share_that_the_broker_does_not_take_is_dropped_and_the_rest_traded(
    tmp_path: Path,
) -> None:
    stage = staged(
        tmp_path, "AA 10.5 @ 100", "BB 0 @ 100", cash="0", targets={"AA": 0.285, "BB": 0.7},
        lots={"AA": "0.1", "BB": "0.1"},
    )  # fmt: skip

    def whole(call: Any, symbols: Any) -> Any:
        return {s: replace(asset, lot_size=D(1)) for s, asset in call(symbols).items()}

    stage.broker.instead["assets"] = whole
    run = stage.trade()
    assert stage.sent == ["sell AA 7", "buy BB 7"]
    assert run.outcome in {Outcome.DONE_WITH_SKIPS, Outcome.PARTIAL}
    assert "whole lots" in run.reason


def test_what_was_skipped_is_not_counted_as_turnover(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 50 @ 100", "BB 50 @ 100", targets={"AA": 0, "BB": 0})
    stage = stage.with_limits(max_turnover_weight=D("0.6"))
    stage.broker.instead["quotes"] = quoting("AA", "90", "110")
    stage.trade()
    assert stage.sent == ["sell BB 50"]
    assert stage.state("BB") == "FILLED"


def test_the_same_plan_and_script_give_the_same_run(tmp_path: Path) -> None:
    script = replace(SOON, fill_after_s=(1, 20), partial=1, midpoint=0.5, wobble_bps=5)
    stages = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        stages.append(swap(tmp_path / name, script=script))
        stages[-1].trade()
    first, second = ((s.sent, s.prices, s.shares, s.cash, s.fills, s.legs) for s in stages)
    assert first == second


@pytest.mark.parametrize("code", ["DAY_TRADE", "INTRADAY_MARGIN", "SHORTABLE"])
def test_a_day_trade_reject_parks_its_order_and_no_other(tmp_path: Path, code: str) -> None:
    stage = staged(tmp_path, "AA 3 @ 100", "BB 97 @ 100", targets={"AA": 0, "BB": 0})
    no = Rejected(code, "pattern day trader protection")
    real = refusing("AA")
    stage.broker.instead["submit"] = lambda call, ticket: (
        no if isinstance(real(lambda t: None, ticket), Rejected) else call(ticket)
    )
    run = stage.trade()
    assert sorted(stage.sent) == ["sell AA 3", "sell BB 97"]
    assert stage.state("AA") == "REJECTED"
    assert stage.reason("AA") == f"{code}: pattern day trader protection"
    assert run.outcome is Outcome.PARTIAL


def test_no_name_is_read_from_an_id(tmp_path: Path) -> None:
    bucket = "core-us-60-40"
    of = world("AA 0 @ 100", cash="1000", targets={"AA": 1}, sessions=40, **FREE)
    stage = on_paper(tmp_path, document_of(of.having(bucket=bucket)))
    stage.trade()
    (ticket,) = stage.broker.tickets
    assert ticket.client_order_id.isalnum()
    assert len(ticket.client_order_id) == 32
    assert books_of(stage.journal, "core").positions == {"AA": {bucket: 10}}


def test_an_account_that_the_broker_names_otherwise_is_not_traded(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.instead["account"] = lambda call: replace(call(), account_id="another")
    assert stage.refused().fault.code == "other_account"
    assert stage.sent == []
