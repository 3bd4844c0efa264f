"""Tokens: the machine's own, in a file that only its owner reads."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from steelyard.services.house import House
from steelyard.services.security.roles import Caller

FILE = "token"
VARIABLE = "STEELYARD_TOKEN"


def own_token(house: House) -> str:
    """The machine's token, made at its first use: `$STEELYARD_TOKEN`, or the file, 0600."""
    secret = house.variables.get(VARIABLE)
    if secret:
        return secret
    path = token_file(house)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    return path.read_text(encoding="ascii").strip()


def token_file(house: House) -> Path:
    """Where it lies."""
    return house.home / FILE


def caller_with(house: House, secret: str) -> Caller | None:
    """Whose token it is; None if nobody's."""
    if secret and hmac.compare_digest(secret.encode(), own_token(house).encode()):
        return Caller("own", "admin")
    return None
