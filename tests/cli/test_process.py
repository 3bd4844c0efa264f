"""The program as a process: exit codes, signals, pipes, encodings, and what `--help` costs."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from builders.commands import own_files

PROGRAM = [sys.executable, "-m", "steelyard"]


def run(
    folder: Path, *arguments: str, program=PROGRAM, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *arguments], cwd=folder, env={**os.environ, **environment}, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip


def test_demo_plans_and_reports_and_exits_with_0(tmp_path: Path):
    done = run(tmp_path, "demo")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Report written: steelyard-report.html" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["steelyard-report.html"]
    assert "\x1b" not in done.stdout


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
        [*PROGRAM, "plan", "--json"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
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
            command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
            check=False,
        )  # fmt: skip

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
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs,
        timeout=60, check=True,
    )  # fmt: skip

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


# signals

ENDS = {
    signal.SIGINT: (130, "Interrupted. No order exists; nothing was sent."),
    signal.SIGTERM: (143, "Ended by SIGTERM. No order exists; nothing was sent."),
}
AT_IMPORT = """
import importlib.abc, os, sys

class Strike(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {moment!r}:
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Strike())
from steelyard.__main__ import main
main()
"""


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
@pytest.mark.parametrize("moment", ["typer", "numpy", "steelyard.report.page"])
def test_a_signal_during_an_import_ends_with_its_code_and_one_line(tmp_path, number, moment):
    code = AT_IMPORT.format(moment=moment, number=int(number))

    done = run(tmp_path, "plan", "--report", "r.html", program=[sys.executable, "-c", code])

    assert (done.returncode, done.stderr) == (ENDS[number][0], ENDS[number][1] + "\n")
    assert (done.stdout, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_a_signal_while_it_plans_ends_with_its_code_and_one_line(tmp_path, number):
    process = subprocess.Popen(
        [*PROGRAM, "plan", *own_files(tmp_path), "--explain"], cwd=tmp_path,
        env={**os.environ, "STEELYARD_LOG": "debug"}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr.readline().startswith("DEBUG steelyard")

    process.send_signal(number)

    out, errors = process.communicate(timeout=60)
    lines = [line for line in errors.splitlines() if not line.startswith("DEBUG steelyard")]
    assert (process.returncode, out, lines) == (ENDS[number][0], "", [ENDS[number][1]])


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_a_signal_in_a_destructor_that_swallows_every_exception_ends_it_too(tmp_path, number):
    code = f"""
import os
from steelyard import __main__ as program

class Deaf:
    def __del__(self):
        os.kill(os.getpid(), {int(number)})
        for _ in range(1000): pass

def run():
    Deaf()
    print("went on")

program._run = run
program.main()
"""

    done = run(tmp_path, program=[sys.executable, "-c", code])

    assert (done.returncode, done.stdout) == (ENDS[number][0], "")
    assert done.stderr == ENDS[number][1] + "\n"
