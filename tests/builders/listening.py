"""An application on a real socket, in a thread of this process: for what is below HTTP."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

from fastapi import FastAPI
from uvicorn import Config, Server

from steelyard.services.security.framing import Careful, options

WAIT_S = 10.0


@dataclass
class Counted:
    """What a server did: bytes that it read of its sockets."""

    port: int
    read: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Without a path."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def listening(
    app: FastAPI, head_seconds: float = 10.0, connections: int = 256, send_buffer: int = 0
) -> Iterator[Counted]:
    """The application on a free port of loopback, until the block ends.

    send_buffer   bytes that the machine takes of an answer before it is read; 0 = as it likes
    """
    counted = Counted(0)

    class Counting(Careful):
        def data_received(self, data: bytes) -> None:
            counted.read.append(len(data))
            super().data_received(data)

    Counting.head_seconds, Counting.most_connections = head_seconds, connections
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if send_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        counted.port = listener.getsockname()[1]
        server = Server(Config(app, log_config=None, lifespan="on", **options(Counting)))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end = time.monotonic() + WAIT_S
        while not server.started and time.monotonic() < end:
            time.sleep(0.01)
        try:
            yield counted
        finally:
            server.should_exit = server.force_exit = True
            thread.join(WAIT_S)


def exchanged(port: int, *parts: bytes, seconds: float = WAIT_S) -> bytes:
    """All that comes back for some bytes until the other end closes; `…` where it does not."""
    with socket.create_connection(("127.0.0.1", port), seconds) as link:
        answer = b""
        try:
            for part in parts:
                link.sendall(part)
            while data := link.recv(65_536):
                answer += data
        except TimeoutError:
            answer += b"..."
        except (ConnectionResetError, BrokenPipeError):
            pass  # it closed before it had read all
        return answer


def statuses(answer: bytes) -> list[int]:
    """Of every response in what came back."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]
