"""A saver who places the orders: a plan counts on a deposit, fills come in bit by bit."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from builders.commands import run

HOLDINGS = "symbol,quantity,price,currency\nVTI,40.5,220.10,USD\nBND,60,72.30,USD\n"
HOLDINGS += "VXUS,30,55.25,USD\nCASH:USD,120.50,,\n"
TARGETS = "symbol,weight\nVTI,0.6\nBND,0.2\nVXUS,0.2\n"
PRICES = "date,VTI,BND,VXUS\n2026-11-06,225.00,72.00,56.00\n"
COLUMNS = "date,symbol,side,quantity,price,commission,execution_id\n"
FIRST = "2026-10-09,VXUS,buy,10,55.40,1.00,E1\n"
REST = "2026-10-09,VXUS,buy,9,55.45,1.00,E2\n"
OTHER = "2026-10-12,VTI,buy,1,219.00,1.00,E3\n"
EXECUTE = "--broker", "file", "--yes", "--out", "orders"


@pytest.fixture(autouse=True)
def month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket with a plan of its deposit."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path / "home"))
    Path("h.csv").write_text(HOLDINGS)
    Path("t.csv").write_text(TARGETS)
    files = "--holdings", "h.csv", "--targets", "t.csv"
    assert run("bucket", "load", "core", *files, "--as-of", "2026-10-02").exit_code == 0
    plan_to("plan.json")


def plan_to(name: str, *options: str) -> None:
    wish = "--deposit", "USD=1500", "--no-sell", *options
    Path(name).write_text(run("plan", "--bucket", "core", *wish, "--json").stdout)


def hand_in(rows: str, *options: str, run_id: str = "last"):
    Path("fills.csv").write_text(COLUMNS + rows)
    return run("runs", "fills", run_id, "fills.csv", *options)


def orders() -> list[tuple[str, str]]:
    path = max(Path("orders").iterdir(), key=os.path.getmtime)
    return [
        (row["symbol"], row["quantity"]) for row in csv.DictReader(path.read_text().splitlines())
    ]


def shown() -> str:
    return run("runs").stdout


def test_the_deposit_buys_and_what_the_limits_cost_more_than_planned_makes_the_last_buy_smaller():
    approved = [
        (s["symbol"], s["quantity"]) for s in json.loads(Path("plan.json").read_text())["steps"]
    ]
    assert approved == [("VXUS", "19"), ("VTI", "2")]

    result = run("execute", "plan.json", *EXECUTE)

    assert result.exit_code == 0
    assert "when the deposit of 1500.00 USD is there" in result.stderr
    assert orders() == [("VXUS", "19"), ("VTI", "1")]
    assert "Money: 441.01 USD may be spent at the limit." in result.stdout
    assert "did not fill" not in result.stdout
    assert "planned prices" not in result.stdout


def test_a_dry_run_shows_the_limits_that_would_be_written_and_leaves_no_run():
    rehearsed = run("execute", "plan.json", "--broker", "file", "--dry-run", "--json")
    assert [(row["symbol"], row["limit_price"]) for row in json.loads(rehearsed.stdout)] == [
        ("VXUS", "55.52"),
        ("VTI", "221.2"),
    ]
    assert run("runs").stdout == ""
    assert run("runs").stderr.startswith("There was no run yet.\n")


def test_fills_come_in_bit_by_bit_and_the_next_month_begins_with_them_and_a_new_deposit():
    run("execute", "plan.json", *EXECUTE)
    assert "Waits for its fills" in shown()
    assert hand_in(FIRST).stderr == "1 fill was booked.\n"
    assert hand_in(FIRST + REST).stderr.startswith("1 fill was booked, 1 was booked before.\n")
    closed = hand_in(OTHER, "--close")
    assert "The bucket core owns what was filled now." in closed.stderr
    assert "Done, with skips" in shown()

    Path("p.csv").write_text(PRICES)
    plan_to("next.json", "--prices", "p.csv")
    assert json.loads(Path("next.json").read_text())["cash"] == {"USD": "345.45"}
    result = run("execute", "next.json", *EXECUTE)

    assert result.exit_code == 0, result.stderr
    assert orders() == [("VTI", "5"), ("VXUS", "6")]
    assert run("reconcile").stdout == "core agrees\n"


def test_a_plan_that_waits_for_its_fills_is_written_again_in_the_form_that_is_asked_for():
    run("execute", "plan.json", *EXECUTE)
    again = run("execute", "plan.json", *EXECUTE, "--format", "schwab")
    assert again.exit_code == 0
    assert "2 orders written" in again.stderr
    (path,) = Path("orders").iterdir()
    assert path.read_text().splitlines()[1] == "Buy,19,VXUS,Limit,55.52,Day Only"

    Path("p.csv").write_text(PRICES)
    plan_to("next.json", "--prices", "p.csv")
    other = run("execute", "next.json", *EXECUTE)
    assert other.exit_code == 1
    assert "which waits for its fills" in other.stderr
    assert "FILE --close" in other.stderr
    assert "waits for its fills: steelyard runs fills" in run("resume").stderr


def test_a_fill_after_the_run_was_closed_is_booked_once_and_an_alert():
    run("execute", "plan.json", *EXECUTE)
    hand_in(FIRST + REST, "--close")
    assert hand_in("", "--close").stderr == "0 fills were booked.\n"

    late = hand_in(OTHER)

    assert late.exit_code == 1
    assert "alert late_fill: 1 VTI were filled after the order" in late.stderr
    (document,) = json.loads(run("runs", "--json").stdout)
    assert {row["symbol"]: row["filled_quantity"] for row in document["orders"]} == {
        "VXUS": "19",
        "VTI": "1",
    }
    assert run("reconcile").stdout == "core agrees\n"


def test_what_was_not_ordered_is_refused_whole_and_the_message_speaks_of_fills():
    run("execute", "plan.json", *EXECUTE)
    result = hand_in(FIRST + OTHER.replace(",1,", ",3,"))
    assert result.exit_code == 1
    assert result.stderr.startswith("1 line was rejected, nothing was booked. Correct the file and")
    assert "belongs into the next snapshot" in result.stderr
    assert "plan again" not in result.stderr
