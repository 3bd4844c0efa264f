"""The documents' planner configuration: plain, changeable switches over a strategy, and the
validator of both.

What a configuration does not name is as its base says: the default strategy, or the file or preset
that it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from steelyard import strategies
from steelyard.compat.records import shown
from steelyard.errors import SettingsError, did_you_mean
from steelyard.modules.registry import Kind
from steelyard.strategies import Problem, Problems, Strategy

WHY = "configuration"


@dataclass(slots=True)
class ModuleConfig:
    """A switch, and the parameters that differ from the base."""

    enabled: bool = True
    params: dict[str, Any] = field(default_factory=dict)


def _switch(kind: Kind, name: str) -> Callable[[], ModuleConfig]:
    """Makes the switch of a module as the default strategy has it."""
    return lambda: ModuleConfig(enabled=strategies.default().choice(kind, name).enabled)


@dataclass(slots=True)
class OpportunityCalculatorsConfig:
    """Switches of the calculators."""

    profit_taking: ModuleConfig = field(default_factory=_switch(Kind.OPPORTUNITY, "profit_taking"))
    averaging_down: ModuleConfig = field(
        default_factory=_switch(Kind.OPPORTUNITY, "averaging_down")
    )
    opportunity_buys: ModuleConfig = field(
        default_factory=_switch(Kind.OPPORTUNITY, "opportunity_buys")
    )
    rebalance_sells: ModuleConfig = field(
        default_factory=_switch(Kind.OPPORTUNITY, "rebalance_sells")
    )
    rebalance_buys: ModuleConfig = field(
        default_factory=_switch(Kind.OPPORTUNITY, "rebalance_buys")
    )
    weight_based: ModuleConfig = field(default_factory=_switch(Kind.OPPORTUNITY, "weight_based"))


@dataclass(slots=True)
class PatternGeneratorsConfig:
    """Switches of the patterns."""

    direct_buy: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "direct_buy"))
    profit_taking: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "profit_taking"))
    rebalance: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "rebalance"))
    averaging_down: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "averaging_down"))
    single_best: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "single_best"))
    multi_sell: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "multi_sell"))
    mixed_strategy: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "mixed_strategy"))
    opportunity_first: ModuleConfig = field(
        default_factory=_switch(Kind.PATTERN, "opportunity_first")
    )
    deep_rebalance: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "deep_rebalance"))
    cash_generation: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "cash_generation"))
    cost_optimized: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "cost_optimized"))
    adaptive: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "adaptive"))
    market_regime: ModuleConfig = field(default_factory=_switch(Kind.PATTERN, "market_regime"))


@dataclass(slots=True)
class SequenceGeneratorsConfig:
    """Switches of the sequence generators."""

    combinatorial: ModuleConfig = field(default_factory=_switch(Kind.SEQUENCE, "combinatorial"))
    enhanced_combinatorial: ModuleConfig = field(
        default_factory=_switch(Kind.SEQUENCE, "enhanced_combinatorial")
    )
    partial_execution: ModuleConfig = field(
        default_factory=_switch(Kind.SEQUENCE, "partial_execution")
    )
    constraint_relaxation: ModuleConfig = field(
        default_factory=_switch(Kind.SEQUENCE, "constraint_relaxation")
    )


@dataclass(slots=True)
class FiltersConfig:
    """Switches of the filters."""

    correlation_aware: ModuleConfig = field(
        default_factory=_switch(Kind.FILTER, "correlation_aware")
    )
    diversity: ModuleConfig = field(default_factory=_switch(Kind.FILTER, "diversity"))
    eligibility: ModuleConfig = field(default_factory=_switch(Kind.FILTER, "eligibility"))
    recently_traded: ModuleConfig = field(default_factory=_switch(Kind.FILTER, "recently_traded"))


Family = (
    OpportunityCalculatorsConfig
    | PatternGeneratorsConfig
    | SequenceGeneratorsConfig
    | FiltersConfig
)


FAMILIES: Mapping[Kind, type] = {
    Kind.OPPORTUNITY: OpportunityCalculatorsConfig,
    Kind.PATTERN: PatternGeneratorsConfig,
    Kind.SEQUENCE: SequenceGeneratorsConfig,
    Kind.FILTER: FiltersConfig,
}
"""The switches of each kind of module."""


def _of(family: Family) -> dict[str, ModuleConfig]:
    """Every switch of a family by the name of its module."""
    return {one.name: getattr(family, one.name) for one in fields(family)}


@dataclass(slots=True)
class PlannerConfiguration:
    """The rules of a plan in the documents' words; `strategy()` is what they mean here.

    name, description              for people
    max_depth                      most orders in a plan; `max_plan_depth` is the same
    max_opportunities_per_category securities that a pattern draws per calculator
    priority_threshold             least priority that patterns and generators draw
    enable_diverse_selection       draw from every country or sector in turn; `diversity_weight`
                                   says how much
    transaction_cost_*             money of the account, and fraction of an order's amount
    scope                          "proposals": the best of what the patterns propose, as the
                                   documents have it, so that every switch counts; "candidates": the
                                   best of all candidate orders, patterns are provenance
    base                           the strategy that says everything else
    """

    name: str = "default"
    description: str = ""
    max_depth: int = field(default_factory=lambda: strategies.default().search.max_depth)
    max_opportunities_per_category: int = field(
        default_factory=lambda: strategies.default().planner.max_opportunities_per_category
    )
    priority_threshold: float = field(
        default_factory=lambda: strategies.default().planner.priority_threshold
    )
    enable_diverse_selection: bool = field(
        default_factory=lambda: strategies.default().planner.diverse_selection
    )
    diversity_weight: float = field(
        default_factory=lambda: strategies.default().planner.diversity_weight
    )
    transaction_cost_fixed: float = field(default_factory=lambda: strategies.default().costs.fixed)
    transaction_cost_percent: float = field(
        default_factory=lambda: strategies.default().costs.percent
    )
    allow_sell: bool = True
    allow_buy: bool = True
    opportunity_calculators: OpportunityCalculatorsConfig = field(
        default_factory=OpportunityCalculatorsConfig
    )
    pattern_generators: PatternGeneratorsConfig = field(default_factory=PatternGeneratorsConfig)
    sequence_generators: SequenceGeneratorsConfig = field(default_factory=SequenceGeneratorsConfig)
    filters: FiltersConfig = field(default_factory=FiltersConfig)
    scope: Literal["proposals", "candidates"] = "proposals"
    base: Strategy = field(default_factory=strategies.default)

    @classmethod
    def of(cls, strategy: Strategy) -> PlannerConfiguration:
        """The switches of a strategy; what they cannot say stays in `base`."""
        made = cls(
            name=strategy.name,
            description=strategy.description,
            scope=strategy.search.scope,
            base=strategy,
        )
        for (section, key), name in SETTINGS.items():
            setattr(made, name, getattr(getattr(strategy, section), key))
        for kind, family in made._families():
            for name, module in _of(family).items():
                module.enabled = strategy.choice(kind, name).enabled
        return made

    def strategy(self) -> Strategy:
        """The strategy that this configuration means; raises SettingsError naming every key that is
        not usable.
        """
        wrong = list(self._wrong())
        if wrong:
            raise SettingsError(
                "\n".join(["The configuration cannot be read; nothing was planned.", *wrong])
            )
        changed = strategies.overlay(self.base, self.changes(), why=WHY)
        return replace(changed, name=self.name, description=self.description)

    def changes(self) -> dict[str, Any]:
        """What differs from the base, in our spelling."""
        found: dict[str, Any] = {}
        for (section, key), name in SETTINGS.items():
            if getattr(self, name) != getattr(getattr(self.base, section), key):
                found.setdefault(section, {})[key] = getattr(self, name)
        for kind, family in self._families():
            for name, module in _of(family).items():
                if (
                    module.params or module.enabled is not self.base.choice(kind, name).enabled
                ):  # 1 is no switch
                    found.setdefault(kind.value, {})[name] = {
                        "enabled": module.enabled,
                        **module.params,
                    }
        return found

    def _wrong(self) -> Iterator[str]:
        """What is no record of its kind, so that its settings cannot even be read."""
        for field_, value, kind in (
            ("name", self.name, str),
            ("description", self.description, str),
            ("base", self.base, Strategy),
        ):
            if not isinstance(value, kind):
                yield f"{field_} is {shown(value)}; it must be a {kind.__name__}."
        for kind_, made in self._families():
            family: Any = made
            if not isinstance(family, FAMILIES[kind_]):
                yield f"{kind_} is {shown(family)}; it must be a {FAMILIES[kind_].__name__}."
                continue
            switches: Mapping[str, Any] = _of(made)
            for name, module in switches.items():
                if not isinstance(module, ModuleConfig) or not isinstance(module.params, Mapping):
                    yield (
                        f"{kind_}.{name} is {shown(module)}; it must be a ModuleConfig, whose "
                        "params are a dict."
                    )

    def _families(self) -> Iterator[tuple[Kind, Family]]:
        yield Kind.OPPORTUNITY, self.opportunity_calculators
        yield Kind.PATTERN, self.pattern_generators
        yield Kind.SEQUENCE, self.sequence_generators
        yield Kind.FILTER, self.filters

    def _enabled(self, kind: Kind) -> list[str]:
        return [choice.module.name for choice in self.strategy().enabled(kind)]

    def _params(self, kind: Kind) -> dict[str, dict[str, Any]]:
        return {
            choice.module.name: choice.params.model_dump(mode="json", by_alias=True)
            for choice in self.strategy().choices[kind]
        }

    def _params_of(self, kind: Kind, name: str) -> dict[str, Any]:
        known = self._params(kind)
        if name not in known:
            raise SettingsError(
                f"There is no {name!r} in {kind}.{did_you_mean(name, list(known))} Known: "
                f"{', '.join(known)}."
            )
        return known[name]

    @property
    def max_plan_depth(self) -> int:
        """The newer document's name of `max_depth`."""
        return self.max_depth

    @max_plan_depth.setter
    def max_plan_depth(self, depth: int) -> None:
        self.max_depth = depth

    @property
    def enabled_opportunity_calculators(self) -> list[str]:
        """Names of the calculators that run."""
        return self._enabled(Kind.OPPORTUNITY)

    @property
    def enabled_pattern_generators(self) -> list[str]:
        """Names of the patterns that run."""
        return self._enabled(Kind.PATTERN)

    @property
    def enabled_sequence_generators(self) -> list[str]:
        """Names of the sequence generators that run."""
        return self._enabled(Kind.SEQUENCE)

    @property
    def enabled_filters(self) -> list[str]:
        """Names of the filters that run."""
        return self._enabled(Kind.FILTER)

    @property
    def opportunity_params(self) -> dict[str, dict[str, Any]]:
        """Calculator -> all its parameters."""
        return self._params(Kind.OPPORTUNITY)

    @property
    def pattern_params(self) -> dict[str, dict[str, Any]]:
        """Pattern -> all its parameters."""
        return self._params(Kind.PATTERN)

    @property
    def generator_params(self) -> dict[str, dict[str, Any]]:
        """Sequence generator -> all its parameters."""
        return self._params(Kind.SEQUENCE)

    @property
    def filter_params(self) -> dict[str, dict[str, Any]]:
        """Filter -> all its parameters."""
        return self._params(Kind.FILTER)

    def get_enabled_calculators(self) -> list[str]:
        """As `enabled_opportunity_calculators`."""
        return self.enabled_opportunity_calculators

    def get_enabled_patterns(self) -> list[str]:
        """As `enabled_pattern_generators`."""
        return self.enabled_pattern_generators

    def get_enabled_generators(self) -> list[str]:
        """As `enabled_sequence_generators`."""
        return self.enabled_sequence_generators

    def get_enabled_filters(self) -> list[str]:
        """As `enabled_filters`."""
        return self.enabled_filters

    def get_calculator_params(self, name: str) -> dict[str, Any]:
        """All parameters of one calculator; raises SettingsError for a name that none has."""
        return self._params_of(Kind.OPPORTUNITY, name)

    def get_pattern_params(self, name: str) -> dict[str, Any]:
        """All parameters of one pattern; raises SettingsError for a name that none has."""
        return self._params_of(Kind.PATTERN, name)

    def get_generator_params(self, name: str) -> dict[str, Any]:
        """All parameters of one sequence generator; raises SettingsError for a name that none
        has.
        """
        return self._params_of(Kind.SEQUENCE, name)

    def get_filter_params(self, name: str) -> dict[str, Any]:
        """All parameters of one filter; raises SettingsError for a name that none has."""
        return self._params_of(Kind.FILTER, name)


