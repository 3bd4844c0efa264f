"""`strategy ab` and `strategy dry-run`: what is typed, printed, written, and the exit codes."""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from builders.commands import of_sample, run

A_B = ("strategy", "ab")
DRY = ("strategy", "dry-run")
SIDE = {
    "score", "score_under_other", "steps", "cash_required", "turnover", "cost", "drift", "seconds",
}  # fmt: skip


def snapshot(folder: Path, name: str, shares: int) -> None:
    own = folder / name
    own.mkdir(parents=True)
    lines = f"symbol,quantity,price\nAAA,{shares},10\nBBB,10,20\nCASH:USD,300,\n"
    (own / "holdings.csv").write_text(lines)


@pytest.fixture
def days(folder: Path) -> Path:
    """Six snapshots; one set of targets stands beside them for all."""
    for n in range(6):
        snapshot(folder / "days", f"d{n}", 100 + 20 * n)
    (folder / "days" / "targets.csv").write_text("symbol,weight\nAAA,0.5\nBBB,0.4\n")
    return folder / "days"


@pytest.fixture
def core(folder: Path) -> None:
    """The bundled portfolio as a stored bucket."""
    assert run("bucket", "load", "core", *of_sample("growth")).exit_code == 0


def never(folder: Path) -> str:
    (folder / "never.toml").write_text(
        "[limits]\nallow_buy = false\n[score]\nmin_improvement = 9.0\n"
    )
    return "never.toml"


def document(*arguments: object):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_two_presets_are_compared_on_the_bundled_portfolio_which_is_told():
    result = run(*A_B, "default", "conservative", "--json")
    compared = json.loads(result.stdout)

    assert compared["outcome"] in {"A", "B", "tie", "none"}
    assert compared["a"].keys() == compared["b"].keys() == SIDE | {"strategy"}
    assert [row["label"] for row in compared["snapshots"]] == ["bundled portfolio"]
    assert compared["interval"] is None
    assert compared["interval_note"] == "none under 5 snapshots; 1 count"
    assert "the bundled portfolio: not yours" in result.stderr


def test_a_folder_of_snapshots_is_compared_in_the_order_of_its_names(days, folder):
    compared = document(*A_B, "default", never(folder), "--snapshots", days)

    assert compared["outcome"] == "A"
    assert [row["label"] for row in compared["snapshots"]] == [f"d{n}" for n in range(6)]
    assert compared["snapshots"][0]["a"]["drift"] is not None
    under = compared["interval"]["under_a"]
    assert 0 < under["low"] < under["mean"] < under["high"]
    assert compared["interval"]["block"] == 2
    assert compared["b"]["steps"] == 0.0


def test_a_snapshot_that_cannot_be_read_is_told_and_the_others_count(days, folder):
    (days / "d3" / "holdings.csv").write_text("symbol,quantity,price\nAAA,many,10\n")
    compared = document(*A_B, "default", never(folder), "--snapshots", days)

    third = compared["snapshots"][3]
    assert third["outcome"] == "none"
    assert "many" in third["a"]["refused"]
    assert third["a"]["plan_id"] is None
    assert compared["outcome"] == "A"
    shown = run(*A_B, "default", never(folder), "--snapshots", days).stdout
    assert "Both have a plan of 5 of 6 snapshots" in shown
    assert "again. holdings.csv line 2: quantity 'many' is not a number." in " ".join(shown.split())


def test_the_table_has_both_sides_and_a_bar_for_each_snapshot(days, folder):
    shown = run(*A_B, "default", never(folder), "--snapshots", days).stdout

    assert shown.startswith("default is better than never.\n")
    assert "score under the other's" in shown
    rows = [line for line in shown.splitlines() if line.startswith("d")]
    assert sum("┃█" in row for row in rows) == 6
    assert any(line.startswith("mean ") for line in shown.splitlines())


def test_month_ends_of_the_bundled_history_are_planned_with_what_was_seen_then():
    compared = document(*A_B, "default", "dip_buyer", "--dates", "2022-10-01..2022-12-28")

    days = [row["as_of"] for row in compared["snapshots"]]
    assert days == ["2022-10-31", "2022-11-30", "2022-12-28"]
    assert len({row["a"]["score"] for row in compared["snapshots"]}) == 3


@pytest.mark.parametrize("text", ["2022-10-01", "2022-12-01..2022-10-01", "soon..later"])
def test_dates_that_are_no_span_are_a_usage_error(text):
    result = run(*A_B, "default", "default", "--dates", text)

    assert result.exit_code == 2
    assert "FROM..TO" in result.stderr


def test_dates_outside_the_history_and_folders_without_snapshots_are_refused(folder):
    early = run(*A_B, "default", "default", "--dates", "1980-01-01..1980-12-31")
    empty = run(*A_B, "default", "default", "--snapshots", folder)

    assert (early.exit_code, empty.exit_code) == (1, 1)
    assert "has no session of the bundled history" in early.stderr
    assert "has no snapshot in it" in empty.stderr


def test_two_places_of_snapshots_at_once_are_a_usage_error(folder):
    result = run(
        *A_B, "default", "default", "--snapshots", folder, "--dates", "2022-01-01..2022-02-01"
    )

    assert result.exit_code == 2


def test_an_unknown_name_is_told_with_the_nearest():
    result = run(*A_B, "default", "agressive")

    assert result.exit_code == 1
    assert "Did you mean aggressive?" in result.stderr


def test_the_page_is_one_file_without_script_and_escapes_names(days, folder):
    odd = folder / "odd.toml"
    odd.write_text('name = "<b>x</b>"\n[limits]\nallow_buy = false\n')
    page = folder / "ab.html"
    result = run(*A_B, "default", odd, "--snapshots", days, "--report", page)
    text = page.read_text()

    assert result.exit_code == 0
    assert "<b>x</b>" not in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("<svg") > 6


