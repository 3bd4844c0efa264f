"""Schedules as pages: what is due, said; set, muted, removed; channels, set and tried."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders.browsing import HTML, Visitor, heading, signed_in, words
from builders.told import by_mail, mails
from steelyard.errors import SettingsError
from steelyard.services.house import House
from steelyard.store import schedules
from steelyard.store.schedules import Breach, Delivery, Tick
from steelyard.watch import board
from steelyard.watch.channels import change
from steelyard.watch.channels.settings import Channels, Smtp, Web, Webhook, load
from steelyard.watch.turn import turn_of

CORE = "/buckets/core/schedule"
CHANNELS = "/schedule/channels"
ONCE = '[schedule]\non = "2099-12-31"\nat = "09:30"\nzone = "Europe/Berlin"\n'
MAIL = {"host": "127.0.0.1", "from": "s@example.org", "to": "me@example.org", "do": "save"}


def test_the_heading_says_what_is_due_by_itself_and_when(house: House, visitor: Visitor):
    assert heading(visitor.get("/schedule")) == "Nothing is due by itself"

    board.put(house.store(), "core", ONCE)
    page = visitor.get("/schedule")

    assert heading(page) == "One bucket is due by itself, next on Thu 31 Dec 2099, 09:30 CET"
    assert "Nobody looks." in words(page)
    assert "steelyard watch" in words(page)


def test_who_looks_is_said(house: House, visitor: Visitor):
    turn = turn_of(house.store())
    assert turn is not None

    text = words(visitor.get("/schedule"))

    assert "Looked at by process" in text
    assert "Nobody looks" not in text
    turn.release()


def test_a_form_sets_a_schedule_that_the_page_says(house: House, visitor: Visitor):
    page = visitor.get(CORE)
    fields = {"every": "weekly", "weekday": "monday", "on": "2020-01-01", "at": "17:45",
              "zone": "Europe/Berlin", "bands": "on", "do": "save"}  # fmt: skip

    assert visitor.send(CORE, page, more=fields).headers["location"] == CORE
    assert visitor.send(CORE, page, more=fields).status_code == 303  # once, however often sent

    (row,) = board.rows(house.store(), house.variables)
    assert row.schedule is not None
    assert row.schedule.when == "weekly on monday at 17:45 Europe/Berlin, and out of a band"
    assert "Weekly on monday at 17:45" in words(visitor.get(CORE))


@pytest.mark.parametrize(
    ("fields", "place", "said_of_it"),
    [
        ({"every": "daily", "at": "9h30"}, "at", "has to be a time of day"),
        ({"every": "once", "on": "", "at": "09:30"}, "on", "has to be a day like"),
        ({"every": "once", "on": "2020-01-01", "at": "09:30"}, "on", "is over"),
        ({"every": "daily", "at": "09:30", "zone": "<b>Mars"}, "zone", "there is no zone"),
        ({"every": "daily", "at": "09:30", "exchange": "NOPE"}, "exchange", "cannot be had"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    house: House, visitor: Visitor, fields, place, said_of_it
):
    answer = visitor.send(CORE, visitor.get(CORE), more={**fields, "do": "save"})

    assert answer.status_code == 422
    assert f'aria-describedby="f-{place}-more"' in answer.text
    assert said_of_it in words(answer)
    if fields.get(place):
        assert fields[place].replace("<", "&lt;").replace(">", "&gt;") in answer.text
    assert "<b>Mars" not in answer.text
    assert schedules.listed(house.store()) == []


def test_a_schedule_that_is_never_due_is_refused_above_the_form(visitor: Visitor):
    answer = visitor.send(CORE, visitor.get(CORE), every="", do="save")

    assert (answer.status_code, "it is never due" in words(answer)) == (422, True)


def test_a_text_is_taken_whole_or_shown_again(house: House, visitor: Visitor):
    page = visitor.get(CORE)
    wrong = visitor.send(CORE, page, do="text", toml="[schedule]\nevry = 1 # mine\n")
    assert wrong.status_code == 422
    assert "[schedule]\nevry = 1 # mine\n</textarea>" in wrong.text
    assert "Nothing was changed" in words(wrong)

    assert visitor.send(CORE, wrong, do="text", toml=ONCE.replace("\n", "\r\n")).status_code == 303
    assert schedules.listed(house.store())[0].toml == ONCE


def test_a_schedule_that_cannot_be_read_is_named_and_can_be_mended(house: House, visitor: Visitor):
    board.put(house.store(), "core", ONCE)
    with house.store().writing() as transaction:
        schedules.changed(transaction, "core", toml="[schedule]\nevery = 3\n")

    assert "Cannot be read" in words(visitor.get("/schedule"))
    page = visitor.get(CORE)
    assert heading(page) == "The schedule of core cannot be read"
    assert "every = 3" in page.text


def test_a_schedule_is_muted_heard_again_and_removed(house: House, visitor: Visitor):
    board.put(house.store(), "core", ONCE)
    over = visitor.send(CORE, visitor.get(CORE), do="mute", until="2020-01-01")
    assert (over.status_code, "is over" in words(over)) == (422, True)
    none = visitor.send(CORE, visitor.get(CORE), do="mute", until="soon")
    assert (none.status_code, 'value="soon"' in none.text) == (422, True)

    visitor.send(CORE, visitor.get(CORE), do="mute", until="2099-01-01")
    assert heading(visitor.get("/schedule")) == "Nothing is due by itself"
    page = visitor.get(CORE)
    assert "until Thu 1 Jan 2099, 00:00 CET" in words(page)
    visitor.send(CORE, page, do="unmute")
    assert heading(visitor.get(CORE)) == "core is due on Thu 31 Dec 2099, 09:30 CET"

    gone = visitor.get(CORE)
    assert 'value="remove"' in gone.text
    seen = schedules.listed(house.store())[0].sha256
    assert visitor.send(CORE, gone, do="remove", seen=seen).headers["location"] == "/schedule"
    assert schedules.listed(house.store()) == []


def test_a_schedule_that_another_changed_meanwhile_is_not_overwritten(
    house: House, visitor: Visitor
):
    page = visitor.get(CORE)
    board.put(house.store(), "core", ONCE)

    answer = visitor.send(CORE, page, every="daily", at="07:07", do="save", seen="")

    assert answer.status_code == 409
    assert "is another since" in words(answer)
    assert "On 2099-12-31 at 09:30 Europe/Berlin" in words(answer)
    assert 'value="07:07"' in answer.text
    assert schedules.listed(house.store())[0].toml == ONCE


def test_history_names_what_was_missed_who_was_told_and_shows_texts_as_texts(
    house: House, visitor: Visitor
):
    assert heading(visitor.get("/schedule/ticks?bucket=core")) == "core was never due yet"
    at = datetime(2026, 3, 11, 8, 30, tzinfo=UTC)
    tick = Tick(
        bucket="core", due_at=at, at=at, reason="calendar", outcome="refused", missed=3,
        missed_since=datetime(2026, 3, 9, 8, 30, tzinfo=UTC), detail="<i>No price.</i>",
        breaches=(Breach("symbol", "AAA", 0.12, 0.08, 0.1),),
        deliveries={"smtp": Delivery("failed", 3, at, "it hung up"), "webhook": Delivery("told")},
    )  # fmt: skip
    with house.store().writing() as transaction:
        schedules.add_tick(transaction, tick)

    page = visitor.get("/schedule/ticks")

    text = words(page)
    assert heading(page) == "One tick, 3 missed"
    assert "3 ticks were missed between 2026-03-09 08:30 UTC" in text
    assert "smtp not told after three tries: it hung up; webhook told" in text
    assert "<i>" not in page.text
    assert visitor.get("/schedule/ticks?bucket=cor").status_code == 404


def test_roles_a_viewer_is_refused_and_a_planner_sets_schedules_but_no_channels(house: House):
    with signed_in(house, "viewer") as viewer:
        answer = viewer.get("/schedule")
        assert (answer.status_code, "planner" in words(answer)) == (403, True)
    with signed_in(house, "planner") as planner:
        page = planner.get("/schedule")
        assert "needs the role admin" in words(page)
        assert planner.send(CORE, planner.get(CORE), every="daily", do="save").status_code == 303
        assert planner.get(CHANNELS).status_code == 403
        own = planner.get(CORE)
        assert planner.send(f"{CHANNELS}/smtp", own, more=MAIL).status_code == 403
        assert planner.send(f"{CHANNELS}/smtp/test", own).status_code == 403


def test_forms_without_a_nonce_of_ours_change_nothing(house: House, visitor: Visitor):
    for address in (CORE, f"{CHANNELS}/smtp", f"{CHANNELS}/smtp/test"):
        answer = visitor.client.post(address, data={**MAIL, "nonce": "00.ff"}, headers=HTML)
        assert answer.status_code == 422
    assert not (house.home / "notify.toml").exists()


def test_mail_is_set_for_its_owner_alone_tried_and_removed(house: House, visitor: Visitor):
    with mails() as server:
        fields = {**MAIL, "port": str(server.port), "allow_private": "on"}
        sent = visitor.send(f"{CHANNELS}/smtp", visitor.get(CHANNELS), more=fields)
        assert sent.headers["location"] == CHANNELS
        page = visitor.get(CHANNELS)
        assert heading(page) == "One channel set"
        answer = visitor.send(f"{CHANNELS}/smtp/test", page)
        assert "smtp took the test message." in words(answer)
        assert visitor.send(f"{CHANNELS}/smtp/test", page).status_code == 303
        assert [letter["Subject"] for letter in server.letters] == ["Steelyard: a test message"]

    assert stat.S_IMODE((house.home / "notify.toml").stat().st_mode) == 0o600
    failed = words(visitor.send(f"{CHANNELS}/smtp/test", visitor.get(CHANNELS)))
    assert "Not sent by smtp." in failed
    visitor.send(f"{CHANNELS}/smtp", visitor.get(CHANNELS), do="remove")
    assert heading(visitor.get(CHANNELS)) == "Nobody is told"


def test_a_private_address_that_is_not_allowed_is_refused_by_the_test(visitor: Visitor):
    visitor.send(f"{CHANNELS}/smtp", visitor.get(CHANNELS), more=MAIL)

    answer = visitor.send(f"{CHANNELS}/smtp/test", visitor.get(CHANNELS))

    assert "Not sent by smtp." in words(answer)
    assert "allow_private" in words(answer)


@pytest.mark.parametrize(
    ("name", "fields", "place", "said_of_it"),
    [
        ("smtp", {**MAIL, "port": "many"}, "port", "smtp.port"),
        ("smtp", {**MAIL, "to": "nobody"}, "to", "is no address of mail"),
        ("smtp", {**MAIL, "user": "me", "password_file": "token"}, "password_file",
         "no other secret is sent"),
        ("smtp", {**MAIL, "user": "me", "password_file": "../mail-x"}, "password_file",
         "no other secret is sent"),
        ("webhook", {"url": "https://h.example/x", "secret_file": "runner.secret"}, "secret_file",
         "no other secret is sent"),
    ],
)  # fmt: skip
def test_a_channel_of_no_use_is_shown_again_and_the_file_is_not_written(
    house: House, visitor: Visitor, name, fields, place, said_of_it
):
    answer = visitor.send(f"{CHANNELS}/{name}", visitor.get(CHANNELS), more=fields)

    assert answer.status_code == 422
    assert f'aria-describedby="{name}-{place}-more"' in answer.text
    assert said_of_it in words(answer)
    assert f'value="{fields[place]}"' in answer.text
    assert not (house.home / "notify.toml").exists()


def test_the_path_of_a_webhook_is_never_shown_and_stays_when_left_empty(
    house: House, visitor: Visitor
):
    first = {"url": "https://h.example/s3cret", "secret_file": "webhook-key", "report": "on"}
    visitor.send(f"{CHANNELS}/webhook", visitor.get(CHANNELS), more={**first, "do": "save"})
    page = visitor.get(CHANNELS)
    assert "s3cret" not in page.text
    assert "h.example" in words(page)

    visitor.send(
        f"{CHANNELS}/webhook", page, more={"url": "", "secret_file": "webhook-2", "do": "save"}
    )

    hook = load(house.home).webhook
    assert hook is not None
    assert (hook.url, hook.secret_file, hook.report) == (first["url"], "webhook-2", False)


def test_a_file_that_cannot_be_used_is_said_and_never_overwritten(house: House, visitor: Visitor):
    (house.home / "notify.toml").write_text("[smtp]\nhots = 1\n", encoding="utf-8")

    assert visitor.get("/schedule").status_code == 200
    page = visitor.get(CHANNELS)
    assert heading(page) == "notify.toml cannot be used"
    assert visitor.send(f"{CHANNELS}/web", page, more={"do": "remove"}).status_code == 422
    assert "hots" in (house.home / "notify.toml").read_text(encoding="utf-8")


def test_a_password_set_another_way_goes_to_no_other_server(tmp_path: Path):
    by_mail(tmp_path, 25, 'user = "me"\npassword_file = "/etc/own-password"\n')
    table = {"host": "127.0.0.1", "port": 25, "from": "s@example.org", "to": ["a@example.org"],
             "user": "me", "password_file": "/etc/own-password"}  # fmt: skip

    channels = change.put(tmp_path, "smtp", table)
    assert channels.smtp is not None
    assert channels.smtp.to == ("a@example.org",)
    with pytest.raises(SettingsError, match="no other secret"):
        change.put(tmp_path, "smtp", {**table, "host": "mail.example"})

    by_mail(tmp_path, 25, 'user = "me"\npassword_variable = "MAIL_PASSWORD"\n')
    bare = {key: value for key, value in table.items() if key != "password_file"}
    kept_by = change.put(tmp_path, "smtp", bare).smtp
    assert kept_by is not None
    assert kept_by.password_variable == "MAIL_PASSWORD"
    with pytest.raises(SettingsError, match="go together"):
        change.put(tmp_path, "smtp", {**bare, "host": "mail.example"})


def test_the_file_that_is_written_is_read_back_the_same(tmp_path: Path):
    channels = Channels(
        smtp=Smtp.model_validate({"host": 'a"\\b', "from": "s@e.org", "to": ["a@e.org", "b@e.org"],
                                  "starttls": False}),
        webhook=Webhook(url="https://h.example/x", secret_file="k", report=False),
        web=Web(base_url="https://s.example"),
    )  # fmt: skip
    path = tmp_path / "notify.toml"
    path.write_text(change.written(channels), encoding="utf-8")

    assert load(tmp_path) == channels
