"""Health is tried, not said: what is broken makes a service down."""

from __future__ import annotations

import asyncio
import time

import httpx2
import pytest
from anyio import to_thread
from fastapi.testclient import TestClient

from builders.logged import lines, logged
from steelyard.services import health
from steelyard.services.applications import APPLICATIONS, application
from steelyard.services.house import House
from steelyard.services.security.tokens import own_token

URL = "http://127.0.0.1:8011"


@pytest.fixture
def house(tmp_path):
    house = House({"STEELYARD_HOME": str(tmp_path)}, port=8011)
    yield house
    house.close()


def asked(house, name, token=True):
    headers = {"Authorization": f"Bearer {own_token(house)}"} if token else {}
    with TestClient(application(name, house), URL) as client:
        return client.get(f"/{name}/health", headers=headers)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_service_that_works_is_up_and_without_a_token_says_no_more(house, name):
    whole = asked(house, name)
    assert whole.status_code == 200
    assert {*whole.json()["checks"].values()} == {"ok"}
    assert asked(house, name, token=False).json() == {"healthy": True, "status": "OK"}


@pytest.mark.parametrize("name", ["coordinator", "api"])
def test_a_database_that_cannot_be_read_makes_it_down(house, name):
    house.home.mkdir(parents=True, exist_ok=True)
    (house.home / "steelyard.db").write_bytes(b"no database at all" * 100)
    answer = asked(house, name)
    assert answer.status_code == 503
    assert answer.json()["status"] == "DOWN"
    assert "steelyard.db" in answer.json()["checks"]["store"]
    assert asked(house, name, token=False).json() == {"healthy": False, "status": "DOWN"}


@pytest.mark.parametrize("name", ["opportunity", "generator", "evaluator", "coordinator"])
def test_an_evaluation_that_comes_out_wrong_makes_it_down(house, name, monkeypatch):
    monkeypatch.setattr(health, "NETS", (0.3, 0.1, 0.4))
    answer = asked(house, name)
    assert answer.status_code == 503
    assert "came out as" in answer.json()["checks"]["evaluation"]


def test_a_check_that_hangs_makes_it_down_by_its_deadline(house, monkeypatch):
    monkeypatch.setattr(health, "SECONDS", 0.2)
    monkeypatch.setitem(health.CHECKS["evaluator"], "evaluation", lambda _: time.sleep(2))
    start = time.monotonic()
    answer = asked(house, "evaluator")
    assert answer.status_code == 503
    assert answer.json()["checks"]["evaluation"] == "no answer within 0.2 s"
    assert time.monotonic() - start < 2


def test_a_service_whose_threads_all_work_still_says_how_it_is(house):
    async def busy() -> int:
        limiter = to_thread.current_default_thread_limiter()
        for place in range(int(limiter.total_tokens)):
            limiter.acquire_on_behalf_of_nowait(place)
        transport = httpx2.ASGITransport(application("evaluator", house))
        url = f"http://127.0.0.1:{house.port}"
        async with httpx2.AsyncClient(transport=transport, base_url=url) as client:
            return (await client.get("/evaluator/health")).status_code

    assert asyncio.run(busy()) == 200


def test_who_is_down_says_so_once_and_when_it_is_well_again(house, monkeypatch):
    app = application("evaluator", house)
    headers = {"Authorization": f"Bearer {own_token(house)}"}
    with logged() as stream, TestClient(app, URL, headers=headers) as client:
        for nets in (health.NETS, (9.0, 0.1, 0.3), (9.0, 0.1, 0.3), health.NETS, health.NETS):
            monkeypatch.setattr(health, "NETS", nets)
            client.get("/evaluator/health")

    said = [line["event"][:21] for line in lines(stream) if line["logger"] == "steelyard.health"]
    assert said == ["evaluator is down: {'", "evaluator is well aga"]
