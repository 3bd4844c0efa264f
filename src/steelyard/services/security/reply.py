"""The way out: the headers that every answer has, its status, and a limit to open streams."""

from __future__ import annotations

from starlette.types import Message, Send

from steelyard.services.security.rates import Room

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer says, unless its route says something else."""
ALWAYS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
STREAM = b"text/event-stream"


class NoStream(Exception):
    """As many streams of events are open as may be."""


class Reply:
    """`send` of one request. A stream of events moves from the `room` of requests to `streams`.

    unread   bytes of the body that nobody has read, as far as the head says
    """

    def __init__(self, send: Send, room: Room, streams: Room, unread: float) -> None:
        self._send, self._streams = send, streams
        self.room, self.unread = room, unread
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """Pass a message on; raises NoStream before the first byte of a stream too many."""
        if message["type"] == "http.response.start":
            headers = {name.lower(): value for name, value in message["headers"]}
            if headers.get(b"content-type", b"").startswith(STREAM):
                self._move()
            more = [each for each in ALWAYS if each[0] not in headers]
            message["headers"] = [*message["headers"], *more]
            self.status = message["status"]
        await self._send(message)

    def _move(self) -> None:
        if not self._streams.enter():
            raise NoStream
        self.room.leave()
        self.room = self._streams
