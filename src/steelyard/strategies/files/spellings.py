"""Every spelling of a strategy that is accepted, and what each means in the house form.

The house form is one table for each section (`[limits]`, `[search]`, …) and one for each module
(`[filters.eligibility]`). The older documents put many of the same settings at the top of the file,
under `[planner]` or `[core]`, parameters in a nested `params` table, and switches in lists: each of
those becomes a `Given`. `docs/configuration.md` lists the tables below.

Precedence: in a module or a section, then `[planner]`, then `[core]`, then the top. Two places that
name one key must agree; where they do, the first of these is where it is said to come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from enum import IntEnum
from numbers import Integral
from typing import Any, TypeGuard

from steelyard.modules.registry import Kind
from steelyard.strategies.files.problems import shown
from steelyard.strategies.files.reading import MAX_NESTING

Key = tuple[str, ...]
"""A key of the house form: ("search", "max_depth"), ("filters", "eligibility", "on_missing")."""

ENABLED = "enabled"
ON_FAILURE = "on_failure"
"""Beside the parameters of a filter that forbids orders: what to do while it fails."""
PARAMS = "params"
PLANNER = "planner"
CORE = "core"


class Level(IntEnum):
    """Where a key may stand, the strongest place first."""

    MODULE = 0
    PLANNER = 1
    CORE = 2
    TOP = 3


LEVELS: Mapping[Level, str] = {
    Level.MODULE: "the table of a module or of a section",
    Level.PLANNER: "`[planner]`",
    Level.CORE: "`[core]`",
    Level.TOP: "the top of the file",
}


@dataclass(frozen=True, slots=True)
class Given:
    """One setting as a document has it.

    key      in the house form
    value    as the house form takes it
    written  where it stands in the document
    level    how strong that place is
    raw      the value as written
    """

    key: Key
    value: object
    written: Key
    level: Level
    raw: object


@dataclass(frozen=True, slots=True)
class Converted:
    """How a number of the older documents becomes ours.

    low, high   what may be written
    says        the change, in words
    """

    by: Callable[[float], float]
    low: float
    high: float
    says: str

    def takes(self, value: object) -> TypeGuard[float]:
        """Is it a number in the range? True and false are none."""
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
        )


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of a house key; `converted` is how its value changes, where it does."""

    key: Key
    converted: Converted | None = None


@dataclass(frozen=True, slots=True)
class Agrees:
    """A module's own copy of a setting of the whole strategy: accepted where the two agree."""

    key: Key


@dataclass(frozen=True, slots=True)
class Refused:
    """A key without a meaning here, accepted where it asks for nothing; `says` what to do."""

    says: str
    nothing: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Unused:
    """A key that is accepted and changes nothing; the warning says why."""

    says: str
    type: type[bool] | type[int] = int


@dataclass(frozen=True, slots=True)
class Switches:
    """A switch of one way to evaluate; of several that are on the first of `MODES` counts.

    `false` asks for the score alone, where that way is what the strategy inherits.
    """

    mode: str


Spelling = Alias | Agrees | Refused | Unused | Switches
PENALTY_SCALE = 50.0
"""The documents' default penalty of .1 is the default cost aversion of 5."""
NO_SIGN = Converted(abs, -1, 1, "a minus sign is dropped")
"""A fall written as a negative number, or as the positive one that is meant."""
COST_AVERSION = Converted(
    lambda penalty: penalty * PENALTY_SCALE, 0, 20, f"times {PENALTY_SCALE:g}: .1 is the default"
)
COST_SHARE = Converted(lambda multiple: 1 / multiple, 1, 1_000_000, "one over it")
"""A multiple of its cost that a trade must be worth, as the share that its cost may be."""


def _search(key: str) -> Alias:
    return Alias(("search", key))


def _planner(key: str) -> Alias:
    return Alias(("planner", key))


def _module(kind: Kind, module: str, key: str, converted: Converted | None = None) -> Alias:
    return Alias((kind.value, module, key), converted)


SLIDER = Refused(
    "a slider or a switch of a satellite belongs to its settings (SatelliteSettings), not to a "
    "strategy"
)
EVALUATION_MODE = ("evaluation", "mode")
SINGLE = "single_objective"
MODES = ("monte_carlo", "stochastic", "multi_objective", "multi_timeframe")
"""Where switches of several are on: the documents' order, the rest after it."""
SLIDERS = (
    *("risk_appetite", "hold_duration", "entry_style", "position_spread", "profit_taking"),
    *("trailing_stops", "follow_regime", "auto_harvest", "pause_high_volatility"),
    "dividend_handling",
)
WHOLE_PLAN = "planning goes in one go, whatever the batches"
FROM_HOLDINGS = Refused(
    "dates and returns come from the holdings file (acquired, last_bought, last_sold, "
    "average_cost): leave it out"
)

