"""What the gate lets through, and what it says of what it does not."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body, Request
from fastapi.responses import StreamingResponse

from builders.asked import Desk, code, of_routers
from builders.paths import ROOT
from steelyard.services.security.book import revoke
from steelyard.services.security.limits import Limits
from steelyard.services.security.roles import caller_of, needs
from steelyard.services.security.tokens import own_token, token_file

router = APIRouter()
SECURITY = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@router.get("/me", dependencies=[needs("viewer")])
def me(request: Request) -> dict[str, Any]:
    caller = caller_of(request)
    return {"role": caller.role if caller else None}


@router.get("/coordinator/health")
def health(request: Request) -> dict[str, Any]:
    return {"details": caller_of(request) is not None}


@router.post("/coordinator/echo", dependencies=[needs("planner")])
@router.post("/echo", dependencies=[needs("planner")])
def echo(body: Annotated[Any, Body()] = None) -> Any:
    return body


@router.put("/coordinator/contexts/{name}", dependencies=[needs("planner")])
def put(name: str, body: Annotated[str, Body()]) -> int:
    return len(body)


@router.get("/fails", dependencies=[needs("viewer")])
def fails() -> None:
    raise RuntimeError("a secret in a message")


@router.get("/private", dependencies=[needs("admin")])
def private() -> None:
    """For an admin."""


@router.get("/waits", dependencies=[needs("viewer")])
async def waits(request: Request) -> None:
    await request.app.state.bell.wait()


@router.get("/stream", dependencies=[needs("viewer")])
def stream(request: Request) -> StreamingResponse:
    async def events() -> Any:
        yield "data: 1\n\n"
        await request.app.state.bell.wait()

    return StreamingResponse(events(), media_type="text/event-stream")


def desk_in(home: Path, **limits: Any) -> Desk:
    return Desk(home, of_routers(router), Limits(**limits))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_in(tmp_path)


def test_who_asks_with_a_token_is_known_by_its_role(desk: Desk):
    assert desk.as_role("planner").get("/me").json() == {"role": "planner"}
    assert desk.client(own_token(desk.house)).get("/me").json() == {"role": "admin"}


def test_no_token_another_kind_of_it_and_one_in_the_query_are_refused(desk: Desk):
    token, client = desk.token(), desk.client()
    refusals = [
        client.get("/me"),
        client.get(f"/me?token={token}&access_token={token}"),
        client.get("/me", headers={"Authorization": f"Basic {token}"}),
        client.get("/me", headers={"Authorization": "Bearer"}),
        client.get("/me", headers={"X-Api-Key": token, "Cookie": f"token={token}"}),
    ]

    assert {(each.status_code, code(each)) for each in refusals} == {(401, "no_token")}
    assert {each.headers["www-authenticate"] for each in refusals} == {"Bearer"}


def test_health_is_open_to_all_and_its_details_to_who_has_a_token(desk: Desk):
    assert desk.client(peer="10.0.0.1").get("/coordinator/health").json() == {"details": False}
    assert desk.as_role("viewer").get("/coordinator/health").json() == {"details": True}
    assert desk.client("x" * 43).get("/coordinator/health").status_code == 401
    assert desk.client().post("/coordinator/health").status_code == 401
    assert desk.client().get("/other/health").status_code == 401
    assert desk.client().get("/coordinator/health/").status_code == 401


def test_metrics_are_open_to_this_machine_alone_whatever_a_header_says(desk: Desk):
    forged = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "::1"}

    assert desk.client(peer="::1").get("/metrics").status_code == 200
    assert desk.client(peer="10.0.0.1").get("/metrics", headers=forged).status_code == 401
    assert desk.as_role("viewer", peer="10.0.0.1").get("/metrics").status_code == 200


def test_every_answer_has_the_headers_of_security_refusals_and_faults_too(desk: Desk):
    client = desk.as_role("viewer")
    answers = [client.get(path) for path in ("/me", "/nowhere", "/private", "/fails", "/a//b")]

    assert [each.status_code for each in answers] == [200, 404, 403, 500, 422]
    for each in [*answers, desk.client().get("/me")]:
        assert SECURITY.items() <= dict(each.headers).items()
        assert "server" not in each.headers
        assert not [name for name in each.headers if name.startswith("access-control")]


def test_a_fault_is_a_problem_without_its_text(desk: Desk, caplog: pytest.LogCaptureFixture):
    response = desk.as_role("viewer").get("/fails")

    assert response.status_code == 500
    assert response.json()["errors"][0]["code"] == "internal_fault"
    assert "secret" not in response.text
    assert "RuntimeError" in caplog.text


def test_the_fifth_wrong_token_locks_an_address_out_for_a_minute_and_no_other(desk: Desk):
    token = desk.token()
    wrong, right = desk.client("w" * 43), desk.client(token)

    assert [wrong.get("/me").status_code for _ in range(100)] == [401] * 5 + [429] * 95
    refusal = right.get("/me")
    assert (refusal.status_code, code(refusal)) == (429, "locked_out")
    assert refusal.headers["retry-after"] == "60"
    assert desk.client(token, peer="::1").get("/me").status_code == 200

    desk.clock.passed += 60
    assert right.get("/me").status_code == 200


def test_no_token_an_expired_one_and_a_revoked_one_are_no_guesses(desk: Desk):
    expired, revoked, right = desk.token(days=1), desk.token(), desk.token(days=3)
    revoke(desk.home, _id(desk, revoked), desk.clock.utc())
    desk.clock.passed += 86_400

    for token, why in ((None, "no"), (expired, "expired"), (revoked, "revoked")):
        refusals = [desk.client(token).get("/me") for _ in range(20)]
        assert {(each.status_code, code(each)) for each in refusals} == {(401, f"{why}_token")}
    assert desk.client(right).get("/me").status_code == 200


def _id(desk: Desk, token: str) -> str:
    from steelyard.services.security.book import digest, entries

    return next(each.id for each in entries(desk.home) if each.sha256 == digest(token))


def test_a_token_may_ask_so_often_and_the_machines_own_services_as_often_as_they_like(
    tmp_path: Path,
):
    desk = desk_in(tmp_path, requests_per_second=20, burst=60)
    client, other = desk.as_role("planner"), desk.as_role("planner")
    own = desk.client(own_token(desk.house))

    answers = [client.get("/me") for _ in range(61)]
    assert [each.status_code for each in answers] == [200] * 60 + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert code(answers[-1]) == "too_fast"
    assert other.get("/me").status_code == 200

    between = [own.post("/coordinator/echo", json=1).status_code for _ in range(100)]
    managing = [own.get("/me").status_code for _ in range(61)]
    assert (set(between), managing[-1]) == ({200}, 429)
    desk.clock.passed += 0.05
    assert [client.get("/me").status_code for _ in range(2)] == [200, 429]


def test_tokens_that_cannot_be_read_let_nobody_in_and_health_is_still_told(desk: Desk):
    token = desk.token()
    (desk.home / "tokens.json").write_text("{")

    refusal = desk.client(token).get("/me")

    assert (refusal.status_code, code(refusal)) == (503, "no_tokens")
    assert str(desk.home) not in refusal.text
    assert desk.client().get("/coordinator/health").status_code == 200


def test_a_request_never_makes_the_machines_token(desk: Desk):
    assert desk.client("x" * 43).get("/me").status_code == 401
    assert not token_file(desk.house).exists()


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ("application/json; charset=latin-1", 415),
        ("application/json, text/plain", 415),
        ("application/jsonx", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
def test_a_body_is_json_by_its_type(desk: Desk, content_type, status):
    response = desk.as_role("planner").post(
        "/echo", content=b"1", headers={"Content-Type": content_type}
    )

    assert response.status_code == status


def test_a_body_reaches_its_handler_as_it_was_sent(desk: Desk):
    client = desk.as_role("planner")
    large = {"a": ["x" * 1000] * 1000}

    assert client.post("/echo", json={"a": [1, "ü"]}).json() == {"a": [1, "ü"]}
    assert client.post("/echo", json=large).json() == large
    assert client.post("/echo").json() is None


def test_a_body_has_a_megabyte_at_most_and_a_context_sixteen(desk: Desk):
    client = desk.as_role("planner")
    headers = {"Content-Type": "application/json"}

    def sent(path: str, size: int, method: Callable[..., Any]) -> int:
        content = b'"' + b"x" * (size - 2) + b'"'
        return int(method(path, content=content, headers=headers).status_code)

    assert sent("/echo", 1 << 20, client.post) == 200
    assert sent("/echo", (1 << 20) + 1, client.post) == 413
    assert sent("/coordinator/contexts/a", 16 << 20, client.put) == 200
    assert sent("/coordinator/contexts/a", (16 << 20) + 1, client.put) == 413
    assert sent("/coordinator/contexts/a/b", 2 << 20, client.put) == 413


def scope_of(desk: Desk, path: str, token: str, method: str = "GET") -> dict[str, Any]:
    headers = [(b"host", b"127.0.0.1:8011"), (b"authorization", f"Bearer {token}".encode())]
    return {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": headers, "scheme": "http", "http_version": "1.1",
        "server": ("127.0.0.1", 8011), "client": ("127.0.0.1", 50_000), "root_path": "",
        "app": desk.app, "state": {},
    }  # fmt: skip


class Call:
    """One request to an application in the running loop, which its client can leave."""

    def __init__(self, desk: Desk, path: str, token: str, method: str = "GET", **more: str) -> None:
        self.status, self.begun, self.gone = 0, asyncio.Event(), asyncio.Event()
        scope = scope_of(desk, path, token, method)
        scope["headers"] += [(name.encode(), value.encode()) for name, value in more.items()]
        self.task = asyncio.create_task(desk.app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.begun.set()

    async def answer(self) -> int:
        await asyncio.wait_for(self.begun.wait(), 10)
        return self.status


def test_so_many_requests_are_answered_at_once_and_then_it_is_busy(tmp_path: Path):
    desk = desk_in(tmp_path, in_flight=3)
    token = desk.token()

    async def asked() -> list[int]:
        desk.app.state.bell = asyncio.Event()
        waiting = [Call(desk, "/waits", token) for _ in range(3)]
        await asyncio.sleep(0.05)
        busy = await Call(desk, "/me", token).answer()
        desk.app.state.bell.set()
        answers = [await each.answer() for each in waiting]
        return [busy, *answers, await Call(desk, "/me", token).answer()]

    assert asyncio.run(asked()) == [503, 200, 200, 200, 200]


def test_who_dawdles_with_bodies_keeps_nobody_else_from_sending(tmp_path: Path):
    desk = desk_in(tmp_path, in_flight=8, sending=3)
    slow, other = desk.token(), desk.token("planner")
    body = {"content-type": "application/json", "content-length": "100"}

    async def asked() -> list[int]:
        dawdling = [Call(desk, "/echo", slow, "POST", **body) for _ in range(3)]
        await asyncio.sleep(0.05)
        answers = [
            await Call(desk, "/echo", slow, "POST", **body).answer(),
            await Call(desk, "/me", slow).answer(),
            await Call(desk, "/me", other).answer(),
        ]
        for each in dawdling:
            each.gone.set()
        await asyncio.wait([each.task for each in dawdling], timeout=10)
        again = Call(desk, "/echo", slow, "POST", **body)
        await asyncio.sleep(0.05)
        waits = int(again.status == 0)
        again.gone.set()
        await again.task
        return [*answers, waits]

    assert asyncio.run(asked()) == [503, 200, 200, 1]


def test_streams_of_events_hold_no_place_of_a_request_but_their_own(tmp_path: Path):
    desk = desk_in(tmp_path, in_flight=1, streams=2)
    token = desk.token()

    async def asked() -> list[int]:
        desk.app.state.bell = asyncio.Event()
        calls = []
        for path in ("/stream", "/stream", "/stream", "/me"):
            calls.append(Call(desk, path, token))
            await calls[-1].answer()
        calls[0].gone.set()
        await asyncio.wait_for(calls[0].task, 10)
        calls.append(Call(desk, "/stream", token))
        answers = [await each.answer() for each in calls]
        desk.app.state.bell.set()
        return answers

    assert asyncio.run(asked()) == [200, 200, 503, 200, 200]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "steelyard.audit"]


def test_each_refusal_and_each_change_is_one_line_of_the_log_without_a_secret(
    desk: Desk, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    token, wrong = desk.token("planner"), "wrong-secret-" * 4
    client = desk.client(token)

    desk.client(wrong).get(f"/me?token={token}")
    client.get("/private")
    client.post("/echo", json={"password": "hunter2"})
    client.get("/me")
    client.post("/echo", content=b"{", headers={"Content-Type": "application/json"})

    who = f"token={_id(desk, token)} role=planner"
    assert lines(caplog) == [
        "refused status=401 code=unknown_token method=GET path=/me peer=127.0.0.1 token=- role=-",
        f"refused status=403 code=role_too_low method=GET path=/private peer=127.0.0.1 {who}",
        f"called status=200 code=- method=POST path=/echo peer=127.0.0.1 {who}",
        f"refused status=422 code=not_json method=POST path=/echo peer=127.0.0.1 {who}",
    ]
    ours = [vars(each) for each in caplog.records if each.name.startswith("steelyard")]
    assert [secret for secret in (token, wrong, "hunter2") if secret in str(ours)] == []


def test_a_path_cannot_begin_another_line_of_the_log(desk: Desk, caplog: pytest.LogCaptureFixture):
    response = desk.as_role("viewer").get("/a%0d%0arefused%20status=200%1b[31m")

    assert (response.status_code, code(response)) == (422, "control_in_address")
    assert len(lines(caplog)) == 1
    assert "\n" not in lines(caplog)[0]
    assert "\x1b" not in lines(caplog)[0]


CODES = re.compile(r'(?:(?:Refusal|_close|_later)\(\s*\d+,|(?:NotStrict|_nobody)\()\s*"(\w+)"')


def test_every_code_of_a_refusal_stands_on_the_page_on_security():
    sources = (ROOT / "src" / "steelyard" / "services" / "security").glob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

    codes = {*CODES.findall(text), "role_too_low", "bad_framing", "internal_fault"}

    assert len(codes) > 25
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []
