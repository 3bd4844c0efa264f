"""Fees, reserves, currencies, deposits and withdrawals: what the buys of a run may take."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
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
from builders.world import AS_OF, world
from steelyard.brokers.broker import CashBalance
from steelyard.execution.states import Outcome, RunState
from steelyard.portfolio import Flow
from steelyard.settings import Costs, Limits

D = Decimal
RESERVE = {"limits": Limits(cash_reserve_weight=0.1, max_cost_share=1, min_trade_weight=0)}


def flowing(home: Path, amount: str, *lines: str, **settings: Any) -> Stage:
    """A plan for money that its owner brings, or takes out."""
    options = {key: settings.pop(key) for key in ("script", "working") if key in settings}
    of = world(*lines, sessions=40, **{**FREE, **settings})
    flow = Flow("USD", D(amount), AS_OF)
    return on_paper(home, document_of(of.having(flows=(flow,))), **options)


def test_a_deposit_that_has_not_arrived_makes_the_buys_smaller(tmp_path: Path) -> None:
    stage = flowing(tmp_path, "5000", "AA 0 @ 100", cash="2000", targets={"AA": 1})
    assert [each.quantity for each in stage.plan.buys] == [70]
    run = stage.trade()
    assert stage.sent == ["buy AA 20"]
    assert run.outcome is Outcome.DONE_WITH_SKIPS
    assert "2000.00 USD may be spent" in run.reason


def test_a_deposit_that_has_arrived_is_invested(tmp_path: Path) -> None:
    of = world("AA 0 @ 100", cash="2000", targets={"AA": 1}, sessions=40, **FREE)
    document = document_of(of.having(flows=(Flow("USD", D(500), AS_OF),)))
    stage = on_paper(tmp_path, document, opening={"cash": {"USD": D(2500)}})
    stage = stage.with_limits(max_drift_weight=D("0.3"))
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent == ["buy AA 25"]


def test_a_withdrawal_is_not_spent_by_the_buys(tmp_path: Path) -> None:
    stage = flowing(
        tmp_path, "-3000", "AA 100 @ 100", "BB 0 @ 100", targets={"AA": 0.3, "BB": 0.7},
        script=replace(SOON, midpoint=0, spread_bps=80),
    )  # fmt: skip
    bought = sum(each.value_base for each in stage.plan.buys)
    sold = sum(each.value_base for each in stage.plan.sells)
    assert sold - bought == 3000
    stage.trade()
    assert stage.cash >= 3000  # though every sale brought .4 % less


@pytest.mark.parametrize(("cash", "floor"), [("2000", "1000"), ("400", "400"), ("0", "0")])
def test_the_reserve_stays_or_what_is_there_of_it(tmp_path: Path, cash: str, floor: str) -> None:
    rest = (10_000 - D(cash)) / 100
    stage = staged(
        tmp_path, f"AA {rest:f} @ 100", "BB 0 @ 100", cash=cash, targets={"AA": 0.5, "BB": 0.5},
        **RESERVE, script=replace(SOON, midpoint=0, spread_bps=60),
    )  # fmt: skip
    stage.trade()
    assert stage.cash >= D(floor)
    assert any(each.startswith("buy") for each in stage.sent)


def test_the_reserve_is_taken_once_and_not_of_each_buy(tmp_path: Path) -> None:
    names = "ABCD"
    stage = staged(
        tmp_path, *(f"{n}{n} 0 @ 100" for n in names), cash="10000",
        targets={f"{n}{n}": 0.225 for n in names}, **RESERVE,
    )  # fmt: skip
    stage.trade()
    assert stage.cash == 10_000 - sum(t.quantity for t in stage.broker.tickets) * 100
    assert 1000 <= stage.cash < 1100 + 300


def test_a_fixed_fee_is_paid_for_each_attempt_and_nothing_is_overspent(tmp_path: Path) -> None:
    script = replace(SOON, midpoint=0, spread_bps=90, partial=1, parts=3, part_gap_s=(7, 7))
    stage = staged(
        tmp_path, "AA 0 @ 10", "BB 0 @ 10", cash="1000", targets={"AA": 0.5, "BB": 0.5},
        costs=Costs(fixed=7, percent=0.01), script=script,
    )  # fmt: skip
    stage.broker.fills_of("AA", [(1, "20")], [(1, "20")], [(1, "1")])
    stage.trade()
    assert 0 <= stage.cash < 40
    assert sum(fill.fee for fill in stage.fills) > 2 * 7


def euro(home: Path, **settings: Any) -> Stage:
    """A dollar account that holds and wants securities in EUR, at 1.25 dollars each."""
    return staged(
        home, "AA 100 @ 80", "BB 0 @ 40", "CC 0 @ 100", foreign=("AA", "BB"),
        **{"cash": {"USD": "2000", "EUR": "800"}, "targets": {"AA": 0.3, "BB": 0.4, "CC": 0.3},
           **settings},
    )  # fmt: skip


@pytest.mark.parametrize("script", [CALM, replace(SOON, midpoint=0.5, wobble_bps=3)])
def test_foreign_money_pays_first_for_what_is_quoted_in_it(tmp_path: Path, script: Any) -> None:
    stage = euro(tmp_path, script=script)
    run = stage.trade()
    assert run.outcome in {Outcome.DONE, Outcome.DONE_WITH_SKIPS}
    account = stage.broker.broker.account()
    assert all(balance.amount >= 0 for balance in account.cash)
    assert {"BB", "CC"} <= stage.shares.keys()


def test_without_sweeping_base_money_pays_for_nothing_foreign(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "BB 0 @ 40", "CC 0 @ 100", foreign=("BB",), cash={"USD": "9000", "EUR": "400"},
        targets={"BB": 0.5, "CC": 0.5}, working={"sweep_fx": False},
    )  # fmt: skip
    stage.trade()
    assert stage.shares == {"BB": "10", "CC": "47"}
    assert stage.broker.broker.account().balance("EUR").amount == 0
    assert "BB" in {leg.symbol for leg in stage.legs if leg.reason}


def test_what_converting_costs_is_in_the_money_of_a_foreign_buy(tmp_path: Path) -> None:
    costs = Costs(fixed=0, percent=0, fx_percent=0.02)
    stage = staged(
        tmp_path, "BB 0 @ 40", foreign=("BB",), cash="10000", targets={"BB": 1}, costs=costs
    )
    stage.trade()
    assert not any(leg.state == "REJECTED" for leg in stage.legs)
    assert 0 <= stage.cash < 60


def test_money_in_a_currency_that_the_plan_does_not_know_starts_nothing(tmp_path: Path) -> None:
    stage = euro(tmp_path)

    def pounds(call: Any) -> Any:
        real = call()
        return replace(real, cash=(*real.cash, CashBalance("GBP", D(5), D(5), D(5))))

    stage.broker.instead["account"] = pounds
    error = stage.refused()
    assert "the value now is not known" in str(error)
    assert stage.sent == []


def test_an_empty_balance_of_a_currency_that_nobody_knows_stops_nothing(tmp_path: Path) -> None:
    stage = euro(tmp_path)

    def pounds(call: Any) -> Any:
        real = call()
        return replace(real, cash=(*real.cash, CashBalance("GBP", D(0), D(0), D(0))))

    stage.broker.instead["account"] = pounds
    assert stage.trade().state is RunState.DONE
    assert stage.sent


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "sNaN"])
def test_money_that_is_no_number_buys_nothing(tmp_path: Path, figure: str) -> None:
    stage = staged(tmp_path, "AA 100 @ 100", "BB 0 @ 100", targets={"AA": 0.5, "BB": 0.5})

    def odd(call: Any) -> Any:
        real = call()
        if not stage.broker.tickets:
            return real
        return replace(real, cash=tuple(replace(c, spendable=D(figure)) for c in real.cash))

    stage.broker.instead["account"] = odd
    run = stage.trade()
    assert stage.sent == ["sell AA 50"]
    assert run.state in {RunState.ABORTED, RunState.NEEDS_HUMAN}
    assert "does not say what money there is" in run.reason


def test_a_price_that_rises_between_steps_makes_a_buy_smaller_and_does_not_block_it(
    tmp_path: Path,
) -> None:
    stage = staged(tmp_path, "AA 0 @ 100", cash="10000", targets={"AA": 1}, script=SOON)
    stage.broker.fills_of("AA", [])

    def risen(call: Any, symbols: Any) -> Any:
        if not stage.broker.tickets:
            return call(symbols)
        return quoting("AA", "100.79", "100.81")(call, symbols)

    stage.broker.instead["quotes"] = risen
    stage.broker.instead["submit"] = lambda call, ticket: call(ticket)
    stage.trade()
    assert stage.sent[:2] == ["buy AA 100", "buy AA 99"]


def test_a_lot_of_a_fraction_is_kept_when_a_buy_is_shrunk(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 100 @ 100", "BB 0 @ 333.33", cash="1000", lots={"BB": "0.001"},
        targets={"AA": 0.5, "BB": 0.5},
    )  # fmt: skip
    stage.broker.instead["submit"] = refusing("AA")
    stage = stage.with_limits(sell_fail_block_base=D(10_000))
    stage.trade()
    assert stage.sent[1:] == ["buy BB 3"]
    assert stage.broker.tickets[-1].quantity % D("0.001") == 0
    assert stage.cash < 1


def test_the_least_order_holds_when_a_buy_is_shrunk(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 100 @ 100", "BB 0 @ 1", cash="20", targets={"AA": 0.5, "BB": 0.5},
        working={"min_order_base": D(30)},
    )  # fmt: skip
    stage.broker.instead["submit"] = refusing("AA")
    stage = stage.with_limits(sell_fail_block_base=D(10_000))
    stage.trade()
    assert stage.sent == ["sell AA 49"]
