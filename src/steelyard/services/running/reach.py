"""From where a service may be asked: this machine alone, unless somebody says otherwise.

local      loopback
exposed    everywhere, over TLS: `serve --expose`
trusted    a private network that the file names, of containers on one machine; the token is
           not made there, for each of them would make its own
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from steelyard import environment
from steelyard.errors import ServiceError, SettingsError
from steelyard.services.reading.addresses import address_of, network_of
from steelyard.services.running.certificates import Certificate
from steelyard.services.running.sockets import EVERYWHERE, LOOPBACK
from steelyard.services.security.tokens import FILE, VARIABLE
from steelyard.services.topology import Topology


@dataclass(frozen=True, slots=True)
class Reach:
    """Addresses to listen at, names beside loopback's to be called, and a certificate to show."""

    addresses: tuple[str, ...] = LOOPBACK
    names: tuple[str, ...] = ()
    certificate: Certificate | None = None


LOCAL = Reach()


def exposed(certificate: Certificate, names: Iterable[str]) -> Reach:
    """Everywhere, under these names."""
    return Reach(EVERYWHERE, tuple(dict.fromkeys(map(_as_host, names))), certificate)


def usual(topology: Topology, variables: Mapping[str, str], names: Iterable[str]) -> Reach:
    """This machine, of these names and addresses, and the trusted network where there is one.

    Raises SettingsError without a token, ServiceError if this machine is not in the network.
    """
    network = network_of(topology.trusted_network or "")
    if network is None:
        return LOCAL
    _check_token(variables)
    addresses = {name: address_of(name) for name in names}
    own = [name for name, address in addresses.items() if address and address in network]
    if not own:
        raise ServiceError(
            f"This machine has no address in {network}, the trusted network. Nothing was started. "
            "Set services.trusted_network to that of its containers, or leave it out.",
            code="not_in_network",
            place="services.trusted_network",
            value=str(network),
        )
    asked = dict.fromkeys((*topology.allow_hosts, *own))
    return Reach((*LOOPBACK, *own), tuple(map(_as_host, asked)))


def own_names() -> tuple[str, ...]:
    """This machine's name, and the addresses that it has under it."""
    name = socket.gethostname()
    try:
        entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        entries = []
    return (name.lower(), *(str(entry[4][0]) for entry in entries))


def _check_token(variables: Mapping[str, str]) -> None:
    path = environment.home(variables) / FILE
    if variables.get(VARIABLE) or path.exists():
        return
    raise SettingsError(
        f"A trusted network needs a token that all its services share, and {path} is "
        "not there. Nothing was started. Make one, and let each of them have it: "
        "openssl rand -base64 32",
        code="no_shared_token",
        place="services.trusted_network",
        hint="openssl rand -base64 32",
    )


def _as_host(name: str) -> str:
    """A name as a Host header has it."""
    return f"[{name}]" if ":" in name else name
