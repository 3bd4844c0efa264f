"""Whose account, at which host, with which keys: read from variables, judged before a connection.

APCA_API_KEY_ID, APCA_API_SECRET_KEY   the keys; those of paper and live accounts differ
APCA_API_BASE_URL                      the host; by default the one of the mode
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from steelyard.brokers.broker import Mode
from steelyard.errors import SettingsError

KEY, SECRET, BASE = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "APCA_API_BASE_URL"
HOSTS: Mapping[Mode, str] = MappingProxyType(
    {"paper": "paper-api.alpaca.markets", "live": "api.alpaca.markets"}
)
DATA = "https://data.alpaca.markets"
HTTPS_PORT = 443


class Secret:
    """A text that nothing prints."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the header that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


@dataclass(frozen=True, slots=True)
class Access:
    """Where to, and as whom; `trading` and `data` are addresses without a path."""

    mode: Mode
    trading: str
    data: str
    key: Secret
    secret: Secret


def access(environment: Mapping[str, str], mode: Mode = "paper") -> Access:
    """From the variables; raises SettingsError where one is missing or the host is another's."""
    missing = [name for name in (KEY, SECRET) if not environment.get(name)]
    if missing:
        raise SettingsError(
            f"Alpaca needs {' and '.join(missing)} in the environment. Nothing was sent.",
            code="no_keys", place=missing[0], hint=f"export {missing[0]}=...",
        )  # fmt: skip
    address = environment.get(BASE) or f"https://{HOSTS[mode]}"
    _check(address, mode)
    keys = (Secret(environment[name]) for name in (KEY, SECRET))
    return Access(mode, f"https://{HOSTS[mode]}", DATA, *keys)


def _check(address: str, mode: Mode) -> None:
    """Only the mode's own host, by https, and nothing in the address but the version's path."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    exact = parts.scheme == "https" and parts.hostname == HOSTS[mode]
    exact = exact and not parts.query and not parts.fragment
    plain = parts.username is None and parts.password is None and port in {None, HTTPS_PORT}
    if exact and plain and parts.path.rstrip("/") in {"", "/v2"}:
        return
    other = {"paper": "live", "live": "paper"}[mode]
    raise SettingsError(
        f"{BASE} is not the {mode} host of Alpaca, and the mode is {mode}. Nothing was connected "
        "to.",
        code="wrong_host", place=BASE, limit=f"https://{HOSTS[mode]}",
        hint=f"unset {BASE}, or ask for {other} where that is meant",
    )  # fmt: skip
