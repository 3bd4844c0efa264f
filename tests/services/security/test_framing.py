"""Real sockets: bytes that two readers would read differently, slow ones, endless ones."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body

from builders.asked import Desk, of_routers
from builders.listening import Counted, exchanged, listening, statuses
from steelyard.services.security.book import entries, revoke
from steelyard.services.security.limits import Limits
from steelyard.services.security.roles import needs

router = APIRouter()
JSON = b"Content-Type: application/json\r\n"


@router.post("/echo", dependencies=[needs("planner")])
def echo(body: Annotated[Any, Body()] = None) -> Any:
    return body


@router.get("/me", dependencies=[needs("viewer")])
def me() -> str:
    return "you"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    limits = Limits(body_seconds=0.3, burst=10_000)
    return Desk(tmp_path_factory.mktemp("home"), of_routers(router), limits, port=0)


@pytest.fixture(scope="module")
def served(desk: Desk) -> Iterator[Counted]:
    with listening(desk.app, head_seconds=0.7, connections=230) as counted:
        yield counted


@pytest.fixture(scope="module")
def planner(desk: Desk) -> bytes:
    return f"Authorization: Bearer {desk.token('planner')}\r\n".encode()


def head(port: int, start: bytes, *lines: bytes) -> bytes:
    return b"%b\r\nHost: 127.0.0.1:%d\r\n%b\r\n" % (start, port, b"".join(lines))


def test_a_request_is_answered_and_the_connection_serves_the_next(served: Counted, planner: bytes):
    post = head(served.port, b"POST /echo HTTP/1.1", planner, JSON, b"Content-Length: 3\r\n")
    get = head(served.port, b"GET /me HTTP/1.1", planner, b"Connection: close\r\n")

    answer = exchanged(served.port, post + b"[1]" + get)

    assert statuses(answer) == [200, 200]
    assert b"[1]" in answer
    assert b"\r\nserver:" not in answer.lower()


SMUGGLED = b"GET /me HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: 3\r\nContent-Length: 3\r\n",
        b"Content-Length: 3, 4\r\n",
        b"Content-Length: +3\r\n",
        b"Content-Length: 0x3\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length : 3\r\n",
        b"Content-Length: 3\nX: y\r\n",
        b"X: a\n\nContent-Length: 3\r\n",
        b"X: a\r\n\tb\nContent-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"X: a\x00b\r\n",
        b"X\x01: a\r\n",
        b"Host: evil.example\r\n",
    ],
)
def test_what_two_readers_would_frame_differently_is_refused_and_the_connection_ends(
    served: Counted, planner: bytes, lines: bytes
):
    request = head(served.port, b"POST /echo HTTP/1.1", planner, JSON, lines)

    answer = exchanged(served.port, request + b"[1]" + SMUGGLED)

    assert statuses(answer) == [400], answer
    assert not answer.endswith(b"...")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET http://evil.example/me HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", 400),
        (b"GET http://127.0.0.1/me HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", 400),
        (b"GET /me HTTP/1.1\r\nX: %d\r\n\r\n", 400),
        (b"GET /me HTTP/1.0\r\nX: %d\r\n\r\n", 400),
        (b"GET /me HTTP/1.1\r\nHost: evil.example:%d\r\n\r\n", 421),
        (b"GET /me HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nHost: x\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", 400),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", 405),
        (b"TRACE /me HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", 405),
        (b"GET /me HTTP/2.0\r\nHost: 127.0.0.1:%d\r\n\r\n", 400),
        (b"\x16\x03\x01%d\r\n\r\n", 400),
        (b"GET /me HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", 431),
    ],
)
def test_targets_hosts_and_heads_that_are_not_ours_are_refused(
    served: Counted, request_: bytes, status: int
):
    answer = exchanged(served.port, request_ % served.port, seconds=2)

    assert statuses(answer) in ([status], [400])
    assert b"root:" not in answer


def chunked(served: Counted, planner: bytes) -> bytes:
    lines = (planner, JSON, b"Transfer-Encoding: chunked\r\n")
    return head(served.port, b"POST /echo HTTP/1.1", *lines)


def test_an_endless_body_is_refused_before_two_megabytes_are_read(served: Counted, planner: bytes):
    served.read.clear()
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"

    answer = exchanged(served.port, chunked(served, planner), *[chunk] * 16_384)

    assert sum(served.read) < 2 << 20
    assert statuses(answer) in ([413], [])  # cut off while it sent, or read before that


def test_who_sends_a_little_too_much_reads_that_it_is_too_much(served: Counted, planner: bytes):
    size = (1 << 20) + 200_000
    lines = (planner, JSON, b"Content-Length: %d\r\n" % size)
    request = head(served.port, b"POST /echo HTTP/1.1", *lines)

    answer = exchanged(served.port, request + b"x" * size)

    assert statuses(answer) == [413]
    assert b"connection: close" in answer.lower()


def test_a_body_that_comes_by_drops_ends_with_its_time(served: Counted, planner: bytes):
    begin = time.monotonic()

    answer = exchanged(served.port, chunked(served, planner) + b"1\r\n[\r\n")

    assert statuses(answer) == [408]
    assert time.monotonic() - begin < 5


def test_a_refused_body_is_not_read_as_the_next_request(served: Counted):
    lines = (JSON, b"Content-Length: %d\r\n" % len(SMUGGLED))
    post = head(served.port, b"POST /echo HTTP/1.1", *lines)
    get = head(served.port, b"GET /me HTTP/1.1", b"Connection: close\r\n")

    assert statuses(exchanged(served.port, post + SMUGGLED + get)) == [401, 401]


def test_heads_that_come_by_drops_are_cut_off_and_others_are_served_meanwhile(
    served: Counted, planner: bytes
):
    links = [socket.create_connection(("127.0.0.1", served.port), 10) for _ in range(200)]
    begin = time.monotonic()
    try:
        for link in links:
            link.sendall(b"G")
        get = head(served.port, b"GET /me HTTP/1.1", planner, b"Connection: close\r\n")
        answer = exchanged(served.port, get)
        served_after = time.monotonic() - begin
        ends = [_end(link) for link in links]
    finally:
        for link in links:
            link.close()

    assert statuses(answer) == [200]
    assert served_after < 5
    assert ends == [b""] * 200


def _end(link: socket.socket) -> bytes:
    """What comes before the other end is gone."""
    try:
        return link.recv(10)
    except ConnectionResetError:
        return b""


def test_of_too_many_connections_that_wait_the_oldest_makes_way(served: Counted, planner: bytes):
    links = [socket.create_connection(("127.0.0.1", served.port), 10) for _ in range(260)]
    get = head(served.port, b"GET /me HTTP/1.1", planner, b"Connection: close\r\n")
    try:
        links[-1].sendall(get)
        assert statuses(links[-1].recv(10_000)) == [200]
        assert _end(links[0]) == b""
    finally:
        for link in links:
            link.close()


def test_a_token_that_is_revoked_while_the_service_runs_opens_nothing_more(
    served: Counted, desk: Desk
):
    token = desk.token("viewer")
    lines = (f"Authorization: Bearer {token}\r\n".encode(), b"Connection: close\r\n")
    request = head(served.port, b"GET /me HTTP/1.1", *lines)
    before = exchanged(served.port, request)

    revoke(desk.home, entries(desk.home)[-1].id, desk.clock.utc())

    assert (statuses(before), statuses(exchanged(served.port, request))) == ([200], [401])


def test_a_home_without_tokens_serves_nobody(tmp_path: Path):
    desk = Desk(tmp_path, of_routers(router), port=0)

    with listening(desk.app) as other:
        answer = exchanged(
            other.port, head(other.port, b"GET /me HTTP/1.1", b"Connection: close\r\n")
        )

    assert statuses(answer) == [401]
