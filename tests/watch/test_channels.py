"""Channels: what is set, what is refused, and what arrives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from datetime import UTC, datetime

import pytest

from builders.paths import ROOT
from builders.told import by_mail, mails, posts
from steelyard.errors import NotDelivered, SettingsError, SteelyardError
from steelyard.watch import board
from steelyard.watch.channels import by_apprise, settings, smtp
from steelyard.watch.message import Message, trial_message

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
REPORT = Message("Subject", "Text.\n", "k", NOON, {"schema": "s"}, "<!doctype html>", "r.html")
HOOK = (
    '[webhook]\nurl = "http://127.0.0.1:{port}/hook"\nsecret_file = "key"\nallow_private = true\n'
)
PRIVATE = "[smtp]\nhost = '{host}'\nfrom = 'a@b.c'\nto = 'd@e.f'\n"


def write(home, text: str, mode: int = 0o600, name: str = "notify.toml") -> None:
    (home / name).write_text(text, encoding="utf-8")
    (home / name).chmod(mode)


def refusal(home, text: str) -> str:
    write(home, text)
    with pytest.raises(SettingsError) as caught:
        settings.load(home)
    assert "Nobody was told anything." in str(caught.value)
    return str(caught.value)


def test_without_a_file_there_is_no_channel(tmp_path):
    assert settings.load(tmp_path / "nowhere").model_dump(exclude={"web"}) == {
        "smtp": None, "webhook": None, "apprise": None,
    }  # fmt: skip


def test_the_file_of_the_page_is_one_and_the_page_names_every_key(tmp_path):
    page = (ROOT / "docs" / "watch.md").read_text(encoding="utf-8")
    text = page.partition("```toml notify.toml\n")[2].partition("```")[0]
    write(tmp_path, text)

    channels = settings.load(tmp_path)

    tables = channels.model_dump(by_alias=True)
    assert [key for table in tables.values() for key in table if f"`{key}`" not in page] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[stmp]\nhost = 'a'", "stmp is not a known key. Did you mean smtp?"),
        ("[smtp]\nhost = 'a'\nfrom = 'a@b.c'\nto = 'd@e.f'\nprt = 5", "Did you mean port?"),
        ("[smtp]\nhost = 'a'\nto = 'd@e.f'", "smtp.from is missing; it must be text"),
        ("[smtp]\nhost = 'a'\nfrom = 'a@b.c'\nto = []", "smtp.to is []"),
        ("[smtp]\nhost = 'a'\nfrom = \"a@b.c\\nBcc: x@y.z\"\nto = 'd@e.f'", "no address of mail"),
        ("[smtp]\nhost = 'a'\nfrom = 'a@b.c'\nto = 'd@e.f, g@h.i'", "no address of mail"),
        ("[smtp]\nhost = 'a'\nfrom = 'a@b.c'\nto = 'd@e.f'\nport = 0", "from 1 to 65,535"),
        ("[smtp]\nhost = 'a'\nfrom = 'a@b.c'\nto = 'd@e.f'\nuser = 'u'", "user and password go"),
        ("[smtp]\nhost = 'a'\nfrom = 'a@b.c'\nto = 'd@e.f'\npassword = 'p'", "not a known key"),
        ("[webhook]\nurl = 'http://a.example/'\nsecret_file = 'k'", "has to begin with https://"),
        ("[webhook]\nurl = 'https://a.example/'", "webhook.secret_file is missing"),
        ("[web]\nbase_url = 'javascript:alert(1)'", "no address of a web server"),
        ("smtp = 3", "smtp is 3; it must be a table"),
        ("[smtp", "line 1"),
    ],
)
def test_a_file_that_is_no_use_is_refused_with_its_key(tmp_path, text, words):
    assert words in refusal(tmp_path, text)


def test_files_that_others_could_meddle_with_are_refused(tmp_path):
    write(tmp_path, "", 0o666)
    with pytest.raises(SettingsError, match=r"others can write it\. .*chmod go-w"):
        settings.load(tmp_path)
    (tmp_path / "notify.toml").unlink()
    (tmp_path / "notify.toml").symlink_to(tmp_path / "other")
    with pytest.raises(SettingsError, match="it is a link"):
        settings.load(tmp_path)
    (tmp_path / "notify.toml").unlink()
    write(tmp_path, "#" * 70_000)
    with pytest.raises(SettingsError, match="more than 65,536 bytes"):
        settings.load(tmp_path)
    write(tmp_path, "key\n", 0o644, "key")
    with pytest.raises(SettingsError, match=r"others can read it\. .*chmod 600"):
        settings.secret_in(tmp_path, "key", "webhook.secret_file")
    with pytest.raises(SettingsError, match="is not there"):
        settings.secret_in(tmp_path, "no-key", "webhook.secret_file")


@pytest.mark.parametrize("host", ["localhost", "10.0.0.1", "169.254.169.254", "::1"])
def test_a_mail_server_that_is_not_public_is_refused_unless_it_is_allowed(tmp_path, host):
    write(tmp_path, PRIVATE.format(host=host))
    mail = settings.load(tmp_path).smtp
    assert mail is not None

    with pytest.raises(NotDelivered, match="not public"):
        smtp.send(mail, REPORT, tmp_path, {})


def test_a_mail_carries_the_report_and_no_head_that_somebody_made_up(tmp_path):
    with mails() as server:
        by_mail(tmp_path, server.port)
        mail = settings.load(tmp_path).smtp
        assert mail is not None
        smtp.send(mail, REPORT, tmp_path, {})

    (letter,) = server.letters
    (report,) = letter.iter_attachments()
    assert (letter["From"], letter["To"]) == ("s@example.org", "me@example.org")
    assert letter["Message-ID"] == "<k@steelyard.invalid>"
    assert report.get_content().strip() == "<!doctype html>"


def test_a_server_that_hangs_up_has_the_mail_and_a_refused_recipient_is_told(tmp_path):
    with mails(hangs_up=True, unknown="you@example.org") as server:
        by_mail(tmp_path, server.port)
        mail = settings.load(tmp_path).smtp
        assert mail is not None
        smtp.send(mail, REPORT, tmp_path, {})
        several = mail.model_copy(update={"to": ("me@example.org", "you@example.org")})
        with pytest.raises(NotDelivered, match=r"but not for you@example\.org"):
            smtp.send(several, REPORT, tmp_path, {})

    assert server.recipients == [["me@example.org"], ["me@example.org"]]


def test_a_server_without_tls_gets_no_mail_that_must_go_by_it(tmp_path):
    with mails() as server:
        by_mail(tmp_path, server.port, "starttls = true\n")
        mail = settings.load(tmp_path).smtp
        assert mail is not None
        with pytest.raises(NotDelivered, match="STARTTLS"):
            smtp.send(mail, REPORT, tmp_path, {})

    assert server.letters == []


def test_a_password_comes_from_a_file_or_a_variable_and_is_told_nobody(tmp_path):
    write(tmp_path, "p4ss\n", 0o600, "mail-password")
    with mails() as server:
        by_mail(tmp_path, server.port, 'user = "u"\npassword_variable = "MAIL_PASSWORD"\n')
        mail = settings.load(tmp_path).smtp
        assert mail is not None
        with pytest.raises(SettingsError, match=r"MAIL_PASSWORD.* is not set"):
            smtp.send(mail, REPORT, tmp_path, {})
        with pytest.raises(NotDelivered) as caught:  # this server knows no way to log in
            smtp.send(mail, REPORT, tmp_path, {"MAIL_PASSWORD": "p4ss"})

    assert "p4ss" not in str(caught.value)


def test_a_webhook_is_signed_and_a_refusal_is_no_delivery(watched):
    write(watched.home, "s3cret\n", 0o600, "key")
    with posts() as web:
        write(watched.home, HOOK.format(port=web.port))
        watched.due(every="daily", at="09:30")
        (tick,) = watched.at("2026-03-10T09:30").look().ticks
        web.status = 500
        (failure,) = watched.at("2026-03-11T09:30").look().ticks

    heads, body, document = web.heads[0], web.bodies[0], web.documents[0]
    stamp = heads["X-Steelyard-Timestamp"]
    digest = hmac.new(b"s3cret", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert heads["X-Steelyard-Signature"] == f"v1={digest}"
    assert int(stamp) == int(datetime(2026, 3, 10, 9, 30, tzinfo=UTC).timestamp())
    assert (document["schema"], document["verdict"]) == ("steelyard.watch/1", "act")
    assert document["plan_id"] == tick.plan_id
    assert set(document["figures"]) >= {"drift_before", "drift_after", "cost", "turnover"}
    assert document["report_html"].startswith("<!")
    assert failure.deliveries["webhook"].error == "The webhook answered 500."


def test_channels_are_shown_without_what_their_addresses_hide(watched):
    write(watched.home, HOOK.format(port=80).replace("/hook", "/token-xyz"))

    (way,) = board.channels(watched.store, {"STEELYARD_HOME": str(watched.home)})

    assert (way.name, way.where) == ("webhook", "127.0.0.1")


def test_apprise_that_is_not_installed_is_named_with_its_extra(tmp_path, monkeypatch):
    write(tmp_path, "[apprise]\nurls_file = 'urls'\n")
    write(tmp_path, "json://127.0.0.1/\n", 0o600, "urls")
    monkeypatch.setitem(sys.modules, "apprise", None)
    chats = settings.load(tmp_path).apprise
    assert chats is not None

    with pytest.raises(SettingsError, match=r"steelyard\[notify\]"):
        by_apprise.send(chats, REPORT, tmp_path)


def test_apprise_tells_every_address_and_no_private_one_unless_it_is_allowed(tmp_path):
    def send(urls: str, more: str = "") -> None:
        write(tmp_path, f"[apprise]\nurls_file = 'urls'\n{more}")
        write(tmp_path, urls, 0o600, "urls")
        chats = settings.load(tmp_path).apprise
        assert chats is not None
        by_apprise.send(chats, REPORT, tmp_path)

    allowed = "allow_private = true\n"
    with posts() as web:
        with pytest.raises(SettingsError, match=r"Address 2 .*not public"):
            send(f"# mine\njsons://a.example/\njson://localhost:{web.port}/\n")
        assert web.bodies == []
        send(f"json://127.0.0.1:{web.port}/\n", allowed)
        (document,) = web.documents
        web.status = 500
        with pytest.raises(NotDelivered, match="could not tell"):
            send(f"json://127.0.0.1:{web.port}/\n", allowed)
        with pytest.raises(SettingsError, match=r"Address 1 .*does not know"):
            send("nonsense\n", allowed)

    assert (document["title"], document["message"].strip()) == ("Subject", "Text.")
    (attached,) = document["attachments"]
    assert base64.b64decode(attached["base64"]) == b"<!doctype html>"


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.1", True),
        ("0x7f000001", True),
        ("2130706433", True),
        ("0177.0.0.1", True),
        ("printer.lan", True),
        ("[::ffff:10.0.0.1]", True),
        ("4174216298", False),  # an account of a chat
        ("1024728934567890123", False),
        ("9.9.9.9", False),
        ("ntfy.example", False),
    ],
)
def test_apprise_is_not_sent_to_a_near_address_however_it_is_written(host: str, near: bool):
    assert by_apprise.is_near(f"json://{host}/topic") is near


def test_a_test_message_goes_by_one_channel_or_all_and_says_what_did_not_go(watched):
    variables = {"STEELYARD_HOME": str(watched.home)}
    with pytest.raises(SteelyardError, match=r"No channel is set\. Nobody was told"):
        board.try_channel(watched.store, variables)
    with mails() as server:
        by_mail(watched.home, server.port, HOOK.format(port=1))
        results = board.try_channel(watched.store, variables)
        with pytest.raises(SteelyardError, match=r"no channel smpt\. Did you mean smtp\?"):
            board.try_channel(watched.store, variables, "smpt")

    assert results["smtp"] is None
    assert isinstance(results["webhook"], SettingsError)
    assert server.letters[0]["Subject"] == "Steelyard: a test message"
    assert json.dumps(dict(trial_message(NOON, "smtp").document))
