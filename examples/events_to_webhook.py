"""Every event of Steelyard to a webhook, in order, none lost.

    python events_to_webhook.py http://127.0.0.1:8011 http://127.0.0.1:9000/hook

$STEELYARD_TOKEN has the token. How far it came stands in `events.place`, so that it goes on there
after a fall of either side. An event may come twice, never not at all: the key tells them apart.
"""

import os
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

PLACE = Path("events.place")


def pass_on(service: str, hook: str) -> None:
    """Hand on what comes, until the stream ends."""
    headers = {"Authorization": f"Bearer {os.environ['STEELYARD_TOKEN']}"}
    if PLACE.exists():
        headers["Last-Event-ID"] = PLACE.read_text()
    with urlopen(Request(f"{service}/events", headers=headers), timeout=60) as stream:
        message: dict[str, str] = {}
        for line in stream:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                message[name] = value
                continue
            if "data" in message:
                key = {"Content-Type": "application/json", "Idempotency-Key": message["id"]}
                urlopen(Request(hook, message["data"].encode(), key), timeout=10).close()
            if "id" in message:
                PLACE.write_text(message["id"])
            message = {}


if __name__ == "__main__":
    match sys.argv[1:]:
        case [service, hook]:
            while True:
                try:
                    pass_on(service, hook)
                except OSError as error:
                    print(f"{error}; once more in a second", file=sys.stderr)
                time.sleep(1)
        case _:
            print("Say from where and to where: events_to_webhook.py SERVICE WEBHOOK")
