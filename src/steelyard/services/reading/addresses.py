"""Whom a service may ask: this machine, and beyond it what the file lists.

Whoever can write a host into a file, or talk a service into it, must not thereby reach a router, a
cloud's metadata, or a stranger with our token. So no address of a link, none in disguise, nothing
that `allow_hosts` does not have, and nothing without TLS but in `trusted_network`.
"""

from __future__ import annotations

import re
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from steelyard.services.topology import Instance, Topology
from steelyard.strategies.files.problems import shown

WIDEST = {4: 16, 6: 48}
"""Version of the protocol -> fewest bits that the hosts of a trusted network have in common."""
_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_DISGUISED = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)")
"""What a resolver may take for an address: 2130706433, 127.1, 0x7f.1."""


def refused(instance: Instance, topology: Topology) -> str:
    """Why an instance may not be asked; "" if it may."""
    host, address = instance.host, address_of(instance.host)
    if address is None and (not _NAME.fullmatch(host) or _DISGUISED.fullmatch(host)):
        return (
            f"{shown(host)} is neither an address nor a plain host name in lower case; give it "
            "without scheme, user, port or path"
        )
    if address is not None and _nobody(address):
        return f"{host} is no address of one machine that may be asked"
    if instance.here:
        return ""
    if host not in topology.allow_hosts:
        return f'{host} is not this machine; if it is meant, list it: allow_hosts = ["{host}"]'
    return (
        ""
        if instance.tls or _trusted(address, topology)
        else (
            f"{host} is not this machine, and without TLS the token would travel in the open: set "
            "tls = true"
        )
    )


def network_of(text: str) -> IPv4Network | IPv6Network | None:
    """A network that may be trusted: private and small; None if it is not such a one."""
    try:
        network = ip_network(text)
    except ValueError:
        return None
    private = network.is_private and not network.is_loopback and not network.is_link_local
    return network if private and network.prefixlen >= WIDEST[network.version] else None


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is, that of IPv4 behind one of IPv6; None of a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    behind = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return behind or address


def _nobody(address: IPv4Address | IPv6Address) -> bool:
    """Is it of a link, of many, of none? An address with a zone is of a link."""
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and not address.is_loopback)
        or (isinstance(address, IPv6Address) and address.scope_id is not None)
        or (isinstance(address, IPv4Address) and address in ip_network("0.0.0.0/8"))
    )


def _trusted(address: IPv4Address | IPv6Address | None, topology: Topology) -> bool:
    """Is it in the trusted network? A name is, where there is one: its machines give the names."""
    network = network_of(topology.trusted_network or "")
    return network is not None and (address is None or address in network)
