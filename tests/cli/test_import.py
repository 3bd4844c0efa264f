"""`steelyard import`: what a file says and how it was read, on any screen, as JSON, as our form."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from builders.commands import run
from builders.importers import FILES, install
from steelyard.importers import registry

FIDELITY = FILES / "fidelity" / "plain.csv"
ACCOUNTS = FILES / "schwab" / "accounts.csv"
OWN = """symbol,quantity,price,currency,account,acquired,settles
AAA,100,10,USD,one,2020-01-02,
BBB,10,250,GBp,two,,
OLD,0,,USD,one,,
CASH:USD,300,,,one,,
CASH:USD,20,,,two,,2026-01-05
"""
TABLE = """My table
Ticker;Shares;Price;Currency
AAA;10;1.234,50;EUR
BBB;2;12,5;EUR
"""


def imported(*arguments: object, code: int = 0):
    result = run("import", *arguments)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def own(folder: Path) -> Path:
    (folder / "own.csv").write_text(OWN)
    return folder / "own.csv"


def test_the_first_line_says_how_the_file_was_read_and_all_of_it_is_shown():
    text = " ".join(imported(FIDELITY).stdout.split())

    first = "Read as Fidelity positions, as of 2026-01-09: 3 holdings, 1 option kept out"
    assert text.startswith(first)
    shown = ("BRKB", "BERKSHIRE", "1,984.80", "AAPL260116C00250000", "Pending Activity")
    assert [
        part for part in (*shown, "2026-01-12", "Passed over:", "Decided:") if part not in text
    ] == []


def test_holdings_cash_and_totals_are_counted_by_currency(own: Path):
    text = imported(own).stdout

    assert (
        "Read as holdings: 2 holdings, 2 cash rows, 1 sold-out holding whose dates count." in text
    )
    assert "GBP, from GBp" in text
    totals = {row["currency"]: row for row in json.loads(imported(own, "--json").stdout)["totals"]}
    assert totals["USD"] == {
        "currency": "USD", "holdings": "1000", "cash": "320", "without_price": 0
    }  # fmt: skip
    assert totals["GBP"]["holdings"] == "25"


def test_the_document_has_every_row_and_exact_numbers(own: Path):
    document = json.loads(imported(own, "--json").stdout)

    assert document["schema"] == "steelyard.statement/1"
    assert [row["line"] for row in document["positions"]] == [2, 3, 4]
    assert document["positions"][1] | {"price": "2.5", "unit": "GBp"} == document["positions"][1]
    assert [row["settles"] for row in document["balances"]] == [None, "2026-01-05"]
    assert document["rejected"] == []


@pytest.mark.parametrize("width", ["38", "80", "200"])
def test_no_window_is_too_narrow(monkeypatch, width: str):
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setenv("FORCE_COLOR", "1")

    text = imported(FIDELITY).stdout

    plain = text.split("\nTo plan with it")[0]
    assert "VTI" in plain
    assert max(map(len, plain.splitlines())) <= int(width) + 20  # with its colours


def test_one_account_of_several_is_shown_and_written_and_another_is_refused(own: Path):
    first = json.loads(imported(own, "--account", "ONE", "--json").stdout)
    wrong = imported(own, "--account", "tow", code=1).stderr

    assert [row["symbol"] for row in first["positions"]] == ["AAA", "OLD"]
    assert [row["amount"] for row in first["balances"]] == ["300"]
    assert "Did you mean two?" in wrong


def test_our_own_form_is_written_and_planned_with(own: Path, folder: Path):
    result = imported(
        ACCOUNTS, "--account", "Roth IRA ...918", "--out", "o.csv", "--securities-out", "s.csv"
    )

    command = "steelyard plan --holdings o.csv --as-of 2026-01-09 --base USD --securities s.csv"
    assert command in result.stdout
    again = imported(ACCOUNTS, "--as", "schwab", "--account", "Roth IRA ...918").stdout
    assert "--as schwab --account 'Roth IRA ...918' --targets TARGETS.csv" in again
    assert "The holdings were written to o.csv." in result.stderr
    (folder / "t.csv").write_text("symbol,weight\nVTI,1\n")
    files = ("--holdings", "o.csv", "--securities", "s.csv", "--targets", "t.csv")
    assert run("plan", *files, "--as-of", "2026-01-09").exit_code == 0
    imported("o.csv", "--out", "again.csv")
    assert Path("again.csv").read_text() == Path("o.csv").read_text()


def test_what_our_own_form_would_be_worth_otherwise_is_not_written_alone(folder: Path):
    error = imported(FIDELITY, "--out", "o.csv", code=1).stderr

    assert "AAPL260116C00250000" in error
    assert "--securities-out" in error
    document = json.loads(imported(FIDELITY, "--out", "o.csv", "--json", code=1).stdout)
    assert document["error"]["code"] == "needs_securities"
    assert not Path("o.csv").exists()
    imported(FIDELITY, "--out", "o.csv", "--securities-out", "s.csv")
    assert "AAPL260116C00250000,AAPL JAN 16 2026 $250 CALL,OPTION,USD" in Path("s.csv").read_text()


def test_a_table_of_ones_own_is_mapped_and_the_mapping_saved_and_used_again(folder: Path):
    (folder / "t.csv").write_text(TABLE)
    columns = ("--map", "symbol=Ticker", "--map", "quantity=Shares")
    first = json.loads(imported("t.csv", *columns, "--save-mapping", "m.toml", "--json").stdout)

    assert [row["price"] for row in first["positions"]] == ["1234.5", "12.5"]
    named = json.loads(imported("t.csv", "--mapping", "m.toml", "--json").stdout)
    home = Path(os.environ["STEELYARD_HOME"])
    home.mkdir(parents=True)
    (home / "import.toml").write_text(Path("m.toml").read_text() + '[alias]\nAAA = "ZZZ"\n')
    usual = json.loads(imported("t.csv", "--json").stdout)
    assert named["positions"] == first["positions"]
    assert [row["symbol"] for row in usual["positions"]] == ["ZZZ", "BBB"]
    # what is recognised is read as what it is, whatever the user's mapping of other tables says
    assert json.loads(imported(FIDELITY, "--json").stdout)["form"] == "Fidelity positions"


def test_a_map_that_is_none_is_a_usage_error(own: Path):
    for text in ("symbol", "symbol=", "=Ticker"):
        assert "write symbol=Ticker" in imported(own, "--map", text, code=2).stderr
    twice = ("--map", "symbol=a", "--map", "symbol=b")
    assert "a field twice" in imported(own, *twice, code=2).stderr
    assert "name a file" in imported(code=2).stderr
    assert "no mapping to save" in imported(own, "--save-mapping", "m.toml", code=1).stderr


def test_rejected_lines_are_shown_and_nothing_is_written(own: Path):
    own.write_text(OWN + "CCC,x,1,USD,one,,\n")
    result = imported(own, "--out", "o.csv", code=1)
    document = imported(own, "--json", code=1)

    assert "own.csv line 7: quantity 'x' is not a number" in result.stdout
    assert "1 line of" in result.stderr
    assert not Path("o.csv").exists()
    (rejected,) = json.loads(document.stdout)["rejected"]
    assert rejected["line"] == 7


def test_nothing_but_a_free_path_or_another_regular_file_is_written(own: Path, folder: Path):
    (folder / "link.csv").symlink_to("own.csv")
    (folder / "folder").mkdir()
    before = own.read_text()
    refused = {
        ("--out", "own.csv"): "same_file",
        ("--out", "./own.csv"): "same_file",
        ("--out", "link.csv"): "same_file",
        ("--out", "folder"): "not_a_regular_file",
        ("--out", "no/where.csv"): "no_folder",
        ("--out", "o.csv", "--securities-out", "o.csv"): "same_file",
    }

    for arguments, code in refused.items():
        error = json.loads(imported(own, *arguments, "--json", code=1).stdout)["error"]
        assert error["code"] == code, arguments
    assert own.read_text() == before
    assert not Path("o.csv").exists()


def test_what_a_spreadsheet_or_a_terminal_would_run_stays_inert(folder: Path):
    (folder / "t.csv").write_text(
        'Ticker,Shares,Price,Name,Depot\nAAA,1,2,"=HYPERLINK(""x"")",@cmd\n'
        "BBB,1,2,\x1b[31m\u202ered,=1+1\n"
    )
    columns = ("--map", "symbol=Ticker", "--map", "quantity=Shares", "--map", "account=Depot")
    result = imported("t.csv", *columns, "--out", "o.csv", "--securities-out", "s.csv")

    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    written = Path("o.csv").read_text() + Path("s.csv").read_text()
    cells = [cell.strip('"') for line in written.splitlines() for cell in line.split(",")]
    assert [cell for cell in cells if cell.startswith(("=", "@", "+"))] == []
    assert "'=1+1" in written


def test_the_forms_are_listed_with_where_they_are_from(tmp_path, monkeypatch):
    code = "from steelyard.importers.registry import Importer\nX = Importer(name='x',"
    code += "title='X files', recognises=lambda source: False, read=None)\n"
    install(tmp_path / "site", monkeypatch, "x-importer", code, {"x": "X", "broken": "Y"})

    result = imported("--list")
    rows = json.loads(imported("--list", "--json").stdout)

    assert [row["name"] for row in rows] == ["own", "generic", *registry.forms().by_name]
    assert rows[-1] == {"name": "x", "title": "X files", "source": "x-importer 1.0", "extra": ""}
    assert "X files" in result.stdout
    assert "The importer 'broken' of x-importer 1.0 is not used" in result.stderr


def test_a_plan_says_first_how_holdings_of_a_broker_were_read(folder: Path):
    (folder / "t.csv").write_text("symbol,weight\nVTI,0.9\n")
    files = ("--holdings", ACCOUNTS, "--targets", "t.csv", "--as-of", "2026-01-09")

    several = run("plan", *files)
    result = run("plan", *files, "--account", "Roth IRA ...918", "--as", "schwab")
    why = run("why", "VTI", *files, "--account", "Roth IRA ...918")

    assert (several.exit_code, result.exit_code, why.exit_code) == (1, 0, 0), result.output
    assert "--account" in several.stderr
    first = (
        "Read as Schwab positions of the account Roth IRA ...918, as of 2026-01-09: 1 holding, 1 "
        f"cash row; cash in USD. To see it: steelyard import {ACCOUNTS}"
    )
    assert " ".join(result.stdout.split()).startswith(first)
    assert " ".join(why.stdout.split()).startswith(first)


def test_how_holdings_are_read_goes_with_holdings_only():
    for option in ("--as", "--account", "--mapping"):
        result = run("plan", option, "x")
        assert result.exit_code == 2
        assert "--holdings" in result.stderr


def mapped(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_text(text)
    return path


COLUMNS = ("Ticker", "Units", "Close", "Worth", "Kind")
FIELDS = ("symbol", "quantity", "price", "value", "product_type")
MAPS = [part for pair in zip(FIELDS, COLUMNS, strict=True) for part in ("--map", "=".join(pair))]


def test_import_rejects_what_a_plan_rejects(folder: Path):
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.5\n")
    cases = {
        "value_differs": "AAA,48,100,480,\n",
        "same_lot": "AAA,48,100,4800,\nAAA,48,100,4800,\n",
        "two_prices": "AAA,48,100,4800,\nAAA,4,90,360,\n",
        "two_spellings": "BRK.B,1,100,100,\nBRK-B,1,100,100,\n",
        "long_and_short": "AAA,48,100,4800,\nAAA,-4,100,-400,\n",
    }
    wrong = {}
    for code, rows in cases.items():
        path = mapped(folder, ",".join(COLUMNS) + "\n" + rows)
        imported = run("import", path, *MAPS, "--out", "out.csv", "--json")
        planned = run("plan", "--holdings", path, *MAPS, "--targets", "t.csv", "--json")
        codes = [row["code"] for row in json.loads(imported.stdout)["rejected"]]
        faults = [fault["code"] for fault in json.loads(planned.stdout)["errors"]]
        if (codes, faults, imported.exit_code) != ([code], [code], 1):
            wrong[code] = (codes, faults, imported.exit_code)

    assert wrong == {}
    assert not (folder / "out.csv").exists()


def test_totals_are_what_a_plan_counts_and_a_future_without_a_value_is_none(folder: Path):
    text = ",".join(COLUMNS) + "\nAAA,10,100,,\nESH6,1,6900,,Future\nCASH,500,,,\n"
    path = mapped(folder, text)
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.5\n")

    shown = run("import", path, *MAPS)
    totals = json.loads(run("import", path, *MAPS, "--json").stdout)["totals"]
    plan = run("plan", "--holdings", path, *MAPS, "--targets", "t.csv", "--json")

    assert "not counted" in shown.stdout
    assert "1 holding, 1 future kept out of trading, 1 cash row" in shown.stdout
    assert [(row["holdings"], row["cash"]) for row in totals] == [("1000", "500")]
    assert json.loads(plan.stdout)["value"] == "1500"


def test_the_command_to_plan_names_what_a_plan_would_ask_for(folder: Path):
    unpriced = mapped(folder, "symbol,quantity\nAAA,10\n")

    first = run("import", ACCOUNTS).stdout.splitlines()[-1]
    second = run("import", unpriced).stdout.splitlines()[-1]

    assert "--account 'Individual ...407' --targets" in first
    assert second.endswith("mine.csv --prices PRICES.csv --targets TARGETS.csv")


def test_a_table_of_ones_own_is_planned_with_as_it_was_mapped(folder: Path):
    path = mapped(folder, ",".join(COLUMNS) + "\nAAA,10,100,1000,\nCASH,500,,,\n")
    (folder / "TARGETS.csv").write_text("symbol,weight\nAAA,0.5\n")

    typed = run("import", path, *MAPS).stdout.splitlines()[-1].partition(": ")[2]
    refused = run("plan", "--holdings", path, "--as", "schwab", "--targets", "TARGETS.csv")

    assert run(*shlex.split(typed)[1:]).exit_code == 0
    assert "--map symbol=COLUMN" in refused.stderr


def test_an_error_of_import_does_not_speak_of_a_plan(folder: Path):
    (folder / "none.csv").write_text("a,b\n1,2\n")

    result = run("import", "none.csv", "--json")

    document = json.loads(result.stdout)
    assert result.exit_code == 1
    messages = [result.stderr, document["error"]["message"], document["errors"][0]["message"]]
    assert [text for text in messages if "planned" in text or "Nothing was read." not in text] == []


def test_what_is_not_known_says_why_and_once(folder: Path):
    text = (FILES / "ghostfolio" / "plain.json").read_text()
    data = json.loads(text)
    data["accounts"] = []
    (folder / "g.json").write_text(json.dumps(data))

    shown = " ".join(imported("g.json").stdout.split())

    assert "Not known: Cash is not known: the export has no accounts with a balance." in shown
    assert shown.count("has no accounts") == 1
    assert "does not begin" not in shown


def test_names_stay_where_symbols_are_isins(monkeypatch):
    monkeypatch.setattr("steelyard.cli.output.PIPE_WIDTH", 80)
    monkeypatch.setenv("COLUMNS", "80")

    assert "CENTAMIN" in imported(FILES / "degiro" / "de.csv").stdout
