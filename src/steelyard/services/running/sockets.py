"""Where a service listens: its sockets, bound before anything heavy is imported.

Both addresses of this machine's loopback, or, where a service is asked from elsewhere, those of
`Exposure`. A bound socket refuses connections until it listens, so nobody waits for a service that
is not there.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import suppress

from steelyard.errors import ServiceError

LOOPBACK = ("127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104, only with --expose, which needs TLS
NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""This machine has no such kind of address."""
TRIES = 20
"""For a port that is free at all addresses."""


def bound(hosts: Sequence[str], port: int) -> tuple[socket.socket, ...]:
    """A socket of each address that this machine has, all on one port; 0 = a free one.

    Raises ServiceError if the port is not to be had at one of them.
    """
    if port:
        return _all(hosts, port)
    for _ in range(TRIES):
        with suppress(ServiceError):
            return _all(hosts, 0)
    return _all(hosts, 0)


def port_of(sockets: Sequence[socket.socket]) -> int:
    """Where they listen."""
    number: int = sockets[0].getsockname()[1]
    return number


def _all(hosts: Sequence[str], port: int) -> tuple[socket.socket, ...]:
    sockets: list[socket.socket] = []
    try:
        for host in hosts:
            try:
                sockets.append(_one(host, port_of(sockets) if sockets else port))
            except OSError as error:
                if not sockets or error.errno not in NOT_HERE:
                    raise _not_bound(host, port, error) from error
    except BaseException:
        for each in sockets:
            each.close()
        raise
    return tuple(sockets)


def _one(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    each = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have one port
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        each.bind((host, port))
    except BaseException:
        each.close()
        raise
    return each


def _not_bound(host: str, port: int, error: OSError) -> ServiceError:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return ServiceError(
            f"Port {port} is in use at {where}. Nothing was started. End what listens there, or "
            "choose another with --port or --base-port.",
            code="port_in_use",
            place=where,
            value=port,
            hint="choose another with --port or --base-port",
        )
    return ServiceError(
        f"Nothing can listen at {where}: {error.strerror or error}. Nothing was started. Choose a "
        "port over 1,023 with --port or --base-port.",
        code="not_bound",
        place=where,
        value=port,
        hint="choose a port over 1,023",
    )
