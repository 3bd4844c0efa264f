"""No process that answers requests has a key of a broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.errors import SettingsError
from steelyard.services.app import app_of
from steelyard.services.house import House
from steelyard.services.security.keys import take_keys_out


def test_an_application_is_not_made_where_there_are_keys_and_says_no_key(tmp_path: Path):
    house = House({"STEELYARD_HOME": str(tmp_path), "APCA_API_SECRET_KEY": "hunter2hunter2"})

    with pytest.raises(SettingsError, match="APCA_API_SECRET_KEY") as caught:
        app_of("test", [], house)

    assert caught.value.fault.code == "broker_keys_here"
    assert "hunter2" not in str(caught.value)


def test_keys_are_taken_out_of_an_environment_and_all_else_stays():
    environment = {"APCA_API_KEY_ID": "a", "APCA_API_SECRET_KEY": "b", "PATH": "/bin"}

    assert take_keys_out(environment) == ["APCA_API_KEY_ID", "APCA_API_SECRET_KEY"]
    assert environment == {"PATH": "/bin"}
