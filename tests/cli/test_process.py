"""The program as a process: exit codes, pipes, encodings, and what `--help` costs."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import jsonschema

from steelyard.plans import plan as plans

PROGRAM = [sys.executable, "-m", "steelyard"]


def run(
    folder: Path, *arguments: str, program=PROGRAM, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_demo_plans_and_reports_and_exits_with_0(tmp_path: Path):
    done = run(tmp_path, "demo")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Report written: steelyard-report.html" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["steelyard-report.html"]
    assert "\x1b" not in done.stdout


def test_json_is_one_document_that_keeps_to_the_schema(tmp_path: Path):
    done = run(tmp_path, "demo", "--json")

    assert done.returncode == 0
    jsonschema.validate(json.loads(done.stdout), plans.json_schema())
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_exits_with_1_and_one_message(tmp_path: Path):
    done = run(tmp_path, "plan", "--holdings", "absent.csv", "--report", "r.html")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "absent.csv" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_exits_with_2(tmp_path: Path):
    done = run(tmp_path, "plan", "--nonsense")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path):
    process = subprocess.Popen(
        [*PROGRAM, "plan", "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()

    code = process.wait(timeout=60)

    errors = process.stderr.read()
    process.stderr.close()
    assert code == 0
    assert "Traceback" not in errors
    assert "Exception" not in errors


def test_an_output_that_cannot_be_written_is_one_message_and_1(tmp_path: Path):
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); from "
        "steelyard.__main__ import main; main()"
    )
    with (tmp_path / "full").open("w") as full:
        command = [sys.executable, "-c", code, "plan"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    assert "could not be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_takes_longer_than_a_second_says_so_on_a_terminal_and_not_on_stdout(tmp_path: Path):
    code = (
        "import time; from steelyard.cli.output import progress\nwith progress('Planning'): "
        "time.sleep(1.3)"
    )
    ours, theirs = pty.openpty()

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=60,
        check=True,
    )

    os.close(theirs)
    assert done.stdout == b""
    assert b"Planning" in os.read(ours, 10_000)
    os.close(ours)


def test_an_ascii_terminal_gets_the_plan_with_every_minus(tmp_path: Path):
    done = run(tmp_path, "plan", PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "?" not in done.stdout
    assert " -> " in done.stdout


def test_help_imports_nothing_heavy(tmp_path: Path):
    code = (
        "import sys; sys.argv = ['steelyard', '--help']\nimport atexit; atexit.register(lambda: "
        "print(sorted({'numpy', 'pydantic', 'jinja2', 'rich'} & set(sys.modules))))\nfrom "
        "steelyard.__main__ import main; main()\n"
    )

    done = run(tmp_path, program=[sys.executable, "-c", code])

    assert done.returncode == 0, done.stderr
    assert "Usage: steelyard" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
