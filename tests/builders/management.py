"""Asking the management API: a small core, and requests with a token."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
from fastapi.testclient import TestClient
from sqlalchemy import inspect, text

from steelyard import importers
from steelyard.runs.stored import load
from steelyard.store.store import Store

TOKEN = "a-token-of-this-test-and-of-no-other"
DAY = date(2026, 3, 10)
DEEPER = "[search]\nmax_depth = 5\n"
SHALLOW = "[search]\nmax_depth = 3\n"


def load_own(store: Store, folder: Path, bucket: str = "core") -> None:
    """Two securities and some cash, with targets."""
    (folder / "h.csv").write_text("symbol,quantity,price\nAAA,100,10\nBBB,10,20\nCASH:USD,300,\n")
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.5\nBBB,0.4\n")
    files = importers.read(folder / "h.csv", targets=folder / "t.csv")
    load(store, bucket, importers.assemble(files, as_of=DAY), ())


@dataclass(frozen=True)
class Asking:
    """Requests to an application in this process."""

    client: TestClient

    def get(self, path: str, **query: Any) -> httpx2.Response:
        """Read something."""
        return self.ask("GET", path, params=query or None)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        """Ask for a change, with these fields."""
        return self.ask("POST", path, json=fields, headers=headers)

    def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """One request with the token."""
        headers = {"Authorization": f"Bearer {TOKEN}", **(more.pop("headers", None) or {})}
        return self.client.request(method, path, headers=headers, **more)

    def save(self, name: str, toml: str = SHALLOW, **fields: Any) -> int:
        """The id of a new version."""
        answer = self.post("/configs", name=name, title=name, config_toml=toml, **fields)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["config_id"])


def content(store: Store) -> str:
    """A hash of every row of every table: what is written changes it."""
    with store.reading() as connection:
        names = sorted(inspect(connection).get_table_names())
        rows = [(name, connection.execute(text(f"SELECT * FROM {name}")).all()) for name in names]
    return hashlib.sha256(repr(rows).encode()).hexdigest()