SETTINGS: Mapping[tuple[str, str], str] = {
    ("search", "max_depth"): "max_depth",
    ("search", "scope"): "scope",
    ("planner", "max_opportunities_per_category"): "max_opportunities_per_category",
    ("planner", "priority_threshold"): "priority_threshold",
    ("planner", "diverse_selection"): "enable_diverse_selection",
    ("planner", "diversity_weight"): "diversity_weight",
    ("costs", "fixed"): "transaction_cost_fixed",
    ("costs", "percent"): "transaction_cost_percent",
    ("limits", "allow_sell"): "allow_sell",
    ("limits", "allow_buy"): "allow_buy",
}
"""Section and key of a strategy -> its name in a configuration."""


def parse_toml_config(text: str, name: str = "configuration") -> PlannerConfiguration:
    """The configuration of TOML text in any of the documents' spellings; raises SettingsError
    listing every problem.
    """
    _check_text(text)
    return PlannerConfiguration.of(strategies.parse(text, name))


def load_planner_config_from_string(text: str, name: str = "configuration") -> PlannerConfiguration:
    """As `parse_toml_config`."""
    return parse_toml_config(text, name)


def load_planner_config(path: Path | str) -> PlannerConfiguration:
    """The configuration of a TOML file, named after the file unless it names itself; raises
    SettingsError.
    """
    return PlannerConfiguration.of(strategies.load(Path(path)))


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise SettingsError(
            f"A configuration is read from text, not from {shown(text)}. Nothing was planned."
        )


