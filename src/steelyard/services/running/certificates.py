"""Certificates: what a service shows, looked at before it starts, and whom who asks believes."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from steelyard.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: a certificate with its chain, and its key."""

    cert: Path
    key: Path


def certificate_of(cert: Path, key: Path) -> Certificate:
    """Both files; raises SettingsError if they are not that, or need a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"{cert} and {key} are not usable as certificate and key in PEM, without a password: "
            f"{why}. Nothing was started.",
            code="certificate_not_usable",
            place=str(cert),
            value=why,
        ) from error
    return Certificate(cert, key)


def trusting(ca: Path | None) -> ssl.SSLContext:
    """Believes what the system does, and the certificates of a file, each by itself.

    Raises SettingsError if the file has none.
    """
    context = ssl.create_default_context()
    if ca is None:
        return context
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(ca)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"{ca} has no certificates in PEM: {why}. No service was asked.",
            code="ca_not_usable",
            place="services.tls.ca",
            value=why,
        ) from error
    return context
