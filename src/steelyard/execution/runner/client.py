"""Asking the runner of a folder, which needs no keys."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steelyard.errors import InputError, NotExecuted
from steelyard.execution.runner.frames import MOST_ANSWERED, receive, send
from steelyard.execution.runner.place import SOCKET, secret_of
from steelyard.execution.runner.requests import SECRET

ANSWER_S = 90.0
"""Before the run of a plan begins, every rail has looked at it."""


def ask(home: Path, request: Mapping[str, Any], seconds: float = ANSWER_S) -> dict[str, Any]:
    """The answer; raises NotExecuted where there is no runner, and with what it refuses."""
    secret, deadline = secret_of(home), time.monotonic() + seconds
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(seconds)
            link.connect(str(home / SOCKET))
            send(link, {**request, SECRET: secret}, deadline)
            answer = receive(link, MOST_ANSWERED, deadline)
    except (OSError, InputError) as error:
        raise NotExecuted(
            f"The runner of {home} does not answer: {error}. What it had begun is in the journal. "
            "See: steelyard runs. Start it with: steelyard runner",
            code="runner_silent",
            place=str(home / SOCKET),
            hint="steelyard runner",
        ) from error
    if answer.get("ok") is not True:
        raise _refused(answer.get("error"))
    return answer


def _refused(error: object) -> NotExecuted:
    words = error if isinstance(error, dict) else {}

    def of(name: str) -> str:
        return str(words.get(name) or "")

    return NotExecuted(
        of("message") or "The runner refused, and did not say why.",
        code=of("code"),
        place=of("place"),
        value=of("value"),
        hint=of("hint"),
    )
