"""A run whose process died, or that stood still: what `resume` does of it, place by place."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from builders.trading import SOON, Died, Stage, from_call, silent, staged
from steelyard.brokers.broker import Ticket, Unknown
from steelyard.execution import halt
from steelyard.execution.comparing import agree
from steelyard.execution.journal import rows
from steelyard.execution.states import Outcome, RunState
from steelyard.execution.trade import trade
from steelyard.orders import Side

D = Decimal


def swap(home: Path, **settings: Any) -> Stage:
    """Sell 50 AA, buy 50 BB, without any money."""
    lines = ("AA 100 @ 100", "BB 0 @ 100")
    return staged(home, *lines, **{"targets": {"AA": 0.5, "BB": 0.5}, "script": SOON, **settings})


def dies(stage: Stage, point: str, number: int) -> bool:
    """Does the process die at the n-th time that it comes to a point, or end before?"""
    try:
        stage.crash_at(point, number)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("point", ["before write", "after write", "before send", "after send"])
def test_a_process_may_die_at_any_place_and_every_order_is_sent_once(
    tmp_path: Path, point: str
) -> None:
    number = 1
    while True:
        home = tmp_path / str(number)
        home.mkdir()
        stage = swap(home)
        if not dies(stage, point, number):
            break
        if not stage.run_id:
            assert stage.trade().outcome is Outcome.DONE
        elif stage.run.state is RunState.PLANNED:
            assert stage.recover(crashed=True).outcome is Outcome.NOT_STARTED
        elif stage.run.state is not RunState.DONE:
            run = stage.recover(crashed=True)
            assert (run.state, run.outcome) == (RunState.DONE, Outcome.DONE)
            assert stage.shares == {"AA": "50", "BB": "50"}
        with stage.broker.broker._book() as book:
            names = [order.client_order_id for order in book.orders()]
        assert len(names) == len(set(names))
        assert sum(fill.quantity for fill in stage.fills) in {0, 100}  # 50 of each
        stage.journal.verify()
        number += 1 if "send" in point else 4
    assert number > 2


def test_a_process_may_die_while_it_recovers(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.crash_at("after send")
    for number in (2, 5):
        died = iter(range(100))

        def probe(here: str, died: Any = died, number: int = number) -> None:
            if here == "after write" and next(died) == number:
                raise Died

        stage.journal.probe = probe
        with pytest.raises(Died):
            stage.recover(crashed=False)
    stage.journal.probe = lambda _: None
    assert stage.recover(crashed=True).outcome is Outcome.DONE
    assert stage.shares == {"AA": "50", "BB": "50"}


def test_an_order_at_which_the_process_dies_three_times_is_held(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.crash_at("after send")

    def probe(here: str) -> None:
        if here == "after receive":
            raise Died

    for _ in range(2):
        stage.journal.probe = probe
        with pytest.raises(Died):
            stage.recover(crashed=True)
    stage.journal.probe = lambda _: None
    run = stage.recover(crashed=True)
    assert run.state is RunState.NEEDS_HUMAN
    assert stage.state("AA") == "HELD"
    assert "three_strikes" in stage.alerts()
    assert "died 3 times" in run.reason
    stage.broker.wait(10)
    run = stage.recover()  # a person looked: the order is there, and is filled
    if run.state is RunState.NEEDS_HUMAN:
        run = stage.recover()
    assert (run.state, run.outcome) == (RunState.ABORTED, Outcome.PARTIAL)
    assert stage.state("AA") == "FILLED"
    assert stage.sent == ["sell AA 50"]


def test_an_order_of_ours_that_is_in_no_journal_stops_everything(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.crash_at("after write", 6)
    ticket = Ticket(
        client_order_id="p1" + "z" * 30, symbol="AA", side=Side.SELL, quantity=D(1),
        limit_price=D(200), currency="USD",
    )  # fmt: skip
    stage.broker.broker.submit(ticket)
    run = stage.recover(crashed=True)
    assert run.state is RunState.NEEDS_HUMAN
    assert "in this journal" in run.reason
    assert "lost_journal" in stage.alerts()
    assert "sell AA 50" not in stage.sent


def test_a_run_goes_on_with_its_money_where_it_died_between_sales_and_buys(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    with stage.leased() as lease:
        desk = stage.start(lease)
        sold = iter(range(1000))

        def probe(here: str) -> None:
            if desk.run.state is RunState.WAIT_FUNDS and next(sold) == 0:
                raise Died

        stage.journal.probe = probe
        with pytest.raises(Died):
            trade(desk, agree)
    stage.journal.probe = lambda _: None
    assert stage.run.state is RunState.WAIT_FUNDS
    run = stage.recover(crashed=True)
    assert (run.outcome, stage.sent) == (Outcome.DONE, ["sell AA 50", "buy BB 50"])


def test_a_run_that_stood_still_is_ended_and_sends_nothing_more(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.instead["orders"] = from_call(2, silent)
    assert stage.trade().state is RunState.NEEDS_HUMAN
    stage.broker.instead.clear()
    run = stage.recover()
    assert (run.state, run.outcome) == (RunState.ABORTED, Outcome.PARTIAL)
    assert stage.sent == ["sell AA 50"]
    assert "It was NEEDS_HUMAN before" in run.reason


@pytest.mark.parametrize("call", ["orders", "fills"])
def test_a_broker_that_is_silent_when_a_run_is_resumed_leaves_it_to_a_person(
    tmp_path: Path, call: str
) -> None:
    stage = swap(tmp_path)
    stage.crash_at("after send")
    stage.broker.instead[call] = silent
    assert stage.recover(crashed=True).state is RunState.NEEDS_HUMAN
    stage.broker.instead.clear()
    assert stage.recover().state is RunState.ABORTED
    assert stage.shares in ({"AA": "50"}, {"AA": "100"})


def test_a_run_that_was_resumed_under_the_kill_switch_sends_nothing(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.crash_at("before send")
    halt.engage(tmp_path, "enough", "me", stage.broker.clock().now)
    run = stage.recover(crashed=True)
    assert run.state in {RunState.HALTED, RunState.NEEDS_HUMAN}
    assert stage.sent == []
    halt.lift(tmp_path, "go on")
    run = stage.recover()
    assert run.state in {RunState.ABORTED, RunState.DONE}
    assert len({t.client_order_id for t in stage.broker.tickets}) == len(stage.broker.tickets)


def test_books_that_differ_on_resuming_leave_the_run_to_a_person(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.crash_at("after send")
    real = stage.broker.broker.account

    def lost(_: Any) -> Any:
        return replace(real(), positions=())

    stage.broker.instead["account"] = lost
    run = stage.recover(crashed=True)
    assert run.state is RunState.NEEDS_HUMAN
    assert "books and broker differ" in run.reason


def test_a_broker_that_lists_nothing_is_asked_by_id_for_as_long_as_it_may_take(
    tmp_path: Path,
) -> None:
    stage = swap(tmp_path, working={"lookup_wait_s": 20})
    stage.broker.instead["capabilities"] = lambda real: replace(real, lists_all_orders=False)
    stage.broker.instead["submit"] = from_call(1, lambda call, ticket: Unknown("504"), until=1)
    assert stage.trade().outcome is Outcome.DONE
    first, second = (leg.sent_at for leg in stage.legs)
    assert second is not None
    assert first is not None
    assert (second - first).total_seconds() > 20
    assert stage.sent == ["sell AA 50", "sell AA 50", "buy BB 50"]


@pytest.mark.parametrize(("window", "sent"), [(60, 1), (3600, 2)])
def test_an_order_goes_again_only_while_the_broker_still_refuses_its_id(
    tmp_path: Path, window: int, sent: int
) -> None:
    from datetime import timedelta

    stage = swap(tmp_path)
    able = {"dedup_window": timedelta(seconds=window), "visibility_delay_s": 90.0}
    stage.broker.instead["capabilities"] = lambda real: replace(real, **able)
    stage.broker.instead["submit"] = from_call(1, lambda call, ticket: Unknown("504"), until=1)
    run = stage.trade()
    assert stage.sent.count("sell AA 50") == sent
    assert (run.state is RunState.NEEDS_HUMAN) == (sent == 1)


def test_an_old_runs_rows_are_never_changed_by_a_new_one(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.trade()
    before = rows.legs(stage.journal, stage.run_id)
    other = swap(tmp_path, targets={"AA": 0.3, "BB": 0.7})
    later = replace(stage, document=other.document, plan=other.plan)
    assert later.refused().fault.code == "holdings_changed"
    assert rows.legs(stage.journal, stage.run_id) == before
