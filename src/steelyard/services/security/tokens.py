"""The machine's own token, by which its services ask each other: a file that only its owner reads,
or a variable where several machines share it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.errors import SettingsError
from steelyard.services.security.book import SECRET_BYTES, new_secret
from steelyard.services.security.private import make_private, read_private

if TYPE_CHECKING:
    from steelyard.services.house import House

FILE = "token"
VARIABLE = "STEELYARD_TOKEN"
OWN = "own"
"""What stands for its id: it is in no list."""
FEWEST_SIGNS = SECRET_BYTES
"""Of a token that somebody chose."""


def own_token(house: House) -> str:
    """The machine's token, made at its first use; raises SettingsError."""
    secret = chosen_token(house)
    if secret is not None:
        return secret
    path = token_file(house)
    try:
        return checked(read_private(path), str(path))
    except FileNotFoundError:
        make_private(path, new_secret() + "\n")
        return checked(read_private(path), str(path))


def token_file(house: House) -> Path:
    """Where it lies."""
    return house.home / FILE


def chosen_token(house: House) -> str | None:
    """That of the variable, which goes before the file; raises SettingsError for a short one."""
    secret = house.variables.get(VARIABLE)
    return checked(secret, VARIABLE) if secret else None


def checked(text: str, place: str) -> str:
    """A token as it stands in a file or a variable; raises SettingsError."""
    secret = text.strip()
    if len(secret) >= FEWEST_SIGNS and secret.isascii() and secret.isprintable():
        return secret
    raise SettingsError(
        f"{place} has no token of at least {FEWEST_SIGNS} signs of ASCII, but {len(secret)} signs. "
        "Nobody is let in with it. A good one: openssl rand -base64 32",
        code="own_token_too_short",
        place=place,
        value=f"{len(secret)} signs",
        limit=f"{FEWEST_SIGNS} signs",
        hint="openssl rand -base64 32",
    )
