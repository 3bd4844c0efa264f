"""What buckets plan by, over HTTP: assigned, rolled back, read; and the lists of buckets."""

from __future__ import annotations

import threading

import pytest

from builders.management import DEEPER, Asking, content
from steelyard.services.house import House
from steelyard.store import buckets


def test_a_bucket_without_a_configuration_says_so_and_how_to_assign_one(api: Asking):
    answer = api.get("/buckets/core/config")

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == "no_config_assigned"
    assert "POST /buckets/core/assign-config" in answer.json()["detail"]


def test_the_active_version_is_followed_and_an_old_one_stays(api: Asking):
    first = api.save("mine")
    second = api.save("mine", DEEPER)

    stays = api.post("/buckets/core/assign-config", config_id=first).json()
    follows = api.post("/buckets/core/assign-config", config_id=second).json()
    pinned = api.post("/buckets/core/assign-config", config_id=second, pinned=True).json()
    api.save("mine")

    assert (stays["status"], stays["version"], stays["pinned"]) == ("assigned", 1, True)
    assert (follows["version"], follows["pinned"], pinned["pinned"]) == (2, False, True)
    assert api.get("/buckets/core/config").json()["config_id"] == second


def test_an_old_version_cannot_be_followed(api: Asking, house: House):
    first = api.save("mine")
    api.save("mine", DEEPER)
    before = content(house.store())

    answer = api.post("/buckets/core/assign-config", config_id=first, pinned=False)

    assert answer.json()["errors"][0]["code"] == "follows_another"
    assert content(house.store()) == before


def test_who_has_not_seen_the_last_change_changes_nothing(api: Asking, house: House):
    config_id = api.save("mine")
    api.post("/buckets/core/assign-config", config_id=config_id)
    seen = api.get("/buckets/core/config").headers["etag"]
    api.save("mine", DEEPER)  # the bucket follows: it plans by another one now
    before = content(house.store())

    late = api.post("/buckets/core/assign-config", {"If-Match": seen}, config_id=config_id)
    also = api.post("/buckets/core/rollback", {"If-Match": seen}, config_name="mine", version=1)

    assert (late.status_code, also.status_code) == (412, 412)
    assert content(house.store()) == before
    now = api.get("/buckets/core/config").headers["etag"]
    done = api.post("/buckets/core/rollback", {"If-Match": now}, config_name="mine", version=1)
    assert (done.status_code, done.json()["version"]) == (200, 3)
    assert done.headers["etag"] == api.get("/buckets/core/config").headers["etag"]


def test_of_eight_who_assign_at_once_one_does(api: Asking):
    first, second = api.save("mine"), api.save("mine", DEEPER)
    api.post("/buckets/core/assign-config", config_id=second)
    tag = api.get("/buckets/core/config").headers["etag"]
    statuses: list[int] = []

    def assign() -> None:
        answer = api.post("/buckets/core/assign-config", {"If-Match": tag}, config_id=first)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=assign) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] + [412] * 7


def test_what_has_not_changed_is_not_sent_again(api: Asking):
    api.post("/buckets/core/assign-config", config_id=api.save("mine"))
    tag = api.get("/buckets/core/config").headers["etag"]

    again = api.ask("GET", "/buckets/core/config", headers={"If-None-Match": f'"other", W/{tag}'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("/buckets/nobody/assign-config", {"config_id": 1}, "no_such_bucket"),
        ("/buckets/core/assign-config", {"config_id": 9}, "no_such_configuration"),
        ("/buckets/core/assign-config", {"config_id": 2**63 - 1}, "no_such_configuration"),
        (
            "/buckets/core/rollback",
            {"config_name": "mien", "version": 1},
            "no_such_stored_strategy",
        ),
        ("/buckets/core/rollback", {"config_name": "mine", "version": 9}, "no_such_version"),
    ],
)
def test_what_is_not_there_is_404_and_nothing_is_written(
    api: Asking, house: House, path: str, fields: dict[str, object], code: str
):
    api.save("mine")
    before = content(house.store())

    answer = api.post(path, **fields)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, code)
    assert content(house.store()) == before


def test_the_lists_say_what_the_commands_say(api: Asking, house: House):
    buckets.create(house.store(), "tech", target_weight=0.1)
    api.post("/buckets/core/assign-config", config_id=api.save("mine"))

    first = api.get("/api/buckets", limit=1).json()
    rest = api.get("/api/buckets", after=first["next"]).json()
    whole = api.get("/api/buckets/core").json()
    (strategy,) = api.get("/api/strategies").json()["strategies"]
    text = api.get("/api/strategies/mine").json()

    assert [row["bucket"] for row in first["buckets"] + rest["buckets"]] == ["core", "tech"]
    assert first["buckets"][0]["cash"] == {"USD": "300"}
    assert (whole["strategy"]["name"], whole["strategy"]["pinned"]) == ("mine", False)
    assert (strategy["buckets"], strategy["version"]) == (["core"], 1)
    assert text["config_toml"].startswith("[search]")
