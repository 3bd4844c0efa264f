"""A signed webhook: the message as JSON, once a try, to an address that was judged."""

from __future__ import annotations

import json
from pathlib import Path

from steelyard.errors import NotDelivered
from steelyard.posting import is_success, post, signed
from steelyard.watch.channels.settings import Webhook, secret_in
from steelyard.watch.message import Message

SECONDS = 10.0


def send(settings: Webhook, message: Message, home: Path, at: float) -> None:
    """Send it; raises NotDelivered for anything but a success, SettingsError.

    at   seconds since 1970, which the signature covers
    """
    secret = secret_in(home, settings.secret_file, "webhook.secret_file")
    document = dict(message.document)
    if settings.report:
        document["report_html"] = message.report
    body = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": message.key,
        "User-Agent": "steelyard",
        **signed(secret.encode(), body, at),
    }
    status = post(
        settings.url, body, headers, allow_private=settings.allow_private, seconds=SECONDS
    )
    if not is_success(status):
        raise NotDelivered(
            f"The webhook answered {status}.",
            code="webhook_refused",
            place="webhook.url",
            value=status,
            limit="200 to 299",
        )
