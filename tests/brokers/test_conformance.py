"""What every broker has to do, and that it can do what it says it can."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from builders.brokers import KINDS, OPENING, World, order, settle, sums, worlds
from builders.paper import EARLY, EXACT
from steelyard.brokers.broker import Accepted, Rejected
from steelyard.brokers.paper import Script, open_paper
from steelyard.errors import BrokerError
from steelyard.orders import OrderStatus

SELL = order("o1", "sell", "AA", "2.5", "99")


def shares_and_money_move_as_the_fills_say(world: World) -> None:
    broker = world.broker
    before = broker.account()

    broker.submit(SELL)
    settle(broker)
    broker.submit(order("o2", "buy", "BB", "3", "51"))
    settle(broker)

    after, moves = broker.account(), sums(broker)
    for symbol in ("AA", "BB"):
        moved = after.position(symbol).quantity - before.position(symbol).quantity
        assert moved == moves[symbol]
    assert after.balance("USD").amount - before.balance("USD").amount == moves["USD"]
    assert (moves["AA"], moves["BB"]) == (Decimal("-2.5"), 3)


def a_second_copy_of_an_order_is_the_first(world: World) -> None:
    broker = world.broker
    assert broker.capabilities.dedups_client_id

    first, second = broker.submit(SELL), broker.submit(SELL)
    other = broker.submit(replace(SELL, quantity=Decimal(1)))
    settle(broker)

    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert isinstance(other, Rejected)
    assert other.code == "DUPLICATE"
    assert sums(broker)["AA"] == Decimal("-2.5")


def an_order_is_seen_by_its_id_and_in_the_list(world: World) -> None:
    broker = world.broker
    able = broker.capabilities
    assert able.lookup_by_client_id
    assert able.lists_all_orders
    assert broker.find("never") is None

    broker.submit(SELL)
    broker.wait(able.visibility_delay_s + 1)
    settle(broker)

    seen = broker.find("o1")
    assert seen is not None
    assert (seen.symbol, seen.quantity, seen.status) == ("AA", SELL.quantity, OrderStatus.FILLED)
    assert [row.client_order_id for row in broker.orders(EARLY)] == ["o1"]
    assert not broker.account().open_orders


def fills_are_told_again_after_a_new_connect(world: World) -> None:
    assert world.broker.capabilities.replays_executions
    world.broker.submit(SELL)
    settle(world.broker)
    before = {fill.exec_id for fill in world.broker.fills(EARLY)}

    again = world.again()

    assert before
    assert {fill.exec_id for fill in again.fills(EARLY)} == before


def a_cancel_ends_an_order_that_nobody_fills(world: World) -> None:
    broker = world.broker
    broker.submit(order("far", "buy", "BB", "2", "10"))
    broker.wait(broker.capabilities.visibility_delay_s + 1)

    broker.cancel("far")
    broker.wait(5.0)
    broker.wait(1.0)

    seen = broker.find("far")
    assert seen is not None
    assert seen.status is OrderStatus.CANCELLED
    with pytest.raises(BrokerError):
        broker.cancel("never")


def what_the_market_is_like_is_told(world: World) -> None:
    broker = world.broker
    clock, quotes = broker.clock(), broker.quotes(["AA", "NONE"])
    day = clock.now.date()

    assert clock.now.utcoffset() is not None
    assert clock.is_open
    assert any(s.opens <= clock.now < s.closes for s in broker.calendar(day, day))
    assert set(quotes) == {"AA"}
    assert 0 < quotes["AA"].bid <= quotes["AA"].ask
    assert abs(clock.now - quotes["AA"].at) < timedelta(seconds=10)
    assert set(broker.assets(["AA", "NONE"])) == {"AA"}
    if broker.capabilities.fractional == "qty":
        assert broker.assets(["AA"])["AA"].lot_size < 1


def open_orders_bind_what_they_may_take(world: World) -> None:
    broker = world.broker
    delay = broker.capabilities.visibility_delay_s + 1
    broker.submit(order("far sell", "sell", "AA", "4", "900"))
    broker.submit(order("far buy", "buy", "BB", "10", "10"))
    broker.wait(delay)

    account = broker.account()

    assert account.position("AA").available == 6
    assert account.balance("USD").spendable == Decimal(9_900)
    assert account.balance("USD").amount == Decimal(10_000)
    assert len(account.open_orders) == 2


RULES = (
    shares_and_money_move_as_the_fills_say, a_second_copy_of_an_order_is_the_first,
    an_order_is_seen_by_its_id_and_in_the_list, fills_are_told_again_after_a_new_connect,
    a_cancel_ends_an_order_that_nobody_fills, what_the_market_is_like_is_told,
    open_orders_bind_what_they_may_take,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_broker(rule, kind: str, tmp_path: Path) -> None:
    count = 0
    with worlds(kind, tmp_path) as each:
        for world in each:
            rule(world)
            count += 1

    assert count == (2 if kind == "replay" else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_it_serves_as_it_says(kind: str, tmp_path: Path) -> None:
    with worlds(kind, tmp_path) as each:
        broker = next(each).broker
        broker.submit(SELL)
        for _ in range(3):
            broker.wait(10.0)

        filled = bool(broker.fills(EARLY))
        assert filled == (broker.capabilities.serves == "orders")
        assert broker.capabilities.simulated == (kind != "alpaca")


@pytest.mark.parametrize("odds", [0.0, 1.0])
def test_a_broker_whose_ends_are_final_fills_nothing_after_them(
    odds: float, tmp_path: Path
) -> None:
    script = replace(EXACT, instant=False, fill_after_s=(9.0, 9.0), cancelled_that_filled=odds)
    broker = open_paper(tmp_path / "p.db", "tests", OPENING, script)
    broker.submit(SELL)
    broker.cancel("o1")
    broker.wait(3.0)
    ended = broker.find("o1")

    settle(broker)

    assert ended is not None
    assert ended.status is OrderStatus.CANCELLED
    assert broker.capabilities.terminal_is_final == (odds == 0)
    assert bool(broker.fills(EARLY)) == (odds == 1)


@pytest.mark.parametrize("odds", [0.0, 1.0])
def test_a_broker_with_errors_inside_a_success_says_so(odds: float, tmp_path: Path) -> None:
    script = Script(errors_in_success=odds)
    broker = open_paper(tmp_path / "p.db", "tests", OPENING, script)

    reply = broker.submit(SELL)

    assert isinstance(reply, Accepted)
    assert broker.capabilities.errors_in_2xx == (odds == 1)
    assert (reply.order.status is OrderStatus.REJECTED) == (odds == 1)


def test_a_broker_that_does_not_know_copies_makes_a_second_order(tmp_path: Path) -> None:
    broker = open_paper(tmp_path / "p.db", "tests", OPENING, replace(EXACT, dedups=False))
    broker.submit(SELL)
    broker.submit(SELL)

    assert not broker.capabilities.dedups_client_id
    assert sums(broker)["AA"] == -5
