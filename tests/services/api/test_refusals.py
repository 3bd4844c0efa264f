"""What no route takes: it is refused with a place, at once, and nothing is written."""

from __future__ import annotations

import time

import pytest
from fastapi import FastAPI

from builders.management import SHALLOW, Asking, content
from steelyard.services.house import House

ROUTES = {
    "/configs": {"name": "mine", "config_toml": SHALLOW},
    "/configs/import": {"config_toml": SHALLOW},
    "/configs/1/clone": {"new_name": "theirs"},
    "/buckets/core/assign-config": {"config_id": 1},
    "/buckets/core/rollback": {"config_name": "mine", "version": 1},
    "/presets": {"name": "mine", "config_toml": SHALLOW},
    "/satellites/core/dry-run": {"config_toml": SHALLOW},
    "/api/plans": {"bucket": "core"},
}
MOST_CPU_S = 0.1
"""That a malformed body may cost, both ends together."""

MALFORMED = {
    "no JSON": b'{"name": "mine"',
    "no text": b"\xff\xfe{}",
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "a number that is none": b'{"rating": NaN, "seed": Infinity}',
    "a key twice": b'{"name": "mine", "name": "yours", "bucket": "core", "bucket": "core"}',
    "deep": b'{"name":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "half a character": b'{"name": "\\ud800", "bucket": "\\ud800", "config_toml": "\\ud800"}',
    "large": b'{"config_toml": "' + b"a" * 3_000_000 + b'"}',
}


def test_every_route_that_changes_something_is_among_these(app: FastAPI):
    posts = {path for path, methods in app.openapi()["paths"].items() if "post" in methods}

    templates = {"/configs/1/clone": "/configs/{config_id}/clone"}
    named = {
        templates.get(path, path)
        .replace("/buckets/core/", "/buckets/{bucket_id}/")
        .replace("/satellites/core/", "/satellites/{id}/")
        for path in ROUTES
    }
    assert posts == named
    assert {m for methods in app.openapi()["paths"].values() for m in methods} == {"get", "post"}


@pytest.mark.parametrize("path", ROUTES)
def test_a_malformed_body_is_refused_at_once_and_nothing_is_written(
    api: Asking, house: House, path: str
):
    api.save("mine")
    before = content(house.store())

    for what, body in MALFORMED.items():
        start = time.process_time()
        answer = api.ask("POST", path, content=body, headers={"Content-Type": "application/json"})
        seconds = time.process_time() - start

        assert 400 <= answer.status_code < 500, (what, answer.status_code)
        assert answer.headers["content-type"] == "application/problem+json", what
        assert answer.json()["errors"][0]["message"], what
        assert seconds < MOST_CPU_S, (what, seconds)
    assert content(house.store()) == before


@pytest.mark.parametrize("path", ROUTES)
def test_a_field_that_is_unknown_or_of_another_kind_is_refused_with_its_place(
    api: Asking, house: House, path: str
):
    api.save("mine")
    before = content(house.store())
    fields = ROUTES[path]

    unknown = api.post(path, **fields, nonsense=1)
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["place"].endswith("nonsense")
    for name in fields:
        for value in (None, True, 1.5, [], {}, "", "a\nb", "a" * 2000, -1, 2**63, 10**30):
            if value is None and path == "/satellites/core/dry-run":
                continue  # which then tries what the bucket plans by
            if path == "/satellites/core/dry-run" and isinstance(value, str) and value:
                continue  # which answers what is wrong with it
            answer = api.post(path, **{**fields, name: value})
            assert 400 <= answer.status_code < 500, (name, value, answer.text)
    form = api.ask("POST", path, data=fields)
    assert form.status_code == 415
    assert content(house.store()) == before


@pytest.mark.parametrize(
    "path",
    ["/configs/0/export", "/configs/-1/export", f"/configs/{2**63}/export", "/configs/a/export",
     f"/buckets/{'a' * 65}/config", "/api/plans?limit=0", "/api/plans?limit=501", "/presets?tg=a",
     "/configs/mine/diff?a=1", "/configs/mine/diff?a=1&b=0", "/api/runs?limit=NaN"],
)  # fmt: skip
def test_an_address_out_of_range_is_422(api: Asking, path: str):
    answer = api.get(path)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"]
