"""No process that answers requests has a key of a broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.errors import SettingsError
from steelyard.services.app import app_of
from steelyard.services.house import House


def test_an_application_is_not_made_where_there_are_keys_and_says_no_key(tmp_path: Path):
    house = House({"STEELYARD_HOME": str(tmp_path), "APCA_API_SECRET_KEY": "hunter2hunter2"})

    with pytest.raises(SettingsError, match="APCA_API_SECRET_KEY") as caught:
        app_of("test", [], house)

    assert caught.value.fault.code == "broker_keys_here"
    assert "hunter2" not in str(caught.value)
