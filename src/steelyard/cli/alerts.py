"""Alerts of the journal: a line on stderr, exit 1, and a message to an address that was set.

An alert is an event first: it is on the disk before anybody is told, and whatever becomes of the
telling changes nothing of the run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steelyard.cli.output import ALERTED, note

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

        url = load(home, environment).webhook.url
        return cls(None if url is None else poster(url.get_secret_value()))

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


def poster(url: str, tls: ssl.SSLContext | None = None) -> Post:
    """What sends a message to an address: once, in a few seconds, and not wherever that points.

    tls   None = certificates as usual
    Raises SettingsError where httpx2 is not installed.
    """
    from steelyard.errors import SettingsError

    try:
        import httpx2
    except ModuleNotFoundError as error:
        mend = 'Install it: pip install "steelyard[execute]"'
        raise SettingsError(
            f"webhook.url needs httpx2, which is not installed. Nothing was sent. {mend}, or unset "
            "it.",
            code="no_execute_extra",
            place="webhook.url",
            hint=mend,
        ) from error

    def post(message: Mapping[str, Any]) -> None:
        with httpx2.Client(
            verify=tls or True, timeout=WEBHOOK_S, follow_redirects=False, trust_env=False
        ) as client:
            answer = client.post(url, json=dict(message))
        if not answer.is_success:
            LOGGER.warning(
                "The webhook was not told of %s: it answered %s",
                message["code"],
                answer.status_code,
            )

    return post


def _kind(error: Exception) -> str:
    return type(error).__name__
