"""Trying a configuration on a bucket, and whether what a bucket plans with is in order."""

from __future__ import annotations

import pytest

from builders.management import DEEPER, Asking, content
from steelyard.services.house import House
from steelyard.store import buckets
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.health import Health


def test_a_dry_run_says_what_a_plan_would_do_and_keeps_nothing(api: Asking, house: House):
    before = content(house.store())

    report = api.post("/satellites/core/dry-run", config_toml=DEEPER).json()
    own = api.post("/satellites/core/dry-run").json()

    assert (report["valid"], report["errors"]) == (True, [])
    assert 0 < report["estimated_sequences"] <= report["upper_bound_sequences"]
    assert report["modules_loaded"]["opportunity_calculators.averaging_down"]["status"] == "ok"
    assert own["valid"]
    assert content(house.store()) == before


def test_a_configuration_that_is_not_valid_is_no_error_of_the_request(api: Asking):
    answer = api.post("/satellites/core/dry-run", config_toml="[search]\nmax_dept = 5\n")

    assert answer.status_code == 200
    assert answer.json()["valid"] is False
    assert "line 2: search.max_dept" in answer.json()["errors"][0]


def test_plugins_are_not_even_tried(api: Asking):
    answer = api.post("/satellites/core/dry-run", config_toml='[plugins]\nfolder = "."\n')

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "plugins_over_http")


def test_a_bucket_that_owns_nothing_is_tried_on_cash_alone(api: Asking, house: House):
    buckets.create(house.store(), "tech")

    report = api.post("/satellites/tech/dry-run", config_toml=DEEPER)
    nobody = api.post("/satellites/tehc/dry-run", config_toml=DEEPER)

    assert "tried on cash alone" in report.json()["warnings"][-1]
    assert (nobody.status_code, "Did you mean tech?" in nobody.text) == (404, True)


def test_a_module_out_of_service_makes_a_bucket_unhealthy(api: Asking, house: House):
    well = api.get("/planner/health/core").json()
    health = Health(house.home, Rules())
    name, version = "opportunity_calculators.averaging_down", ""
    version = well["modules"][name]["version"]
    for _ in range(3):
        health.record([(name, version, "it broke")])

    ill = api.get("/planner/health/core").json()

    assert (well["status"], well["errors"]) == ("healthy", [])
    assert (ill["status"], ill["modules"][name]["state"]) == ("unhealthy", "open")
    assert any("averaging_down is out of service: it broke" in text for text in ill["errors"])


@pytest.mark.parametrize("path", ["/planner/health/nobody", "/planner/health/health"])
def test_the_health_of_nobody_is_404(api: Asking, path: str):
    assert api.get(path).status_code in {403, 404}
