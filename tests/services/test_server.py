"""What a connection may take before there is a request, and what an answer does not say."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

HEADER_S = 0.5
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PROGRAM = f"""
from fastapi import FastAPI
from steelyard.services import server
from steelyard.services.sockets import LOOPBACK, bound, port_of
server.HEADER_S = {HEADER_S}
app = FastAPI()
app.get("/")(lambda: {{"answer": 42}})
sockets = bound(LOOPBACK, 0)
server.serve(app, sockets, None, lambda: print(port_of(sockets), flush=True))
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


def connected(port: int, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((host, port), timeout=5)


def answered(connection: socket.socket) -> bytes:
    """An answer to the request, whole."""
    connection.sendall(ASK)
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(10_000)
    return answer


def seconds_until_closed(connection: socket.socket) -> float:
    begin = time.monotonic()
    assert connection.recv(1) == b""
    return time.monotonic() - begin


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_answers_at_both_addresses_of_this_machine_and_names_no_server(port: int, host: str):
    with connected(port, host) as connection:
        answer = answered(connection).lower()

    assert answer.startswith(b"http/1.1 200 ok")
    assert b'{"answer":42}' in answer
    assert b"server:" not in answer
    assert b"uvicorn" not in answer


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost"])
def test_who_sends_no_whole_header_in_time_is_cut_off(port: int, begun: bytes):
    with connected(port) as connection:
        connection.sendall(begun)

        assert HEADER_S / 2 < seconds_until_closed(connection) < 4 * HEADER_S


def test_drops_do_not_stretch_the_time_of_a_second_header_either(port: int):
    with connected(port) as connection:
        answered(connection)
        begin = time.monotonic()
        connection.settimeout(HEADER_S / 10)
        while time.monotonic() - begin < 10 * HEADER_S:
            with suppress(TimeoutError):
                connection.sendall(b"G")
                if connection.recv(1) == b"":
                    break

    assert HEADER_S / 2 < time.monotonic() - begin < 4 * HEADER_S


def test_a_connection_that_waits_between_two_requests_is_kept(port: int):
    with connected(port) as connection:
        for _ in range(2):
            assert b"42" in answered(connection)
            time.sleep(1.5 * HEADER_S)


def test_a_header_over_16_kib_is_refused(port: int):
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 17_000)

        assert connection.recv(10_000).startswith(b"HTTP/1.1 400")
