"""The socket: answered one by one, whatever the others do."""

import socket
import stat
import threading
import time
from contextlib import contextmanager

import pytest

from steelyard.errors import NotExecuted
from steelyard.execution.runner import server
from steelyard.execution.runner.client import ask
from steelyard.execution.runner.frames import MOST_ANSWERED, receive
from steelyard.execution.runner.place import alone
from steelyard.execution.runner.server import served

STATUS = {"request": "status"}


@contextmanager
def listening(home, answer=lambda request: {"was": request.request}):
    with alone(home) as secret, served(home, secret, answer):
        yield secret


def raw(home, content: bytes) -> dict:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(home / "runner.sock"))
        link.sendall(content)
        link.shutdown(socket.SHUT_WR)
        return receive(link, MOST_ANSWERED, time.monotonic() + 5)


def test_only_its_user_may_ask_and_the_socket_goes_with_it(tmp_path):
    with listening(tmp_path):
        place = tmp_path / "runner.sock"
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert ask(tmp_path, STATUS) == {"ok": True, "was": "status"}
    assert not place.exists()
    with pytest.raises(NotExecuted, match="does not answer"):
        ask(tmp_path, STATUS)


def test_a_wrong_secret_and_nonsense_are_refused_and_the_next_is_answered(tmp_path, caplog):
    with listening(tmp_path) as secret:
        (tmp_path / "runner.secret").write_text("0" * 64)
        with pytest.raises(NotExecuted) as caught:
            ask(tmp_path, STATUS)
        assert caught.value.fault.code == "wrong_secret"
        assert raw(tmp_path, b"GET / HTTP/1.1\r\n\r\n")["error"]["code"] == "bad_frame"
        assert raw(tmp_path, b"\x00\x01\x00\x01")["error"]["code"] == "bad_frame"
        (tmp_path / "runner.secret").write_text(secret)
        assert ask(tmp_path, STATUS)["ok"]
    assert secret not in caplog.text


def test_one_that_never_ends_its_request_keeps_nobody_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "ASKING_S", 0.3)
    with listening(tmp_path), socket.socket(socket.AF_UNIX) as slow:
        slow.connect(str(tmp_path / "runner.sock"))
        slow.sendall(b"\x00\x00")
        assert ask(tmp_path, STATUS, seconds=2)["ok"]
        assert receive(slow, MOST_ANSWERED, time.monotonic() + 3)["error"]["code"] == "bad_frame"


def test_more_than_it_can_hear_at_once_are_closed_unheard(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "MOST_AT_ONCE", 1)
    free = threading.Event()
    with listening(tmp_path, lambda _: {"waited": free.wait(5)}):
        first = threading.Thread(target=ask, args=(tmp_path, STATUS))
        first.start()
        time.sleep(0.1)
        with pytest.raises(NotExecuted, match="does not answer"):
            ask(tmp_path, STATUS, seconds=1)
        free.set()
        first.join()
        assert ask(tmp_path, STATUS)["ok"]


def test_a_failure_of_ours_is_answered_without_its_words(tmp_path, caplog):
    def fails(_):
        raise ZeroDivisionError("the key is PKXYZ")

    with listening(tmp_path, fails), pytest.raises(NotExecuted) as caught:
        ask(tmp_path, STATUS)
    assert "PKXYZ" not in str(caught.value)
    assert "ZeroDivisionError" in caplog.text
