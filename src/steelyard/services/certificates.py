"""The certificate that a service shows: PEM files that fit together, looked at before it starts."""

from __future__ import annotations

import ssl
from pathlib import Path

from steelyard.errors import SettingsError
from steelyard.services.server import Certificate


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
