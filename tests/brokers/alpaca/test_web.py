"""An order is sent once, a question again; whatever goes wrong on the way is said or survived."""

from __future__ import annotations

import json
import pickle
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from benchmarks.alpaca.exchange import Exchange
from benchmarks.alpaca.server import FAULTS, Server, serving

from builders.alpaca import Time, adapter
from builders.brokers import order
from steelyard.brokers.alpaca.access import Access, Secret
from steelyard.brokers.alpaca.allowance import Allowance
from steelyard.brokers.alpaca.web import Timing, Web
from steelyard.brokers.broker import Accepted, Unknown
from steelyard.errors import BrokerError

TICKET = order("o1", "sell", "AA", "1", "99")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Exchange()) as server:
        server.stall_s = 0.15
        yield server


@pytest.mark.parametrize("fault", FAULTS)
def test_an_order_is_sent_once_whatever_comes_back(fault: str, server: Server) -> None:
    server.fault = lambda method, _: fault if method == "POST" else ""
    broker = adapter(server)

    reply = broker.submit(TICKET)

    assert isinstance(reply, Unknown)
    assert [method for method, _ in server.requests] == ["POST"]
    assert len(server.exchange.orders) == fault.endswith("+")
    broker.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_question_is_asked_again(fault: str, server: Server) -> None:
    faults = iter([fault, fault, ""])
    server.fault = lambda _method, _path: next(faults, "")
    broker = adapter(server)

    assert broker.clock().is_open
    assert len(server.requests) == 3
    broker.close()


def test_a_question_that_nobody_answers_is_an_error_and_never_an_empty_answer(
    server: Server,
) -> None:
    server.fault = lambda _method, _path: "502"
    broker = adapter(server)

    with pytest.raises(BrokerError, match="did not answer /v2/account/activities"):
        broker.activities(server.exchange.now)

    assert len(server.requests) == 5
    broker.close()


def test_the_wait_is_as_long_as_the_broker_asks(server: Server) -> None:
    faults = iter(["429", "500", ""])
    server.fault = lambda _method, _path: next(faults, "")
    clock = Time(server.exchange)
    began = time.time()
    broker = adapter(server, clock, now=lambda: began - 7)

    broker.clock()

    assert clock.slept[0] == pytest.approx(8, abs=1.1)
    assert clock.slept[1] == pytest.approx(1.0)
    broker.close()


def test_an_order_too_many_is_not_sent_again_and_the_next_question_waits(server: Server) -> None:
    server.fault = lambda method, _: "429" if method == "POST" else ""
    clock = Time(server.exchange)
    began = time.time()
    broker = adapter(server, clock, now=lambda: began - 6)

    assert isinstance(broker.submit(TICKET), Unknown)
    assert broker.find("o1") is None

    assert [method for method, _ in server.requests] == ["POST", "GET"]
    assert clock.seconds == pytest.approx(7, abs=1.1)
    broker.close()


def test_a_cancel_that_is_not_answered_is_an_error_and_is_sent_once(server: Server) -> None:
    broker = adapter(server)
    broker.submit(order("o1", "sell", "AA", "1", "900"))
    server.fault = lambda method, _: "reset+" if method == "DELETE" else ""

    with pytest.raises(BrokerError, match="not answered"):
        broker.cancel("o1")

    assert [method for method, _ in server.requests].count("DELETE") == 1
    broker.close()


def test_a_cancel_of_an_order_that_is_over_is_no_error(server: Server) -> None:
    broker = adapter(server)
    broker.submit(TICKET)
    row = server.exchange.orders[0]
    server.exchange.tick()
    server.exchange.tick()
    assert row["status"] == "filled"
    broker.cancel("o1")
    # filled between the question and the cancel
    row["status"] = "canceled"
    server.fault = lambda method, _: row.update(status="new" if method == "GET" else "filled") or ""

    broker.cancel("o1")

    assert [method for method, _ in server.requests].count("DELETE") == 1
    broker.close()


def test_a_body_that_trickles_is_given_up_within_the_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_trickle, args=(listener,))
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        access = Access("paper", address, address, Secret("k"), Secret("s"))
        web = Web(access, Timing(connect_s=0.1, read_s=0.2))
        began = time.monotonic()

        answer = web.once("POST", "/v2/orders", {})

        assert answer is None
        assert time.monotonic() - began < 2
        web.close()
        thread.join()


def _trickle(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(200):
            try:
                connection.sendall(b"x")
            except OSError:
                return
            time.sleep(0.02)


def test_nobody_at_the_address_is_unknown_for_an_order_and_an_error_for_a_question() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    exchange = Exchange()
    server = type("Gone", (), {"address": f"http://127.0.0.1:{port}", "exchange": exchange})()
    broker = adapter(server)

    assert isinstance(broker.submit(TICKET), Unknown)
    with pytest.raises(BrokerError):
        broker.clock()
    broker.close()


def test_an_account_whose_orders_change_while_it_is_read_is_read_again(server: Server) -> None:
    broker = adapter(server)
    broker.submit(order("o1", "sell", "AA", "2", "99"))
    changes = iter([True])
    server.fault = lambda _m, path: (
        server.exchange.tick() or "" if path == "/v2/account" and next(changes, False) else ""
    )

    account = broker.account()

    assert account.position("AA").quantity == 9
    assert account.balance("USD").amount == 10_100
    broker.close()


def test_an_account_that_never_stands_still_is_an_error(server: Server) -> None:
    broker = adapter(server)
    names = iter(range(100))
    server.fault = lambda _m, path: (
        server.exchange.place(_another(next(names))) and "" if path == "/v2/account" else ""
    )

    with pytest.raises(BrokerError, match="changed in each of 5"):
        broker.account()
    broker.close()


def _another(n: int) -> dict[str, str]:
    return {
        "symbol": "AA", "qty": "0.1", "side": "sell", "limit_price": "900",
        "client_order_id": f"n{n}", "type": "limit", "time_in_force": "day",
    }  # fmt: skip


def test_orders_leave_a_fifth_of_the_minute_to_questions() -> None:
    clock = Time(Exchange())
    allowance = Allowance(lambda: clock.seconds, clock.sleep)
    for _ in range(144):
        allowance.wait(order=True)
    assert not clock.slept

    for _ in range(36):
        allowance.wait(order=False)
    assert not clock.slept
    allowance.wait(order=True)

    assert clock.seconds == pytest.approx(60)


def test_what_is_sent_is_a_limit_order_for_the_day_in_exact_figures(server: Server) -> None:
    broker = adapter(server)

    reply = broker.submit(order("o1", "sell", "AA", "0.123456789", "99.10"))

    assert isinstance(reply, Accepted)
    sent = server.exchange.orders[0]
    assert {name: sent[name] for name in ("qty", "limit_price", "type", "time_in_force")} == {
        "qty": "0.123456789", "limit_price": "99.1", "type": "limit", "time_in_force": "day",
    }  # fmt: skip
    broker.close()


def test_keys_are_in_no_text() -> None:
    access = Access("paper", "a", "b", Secret("k-very-secret"), Secret("s-very-secret"))
    web = Web(access)

    assert "very-secret" not in f"{access!r} {access.key} {web!r} {vars(web)!r}"
    with pytest.raises(TypeError):
        pickle.dumps(access.key)
    with pytest.raises(TypeError):
        json.dumps(access.secret)
    web.close()
