"""Configurations over HTTP: versions, their history and difference, files in and out, copies."""

from __future__ import annotations

import threading

import pytest

from builders.management import DEEPER, SHALLOW, Asking, content
from steelyard.services.house import House
from steelyard.store import assignments, events, strategies


def test_the_documents_workflow_assigns_saves_again_and_goes_back(api: Asking):
    first = api.post(
        "/configs", name="momentum_hunter", title="Momentum Hunter - Aggressive",
        config_toml=SHALLOW, description="short-term gains",
    ).json()  # fmt: skip
    api.post("/buckets/core/assign-config", config_id=first["config_id"])
    second = api.post(
        "/configs", name="momentum_hunter", title="Momentum Hunter - Deeper Search",
        config_toml=DEEPER, description="better coverage",
    ).json()  # fmt: skip
    moved = api.get("/buckets/core/config").json()
    back = api.post("/buckets/core/rollback", config_name="momentum_hunter", version=1).json()
    now = api.get("/buckets/core/config").json()

    assert (first["version"], second["version"]) == (1, 2)
    assert second["buckets"] == ["core"]
    assert (moved["config_id"], moved["title"]) == (
        second["config_id"],
        "Momentum Hunter - Deeper Search",
    )
    assert back["status"] == "rolled_back"
    assert (now["version"], now["config_toml"], now["title"]) == (
        3,
        SHALLOW,
        "Momentum Hunter - Aggressive",
    )
    history = api.get("/configs/momentum_hunter/history").json()["history"]
    assert [(row["version"], row["is_active"]) for row in history] == [
        (3, True),
        (2, False),
        (1, False),
    ]
    assert [row["parent_version_id"] for row in history] == [first["config_id"]] * 2 + [None]


def test_a_difference_is_told_in_lines_and_in_what_acts(api: Asking):
    api.save("mine")
    api.save("mine", DEEPER + "[opportunity_calculators.averaging_down]\nenabled = false\n")

    both = api.get("/configs/mine/diff", a=1, b=2).json()

    assert "-max_depth = 3\n+max_depth = 5\n" in both["unified"]
    assert both["globals_changed"]["search.max_depth"] == {"old": 3, "new": 5}
    assert both["modules_removed"] == ["opportunity_calculators.averaging_down"]
    assert (both["a"]["version"], both["b"]["version"]) == (1, 2)


def test_what_is_exported_is_imported_as_it_was(api: Asking, house: House):
    config_id = api.save("mine", description='with "quotes" and\nlines')

    file = api.get(f"/configs/{config_id}/export")
    answer = api.post("/configs/import", config_toml=file.text, name="theirs").json()

    assert file.headers["content-type"].startswith("text/plain")
    assert file.headers["content-disposition"].endswith(f"planner_config_{config_id}.toml")
    version = strategies.by_id(house.store(), answer["config_id"])
    assert (version.toml, version.description) == (SHALLOW, 'with "quotes" and\nlines')
    assert (answer["status"], answer["name"], version.title) == ("imported", "theirs", "mine")


def test_a_file_without_a_name_is_imported_under_one_that_says_so(api: Asking):
    assert api.post("/configs/import", content=SHALLOW).json()["name"] == "imported_config"


def test_an_import_changes_no_bucket_because_it_happens_to_have_the_name(api: Asking, house: House):
    api.save("mine")
    assignments.assign(house.store(), "core", "mine")
    file = api.get("/configs/1/export").text.replace("max_depth = 3", "max_depth = 4")

    refused = api.post("/configs/import", toml_content=file)
    named = api.post("/configs/import", toml_content=file, name="mine")

    assert (refused.status_code, named.status_code) == (422, 201)
    assert refused.json()["errors"][0]["code"] == "import_over_followed"


def test_a_clone_begins_a_history_of_its_own(api: Asking):
    api.save("mine")
    api.save("mine", DEEPER)

    answer = api.post("/configs/2/clone", new_name="theirs", new_title="Theirs").json()
    again = api.post("/configs/2/clone", new_name="theirs")

    assert (answer["status"], answer["version"], answer["title"]) == ("cloned", 1, "Theirs")
    assert again.json()["errors"][0]["code"] == "strategy_is_there"


