"""Who is told, on loopback: a mail server and a web server that keep what they were sent."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Mails:
    """A mail server.

    letters   that were sent, with the recipients of each
    refusing  answer every mail with this line
    silent    take a mail and never answer
    unknown   a recipient that it refuses
    hangs_up  leave without a farewell
    begun     is set once a mail has come whole
    """

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refusing: str = ""
    silent: bool = False
    unknown: str = ""
    hangs_up: bool = False
    begun: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


class _Session(socketserver.StreamRequestHandler):
    """A conversation with whoever sends mail."""

    state: Mails

    def handle(self) -> None:
        """Answer line by line."""
        self.say("220 here")
        to: list[str] = []
        for line in iter(self.rfile.readline, b""):
            word = line.split(b":")[0].strip().upper()
            if word == b"QUIT":
                if not self.state.hangs_up:
                    self.say("221 bye")
                return
            if word == b"DATA":
                self.say("354 go on")
                self.take(to)
            elif word.startswith(b"RCPT"):
                self.invite(line.decode().partition("<")[2].partition(">")[0], to)
            else:
                self.say("250 ok")

    def invite(self, address: str, to: list[str]) -> None:
        """A recipient."""
        if address == self.state.unknown:
            self.say("550 nobody")
        else:
            to.append(address)
            self.say("250 ok")

    def take(self, to: list[str]) -> None:
        """A whole mail."""
        lines = list(iter(self.rfile.readline, b".\r\n"))
        self.state.begun.set()
        if self.state.silent:
            self.state.over.wait(30)
            return
        if not self.state.refusing:
            content = b"".join(line.removeprefix(b".") for line in lines)
            letter = message_from_bytes(content, policy=policy.default)
            self.state.letters.append(letter)  # type: ignore[arg-type]
            self.state.recipients.append(list(to))
        self.say(self.state.refusing or "250 taken")

    def say(self, text: str) -> None:
        """A line."""
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mails(**more: Any) -> Iterator[Mails]:
    """A mail server on a free port of loopback, until the block ends."""
    state = Mails(**more)
    session = type("Session", (_Session,), {"state": state})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), session) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield state
        finally:
            state.over.set()
            server.shutdown()


@dataclass
class Posts:
    """A web server: what it answers, and the heads and bodies that came."""

    port: int = 0
    status: int = 200
    location: str = ""
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The bodies as JSON."""
        return [json.loads(body) for body in self.bodies]


@contextmanager
def posts(**more: Any) -> Iterator[Posts]:
    """A web server on a free port of loopback, until the block ends."""
    state = Posts(**more)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.heads.append(dict(self.headers))
            state.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(state.status)
            if state.location:
                self.send_header("Location", state.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def by_mail(home: Path, port: int, more: str = "") -> None:
    """Write that a mail server of this machine is told."""
    (home / "notify.toml").write_text(
        f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nfrom = "s@example.org"\n'
        f'to = ["me@example.org"]\nallow_private = true\n{more}',
        encoding="utf-8",
    )
