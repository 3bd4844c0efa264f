"""Frames of the runner's socket: four bytes of length, most significant first, and one JSON object.

A frame has to be whole by a deadline, however slowly its bytes come.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

from steelyard.errors import InputError

LENGTH = struct.Struct(">I")
MOST_ASKED = 64 * 1024
"""Bytes of a request."""
MOST_ANSWERED = 8 * 1024 * 1024
PIECE = 64 * 1024


class BadFrame(InputError):
    """What came is no request; nothing was done for it."""

    code = "bad_frame"


def send(link: socket.socket, content: Mapping[str, Any], deadline: float) -> None:
    """Send an object by a deadline of `time.monotonic`; raises OSError."""
    body = json.dumps(content, allow_nan=False).encode()
    link.settimeout(_left(deadline))
    link.sendall(LENGTH.pack(len(body)) + body)


def receive(link: socket.socket, most: int, deadline: float) -> dict[str, Any]:
    """One object; raises BadFrame for what is none, too long, or not whole by then."""
    (length,) = LENGTH.unpack(_exactly(link, LENGTH.size, deadline))
    if not 0 < length <= most:
        raise BadFrame(f"A frame has 1 to {most} bytes, and this one {length}.", value=length)
    try:
        content = json.loads(_exactly(link, length, deadline), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadFrame("A frame has one JSON object.") from error
    if not isinstance(content, dict):
        raise BadFrame("A frame has one JSON object.")
    return content


def _exactly(link: socket.socket, count: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    missing = count
    while missing:
        try:
            link.settimeout(_left(deadline))
            part = link.recv(min(missing, PIECE))
        except OSError as error:
            raise BadFrame(f"The frame was not whole in time: {missing} bytes lack.") from error
        if not part:
            raise BadFrame(f"The frame ended too early: {missing} bytes lack.")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _left(deadline: float) -> float:
    """Seconds to a deadline; raises TimeoutError after it."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
