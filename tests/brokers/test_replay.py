"""A recorded day gives the same answers at the same times, and nothing that was not recorded."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from builders.brokers import OPENING, PLAIN, order
from builders.paper import EARLY
from steelyard.brokers.broker import Accepted, Rejected, Unknown
from steelyard.brokers.paper import Script, open_paper
from steelyard.brokers.recording import Recorder
from steelyard.brokers.replay import open_replay
from steelyard.errors import BrokerError, InputError
from steelyard.orders import OrderStatus

SELL = order("o1", "sell", "AA", "2", "99")


def recorded(folder: Path, script: Script = PLAIN) -> list[str]:
    """A day with one sale."""
    lines: list[str] = []
    paper = open_paper(folder / "p.db", "tests", OPENING, script)
    day = Recorder(paper, lines.append)
    day.clock()
    day.calendar(date(2026, 3, 10), date(2026, 3, 10))
    day.account()
    day.submit(SELL)
    day.submit(order("o2", "sell", "AA", "99", "99"))
    for _ in range(3):
        day.wait(5.0)
        day.find("o1")
        day.fills(EARLY)
        day.account()
    paper.close()
    return lines


def test_an_order_goes_through_its_states_as_it_did(tmp_path: Path) -> None:
    replay = open_replay(recorded(tmp_path), "day.jsonl")

    assert isinstance(replay.submit(SELL), Accepted)
    refused = replay.submit(order("o2", "sell", "AA", "99", "99"))
    assert isinstance(refused, Rejected)
    assert refused.code == "QUANTITY"
    assert replay.find("o1").status is OrderStatus.WORKING  # type: ignore[union-attr]
    assert replay.account().position("AA").quantity == 10
    replay.wait(15.0)
    assert replay.find("o1").status is OrderStatus.FILLED  # type: ignore[union-attr]
    assert sum(fill.quantity for fill in replay.fills(EARLY)) == 2
    assert replay.account().position("AA").quantity == 8


def test_what_was_not_recorded_is_rejected_or_an_error(tmp_path: Path) -> None:
    replay = open_replay(recorded(tmp_path), "day.jsonl")

    other = replay.submit(order("o9", "sell", "AA", "1", "99"))
    changed = replay.submit(order("o1", "sell", "AA", "3", "99"))

    assert isinstance(other, Rejected)
    assert isinstance(changed, Rejected)
    assert changed.code == "DUPLICATE"
    assert replay.find("o9") is None
    assert replay.quotes(["AA"]) == {}
    for question in (
        lambda: replay.cancel("o1"), lambda: replay.calendar(date(2026, 3, 11), date(2026, 3, 12)),
    ):  # fmt: skip
        with pytest.raises(BrokerError, match="The recording has not"):
            question()


def test_a_lost_answer_is_lost_again(tmp_path: Path) -> None:
    replay = open_replay(recorded(tmp_path, Script(lost_answers=1.0)), "day.jsonl")

    assert isinstance(replay.submit(SELL), Unknown)


NEW_KIND = json.dumps({"kind": "new", "at": "2026-03-10T15:00:00+00:00"})


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda lines: [], 0),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0].replace('"form": 1', '"form": 2')], 1),
        (lambda lines: [*lines, "{"], None),
        (lambda lines: [*lines, "[]"], None),
        (lambda lines: [*lines, NEW_KIND], None),
        (lambda lines: [*lines, lines[-1].replace('"quantity": "', '"quantity": "x')], None),
    ],
)
def test_what_is_no_recording_is_refused_by_line(damage, line: int | None, tmp_path: Path) -> None:
    lines = damage(recorded(tmp_path))

    with pytest.raises(InputError) as caught:
        open_replay(lines, "day.jsonl")

    place = "day.jsonl" if line == 0 else f"day.jsonl line {line or len(lines)}"
    assert caught.value.fault.place == place


def test_a_recording_has_no_line_twice(tmp_path: Path) -> None:
    lines = recorded(tmp_path)
    fills = [line for line in lines if '"kind": "fill"' in line]

    assert len(fills) == len(set(fills)) >= 1
