"""The runner's socket: each connection asks once, in a thread of its own, and is answered once."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from steelyard.errors import SteelyardError
from steelyard.execution.runner.frames import MOST_ASKED, BadFrame, receive, send
from steelyard.execution.runner.place import free_socket
from steelyard.execution.runner.requests import Request, request_of

LOGGER = logging.getLogger("steelyard.runner")
ASKING_S = 5.0
"""In which a request has to be whole, and an answer be read."""
MOST_AT_ONCE = 16
"""Connections; one more is closed unheard."""
Answer = Callable[[Request], Mapping[str, Any]]


@contextmanager
def served(home: Path, secret: str, answer: Answer) -> Iterator[None]:
    """Answer on the folder's socket while the block runs; only under the runner's lock."""
    path = free_socket(home)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        before = os.umask(0o177)
        try:
            door.bind(str(path))
        finally:
            os.umask(before)
        own = path.lstat().st_ino
        try:
            door.listen(MOST_AT_ONCE)
            threading.Thread(target=_listen, args=(door, secret, answer), daemon=True).start()
            yield
        finally:
            with suppress(FileNotFoundError):
                if path.lstat().st_ino == own:
                    path.unlink()


def _listen(door: socket.socket, secret: str, answer: Answer) -> None:
    seats = threading.Semaphore(MOST_AT_ONCE)
    while True:
        try:
            link, _ = door.accept()
        except OSError:
            return  # it is closed: the runner ends
        if not seats.acquire(blocking=False):
            link.close()
            continue
        threading.Thread(target=_heard, args=(link, secret, answer, seats), daemon=True).start()


def _heard(link: socket.socket, secret: str, answer: Answer, seats: threading.Semaphore) -> None:
    try:
        with link:
            content = _answered(link, secret, answer)
            send(link, content, time.monotonic() + ASKING_S)
    except OSError as error:
        LOGGER.info("Who asked the runner is gone: %s", error.strerror or type(error).__name__)
    finally:
        seats.release()


def _answered(link: socket.socket, secret: str, answer: Answer) -> dict[str, Any]:
    try:
        content = receive(link, MOST_ASKED, time.monotonic() + ASKING_S)
        return {"ok": True, **answer(request_of(content, secret))}
    except BadFrame as error:
        LOGGER.warning("The runner was asked nonsense: %s", error)
        return {"ok": False, "error": asdict(error.fault)}
    except SteelyardError as error:
        LOGGER.warning("The runner refused a request: %s", error)
        return {"ok": False, "error": asdict(error.fault)}
    except Exception:
        LOGGER.exception("The runner failed at a request; nothing was done for it.")
        message = "The runner failed at this request. See its log."
        return {"ok": False, "error": {"code": "runner_failed", "message": message}}
