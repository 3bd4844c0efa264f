"""Each thing that a script may do to an order, does it, and is off unless asked for."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest

from builders.paper import EARLY, EXACT, paper, ticket
from steelyard.brokers.broker import Accepted, Rejected, Unknown
from steelyard.brokers.paper import PaperBroker, Script, open_paper
from steelyard.brokers.paper.script import script_of
from steelyard.errors import BrokerError, SettingsError
from steelyard.orders import OrderStatus

PATIENT = replace(EXACT, instant=False)
SELL = ticket("o1", "sell", "AA", "5", "100")


def wait(broker: PaperBroker, seconds: int = 60) -> None:
    broker.wait(float(seconds))


def status(broker: PaperBroker, name: str = "o1") -> OrderStatus | None:
    order = broker.find(name)
    return None if order is None else order.status


def test_by_default_fills_are_late_in_parts_and_told_out_of_order(tmp_path: Path) -> None:
    broker = paper(tmp_path, Script(), positions={"AA": Decimal(100)})
    for n in range(12):
        broker.submit(ticket(f"o{n}", "sell", "AA", "5", "99"))
    assert not broker.fills(EARLY)

    wait(broker)

    fills = broker.fills(EARLY)
    times = [fill.at for fill in fills]
    assert sum(fill.quantity for fill in fills) == 60
    assert len(fills) > 12
    assert times != sorted(times)
    assert len({fill.exec_id for fill in fills}) == len(fills)
    assert {status(broker, f"o{n}") for n in range(12)} == {OrderStatus.FILLED}


def test_a_fill_may_be_told_later_than_the_order_shows_it(tmp_path: Path) -> None:
    broker = paper(tmp_path, replace(PATIENT, fill_after_s=(1.0, 1.0), told_after_s=(9.0, 9.0)))
    broker.submit(SELL)
    wait(broker, 5)
    order = broker.find("o1")

    assert order is not None
    assert order.filled_quantity > 0
    assert not broker.fills(EARLY)
    wait(broker)
    assert sum(fill.quantity for fill in broker.fills(EARLY)) == 5


def test_instant_fills_are_there_at_once(tmp_path: Path) -> None:
    broker = paper(tmp_path)

    reply = broker.submit(SELL)

    assert isinstance(reply, Accepted)
    assert reply.order.status is OrderStatus.FILLED
    assert [fill.quantity for fill in broker.fills(EARLY)] == [5]


def test_a_reject_is_told_with_its_code(tmp_path: Path) -> None:
    reply = paper(tmp_path, replace(EXACT, rejects=1.0)).submit(SELL)

    assert reply == Rejected("OTHER", "rejected by the exchange")


def test_money_of_a_sale_may_be_spendable_later(tmp_path: Path) -> None:
    broker = paper(tmp_path, replace(EXACT, power_lag_s=6.0), cash={})
    broker.submit(SELL)

    before, later = broker.account().balance("USD"), None
    broker.wait(7.0)
    later = broker.account().balance("USD")

    assert before.amount == later.amount > 0
    assert (before.spendable, later.spendable) == (0, later.amount)


def test_only_settled_money_may_be_spendable_and_settles_the_next_weekday(tmp_path: Path) -> None:
    broker = paper(tmp_path, replace(EXACT, settled_only=True), cash={})
    broker.submit(SELL)
    (fill,) = broker.fills(EARLY)
    buy = ticket("o2", "buy", "AA", "1", "100")

    assert str(fill.settles) == "2026-03-11"
    assert broker.account().balance("USD").spendable == 0
    refused = broker.submit(buy)
    assert isinstance(refused, Rejected)
    assert refused.code == "FUNDS"
    broker.wait(24 * 3600.0)
    assert isinstance(broker.submit(replace(buy, client_order_id="o3")), Accepted)


def test_a_fill_may_overtake_a_cancel(tmp_path: Path) -> None:
    script = replace(PATIENT, late_cancel=1.0, partial=0.0, fill_after_s=(9.0, 9.0))
    broker = paper(tmp_path, script)
    broker.submit(SELL)
    broker.cancel("o1")
    assert status(broker) is OrderStatus.CANCELLING

    wait(broker, 5)

    assert status(broker) is OrderStatus.FILLED


@pytest.mark.parametrize("ends", ["cancelled", "expired"])
def test_an_order_that_is_told_to_be_over_may_fill_later(ends: str, tmp_path: Path) -> None:
    script = replace(PATIENT, cancelled_that_filled=1.0, expired_that_fills=1.0)
    broker = paper(tmp_path, replace(script, fill_after_s=(9.0, 9.0)))
    broker.submit(ticket("o1", "sell", "AA", "5", "100" if ends == "cancelled" else "200"))
    if ends == "cancelled":
        broker.cancel("o1")
        broker.wait(3.0)
    else:
        broker.wait(5.5 * 3600)
    assert status(broker) is OrderStatus(ends)
    assert not broker.fills(EARLY)

    wait(broker)

    assert status(broker) is OrderStatus(ends)
    assert [fill.quantity for fill in broker.fills(EARLY)] == [5]
    assert broker.account().position("AA").quantity == 5


def test_an_answer_may_be_lost_though_the_order_is_there(tmp_path: Path) -> None:
    broker = paper(tmp_path, replace(EXACT, lost_answers=1.0))

    assert isinstance(broker.submit(SELL), Unknown)
    assert status(broker) is OrderStatus.FILLED
    with pytest.raises(BrokerError, match="not answered"):
        broker.cancel("o1")


def test_a_request_may_be_dropped(tmp_path: Path) -> None:
    broker = paper(tmp_path, replace(EXACT, dropped=1.0))

    assert isinstance(broker.submit(SELL), Unknown)
    assert broker.find("o1") is None
    assert broker.account().position("AA").quantity == 10


def test_the_same_order_sent_again_meets_another_chance(tmp_path: Path) -> None:
    broker = paper(tmp_path, replace(EXACT, dropped=0.5, seed=4))
    replies = []
    while not replies or isinstance(replies[-1], Unknown):
        replies.append(broker.submit(SELL))

    assert len(replies) < 20
    assert isinstance(replies[-1], Accepted)
    assert len(broker.orders(EARLY)) == 1


def test_ids_of_the_broker_may_begin_again_after_a_restart(tmp_path: Path) -> None:
    broker = paper(tmp_path, replace(EXACT, reissued_ids=True))
    broker.submit(ticket("o1", "sell", "AA", "1", "100"))
    broker.close()
    broker = open_paper(tmp_path / "paper.db", "tests")
    broker.submit(ticket("o2", "sell", "AA", "1", "100"))

    assert [order.broker_id for order in broker.orders(EARLY)] == ["1", "1"]


def test_a_fill_may_be_told_only_after_a_new_connect(tmp_path: Path) -> None:
    broker = paper(tmp_path, replace(EXACT, hidden=1.0))
    broker.submit(SELL)
    wait(broker)
    assert status(broker) is OrderStatus.FILLED
    assert not broker.fills(EARLY)
    broker.close()

    again = open_paper(tmp_path / "paper.db", "tests")

    assert [fill.quantity for fill in again.fills(EARLY)] == [5]


def test_a_script_is_kept_in_the_file_and_replaced_by_a_new_one(tmp_path: Path) -> None:
    paper(tmp_path, replace(EXACT, rejects=1.0)).close()

    kept = open_paper(tmp_path / "paper.db", "tests")
    assert isinstance(kept.submit(SELL), Rejected)
    kept.close()
    changed = open_paper(tmp_path / "paper.db", "tests", script=EXACT)
    assert isinstance(changed.submit(SELL), Accepted)


def test_a_script_is_the_same_after_its_text() -> None:
    changed = {
        field.name: {bool: not field.default, int: 7, float: 0.5, str: (0.5, 1.5)}[
            {"bool": bool, "int": int, "float": float}.get(str(field.type), str)
        ]
        for field in fields(Script)
    }

    assert script_of(Script(**changed).text()) == Script(**changed)
    with pytest.raises(SettingsError, match="Did you mean rejects"):
        script_of('{"reject": 1}')


def test_the_same_seed_does_the_same_again(tmp_path: Path) -> None:
    stories = []
    for name in ("a", "b"):
        broker = paper(tmp_path / name, Script(seed=5))
        broker.submit(ticket("o1", "sell", "AA", "5", "99"))
        wait(broker)
        stories.append(broker.fills(EARLY))

    assert stories[0] == stories[1]
    assert stories[0]
