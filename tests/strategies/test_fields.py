"""Settings as fields: what is typed is read with its unit, out of range says the nearest."""

from __future__ import annotations

import pytest

from steelyard.errors import InputError
from steelyard.settings import Limits
from steelyard.strategies import PRESETS, default, preset
from steelyard.strategies.fields import COMMON, groups, read, shown

FIELDS = {field.key: field for _, rows in groups(default(), every=True) for field in rows}


def test_every_common_setting_is_one_of_the_strategy():
    keys = [key for _, rows in COMMON for key, _, _ in rows]

    assert set(keys) <= FIELDS.keys()
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_what_a_field_shows_is_read_back(name):
    for _, rows in groups(preset(name), every=True):
        for field in rows:
            assert read(field, shown(field, field.value)) == field.value, field.key


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("limits.max_position_weight", "5", 0.05),
        ("limits.max_position_weight", "5 %", 0.05),
        ("limits.max_position_weight", "12.5%", 0.125),
        ("limits.min_trade_base", "7,500", 7500.0),
        ("limits.max_orders", "", None),
        ("limits.max_orders", "off", None),
        ("limits.allow_buy", "off", False),
        ("filters.eligibility.min_hold_days", "30 days", 30),
    ],
)
def test_what_is_typed_is_read_with_its_unit(key, typed, value):
    assert read(FIELDS[key], typed) == value


@pytest.mark.parametrize(
    ("key", "typed", "nearest"),
    [
        ("limits.max_position_weight", "500", "The nearest is 100\u00a0%."),
        ("limits.max_position_weight", "0", "The nearest is 0.01\u00a0%."),
        ("search.max_depth", "0", "The nearest is 1."),
        ("search.max_depth", "99", "The nearest is 10."),
        ("search.max_depth", "2.5", "it must be a whole number. Allowed 1 to 10."),
        ("search.max_depth", "1e999", "it must be a whole number"),
        ("score.profile", "wild", "it must be one of balanced, conservative, aggressive."),
        ("limits.max_position_weight", "", "is empty: it must be a number."),
    ],
)
def test_what_is_not_allowed_says_range_and_nearest(key, typed, nearest):
    with pytest.raises(InputError) as raised:
        read(FIELDS[key], typed)

    assert nearest in str(raised.value)


def test_the_nearest_is_allowed():
    Limits(max_position_weight=read(FIELDS["limits.max_position_weight"], "0.01"))