def test_of_two_who_save_from_one_version_the_later_is_told(api: Asking, house: House):
    first = api.save("mine")
    tag = api.get("/configs/mine/history").headers["etag"]

    done = api.post(
        "/configs", {"If-Match": tag}, name="mine", config_toml=DEEPER, parent_version_id=first
    )
    before = content(house.store())
    late = api.post("/configs", {"If-Match": tag}, name="mine", config_toml=SHALLOW)
    stale = api.post("/configs", name="mine", config_toml=SHALLOW, parent_version_id=first)
    taken = api.post("/configs", {"If-None-Match": "*"}, name="mine", config_toml=SHALLOW)

    assert [done.status_code, late.status_code] == [201, 412]
    assert (stale.status_code, taken.status_code) == (409, 412)
    assert stale.json()["errors"][0]["limit"] == str(done.json()["config_id"])
    assert content(house.store()) == before
    assert late.json()["errors"][0]["limit"] == done.headers["etag"]


def test_a_race_has_one_winner_and_the_others_are_told(api: Asking):
    api.save("mine")
    tag = api.get("/configs/mine/history").headers["etag"]
    statuses: list[int] = []

    def save() -> None:
        answer = api.post("/configs", {"If-Match": tag}, name="mine", config_toml=DEEPER)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=save) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201] + [412] * 7


def test_what_a_request_changed_has_one_correlation_id(api: Asking, house: House):
    api.post("/buckets/core/assign-config", config_id=api.save("mine"))
    before = events.last(house.store())

    api.save("mine", DEEPER)
    api.save("theirs")

    rows = [row.event for row in events.since(house.store(), before)]
    types = [row.event_type for row in rows]
    assert types == ["StrategySaved", "ConfigurationChanged", "StrategySaved"]
    first, moved, other = (row.correlation_id for row in rows)
    assert first == moved != other
    assert "" not in {first, other}


def test_a_history_is_read_in_pages_though_it_grows(api: Asking):
    for _ in range(5):
        api.save("mine")

    first = api.get("/configs/mine/history", limit=2).json()
    api.save("mine")
    second = api.get("/configs/mine/history", limit=2, after=first["next"]).json()
    third = api.get("/configs/mine/history", limit=2, after=second["next"]).json()

    pages = [[row["version"] for row in page["history"]] for page in (first, second, third)]
    assert pages == [[5, 4], [3, 2], [1]]
    assert third["next"] is None
    assert api.get("/configs/mine/history", limit=501).status_code == 422
    assert api.get("/configs/mine/history", after="bm90aGVyZQ").status_code == 422


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[plugins]\nfolder = "."\n', "plugins_over_http"),
        ('plugins = {folder = "."}\n', "plugins_over_http"),
        ('"plugins".folder = "."\n', "plugins_over_http"),
        ('[satellite]\npreset = "aggressive"\n[plugins]\nfolder = "."\n', "plugins_over_http"),
        ('preset = "../../mine.toml"\n', "strategy_problems"),
        ("[search]\nmax_depth = 99\n", "strategy_problems"),
        ("[search\n", "strategy_not_toml"),
        ("a = 1\n" * 20_000, None),
        ("\x00", None),
    ],
)
def test_a_text_that_is_no_use_is_refused_wherever_it_comes_in(
    api: Asking, house: House, text: str, code: str | None
):
    before = content(house.store())

    answers = [
        api.post("/configs", name="mine", config_toml=text),
        api.post("/configs/import", config_toml=text, name="mine"),
        api.post("/configs/import", config_toml=text),
        api.post("/presets", name="mine", config_toml=text),
    ]

    assert {answer.status_code for answer in answers} == {422}
    codes = {error["code"] for answer in answers for error in answer.json()["errors"]}
    assert code is None or codes == {code}
    assert content(house.store()) == before