def test_a_report_that_may_not_be_written_is_refused_before_anything_is_planned(folder):
    (folder / "notes.txt").write_text("mine")
    result = run(*A_B, "default", "default", "--report", "notes.txt")

    assert result.exit_code == 1
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_stored_bucket_and_stored_names_are_compared(core, folder):
    assert run("strategy", "save", "mine", never(folder), "--yes").exit_code == 0
    compared = document(*A_B, "default", "mine", "--bucket", "core")

    assert compared["outcome"] == "A"
    assert compared["b"]["strategy"] == "mine"
    assert compared["snapshots"][0]["label"] == "bucket core"
    unknown = run(*A_B, "default", "mine", "--bucket", "cor")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "Did you mean core?" in unknown.stderr


def test_a_dry_run_counts_without_planning_and_says_of_what():
    result = run(*DRY, "default", "--json")
    report = json.loads(result.stdout)

    assert report["valid"] is True
    assert report["errors"] == []
    assert report["estimated_candidates"] <= report["upper_bound_candidates"]
    assert report["estimated_sequences"] <= report["upper_bound_sequences"]
    assert report["estimated_seconds"] is None
    module = report["modules_loaded"]["opportunity_calculators.profit_taking"]
    assert (module["type"], module["status"]) == ("calculator", "ok")
    assert module["params"]["doubler_gain"] == 1.0
    assert "the bundled portfolio: not yours" in result.stderr


def test_a_file_that_is_not_usable_has_its_errors_with_lines_and_exit_code_1(folder):
    (folder / "bad.toml").write_text("[limits]\nmax_orderz = 3\n")
    result = run(*DRY, "bad.toml", "--json")
    report = json.loads(result.stdout)

    assert (result.exit_code, report["valid"]) == (1, False)
    assert report["errors"] == [
        "line 2: limits.max_orderz is not a known key. Did you mean max_orders?"
    ]
    assert report["modules_loaded"] == {}
    shown = run(*DRY, "bad.toml")
    assert shown.exit_code == 1
    assert shown.stdout.startswith("bad.toml may not be planned with.\n")


def test_a_plugin_that_cannot_be_loaded_is_an_error(folder):
    (folder / "lost.toml").write_text(
        '[plugins]\nfolder = "."\nfiles = {"gone.py" = "sha256:' + "0" * 64 + '"}\n'
    )
    result = run(*DRY, "lost.toml", "--json")
    report = json.loads(result.stdout)

    assert (result.exit_code, report["valid"]) == (1, False)
    assert any("gone.py" in text for text in report["errors"])


def test_a_dependency_that_is_not_met_is_told_where_the_strategy_asks_for_it(folder):
    (folder / "lacking.toml").write_text(
        "[opportunity_calculators.profit_taking]\nenabled = false\n"
        "[pattern_generators.profit_taking]\nenabled = true\n"
    )
    result = run(*DRY, "lacking.toml", "--json")

    assert result.exit_code == 1
    assert "pattern_generators.profit_taking" in json.loads(result.stdout)["errors"][0]


def test_a_stored_strategy_that_is_no_longer_valid_is_a_report_and_not_a_failure(folder):
    never(folder)
    assert run("strategy", "save", "mine", "never.toml", "--yes").exit_code == 0
    change = "UPDATE strategy_version SET toml = '[limits]' || char(10) || 'max_orderz = 3'"
    with sqlite3.connect(Path(os.environ["STEELYARD_HOME"]) / "steelyard.db") as connection:
        connection.execute(change)

    result = run(*DRY, "mine", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["valid"] is False
    assert "max_orderz" in json.loads(result.stdout)["errors"][0]


def test_a_satellites_sliders_are_dry_run_too(folder):
    (folder / "tech.toml").write_text('[satellite]\npreset = "momentum_hunter"\n')

    assert document(*DRY, "tech.toml")["valid"] is True


def test_a_file_that_is_not_there_is_a_failure(folder):
    result = run(*DRY, "gone.toml", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["schema"] == "steelyard.error/1"


def test_a_bucket_is_dry_run_by_its_own_strategy_with_times_of_its_plans(core):
    before = document(*DRY, "--bucket", "core")
    assert run("plan", "--bucket", "core").exit_code == 0
    after = document(*DRY, "--bucket", "core")

    assert before["estimated_seconds"] is None
    assert after["estimated_seconds"] > 0
    assert "The bucket core may be planned with." in run(*DRY, "--bucket", "core").stdout


def test_neither_makes_a_database():
    run(*DRY, "default")
    run(*A_B, "default", "default")

    assert not Path(os.environ["STEELYARD_HOME"]).exists()


def test_without_a_name_or_a_bucket_a_dry_run_is_a_usage_error():
    assert run(*DRY).exit_code == 2


def test_a_warning_with_its_line_is_not_said_again_without_it(folder: Path):
    run("strategy", "new", "mine.toml", "--preset", "aggressive")

    warnings = json.loads(run("strategy", "dry-run", "mine.toml", "--json").stdout)["warnings"]

    (idle,) = [text for text in warnings if "search.beam_width" in text]
    assert idle.startswith("line ")


def test_two_versions_of_one_name_are_told_apart_and_money_has_its_currency(folder: Path):
    for depth in (3, 4):
        (folder / "mine.toml").write_text(f"[limits]\nmax_orders = {depth}\n")
        run("strategy", "save", "mine", "mine.toml", "--title", "My own", "--yes")

    shown = run("strategy", "ab", "mine@1", "mine").stdout

    assert "My own (v2)" in shown.splitlines()[0]
    assert "My own (v1)" in shown.splitlines()[0]
    assert "cost, USD" in shown
    assert "cash required, USD" in shown
