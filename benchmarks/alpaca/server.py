"""The exchange over HTTP on the loopback, with whatever goes wrong on the way.

A fault is named for what happens: `429`, `500`, `502`, `504` (the last three with `+` where the
request was carried out all the same), `reset` and `reset+`, `slow+` (the body never ends) and
`garbage+`.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from benchmarks.alpaca.exchange import Exchange, Reply

Fault = Callable[[str, str], str]
NOTHING = json.dumps({}).encode()
FAULTS = (
    "429", "500", "500+", "502", "502+", "504", "504+", "reset", "reset+", "slow+", "garbage+",
)  # fmt: skip
TOO_MANY, REDIRECT = 429, 307


class Server(ThreadingHTTPServer):
    """Answers for one exchange; `fault(method, path)` says what goes wrong, "" = nothing.

    answer   where it is set, every POST gets it: (status, body)
    stall_s  how long a slow body is slow
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.exchange = exchange
        self.fault: Fault = lambda _method, _path: ""
        self.answer: tuple[int, str] | None = None
        self.stall_s = 0.2
        self.requests: list[tuple[str, str]] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what is tried here."""


@contextmanager
def serving(exchange: Exchange) -> Iterator[Server]:
    """A server, until the end of the block."""
    server = Server(exchange)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def log_message(self, *_: Any) -> None:
        """Silent."""

    def _serve(self, method: str) -> None:
        length = int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(length)
        path = urlsplit(self.path).path
        self.server.requests.append((method, self.path))
        fault = self.server.fault(method, path)
        if not fault.endswith("+") and fault:
            self._fail(fault, NOTHING)
            return
        status, body = self._carry_out(method, path, content)
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        if fault:
            self._fail(fault.removesuffix("+"), text)
        else:
            self._send(status, text)

    def _carry_out(self, method: str, path: str, content: bytes) -> Reply:
        exchange = self.server.exchange
        if method == "POST":
            if self.server.answer is not None:
                status, text = self.server.answer
                return status, text.encode()
            return exchange.place(json.loads(content))
        if method == "DELETE":
            return exchange.cancel(path.rpartition("/")[2])
        return exchange.read(path, dict(parse_qsl(urlsplit(self.path).query)))

    def _fail(self, fault: str, text: bytes) -> None:
        if fault == "reset":
            hard = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard)
            self.close_connection = True
            self.connection.close()
        elif fault == "slow":
            self._head(200, len(text) + 1)
            self.wfile.write(text[:1])
            self.wfile.flush()
            time.sleep(self.server.stall_s)
            self.close_connection = True
        elif fault == "garbage":
            self._send(200, b'<html>{"status": "ok"')
        else:
            self._send(int(fault), b"<html>no</html>")

    def _send(self, status: int, text: bytes) -> None:
        self._head(status, len(text))
        self.wfile.write(text)
        self.wfile.flush()

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        if status == TOO_MANY:
            self.send_header("X-RateLimit-Reset", str(int(time.time()) + 1))
        if status == REDIRECT:
            self.send_header("Location", self.server.address + "/v2/orders")
        self.end_headers()
