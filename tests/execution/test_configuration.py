"""Settings of execution: what is written holds exactly, and what nobody reads is refused."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest

from steelyard.errors import SettingsError
from steelyard.execution import configuration
from steelyard.execution.configuration import BUILT_IN, Configuration, load, loosened

PREFIX = "STEELYARD_EXECUTION__"


def wrote(home, text):
    (home / configuration.FILE).write_text(text)
    return home


def refused(home, environment=()):
    with pytest.raises(SettingsError) as error:
        load(home, dict(environment))
    assert "Nothing was sent" in str(error.value)
    return error.value


def test_without_a_file_the_built_in_settings_hold(tmp_path):
    assert (
        load(tmp_path, {})
        == load(tmp_path / "none", {"PATH": "/bin"})
        == BUILT_IN
        == Configuration()
    )


def test_the_built_in_limits_are_those_that_were_decided():
    paper, live = BUILT_IN.limits_of("paper"), BUILT_IN.limits_of("live")

    assert (paper.max_order_weight, paper.max_order_base, paper.max_turnover_weight) == (1, None, 2)
    assert (live.max_order_weight, live.max_order_base) == (Decimal("0.20"), 10_000)
    assert live.max_turnover_weight == Decimal("0.40")
    for limits in (paper, live):
        assert (limits.max_spread_weight, limits.quote_max_age_s) == (Decimal("0.01"), 10)
        assert (limits.closed_first_s, limits.closed_last_s) == (300, 900)
        assert (limits.max_orders_without_plan, limits.max_orders_a_day) == (50, 1000)
        assert (limits.max_position_weight, limits.max_sector_weight) == (None, None)


def test_a_number_of_a_file_is_the_decimal_that_was_written(tmp_path):
    home = wrote(tmp_path, "[limits.paper]\nmax_drift_weight = 0.1\nmax_order_base = 5000.05")

    limits = load(home, {}).limits_of("paper")

    assert (limits.max_drift_weight, limits.max_order_base) == (Decimal("0.1"), Decimal("5000.05"))
    assert limits.quote_max_age_s == 10


def test_a_variable_wins_over_the_file_and_an_empty_one_is_none(tmp_path):
    home = wrote(tmp_path, "[limits.live]\nmax_order_weight = 0.1\n[account]\nmode = 'paper'")
    environment = {
        f"{PREFIX}LIMITS__LIVE__MAX_ORDER_WEIGHT": "0.05",
        f"{PREFIX}ACCOUNT__MODE": "live",
        f"{PREFIX}ACCOUNT__PINNED": "X-1",
        f"{PREFIX}WORKING__WALK": "[0.5, 1]",
        f"{PREFIX}ARMING__TTL_S": "",
    }

    settings = load(home, environment)

    assert settings.limits.live.max_order_weight == Decimal("0.05")
    assert (settings.account.mode, settings.account.pinned) == ("live", "X-1")
    assert settings.working.walk == (Decimal("0.5"), Decimal(1))
    assert settings.arming.ttl_s == 900


def test_the_engine_stands_in_the_same_file_and_has_variables_of_its_own(tmp_path):
    home = wrote(tmp_path, "[engine]\nactive = 'reference'\nshadow = 'none'")

    settings = load(home, {"STEELYARD_ENGINE_SHADOW": "on"})

    assert (settings.engine.active, settings.engine.shadow) == ("reference", "on")
    assert "engine.activ is not a known key" in str(refused(wrote(tmp_path, "[engine]\nactiv = 1")))


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("[limits.paper]\nmax_order_wieght = 0.5", "limits.paper.max_order_wieght",
         "Did you mean max_order_weight?"),
        ("[limits]\nmax_order_weight = 0.5", "limits.max_order_weight", "not a known key"),
        ("[limit.paper]\n", "limit", "Did you mean limits?"),
        ("[limits.paper]\nmax_order_weight = 1.01", "limits.paper.max_order_weight",
         "is 1.01; it must be a number above 0 and at most 1"),
        ("[limits.paper]\nmax_order_weight = nan", "limits.paper.max_order_weight", "NaN"),
        ("[limits.paper]\nmax_order_weight = inf", "limits.paper.max_order_weight", "Infinity"),
        ("[limits.paper]\nmax_order_weight = '0.5'", "limits.paper.max_order_weight", "'0.5'"),
        ("[limits.paper]\nmax_order_weight = true", "limits.paper.max_order_weight", "true"),
        ("[limits.paper]\nmax_rejects = 2.5", "limits.paper.max_rejects", "whole number"),
        ("limits = 3", "limits", "must be a table"),
        ("[account]\nmode = 'dry'", "account.mode", "'paper', 'live'"),
        ("[webhook]\nurl = 'http://x'", "webhook.url", "begin with https://"),
    ],
)  # fmt: skip
def test_a_setting_that_is_wrong_is_refused_by_its_name(tmp_path, text, place, words):
    error = refused(wrote(tmp_path, text))

    assert error.fault.place == place
    assert words in str(error)


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    error = refused(wrote(tmp_path, "[limits.paper]\na = 1\nmax_rejects = 0\n[b]\n"))

    assert [fault.place for fault in error.faults] == [
        "limits.paper.max_rejects", "limits.paper.a", "b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[limits", "is not valid TOML"),
        ("a" + ".b" * 40 + " = 1", "a key of more than 16 parts"),
        ("x = " + "[" * 40, "nested more than 32 deep"),
        ("#" * 70_000, "at most 65,536 are read"),
    ],
)
def test_a_file_that_is_none_or_too_large_is_refused(tmp_path, text, words):
    assert words in str(refused(wrote(tmp_path, text)))


def test_a_file_that_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / configuration.FILE)
    assert "not a regular file" in str(refused(tmp_path))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / configuration.FILE).symlink_to(tmp_path / "nowhere")
    assert "could not be read" in str(refused(tmp_path / "home"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("STEELYARD_EXECUTION_LIMITS", "1", "not a known variable"),
        ("STEELYARD_EXECUTION", "1", "not a known variable"),
        (f"{PREFIX}LIMIT__PAPER", "1", "Did you mean limits?"),
        (f"{PREFIX}LIMITS__PAPER", "1", "must be a table"),
        (f"{PREFIX}LIMITS__PAPER__MAX_REJECTS", "5\nmax_failures = 100", "max_rejects is"),
        (f"{PREFIX}LIMITS__PAPER__MAX_REJECTS", "[" * 9000, "max_rejects is"),
        (f"{PREFIX}{'A__' * 20}B", "1", "not a known variable"),
        (f"{PREFIX}__X", "1", "not a known variable"),
    ],
)
def test_a_variable_that_nothing_reads_or_that_smuggles_is_refused(tmp_path, name, value, words):
    assert words in str(refused(tmp_path, {name: value}))


def test_the_address_of_a_webhook_is_in_no_text(tmp_path):
    home = wrote(tmp_path, "[webhook]\nurl = 'https://hooks.example/T0P5ECRET'")

    settings = load(home, {})

    assert "T0P5ECRET" not in f"{settings} {settings!r} {settings.model_dump_json()}"
    assert settings.webhook.url.get_secret_value().endswith("T0P5ECRET")


def test_no_webhook_and_no_live_trading_unless_somebody_says_so():
    assert BUILT_IN.webhook.url is None
    assert (BUILT_IN.account.mode, BUILT_IN.account.pinned) == ("paper", None)


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_a_limit_that_lets_more_through_is_an_event_and_a_tighter_one_is_none(mode):
    limits = BUILT_IN.limits_of(mode)
    count = 0
    for name in type(limits).model_fields:
        value = getattr(limits, name)
        if value is None or name == "max_order_weight":
            continue
        for factor in (Decimal("0.5"), Decimal(2)):
            number = type(value)(value * factor)
            events = list(loosened(limits.model_copy(update={name: number}), mode))
            looser = (factor < 1) == (name in configuration.TIGHTER_IF_LARGER)
            assert [each.limit for each in events] == [name] * (looser and number != value), name
            count += 1

    assert count > 50


def test_no_limit_is_the_loosest_of_all():
    live = BUILT_IN.limits.live.model_copy(update={"max_order_base": None})

    [event] = loosened(live, "live")

    assert (event.mode, event.limit) == ("live", "max_order_base")
    assert (event.built_in, event.value) == ("10000", "none")
