"""Orders that a person places: written down whole, and no silence of their file loses a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import steelyard
from steelyard.brokers.by_file import FileBroker, FileFill, open_file
from steelyard.errors import BrokerError
from steelyard.execution.approved import approved
from steelyard.execution.begin import start
from steelyard.execution.by_hand import go_on, hand_over, lines_of
from steelyard.execution.comparing import agree
from steelyard.execution.journal.journal import Journal, Lease
from steelyard.execution.journal.opening import leased, open_journal
from steelyard.execution.journal.rows import run as row_of
from steelyard.execution.paper import morning, opening_of
from steelyard.execution.room import Room
from steelyard.execution.states import RunState
from steelyard.orders import Side

PLAN = steelyard.plan(
    {"ACME": 120, "BOLT": 50, "CRUX": 10},
    prices={"ACME": 100, "BOLT": 80, "CRUX": 20},
    targets={"ACME": 0.5, "BOLT": 0.4, "CRUX": 0.05},
    cash={"USD": 3000},
    as_of="2026-01-09",
)
FILLS = tuple(
    FileFill(
        date=date(2026, 1, 9),
        symbol=step.symbol,
        side=step.side,
        quantity=step.quantity,
        price=step.price,
        commission=Decimal(1),
        execution_id=step.symbol,
    )
    for step in PLAN.steps
)


@dataclass
class Hands:
    home: Path
    journal: Journal
    broker: FileBroker

    def desk(self, lease: Lease):
        return start(self.room(), lease, PLAN.to_json(), datetime.now(UTC))

    def room(self) -> Room:
        return Room(home=self.home, journal=self.journal, broker=self.broker, account="mine")


@pytest.fixture
def hands(tmp_path: Path):
    opening = opening_of(approved(PLAN))
    broker = open_file(tmp_path / "orders.db", "mine", opening, morning(PLAN.as_of))
    journal = open_journal(tmp_path)
    yield Hands(tmp_path, journal, broker)
    journal.close()
    broker.close()


def test_sales_are_written_first_and_buys_say_what_they_wait_for(hands: Hands):
    with leased(hands.journal, hands.home, "mine") as lease:
        desk = hands.desk(lease)
        run = hand_over(desk, agree)
        lines = lines_of(desk)

    assert run.state is RunState.SELLING
    assert [line.side for line in lines] == [Side.SELL, Side.BUY, Side.BUY]
    assert [tuple(line.waits_for) for line in lines] == [(), ("ACME",), ("ACME",)]


def test_fills_that_come_in_parts_end_the_run_when_the_last_has_come(hands: Hands):
    with leased(hands.journal, hands.home, "mine") as lease:
        desk = hands.desk(lease)
        hand_over(desk, agree)
        hands.broker.take(FILLS[:1])
        half = go_on(desk, agree)
        hands.broker.take(FILLS)
        whole = go_on(desk, agree)

    assert half.state is RunState.SELLING
    assert (whole.state, whole.outcome) == (RunState.DONE, "done")


def test_what_nobody_fills_any_more_is_partial(hands: Hands):
    with leased(hands.journal, hands.home, "mine") as lease:
        desk = hands.desk(lease)
        hand_over(desk, agree)
        hands.broker.take(FILLS[:1])
        run = go_on(desk, agree, close=True)

    assert (run.state, run.outcome) == (RunState.DONE, "partial")


def test_a_file_that_cannot_be_read_leaves_the_run_in_a_stated_state(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
):
    with leased(hands.journal, hands.home, "mine") as lease:
        desk = hands.desk(lease)
        hand_over(desk, agree)

        def silent(*_: object) -> None:
            raise BrokerError("the file is locked")

        monkeypatch.setattr(FileBroker, "orders", silent)
        go_on(desk, agree)

    state = row_of(hands.journal, desk.run_id).state
    assert state in {RunState.HALTED, RunState.NEEDS_HUMAN}