class ConfigurationValidator:
    """What is wrong with a configuration, a strategy, or a parsed TOML document in any spelling."""

    @staticmethod
    def validate(config: PlannerConfiguration | Strategy | Mapping[str, Any]) -> Problems:
        """A list of errors, empty when it is valid, that also has `is_valid`, `errors` and
        `warnings`.
        """
        given: object = config
        if isinstance(given, Strategy | Mapping):
            return strategies.validate(given)
        if not isinstance(given, PlannerConfiguration):
            told = (
                f"{shown(given)} is no configuration; give a PlannerConfiguration, a Strategy or a "
                "parsed TOML document."
            )
            return Problems([Problem("error", (), told)])
        try:
            return strategies.validate(given.strategy())
        except SettingsError as error:
            return Problems(Problem("error", (), line) for line in str(error).splitlines()[1:])

    @staticmethod
    def validate_dependencies(
        config: PlannerConfiguration | Strategy | Mapping[str, Any],
    ) -> list[str]:
        """Errors, those of modules that lack what they need among them."""
        return list(ConfigurationValidator.validate(config).errors)

    @staticmethod
    def check_dependencies(
        config: PlannerConfiguration | Strategy | Mapping[str, Any],
    ) -> list[str]:
        """Warnings: combinations that work but can hardly be meant."""
        return list(ConfigurationValidator.validate(config).warnings)
