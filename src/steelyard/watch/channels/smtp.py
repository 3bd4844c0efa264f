"""Mail: a text, and the report attached, to a server whose every address was judged."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

from steelyard.errors import NotDelivered, SettingsError
from steelyard.posting import addresses_of, connected, ended_after, is_public
from steelyard.watch.channels.settings import Smtp, secret_in
from steelyard.watch.message import Message

SECONDS = 10.0
"""To connect, and again for each answer."""
ALL_SECONDS = 60.0
"""For the whole of one mail."""
IMPLICIT = 465
"""The port that is TLS from the first byte."""
LONGEST_ANSWER = 200


class _Checked(smtplib.SMTP):
    """A session with addresses that were judged, by TLS under the server's own name."""

    def __init__(self, host: str, addresses: Sequence[str], tls: ssl.SSLContext | None) -> None:
        super().__init__(timeout=SECONDS)
        self._host = host  # the name that a certificate has to be of
        self._addresses, self._tls = addresses, tls

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        link = connected(self._addresses, port, timeout)
        return link if self._tls is None else self._tls.wrap_socket(link, server_hostname=host)


def send(settings: Smtp, message: Message, home: Path, variables: Mapping[str, str]) -> None:
    """Hand a mail to the server; raises NotDelivered, SettingsError.

    Where the server has all of it and no answer comes, it may have been delivered.
    """
    password = _password(settings, home, variables)
    addresses = addresses_of(settings.host, settings.port, allow_private=settings.allow_private)
    near = not all(map(is_public, addresses))
    tls = ssl.create_default_context()
    session = _Checked(settings.host, addresses, tls if settings.port == IMPLICIT else None)
    by_tls = settings.starttls if settings.starttls is not None else not near
    try:
        session.connect(settings.host, settings.port)
        with ended_after(_link(session), ALL_SECONDS):
            if by_tls and settings.port != IMPLICIT:
                session.starttls(context=tls)
            if password is not None and settings.user is not None:
                if not (by_tls or settings.port == IMPLICIT or _of_this_machine(addresses)):
                    raise _in_the_open(settings)
                session.login(settings.user, password)
            letter = mail(settings, message)
            refused = session.send_message(letter, settings.sender, list(settings.to))
            with suppress(OSError, smtplib.SMTPException):
                session.quit()  # it has the mail, whatever becomes of the farewell
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotDelivered(
            f"The mail server {settings.host} did not take it: {_said(error)}.",
            code="mail_not_taken",
            place="smtp",
            value=type(error).__name__,
        ) from error
    finally:
        session.close()
    if refused:
        raise NotDelivered(
            f"The mail server {settings.host} took it, but not for {', '.join(sorted(refused))}.",
            code="recipient_refused",
            place="smtp.to",
            value=len(refused),
        )


def mail(settings: Smtp, message: Message) -> EmailMessage:
    """The mail: its id is that of the message, so that one that comes twice can be recognised."""
    letter = EmailMessage()
    letter["Subject"] = message.subject
    letter["From"] = settings.sender
    letter["To"] = ", ".join(settings.to)
    letter["Date"] = format_datetime(message.at)
    letter["Message-ID"] = f"<{message.key}@steelyard.invalid>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text)
    if message.report is not None:
        letter.add_attachment(message.report, subtype="html", filename=message.report_name)
    return letter


def _password(settings: Smtp, home: Path, variables: Mapping[str, str]) -> str | None:
    if settings.password_file is not None:
        return secret_in(home, settings.password_file, "smtp.password_file")
    if settings.password_variable is None:
        return None
    password = variables.get(settings.password_variable)
    if not password:
        raise SettingsError(
            f"The variable {settings.password_variable}, which smtp.password_variable names, is "
            "not set. Nothing was sent.",
            code="no_password",
            place="smtp.password_variable",
            value=settings.password_variable,
            hint=f"set {settings.password_variable}",
        )
    return password


def _link(session: smtplib.SMTP) -> socket.socket:
    link = session.sock
    if link is None:
        raise smtplib.SMTPServerDisconnected("it hung up")
    return link


def _of_this_machine(addresses: Sequence[str]) -> bool:
    return all(ip_address(text).is_loopback for text in addresses)


def _in_the_open(settings: Smtp) -> SettingsError:
    return SettingsError(
        f"The password would go to {settings.host} in the open. Nothing was sent. Set starttls = "
        "true under [smtp].",
        code="password_in_the_open",
        place="smtp.starttls",
        hint="set starttls = true",
    )


def _said(error: Exception) -> str:
    """What the server answered, without what it was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return f"{error.smtp_code} {' '.join(text.split())[:LONGEST_ANSWER]}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"it refused {len(error.recipients)} of the recipients"
    return str(error)[:LONGEST_ANSWER] or type(error).__name__
