"""Any address that apprise knows: chats, pagers, push; needs the extra `notify`.

An address that is plainly of this machine or of a private network is refused unless it is allowed.
What a name stands for is looked up by apprise itself, and is not judged here.
"""

from __future__ import annotations

import importlib
import socket
import warnings
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from steelyard.errors import NotDelivered, SettingsError
from steelyard.posting import ALLOW, is_public
from steelyard.watch.channels.settings import Apprise, secret_in
from steelyard.watch.message import Message

INSTALL = 'pip install "steelyard[notify]"'
PLACE = "apprise.urls_file"
OF_NEARBY = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def send(settings: Apprise, message: Message, home: Path) -> None:
    """Tell every address of the file; raises NotDelivered where one was not, SettingsError."""
    with warnings.catch_warnings():
        # of what the library will have to change some day: nobody here can
        warnings.simplefilter("ignore")
        _send(_library(), settings, message, home)


def _send(library: Any, settings: Apprise, message: Message, home: Path) -> None:
    lines = secret_in(home, settings.urls_file, PLACE).splitlines()
    urls = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    everyone = library.Apprise(asset=library.AppriseAsset(async_mode=False, storage_mode="memory"))
    for number, url in enumerate(urls, 1):
        if not settings.allow_private and is_near(url):
            raise _refused(
                number, f"it is an address that is not public. Where it is meant, {ALLOW}"
            )
        if not everyone.add(url):
            raise _refused(number, "apprise does not know such an address")
    attached = None if message.report is None else _attachment(message.report, message.report_name)
    if not everyone.notify(title=message.subject, body=message.text, attach=attached):
        raise NotDelivered(
            f"apprise could not tell all of {len(urls)} addresses.", code="apprise_not_told",
            place=PLACE,
        )  # fmt: skip


def _library() -> Any:
    try:
        return importlib.import_module("apprise")
    except ImportError as error:
        raise SettingsError(
            "[apprise] needs the extra `notify`, which is not installed. Nothing was sent. Install "
            f"it: {INSTALL}",
            code="no_notify_extra",
            place="apprise",
            hint=INSTALL,
        ) from error


def _attachment(html: str, name: str) -> Any:
    memory = importlib.import_module("apprise.attachment.memory")
    return memory.AttachMemory(content=html, name=name, mimetype="text/html")


def is_near(url: str) -> bool:
    """Is it plainly an address of this machine or of a network that is not public?"""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return True
    if host == "localhost" or host.endswith(OF_NEARBY):
        return True
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        return _is_near_number(host)


def _is_near_number(host: str) -> bool:
    """Does a resolver read it as a number of this machine or a private network: 127.1, 0x7f000001?

    A number alone may as well be an account of a chat: then only what is plainly near is refused.
    """
    try:
        address = IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return False
    return not is_public(str(address)) and not (host.isdecimal() and address.is_reserved)


def _refused(number: int, why: str) -> SettingsError:
    return SettingsError(
        f"Address {number} of {PLACE}: {why}. Nothing was sent.",
        code="apprise_address",
        place=PLACE,
        value=number,
    )
