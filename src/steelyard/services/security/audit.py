"""The log of who was refused, and who changed something: one line each, to `steelyard.audit`.

    refused status=401 code=unknown_token method=GET path=/plans peer=127.0.0.1 token=- role=-

Never a header, a query or a body, nor the end of a link that signs in: these may hold a secret.
What changed is in the events of the
database, which are written in one transaction with it, or it did not change.
"""

from __future__ import annotations

import json
import logging

from steelyard.services.security.callers import Caller
from steelyard.services.security.heads import Head

LOGGER = logging.getLogger("steelyard.audit")
LONGEST = 200
"""Signs of a path that are logged."""
SIGN_IN = "/sign-in/"
"""How a path begins that ends with a secret."""


def refused(head: Head, status: int, code: str, caller: Caller | None) -> None:
    """A request that was not let through."""
    _log(logging.WARNING, "refused", head, status, code, caller)


def answered(head: Head, status: int, caller: Caller | None) -> None:
    """A request that may have changed something."""
    _log(logging.INFO, "called", head, status, "-", caller)


def _log(level: int, what: str, head: Head, status: int, code: str, caller: Caller | None) -> None:
    fields = {
        "status": status,
        "code": code,
        "method": _plain(head.method),
        "path": _plain(_bare(head.path)),
        "peer": _plain(head.peer or "-"),
        "token": caller.token_id if caller else "-",
        "role": caller.role if caller else "-",
    }
    line = " ".join(f"{name}={value}" for name, value in fields.items())
    LOGGER.log(level, "%s %s", what, line, extra=fields)


def _bare(path: str) -> str:
    """A path without its secret."""
    return f"{SIGN_IN}..." if path.startswith(SIGN_IN) else path


def _plain(text: str) -> str:
    """On one line, and one word; what could begin another is spelled out."""
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return text if text.isascii() and text.isprintable() and " " not in text else json.dumps(text)
