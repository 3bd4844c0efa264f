"""One application on its sockets: at every address of this machine, to the end of what it began."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest

PROGRAM = """
import time
from fastapi import FastAPI
from steelyard.services.running import server
from steelyard.services.running.sockets import LOOPBACK, bound, port_of
app = FastAPI()
app.get("/")(lambda: {"answer": 42})
@app.get("/slow")
def slow():
    print("begun", flush=True)
    time.sleep(0.5)
    return {"answer": 43}
sockets = bound(LOOPBACK, 0)
server.serve(app, sockets, None, lambda: print(port_of(sockets), flush=True))
"""
Served = tuple[subprocess.Popen[bytes], int]


@pytest.fixture
def served() -> Iterator[Served]:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
        process.terminate()


def test_it_answers_at_both_addresses_of_this_machine_and_names_no_server(served: Served):
    answers = [httpx2.get(f"http://{host}:{served[1]}/") for host in ("127.0.0.1", "[::1]")]

    assert [answer.json() for answer in answers] == [{"answer": 42}] * 2
    assert [set(answer.headers) for answer in answers] == [
        {"date", "content-length", "content-type"}
    ] * 2


def test_what_is_under_way_is_answered_before_it_ends_and_nothing_new_is_taken(served: Served):
    process, port = served
    assert process.stdout is not None
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        process.stdout.readline()
        process.terminate()
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    code = process.wait(10)

    assert answer.endswith(b'{"answer":43}')
    assert code == -15
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
