"""A channel set by who does not write the file: one table of `notify.toml`, the others as they are.

The file is written anew and whole, 0600: what it says stays, its comments do not. Whoever sets a
channel this way says to whom things are sent, so that it must not also say which secret goes there:
a file of a secret has a name that only secrets of channels have, and a password that is set another
way stays with its server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steelyard.errors import SettingsError
from steelyard.strategies.writing import toml
from steelyard.watch.channels.private import replace_private
from steelyard.watch.channels.settings import FILE, Channels, built, load

NAMES = ("smtp", "webhook", "apprise", "web")
SECRETS = {"smtp": "password_file", "webhook": "secret_file", "apprise": "urls_file"}
OF_CHANNELS = re.compile(r"(?:mail|webhook|apprise)-[A-Za-z0-9_.-]{1,80}")
"""What the file of a secret is called: the token and the keys of brokers are not."""
NOTHING = "Nothing was changed."


def put(home: Path, name: str, values: Mapping[str, Any] | None) -> Channels:
    """Set the table of a channel, or take it away with None; returns all channels as they are now.

    name   one of NAMES
    Raises SettingsError for values of no use, a file that cannot be read as it is, or not written.
    """
    before = load(home)
    tables = before.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    tables.pop(name, None)
    if values is not None:
        password = _password(before, values) if name == "smtp" else {}
        tables[name] = {**values, **password}
    after = built(tables, home / FILE, NOTHING)
    if name in SECRETS and values is not None:
        _check_secret(before, after, name)
    replace_private(home / FILE, written(after), NOTHING)
    return after


def written(channels: Channels) -> str:
    """The text of the file, with what is set; `settings.load` reads it back."""
    tables = channels.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    blocks = []
    for name in NAMES:
        if tables.get(name):
            lines = [f"{key} = {toml(value)}" for key, value in tables[name].items()]
            blocks.append("\n".join([f"[{name}]", *lines]) + "\n")
    return "\n".join(blocks)


def _password(before: Channels, values: Mapping[str, Any]) -> dict[str, str]:
    """The variable of a password, which stays where the server and who logs in stay."""
    mail = before.smtp
    if mail is None or mail.password_variable is None or values.get("password_file"):
        return {}
    same = (values.get("host"), values.get("user")) == (mail.host, mail.user)
    return {"password_variable": mail.password_variable} if same else {}


def _check_secret(before: Channels, after: Channels, name: str) -> None:
    """Raise SettingsError for a file that is no secret of a channel, and was not there before."""
    key = SECRETS[name]
    file = getattr(getattr(after, name), key)
    if file is None or OF_CHANNELS.fullmatch(file):
        return
    was, now = getattr(before, name), getattr(after, name)
    if was is not None and getattr(was, key) == file and _target(was) == _target(now):
        return
    raise SettingsError(
        f"{name}.{key} is {file[:80]!r}. {NOTHING} Here it is a file beside {FILE} whose name "
        "begins with mail-, webhook- or apprise-, so that no other secret is sent to anybody. "
        f"Another file is named in {FILE} itself.",
        code="secret_not_of_channels",
        place=f"{name}.{key}",
        value=file[:80],
        hint="mail-password, webhook-key or apprise-urls",
    )


def _target(table: object) -> list[object]:
    """Where a channel goes."""
    return [getattr(table, key, None) for key in ("host", "port", "url")]
