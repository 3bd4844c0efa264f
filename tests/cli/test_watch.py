"""`steelyard watch`: schedules set, shown, muted; a look; a test of channels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builders.commands import run
from builders.stored import planned
from builders.told import by_mail, mails


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with a bucket whose weights are out of their bands."""
    folder = tmp_path_factory.mktemp("watched")
    planned(folder)
    return (folder / "home" / "steelyard.db").read_bytes()


@pytest.fixture(autouse=True)
def home(prepared: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with that database."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "steelyard.db").write_bytes(prepared)
    monkeypatch.setenv("STEELYARD_HOME", str(home))
    return home


def test_a_bucket_out_of_its_bands_is_planned_stored_and_told_by_mail(home: Path):
    with mails() as server:
        by_mail(home, server.port)
        assert run("watch", "set", "core", "--bands").exit_code == 0
        result = run("watch", "--once", "--json")
        again = json.loads(run("watch", "--once", "--json").stdout)

    (tick,) = json.loads(result.stdout)["ticks"]
    assert (tick["reason"], tick["outcome"]) == ("band", "planned")
    assert tick["deliveries"]["smtp"]["state"] == "told"
    assert (again["looked"], again["ticks"]) == (True, [])
    assert run("plans", "show", tick["plan_id"]).exit_code == 0
    assert f"/plans/{tick['plan_id']}" in server.letters[0].get_body().get_content()


def test_a_channel_that_fails_is_named_and_the_exit_code_says_so(home: Path):
    by_mail(home, 1)
    run("watch", "set", "core", "--bands")

    result = run("watch", "--once")

    assert result.exit_code == 1
    assert "core: smtp was not told, try 1: Nothing listens at 127.0.0.1 port 1" in result.stderr
    assert "It is tried at the next look." in result.stderr
    assert "smtp waiting" in result.stdout


def test_without_a_channel_it_is_planned_and_told_here_alone():
    run("watch", "set", "core", "--bands")

    result = run("watch", "--once")

    assert result.exit_code == 0
    assert "No channel is set" in result.stdout
    assert "Out of band: BBB" in result.stdout


def test_a_schedule_is_set_by_options_or_a_file_shown_muted_and_removed(folder: Path):
    zone = ("--zone", "Europe/Berlin")
    (folder / "s.toml").write_text('[schedule]\nevery = "weekly"\nweekday = "monday"\n')

    by_options = run(
        "watch", "set", "core", "--every", "month-end", "--at", "17:45", *zone, "--bands"
    )
    by_file = run("watch", "set", "core", "--file", "s.toml")
    muted = run("watch", "set", "core", "--mute-until", "2099-01-01")
    (row,) = json.loads(run("watch", "list", "--json").stdout)

    assert "month-end at 17:45 Europe/Berlin, and out of a band" in by_options.stdout
    assert "weekly on monday at 09:30 UTC" in by_file.stdout
    assert "Muted until 2099-01-01 00:00 UTC." in muted.stdout
    assert "Counts sessions of XNYS." in muted.stdout
    assert (row["when"], row["muted_until"]) == (
        "weekly on monday at 09:30 UTC", "2099-01-01T00:00:00+00:00",
    )  # fmt: skip
    one_time = run("watch", "set", "core", "--on", "2098-12-31")
    assert "it will be neither planned nor told then" in one_time.stderr
    assert "neither planned" not in run("watch", "set", "core", "--unmute").stderr
    assert run("watch", "remove", "core").stdout == "core is planned by itself no more.\n"
    assert run("watch", "ticks").stdout == "No bucket was due yet.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("set", "core"), 2, "say when: --every, --on, --bands or --file."),
        (("set", "core", "--file", "s.toml", "--bands"), 2, "a file says all of it."),
        (("set", "core", "--at", "9"), 1, 'a time of day like "09:30"'),
        (("set", "core", "--every", "daily", "--on", "2099-01-01"), 1, "are two calendars"),
        (("set", "core", "--bands", "--mute-until", "soon"), 2, "no day like 2026-12-31"),
        (("set", "cor", "--bands"), 1, "There is no bucket cor. Did you mean core?"),
        (("test", "smtp"), 1, "No channel is set. Nobody was told anything."),
        (("--json",), 2, "it goes with --once."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence(arguments, code, words):
    result = run("watch", *arguments)

    assert json.loads(run("watch", "list", "--json").stdout)[0]["schedule"] is None
    assert result.exit_code == code
    assert words in " ".join(result.stderr.replace("│", " ").split())
