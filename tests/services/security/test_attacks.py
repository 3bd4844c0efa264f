"""Forty requests that must come to nothing: refused, without detail, without a change, and logged.

What no route serves is not there: 404 or 405. Those of bytes and connections are on real sockets,
in `test_framing.py`; here each other is sent to the coordinator's application.
"""

from __future__ import annotations

import json
import logging
import random
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from builders.asked import Desk
from steelyard import strategies
from steelyard.services.applications import application
from steelyard.services.security.keyring import Keyring
from steelyard.services.security.limits import Limits
from steelyard.services.security.tokens import own_token, token_file

FOREIGN = "http://evil.example"
JSON = {"Content-Type": "application/json"}
CONFIG = {"name": "mine", "config_toml": "[limits]\nmax_turnover_weight = 0.1\n"}
NOT_THERE = frozenset({404, 405, 415})
DETAIL = ("Traceback", 'File "', "sqlite", "SELECT ", "/src/", "root:")
"""What no refusal shows."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    limits = Limits(requests_per_second=1e6, burst=10**6)
    desk = Desk(tmp_path_factory.mktemp("home"), partial(application, "coordinator"), limits)
    with desk.client():
        desk.house.store()
        yield desk


def contents(desk: Desk) -> list[str]:
    """All that the database says."""
    with sqlite3.connect(desk.home / "steelyard.db") as database:
        return list(database.iterdump())


class Attack(NamedTuple):
    """Its number, who sends it, what, and the statuses that it may be answered with."""

    number: int
    role: str | None
    method: str
    path: str
    status: int | frozenset[int]
    more: dict[str, Any] = {}  # noqa: RUF012 read only


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def text(**more: str) -> dict[str, Any]:
    return {"headers": {**JSON, **more}, "content": json.dumps(CONFIG)}


def raw(content: bytes, **more: str) -> dict[str, Any]:
    return {"headers": {**JSON, **more}, "content": content}


def config(**more: Any) -> dict[str, Any]:
    return {"json": {**CONFIG, **more}}


ARM = "/api/runs/1/arm"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
PARTS = b"".join(
    b'--x\r\nContent-Disposition: form-data; name="%d"\r\n\r\n1\r\n' % n for n in range(9999)
)
NAMES = (
    "..%2f..%2fetc%2fpasswd",
    "%252e%252e%252fetc",
    "..%5cwindows",
    "%2e%2e",
    "a%00b",
    "a%0d%0ab",
)
IDS = (
    "1%20OR%201=1",
    "'; DROP TABLE strategies; --",
    "1e3",
    "-1",
    str(2**63),
    "0",
    "1.0",
    "1_0",
    "+1",
    "%201",
    "%D9%A1",
)
URLS = ("http://169.254.169.254/", "file:///etc/passwd", "gopher://x", "http://[::ffff:7f00:1]")

ATTACKS = [
    Attack(1, None, "GET", "/api/plans", 401),
    Attack(2, None, "GET", "/api/plans?token={operator}&access_token={operator}", 401),
    Attack(3, "expired", "GET", "/api/plans", 401),
    Attack(4, "flipped", "GET", "/api/plans", 401),
    Attack(5, "stranger", "GET", "/api/plans", 401),
    Attack(6, "viewer", "POST", "/configs", 403, config()),
    *(Attack(7, "planner", "POST", path, NOT_THERE) for path in (ARM, "/api/arm", "/arm")),
    Attack(8, "operator", "POST", ARM, NOT_THERE, {"json": {}}),
    Attack(9, "operator", "POST", ARM, NOT_THERE, {"json": {"plan_sha256": "0" * 64}}),
    Attack(10, "operator", "POST", ARM, NOT_THERE, {"json": {"code": "123456"}}),
    Attack(11, "operator", "POST", "/api/runs", NOT_THERE, {"json": {"code": "123456"}}),
    Attack(12, "admin", "GET", "/api/plans", 421, {"headers": {"Host": "evil.example:8011"}}),
    Attack(13, "admin", "GET", "/api/plans", 421, {"headers": {"Host": "127.0.0.1:8010"}}),
    Attack(14, "planner", "POST", "/configs", 403, text(Origin=FOREIGN)),
    Attack(14, "planner", "POST", "/configs", 403, text(Origin="http://127.0.0.1:8010")),
    Attack(14, "planner", "POST", "/configs", 403, text(**{"Sec-Fetch-Site": "cross-site"})),
    Attack(14, "planner", "POST", "/configs", 403, text(Origin="null", Cookie="session=1")),
    Attack(15, "planner", "POST", "/configs", 403, text(Origin="null")),
    Attack(16, "planner", "POST", "/configs", 415, text(**{"Content-Type": "text/plain"})),
    Attack(17, "admin", "OPTIONS", "/configs", 403, {
        "headers": {"Origin": FOREIGN, "Access-Control-Request-Method": "POST"}
    }),
    Attack(18, "viewer", "GET", "/events", 403, {"headers": {"Origin": FOREIGN}}),
    *(Attack(19, "admin", method, "/configs", 405) for method in ("TRACE", "CONNECT", "PROPFIND")),
    Attack(19, "viewer", "GET", "/presets", 405, {"headers": {"X-HTTP-Method-Override": "PUT"}}),
    Attack(20, None, "GET", "/api/plans", 401, {"headers": {"X-Forwarded-For": "127.0.0.1"}}),
    *(Attack(21, "viewer", "GET", f"/configs/{name}/history", 422) for name in NAMES),
    *(Attack(21, "viewer", "GET", f"/buckets/{name}/config", 422) for name in NAMES),
    *(
        Attack(21, "planner", "POST", "/configs", 422, config(name=name))
        for name in ("../../etc/passwd", "/etc/passwd", "..\\x", "a b", "", "é", "a" * 100)
    ),
    *(Attack(22, "viewer", "GET", f"/configs/{each}/export", 422) for each in IDS),
    Attack(26, "planner", "POST", "/configs", 422, config(name="a\r\nSet-Cookie: a=b")),
    Attack(28, "planner", "POST", "/configs", 415, {"headers": MULTIPART, "content": PARTS}),
    Attack(30, "planner", "POST", "/configs", 422, raw(deep(100_000))),
    Attack(30, "planner", "POST", "/configs", 422, raw(b'{"name": ' + b"9" * 5000 + b"}")),
    Attack(30, "planner", "POST", "/configs", 422, config(config_toml="a" + ".a" * 20_000 + "=1")),
    Attack(30, "planner", "POST", "/configs", 422, config(config_toml="a = " + "[" * 100_000)),
    Attack(30, "planner", "POST", "/configs", 422, config(config_toml="a = " + "9" * 5000)),
    Attack(31, "planner", "POST", "/configs", 415, text(**{"Content-Encoding": "gzip"})),
    Attack(32, "planner", "POST", "/configs/import", 415, {
        "headers": {"Content-Type": "application/zip"}, "content": b"PK\x03\x04" + b"0" * 100
    }),
    Attack(32, "planner", "POST", "/configs/import", 422, {"json": {"file_path": "/etc/passwd"}}),
    *(
        Attack(34, "planner", "POST", "/configs", 422, raw(b'{"config_toml": %b}' % number))
        for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999")
    ),
    *(
        Attack(34, "planner", "POST", "/configs", 422,
               config(config_toml=f"[limits]\nmax_turnover_weight = {number}\n"))
        for number in ("nan", "inf", "-inf", "1e999")
    ),
    Attack(35, "planner", "POST", "/configs", 422, config(unknown=1)),
    Attack(35, "planner", "POST", "/configs", 422, raw(b'{"name": "a", "name": "b"}')),
    Attack(35, "planner", "POST", "/configs", 422, {"json": {"Name": "mine", "config_toml": ""}}),
    *(
        Attack(36, "planner", "POST", "/configs/import", 422, {"json": {field: url}})
        for field in ("url", "content")
        for url in URLS
    ),
    *(
        Attack(37, "admin", "POST", path, NOT_THERE, {"json": {}})
        for path in ("/plugins", "/api/plugins", "/modules", "/api/modules", "/plugins/enable")
    ),
    Attack(37, "admin", "POST", "/configs", 422,
           config(config_toml='[plugins]\nfolders = ["/tmp"]\n')),
    Attack(40, "operator", "POST", ARM, NOT_THERE, {"json": {"audit": "off"}}),
]  # fmt: skip


@pytest.fixture(scope="module")
def senders(desk: Desk) -> dict[str, str]:
    expired = desk.token("admin", days=1)
    desk.clock.passed += 86_400
    tokens = {role: desk.token(role) for role in ("viewer", "planner", "operator", "admin")}
    own = own_token(desk.house)
    stranger = Desk(desk.home / "other", desk.application).token("admin")
    return {
        **tokens, "expired": expired, "stranger": stranger,
        "flipped": own[:-1] + chr(ord(own[-1]) ^ 1),
    }  # fmt: skip


@pytest.mark.parametrize(
    "attack", ATTACKS, ids=[f"{each.number}-{number}" for number, each in enumerate(ATTACKS)]
)
def test_an_attack_comes_to_nothing(
    desk: Desk, senders: dict[str, str], attack: Attack, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    before = contents(desk)
    peer = f"10.0.0.{ATTACKS.index(attack)}"
    client = desk.client(senders.get(attack.role or ""), peer=peer)
    begin = time.perf_counter()

    response = client.request(attack.method, attack.path.format(**senders), **attack.more)

    seconds = time.perf_counter() - begin
    statuses = attack.status if isinstance(attack.status, frozenset) else {attack.status}
    assert response.status_code in statuses, response.text[:500]
    assert [part for part in DETAIL if part in response.text] == []
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert len(response.content) < 8000
    assert seconds < 2
    assert contents(desk) == before
    audited = [each for each in caplog.records if each.name == "steelyard.audit"]
    assert len(audited) == (attack.method != "GET" or gated(response))
    ours = [vars(each) for each in caplog.records if each.name.startswith("steelyard")]
    assert [who for who, secret in senders.items() if secret in str(ours)] == []


def gated(response: Any) -> bool:
    """Did the gate refuse it, or a role? What a route finds wrong with a question is no refusal."""
    crooked = response.json()["errors"][0]["code"] in {"crooked_path", "control_in_address"}
    return crooked or response.status_code in {401, 403, 405, 421}


def test_every_number_of_the_table_stands_here_or_at_the_sockets_or_below():
    sockets = {13, 27, 29, 33}
    below = {4, 23, 24, 25, 38, 39}

    assert {each.number for each in ATTACKS} | sockets | below == set(range(1, 41))


def test_a_title_of_several_lines_is_only_ever_a_title(desk: Desk, senders: dict[str, str]):
    client = desk.client(senders["planner"])
    title = 'a"\n[limits]\nmax_turnover_weight = 0.9\n# "'

    saved = client.post("/configs", json={**CONFIG, "name": "titled", "title": title})
    assert saved.status_code in {201, 422}
    if saved.status_code == 201:
        text = client.get(f"/configs/{saved.json()['config_id']}/export").text
        again = client.post("/configs/import", json={"content": text, "name": "again"})
        exported = client.get(f"/configs/{again.json()['config_id']}/export").text
        assert strategies.parse(text, "x").limits.max_turnover_weight == 0.1
        assert strategies.parse(exported, "x").limits.max_turnover_weight == 0.1


def test_a_description_that_is_markup_or_a_formula_is_served_as_json_alone(
    desk: Desk, senders: dict[str, str]
):
    client = desk.client(senders["planner"])
    markup = '<script>alert(1)</script>"><img onerror=x> javascript:x =HYPERLINK("x")'

    client.post("/configs", json={**CONFIG, "name": "marked", "description": markup})
    answers = [client.get(path) for path in ("/configs/marked/history", "/api/strategies/marked")]

    for each in answers:
        assert each.headers["content-type"] == "application/json"
        assert each.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in each.headers["content-security-policy"]


def test_a_link_in_place_of_the_token_is_not_followed(desk: Desk, tmp_path: Path):
    other = Desk(tmp_path / "a", desk.application)
    own_token(other.house)
    secret = tmp_path / "secret"
    secret.write_text("s" * 43)
    secret.chmod(0o600)
    token_file(other.house).unlink()
    token_file(other.house).symlink_to(secret)

    assert other.client("s" * 43).get("/api/plans").status_code == 503


def test_after_a_hundred_wrong_tokens_the_right_one_works_from_elsewhere_and_after_a_minute(
    desk: Desk, senders: dict[str, str]
):
    wrong, right = desk.client("w" * 43, peer="10.1.1.1"), senders["viewer"]

    answers = [wrong.get("/api/plans").status_code for _ in range(100)]

    assert answers == [401] * 5 + [429] * 95
    assert desk.client(right, peer="10.1.1.1").get("/api/plans").status_code == 429
    assert desk.client(right, peer="10.1.1.2").get("/api/plans").status_code == 200
    desk.clock.passed += 60
    assert desk.client(right, peer="10.1.1.1").get("/api/plans").status_code == 200


def test_the_time_of_a_wrong_token_says_nothing_of_how_much_of_it_is_right(tmp_path: Path):
    house = Desk(tmp_path, partial(application, "generator")).house
    secret, keys, draw = own_token(house), Keyring(house), random.Random(1)
    near = secret[:-1] + chr(ord(secret[-1]) ^ 1)
    far = "".join(chr(ord(sign) ^ 1) for sign in secret)
    slower = 0

    for _ in range(4000):
        pair = draw.sample((near, far), 2)
        times = {token: _nanoseconds(keys, token) for token in pair}
        slower += times[near] > times[far]

    assert abs(slower / 4000 - 0.5) < 0.1


def _nanoseconds(keys: Keyring, token: str) -> int:
    begin = time.perf_counter_ns()
    keys.verdict(token)
    return time.perf_counter_ns() - begin
