"""The commands in process: what they say, what they return, what they leave behind."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from steelyard.cli import app
from steelyard.cli.output import guarded, save, write
from steelyard.errors import InputError, PlanRefused
from steelyard.plans import plan as plans
from steelyard.samples import sample


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test starts in an empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def own_files(folder: Path) -> list[str]:
    (folder / "h.csv").write_text("symbol,quantity,price\nAAA,100,10\nBBB,10,20\nCASH:USD,300,\n")
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.5\nBBB,0.4\n")
    return ["--holdings", "h.csv", "--targets", "t.csv"]


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


def test_demo_writes_the_report_into_the_current_folder_and_says_so_last(folder: Path):
    result = run("demo")

    assert result.exit_code == 0
    assert [path.name for path in folder.iterdir()] == ["steelyard-report.html"]
    last = result.stdout.splitlines()[-4:]
    assert last[0] == "Report written: steelyard-report.html"
    assert re.search(r"steelyard why [A-Z]+$", last[2])
    assert last[3].endswith("steelyard plan --holdings H.csv --targets T.csv --prices P.csv")


def test_demo_as_json_writes_no_report_unless_one_is_named(folder: Path):
    document = json.loads(run("demo", "--json").stdout)
    nothing_written = list(folder.iterdir())
    run("demo", "--json", "--report", "r.html")

    assert document["schema"] == plans.SCHEMA
    assert nothing_written == []
    assert [path.name for path in folder.iterdir()] == ["r.html"]


def test_demo_and_plan_without_files_make_the_same_plan():
    assert (
        json.loads(run("demo", "--json").stdout)["plan_id"]
        == json.loads(run("plan", "--json").stdout)["plan_id"]
    )


def test_own_files_are_planned_at_their_own_prices_and_the_date_is_said(folder: Path):
    result = run("plan", *own_files(folder))

    assert result.exit_code == 0
    assert "No prices were given: those of h.csv are used." in result.stdout
    assert "No date was given: as of today, " in result.stdout
    assert "bundled" not in result.stdout


def test_a_date_that_is_given_is_not_remarked_upon(folder: Path):
    result = run("plan", *own_files(folder), "--as-of", "2022-12-28")

    assert "as of 28 Dec 2022" in result.stdout
    assert "today" not in result.stdout


def test_an_account_of_cash_alone_needs_no_holdings_file(folder: Path):
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.9\n")
    (folder / "p.csv").write_text("date,AAA\n2022-12-27,10\n2022-12-28,10\n")

    document = json.loads(
        run(
            "plan", "--cash", "USD=5000", "--targets", "t.csv", "--prices", "p.csv", "--json"
        ).stdout
    )

    assert [(step["side"], step["symbol"]) for step in document["steps"]] == [("buy", "AAA")]


def test_files_without_holdings_or_cash_are_a_usage_error(folder: Path):
    own_files(folder)

    result = run("plan", "--targets", "t.csv")

    assert result.exit_code == 2
    assert "--holdings" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--as-of", "yesterday"],
        ["plan", "--seed", "-1"],
        ["plan", "--bucket", "b"],
        ["plan", "--no-save"],
        ["plant"],
        ["why"],
    ],
)
def test_a_wrong_option_is_a_usage_error(arguments):
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""


def test_what_comes_later_is_absent_from_help():
    text = run("plan", "--help").stdout + run("why", "--help").stdout

    assert "--bucket" not in text
    assert "--no-save" not in text


def test_explain_and_timings_show_more():
    short, long = run("plan").stdout, run("plan", "--explain", "--timings").stdout

    assert "What each module did" not in short
    assert "What each module did" in long
    assert "The candidate table" in long
    assert "Time taken" in long


def taken(*arguments: object) -> dict[str, float]:
    """The table of times: part, with its indentation -> milliseconds."""
    lines = run("plan", "--timings", *arguments).stdout.partition("Time taken")[2].splitlines()
    rows = [re.fullmatch(r"  ( *\S.*?) +([\d,]+\.\d) ms", line) for line in lines]
    return {row[1]: float(row[2].replace(",", "")) for row in rows if row}


def test_the_times_explain_the_whole_wait_and_what_is_inside_of_what():
    times = taken()

    outer = {part: time for part, time in times.items() if not part.startswith(" ")}
    assert list(outer) == [
        "reading",
        "planning",
        "second opinion",
        "loading the view",
        "rendering",
        "everything else",
        "total",
    ]
    assert sum(time for part, time in outer.items() if part != "total") == pytest.approx(
        outer["total"], abs=1
    )
    inside = list(times)[list(times).index("planning") + 1 : list(times).index("second opinion")]
    assert [part for part in inside if not part.startswith("    ")] == [
        "  value and context",
        "  find opportunities",
        "  generate and evaluate",
        "  prove",
        "  choose",
        "  everything else",
    ]
    after = inside[inside.index("  find opportunities") + 1 :]
    assert (
        "    opportunity_calculators.weight_based"
        in after[: after.index("  generate and evaluate")]
    )


def test_the_times_have_the_report_and_the_explanation_where_they_are_made(folder: Path):
    assert {"explaining", "report"} <= set(taken("--report", "r.html", "--explain"))


def test_what_if_reports_are_a_stage_of_their_own(folder: Path):
    (folder / "s.toml").write_text("[sequence_generators.partial_execution]\nenabled = true\n")

    times = list(taken("--strategy", "s.toml"))

    assert times[times.index("  what if") + 1] == "    sequence_generators.partial_execution"


@pytest.mark.parametrize("command", ["plan", "why"])
def test_help_says_where_the_names_of_presets_are_listed(command: str):
    assert "A preset (strategy list names them), or a TOML file" in " ".join(
        run(command, "--help").stdout.split()
    )


def test_the_version_is_that_of_the_package():
    assert run("--version").stdout == f"steelyard {version('steelyard')}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--as-of", "20-11-2026"],
            "'--as-of': 20-11-2026 is not a day: write YYYY-MM-DD, for example 2026-11-20.",
        ),
        (["--as-of", "20261120"], "20261120 is not a day"),
        (["--as-of", "2026-02-30"], "2026-02-30 is not a day"),
        (["--as-of", "9" * 10_000], "9999… is not a day"),
        (["--seed", "x"], "'--seed': x is not a whole number of 0 or more"),
        (["--seed", "-1"], "-1 is not a whole number"),
        (["--seed", "9" * 10_000], "9999… is not a whole number"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_in_our_own_words(arguments: list[str], says: str):
    result = run("plan", *arguments)

    flat = " ".join(result.stderr.split())
    assert result.exit_code == 2
    assert says in flat
    assert "Value error" not in flat
    assert len(flat) < 400


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


@pytest.mark.parametrize("command", [["plan"], ["why", "AAPL"], ["modules"]])
def test_a_bad_strategy_is_refused_everywhere(folder: Path, command):
    (folder / "bad.toml").write_text("[search]\nmax_dept = 1\n")

    result = run(*command, "--strategy", "bad.toml")

    assert result.exit_code == 1
    assert "max_depth" in result.stderr
    assert result.stdout == ""


def test_the_broken_sample_is_refused_with_all_its_reasons():
    files = sample("broken")

    result = run(
        "plan",
        "--holdings",
        files.holdings,
        "--targets",
        files.targets,
        "--prices",
        files.prices,
        "--securities",
        files.securities,
    )

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "1.2" in result.stderr


def test_a_report_that_cannot_be_written_leaves_the_plan_on_the_screen_and_fails(folder: Path):
    result = run("plan", "--report", folder / "no" / "such" / "report.html")

    assert result.exit_code == 1
    assert "Seal" in result.stdout
    assert "Report written" not in result.stdout
    assert "could not be written" in result.stderr
    assert list(folder.iterdir()) == []


def test_saving_over_a_folder_fails_and_leaves_no_part_behind(folder: Path):
    (folder / "there").mkdir()

    with pytest.raises(InputError, match="could not be written"):
        save(folder / "there", "text", "report")

    assert [path.name for path in folder.iterdir()] == ["there"]


def test_why_tells_one_symbol_and_takes_lower_case():
    result = run("why", "aapl")

    assert result.exit_code == 0
    assert "AAPL" in result.stdout
    assert "In the candidate table" in result.stdout


def test_why_as_json_has_only_that_symbol():
    story = json.loads(run("why", "AAPL", "--json").stdout)

    assert story["symbol"] == "AAPL"
    assert story["holding"]["symbol"] == "AAPL"
    for part in ("candidates", "not_traded", "data_coverage"):
        assert {entry["symbol"] for entry in story[part]} <= {"AAPL"}
    assert story["candidates"]


def test_why_reads_a_saved_plan_and_tells_the_same_story(folder: Path):
    (folder / "plan.json").write_text(run("plan", "--json").stdout)

    assert (
        run("why", "MSFT", "--plan", "plan.json", "--json").stdout
        == run("why", "MSFT", "--json").stdout
    )


def test_why_refuses_a_plan_that_was_changed(folder: Path):
    document = json.loads(run("plan", "--json").stdout)
    document["turnover"] = 0.0
    (folder / "plan.json").write_text(json.dumps(document))

    result = run("why", "AAPL", "--plan", "plan.json")

    assert result.exit_code == 1
    assert "changed after it was made" in result.stderr


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1, 2", b"\xff\xfe", b'{"schema": "steelyard.plan/9"}', b"[" * 100_000],
)
def test_why_refuses_what_is_no_plan(folder: Path, content):
    (folder / "plan.json").write_bytes(content)

    result = run("why", "AAPL", "--plan", "plan.json")

    assert result.exit_code == 1
    assert "not a plan document" in result.stderr


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_why_refuses_a_plan_that_cannot_be_read(name):
    assert run("why", "AAPL", "--plan", name).exit_code == 1


def test_why_of_an_unknown_symbol_names_the_nearest():
    result = run("why", "AAPLE")

    assert result.exit_code == 1
    assert "Did you mean AAPL?" in result.stderr


def test_why_of_an_excluded_symbol_says_that_it_was_left_out():
    result = run("why", "AAPL", "--exclude", "AAPL")

    assert result.exit_code == 1
    assert "left out on your word" in result.stderr


def test_why_takes_a_saved_plan_or_other_inputs_but_not_both(folder: Path):
    (folder / "plan.json").write_text("{}")

    assert run("why", "AAPL", "--plan", "plan.json", "--seed", "3").exit_code == 2


def test_modules_lists_every_kind_and_its_json_has_exactly_the_promised_keys():
    listed = json.loads(run("modules", "--json").stdout)

    assert all(
        set(entry)
        == {"kind", "name", "version", "enabled", "why", "source", "requires_python", "params"}
        for entry in listed
    )
    assert {entry["kind"] for entry in listed} == {
        "opportunity_calculators",
        "pattern_generators",
        "sequence_generators",
        "filters",
        "score_terms",
    }
    text = run("modules").stdout
    assert all(entry["name"] in text for entry in listed)


def test_modules_of_a_strategy_say_what_it_turns_off(folder: Path):
    (folder / "s.toml").write_text("[opportunity_calculators.averaging_down]\nenabled = false\n")

    listed = json.loads(run("modules", "--strategy", "s.toml", "--json").stdout)

    entry = next(
        entry
        for entry in listed
        if entry["name"] == "averaging_down" and entry["kind"] == "opportunity_calculators"
    )
    assert entry["enabled"] is False
    assert entry["why"] == "strategy file"


def test_an_unknown_tag_is_refused():
    result = run("modules", "--tag", "no-such-tag")

    assert result.exit_code == 1
    assert "no-such-tag" in result.stderr


def test_an_interruption_ends_with_130_and_a_word(capsys):
    with pytest.raises(typer.Exit) as ended, guarded():
        raise KeyboardInterrupt

    assert ended.value.exit_code == 130
    assert "Interrupted" in capsys.readouterr().err


def test_a_refusal_that_quotes_a_file_is_printed_without_its_controls(capsys):
    with pytest.raises(typer.Exit) as ended, guarded():
        raise PlanRefused("[red]A\x1b[31m\u202eB[/red]\nsecond line")

    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == "[red]A\\u001b[31m\\u202eB[/red]\nsecond line\n"


def test_our_own_mistakes_keep_their_traceback():
    with pytest.raises(ZeroDivisionError), guarded():
        raise ZeroDivisionError


def test_text_that_an_encoding_cannot_carry_is_spelled_out(folder: Path):
    with (folder / "out").open("w", encoding="ascii") as stream:
        write("−5.0\u00a0% → é 漢 \ud800\n", stream)

    assert (folder / "out").read_bytes() == b"-5.0 % -> \\xe9 \\u6f22 \\ud800\n"
