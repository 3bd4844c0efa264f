"""Each documented reply means what its row in the table says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from benchmarks.alpaca.exchange import Exchange, shapes, table
from benchmarks.alpaca.server import Server, serving

from builders.alpaca import adapter
from builders.brokers import order
from builders.paper import EARLY
from steelyard.brokers.alpaca.broker import AlpacaBroker
from steelyard.brokers.alpaca.reading import (
    activity_of,
    asset_of,
    blocked,
    cash_of,
    fill_of,
    order_of,
    position_of,
    quote_of,
    session_of,
)
from steelyard.brokers.broker import Accepted, Rejected, Unknown
from steelyard.errors import BrokerError
from steelyard.orders import OrderStatus

TICKET = order("o1", "buy", "AA", "1", "99")


@pytest.fixture
def pair() -> Iterator[tuple[AlpacaBroker, Server]]:
    with serving(Exchange()) as server:
        broker = adapter(server)
        yield broker, server
        broker.close()


@pytest.mark.parametrize("row", table()["refusal"], ids=lambda row: row["name"])
def test_a_refused_order_means_what_the_table_says(
    row: dict[str, Any], pair: tuple[AlpacaBroker, Server]
) -> None:
    broker, server = pair
    server.answer = row["status"], row["body"]

    reply = broker.submit(TICKET)

    means = reply.code if isinstance(reply, Rejected) else "unknown"
    assert not isinstance(reply, Accepted)
    assert means == row["means"]
    assert [method for method, _ in server.requests] == ["POST"]


@pytest.mark.parametrize("row", table()["word"], ids=lambda row: row["status"])
def test_a_status_is_a_whole_word(row: dict[str, Any]) -> None:
    seen = order_of(shapes()["order"] | {"status": row["status"]})

    assert seen.status is OrderStatus(row["means"])


@pytest.mark.parametrize("status", [None, 7, {"new": True}])
def test_a_status_of_no_word_is_unknown(status: object) -> None:
    assert order_of(shapes()["order"] | {"status": status}).status is OrderStatus.UNKNOWN


READERS = {
    "account": lambda row: (cash_of(row, 0), blocked(row)), "day": session_of, "asset": asset_of,
    "position": position_of, "order": order_of, "fill": lambda row: fill_of(row, "o1"),
    "dividend": activity_of, "quote": lambda row: quote_of("AA", row, [shapes()["bar"]]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name in READERS for field in shapes()[name]]
)
def test_a_field_that_is_absent_null_or_odd_never_crashes(name: str, field: str) -> None:
    row = shapes()[name]
    changed: list[dict[str, Any]] = [{k: v for k, v in row.items() if k != field}]
    changed += [row | {field: odd} for odd in (None, [], {}, "", "x", -1, True, "9" * 5000)]

    for each in changed:
        try:
            READERS[name](each)
        except BrokerError as error:
            assert error.fault.code == "broker_nonsense"  # noqa: PT017 - or no error at all


def test_a_copy_of_our_own_order_is_adopted_and_another_one_is_not(
    pair: tuple[AlpacaBroker, Server],
) -> None:
    broker, server = pair
    server.exchange.place(_body("1"))

    same, other = broker.submit(TICKET), broker.submit(order("o1", "buy", "AA", "2", "99"))

    assert isinstance(same, Accepted)
    assert isinstance(other, Rejected)
    assert other.code == "DUPLICATE"
    assert len(server.exchange.orders) == 1


def test_a_copy_that_cannot_be_seen_yet_is_unknown(pair: tuple[AlpacaBroker, Server]) -> None:
    broker, server = pair
    server.answer = 422, '{"code": 40010001, "message": "client_order_id must be unique"}'

    assert isinstance(broker.submit(TICKET), Unknown)


def test_an_order_that_was_replaced_is_the_one_that_replaced_it(
    pair: tuple[AlpacaBroker, Server],
) -> None:
    broker, server = pair
    for name in ("o1", "o1b", "o1c"):
        server.exchange.place(_body("2") | {"client_order_id": name})
    first, second, third = server.exchange.orders
    first.update(status="replaced", replaced_by=second["id"])
    second.update(status="replaced", replaces=first["id"], replaced_by=third["id"])
    third.update(replaces=second["id"], limit_price="101")
    server.exchange.tick()
    server.exchange.tick()

    seen, orders, fills = broker.find("o1"), broker.orders(EARLY), broker.fills(EARLY)

    assert seen is not None
    assert (seen.client_order_id, seen.broker_id) == ("o1", third["id"])
    assert seen.status is OrderStatus.FILLED
    assert [(row.client_order_id, row.broker_id) for row in orders] == [("o1", third["id"])]
    assert {fill.client_order_id for fill in fills} == {"o1"}


def test_lists_are_read_to_their_last_page(pair: tuple[AlpacaBroker, Server]) -> None:
    broker, server = pair
    server.exchange.shares["AA"] = 10_000
    for n in range(603):
        server.exchange.place(_body("1") | {"client_order_id": f"o{n}", "side": "sell"})
    server.exchange.tick()
    server.exchange.tick()

    assert len(broker.orders(EARLY)) == 603
    assert len({fill.exec_id for fill in broker.fills(EARLY)}) == 1206


def test_only_what_is_no_execution_is_an_activity(pair: tuple[AlpacaBroker, Server]) -> None:
    broker, server = pair
    server.exchange.place(_body("1"))
    server.exchange.tick()
    server.exchange.pay_dividend()

    (dividend,) = broker.activities(EARLY)

    assert (dividend.kind, dividend.symbol, str(dividend.cash["USD"])) == ("DIVIDEND", "AA", "1.02")
    assert dividend.shares == 0


def test_borrowed_money_is_not_spendable() -> None:
    row = shapes()["account"] | {"cash": "10000", "buying_power": "40000"}
    without = {k: v for k, v in row.items() if k != "non_marginable_buying_power"}

    assert cash_of(row | {"non_marginable_buying_power": "9000"}, 0).spendable == 9000
    assert cash_of(without, 2500).spendable == 7500
    assert cash_of(without | {"multiplier": "1", "buying_power": "4"}, 0).spendable == 4
    assert cash_of(row | {"cash": "-5"}, 0).spendable == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""), ({"status": "ACCOUNT_CLOSED"}, "status ACCOUNT_CLOSED"),
        ({"trading_blocked": True}, "trading_blocked"),
        ({"account_blocked": "yes"}, "account_blocked"),
        ({"trade_suspended_by_user": True}, "trade_suspended_by_user"),
    ],
)  # fmt: skip
def test_a_blocked_account_says_so(change: dict[str, object], why: str) -> None:
    assert blocked(shapes()["account"] | change) == why


def test_every_row_of_the_table_has_its_source() -> None:
    rows = [row for kind in ("shape", "refusal", "word") for row in table()[kind]]

    assert all(row["source"] for row in rows)
    assert all(json.loads(row["body"]) for row in table()["shape"])


def _body(quantity: str) -> dict[str, str]:
    return {
        "symbol": "AA", "qty": quantity, "side": "buy", "type": "limit", "time_in_force": "day",
        "limit_price": "99", "client_order_id": "o1",
    }  # fmt: skip
