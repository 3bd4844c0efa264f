"""Ways to tell somebody: mail, a signed webhook, whatever apprise knows.

In comes a `Message`, out goes nothing; what does not arrive raises. `settings` reads who is told,
`private` the files that have secrets. A way is added as a file with `send`, a section of
`settings.Channels`, and a line in `ways`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from steelyard.watch.channels import by_apprise, smtp, webhook
from steelyard.watch.channels.settings import Channels
from steelyard.watch.message import Message


@dataclass(frozen=True, slots=True)
class Way:
    """A channel that is set.

    name    smtp, webhook or apprise
    where   to whom, for people; never a secret
    send    tells a message; raises NotDelivered, SettingsError
    """

    name: str
    where: str
    send: Callable[[Message], None]


def ways(
    channels: Channels, home: Path, variables: Mapping[str, str], clock: Callable[[], float]
) -> tuple[Way, ...]:
    """The channels that are set.

    clock   seconds since 1970
    """
    rows: list[Way] = []
    if (mail := channels.smtp) is not None:
        where = f"{', '.join(mail.to)} by {mail.host}:{mail.port}"
        rows.append(Way("smtp", where, lambda m: smtp.send(mail, m, home, variables)))
    if (hook := channels.webhook) is not None:
        where = str(urlsplit(hook.url).hostname)  # its path may be a secret
        rows.append(Way("webhook", where, lambda m: webhook.send(hook, m, home, clock())))
    if channels.apprise is not None:
        where = f"the addresses of {channels.apprise.urls_file}"
        rows.append(Way("apprise", where, partial(by_apprise.send, channels.apprise, home=home)))
    return tuple(rows)
