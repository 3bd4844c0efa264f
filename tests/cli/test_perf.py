"""`perf`: what stored plans took, as it stands in them."""

import json
from dataclasses import replace

from builders.commands import own_files, run
from steelyard.cli.output import screen
from steelyard.cli.perf import draw
from steelyard.runs.performance import Performance
from steelyard.telemetry.timings import SCORING


def documents(*ids: str) -> list[dict]:
    return [json.loads(run("plans", "show", each, "--json").stdout) for each in ids]


def test_it_adds_up_what_the_stored_plans_say(stored):
    plans = documents(*stored)

    report = json.loads(run("perf", "--json").stdout)

    assert report["plans"] == 2
    for row in [*report["modules"], *report["stages"]]:
        name = row["name"] if row["kind"] == "stage" else f"{row['kind']}.{row['name']}"
        own = [t["seconds"] for plan in plans for t in plan["timings"] if t["name"] == name]
        assert row["count"] == len(own)
        assert row["total"] == round(sum(own), 9)
        assert (row["min"], row["max"]) == (min(own), max(own))
    scored = [plan for plan in plans if plan["certificate"]["sequences"]]
    sequences = sum(plan["certificate"]["sequences"] for plan in scored)
    seconds = sum(t["seconds"] for plan in scored for t in plan["timings"] if t["name"] == SCORING)
    assert report["sequences"] == sequences > 0
    assert report["seconds_per_sequence"] == round(seconds / sequences, 9)


def test_the_slowest_stands_first_and_the_memory_is_that_of_the_process_that_planned(stored):
    report = json.loads(run("perf", "--json").stdout)
    events = json.loads(run("events", "--type", "PlanMeasured", "--json").stdout)

    for part in ("modules", "stages"):
        totals = [row["total"] for row in report[part]]
        assert totals == sorted(totals, reverse=True)
    assert sorted(event["data"]["plan_id"] for event in events) == sorted(stored)
    assert report["peak_bytes"] == max(event["data"]["peak_bytes"] for event in events) > 0


def test_the_limit_takes_the_newest_and_a_bucket_its_own(stored):
    (newest,) = documents(stored[1])

    report = json.loads(run("perf", "--limit", 1, "--bucket", "core", "--json").stdout)

    assert (report["plans"], report["bucket"]) == (1, "core")
    assert report["sequences"] == newest["certificate"]["sequences"]


def test_a_bucket_without_plans_is_named_with_those_that_have_some(stored):
    result = run("perf", "--bucket", "cor")

    assert result.exit_code == 1
    assert "Did you mean core?" in " ".join(result.stderr.split())


def test_the_screen_says_of_which_plans_and_fits_80_columns(stored):
    text = run("perf", "--bucket", "core").stdout

    assert text.startswith("What 2 plans of the bucket core took, saved 20")
    assert "weight_based.calculate" in text
    assert "sequences took" in text
    assert "Peak memory of the process" in text
    assert max(map(len, text.splitlines())) <= 80


def test_where_nothing_is_stored_it_says_how_to_store_a_plan(folder):
    assert "steelyard plan --bucket B" in run("perf").stdout

    run("plan", *own_files(folder), "--json")

    assert json.loads(run("perf", "--json").stdout)["plans"] == 0


def test_what_the_cache_did_is_said_of_plans_that_had_one():
    spent = Performance("core", 2, None, None, {}, 0, None, None, 0, 0, 30, 10, 4, 3 << 20)

    text = " ".join(screen(lambda console: draw(spent, console)).split())

    assert "plan before: 30 of 40, 75%; 4 results made room for others, 3.0 MiB at last." in text
    without = screen(lambda console: draw(replace(spent, reused=0, calculated=0), console))
    assert "Calculations" not in without
