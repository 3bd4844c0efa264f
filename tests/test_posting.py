"""Messages to an address: only where that may be, and signed so that others can tell."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
import time

import pytest

from builders.told import posts
from steelyard import posting
from steelyard.errors import NotDelivered, SettingsError
from steelyard.posting import addresses_of, is_public, post, signed

NEAR = [
    "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%lo", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.2.1",
]  # fmt: skip


@pytest.mark.parametrize("address", NEAR)
def test_addresses_that_are_not_the_internets_are_told_from_those_that_are(address):
    assert not is_public(address)
    assert is_public("9.9.9.9")
    assert is_public("2620:fe::fe")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "127.1"])
def test_a_private_host_is_refused_however_it_is_written_and_nothing_is_sent(host):
    with posts() as web:
        with pytest.raises(NotDelivered, match=r"not public.*Nothing was sent.*allow_private"):
            post(f"http://{host}:{web.port}/", b"{}", {}, allow_private=False, seconds=2)
        assert web.bodies == []

        assert (
            post(f"http://{host}:{web.port}/a?b=c", b"{}", {}, allow_private=True, seconds=2) == 200
        )
        assert web.bodies == [b"{}"]


@pytest.mark.parametrize("host", ["a\0b", "a" * 300, "nowhere.invalid", "a..b"])
def test_a_name_that_stands_for_nothing_is_told_as_such(host):
    with pytest.raises(NotDelivered, match="has no address"):
        addresses_of(host, 25, allow_private=True)


def test_one_private_address_among_those_of_a_name_refuses_all(monkeypatch):
    def resolved(host, port, **_):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("9.9.9.9", "10.0.0.7")
        ]

    monkeypatch.setattr(posting.socket, "getaddrinfo", resolved)
    with pytest.raises(NotDelivered, match=r"10\.0\.0\.7"):
        addresses_of("two.example", 443, allow_private=False)


def test_nothing_is_followed_and_the_answer_is_what_came():
    with posts() as astray, posts(status=302, location=f"http://127.0.0.1:{astray.port}/") as web:
        status = post(f"http://127.0.0.1:{web.port}/", b"", {}, allow_private=True, seconds=2)

        assert (status, astray.bodies) == (302, [])


@pytest.mark.parametrize("dribble", [False, True])
def test_an_answer_that_never_ends_is_waited_for_no_longer_than_said(dribble):
    def slow(listener: socket.socket) -> None:
        link, _ = listener.accept()
        with link:
            for _ in range(50):
                if dribble:
                    try:
                        link.sendall(b"HTTP/1.1 200 OK\r\nX: 1\r\n"[:1])
                    except OSError:
                        return
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=slow, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/secret"
        began = time.monotonic()
        with pytest.raises(NotDelivered) as caught:
            post(url, b"", {}, allow_private=True, seconds=0.3)

    assert time.monotonic() - began < 2
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["ftp://a/", "https://", "https://u:p@a/", "https://a/#x", "https://a b/", "nothing",
            "https://a:0/", "https://a:99999/", "https://a/\n"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_without_repeating_it(url):
    with pytest.raises(SettingsError, match="no address of a web server") as caught:
        posting.parts_of(url, "webhook.url")
    assert url not in str(caught.value).replace("https://HOST", "")


def test_a_signature_covers_the_time_and_the_body():
    heads = signed(b"key", b'{"a":1}', 1_760_000_000.9)

    expected = hmac.new(b"key", b'1760000000.{"a":1}', hashlib.sha256).hexdigest()
    assert heads == {
        "X-Steelyard-Timestamp": "1760000000",
        "X-Steelyard-Signature": f"v1={expected}",
    }
