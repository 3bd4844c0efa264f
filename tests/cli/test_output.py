"""Files, messages and streams: what is written whole, refused, spelled out, or told."""

import io
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from builders.commands import own_files, run
from steelyard.cli.output import guarded, note, save, write, write_json
from steelyard.errors import InputError, PlanRefused


def device(path: Path) -> None:
    """A node of our own, of the kind of /dev/null."""
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def linked(path: Path) -> None:
    (path.parent / "other").write_text("keep me")
    path.symlink_to("other")


NEVER_REPLACED: dict[str, Callable[[Path], None]] = {
    "a device": device, "a pipe": os.mkfifo, "a socket": bound, "a folder": Path.mkdir,
    "a link to another file": linked,
}  # fmt: skip


def state(folder: Path) -> list[tuple[str, int, bytes]]:
    """Every entry of a folder: name, kind and mode, content of the regular ones."""
    return [
        (path.name, path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.iterdir())
    ]


@pytest.mark.parametrize("kind", NEVER_REPLACED)
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["plan", "--holdings", "absent.csv", "--report"], "r.html"),
        (["demo", "--report"], "r.html"),
        (["strategy", "new", "--force"], "s.toml"),
    ],
    ids=["plan", "demo", "strategy"],
)
def test_nothing_but_a_regular_file_is_replaced(folder: Path, kind: str, command, name: str):
    if kind == "a device" and os.geteuid() != 0:
        # only root makes a device node: others meet the same refusal by the kind of a pipe
        kind = "a pipe"
    NEVER_REPLACED[kind](folder / name)
    before = state(folder)

    result = run(*command, name)

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"not written to {name}: it is {kind}, and only a new file" in result.stderr
    # before anything is read or planned: the missing holdings are not even told
    assert "Nothing was planned." in result.stderr or command[0] == "strategy"
    assert "absent.csv" not in result.stderr
    assert state(folder) == before


def test_a_link_to_nothing_and_one_in_a_loop_are_links(folder: Path):
    (folder / "nothing.html").symlink_to("nowhere")
    (folder / "loop.html").symlink_to("loop.html")

    for name in ("nothing.html", "loop.html"):
        with pytest.raises(InputError, match="a link to another file"):
            save(folder / name, "text", "report")
    assert {path.name for path in folder.iterdir()} == {"nothing.html", "loop.html"}


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_is_written_whole_and_as_the_umask_says(folder: Path, umask: int, mode: int):
    with masked(umask):
        save(folder / "new.html", "<!DOCTYPE html>first\n", "report")
        save(folder / "new.html", "<!doctype html>second\n", "report")

    assert state(folder) == [("new.html", stat.S_IFREG | mode, b"<!doctype html>second\n")]


@contextmanager
def masked(umask: int) -> Iterator[None]:
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


def test_a_file_that_could_not_be_written_whole_leaves_the_old_one_and_no_part(folder: Path):
    (folder / "r.html").write_text("<!doctype html>old")

    with pytest.raises(InputError, match=r"could not be written to .*Nothing was written"):
        save(folder / "r.html", "text that ends badly \ud800", "report")

    assert state(folder) == [("r.html", (folder / "r.html").stat().st_mode, b"<!doctype html>old")]


def test_a_path_that_cannot_be_is_refused_in_one_sentence(folder: Path):
    (folder / "file").write_text("")

    for path, reason in (
        (folder / "no" / "r.html", "there is no folder"),
        (folder / "file" / "r.html", "Not a directory"),
        (folder / ("x" * 300), "File name too long"),
        (folder / "a\0b", "null"),
    ):
        with pytest.raises(InputError, match=rf"could not be written to .*{reason}"):
            save(path, "text", "report")
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_a_report_that_cannot_be_written_leaves_the_plan_on_the_screen_and_fails(folder: Path):
    files = own_files(folder)
    before = state(folder)

    # a folder that takes no file from anybody
    result = run("plan", *files, "--report", "/proc/self/report.html")

    assert result.exit_code == 1
    assert "Seal" in result.stdout
    assert "Report written" not in result.stdout
    assert "could not be written" in result.stderr
    assert state(folder) == before


def test_a_report_never_takes_the_place_of_what_is_no_report_and_says_so_before_it_plans(
    folder: Path,
):
    files = own_files(folder)
    before = state(folder)

    for target in (*(path for path in folder.iterdir()), folder / "no" / "r.html"):
        result = run("plan", *files, "--report", target)

        assert result.exit_code == 1
        assert result.stdout == ""
        assert "Nothing was planned" in result.stderr
    assert state(folder) == before


def test_an_exit_code_stands_when_the_reader_has_gone(folder: Path):
    plan = run("plan", *own_files(folder), "--json").stdout
    (folder / "w.json").write_text(plan.replace('"value": "', '"value": "9', 1))
    command = [sys.executable, "-m", "steelyard", "verify", str(folder / "w.json")]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        process.stderr.read()

    assert process.wait() == 1


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


def test_json_keeps_letters_and_escapes_what_a_terminal_would_obey(capsys):
    write_json({"name": "Société\x9b2J\u202e"})

    assert capsys.readouterr().out == '{\n  "name": "Société\\u009b2J\\u202e"\n}\n'


class Window(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_message_breaks_between_words_in_a_window_and_never_in_a_pipe(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    path = "/" + "p" * 60
    text = f"{'word ' * 20}{path} end\nsecond"
    window, pipe = Window(), io.StringIO()

    for stream in (window, pipe):
        monkeypatch.setattr(sys, "stderr", stream)
        note(text)

    lines = window.getvalue().splitlines()
    assert pipe.getvalue() == f"{text}\n"
    assert [line for line in lines if len(line) > 40] == [path]
    assert lines[-1] == "second"
    assert " ".join(lines).split() == text.split()
