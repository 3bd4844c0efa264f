"""HTTP/1.1 as strictly as it is written: before ASGI, where bytes become requests.

    lines     end with CR LF; a bare LF, two lengths, or a length and chunks are refused
    time      a head is here within 10 seconds, or the connection ends (slow loris)
    number    of too many connections, the one that has been idle longest makes way
    headers   none says which server this is; those of a proxy are not believed

`options(…)` are the arguments of uvicorn's `Config` that this needs.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from steelyard.services.problems import MEDIA_TYPE
from steelyard.services.security.limits import MOST_HEAD_BYTES
from steelyard.services.security.reply import HEADERS

HEAD_SECONDS = 10.0
MOST_CONNECTIONS = 256
HEAD = re.compile(rb".*?\r?\n\r?\n", re.DOTALL)
BARE = re.compile(rb"(?<!\r)\n")
LENGTHS = re.compile(rb"(?mi)^(?:content-length|transfer-encoding)[ \t]*:")


class Careful(H11Protocol):
    """One connection."""

    head_seconds = HEAD_SECONDS
    most_connections = MOST_CONNECTIONS
    idle_since: float | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A head has to be here in time from now on."""
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self._wait()
        if len(self.connections) > self.most_connections:
            self._make_way()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The first byte of a head begins its time, the last ends it."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._wait()

    def handle_events(self) -> None:
        """Look at a head before it is read."""
        if self.conn.their_state is h11.IDLE and _is_bad(bytes(self.conn.trailing_data[0])):
            self.send_400_response("The request is not framed as HTTP/1.1 has it.")
            return
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
            self.idle_since = None

    def on_response_complete(self) -> None:
        """From now on it is idle, unless the next request is here already."""
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse, and close."""
        fault = {"code": "bad_framing", "message": f"{msg} Nothing was done."}
        body = json.dumps(
            {
                "type": "urn:steelyard:problem:bad_framing",
                "title": "Bad Request",
                "status": 400,
                "detail": fault["message"],
                "errors": [fault],
            }
        ).encode()
        headers = {
            **HEADERS, "Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)),
            "Connection": "close",
        }  # fmt: skip
        head = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def end(self) -> None:
        """Cut it off."""
        self._wait_no_more()
        self.transport.abort()

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self.end)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _make_way(self) -> None:
        """End what has been idle longest: a connection in use sends its head at once."""
        idle = [
            (each.idle_since, id(each), each)
            for each in self.connections
            if isinstance(each, Careful) and each.idle_since is not None
        ]
        min(idle)[2].end()


def _is_bad(data: bytes) -> bool:
    """Is a head, as far as it is here, one that two readers may read differently?"""
    match = HEAD.match(data)
    head = match[0] if match else data
    return BARE.search(head) is not None or len(LENGTHS.findall(head)) > 1


def options(protocol: type[Careful] = Careful) -> dict[str, Any]:
    """What uvicorn's `Config` is told, besides application, host, port, TLS and log."""
    return {
        "http": protocol,
        "ws": "none",
        "h11_max_incomplete_event_size": MOST_HEAD_BYTES,
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "timeout_keep_alive": 30,
    }
