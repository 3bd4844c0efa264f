"""Alerts: an event, a line, exit 1, and a message to an address, which changes nothing."""

import json
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import typer

from builders.commands import run
from steelyard.cli import alerts
from steelyard.cli.alerts import Alerts, poster
from steelyard.cli.output import guarded, write
from steelyard.cli.trading import journal
from steelyard.execution.journal.changes import alert
from steelyard.telemetry.events import AlertRaised, RunnerStarted
from steelyard.telemetry.recorder import as_kept

NOON = datetime(2026, 1, 9, 12, tzinfo=UTC)
ALERT = as_kept(AlertRaised("late_fill", "It came\x1b[2J late.", "acc"), NOON, "core", "r-1")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key", "-out", folder / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@contextmanager
def listening(certificate, status: int = 200, headers=()):
    """A server of https on this machine; gives its port and what it was sent."""
    heard: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Nothing on stderr."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert", certificate / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, heard
    finally:
        server.shutdown()
        server.server_close()


def trusted(certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate / "cert"))


def told(post) -> None:
    listener = Alerts(post)
    listener(as_kept(RunnerStarted(1, "b"), NOON))
    listener(ALERT)
    listener.close()


def test_an_alert_is_told_on_stderr_and_other_events_are_not(capsys):
    told(None)
    assert capsys.readouterr().err == "alert late_fill: It came\\u001b[2J late.\n"


def test_the_webhook_gets_code_message_run_and_account(certificate):
    with listening(certificate) as (port, heard):
        told(
            poster(
                f"https://localhost:{port}/hook?token=xyz", trusted(certificate), allow_private=True
            )
        )
    assert heard == [
        {"code": "late_fill", "message": "It came\x1b[2J late.", "run_id": "r-1", "account": "acc"}
    ]


def test_it_goes_nowhere_that_the_address_points_to(certificate, caplog):
    with listening(certificate) as (other, astray):
        to = [("Location", f"https://localhost:{other}/")]
        with listening(certificate, 307, to) as (port, heard):
            told(poster(f"https://localhost:{port}/", trusted(certificate), allow_private=True))
    assert (len(heard), astray) == (1, [])
    assert "307" in caplog.text


def test_a_webhook_that_fails_is_logged_without_its_address_and_changes_nothing(
    certificate, caplog, monkeypatch
):
    monkeypatch.setattr(alerts, "WEBHOOK_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        told(poster(f"https://localhost:{port}/token-xyz", allow_private=True))
    with listening(certificate) as (port, heard):  # a certificate that nobody vouches for
        told(poster(f"https://localhost:{port}/token-xyz", allow_private=True))
    assert heard == []
    assert caplog.text.count("was not told of late_fill") == 2
    assert "xyz" not in caplog.text


def test_without_a_setting_nothing_is_sent_and_http_is_refused(tmp_path):
    assert Alerts.of(tmp_path, {})._post is None
    name = "STEELYARD_EXECUTION__WEBHOOK__URL"
    with pytest.raises(Exception, match="https://"):
        Alerts.of(tmp_path, {name: "http://localhost/"})


def alerting(message: str) -> None:
    """A command in which an alert is raised."""
    with guarded():
        with journal() as entry, entry.writing() as change:
            alert(change, "", "core", "needs_look", message)
        write("what came of it")


def test_a_command_in_which_an_alert_is_raised_says_all_of_it_ends_with_1_and_it_is_kept(capsys):
    with pytest.raises(typer.Exit) as ended:
        alerting("Look.")
    assert ended.value.exit_code == 1
    assert capsys.readouterr().out == "what came of it"
    with guarded():
        write("the next command")

    (row,) = json.loads(run("events", "--type", "AlertRaised", "--json").stdout)
    assert row["data"] == {"code": "needs_look", "message": "Look.", "account": ""}
