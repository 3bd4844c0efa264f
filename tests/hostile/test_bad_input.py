"""Bad input through the command line: exit 1, one message, no traceback, nothing written.

The whole corpus goes through the importer (`test_corpus.py`); here one folder of each kind.
"""

import json
import os
import re
from pathlib import Path

import pytest

from builders.commands import run
from builders.paths import TESTS

CORPUS = TESTS / "hostile" / "corpus"
CASES = (
    "as_of_before_the_data", "base_currency_unclear", "cash_argument_text", "exclude_unknown",
    "held_currency_without_rate", "index_ragged", "price_a_hundred_times", "price_nan_long",
    "rate_twice", "several_accounts",
    "several_lines_of_several_files", "stale_price_of_held", "symbol_escape", "target_twice",
    "worth_less_than_nothing", "yield_in_percent",
)  # fmt: skip
HOSTILE = TESTS / "hostile" / "corpus_hostile"
FORMS = ("holdings", "prices", "targets", "securities", "fx", "index")


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(folder: Path) -> list[str]:
    arguments = folder / "args.txt"
    files = [
        part
        for form in FORMS
        if (folder / f"{form}.csv").exists()
        for part in (f"--{form}", str(folder / f"{form}.csv"))
    ]
    return [*files, *(arguments.read_text(encoding="utf-8").split() if arguments.exists() else [])]


def refused(result, folder: Path) -> None:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "othing was planned" in result.stderr
    assert "Traceback" not in result.stderr
    assert all(line.isprintable() for line in result.stderr.splitlines())
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_is_refused_and_nothing_is_written(name: str, empty: Path):
    result = run("plan", *options(CORPUS / name), "--report", "report.html")

    refused(result, empty)
    expected = (CORPUS / name / "expect.txt").read_text(encoding="utf-8").strip()
    assert re.search(expected, result.stderr)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_is_missing_or_a_folder_or_a_pipe_is_refused(
    form: str, tmp_path_factory: pytest.TempPathFactory, empty: Path
):
    others = tmp_path_factory.mktemp("others")
    (others / "h.csv").write_text("symbol,quantity,price\nAAA,1,10\n")
    os.mkfifo(others / "pipe")
    good = [] if form == "holdings" else ["--holdings", others / "h.csv"]

    for path in (others / "absent.csv", others, others / "pipe"):
        refused(run("plan", *good, f"--{form}", path), empty)


def test_a_field_of_100_mb_is_refused_unread(tmp_path_factory: pytest.TempPathFactory, empty: Path):
    path = tmp_path_factory.mktemp("large") / "h.csv"
    with path.open("wb") as file:
        file.write(b"symbol,quantity,price\nAAA,1,")
        file.truncate(100_000_000)

    refused(run("plan", "--holdings", path), empty)


@pytest.mark.parametrize(
    "command",
    [["plan"], ["plan", "--explain"], ["why", "BBB"], ["why", "EEE"], ["modules"]],
    ids=" ".join,
)
def test_hostile_text_is_printed_and_never_obeyed(command):
    files = [] if command == ["modules"] else options(HOSTILE)

    result = run(*command, *files, "--strategy", HOSTILE / "strategy.toml")

    assert result.exit_code == 0, result.stderr
    for text in (result.stdout, result.stderr):
        assert all(line.isprintable() for line in text.replace("\u00a0", " ").split("\n"))


def test_markup_in_names_stays_literal():
    result = run("why", "AAA", *options(HOSTILE))

    assert "[bold red]Alpha[/bold red] [link=file:///etc/passwd]x[/link]" in result.stdout
    assert "</script>[bold]core\\u001b[0m" in result.stdout


def test_hostile_text_survives_in_json_as_data():
    document = json.loads(run("plan", *options(HOSTILE), "--json").stdout)

    assert document["bucket"] == "</script>[bold]core\x1b[0m"


def test_hostile_arguments_are_shown_and_never_obeyed(empty: Path):
    for arguments in (
        ["--holdings", "\x1b[31mred\u202e.csv"],
        ["--cash", "\x1b[31m=1"],
        ["--exclude", "[red]\x1b"],
        ["--strategy", "\x1b.toml"],
    ):
        result = run("plan", *arguments)

        assert result.exit_code == 1
        assert not set(result.output) & set("\x1b\u202e")