_COMBINATIONS = (Kind.SEQUENCE, "enhanced_combinatorial")

GLOBAL: Mapping[str, Spelling] = {
    "max_depth": _search("max_depth"),
    "max_plan_depth": _search("max_depth"),
    "beam_width": _search("beam_width"),
    "max_opportunities_per_category": _planner("max_opportunities_per_category"),
    "priority_threshold": _planner("priority_threshold"),
    "priority_threshold_for_combinations": _planner("priority_threshold"),
    "enable_diverse_selection": _planner("diverse_selection"),
    "diversity_weight": _planner("diversity_weight"),
    "transaction_cost_fixed": Alias(("costs", "fixed")),
    "transaction_cost_percent": Alias(("costs", "percent")),
    "trade_cost_multiplier": Alias(("limits", "max_cost_share"), COST_SHARE),
    "cost_penalty_factor": Alias(("score", "cost_aversion"), COST_AVERSION),
    "allow_buy": Alias(("limits", "allow_buy")),
    "allow_sell": Alias(("limits", "allow_sell")),
    "max_position_concentration": Alias(("limits", "max_position_weight")),
    "max_position_size": Alias(("limits", "max_position_weight")),
    "min_hold_days": _module(Kind.FILTER, "eligibility", "min_hold_days"),
    "max_loss_threshold": _module(Kind.FILTER, "eligibility", "no_panic_sell_pct", NO_SIGN),
    "sell_cooldown_days": _module(Kind.FILTER, "recently_traded", "sell_cooldown_days"),
    "buy_cooldown_days": _module(Kind.FILTER, "recently_traded", "buy_cooldown_days"),
    "min_weight_gap": _module(Kind.OPPORTUNITY, "weight_based", "min_gap_threshold"),
    "enable_market_regime_scenarios": _module(Kind.PATTERN, "market_regime", ENABLED),
    "enable_combinatorial": _module(*_COMBINATIONS, ENABLED),
    "combinatorial_max_combinations_per_depth": _module(*_COMBINATIONS, "max_combinations"),
    "combinatorial_max_sells": _module(*_COMBINATIONS, "max_sells"),
    "combinatorial_max_buys": _module(*_COMBINATIONS, "max_buys"),
    "combinatorial_max_candidates": _module(*_COMBINATIONS, "max_candidates"),
    "enable_batch_generation": Unused(WHOLE_PLAN, bool),
    "batch_size": Unused(WHOLE_PLAN),
    "monte_carlo_path_count": Alias(("evaluation", "paths")),
    "monte_carlo_paths": Alias(("evaluation", "paths")),
    "enable_monte_carlo_paths": Switches("monte_carlo"),
    "enable_monte_carlo": Switches("monte_carlo"),
    "enable_stochastic_scenarios": Switches("stochastic"),
    "enable_multi_objective": Switches("multi_objective"),
    "enable_multi_timeframe": Switches("multi_timeframe"),
    "stochastic_price_shifts": Alias(("evaluation", "shifts")),
    "stochastic_scenario_shifts": Alias(("evaluation", "shifts")),
    "evaluation_mode": Alias(EVALUATION_MODE),
    "base_trade_amount_eur": Refused(
        "orders are sized in fractions of value, not in money: write planner.base_trade_weight,"
        " the amount over the account's value"
    ),
    **dict.fromkeys(SLIDERS, SLIDER),
}
"""Keys of the top, `[planner]` and `[core]` that are not house keys."""

EVALUATION: Mapping[str, Spelling] = {
    key: spelling
    for key, spelling in GLOBAL.items()
    if isinstance(spelling, Switches)
    or (isinstance(spelling, Alias) and spelling.key[0] == EVALUATION_MODE[0])
}
"""Of these what may stand in `[evaluation]` too, beside its house keys."""

_BUYS: Mapping[str, Spelling] = {"base_trade_amount_eur": GLOBAL["base_trade_amount_eur"]}

_OF_WEIGHT_BASED = (
    *("transaction_cost_fixed", "transaction_cost_percent"),
    *("trade_cost_multiplier", "min_weight_gap"),
)

_EVERY_PATTERN: Mapping[str, Spelling] = {
    "max_depth": Agrees(("search", "max_depth")),
    "available_cash_eur": Refused("cash comes from the account: leave it out", (0, 0.0)),
}

_COMBINATORIAL: Mapping[str, Spelling] = {
    "priority_threshold": Agrees(("planner", "priority_threshold")),
    "max_steps": Agrees(("search", "max_depth")),
}

_ENFORCE = Refused(
    "a rule that is on is enforced; to switch one off set its number to 0, or switch the "
    "filter off",
    (True,),
)

