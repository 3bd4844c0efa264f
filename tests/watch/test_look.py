"""What is due is planned once, written down once, told once; nothing is replayed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from builders.commands import run
from builders.told import by_mail, mails
from steelyard.errors import InputError, NotStored, SettingsError
from steelyard.store import schedules
from steelyard.store.schema import schedule
from steelyard.watch import board, desk, message
from steelyard.watch.look import ALL_INSIDE, SAME

INSIDE = "AAA,50,10\nBBB,20,20\nCASH:USD,100,"
"""Holdings that are on their targets."""


def test_a_calendar_tells_a_hold_too_with_three_numbers_a_link_and_the_report(watched, tmp_path):
    watched.due(every="daily", at="09:30", zone="Europe/Berlin")
    with mails() as server:
        by_mail(watched.home, server.port)
        assert watched.at("2026-03-11T08:29").look().ticks == []
        (tick,) = watched.at("2026-03-11T08:30").look().ticks
        assert watched.later(minutes=1).look().ticks == []
        reload(tmp_path, INSIDE)
        watched.at("2026-03-12T08:30").look()

    letter, hold = server.letters
    assert hold["Subject"].startswith("Old prices: Steelyard core: Hold.")
    text = letter.get_body().get_content()
    assert (tick.reason, tick.outcome) == ("calendar", "planned")
    assert tick.deliveries["smtp"].state == "told"
    assert server.recipients == [["me@example.org"]] * 2
    assert letter["Subject"].startswith("Old prices: Steelyard core: Act. Two trades")
    assert "Warning: The prices are of 2026-01-09, " in text
    assert all(word in text for word in ("Drift: 26.7 pp to 0.0 pp", "Cost: 5.30 USD", "Turnover:"))
    assert f"http://127.0.0.1:8011/plans/{tick.plan_id}" in text.splitlines()
    assert "Due by its calendar at 2026-03-11 08:30 UTC." in text
    (report,) = letter.iter_attachments()
    assert report.get_content().startswith("<!")
    assert (report.get_content_type(), report.get_filename()) == (
        "text/html", "steelyard-core-2026-03-11.html",
    )  # fmt: skip


def test_missed_ticks_are_told_once_and_planned_once(watched):
    watched.due(every="daily", at="09:30")

    (tick,) = watched.at("2026-03-13T09:31").look().ticks

    assert (tick.reason, tick.missed) == ("calendar", 3)  # of the 10th, 11th and 12th
    told = " ".join(message.why(tick))
    assert "3 ticks were missed between 2026-03-10 09:30 UTC and 2026-03-13 09:31 UTC" in told
    assert watched.later(minutes=1).look().ticks == []

    (late,) = watched.at("2026-03-16T14:00").look().ticks
    assert (late.reason, late.missed) == ("missed", 1)
    assert "1 tick was missed at 2026-03-16 09:30 UTC" in " ".join(message.why(late))
    events = json.loads(run("events", "--type", "WatchMissed", "--json").stdout)
    assert [event["data"]["ticks"] for event in events] == [3, 1]


def test_one_time_is_planned_once_and_the_past_is_refused(watched):
    watched.due(on="2026-03-14", at="10:00")  # a Saturday

    (tick,) = watched.at("2026-03-14T10:00").look().ticks

    assert tick.reason == "one-time"
    assert watched.later(days=300).look().ticks == []
    with pytest.raises(SettingsError, match=r"2026-03-14 10:00 UTC is over\. Nothing was changed"):
        watched.due(on="2026-03-14", at="10:00")


def test_bands_are_told_once_a_day_and_again_only_when_something_changed(watched):
    watched.due(bands=True)

    (first,) = watched.look().ticks
    assert (first.reason, first.outcome) == ("band", "planned")
    assert [breach.name for breach in first.breaches] == ["BBB", "AAA", "CASH"]
    assert "BBB 13.3 %" in message.plainly(message.in_words(first.breaches[0]))
    assert watched.later(hours=1).look().ticks == []  # nothing changed: nothing is planned

    with watched.store.writing() as transaction:  # as if other inputs had come
        schedules.changed(transaction, "core", band_inputs="other")
    (same,) = watched.look().ticks
    assert (same.outcome, same.detail, same.deliveries) == ("quiet", SAME, {})

    assert watched.at("2026-03-11T09:00").look().ticks == []  # before its time of day
    (again,) = watched.at("2026-03-11T09:30").look().ticks
    assert again.outcome == "planned"
    assert watched.at("2026-03-14T12:00").look().ticks == []  # a Saturday, and nothing changed


def test_a_bucket_that_comes_back_inside_is_quiet_and_another_breach_is_told(watched, tmp_path):
    watched.due(bands=True)
    watched.look()
    reload(tmp_path, INSIDE)

    (inside,) = watched.later(minutes=5).look().ticks
    reload(tmp_path, "AAA,60,10\nBBB,20,20\nCASH:USD,100,")
    (outside,) = watched.later(minutes=5).look().ticks

    assert (inside.outcome, inside.detail, inside.breaches) == ("quiet", ALL_INSIDE, ())
    assert outside.outcome == "planned"
    assert "AAA" in {breach.name for breach in outside.breaches}


def reload(folder: Path, rows: str) -> None:
    (folder / "h.csv").write_text(f"symbol,quantity,price\n{rows}\n")
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.5\nBBB,0.4\n")
    files = ("--holdings", folder / "h.csv", "--targets", folder / "t.csv")
    assert run("bucket", "load", "core", *files, "--as-of", "2026-01-09").exit_code == 0


def test_a_plan_that_is_refused_is_told_in_its_own_words(watched):
    assert run("bucket", "create", "satellite_a").exit_code == 0
    board.put(watched.store, "satellite_a", '[schedule]\nevery = "daily"\n')
    with mails() as server:
        by_mail(watched.home, server.port)
        (tick,) = watched.at("2026-03-10T09:30").look().ticks

    assert (tick.outcome, tick.plan_id) == ("refused", None)
    (letter,) = server.letters
    assert letter["Subject"].startswith(
        "Steelyard satellite_a: No plan. The bucket satellite_a has"
    )
    assert "http://127.0.0.1:8011/schedule" in letter.get_content()


def test_planning_that_stops_by_an_unforeseen_error_is_told_and_ends_no_look(watched, monkeypatch):
    def stops(*_):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(desk, "plan_bucket", stops)
    watched.due(every="daily", at="09:30")
    (tick,) = watched.at("2026-03-10T09:30").look().ticks

    assert tick.outcome == "refused"
    assert tick.detail == "Planning stopped: RuntimeError('out of luck'). No plan was made."
    assert watched.later(minutes=1).look().ticks == []


def test_muted_is_neither_planned_nor_told_and_written_down(watched):
    watched.due(every="daily", at="09:30", bands=True)
    board.mute(watched.store, "core", watched.now + timedelta(days=2))
    with pytest.raises(InputError, match=r"is over\. Nothing was changed"):
        board.mute(watched.store, "core", watched.now)

    (muted,) = watched.at("2026-03-11T10:00").look().ticks
    (heard,) = watched.at("2026-03-12T09:31").look().ticks

    assert (muted.outcome, muted.plan_id, muted.deliveries) == ("muted", None, {})
    assert (heard.outcome, heard.missed) == ("planned", 0)


def test_a_channel_that_fails_is_tried_at_three_looks_and_nothing_is_planned_again(watched):
    watched.due(every="daily", at="09:30")
    with mails(refusing="451 later") as server:
        by_mail(watched.home, server.port)
        states = []
        watched.at("2026-03-10T09:30")
        for _ in range(4):
            states += [tick.deliveries["smtp"] for tick in watched.later(minutes=1).look().ticks]
        assert [(each.state, each.tries) for each in states] == [
            ("waiting", 1), ("waiting", 2), ("failed", 3),
        ]  # fmt: skip
        assert "451 later" in states[-1].error
        server.refusing = ""
        (tick,) = watched.at("2026-03-11T09:30").look().ticks

    assert tick.deliveries["smtp"].state == "told"
    assert len(server.letters) == 1
    assert len(board.ticks(watched.store)) == 2
    events = json.loads(run("events", "--json").stdout)
    names = [event["event_type"] for event in events]
    assert (names.count("WatchDue"), names.count("WatchChannelFailed")) == (2, 3)
    assert (names.count("WatchTold"), names.count("ScheduleChanged")) == (1, 1)


def test_a_channel_that_is_set_no_more_is_given_up(watched):
    watched.due(every="daily", at="09:30")
    by_mail(watched.home, 1)
    watched.at("2026-03-10T09:30").look()
    (watched.home / "notify.toml").unlink()

    (tick,) = watched.later(minutes=1).look().ticks

    assert tick.deliveries["smtp"].state == "failed"
    assert "set no more" in tick.deliveries["smtp"].error


def test_a_schedule_that_cannot_be_read_stops_no_other_and_is_a_problem_of_its_row(watched):
    run("bucket", "create", "satellite_a")
    board.put(watched.store, "satellite_a", '[schedule]\nevery = "daily"\n')
    watched.due(every="daily", at="09:30")
    with watched.store.writing() as transaction:
        broken = sa.update(schedule).where(schedule.c.bucket == "satellite_a")
        transaction.connection.execute(broken.values(toml="[schedule]\nevery = 3\n"))

    looked = watched.at("2026-03-10T09:30").look()

    assert [tick.bucket for tick in looked.ticks] == ["core"]
    assert list(looked.problems) == ["satellite_a"]
    rows = {row.bucket: row for row in board.rows(watched.store, {})}
    assert "schedule.every is 3" in rows["satellite_a"].problem
    assert rows["core"].next_at is not None
    assert rows["core"].last is not None


def test_a_schedule_that_changed_while_its_plan_was_made_is_seen_by_the_next_look(
    watched, monkeypatch
):
    watched.due(every="daily", at="09:30")
    found = schedules.listed(watched.store)
    stale = [replace(entry, looked_until=watched.at("2026-03-09T00:00").now) for entry in found]
    monkeypatch.setattr(schedules, "listed", lambda _: stale)

    assert watched.at("2026-03-10T09:30").look().ticks == []
    monkeypatch.undo()
    monkeypatch.setenv("STEELYARD_HOME", str(watched.home))
    assert len(watched.look().ticks) == 1


def test_the_same_schedule_again_changes_nothing_and_of_no_bucket_there_is_none(watched):
    watched.due(every="daily", at="09:30")
    watched.at("2026-03-10T09:29").due(every="daily", at="09:30")
    assert len(watched.at("2026-03-10T09:30").look().ticks) == 1

    with pytest.raises(NotStored, match=r"There is no bucket cor\. Did you mean core"):
        board.put(watched.store, "cor", '[schedule]\nevery = "daily"\n')
    with pytest.raises(SettingsError, match=r"schedule\.exchange is 'NOWHERE'"):
        watched.due(every="daily", exchange="NOWHERE")
    board.remove(watched.store, "core")
    with pytest.raises(NotStored, match=r"The bucket core has no schedule\. Nothing was changed"):
        board.remove(watched.store, "core")
    assert len(board.ticks(watched.store, "core")) == 1
