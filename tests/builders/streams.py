"""An application asked for the beginning of an answer: a stream of events does not end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

SECONDS = 30.0


async def begun(
    app: FastAPI,
    method: str,
    path: str,
    query: bytes,
    headers: Mapping[str, str],
    *,
    port: int = 8011,
) -> int:
    """The status of an answer, after which the client leaves; the peer is another machine."""
    status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    gone = asyncio.Event()
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not status.done():
            status.set_result(message["status"])

    host = "localhost" if port == 80 else f"localhost:{port}"
    pairs = {"host": host, **{name.lower(): value for name, value in headers.items()}}
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": query, "scheme": "http", "http_version": "1.1", "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in pairs.items()],
        "server": ("127.0.0.1", port), "client": ("10.0.0.1", 50_000),
    }  # fmt: skip
    task = asyncio.create_task(app(scope, receive, send))
    try:
        return await asyncio.wait_for(status, SECONDS)
    finally:
        gone.set()
        await asyncio.wait_for(task, SECONDS)