MODULES: Mapping[str, Mapping[str, Spelling]] = {
    "opportunity_calculators.averaging_down": {
        **_BUYS,
        "dip_threshold": _module(Kind.OPPORTUNITY, "averaging_down", "dip_threshold", NO_SIGN),
        "max_drawdown": _module(Kind.OPPORTUNITY, "averaging_down", "max_drawdown", NO_SIGN),
    },
    "opportunity_calculators.opportunity_buys": _BUYS,
    "opportunity_calculators.rebalance_buys": _BUYS,
    "opportunity_calculators.weight_based": {key: GLOBAL[key] for key in _OF_WEIGHT_BASED},
    "pattern_generators.*": _EVERY_PATTERN,
    "pattern_generators.single_best": {
        **_EVERY_PATTERN,
        "max_depth": Refused("a single order is one order deep: leave it out", (1,)),
    },
    "pattern_generators.adaptive": {
        **_EVERY_PATTERN,
        "min_large_gap": _module(Kind.PATTERN, "adaptive", "geographic_gap"),
        "min_medium_gap": _module(Kind.PATTERN, "adaptive", "sector_gap"),
    },
    "pattern_generators.market_regime": {
        **_EVERY_PATTERN,
        "market_regime": Refused("the regime is detected from the index, never set: leave it out"),
    },
    "sequence_generators.combinatorial": _COMBINATORIAL,
    "sequence_generators.enhanced_combinatorial": _COMBINATORIAL,
    "filters.correlation_aware": {
        "lookback_days": Unused(
            "correlations come from all the prices given; give fewer for a shorter look back"
        ),
        "securities": Refused("securities come from the account: leave it out"),
        "correlation_matrix": Refused(
            "correlations are estimated from the prices given: leave it out"
        ),
    },
    "filters.eligibility": {
        "max_loss_threshold": GLOBAL["max_loss_threshold"],
        "sell_cooldown_days": GLOBAL["sell_cooldown_days"],
        "enforce_min_hold": _ENFORCE,
        "enforce_sell_cooldown": _ENFORCE,
        "enforce_max_loss": _ENFORCE,
        "position_acquired_dates": FROM_HOLDINGS,
        "last_sell_dates": FROM_HOLDINGS,
        "position_returns": FROM_HOLDINGS,
    },
    "filters.recently_traded": {
        "enforce_buy_cooldown": _ENFORCE,
        "enforce_sell_cooldown": _ENFORCE,
        "trade_history": FROM_HOLDINGS,
    },
}
"""Parameters of modules that are not house keys, by qualified name; `*` = all of the kind."""

ENABLED_LISTS: Mapping[str, Kind] = {
    "enabled_opportunity_calculators": Kind.OPPORTUNITY,
    "enabled_pattern_generators": Kind.PATTERN,
    "enabled_sequence_generators": Kind.SEQUENCE,
    "enabled_filters": Kind.FILTER,
}
"""Lists of names: exactly these run."""

PARAM_TABLES: Mapping[str, Kind] = {
    "opportunity_params": Kind.OPPORTUNITY,
    "pattern_params": Kind.PATTERN,
    "generator_params": Kind.SEQUENCE,
    "filter_params": Kind.FILTER,
}
"""Tables of parameters by module; they switch nothing on."""

NAMES: Mapping[str, str] = {
    "name": "name",
    "description": "description",
    "title": "description",
    "preset": "preset",
    "preset_name": "preset",
}
"""Texts, at the top, in `[planner]` or in `[core]` -> what they are."""


def of_module(kind: str, module: str) -> Mapping[str, Spelling]:
    """Further spellings of a module's parameters."""
    return MODULES.get(f"{kind}.{module}") or MODULES.get(f"{kind}.*") or {}


def rows() -> Iterator[tuple[str, str, Spelling]]:
    """Every spelling not of the house, for reference and schema: (where, key, what it means)."""
    for key, spelling in GLOBAL.items():
        yield "", key, spelling
    for module, keys in MODULES.items():
        every = MODULES.get(f"{module.partition('.')[0]}.*", {})
        for key, spelling in keys.items():
            if keys is every or every.get(key) != spelling:
                yield module, key, spelling


@dataclass(frozen=True, slots=True)
class Foreign:
    """What TOML cannot say, in its place: no setting takes it, and a message can name it."""

    what: str

    def __str__(self) -> str:
        return self.what


def plain(value: object, depth: int = 0) -> Any:
    """A value with lists, tables, numbers and keys as TOML has them: equal settings are equal."""
    if isinstance(value, Mapping | list | tuple) and depth > MAX_NESTING:
        return Foreign(f"nested more than {MAX_NESTING} deep")
    if isinstance(value, Mapping):
        return {_key(key): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, depth + 1) for inner in value]
    if value is None or isinstance(value, bool | str | date | time):
        return value
    if isinstance(value, Integral | float):
        return float(value) if isinstance(value, float) else int(value)
    return Foreign(f"a {type(value).__name__}")


def _key(key: object) -> str:
    return str(key) if isinstance(key, str) else shown(plain(key))
