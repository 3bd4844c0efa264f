"""`steelyard serve`: what it prints, where it listens, how it ends, and what it refuses."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from builders.commands import run
from builders.paths import ROOT
from steelyard.cli.serve import NEEDS
from steelyard.services.running.certificates import trusting

TLS = ROOT / "tests" / "services" / "running" / "tls"
ROW = re.compile(r"(\w+) +(https?://\S+) +pid (\d+)")


@contextmanager
def started(
    home: Path, *arguments: str, lines: int, **variables: str
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command, and so many lines of its output."""
    with subprocess.Popen(
        [sys.executable, "-m", "steelyard", "serve", *arguments],
        env={**os.environ, "STEELYARD_HOME": str(home), **variables},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            yield process, [process.stdout.readline() for _ in range(lines)]
        finally:
            process.kill()


def tried(command: str, home: Path) -> tuple[int, str]:
    """The curl of a line, asked by us: the status with its token, and without."""
    url = command.rpartition(" ")[2].strip()
    token = (home / "token").read_text().strip()
    assert f'-H "Authorization: Bearer $(cat {home / "token"})"' in command
    return httpx2.get(url, headers={"Authorization": f"Bearer {token}"}).status_code, url


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_all_prints_each_process_the_token_and_a_trial_and_ends_all_at_sigterm(tmp_path: Path):
    with started(tmp_path, "all", "--base-port", "0", "--evaluators", "2", lines=7) as (
        process, lines,
    ):  # fmt: skip
        rows = [ROW.fullmatch(line.strip()) for line in lines[:5]]
        status, url = tried(lines[6], tmp_path)
        process.send_signal(signal.SIGTERM)
        code, errors = process.wait(20), process.stderr.read() if process.stderr else ""

    assert [row and row[1] for row in rows] == [
        "opportunity", "generator", "evaluator", "evaluator", "coordinator",
    ]  # fmt: skip
    assert lines[5] == f"The token lies in {tmp_path / 'token'}. To try it:\n"
    assert rows[4]
    assert url == f"{rows[4][2]}/presets"
    assert status == 200
    assert code == 143
    assert errors.startswith("Starting 5 services.")
    assert errors.splitlines()[-1] == "The services have ended. Nothing was sent."
    assert not any(Path(f"/proc/{row[3]}").exists() for row in rows if row)


def test_one_service_listens_at_the_port_of_the_variable_in_this_very_process(tmp_path: Path):
    port = str(free_port())
    with started(tmp_path, "evaluator", lines=3, EVALUATOR_PORT=port) as (process, lines):
        health = httpx2.get(f"http://127.0.0.1:{port}/evaluator/health").json()
        status, _ = tried(lines[2], tmp_path)
        process.send_signal(signal.SIGINT)
        code = process.wait(20)

    assert lines[0] == f"evaluator    http://127.0.0.1:{port}  pid {process.pid}\n"
    assert health == {"healthy": True, "status": "OK"}
    assert (status, code) == (200, 130)


def test_exposed_it_is_tried_by_its_name_and_certificate(tmp_path: Path):
    (tmp_path / "services.toml").write_text('[services.tls]\nnames = ["localhost"]\n')
    files = ("--cert", str(TLS / "cert.pem"), "--key", str(TLS / "key.pem"))
    with started(tmp_path, "api", "--port", str(free_port()), "--expose", *files, lines=3) as (
        _, lines,
    ):  # fmt: skip
        words = shlex.split(lines[2].replace(f"$(cat {tmp_path / 'token'})", "TOKEN"))
        token = (tmp_path / "token").read_text().strip()
        answer = httpx2.get(
            words[-1], verify=trusting(TLS / "cert.pem"),
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    assert words[:4] == ["curl", "-s", "--cacert", str(TLS / "cert.pem")]
    assert words[-1].startswith("https://localhost:")
    assert answer.status_code == 200


def test_a_port_in_use_is_said_with_what_to_do(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = run("serve", "generator", "--port", port)

    assert result.exit_code == 1
    assert f"Port {port} is in use at 127.0.0.1:{port}. Nothing was started." in result.stderr
    assert "choose another with --port" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["all", "--port", "9000"], "--port: it is for one service; --base-port moves all"),
        (["api", "--base-port", "9000"], "--base-port: it is for serve all"),
        (["api", "--evaluators", "2"], "--evaluators: it is for serve all"),
        (["all", "--expose"], "over TLS only: it needs --cert F and --key F"),
        (["api", "--expose", "--cert", "c.pem"], "over TLS only"),
        (["api", "--cert", "c.pem"], "--cert: it is for --expose"),
        (["evaluator", "--port", "0"], "--port"),
        (["evalator"], "evalator"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(arguments: Sequence[str], words: str):
    result = run("serve", *arguments)

    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_a_file_that_is_wrong_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path))
    (tmp_path / "services.toml").write_text("[services]\nbatch_seconds = 0\n")

    result = run("serve", "api")

    assert result.exit_code == 1
    assert "services.toml line 2: services.batch_seconds is 0" in " ".join(result.stderr.split())


def test_without_the_extra_it_says_what_to_install():
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "sys.argv = ['steelyard', 'serve', 'all']\n"
        "from steelyard.__main__ import main; main()"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        "Serving needs uvicorn, not installed here. Nothing was started. Install it: "
        'pip install "steelyard[server]"\n'
    )


def test_what_is_looked_for_is_what_the_extra_brings():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = project["project"]["optional-dependencies"]["server"]
    modules = [re.split("[><=]", each)[0].replace("-", "_") for each in extra]

    assert sorted({"pyyaml": "yaml"}.get(name, name) for name in modules) == sorted(NEEDS)


def test_help_loads_no_framework():
    code = (
        "import atexit, sys\n"
        "names = {'fastapi', 'uvicorn', 'sqlalchemy', 'httpx2', 'numpy', 'multiprocessing'}\n"
        "atexit.register(lambda: print('loaded', sorted(names & set(sys.modules))))\n"
        "sys.argv = ['steelyard', 'serve', '--help']\n"
        "from steelyard.__main__ import main; main()"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert result.stdout.splitlines()[-1] == "loaded []"
