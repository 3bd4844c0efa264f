"""What goes wrong at the broker or around it, a test each: nothing is doubled, nothing hangs."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from builders.trading import (
    CALM,
    SOON,
    Stage,
    foreign,
    from_call,
    quoting,
    refusing,
    silent,
    staged,
)
from steelyard.brokers.broker import Accepted, Rejected, Unknown
from steelyard.brokers.paper import PaperPrice
from steelyard.errors import BrokerError, JournalFailed, NotExecuted
from steelyard.execution import halt
from steelyard.execution.begin import ExecutedBefore
from steelyard.execution.flatten import flattened, flattening
from steelyard.execution.journal import rows
from steelyard.execution.legs import send
from steelyard.execution.rails.facts import Facts
from steelyard.execution.states import AT_BROKER, Outcome, RunState
from steelyard.orders import OrderStatus, Side
from steelyard.telemetry.events import HaltChanged

D = Decimal
STATED = {RunState.DONE, RunState.ABORTED, RunState.NEEDS_HUMAN, RunState.HALTED}


def swap(home: Path, **settings: Any) -> Stage:
    """Sell 50 AA, buy 50 BB, without any money."""
    lines = ("AA 100 @ 100", "BB 0 @ 100")
    return staged(home, *lines, **{"targets": {"AA": 0.5, "BB": 0.5}, **settings})


def copies(stage: Stage) -> int:
    """Most orders that the broker has of one id."""
    with stage.broker.broker._book() as book:
        names = [order.client_order_id for order in book.orders()]
    return max(map(names.count, names), default=0)


# the same plan again


def test_e01_a_plan_is_executed_once(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.trade()
    sent = stage.sent
    error = stage.refused()
    assert isinstance(error, ExecutedBefore)
    assert "Nothing was sent again" in str(error)
    assert stage.sent == sent


def test_e01_a_live_run_keeps_every_other_plan_out(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.crash_at("after send")
    error = stage.refused()
    assert error.fault.code == "live_run"
    assert stage.sent == ["sell AA 50"]


def test_a_run_that_was_never_started_may_be_tried_again(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    halt.engage(tmp_path, "lunch", "me", stage.broker.clock().now)
    assert stage.refused().fault.code == "halted"
    halt.lift(tmp_path, "back")
    assert stage.trade().outcome is Outcome.DONE


@pytest.mark.parametrize("point", ["before write", "after write"])
def test_a_run_that_died_before_it_was_armed_is_over_when_the_plan_is_tried_again(
    tmp_path: Path, point: str
) -> None:
    stage = swap(tmp_path)
    stage.crash_at(point, 4 if point == "before write" else 3)
    assert [run.state for run in rows.runs(stage.journal)] == [RunState.PLANNED]
    assert stage.trade().outcome is Outcome.DONE
    first = rows.runs(stage.journal)[-1]
    assert (first.state, first.outcome) == (RunState.ABORTED, Outcome.NOT_STARTED)


# orders without an answer


def test_e02_an_order_that_was_sent_before_a_crash_is_adopted(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON)
    stage.crash_at("after send")
    assert stage.state("AA") == "SUBMITTING"
    run = stage.recover(crashed=True)
    assert (run.state, run.outcome) == (RunState.DONE, Outcome.DONE)
    assert copies(stage) == 1
    assert stage.shares == {"AA": "50", "BB": "50"}


def test_e03_an_order_whose_answer_was_lost_is_adopted(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=replace(SOON, lost_answers=1))
    stage.broker.instead["cancel"] = lambda call, name: None
    run = stage.trade()
    assert (run.outcome, stage.sent) == (Outcome.DONE, ["sell AA 50", "buy BB 50"])


def test_e04_an_order_that_never_arrived_goes_again_under_its_id(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.instead["submit"] = from_call(1, lambda call, ticket: Unknown("504"), until=3)
    assert stage.trade().outcome is Outcome.DONE
    names = [ticket.client_order_id for ticket in stage.broker.tickets]
    assert stage.sent == ["sell AA 50"] * 4 + ["buy BB 50"]
    assert len(set(names)) == 2
    assert copies(stage) == 1


def test_e04_a_broker_that_takes_an_id_twice_is_never_sent_it_again(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=replace(CALM, dedups=False))
    stage.broker.instead["submit"] = from_call(1, lambda call, ticket: Unknown("504"), until=1)
    run = stage.trade()
    assert (run.state, stage.state("AA")) == (RunState.NEEDS_HUMAN, "HELD")
    assert stage.sent == ["sell AA 50"]
    assert stage.recover().state is RunState.NEEDS_HUMAN  # it may still come to be seen
    stage.broker.wait(8 * 3600)
    run = stage.recover()  # a day order of a day that is over
    assert (run.state, stage.state("AA")) == (RunState.ABORTED, "EXPIRED")
    assert stage.sent == ["sell AA 50"]


def test_e04_an_order_that_stays_unknown_is_held_and_looked_for_by_resume(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=replace(CALM, dedups=False, visible_after_s=200))
    stage.broker.instead["submit"] = lambda call, ticket: (call(ticket), Unknown("reset"))[1]
    run = stage.trade()
    assert (run.state, stage.state("AA")) == (RunState.NEEDS_HUMAN, "HELD")
    assert "order_held" in stage.alerts()
    stage.broker.wait(200)
    run = stage.recover()
    assert (run.state, run.outcome) == (RunState.ABORTED, Outcome.PARTIAL)
    assert (stage.state("AA"), stage.shares) == ("FILLED", {"AA": "50"})
    assert copies(stage) == 1


def test_e05_an_id_that_the_broker_has_is_no_failure(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    no = Rejected("DUPLICATE", "client_order_id must be unique")
    stage.broker.instead["submit"] = lambda call, ticket: (call(ticket), no)[1]
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent == ["sell AA 50", "buy BB 50"]


def test_an_order_that_is_seen_late_is_adopted_and_not_repeated(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=replace(SOON, visible_after_s=90, lost_answers=1))
    stage.broker.instead["cancel"] = lambda call, name: None
    assert stage.trade().outcome is Outcome.DONE
    assert stage.sent == ["sell AA 50", "buy BB 50"]


def test_an_order_in_doubt_does_not_stop_the_others_of_its_step(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 0 @ 100", "BB 0 @ 100", "CC 0 @ 100", cash="9000", script=CALM,
        targets={"AA": 0.3, "BB": 0.3, "CC": 0.4},
    )  # fmt: skip
    lost = from_call(2, lambda call, ticket: (call(ticket), Unknown("reset"))[1], until=2)
    stage.broker.instead["submit"] = lost
    assert stage.trade().outcome is Outcome.DONE
    assert stage.cash == 0
    assert len(stage.sent) == 3


def test_money_that_an_adopted_order_took_is_not_counted_as_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the account was read before all; two are filled and booked while the second is resolved
    stage = staged(
        tmp_path, "AA 0 @ 100", "BB 0 @ 100", "CC 0 @ 100", cash="9000", script=CALM,
        targets={"AA": 0.3, "BB": 0.3, "CC": 0.4},
    )  # fmt: skip
    lost = from_call(2, lambda call, ticket: (call(ticket), Unknown("reset"))[1], until=2)
    stage.broker.instead["submit"] = lost
    free: list[Decimal | None] = []
    real = send.judge

    def judged(facts: Facts, scope: Any) -> Any:
        free.append(facts.free_cash_base)
        return real(facts, scope)

    monkeypatch.setattr(send, "judge", judged)
    stage.trade()
    spent = [t.quantity * t.limit_price for t in stage.broker.tickets]
    assert [*dict.fromkeys(free)] == [9000, 9000 - spent[0], 9000 - spent[0] - spent[1]]


def test_orders_that_work_are_cancelled_where_the_fate_of_another_is_unknown(
    tmp_path: Path,
) -> None:
    stage = staged(
        tmp_path, "AA 50 @ 100", "BB 50 @ 100", "CC 50 @ 100", script=replace(SOON, dedups=False),
        targets={"AA": 0, "BB": 0, "CC": 0},
    )  # fmt: skip
    stage.broker.fills_of("AA", [])
    stage.broker.instead["submit"] = from_call(2, lambda call, ticket: Unknown("504"), until=2)
    run = stage.trade()
    assert run.state is RunState.NEEDS_HUMAN
    assert [leg.state for leg in stage.legs] == ["CANCELLED", "HELD", "SKIPPED"]
    assert stage.sent == ["sell AA 50", "sell BB 50"]


def test_twelve_orders_are_a_second_apart_and_a_run_is_long_enough_for_them(
    tmp_path: Path,
) -> None:
    names = [f"A{n:02}" for n in range(12)]
    stage = staged(tmp_path, *(f"{name} 10 @ 100" for name in names), targets={"A00": 1})
    run = stage.trade()
    assert run.state is RunState.DONE
    stamps = [leg.sent_at for leg in stage.legs if leg.sent_at is not None]
    gaps = {(later - first).total_seconds() for first, later in itertools.pairwise(stamps)}
    assert len(stamps) == 12
    assert gaps == {1.0}


@pytest.mark.parametrize(
    "other",
    [
        {"symbol": "BB"},
        {"quantity": D(5000)},
        {"side": Side.BUY},
        {"client_order_id": "p1other"},
        {"limit_price": D(1)},
    ],
)
def test_an_answer_about_another_order_is_no_answer(tmp_path: Path, other: Any) -> None:
    stage = swap(tmp_path)

    def garbled(call: Any, ticket: Any) -> Any:
        reply = call(ticket)
        return Accepted(replace(reply.order, **other)) if isinstance(reply, Accepted) else reply

    stage.broker.instead["submit"] = from_call(1, garbled, until=1)
    assert stage.trade().outcome is Outcome.DONE  # looked up, and it is the one that was sent
    assert stage.sent == ["sell AA 50", "buy BB 50"]


@pytest.mark.parametrize("crash", [False, True])
def test_an_order_of_our_id_and_not_of_our_making_is_held(tmp_path: Path, crash: bool) -> None:
    stage = swap(tmp_path, script=SOON)
    other = {"quantity": D(20)}
    stage.broker.instead["submit"] = lambda call, ticket: (
        call(replace(ticket, **other)), Unknown("reset"),
    )[1]  # fmt: skip
    if crash:
        stage.crash_at("after send")
        run = stage.recover(crashed=True)
    else:
        run = stage.trade()
    assert run.state is RunState.NEEDS_HUMAN
    assert stage.state("AA") == "HELD"
    assert "other_order" in stage.alerts()
    assert len(stage.sent) == 1


# halts


def test_e07_the_kill_switch_before_a_run_starts_nothing(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    halt.engage(tmp_path, "lunch", "me", stage.broker.clock().now)
    error = stage.refused()
    (run,) = rows.runs(stage.journal)
    assert (error.fault.code, run.state, run.outcome) == (
        "halted", RunState.ABORTED, Outcome.NOT_STARTED,
    )  # fmt: skip
    assert (stage.sent, stage.alerts()) == ([], [])


def test_e08_the_kill_switch_between_sales_and_buys_leaves_the_buys(tmp_path: Path) -> None:
    stage = swap(tmp_path)

    def engaged(call: Any, ticket: Any) -> Any:
        halt.engage(tmp_path, "enough", "me", stage.broker.clock().now)
        return call(ticket)

    stage.broker.instead["submit"] = engaged
    run = stage.trade()
    assert (run.state, run.outcome) == (RunState.ABORTED, Outcome.PARTIAL)
    assert "enough" in run.reason
    assert stage.sent == ["sell AA 50"]
    assert stage.state("BB") == "SKIPPED"


def test_the_kill_switch_cancels_nothing_and_resume_ends_the_run(tmp_path: Path) -> None:
    stage = staged(
        tmp_path, "AA 100 @ 100", "BB 100 @ 100", targets={"AA": 0, "BB": 0}, script=SOON
    )
    stage.broker.fills_of("AA", [(300, "100")])

    def engaged(call: Any, ticket: Any) -> Any:
        halt.engage(tmp_path, "enough", "me", stage.broker.clock().now)
        return call(ticket)

    stage.broker.instead["submit"] = engaged
    run = stage.trade()
    assert (run.state, stage.state("AA"), stage.state("BB")) == (
        RunState.HALTED, "ACCEPTED", "SKIPPED",
    )  # fmt: skip
    assert stage.broker.cancels == []
    run = stage.recover()
    assert (run.state, stage.sent) == (RunState.ABORTED, ["sell AA 100"])
    assert stage.state("AA") == "CANCELLED"


def test_the_kill_switch_keeps_an_order_in_doubt_from_going_again(tmp_path: Path) -> None:
    stage = swap(tmp_path)

    def engaged(call: Any, ticket: Any) -> Any:
        halt.engage(tmp_path, "enough", "me", stage.broker.clock().now)
        return Unknown("504")

    stage.broker.instead["submit"] = from_call(1, engaged, until=1)
    run = stage.trade()
    assert (run.state, stage.state("AA")) == (RunState.HALTED, "UNKNOWN")
    assert stage.sent == ["sell AA 50"]
    halt.lift(tmp_path, "go on")
    run = stage.recover()
    assert run.state is RunState.ABORTED
    assert copies(stage) == 1


def test_three_rejects_in_a_row_halt_the_run(tmp_path: Path) -> None:
    lines = [f"A{n} 10 @ 100" for n in range(5)]
    stage = staged(tmp_path, *lines, targets={f"A{n}": 0 for n in range(5)})
    stage.broker.instead["submit"] = refusing(*(f"A{n}" for n in range(5)))
    run = stage.trade()
    assert (run.state, run.outcome) == (RunState.ABORTED, Outcome.FAILED)
    assert len(stage.sent) == 3
    assert "refused one after another" in run.reason


def test_e09_three_failed_runs_in_a_day_let_no_other_begin(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.instead["submit"] = refusing("AA")
    documents = [swap(tmp_path, targets={"AA": 0.5 + n / 100}) for n in (0, 2, 4, 6)]
    stages = [replace(stage, document=other.document, plan=other.plan) for other in documents]
    for each in stages[:3]:
        assert not halt.look(tmp_path).engaged
        assert each.trade().outcome is Outcome.FAILED
    error = stages[3].refused()
    assert error.fault.code == "halted"
    assert "failures: 3 runs failed within 24 hours" in str(error)
    assert halt.look(tmp_path).author == halt.ITSELF
    assert [event["engaged"] for event in stage.events("HaltChanged")] == [True]

    # without the event of a lift the count stands; with it a person has looked
    halt.lift(tmp_path, "looked")
    assert stages[3].refused().fault.code == "failures"
    with stage.journal.writing() as change:
        change.tell(HaltChanged(False, "looked", "eva"), "", "")
    stage.broker.instead.pop("submit")
    assert stages[3].trade().outcome is Outcome.DONE


# time


@pytest.mark.parametrize("call", ["clock", "calendar", "account", "quotes", "fills"])
def test_e10_a_question_without_an_answer_starts_nothing(tmp_path: Path, call: str) -> None:
    stage = swap(tmp_path)
    stage.broker.instead[call] = silent
    with pytest.raises((NotExecuted, BrokerError)):
        stage.trade()
    assert stage.sent == []
    assert all(run.outcome is Outcome.NOT_STARTED for run in rows.runs(stage.journal))


def test_e11_a_closed_market_starts_nothing(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.wait(7 * 3600)
    assert stage.refused().fault.code == "session_unknown"
    assert stage.sent == []


def test_e21_a_market_that_closes_between_sales_and_buys_leaves_the_buys(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.wait(5 * 3600 + 600)  # five minutes before the last quarter of an hour

    def slow(call: Any, ticket: Any) -> Any:
        reply = call(ticket)
        stage.broker.wait(600)
        return reply

    stage.broker.instead["submit"] = slow
    run = stage.trade()
    assert (run.state, run.outcome) == (RunState.ABORTED, Outcome.PARTIAL)
    assert stage.sent == ["sell AA 50"]
    assert stage.state("BB") == "SKIPPED"
    assert "session" in run.reason


def test_e12_a_plan_of_another_day_is_not_begun(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    friday = stage.plan.as_of
    prices = {"AA": PaperPrice(D(100), "USD"), "BB": PaperPrice(D(100), "USD")}
    stage.broker.reprice(friday + timedelta(days=3), prices, {})
    assert stage.refused().fault.code == "plan_other_day"


def test_a_run_that_lasts_too_long_stands_still(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON).with_limits(run_max_s=30)
    stage.broker.fills_of("AA", [], [], [], [], [], [])
    run = stage.trade()
    assert (run.state, run.outcome) == (RunState.ABORTED, Outcome.FAILED)
    assert "at most 30" in run.reason
    assert not any(leg.state in AT_BROKER for leg in stage.legs)


@pytest.mark.parametrize("moment", ["one", "every"])
def test_e13_an_old_quote_is_refreshed_or_its_order_skipped(tmp_path: Path, moment: str) -> None:
    stage = swap(tmp_path)

    def old(call: Any, symbols: Any) -> Any:
        late = timedelta(seconds=30)
        return {s: replace(q, at=q.at - late) for s, q in call(symbols).items()}

    stage.broker.instead["quotes"] = from_call(4, old, until=4 if moment == "one" else None)
    run = stage.trade()
    if moment == "one":
        assert run.outcome is Outcome.DONE
    else:
        assert stage.sent == []
        assert "the quote" in stage.reason("AA")


@pytest.mark.parametrize("part", ["0.74", "1.26"])
def test_e14_two_prices_that_disagree_stop_the_run(tmp_path: Path, part: str) -> None:
    stage = swap(tmp_path)
    ask = D(part) * 100
    stage.broker.instead["quotes"] = quoting("BB", str(ask - D("0.01")), str(ask))
    assert stage.refused().fault.code == "price_moved"
    assert stage.sent == []


def test_e15_an_account_that_may_not_trade_is_not_begun(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.instead["account"] = lambda call: replace(call(), blocked="trading_blocked")
    assert stage.refused().fault.code == "account_blocked"


@pytest.mark.parametrize("number", [1, 2, 4, 8, 16])
@pytest.mark.parametrize(
    "call", ["account", "quotes", "assets", "clock", "calendar", "orders", "fills", "find"]
)
def test_e18_a_broker_that_falls_silent_leaves_a_stated_run(
    tmp_path: Path, call: str, number: int
) -> None:
    stage = swap(tmp_path, script=replace(SOON, lost_answers=0.5))
    stage.broker.instead["cancel"] = lambda call, name: None
    stage.broker.instead[call] = from_call(number, silent)
    try:
        run = stage.trade()
    except (BrokerError, NotExecuted):
        assert all(run.outcome is Outcome.NOT_STARTED for run in rows.runs(stage.journal))
        return
    assert run.state in STATED
    stage.broker.instead.clear()
    if run.state not in {RunState.DONE, RunState.ABORTED}:
        run = stage.recover()
    assert run.state in {RunState.DONE, RunState.ABORTED}
    assert copies(stage) <= 1
    assert stage.cash >= 0


def test_e17_everything_is_sold_once_and_then_nothing_is_there_to_sell(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    assert flat(stage).trade().outcome is Outcome.DONE
    assert (stage.sent, stage.cash) == (["sell AA 100"], 10_000)
    stage.broker.wait(1)
    assert flat(stage).trade().outcome is Outcome.DONE
    assert stage.sent == ["sell AA 100"]


def test_a_security_without_a_market_is_not_among_what_is_sold(tmp_path: Path) -> None:
    stage = staged(tmp_path, "AA 50 @ 100", "BB 50 @ 100", targets={"AA": 0.5, "BB": 0.5})
    stage.broker.instead["quotes"] = quoting("AA", "NaN", "0")
    assert flat(stage).trade().outcome is Outcome.DONE
    assert stage.sent == ["sell BB 50"]


def flat(stage: Stage) -> Stage:
    """Selling everything that the account has now."""
    document = flattening(stage.broker, "core", {}, {})
    return replace(stage, document=document, plan=flattened(json.loads(document)))


def test_e18_what_was_done_before_an_error_is_in_the_result(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.broker.instead["account"] = from_call(5, silent)
    run = stage.trade()
    assert run.state is RunState.NEEDS_HUMAN
    assert [fill.symbol for fill in stage.fills] == ["AA"]
    assert "The broker does not say" in run.reason


def test_e19_what_is_shown_cannot_stop_what_is_written(tmp_path: Path) -> None:
    events: list[Any] = []
    stage = swap(tmp_path)
    stage.journal.heard = events.append
    stage.trade()
    assert len(events) == len(stage.journal.events())


def test_e20_a_journal_that_cannot_be_written_sends_nothing(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    stage.journal.connection.execute("PRAGMA query_only=ON")
    with pytest.raises(JournalFailed):
        stage.trade()
    assert stage.sent == []


def test_e20_a_journal_that_fails_on_the_way_sends_nothing_further(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON)

    def full(call: Any, ticket: Any) -> Any:
        stage.journal.connection.execute("PRAGMA query_only=ON")
        return call(ticket)

    stage.broker.instead["submit"] = full
    with pytest.raises(JournalFailed):
        stage.trade()
    assert stage.sent == ["sell AA 50"]


# fills that are not as they should be


def test_a_fill_of_an_order_that_was_over_is_booked_and_halts(tmp_path: Path) -> None:
    script = replace(SOON, cancelled_that_filled=1, ghost_after_s=(3, 3))
    stage = staged(
        tmp_path, "AA 100 @ 100", "BB 100 @ 100", "CC 0 @ 100", targets={"CC": 1}, script=script
    )
    stage.broker.fills_of("AA", [(1, "60")])
    stage.broker.fills_of("CC", [])
    run = stage.trade()
    assert "late_fill" in stage.alerts()
    assert [fill.quantity for fill in stage.fills if fill.symbol == "AA"] == [60, 40]
    assert run.state is RunState.ABORTED
    assert "were filled after the order" in run.reason
    assert sum(t.quantity for t in stage.broker.tickets if t.symbol == "AA") == 100


def test_a_fill_that_comes_after_its_run_is_booked_by_the_next(tmp_path: Path) -> None:
    script = replace(SOON, cancelled_that_filled=1, ghost_after_s=(600, 600))
    stage = staged(tmp_path, "AA 100 @ 100", targets={"AA": 0}, script=script)
    stage.broker.fills_of("AA", [])
    assert stage.trade().outcome is Outcome.FAILED
    stage.broker.wait(700)
    other = staged(tmp_path, "AA 100 @ 100", targets={"AA": 0.5})
    again = replace(stage, document=other.document, plan=other.plan)
    assert again.refused().fault.code == "holdings_changed"
    assert [fill.quantity for fill in stage.fills] == [100]
    assert "late_fill" in stage.alerts()


def test_an_execution_that_is_told_twice_and_differently_halts(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON)

    def otherwise(call: Any, since: Any) -> Any:
        return [f for fill in call(since) for f in (fill, replace(fill, fee=D(1)))]

    stage.broker.instead["fills"] = otherwise
    run = stage.trade()
    assert run.state is RunState.NEEDS_HUMAN
    assert stage.sent == ["sell AA 50"]
    assert [fill.fee for fill in stage.fills] == [0]
    assert "twice with different content" in " ".join(
        e["message"] for e in stage.events("AlertRaised")
    )


def test_an_order_that_fills_more_than_was_ordered_halts(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON)
    stage.broker.fills_of("AA", [(1, "50"), (1, "20")])
    run = stage.trade()
    assert run.state in {RunState.ABORTED, RunState.NEEDS_HUMAN}
    assert "over_filled" in stage.alerts()
    assert stage.sent == ["sell AA 50"]
    assert sum(fill.quantity for fill in stage.fills) == 70


def test_fills_that_are_told_after_a_reconnect_only_are_not_lost(tmp_path: Path) -> None:
    from steelyard.brokers.paper import open_paper

    stage = swap(tmp_path, script=replace(SOON, hidden=1))
    run = stage.trade()
    assert run.state is RunState.NEEDS_HUMAN
    assert stage.fills == []
    stage.broker.broker = open_paper(tmp_path / "paper.db", "core")
    run = stage.recover()
    assert (run.state, [fill.quantity for fill in stage.fills]) == (RunState.ABORTED, [50])


def test_b02_a_status_that_nobody_knows_is_an_order_that_works(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON, working={"far_side_tries": 1, "cancel_wait_s": 5})
    stage.broker.fills_of("AA", [])

    def odd(call: Any, since: Any) -> Any:
        return [replace(order, status=OrderStatus.UNKNOWN) for order in call(since)]

    stage.broker.instead["orders"] = odd
    run = stage.trade()
    assert run.state is RunState.NEEDS_HUMAN
    assert stage.sent == ["sell AA 50"]
    assert stage.state("AA") == "CANCELLING"


def test_b05_an_order_below_what_the_broker_takes_is_skipped(tmp_path: Path) -> None:
    stage = swap(tmp_path)

    def least(call: Any, symbols: Any) -> Any:
        return {s: replace(asset, least_notional=D(6000)) for s, asset in call(symbols).items()}

    stage.broker.instead["assets"] = least
    run = stage.trade()
    assert (stage.sent, run.outcome) == ([], Outcome.DONE_WITH_SKIPS)
    assert "at least 6000" in stage.reason("AA")


def test_b06_an_order_of_the_other_side_keeps_its_symbol_from_being_traded(tmp_path: Path) -> None:
    stage = swap(tmp_path)
    foreign(stage, Side.SELL, "AA", "5")
    run = stage.trade()
    assert stage.state("AA") == "BLOCKED"
    assert stage.sent == []
    assert run.outcome is Outcome.DONE_WITH_SKIPS


def test_b09_a_poll_that_fails_loses_no_fill(tmp_path: Path) -> None:
    stage = swap(tmp_path, script=SOON)
    stage.broker.instead["fills"] = from_call(2, silent, until=5)
    assert stage.trade().outcome is Outcome.DONE
    assert len(stage.fills) == 2


# the record of the run


def test_f05_a_run_ends_with_the_engine_that_it_began_with(tmp_path: Path) -> None:
    engine = {"active": "reference", "shadow": True}
    stage = swap(tmp_path, room={"engine": engine})
    stage.crash_at("after send")
    stage = replace(stage, room=replace(stage.room, engine={"active": "fast"}))
    stage.recover(crashed=True)
    (started,) = stage.events("RunStarted")
    assert started["engine"] == engine
    with stage.leased() as lease:
        assert stage.room.again(lease, stage.run).request.engine == engine
