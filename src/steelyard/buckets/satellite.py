"""What a person sets of a satellite, and the presets: rows of the same table.

Everything is unset unless somebody sets it. What is set wins over the preset, the preset over the
default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from steelyard.errors import did_you_mean
from steelyard.settings import Fraction, Section, setting
from steelyard.strategies.strategy import SETTING_WHY, SLIDER_WHY

DividendHandling = Literal["reinvest_same", "send_to_core", "accumulate_cash"]

Slider = Fraction | None
Toggle = bool | None


class Sliders(Section):
    """Five sliders from 0 to 1, four toggles and where dividends go; None = not set."""

    risk_appetite: Slider = setting(
        None, "0 careful, 1 bold: larger positions, weaker proposals, costs weigh less"
    )
    hold_duration: Slider = setting(None, "0 days, 1 half a year: how long a holding is left alone")
    entry_style: Slider = setting(None, "0 buys dips, 1 buys what rises")
    position_spread: Slider = setting(None, "0 few large positions, 1 many small ones")
    profit_taking: Slider = setting(None, "0 lets winners run, 1 sells early and much of them")
    trailing_stops: Toggle = setting(None, "sell what rose and then fell from its peak")
    follow_regime: Toggle = setting(None, "trade with the regime of the market")
    auto_harvest: Toggle = setting(
        None, "take any gain over expected growth, whatever the threshold"
    )
    pause_high_volatility: Toggle = setting(None, "buy nothing while the market is stormy")
    dividend_handling: DividendHandling | None = setting(
        None, "where dividends go; to the core unless set"
    )


SLIDERS = ("risk_appetite", "hold_duration", "entry_style", "position_spread", "profit_taking")
TOGGLES = ("trailing_stops", "follow_regime", "auto_harvest", "pause_high_volatility")


def _row(*sliders: float, **rest: Any) -> Sliders:
    return Sliders.model_validate({**dict(zip(SLIDERS, sliders, strict=True)), **rest})


FOLLOWING: Any = {"trailing_stops": True, "follow_regime": True}
REINVESTING: Any = {"dividend_handling": "reinvest_same"}
PRESETS: Mapping[str, Sliders] = {
    "conservative": _row(0.2, 0.9, 0.3, 0.9, 0.4),
    "balanced": _row(0.5, 0.6, 0.5, 0.6, 0.5),
    "aggressive": _row(0.8, 0.3, 0.7, 0.4, 0.7),
    "momentum": _row(0.8, 0.2, 0.9, 0.4, 0.7),
    "momentum_hunter": _row(*(0.7, 0.3, 0.8, 0.4, 0.6), **FOLLOWING, **REINVESTING),
    "dip_buyer": _row(0.5, 0.7, 0.2, 0.6, 0.4, **REINVESTING),
    "value": _row(0.3, 0.8, 0.2, 0.7, 0.2),
    "steady_eddy": _row(0.3, 0.8, 0.3, 0.7, 0.3, **REINVESTING),
    "dividend_catcher": _row(0.4, 0.2, 0.5, 0.8, 0.8, dividend_handling="accumulate_cash"),
}
"""Settings by name. Where a strategy of the same name is shipped, these are set on top of it."""


class SatelliteSettings(Sliders):
    """The settings of one satellite; raises ValidationError for unusable values, keys, presets."""

    satellite_id: Annotated[
        str,
        Field(pattern=r"^[a-z0-9][a-z0-9_\-]{0,63}$", description="name of the satellite's bucket"),
    ]
    preset: str | None = setting(None, "settings that count where nothing is set here")

    @field_validator("preset")
    @classmethod
    def _known(cls, preset: str | None) -> str | None:
        if preset is None or preset in PRESETS:
            return preset
        names = ", ".join(PRESETS)
        if any(sign in preset for sign in "/\\.:"):
            raise ValueError(f"a preset is a name, not a path: {preset!r}. Known are {names}")
        near = did_you_mean(preset, list(PRESETS))
        raise ValueError(f"there is no preset {preset!r}.{near} Known are {names}")

    def chosen(self, name: str) -> tuple[Any, str]:
        """The value of a setting and who set it; None and "default" where nobody did."""
        value = getattr(self, name)
        if value is not None:
            return value, f"{SLIDER_WHY if name in SLIDERS else SETTING_WHY}{name}"
        row = PRESETS.get(self.preset) if self.preset else None
        value = getattr(row, name) if row else None
        return value, "default" if value is None else f"preset {self.preset}"

    @property
    def dividends(self) -> DividendHandling:
        """Where dividends go: as set, else as the preset has it, else to the core."""
        handling: DividendHandling = self.chosen("dividend_handling")[0] or "send_to_core"
        return handling
