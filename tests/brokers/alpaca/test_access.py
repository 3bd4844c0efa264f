"""Which host a mode may go to is decided before any connection."""

from __future__ import annotations

import os

import pytest

from steelyard.brokers.alpaca import open_alpaca
from steelyard.errors import SettingsError

KEYS = {"APCA_API_KEY_ID": "k", "APCA_API_SECRET_KEY": "s"}
PAPER, LIVE = "https://paper-api.alpaca.markets", "https://api.alpaca.markets"


@pytest.mark.parametrize(
    ("mode", "address"),
    [
        ("paper", ""), ("paper", PAPER), ("paper", f"{PAPER}/v2"), ("paper", f"{PAPER}:443/"),
        ("live", ""), ("live", f"{LIVE}/v2/"),
    ],
)  # fmt: skip
def test_the_host_of_the_mode_is_taken(mode, address: str) -> None:
    broker = open_alpaca({**KEYS, "APCA_API_BASE_URL": address}, mode)

    assert broker.name == "alpaca"
    broker.close()


@pytest.mark.parametrize(
    ("mode", "address"),
    [
        ("paper", LIVE), ("live", PAPER), ("paper", "http://paper-api.alpaca.markets"),
        ("paper", "https://paper-api.alpaca.markets.evil.example"),
        ("paper", "paper-api.alpaca.markets"),
        ("paper", "https://evil.example/paper-api.alpaca.markets"),
        ("paper", "https://user:pass@paper-api.alpaca.markets"), ("paper", f"{PAPER}:444"),
        ("paper", f"{PAPER}#@127.0.0.1"),
        ("paper", f"{PAPER}@evil.example"), ("paper", f"{PAPER}/v1"), ("paper", f"{PAPER}:x"),
        ("paper", f"{PAPER}?to=evil"), ("live", "https://api.alpaca.markets\\@evil.example"),
    ],
)  # fmt: skip
def test_any_other_host_is_refused_and_no_address_is_repeated(mode, address: str) -> None:
    with pytest.raises(SettingsError, match="Nothing was connected") as caught:
        open_alpaca({**KEYS, "APCA_API_BASE_URL": address}, mode)

    assert caught.value.fault.code == "wrong_host"
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_key_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        open_alpaca({**KEYS, name: ""})


@pytest.mark.live_paper
def test_the_real_paper_account_answers() -> None:
    broker = open_alpaca(os.environ)

    account, clock = broker.account(), broker.clock()

    assert account.mode == "paper"
    assert clock.local is not None
    assert abs((clock.now - clock.local).total_seconds()) < 60
    assert "SPY" in broker.assets(["SPY"])
    assert broker.find("p1thisorderwasneversent") is None
    broker.close()
