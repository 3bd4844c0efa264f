"""`steelyard demo`: the bundled portfolio, its report, and what to type next."""

import json
import re
from pathlib import Path

from builders.commands import run
from steelyard.plans import plan as plans


def test_demo_writes_the_report_into_the_current_folder_and_says_so_last(folder: Path):
    result = run("demo")

    assert result.exit_code == 0
    assert [path.name for path in folder.iterdir()] == ["steelyard-report.html"]
    last = result.stdout.splitlines()[-4:]
    assert last[0] == "Report written: steelyard-report.html"
    assert re.search(r"steelyard why [A-Z]+$", last[2])
    assert last[3].endswith("steelyard plan --holdings H.csv --targets T.csv --prices P.csv")


def test_demo_as_json_is_the_plan_without_files_and_writes_no_report_unless_one_is_named(
    folder: Path,
):
    document = json.loads(run("demo", "--json").stdout)
    nothing_written = list(folder.iterdir())
    run("demo", "--json", "--report", "r.html")

    assert document["schema"] == plans.SCHEMA
    assert document["plan_id"] == json.loads(run("plan", "--json").stdout)["plan_id"]
    assert nothing_written == []
    assert [path.name for path in folder.iterdir()] == ["r.html"]
