"""`events`: what is stored of what happened, for people, for programs, and as it happens."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders.commands import own_files, run
from steelyard.environment import database
from steelyard.store import events
from steelyard.store.opening import open_store
from steelyard.telemetry.events import BestSequenceUpdated, BucketSettingsChanged, CacheCleared
from steelyard.telemetry.recorder import as_kept

PROGRAM = [sys.executable, "-m", "steelyard"]
NOON = datetime(2026, 1, 9, 12, tzinfo=UTC)
BEST = as_kept(BestSequenceUpdated(0.0, 0.25, 2), NOON, "core", "run 1")
CLEARED = as_kept(CacheCleared(3), NOON)
ODD = as_kept(BucketSettingsChanged(1, {"note": "a\nb\x1b[2J\u202e"}), NOON, "odd", "run 2")


def happen(*entries) -> None:
    """Write events into the database of the command line."""
    store = open_store(database(os.environ))
    events.append(store, entries)
    store.close()


def types(text: str) -> list[str]:
    return [entry["event_type"] for entry in json.loads(text)]


def test_json_has_the_five_fields_of_each_event_oldest_first(folder):
    happen(BEST, CLEARED)

    first, *_, best, cleared = json.loads(run("events", "--json").stdout)

    assert first["event_type"] == "DatabaseUpgraded"
    assert best == {
        "timestamp": "2026-01-09T12:00:00+00:00", "bucket_id": "core",
        "event_type": "BestSequenceUpdated", "data": {"old": 0.0, "new": 0.25, "orders": 2},
        "correlation_id": "run 1",
    }  # fmt: skip
    assert (cleared["bucket_id"], cleared["data"]) == ("", {"planners": 3})


def test_bucket_type_and_limit_choose_the_newest(folder):
    happen(BEST, CLEARED, ODD, BEST, CLEARED)

    assert types(run("events", "--bucket", "core", "--json").stdout) == ["BestSequenceUpdated"] * 2
    assert types(run("events", "--type", "CacheCleared", "--json").stdout) == ["CacheCleared"] * 2
    newest = types(run("events", "--limit", "2", "--json").stdout)
    assert newest == ["BestSequenceUpdated", "CacheCleared"]


def test_a_line_says_when_where_what_and_with_which_figures(folder):
    happen(BEST, CLEARED)

    lines = run("events", "--limit", "2").stdout.splitlines()

    assert lines == [
        "2026-01-09 12:00:00  core  BestSequenceUpdated  old 0.0, new 0.25, orders 2",
        "2026-01-09 12:00:00  -     CacheCleared         planners 3",
    ]


def test_a_long_name_is_shown_whole_and_a_hash_is_cut(folder):
    run("bucket", "load", "core", *own_files(folder))
    happen(as_kept(CacheCleared(3), NOON, "b" * 300))
    text = run("events").stdout

    assert "b" * 100 in text
    assert re.search("portfolio sha256 [0-9a-f]{12}, market", text)


def test_what_a_terminal_would_obey_is_shown(folder):
    happen(ODD)

    for options in ((), ("--json",)):
        text = run("events", "--bucket", "odd", *options).stdout
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert len(run("events", "--bucket", "odd").stdout.splitlines()) == 1


def test_without_a_database_nothing_has_happened_and_none_is_made(folder):
    assert run("events").stdout == "There is no event to show.\n"
    assert run("events", "--json").stdout == "[]\n"
    assert not Path(database(os.environ)).exists()


@pytest.mark.parametrize(
    ("option", "name", "near"),
    [("--bucket", "cor", "core"), ("--type", "CacheClear", "CacheCleared")],
)
def test_a_bucket_or_a_type_that_never_was_is_refused_with_the_nearest(folder, option, name, near):
    happen(BEST)

    result = run("events", option, name)

    assert result.exit_code == 1
    assert f"Did you mean {near}?" in result.stderr


def test_a_type_of_the_catalogue_that_has_not_happened_yet_is_no_error(folder):
    happen(BEST)

    assert run("events", "--type", "CacheCleared", "--json").stdout == "[]\n"


@contextmanager
def following(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that follows; ended in any case."""
    process = subprocess.Popen(
        [*PROGRAM, "events", "--follow", *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_follows_what_another_process_does_one_object_a_line_until_interrupted(folder):
    happen(BEST)
    with following("--json", "--limit", "1") as process:
        assert json.loads(process.stdout.readline())["event_type"] == "BestSequenceUpdated"
        happen(CLEARED, ODD)
        assert json.loads(process.stdout.readline())["event_type"] == "CacheCleared"
        assert json.loads(process.stdout.readline())["bucket_id"] == "odd"

        process.send_signal(signal.SIGINT)
        rest, error = process.communicate(timeout=10)

    assert (process.returncode, rest) == (130, "")
    assert error == "Interrupted. No order exists; nothing was sent.\n"


def test_it_follows_one_bucket_in_lines_for_people(folder):
    happen(CLEARED)
    happen(BEST)
    with following("--bucket", "core", "--limit", "1") as process:
        assert "BestSequenceUpdated" in process.stdout.readline()
        happen(CLEARED, BEST)
        assert "BestSequenceUpdated" in process.stdout.readline()


def test_it_ends_when_its_reader_has_gone_with_nothing_happening(folder):
    happen(BEST)
    with following("--json", "--limit", "1") as process:
        process.stdout.readline()
        process.stdout.close()

        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""


def planned(*more: str):
    run("bucket", "load", "core", *own_files(Path()))
    return run("plan", "--bucket", "core", *more)


def test_a_plan_of_a_bucket_leaves_what_happened_while_it_was_made_in_one_run(folder):
    result = planned("--json")

    rows = json.loads(run("events", "--bucket", "core", "--json").stdout)
    of_plan = rows[[row["event_type"] for row in rows].index("PlanningStarted") :]
    types = [row["event_type"] for row in of_plan]
    assert types[0] == "PlanningStarted"
    assert types[-3:] == ["PlanningCompleted", "PlanMeasured", "PlanSaved"]
    assert {"BestSequenceUpdated", "SequenceGenerationCompleted", "ModuleFinished"} <= {*types}
    assert len({row["correlation_id"] for row in of_plan}) == 1
    assert of_plan[-1]["data"]["plan_id"] == json.loads(result.stdout)["plan_id"]


def test_a_plan_that_is_not_kept_leaves_nothing(folder):
    planned("--no-save")

    assert run("events", "--type", "PlanningStarted", "--json").stdout == "[]\n"


def test_a_plan_of_a_bucket_that_is_refused_leaves_the_reason(folder):
    run("bucket", "load", "core", *own_files(folder))
    result = run("plan", "--bucket", "core", "--withdraw", "USD=100000")

    (failed,) = json.loads(run("events", "--type", "PlanningFailed", "--json").stdout)
    assert result.exit_code == 1
    assert failed["data"]["code"] == "withdrawal_too_large"
    assert failed["data"]["error"] in result.stderr


def journalled(reason: str) -> None:
    """Write an event into the journal of the command line, as `halt` does."""
    assert run("halt", "--reason", reason).exit_code == 0


def test_what_the_journal_has_is_shown_without_a_database_and_none_is_made(folder):
    journalled("look first")

    (event,) = json.loads(run("events", "--json").stdout)

    assert set(event) == {"bucket_id", "event_type", "data", "timestamp", "correlation_id"}
    assert (event["event_type"], event["data"]["reason"]) == ("HaltChanged", "look first")
    assert not Path(database(os.environ)).exists()
    assert types(run("events", "--type", "HaltChanged", "--json").stdout) == ["HaltChanged"]
    assert types(run("events", "--type", "FillBooked", "--json").stdout) == []


def test_both_are_merged_by_time_and_the_limit_is_of_both(folder):
    happen(as_kept(CacheCleared(1), datetime.now(UTC)))
    journalled("first")
    happen(as_kept(CacheCleared(2), datetime.now(UTC)))
    journalled("second")

    whole = types(run("events", "--json").stdout)
    assert whole[-4:] == ["CacheCleared", "HaltChanged"] * 2
    assert types(run("events", "--limit", "2", "--json").stdout) == whole[-2:]


def test_it_follows_the_journal_and_a_database_that_come_to_be_meanwhile(folder):
    with following("--json") as process:
        journalled("now")
        assert json.loads(process.stdout.readline())["data"]["reason"] == "now"
        happen(CLEARED)
        lines = [json.loads(process.stdout.readline())["event_type"] for _ in range(2)]
        assert lines == ["DatabaseUpgraded", "CacheCleared"]


FIELDS = ("timestamp", "bucket_id", "event_type", "data", "correlation_id")


class Told:
    """Which events each command adds, of those that are shown."""

    def __init__(self) -> None:
        self.count = 0

    def by(self, *words: object, code: int = 0) -> list[str]:
        """Types of the events that a command leaves, each with its five fields."""
        result = run(*words)
        assert result.exit_code == code, result.output
        rows = json.loads(run("events", "--limit", "100000", "--json").stdout)
        assert all(tuple(row) == FIELDS and row["timestamp"] for row in rows)
        fresh = rows[self.count :]
        self.count = len(rows)
        return [row["event_type"] for row in fresh]


def test_every_command_that_trades_or_stops_trading_leaves_its_events(folder, monkeypatch):
    monkeypatch.setenv("STEELYARD_PAPER_PACE", "0")
    plan = planned_on(folder, "2026-01-09")
    told = Told()
    assert {"RunStarted", "AccountOpened", "RailsJudged", "OrderSubmitting", "OrderAnswered",
            "LegStateChanged", "FillBooked", "RunStateChanged", "Reconciled", "RunEnded",
            "BucketLoaded", "BucketFollowed"} <= {*told.by("execute", plan, "--yes")}  # fmt: skip
    assert told.by("reconcile") == ["Reconciled"]
    with sqlite3.connect(Path(os.environ["STEELYARD_HOME"]) / "paper.db") as store:
        store.execute("UPDATE cash SET amount = '999.99'")
    assert {"Reconciled", "AccountFrozen", "AlertRaised"} <= {*told.by("reconcile", code=1)}
    assert "AccountReleased" in told.by("reconcile", "--acknowledge", "--reason", "looked")
    assert told.by("halt", "--reason", "x") == ["HaltChanged"]
    assert told.by("halt", "--lift", "--reason", "x") == ["HaltChanged"]
    assert {"RunStarted", "FillBooked", "RunEnded"} <= {*told.by("flatten", "--yes")}
    assert told.by("cancel-all", "--yes") == []
    asked = run("arm", plan, "--account", "A").stderr.partition("Type: ")[2].partition("\n")[0]
    armed = told.by("arm", plan, "--account", "A", "--type", asked)
    assert armed[-2:] == ["PlanArmed", "PlanArmed"]


def test_orders_that_a_person_places_are_told_as_others_are(folder):
    plan = planned_on(folder, "2026-01-09")
    told = Told()
    assert "OrderSubmitting" in told.by("execute", plan, "--broker", "file", "--yes")
    (folder / "f.csv").write_text(
        "date,symbol,side,quantity,price,commission,execution_id\n2026-01-09,AAA,sell,1,10,0,x1\n"
    )
    assert "FillBooked" in told.by("runs", "fills", "last", "f.csv")
    assert "CancelAsked" in told.by("cancel-all", "--yes")
    assert "RunEnded" in told.by("resume", code=1)


def planned_on(folder: Path, day: str) -> str:
    """The id of the plan of a bucket that was loaded with prices of a day."""
    run("bucket", "load", "core", *own_files(folder), "--as-of", day)
    return json.loads(run("plan", "--bucket", "core", "--save", "--json").stdout)["plan_id"]
