"""The workflow, a test for each scenario: what is held, wished and met -> what is sent and becomes.

Numbers are those of the table of scenarios; prices are 100 where nothing is said.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from builders.trading import (
    CALM,
    SOON,
    Stage,
    cancelling,
    foreign,
    from_call,
    quoting,
    refusing,
    staged,
)
from steelyard.execution.states import Outcome, RunState
from steelyard.orders import Side

D = Decimal
SWAP = ("AA 100 @ 100", "BB 0 @ 100")
HALF = {"AA": 0.5, "BB": 0.5}
"""Sell 50 AA, buy 50 BB, without any money."""


def swap(home: Path, **settings: object) -> Stage:
    return staged(home, *SWAP, **{"targets": HALF, **settings})


def test_w01_a_buy_is_sent_after_the_sale_is_over_and_its_money_is_seen(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=replace(SOON, power_lag_s=3))
    power: list[tuple[str, Decimal]] = []

    def asked(call, ticket):
        money = stage.broker.account().balance("USD")
        power.append((stage.state("AA"), money.spendable))
        return call(ticket)

    stage.broker.instead["submit"] = asked
    run = stage.trade()
    assert (run.state, run.outcome) == (RunState.DONE, Outcome.DONE)
    assert stage.sent == ["sell AA 50", "buy BB 50"]
    assert power == [("SUBMITTING", 0), ("FILLED", 5000)]
    assert stage.shares == {"AA": "50", "BB": "50"}


def test_w02_a_sale_that_brings_less_makes_the_buys_smaller(tmp_path: Path) -> None:
    # nothing is filled but at the far side: 99.55 for what is sold, 100.45 for what is bought
    stage = swap(tmp_path, script=replace(SOON, midpoint=0, spread_bps=90))
    run = stage.trade()
    assert run.outcome is Outcome.DONE_WITH_SKIPS
    assert stage.shares == {"AA": "50", "BB": "49"}
    assert stage.cash == D("55.45")  # 50 x 99.55 less 49 x 100.45
    assert "BB: 49 of 50, money: 4977.50 USD may be spent" in run.reason


def test_w03_a_rejected_sale_of_all_the_money_leaves_no_buy(tmp_path: Path) -> None:
    run = (stage := swap(tmp_path, script=replace(CALM, rejects=1))).trade()
    assert (run.state, run.outcome) == (RunState.DONE, Outcome.FAILED)
    assert stage.sent == ["sell AA 50"]
    assert stage.state("AA") == "REJECTED"
    assert "rejected by the exchange" in run.reason


def test_w03_a_rejected_sale_blocks_a_buy_even_where_there_is_money(tmp_path: Path) -> None:
    lines = ("AA 60 @ 100", "BB 0 @ 100")
    stage = staged(tmp_path, *lines, cash="4000", targets={"BB": 0.9})
    stage.broker.instead["submit"] = refusing("AA")
    run = stage.trade()
    assert stage.sent == ["sell AA 60"]
    assert stage.state("BB") == "BLOCKED"
    assert "not brought by sells" in stage.reason("BB")
    assert run.outcome is Outcome.FAILED


def test_w04_a_small_failed_sale_leaves_the_buys_what_really_came(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 97 @ 100", "CC 3 @ 100", "BB 0 @ 100", targets={"BB": 1.0})
    stage.broker.instead["submit"] = refusing("CC")
    run = stage.trade()
    assert stage.shares == {"BB": "97", "CC": "3"}
    assert run.outcome is Outcome.PARTIAL


def test_w05_a_slow_sale_is_cancelled_and_its_fills_pay_for_the_buys(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON, working={"walk": (D(1),), "far_side_tries": 1})
    stage.broker.fills_of("AA", [(2, "20")])
    run = stage.trade()
    assert stage.sent == ["sell AA 50", "buy BB 19"]  # a share is asked at 100.01
    assert stage.state("AA") == "CANCELLED"
    assert stage.shares == {"AA": "80", "BB": "19"}
    assert (run.state, run.outcome) == (RunState.DONE, Outcome.PARTIAL)


def test_w06_a_fill_that_overtakes_the_cancel_is_not_sold_again(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON)
    # 20 within the first step of 10 s, 10 more while its cancel is on its way
    stage.broker.fills_of("AA", [(2, "20"), (20.5, "10")])
    stage.trade()
    assert stage.sent == ["sell AA 50", "sell AA 20", "buy BB 50"]
    assert stage.shares == {"AA": "50", "BB": "50"}


def test_w07_money_that_is_late_is_waited_for(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=replace(SOON, power_lag_s=6))
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent == ["sell AA 50", "buy BB 50"]


def test_w08_money_that_never_settles_leaves_what_is_visible(tmp_path: Path) -> None:
    script = replace(SOON, settled_only=True, settlement_days=1)
    stage = staged(
        tmp_path, "AA 100 @ 100", "BB 0 @ 100", cash="2000", targets={"BB": 0.5, "AA": 0.5},
        script=script,
    )  # fmt: skip
    began = stage.broker.clock().now
    run = stage.trade()
    assert stage.sent == ["sell AA 40", "buy BB 20"]
    assert (run.state, run.outcome) == (RunState.DONE, Outcome.DONE_WITH_SKIPS)
    assert "unsettled: 2000.00 USD may be spent, 4000.00 is unsettled until" in run.reason
    assert 60 <= (stage.broker.clock().now - began).total_seconds() < 90


def test_w09_buys_are_shrunk_by_one_factor(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 20 @ 100", "BB 0 @ 1", "CC 0 @ 1", "DD 0 @ 1", cash="6000",
        targets={"BB": 0.5, "CC": 0.375, "DD": 0.125},
    )  # fmt: skip
    stage.broker.instead["submit"] = refusing("AA")
    stage = stage.with_limits(sell_fail_block_base=D(5000))
    stage.trade()
    assert stage.sent[1:] == ["buy BB 3000", "buy CC 2250", "buy DD 750"]


def test_w10_a_buy_that_becomes_too_small_hands_its_share_on(tmp_path: Path) -> None:
    lines = ("AA 58 @ 100", "BB 0 @ 1", "CC 0 @ 1")
    stage = staged(tmp_path, *lines, cash="200", targets={"BB": 0.98, "CC": 0.02})
    stage.broker.instead["submit"] = refusing("AA")
    stage = stage.with_limits(sell_fail_block_base=D(10_000))
    stage.trade()
    assert stage.sent[1:] == ["buy BB 200"]  # 120 of CC would be 4
    assert "nothing of it is bought" in stage.reason("CC")


@pytest.mark.parametrize(("cash", "bought"), [("9.99", []), ("10.00", ["buy BB 10"])])
def test_w11_under_the_least_money_nothing_is_bought(
    tmp_path: Path, cash: str, bought: list[str]
) -> None:
    stage = staged(tmp_path, "AA 100 @ 100", "BB 0 @ 1", cash=cash, targets={"BB": 0.5, "AA": 0.5})
    stage.broker.instead["submit"] = refusing("AA")
    stage = stage.with_limits(sell_fail_block_base=D(10_000))
    stage.trade()
    assert stage.sent[1:] == bought
    assert bought or "may be spent; nothing of it is bought" in stage.reason("BB")


def test_w12_a_buy_is_what_the_target_lacks_and_no_more(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 30 @ 100", "BB 30 @ 100", cash="4000", targets={"AA": 0.5, "BB": 0.3}
    )
    stage.trade()
    assert stage.sent == ["buy AA 20"]


def test_w13_credit_is_not_spent(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 40 @ 100", "BB 0 @ 100", cash="1000", targets={"AA": 0.5, "BB": 0.5}
    )

    def generous(call):
        real = call()
        return replace(real, cash=tuple(replace(c, spendable=c.amount * 4) for c in real.cash))

    stage.broker.instead["account"] = generous
    stage.broker.instead["submit"] = refusing("AA")
    stage = stage.with_limits(sell_fail_block_base=D(10_000))
    stage.trade()
    assert sum(t.quantity * t.limit_price for t in stage.broker.tickets if t.side == "buy") <= 1000


def test_w15_without_sales_the_buys_go_at_once(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 0 @ 100", cash="5000", targets={"AA": 1.0})
    began = stage.broker.clock().now
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent == ["buy AA 50"]
    assert stage.broker.clock().now == began


def test_w16_only_sales_end_without_buys(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 50 @ 100", targets={"AA": 0.5})
    run = stage.trade()
    assert (run.state, run.outcome, stage.sent) == (RunState.DONE, Outcome.DONE, ["sell AA 25"])


def test_w18_an_order_of_somebody_else_blocks_its_symbol_alone(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 10 @ 100", "BB 10 @ 100", "CC 0 @ 100", targets={"AA": 0, "BB": 0, "CC": 1}
    )
    foreign(stage, Side.SELL, "AA", "5")
    run = stage.trade()
    assert stage.state("AA") == "BLOCKED"
    assert "is not ours" in stage.reason("AA")
    assert "sell BB 10" in stage.sent
    assert "sell AA 10" not in stage.sent
    assert run.outcome in {Outcome.PARTIAL, Outcome.DONE_WITH_SKIPS}


def test_w19_a_partial_fill_at_the_end_is_not_a_filled_order(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON, working={"walk": (D(1),), "far_side_tries": 1})
    stage.broker.fills_of("AA", [(1, "49")])
    run = stage.trade()
    assert (run.outcome, stage.state("AA")) == (Outcome.PARTIAL, "CANCELLED")
    assert run.reason.startswith("AA: 49 of 50")


@pytest.mark.parametrize(
    ("side", "limits"),
    [
        ("sell", ["150", "149.75", "149.55", "149.5"]),
        ("buy", ["150", "150.25", "150.45", "150.5"]),
    ],
)
def test_w20_limits_walk_from_the_midpoint_to_the_far_side(
    tmp_path: Path, side: str, limits: list[str]
) -> None:
    held, target = (100, 0.5) if side == "sell" else (50, 1.0)
    cash = "0" if side == "sell" else "8000"
    stage = staged(
        tmp_path, f"AA {held} @ 150", cash=cash, targets={"AA": target},
        script=replace(SOON, spread_bps=66.6), working={"far_side_tries": 1},
    )  # fmt: skip
    stage.broker.fills_of("AA", [], [], [], [])
    stage.trade()
    assert stage.prices == limits


def test_w21_each_step_sends_what_the_one_before_left(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 100 @ 100", targets={"AA": 0}, script=replace(SOON, spread_bps=40))
    stage.broker.fills_of("AA", [(1, "30")])
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent == ["sell AA 100", "sell AA 70"]
    assert stage.prices == ["100", "99.9"]
    value = sum(fill.value for fill in stage.fills)
    assert (value, stage.cash) == (30 * 100 + 70 * D("99.9"), value)


def test_w22_a_step_that_asks_the_same_waits_instead(tmp_path: Path) -> None:
    # bid 99.99, ask 100.01: three of the four parts of the spread are two prices
    stage = staged(tmp_path, "AA 100 @ 100", targets={"AA": 0}, script=SOON)
    stage.broker.fills_of("AA", [(15, "100")])
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent == ["sell AA 100"]


@pytest.mark.parametrize(
    ("bid", "ask"),
    [("107", "0"), ("0", "107"), ("94", "106"), ("NaN", "1"), ("99", "Infinity"), ("sNaN", "NaN")],
)
def test_w23_w24_a_quote_that_is_none_skips_its_symbol_and_no_other(
    tmp_path: Path, bid: str, ask: str
) -> None:
    stage = staged(
        tmp_path, "AA 50 @ 100", "BB 50 @ 100", "CC 0 @ 100", cash="1000",
        targets={"AA": 0, "BB": 0, "CC": 1},
    )  # fmt: skip
    stage.broker.instead["quotes"] = quoting("AA", bid, ask)
    run = stage.trade()
    assert stage.state("AA") == "BLOCKED"
    assert "sell BB 50" in stage.sent
    assert not any("AA" in each for each in stage.sent)
    assert run.state is RunState.DONE


def test_w25_a_rest_that_the_broker_cancels_is_sent_once_more(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 100 @ 100", targets={"AA": 0}, script=SOON)
    stage.broker.fills_of("AA", [(1, "60")])
    stage.broker.instead["wait"] = from_call(2, cancelling(stage), until=2)
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent == ["sell AA 100", "sell AA 40"]
    assert stage.broker.cancels == []


ELSEWHERE: dict[str, str] = {
    "w14": "there is no leverage to set: a plan never owes, and credit is not spent (w13)",
    "w17": "rebalance/test_calculate.py::test_what_is_short_is_blocked_and_the_rest_goes_on",
    "e06": "brokers/alpaca/test_web.py",
    "e16": "a run is of one plan of one bucket: where none could be made, none is executed",
    "f01": "rebalance/test_shadow.py",
    "f06": "rebalance/test_planned.py::"
    "test_engines_are_switched_back_and_forth_and_each_makes_its_own_plan_again",
    "b03": "a ticket has a quantity and no amount",
    "b04": "a ticket has no time in force: every order is good for the day",
    "b08": "brokers/alpaca/test_replies.py::"
    "test_an_order_that_was_replaced_is_the_one_that_replaced_it",
}
"""Scenarios that another test is of, or that cannot be, with the reason."""
IDS = [
    *(f"w{n:02}" for n in range(1, 26)), *(f"e{n:02}" for n in range(1, 22)),
    "f01", "f05", "f06", "b02", "b03", "b04", "b05", "b06", "b08", "b09",
]  # fmt: skip


def test_every_scenario_has_its_test_or_a_reason() -> None:
    folder = Path(__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("test_*.py")))
    tests = {name: re.search(rf"def test_(\w\d\d_)*{name}_", text) for name in IDS}
    assert {name for name in IDS if not tests[name]} == ELSEWHERE.keys()
    for place in ELSEWHERE.values():
        file, _, test = place.partition("::")
        if file.endswith(".py"):
            assert f"def {test}" in (folder.parent / file).read_text(encoding="utf-8")
