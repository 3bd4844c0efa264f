"""One application on its sockets: uvicorn, one worker, and what a connection may take.

What a request may take, the gate says; here stands what ends a connection before there is one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from h11 import IDLE
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_HEADER_BYTES = 16 * 1024
MOST_CONNECTIONS = 512
"""More are answered 503 at once."""
HEADER_S = 10.0
"""In which a connection has to have sent the header of a request."""
KEPT_OPEN_S = 30
GRACE_S = 10
"""For what is under way when the service is to end."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: a certificate with its chain, and its key."""

    cert: Path
    key: Path


def serve(
    app: FastAPI, sockets: Sequence[socket.socket], certificate: Certificate | None = None
) -> None:
    """Answer until a signal ends the process."""
    config = Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        timeout_keep_alive=KEPT_OPEN_S,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=certificate.cert if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    Server(config).run(sockets=list(sockets))


class _Protocol(H11Protocol):
    """A connection that sends its header by drops, or nothing at all, is closed."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The clock runs from the first moment on."""
        super().connection_made(transport)
        self._late = self.loop.call_later(HEADER_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """A whole header stops it; a part of the next one starts it again."""
        super().data_received(data)
        if self.conn.their_state is not IDLE:
            self._stop()
        elif self._late is None and not self.transport.is_closing():
            self._late = self.loop.call_later(HEADER_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._stop()
        super().connection_lost(exc)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
