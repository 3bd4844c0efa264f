"""Pages as a browser asks for them: a house, somebody who is signed in, forms that were shown.

with signed_in(house) as visitor:
    page = visitor.get("/plans")
    visitor.send("/plans", page, bucket="core", mode="rebalance")
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import httpx2
from fastapi.testclient import TestClient

from steelyard.services.applications import application
from steelyard.services.house import House
from steelyard.services.security.callers import Role
from steelyard.web.signing import new_link

BASE = "http://127.0.0.1"
NONCE = re.compile(r'name="nonce" value="([^"]+)"')
HTML = {"Accept": "text/html"}


@dataclass(frozen=True)
class Visitor:
    """A browser without scripts."""

    client: TestClient

    def get(self, address: str, **more: Any) -> httpx2.Response:
        """A page."""
        return self.client.get(address, headers={**HTML, **more.pop("headers", {})}, **more)

    def send(
        self, address: str, shown: httpx2.Response | str, files: Any = None, **fields: Any
    ) -> httpx2.Response:
        """A form of a page that was shown; of a field name with a dot pass a dict as `more`."""
        text = shown if isinstance(shown, str) else shown.text
        number = NONCE.search(text)
        content = {**fields.pop("more", {}), **fields}
        if number:
            content = {"nonce": number.group(1), **content}
        return self.client.post(address, data=content, files=files, headers=HTML)


@contextmanager
def signed_in(house: House, role: Role = "admin") -> Iterator[Visitor]:
    """Somebody of a role; pages are not followed to where they lead."""
    app = application("ui", house)
    with TestClient(
        app, base_url=BASE, raise_server_exceptions=False, follow_redirects=False
    ) as client:
        answer = client.get(new_link(house.store(), role, ""))
        assert answer.status_code == 303, answer.text
        yield Visitor(client)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.heading: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in {"h1", "style", "script", "title"}:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if self._inside and self._inside[-1] in {"style", "script", "title"}:
            return
        self.parts.append(data)
        if "h1" in self._inside:
            self.heading.append(data)


def words(page: httpx2.Response | str) -> str:
    """What a person reads of a page, on one line."""
    parser = _Text()
    parser.feed(page if isinstance(page, str) else page.text)
    return " ".join(" ".join(parser.parts).split())


def heading(page: httpx2.Response | str) -> str:
    """Its heading."""
    parser = _Text()
    parser.feed(page if isinstance(page, str) else page.text)
    return " ".join(" ".join(parser.heading).split())
