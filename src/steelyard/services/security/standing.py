"""Does who began to listen still stand? Sessions and tokens may end while a stream is open."""

from __future__ import annotations

from steelyard.services.house import House
from steelyard.services.security.book import entries
from steelyard.services.security.callers import Caller
from steelyard.services.security.sessions import PREFIX
from steelyard.services.security.tokens import OWN
from steelyard.store import sign_ins


def stands(house: House, caller: Caller | None) -> bool:
    """Is its session or token still good? Raises StoreError, SettingsError; blocks."""
    if caller is None or caller.token_id == OWN:
        return True
    if caller.token_id.startswith(PREFIX):
        with house.store().reading() as connection:
            entry = sign_ins.by_id(connection, caller.token_id.removeprefix(PREFIX))
        return entry is not None and entry.is_open(house.utc())
    now = house.utc()
    return any(
        token.id == caller.token_id and token.state(now) == "valid" for token in entries(house.home)
    )
