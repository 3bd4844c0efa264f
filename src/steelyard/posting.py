"""Messages to an address that somebody set: once, in a few seconds, and only where that may be.

A name is resolved once, every address that it has is judged, and one of these is connected to, so
that no other answer of a name server comes between. Nothing is followed, no proxy is asked.
Addresses of this machine and of networks that are not public are refused unless they are allowed.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from steelyard.errors import NotDelivered, SettingsError

NOTHING = "Nothing was sent."
ALLOW = "allow_private = true lets it through"
TRANSLATED = ip_network("64:ff9b::/96")
"""Addresses of IPv6 that stand for those of IPv4."""
OK, REDIRECT = 200, 300
MOST_ANSWERED = 65_536
"""Bytes of an answer that are read."""
SIGNATURE, TIMESTAMP = "X-Steelyard-Signature", "X-Steelyard-Timestamp"
PORTS = {"http": 80, "https": 443}


def addresses_of(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Every address of a host; raises NotDelivered for none, and for one that is not public."""
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:  # a name may be too long, or none at all
        raise NotDelivered(
            f"{host!a} has no address: {error}. {NOTHING}", code="no_address", place=host
        ) from error
    addresses = list(dict.fromkeys(str(row[4][0]) for row in rows))
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                raise NotDelivered(
                    f"{host} is {address}, an address of this machine or of a network that is not "
                    f"public. {NOTHING} Where it is meant, {ALLOW}.",
                    code="address_not_public",
                    place=host,
                    value=address,
                    hint=ALLOW,
                )
    return addresses


def is_public(text: str) -> bool:
    """Is it an address that the whole internet can have? One behind another counts.

    >>> is_public("9.9.9.9"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    >>> is_public("169.254.169.254"), is_public("64:ff9b::a00:1"), is_public("fe80::1%eth0")
    (False, False, False)
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        behind = _behind(address)
        if behind is not None:
            return is_public(str(behind))
        if address.scope_id is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _behind(address: IPv6Address) -> IPv4Address | None:
    """The address of IPv4 that one of IPv6 stands for."""
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def connected(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """A connection to the first address that takes one; raises NotDelivered."""
    why: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), seconds)
        except OSError as error:
            why = error
    raise NotDelivered(
        f"Nothing listens at {', '.join(addresses)} port {port}, or it does not answer: {why}. "
        f"{NOTHING}",
        code="not_connected",
        value=port,
    ) from why


@contextmanager
def ended_after(link: socket.socket, seconds: float) -> Iterator[None]:
    """A connection that is over after so long, however slowly the other end talks."""

    def end() -> None:
        try:
            # of TLS too the socket itself: its own shutdown would leave readers without a layer
            socket.socket.shutdown(link, socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def parts_of(url: str, place: str) -> SplitResult:
    """The parts of an address of http or https; raises SettingsError that does not repeat it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = parts.username is None and parts.password is None and not parts.fragment
    sound = url.isascii() and url.isprintable() and " " not in url and port != 0
    if parts.scheme in PORTS and parts.hostname and plain and sound:
        return parts
    raise SettingsError(
        f"{place} is no address of a web server: https://HOST/PATH, without a user. {NOTHING}",
        code="no_web_address",
        place=place,
        limit="https://HOST/PATH",
    )


class _Checked(http.client.HTTPConnection):
    """A connection to addresses that were judged, by TLS under the host's own name."""

    def __init__(
        self, parts: SplitResult, addresses: Sequence[str], tls: ssl.SSLContext | None, wait: float
    ) -> None:
        port = parts.port or PORTS[parts.scheme]
        super().__init__(str(parts.hostname), port, timeout=wait)
        self._addresses, self._tls = addresses, tls
        self.default_port = PORTS[parts.scheme]

    def connect(self) -> None:
        """Connect; raises NotDelivered, OSError."""
        self.sock = connected(self._addresses, self.port, self.timeout or 0)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool,
    seconds: float,
    tls: ssl.SSLContext | None = None,
    place: str = "webhook.url",
) -> int:
    """Send a body once; the status of the answer, whatever it is.

    seconds   to connect, and again for all the rest
    tls       None = certificates as usual
    Raises NotDelivered where no answer came: then nobody knows whether it arrived.
    """
    parts = parts_of(url, place)
    port = parts.port or PORTS[parts.scheme]
    addresses = addresses_of(str(parts.hostname), port, allow_private=allow_private)
    secure = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
    link = _Checked(parts, addresses, secure, seconds)
    target = parts._replace(scheme="", netloc="").geturl() or "/"
    try:
        link.connect()
        with ended_after(link.sock, seconds):
            link.request("POST", target, body, dict(headers))
            answer = link.getresponse()
            answer.read(MOST_ANSWERED)
            return answer.status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotDelivered(
            f"The web server {parts.hostname} gave no answer: {type(error).__name__}. It may have "
            "received the message or not.",
            code="no_answer_of_webhook",
            place=place,
            value=type(error).__name__,
        ) from error
    finally:
        link.close()


def is_success(status: int) -> bool:
    """Did whoever answered so take it?"""
    return OK <= status < REDIRECT


def signed(secret: bytes, body: bytes, at: float) -> dict[str, str]:
    """The heads that say when a body was sent and that it is ours: HMAC-SHA256 of both.

    at   seconds since 1970
    >>> signed(b"secret", b"{}", 1.5)["X-Steelyard-Timestamp"]
    '1'
    """
    moment = str(int(at))
    digest = hmac.new(secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP: moment, SIGNATURE: f"v1={digest}"}
