"""Settings of a satellite: strict, unset unless somebody sets them, presets by name."""

import math

import pytest
from pydantic import ValidationError

from steelyard.buckets import PRESETS, SLIDERS, TOGGLES, SatelliteSettings


def settings(**given):
    return SatelliteSettings(satellite_id="satellite_momentum_1", **given)


def test_everything_is_unset_unless_somebody_sets_it():
    assert {settings().chosen(name) for name in (*SLIDERS, *TOGGLES, "dividend_handling")} == {
        (None, "default")
    }
    assert settings().dividends == "send_to_core"


def is_refused(name: str, value: object) -> bool:
    """Is it, by its name?"""
    try:
        SatelliteSettings(**{"satellite_id": "s", name: value})
    except ValidationError as error:
        return name in str(error)
    return False


def test_a_slider_is_a_number_from_0_to_1():
    wrong = [(name, v) for name in SLIDERS for v in (-0.01, 1.01, math.nan, math.inf, True, "0.5")]

    assert [case for case in wrong if not is_refused(*case)] == []


def test_a_toggle_is_true_or_false():
    wrong = [(name, value) for name in TOGGLES for value in (1, 0.0, "true")]

    assert [case for case in wrong if not is_refused(*case)] == []


def test_unknown_keys_and_values_are_refused():
    wrong = {"risk": 0.5, "dividend_handling": "spend"}
    ids = ("../core", "")

    assert [name for name, value in wrong.items() if not is_refused(name, value)] == []
    assert [name for name in ids if not is_refused("satellite_id", name)] == []


def test_an_unknown_preset_is_refused_with_the_nearest_name():
    with pytest.raises(ValidationError, match="Did you mean momentum_hunter"):
        settings(preset="momentum_huntr")


def test_a_preset_with_a_path_is_refused():
    for preset in ("../conservative", "/etc/passwd", "presets\\value", "value.toml"):
        with pytest.raises(ValidationError, match="a preset is a name, not a path"):
            settings(preset=preset)


def test_what_is_set_wins_over_the_preset_and_the_preset_over_the_default():
    chosen = settings(preset="momentum_hunter", hold_duration=0.0, follow_regime=False)

    assert chosen.chosen("hold_duration") == (0.0, "slider hold_duration")
    assert chosen.chosen("risk_appetite") == (0.7, "preset momentum_hunter")
    assert chosen.chosen("follow_regime") == (False, "setting follow_regime")
    assert chosen.chosen("trailing_stops") == (True, "preset momentum_hunter")
    assert chosen.chosen("auto_harvest") == (None, "default")
    assert chosen.dividends == "reinvest_same"


def test_every_preset_sets_every_slider():
    assert all(getattr(row, slider) is not None for row in PRESETS.values() for slider in SLIDERS)
