"""Presets over HTTP: looked up by tag, read, and one's own kept."""

from __future__ import annotations

from builders.management import SHALLOW, Asking, content
from steelyard.services.house import House


def test_presets_are_looked_up_by_tag(api: Asking):
    every = [preset["name"] for preset in api.get("/presets").json()["presets"]]
    momentum = api.get("/presets", tag="momentum").json()["presets"]
    nobody = api.get("/presets", tag="momentom")

    assert {"default", "momentum_hunter", "balanced"} <= set(every)
    assert {preset["name"] for preset in momentum} < set(every)
    assert all("momentum" in preset["tags"] for preset in momentum)
    assert (nobody.status_code, "Did you mean momentum?" in nobody.text) == (404, True)


def test_a_preset_is_read_by_its_id_with_its_text(api: Asking):
    (shipped,) = (p for p in api.get("/presets").json()["presets"] if p["name"] == "us_taxable")

    whole = api.get(f"/presets/{shipped['id']}").json()

    assert whole["name"] == "us_taxable"
    assert whole["config_toml"].count("\n") > 10


def test_ones_own_is_kept_once_and_found_again(api: Asking, house: House):
    new = {"name": "mine", "config_toml": SHALLOW, "tags": ["own", "fast"], "rating": 4.5}
    kept = api.post("/presets", **new)
    before = content(house.store())

    again, shipped = api.post("/presets", **new), api.post("/presets", **{**new, "name": "default"})

    assert kept.status_code == 201
    assert api.get(f"/presets/{kept.json()['id']}").json() == kept.json()
    assert api.get("/presets", tag="own").json()["presets"][0]["rating"] == 4.5
    codes = [answer.json()["errors"][0]["code"] for answer in (again, shipped)]
    assert codes == ["preset_is_there", "preset_is_shipped"]
    assert content(house.store()) == before
