"""An application on a loopback socket of its own, for as long as a test asks it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI
from uvicorn import Config, Server


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The address of an application, without a path; at the end its connections are cut."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        host, port = place.getsockname()
        server = Server(Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()
