"""The one mapper: its formulas, who set what, and a plan that changes for every output."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.buckets import rated
from builders.world import AS_OF, World, only, prepared, world
from builders.worlds import FEWER, worlds
from steelyard import strategies
from steelyard.buckets import PRESETS, SLIDERS, TOGGLES, SatelliteSettings, strategy_of
from steelyard.buckets.sliders import MAPPING, whole
from steelyard.market import Index
from steelyard.modules.registry import Kind

OPPORTUNITY, PATTERN = Kind.OPPORTUNITY.value, Kind.PATTERN.value


def value(strategy, key):
    """What stands under a dotted key like `limits.max_position_weight`."""
    table, *rest = key.split(".")
    if len(rest) == 1:
        return getattr(getattr(strategy, table), rest[0])
    choice = strategy.choice(Kind(table), rest[0])
    return choice.enabled if rest[1] == "enabled" else getattr(choice.params, rest[1])


def of(**settings):
    return strategy_of(SatelliteSettings(satellite_id="s", **settings))


# what each slider is at 0, .5 and 1

FORMULAS = {
    ("risk_appetite", "planner.priority_threshold"): (0.5, 0.35, 0.2),
    ("risk_appetite", "limits.max_position_weight"): (0.10, 0.15, 0.20),
    ("risk_appetite", "score.cost_aversion"): (7.5, 5.0, 2.5),
    ("hold_duration", "filters.eligibility.min_hold_days"): (0, 90, 180),
    ("hold_duration", "filters.recently_traded.buy_cooldown_days"): (0, 30, 60),
    ("hold_duration", "filters.recently_traded.sell_cooldown_days"): (0, 180, 360),
    ("hold_duration", "filters.recently_traded.opposite_days"): (0, 90, 180),
    ("entry_style", "opportunity_calculators.averaging_down.priority_weight"): (1.0, 0.5, 0.0),
    ("entry_style", "opportunity_calculators.opportunity_buys.momentum_weight"): (0.0, 0.5, 1.0),
    ("position_spread", "planner.max_opportunities_per_category"): (2, 6, 10),
    ("position_spread", "limits.max_position_weight"): (0.20, 0.15, 0.10),
    ("position_spread", "score.extra_diversification"): (0.0, 0.1, 0.2),
    ("profit_taking", "opportunity_calculators.profit_taking.windfall_threshold"): (
        0.40, 0.275, 0.15,
    ),
    ("profit_taking", "opportunity_calculators.profit_taking.sell_fraction"): (0.20, 0.35, 0.50),
}  # fmt: skip
TOGGLED = {
    ("trailing_stops", "opportunity_calculators.profit_taking.trailing_stop_distance"): (
        None,
        0.10,
    ),
    ("follow_regime", "pattern_generators.market_regime.enabled"): (False, True),
    ("auto_harvest", "opportunity_calculators.profit_taking.auto_harvest"): (False, True),
    ("pause_high_volatility", "limits.pause_volatility_ratio"): (None, 1.5),
}


def test_each_output_is_what_the_formula_says():
    values = {
        (slider, key): tuple(value(of(**{slider: v}), key) for v in (0.0, 0.5, 1.0))
        for slider, key in FORMULAS
    }

    assert values == FORMULAS


def test_each_toggle_switches_one_thing_and_back():
    values = {
        (name, key): tuple(value(of(**{name: on}), key) for on in (False, True))
        for name, key in TOGGLED
    }

    assert values == TOGGLED


def leaves(changes, *above: str) -> Iterator[tuple[str, object]]:
    for key, inner in changes.items():
        if isinstance(inner, dict):
            yield from leaves(inner, *above, key)
        else:
            yield ".".join((*above, key)), inner


def test_no_setting_has_an_output_that_these_tables_do_not_know():
    base = strategies.default()
    outputs = {
        (name, key) for name, changes in MAPPING.items() for key, _ in leaves(changes(True, base))
    }

    assert outputs - {("trailing_stops", f"{OPPORTUNITY}.profit_taking.trailing_stop_gain")} == {
        *FORMULAS,
        *TOGGLED,
    }
    assert set(MAPPING) == {*SLIDERS, *TOGGLES}


@given(data=st.data(), slider=st.sampled_from(SLIDERS))
def test_every_output_of_a_slider_goes_one_way(data, slider):
    a, b = sorted(data.draw(st.lists(st.floats(0, 1), min_size=2, max_size=2)))
    low, high = of(**{slider: a}), of(**{slider: b})

    for (name, key), (first, _, last) in FORMULAS.items():
        if name == slider:
            assert (value(high, key) - value(low, key)) * (last - first) >= 0
            assert min(first, last) <= value(low, key) <= max(first, last)


def test_halves_are_rounded_upwards_so_that_every_step_is_equally_wide():
    # round() would make 2, 2, 4 of them
    assert [whole(days) for days in (0.5, 1.5, 2.5, 3.5)] == [1, 2, 3, 4]
    assert [
        of(position_spread=v).planner.max_opportunities_per_category
        for v in (0.0624, 0.0625, 0.1874, 0.1875)
    ] == [2, 3, 3, 4]


# who set what


def test_settings_that_nobody_made_leave_the_default():
    made = of()

    assert made.name == "s"
    assert dict(made.sources) == {}
    assert made.sha256 == strategies.default().sha256


def test_what_is_set_wins_over_the_preset_and_the_strategy_says_who_set_it():
    made = of(preset="value", risk_appetite=1.0)

    assert made.limits.max_position_weight == pytest.approx(0.20 * (1 - 0.5 * 0.7))
    assert made.source("planner.priority_threshold") == "slider risk_appetite"
    assert made.source("filters.eligibility.min_hold_days") == "preset value"
    assert made.choice(Kind.FILTER, "eligibility").why == "preset value"
    assert made.source("limits.pause_volatility_ratio") == "default"


def test_a_preset_is_the_strategy_of_its_name_with_its_sliders_on_top():
    def by_hand(preset: str) -> str:
        base = strategies.preset(preset if preset in strategies.PRESETS else "default")
        row = {name: getattr(PRESETS[preset], name) for name in (*SLIDERS, *TOGGLES)}
        return strategy_of(SatelliteSettings(satellite_id="s", **row), base).sha256

    assert [name for name in PRESETS if of(preset=name).sha256 != by_hand(name)] == []


def test_a_toggle_switched_off_wins_over_a_preset_that_has_it_on():
    made = of(preset="momentum_hunter", trailing_stops=False, follow_regime=False)

    assert value(made, f"{OPPORTUNITY}.profit_taking.trailing_stop_distance") is None
    assert value(made, f"{PATTERN}.market_regime.enabled") is False


def test_a_slider_decides_its_outputs_whole_and_switches_no_module_on():
    base = strategies.overlay(
        strategies.default(),
        {OPPORTUNITY: {"averaging_down": {"enabled": False}}, "score": {"cost_aversion": 9.0}},
        "file",
    )

    made = strategy_of(
        SatelliteSettings(satellite_id="s", entry_style=0.2, risk_appetite=0.5), base
    )

    assert value(made, f"{OPPORTUNITY}.averaging_down.enabled") is False
    assert made.score.cost_aversion == 5.0
    assert made.search.scope == base.search.scope


def test_the_position_cap_is_shared_by_two_sliders():
    base = strategies.overlay(
        strategies.default(), {"limits": {"max_position_weight": 0.30}}, "file"
    )

    def cap(**sliders):
        return strategy_of(
            SatelliteSettings(satellite_id="s", **sliders), base
        ).limits.max_position_weight

    assert (
        cap(position_spread=0.5),
        cap(risk_appetite=1.0),
        cap(risk_appetite=1.0, position_spread=0.5),
    ) == (0.225, 0.20, 0.15)


# plans that change


def dated(of: World, bought: int, sold: int) -> World:
    """The world with every holding bought, and sold of, so many days ago."""
    on = {days: AS_OF - timedelta(days=days) for days in (bought, sold)}
    holdings = tuple(
        replace(
            one,
            lots=tuple(replace(lot, acquired=on[bought]) for lot in one.lots),
            last_sold=on[sold],
        )
        for one in of.snapshot.holdings
    )
    return replace(of, snapshot=replace(of.snapshot, holdings=holdings))


def with_closes(of: World, closes) -> World:
    closes.setflags(write=False)
    return replace(of, market=replace(of.market, closes=closes))


def fallen(of: World, symbol: str) -> World:
    """The world in which a security rose from 80 to 150 and fell to 100."""
    closes = of.market.closes.copy()
    closes[:, of.market.symbols.index(symbol)] = np.concatenate(
        [np.linspace(80, 150, 200), np.linspace(150, 100, 100)]
    )
    return with_closes(of, closes)


def stormy(of: World) -> World:
    """The world after a month of up and down by 4 %."""
    closes = of.market.closes.copy()
    closes[-21:-1:2] *= 1.04
    return with_closes(of, closes)


def rising(of: World) -> World:
    """The world in a bull market."""
    dates = of.market.dates
    return replace(
        of,
        market=replace(
            of.market, index=Index(("SPY",), dates, np.linspace(100, 180, len(dates))[:, None])
        ),
    )


def selling_winners(of: World) -> World:
    """The world in which nothing but profit taking sells."""
    return replace(
        of, strategy=only(of.strategy, Kind.OPPORTUNITY, "profit_taking", "opportunity_buys")
    )


def buying_quality(of: World) -> World:
    """The world in which nothing but opportunity buys proposes anything."""
    return replace(of, strategy=only(of.strategy, Kind.OPPORTUNITY, "opportunity_buys"))


def one_idea(of: World) -> World:
    """The world with one pattern and no generator."""
    return replace(of, strategy=only(only(of.strategy, Kind.PATTERN, "single_best"), Kind.SEQUENCE))


EVEN = ("BB 100 @ 100", "DD 200 @ 50", "EE 400 @ 25")
ROOM = rated(
    world("AA 80 @ 100", "BB 80 @ 100", "CC 0 @ 30", "DD 0 @ 20", cash="84000"), AA=0.95, BB=0.9,
    CC=0.8, DD=0.75,
)  # fmt: skip
NAMES = [letter * 2 for letter in "ABCDEFGHIJKL"]
MANY = rated(
    world(*(f"{name} 0 @ {10 + 3 * k}" for k, name in enumerate(NAMES)), cash="100000"),
    **{name: 0.95 - 0.02 * k for k, name in enumerate(NAMES)},
)
MIXED = rated(
    world(
        *("AA 300 @ 100", "BB 250 @ 100", "CC 200 @ 100", "DD 0 @ 50", "EE 0 @ 20", "FF 0 @ 30"),
        cash="20000",
        cost_prices={"AA": "55", "BB": "120", "CC": "80"},
    ),
    AA=0.3, BB=0.9, CC=0.5, DD=0.9, EE=0.9, FF=0.9,
)  # fmt: skip
DEAR = rated(
    world(
        *(
            "AA 100 @ 100", *EVEN, "FF 100 @ 100", "GG 100 @ 100", "HH 100 @ 100", "II 100 @ 100",
            "JJ 100 @ 100", "CC 0 @ 20",
        ),
        cash="3000",
    ),
    AA=0.05,
    CC=0.9,
)  # fmt: skip
DIPS = rated(
    world(
        "AA 40 @ 100", "BB 40 @ 100", "CC 0 @ 30", "DD 840 @ 100", cash="8000",
        cost_prices={"AA": "120"},
    ),
    AA=0.64, BB=0.7, CC=0.7, DD=0.5,
)  # fmt: skip
"""AA alone is below its cost, and not among the better half: nobody else asks for it."""

SECTORS = rated(
    world(
        "AA 500 @ 100", "BB 250 @ 100", "CC 50 @ 100", "DD 0 @ 40", cash="5000",
        sectors={"AA": "T", "BB": "T", "CC": "E", "DD": "H"},
    ),
    AA=0.6, BB=0.5, CC=0.6, DD=0.6,
)  # fmt: skip
WINNER = rated(
    world("AA 300 @ 100", "BB 300 @ 100", "CC 0 @ 20", cash="1000", cost_prices={"AA": "66"}),
    AA=0.05,
    CC=0.9,
)
FALLING = rated(
    world("AA 100 @ 100", *EVEN, "CC 0 @ 20", cash="1200", cost_prices={"AA": "90"}),
    AA=0.05,
    CC=0.9,
)

SHOWN = {
    ("risk_appetite", "planner.priority_threshold"): DEAR,
    ("risk_appetite", "limits.max_position_weight"): ROOM,
    ("risk_appetite", "score.cost_aversion"): DEAR,
    ("hold_duration", "filters.eligibility.min_hold_days"): dated(MIXED, 20, 200),
    ("hold_duration", "filters.recently_traded.buy_cooldown_days"): dated(ROOM, 20, 500),
    ("hold_duration", "filters.recently_traded.sell_cooldown_days"): dated(MIXED, 1000, 100),
    ("hold_duration", "filters.recently_traded.opposite_days"): dated(MIXED, 20, 200),
    ("entry_style", "opportunity_calculators.averaging_down.priority_weight"): DIPS,
    ("entry_style", "opportunity_calculators.opportunity_buys.momentum_weight"): MANY,
    ("position_spread", "planner.max_opportunities_per_category"): buying_quality(MANY),
    ("position_spread", "limits.max_position_weight"): ROOM,
    ("position_spread", "score.extra_diversification"): SECTORS,
    ("profit_taking", "opportunity_calculators.profit_taking.windfall_threshold"): selling_winners(
        WINNER
    ),
    ("profit_taking", "opportunity_calculators.profit_taking.sell_fraction"): MIXED,
    (
        "trailing_stops",
        "opportunity_calculators.profit_taking.trailing_stop_distance",
    ): selling_winners(fallen(FALLING, "AA")),
    ("follow_regime", "pattern_generators.market_regime.enabled"): rising(one_idea(MIXED)),
    ("auto_harvest", "opportunity_calculators.profit_taking.auto_harvest"): selling_winners(WINNER),
    ("pause_high_volatility", "limits.pause_volatility_ratio"): stormy(MANY),
}


def under(key: str, inner: object) -> dict:
    """A value under a dotted key, as tables."""
    for name in reversed(key.split(".")):
        inner = {name: inner}
    return inner


def trades(of: World) -> list[tuple[str, str, str]]:
    return [(step.side, step.symbol, str(step.quantity)) for step in of.plan().steps]


def changes_a_plan(name: str, key: str) -> bool:
    """One output alone goes from one end to the other."""
    shown = SHOWN[name, key]
    base = strategies.overlay(shown.strategy, {"search": {"scope": "proposals"}}, "satellite")
    ends = (0.0, 1.0) if name in SLIDERS else (False, True)
    low, high = (
        strategy_of(SatelliteSettings(satellite_id="s", **{name: end}), base) for end in ends
    )
    moved = strategies.overlay(low, under(key, value(high, key)), "the other end")
    return trades(replace(shown, strategy=low)) != trades(replace(shown, strategy=moved))


def test_every_output_of_every_setting_changes_a_plan():
    assert [output for output in SHOWN if not changes_a_plan(*output)] == []


def test_all_settings_are_shown_to_change_a_plan():
    assert set(SHOWN) == {*FORMULAS, *TOGGLED}


@FEWER
@given(of_world=worlds(), levels=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_more_risk_takes_no_buy_away_and_never_caps_a_position_lower(of_world, levels):
    tables = []
    for level in sorted(levels):
        strategy = strategy_of(
            SatelliteSettings(satellite_id="s", risk_appetite=level), of_world.strategy
        )
        made = prepared(replace(of_world, strategy=strategy))
        largest = dict.fromkeys(made.ctx.symbols, 0.0)
        for j in np.flatnonzero(made.table.is_buy):
            symbol = made.ctx.symbols[made.table.security[j]]
            largest[symbol] = max(largest[symbol], float(made.table.delta[j]))
        tables.append(largest)

    careful, bold = tables
    assert all(bold[symbol] >= careful[symbol] for symbol in careful)


@FEWER
@given(of_world=worlds(), levels=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_longer_hold_never_lets_more_be_traded(of_world, levels):
    orders = []
    for level in sorted(levels):
        made = prepared(
            replace(
                of_world,
                strategy=strategy_of(
                    SatelliteSettings(satellite_id="s", hold_duration=level), of_world.strategy
                ),
            )
        )
        orders.append(
            {
                (made.ctx.symbols[i], bool(buy))
                for i, buy in zip(made.table.security, made.table.is_buy, strict=True)
            }
        )

    assert orders[1] <= orders[0]


def test_a_trailing_stop_sells_in_the_days_of_a_cooldown_and_says_why():
    shown = dated(selling_winners(fallen(FALLING, "AA")), 1000, 20)
    base = strategies.overlay(shown.strategy, {"search": {"scope": "proposals"}}, "satellite")
    made = replace(
        shown,
        strategy=strategy_of(
            SatelliteSettings(satellite_id="s", trailing_stops=True, hold_duration=1.0), base
        ),
    ).plan()

    (sale,) = [step for step in made.steps if step.side == "sell"]
    assert (sale.symbol, set(sale.tags)) == ("AA", {"trailing_stop", "profit_taking"})
    assert sale.reason.startswith(
        "for diversification, by profit_taking: trailing stop: 33.3\u00a0% under its peak of "
        "150.00 since the purchase"
    )


def test_a_slider_at_as_good_as_nothing_is_at_nothing():
    def at(name: str, number: float) -> str:
        return of(**{name: number}).sha256

    nothings = [(name, number) for name in SLIDERS for number in (-0.0, 1e-320)]
    assert [case for case in nothings if at(*case) != at(case[0], 0.0)] == []
