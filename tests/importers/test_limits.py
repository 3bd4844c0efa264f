"""Limits of files: set by variables of the environment, and told with the figure."""

import pytest

from steelyard.errors import SettingsError
from steelyard.importers.limits import LIMITS, VARIABLES, FileLimits, limits_from


def test_a_variable_sets_its_limit_and_an_empty_one_sets_nothing():
    environment = {"STEELYARD_MAX_PRICE_CELLS": "123", "STEELYARD_MAX_FILE_ROWS": "", "PATH": "/"}

    assert limits_from(environment) == FileLimits(max_cells=123)
    assert limits_from({}) == LIMITS


def test_a_variable_that_is_no_usable_number_is_refused_by_name():
    cases = ["0", "-1", "1e9", "ten", "1.5", " 5", "1_000", "٣", "9" * 4000, str(10**12 + 1)]

    for variable in VARIABLES.values():
        for text in cases:
            with pytest.raises(SettingsError, match=rf"^{variable} is .*Nothing was planned"):
                limits_from({variable: text})
