"""Frames: one whole JSON object each way, or nothing."""

import json
import socket
import time

import pytest

from steelyard.execution.runner.frames import LENGTH, BadFrame, receive, send


def sent(raw: bytes, most: int = 100, seconds: float = 0.2):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(raw)
        theirs.shutdown(socket.SHUT_WR)
        return receive(ours, most, time.monotonic() + seconds)


def framed(text: str) -> bytes:
    return LENGTH.pack(len(text.encode())) + text.encode()


def test_what_is_sent_is_received():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(theirs, {"a": "ä"}, time.monotonic() + 1)
        assert receive(ours, 100, time.monotonic() + 1) == {"a": "ä"}


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        LENGTH.pack(0),
        LENGTH.pack(101) + b" " * 101,
        LENGTH.pack(0xFFFFFFFF),
        framed("[1]"),
        framed("{"),
        framed('{"a": NaN}'),
        LENGTH.pack(2) + b"\xff\xff",
        LENGTH.pack(50) + b"{}",
        b"\x00",
        b"",
    ],
)
def test_everything_else_is_refused(raw):
    with pytest.raises(BadFrame):
        sent(raw)


def test_a_body_nested_without_end_is_refused():
    deep = "[" * 50_000
    with pytest.raises(BadFrame):
        sent(framed('{"a": ' + deep), most=100_000)


def test_a_slow_sender_is_given_up_at_the_deadline_however_steadily_it_sends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(LENGTH.pack(50) + json.dumps({"a": 1}).encode())
        began = time.monotonic()
        with pytest.raises(BadFrame):
            receive(ours, 100, began + 0.2)
        assert time.monotonic() - began < 1
