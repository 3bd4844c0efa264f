"""`steelyard plan`: the bundled portfolio or own files, what is said, what goes to stdout."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest

from builders.commands import of_sample, own_files, run
from steelyard.plans import plan as plans


@pytest.mark.real_quotes
def test_plan_without_files_says_first_that_it_is_the_bundled_portfolio():
    result = run("plan")

    assert result.exit_code == 0
    assert result.stdout.startswith("No files were given, so this is the bundled portfolio growth")
    assert "Act. " in result.stdout
    assert result.stderr == ""


def test_json_is_one_valid_document_on_stdout_and_remarks_are_on_stderr(folder: Path):
    result = run("plan", "--json")

    document = json.loads(result.stdout)
    jsonschema.validate(document, plans.json_schema())
    assert plans.plan_id(document) == document["plan_id"]
    assert "bundled portfolio growth" in result.stderr
    assert list(folder.iterdir()) == []


def test_own_files_are_planned_at_their_own_prices_and_the_date_is_said(folder: Path):
    files = own_files(folder)

    today, dated = run("plan", *files), run("plan", *files, "--as-of", "2022-12-28")

    assert (today.exit_code, dated.exit_code) == (0, 0)
    assert "No prices were given: those of h.csv are used." in today.stdout
    assert "No date was given: as of today, " in today.stdout
    assert "bundled" not in today.stdout
    assert "as of 28 Dec 2022" in dated.stdout
    assert "today" not in dated.stdout


def test_an_account_of_cash_alone_needs_no_holdings_file(folder: Path):
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.9\n")
    (folder / "p.csv").write_text("date,AAA\n2022-12-27,10\n2022-12-28,10\n")
    files = ("--targets", "t.csv", "--prices", "p.csv")

    result = run("plan", "--cash", "USD=5000", *files, "--json")

    steps = json.loads(result.stdout)["steps"]
    assert [(step["side"], step["symbol"]) for step in steps] == [("buy", "AAA")]
    assert "No holdings were given: an account of cash alone." in result.stderr


def test_files_without_holdings_or_cash_are_a_usage_error(folder: Path):
    own_files(folder)

    result = run("plan", "--targets", "t.csv")

    assert result.exit_code == 2
    assert "--holdings" in result.stderr


def test_a_wrong_option_is_a_usage_error():
    for command in (
        "plan --as-of yesterday",
        "plan --seed -1",
        "plant",
        "why",
    ):
        result = run(*command.split())

        assert (result.exit_code, result.stdout) == (2, ""), command


def test_a_value_that_cannot_be_read_is_refused_in_our_own_words():
    for option, value, says in (
        (
            "--as-of",
            "20-11-2026",
            "'--as-of': 20-11-2026 is not a day: write YYYY-MM-DD, for example 2026-11-20.",
        ),
        ("--as-of", "20261120", "20261120 is not a day"),
        ("--as-of", "2026-02-30", "2026-02-30 is not a day"),
        ("--as-of", "9" * 10_000, "9999… is not a day"),
        ("--seed", "x", "'--seed': x is not a whole number of 0 or more"),
        ("--seed", "-1", "-1 is not a whole number"),
        ("--seed", "9" * 10_000, "9999… is not a whole number"),
    ):
        result = run("plan", option, value)

        flat = " ".join(result.stderr.split())
        assert result.exit_code == 2
        assert says in flat, (option, value[:20])
        assert "Value error" not in flat
        assert len(flat) < 400


def test_help_says_where_presets_are_listed_and_that_a_plan_can_be_kept():
    assert "--no-save" in run("plan", "--help").stdout
    for command in ("plan", "why"):
        text = " ".join(run(command, "--help").stdout.split())

        assert "--bucket" in text
        assert "A preset (strategy list names them), or a TOML file" in text


def test_the_version_is_that_of_the_package():
    assert run("--version").stdout == f"steelyard {version('steelyard')}\n"


def test_explain_shows_more(folder: Path):
    files = own_files(folder)

    short, long = run("plan", *files).stdout, run("plan", *files, "--explain").stdout

    for title in ("What each module did", "The candidate table", "What would change this plan"):
        assert title not in short
        assert title in long


def timed(*arguments: object) -> dict[str, float]:
    """The table of times: part, with its indentation -> milliseconds."""
    lines = run("plan", "--timings", *arguments).stdout.partition("Time taken")[2].splitlines()
    rows = [re.fullmatch(r"  ( *\S.*?)(?: +\d+)? +([\d,]+\.\d)(?: +\S+)*", line) for line in lines]
    return {row[1]: float(row[2].replace(",", "")) for row in rows if row}


def test_the_times_explain_the_whole_wait_and_what_is_inside_of_what():
    times = timed()

    outer = {part: time for part, time in times.items() if not part.startswith(" ")}
    assert list(outer) == [
        "reading", "planning", "the other engine", "second opinion", "loading the view",
        "rendering", "everything else", "total",
    ]  # fmt: skip
    assert sum(time for part, time in outer.items() if part != "total") == pytest.approx(
        outer["total"], abs=1
    )
    inside = list(times)[list(times).index("planning") + 1 : list(times).index("the other engine")]
    assert [part for part in inside if not part.startswith("    ")] == [
        "  value and context", "  find opportunities", "  generate and evaluate", "  prove",
        "  choose", "  everything else",
    ]  # fmt: skip
    after = inside[inside.index("  find opportunities") + 1 :]
    assert "    weight_based.calculate" in after[: after.index("  generate and evaluate")]


def test_the_times_have_calls_mean_least_and_most_of_every_module_and_what_a_sequence_took():
    text = run("plan", "--timings").stdout.partition("Time taken")[2]

    assert re.search(r"Part +Calls +Total, ms +Mean +Min +Max\n", text)
    module = re.search(r"weight_based\.calculate +1 +(\S+) +(\S+) +(\S+) +(\S+)\n", text)
    assert module is not None
    assert len(set(module.groups())) == 1  # of one call
    assert re.search(r"Each of [\d,]+ sequences took 0\.\d{4} ms\.", text)
    assert re.search(r"Peak memory of the process: [\d,]+ MB\.", text)


def test_the_times_have_the_report_and_the_explanation_where_they_are_made(folder: Path):
    assert {"explaining", "report"} <= set(
        timed(*own_files(folder), "--report", "r.html", "--explain")
    )


def test_what_if_reports_are_a_stage_of_their_own(folder: Path):
    (folder / "s.toml").write_text("[sequence_generators.partial_execution]\nenabled = true\n")

    times = list(timed(*own_files(folder), "--strategy", "s.toml"))

    assert times[times.index("  what if") + 1] == "    partial_execution.generate"


def test_an_excluded_symbol_is_said_and_not_traded():
    document = json.loads(run("plan", "--exclude", "aapl", "--json").stdout)

    assert document["excluded"] == ["AAPL"]
    assert "AAPL" not in {step["symbol"] for step in document["steps"]}
    assert "Left out on your word: AAPL" in run("plan", "--exclude", "AAPL").stdout


def test_a_strategy_file_changes_the_plan_and_is_named(folder: Path):
    (folder / "mine.toml").write_text("[search]\nmax_depth = 1\n")

    document = json.loads(run("plan", "--strategy", "mine.toml", "--json").stdout)

    assert document["strategy"]["name"] == "mine"
    assert len(document["steps"]) <= 1


def test_a_bad_strategy_is_refused_everywhere(folder: Path):
    (folder / "bad.toml").write_text("[search]\nmax_dept = 1\n")

    for command in ("plan", "why AAPL", "modules"):
        result = run(*command.split(), "--strategy", "bad.toml")

        assert (result.exit_code, result.stdout) == (1, ""), command
        assert "max_depth" in result.stderr


def test_the_broken_sample_is_refused_with_all_its_reasons():
    result = run("plan", *of_sample("broken"))

    assert (result.exit_code, result.stdout) == (1, "")
    assert "1.2" in result.stderr


def test_a_target_that_is_held_under_another_spelling_is_refused_with_the_alias(tmp_path: Path):
    (tmp_path / "h.csv").write_text("symbol,quantity,price\nBRKB,2,500\nVTI,1,300\n")
    (tmp_path / "t.csv").write_text("symbol,weight\nBRK.B,0.5\nVTI,0.2\n")
    files = ("--holdings", tmp_path / "h.csv", "--targets", tmp_path / "t.csv")

    refused = run("plan", *files)
    (tmp_path / "m.toml").write_text('[alias]\n"BRKB" = "BRK.B"\n')
    planned = run("plan", *files, "--mapping", tmp_path / "m.toml")

    assert (refused.exit_code, planned.exit_code) == (1, 0), planned.output
    assert 'write "BRKB" = "BRK.B" under [alias] of a mapping file' in refused.stderr
