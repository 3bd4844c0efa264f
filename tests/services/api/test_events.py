"""The stream of events, over a real socket: what happens, behind the last that was read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from builders.listening import listening
from builders.management import DEEPER, TOKEN, Asking
from builders.paths import ROOT
from steelyard.execution.journal.opening import open_journal
from steelyard.services.house import House
from steelyard.store import events
from steelyard.telemetry.events import CacheCleared, LimitLoosened
from steelyard.telemetry.recorder import as_kept

Message = Mapping[str, str]
WAIT_S = 20.0


def happen(house: House, count: int, bucket: str = "core") -> None:
    store = house.store()
    events.append(store, [as_kept(CacheCleared(n), store.now(), bucket) for n in range(count)])


@contextmanager
def stream(
    url: str, headers: Mapping[str, str] | None = None, **query: str
) -> Iterator[Iterator[Message]]:
    """The messages of a stream, each as its fields."""
    own = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
    with httpx2.stream("GET", f"{url}/events", headers=own, params=query, timeout=WAIT_S) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield messages(answer.iter_lines())


def messages(lines: Iterator[str]) -> Iterator[Message]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif fields:
            yield fields
            fields = {}


def numbers(rows: Iterator[Message], count: int) -> list[int]:
    return [json.loads(next(rows)["data"])["data"]["planners"] for _ in range(count)]


def test_what_happens_is_told_as_it_happens(app: FastAPI, house: House):
    happen(house, 2)
    with listening(app) as served, stream(served.url) as rows:
        begun = next(rows)
        happen(house, 1)
        row = next(rows)

    assert "data" not in begun
    assert row["event"] == "CacheCleared"
    assert row["id"] > begun["id"]
    told = json.loads(row["data"])
    assert set(told) == {"timestamp", "bucket_id", "event_type", "data", "correlation_id"}
    assert told["bucket_id"] == "core"


def test_who_was_cut_off_goes_on_behind_the_last_and_misses_nothing(app: FastAPI, house: House):
    happen(house, 500)
    with listening(app) as served:
        with stream(served.url, after="0", type="CacheCleared") as rows:
            next(rows)
            first = numbers(rows, 150)
            last = next(rows)["id"]
        happen(house, 3)
        with stream(served.url, {"Last-Event-ID": last}, after="0", type="CacheCleared") as rows:
            next(rows)
            rest = numbers(rows, 352)

    assert [*first, 150, *rest] == [*range(500), *range(3)]


def test_a_stream_is_of_a_bucket_and_a_type(app: FastAPI, house: House, api: Asking):
    happen(house, 1, "tech")
    config_id = api.save("mine", DEEPER)
    with (
        listening(app) as served,
        stream(served.url, bucket="core", type="ConfigurationChanged") as rows,
    ):
        next(rows)
        happen(house, 1)
        api.post("/buckets/core/assign-config", config_id=config_id)
        row = json.loads(next(rows)["data"])

    assert (row["event_type"], row["data"]["name"]) == ("ConfigurationChanged", "mine")


def test_what_the_journal_has_is_told_too(app: FastAPI, house: House):
    with listening(app) as served, stream(served.url) as rows:
        next(rows)
        journal = open_journal(house.home)
        with journal.writing() as change:
            change.tell(LimitLoosened(*"abcd"), "", "core")
        journal.close()
        row = next(rows)

    assert row["event"] == "LimitLoosened"
    assert row["id"].endswith(".1")


@pytest.mark.parametrize(
    ("headers", "query", "status", "code"),
    [
        ({"Origin": "http://evil.example"}, {}, 403, "foreign_origin"),
        ({}, {"bucket": "croe"}, 404, "no_such_event"),
        ({}, {"type": "CacheCleard"}, 404, "no_such_event"),
        ({}, {"after": "x"}, 422, "no_such_place"),
        ({"Last-Event-ID": "1.2.3"}, {}, 422, "no_such_place"),
        ({}, {"bukket": "core"}, 422, "bad_request"),
    ],
)
def test_what_is_refused_is_told_before_the_stream_begins(
    api: Asking, headers: dict[str, str], query: dict[str, str], status: int, code: str
):
    answer = api.ask("GET", "/events", headers=headers, params=query)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


def test_its_own_pages_may_listen(app: FastAPI):
    with listening(app) as served, stream(served.url, {"Origin": served.url}) as rows:
        assert next(rows)["id"]


class Hook(BaseHTTPRequestHandler):
    """Fails once, then takes what comes."""

    calls: list[tuple[str | None, str]]
    failed = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = 204
        if len(self.calls) == 1 and not type(self).failed:
            type(self).failed, status = True, 500
        else:
            self.calls.append((self.headers["Idempotency-Key"], body))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def hook() -> Iterator[tuple[str, list[tuple[str | None, str]]]]:
    """A webhook, and what it was told."""
    kind = type("Once", (Hook,), {"calls": []})
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            calls = kind.calls  # type: ignore[attr-defined]
            yield f"http://127.0.0.1:{server.server_port}/", calls
        finally:
            server.shutdown()
            thread.join()


def test_the_example_hands_every_event_to_a_webhook_that_fails_once(
    app: FastAPI, house: House, tmp_path: Path
):
    example = ROOT / "examples" / "events_to_webhook.py"
    place = tmp_path / "events.place"
    with listening(app) as served, hook() as (address, calls):
        process = subprocess.Popen(
            [sys.executable, str(example), served.url, address], cwd=tmp_path,
            env={**os.environ, "STEELYARD_TOKEN": TOKEN}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            wait(place.exists)
            happen(house, 4)
            wait(lambda: len(calls) >= 4)
        finally:
            process.kill()
            errors = process.communicate()[1]

    assert [json.loads(body)["data"]["planners"] for _, body in calls] == [0, 1, 2, 3]
    assert len({key for key, _ in calls}) == 4
    assert "500" in errors


def test_the_page_on_integrations_shows_the_example_and_it_has_twenty_lines():
    example = (ROOT / "examples" / "events_to_webhook.py").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")

    shown = page.partition("```python events_to_webhook.py\n")[2].partition("```")[0]

    assert shown
    assert shown in example
    assert len(shown.splitlines()) <= 22


def wait(until) -> None:
    deadline = time.monotonic() + WAIT_S
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)
