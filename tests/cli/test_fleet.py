"""`steelyard fleet`: one account is one plan, worst first, and an interrupted command goes on."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builders.commands import run
from builders.fleets import account, accounts
from steelyard.samples import sample


def rows(*arguments: object, code: int = 0) -> list[dict[str, object]]:
    result = run("fleet", *arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("name", ["growth", "euro"])
def test_an_account_is_planned_as_plan_plans_its_files(folder: Path, name: str):
    files = sample(name)
    fleet = folder / "fleet"
    (fleet / "one").mkdir(parents=True)
    shutil.copy(files.holdings, fleet / "one" / "holdings.csv")
    shutil.copy(files.targets, fleet / "one" / "targets.csv")
    (fleet / "one" / "account.toml").write_text('strategy = "conservative"\n')
    common = [f"--{form}={path}" for form in ("prices", "securities", "fx", "index")
              if (path := getattr(files, form)) is not None]  # fmt: skip
    own = ["--holdings", fleet / "one" / "holdings.csv", "--targets", files.targets]
    more = ["--strategy", "conservative", "--base", files.base_currency or "USD"]

    alone = json.loads(run("plan", *own, *common, *more, "--json").stdout)
    (together,) = rows(fleet, *common, *more[2:])

    assert together == {
        "account": "one", "plan_id": alone["plan_id"], "error": None,
        "improvement": alone["score"]["improvement"],
    }  # fmt: skip


def test_cash_of_the_account_file_is_that_of_the_command_line_and_of_a_row(folder: Path):
    fleet = accounts(folder / "fleet", 0)
    account(fleet, "file", "symbol,quantity\nAAA,9\n", '[cash]\nUSD = "70"\n')
    account(fleet, "row", "symbol,quantity\nAAA,9\nCASH:USD,70\n")
    account(fleet, "same", "symbol,quantity\nAAA,9\nCASH:USD,70\n", '[cash]\nUSD = "70.00"\n')
    account(fleet, "other", "symbol,quantity\nAAA,9\nCASH:USD,70\n", '[cash]\nUSD = "71"\n')

    by_name = {row["account"]: row for row in rows(fleet, code=1)}

    assert by_name["file"]["plan_id"] == by_name["row"]["plan_id"] == by_name["same"]["plan_id"]
    assert by_name["other"]["plan_id"] is None
    assert "70" in by_name["other"]["error"]


def test_the_terminal_and_the_summary_show_the_worst_first(folder: Path):
    fleet = accounts(folder / "fleet", 1)
    account(fleet, "bad", "symbol,quantity\nAAA,x\n", 'name = "=Bad"')
    account(fleet, "short", "symbol,quantity\nAAA,9\nCASH:USD,-50\n")
    account(fleet, "still", "symbol,quantity\nAAA,50\nBBB,20\nCASH:USD,100\n")

    result = run("fleet", fleet, "--summary", "s.csv")

    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0] == (
        "4 accounts as of 2026-01-09: 1 failed, 1 short of cash, 1 to trade, 1 hold; 3 orders in "
        "all."
    )
    names = [line.split()[0] for line in lines[3:] if line[:1] not in {"", " "}]
    assert names[:4] == ["=Bad", "short", "a000", "still"]
    assert "'x' is not a number" in " ".join(result.stdout.split())
    with (folder / "s.csv").open(encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    assert [row["account"] for row in table] == ["'=Bad", "short", "a000", "still"]
    assert [row["standing"] for row in table] == ["failed", "shortfall", "trade", "hold"]


def test_each_error_is_one_that_can_be_acted_on_and_the_same_when_asked_again(folder: Path):
    fleet = accounts(folder / "fleet", 0)
    account(fleet, "ask", "symbol,quantity\nAAA,9\n", 'strategy = "nonsense"')
    account(fleet, "key", "symbol,quantity\nAAA,9\n", 'strategie = "default"')
    account(fleet, "none", "symbol,quantity\nZZ.B,9\n")
    account(fleet, "nothing", "symbol,quantity\n")

    first = run("fleet", fleet, "--summary", "s.csv")
    again = run("fleet", fleet)

    text = " ".join(first.stdout.split())
    assert "may have name, cash, strategy (Did you mean strategy?). Nothing was planned." in text
    assert "Nothing was planned. Add a price." in text  # a fleet has no --exclude
    assert "It owns nothing: its files have no holding and no cash." in text
    assert first.stdout.replace("Written: s.csv.\n", "") == again.stdout
    assert "Nothing has changed since" in again.stderr


def test_what_is_missing_or_no_account_is_said(folder: Path):
    fleet = folder / "fleet"
    (fleet / "notes").mkdir(parents=True)
    account(fleet, "own", "symbol,quantity,price\nAAA,9,10\n")

    said = " ".join(run("fleet", fleet, "--as-of", "2026-01-09").stderr.split())

    assert "No prices were given: those of each account's holdings.csv are used." in said
    assert "1 folder has neither holdings.csv nor account.toml, so no account: notes." in said


def test_common_files_that_are_unusable_are_refused_and_a_bad_price_only_costs_who_needs_it(
    folder: Path,
):
    fleet = accounts(folder / "fleet", 1)
    account(fleet, "needs", "symbol,quantity\nCCC,9\n", targets="")
    (fleet / "prices.csv").write_text("date,AAA,BBB,CCC\n2026-01-09,10,20,x\n")

    by_name = {row["account"]: row for row in rows(fleet, code=1)}
    (folder / "fx.csv").write_text("date,currency,rate\n2026-01-09,EUR,x\n")
    refused = run("fleet", fleet, "--fx", "fx.csv")
    nowhere = run("fleet", fleet, "--prices", "none.csv")

    assert by_name["a000"]["plan_id"]
    assert "prices.csv line 2" in by_name["needs"]["error"]
    assert (refused.exit_code, "fx.csv line 2" in refused.stderr) == (1, True)
    assert (nowhere.exit_code, "none.csv could not be read" in nowhere.stderr) == (1, True)


def test_an_interrupted_command_says_how_to_go_on_and_does(folder: Path):
    fleet = accounts(folder / "fleet", 8)
    command = [sys.executable, "-m", "steelyard", "fleet", str(fleet), "--engine", "serial"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    database = Path(os.environ["STEELYARD_HOME"]) / "steelyard.db"
    until = time.monotonic() + 60
    while planned_in(database) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "of 8 accounts are planned and kept. Nothing was sent. To go on: steelyard" in said
    result = run("fleet", fleet, "--engine", "serial", "--json")
    assert result.stderr.startswith("Going on: ")
    assert result.exit_code == 0
    assert len({row["plan_id"] for row in json.loads(result.stdout)}) == 8


def planned_in(database: Path) -> int:
    import sqlite3

    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM fleet_account").fetchone()[0])
    except sqlite3.Error:
        return 0
