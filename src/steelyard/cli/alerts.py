"""Alerts of the journal: a line on stderr, exit 1, and a message to an address that was set.

An alert is an event first: it is on the disk before anybody is told, and whatever becomes of the
telling changes nothing of the run.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steelyard.cli.output import ALERTED, note
from steelyard.errors import NotDelivered

if TYPE_CHECKING:
    import ssl

    from steelyard.telemetry.events import PlannerEvent

LOGGER = logging.getLogger("steelyard.alerts")
ALERT = "AlertRaised"
WEBHOOK_S = 3.0
"""To connect, and again for each part of the answer."""
MOST_WAITED_S = 6.0
"""At the end of a command, for messages that are on their way."""
Post = Callable[[Mapping[str, Any]], None]


class Alerts:
    """Told every event of a journal; those that are alerts it passes on.

    post   sends a message to the address that was set; None = there is none
    """

    def __init__(self, post: Post | None) -> None:
        self._post = post
        self._on_their_way: list[threading.Thread] = []

    @classmethod
    def of(cls, home: Path, environment: Mapping[str, str]) -> Alerts:
        """By the settings of execution; raises SettingsError."""
        from steelyard.execution.configuration import load

        webhook = load(home, environment).webhook
        if webhook.url is None:
            return cls(None)
        url = webhook.url.get_secret_value()
        return cls(poster(url, allow_private=webhook.allow_private))

    def __call__(self, event: PlannerEvent) -> None:
        if event.event_type != ALERT:
            return
        ALERTED.append(event.data["code"])
        note(f"alert {event.data['code']}: {event.data['message']}")
        if self._post is None:
            return
        message = {
            "code": event.data["code"],
            "message": event.data["message"],
            "run_id": event.correlation_id,
            "account": event.data["account"],
        }
        thread = threading.Thread(target=self._sent, args=(message,), daemon=True)
        thread.start()
        self._on_their_way.append(thread)

    def close(self) -> None:
        """Wait a little for what is on its way."""
        for thread in self._on_their_way:
            thread.join(MOST_WAITED_S)

    def _sent(self, message: Mapping[str, Any]) -> None:
        try:
            if self._post is not None:
                self._post(message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            # the words of an error may have the address, which may have a secret in it
            LOGGER.warning("The webhook was not told of %s: %s", message["code"], _kind(error))


def poster(url: str, tls: ssl.SSLContext | None = None, *, allow_private: bool = False) -> Post:
    """What sends a message to an address: once, in a few seconds, and not wherever that points.

    tls             None = certificates as usual
    allow_private   may it be an address of this machine or of a private network
    """
    from steelyard.posting import is_success, post

    def send(message: Mapping[str, Any]) -> None:
        body = json.dumps(dict(message), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        status = post(url, body, headers, allow_private=allow_private, seconds=WEBHOOK_S, tls=tls)
        if not is_success(status):
            LOGGER.warning(
                "The webhook was not told of %s: it answered %s", message["code"], status
            )

    return send


def _kind(error: Exception) -> str:
    code = error.fault.code if isinstance(error, NotDelivered) else ""
    return f"{type(error).__name__} {code}".strip()
