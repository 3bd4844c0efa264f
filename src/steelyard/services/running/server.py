"""One application on its sockets: uvicorn, one worker, and what a connection may take.

What a connection may take says `security.framing`, what a request, the gate.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from fastapi import FastAPI
from uvicorn import Config, Server

from steelyard.services.running.certificates import Certificate
from steelyard.services.security.framing import options

GRACE_S = 10
"""For what is under way when the service is to end."""


def serve(
    app: FastAPI,
    sockets: Sequence[socket.socket],
    certificate: Certificate | None,
    ready: Callable[[], object],
) -> None:
    """Answer until a signal ends the process; `ready` is called when it begins to."""
    config = Config(
        app,
        lifespan="on",
        log_config=None,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=certificate.cert if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
        **options(),
    )
    _Server(config, ready).run(sockets=list(sockets))


class _Server(Server):
    def __init__(self, config: Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does; then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()
