"""Which Host headers name this service: loopback at its port, and the names it is exposed by.

A page of another name that resolves to 127.0.0.1 sends that name here; so names are compared whole.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PORTS = {"http": 80, "https": 443}


class Hosts:
    """`more`: further names, `name` at the service's own port or `name:port`."""

    def __init__(self, port: int, more: Sequence[str] = ()) -> None:
        self._port = port
        self._more = tuple(_bracketed(name.lower()) for name in more)

    def names(self, host: str, scheme: str, port: int) -> bool:
        """Does a Host header, in lower case, name it? `port` is where the connection came in."""
        at = self._port or port
        return any(host in _spellings(name, scheme, at) for name in (*LOOPBACK, *self._more))


def _spellings(name: str, scheme: str, port: int) -> tuple[str, ...]:
    """How a name is written in a Host header: the usual port of a scheme may be left out."""
    if _has_port(name):
        return (name,)
    return (f"{name}:{port}", name) if PORTS.get(scheme) == port else (f"{name}:{port}",)


def _bracketed(name: str) -> str:
    """An address of IPv6 as a Host header has it."""
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name


def _has_port(name: str) -> bool:
    return name.rpartition(":")[2].isdigit() and not name.endswith("]") and ":" in name


def is_loopback(peer: str) -> bool:
    """Is the other end of a connection on this machine?

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("10.0.0.1"), is_loopback("")
    (True, True, False, False)
    """
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
