"""The documents' planner configuration: changeable switches over a strategy, and their validator.

What a configuration does not name is as its base says: the default strategy, or the file or preset
that it was made from. Which switches there are, the registry says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from steelyard import strategies
from steelyard.compat.records import NOTHING, shown
from steelyard.errors import SettingsError, did_you_mean, each
from steelyard.modules.registry import Kind, modules
from steelyard.settings import Scope
from steelyard.strategies import Problem, Problems, Strategy

WHY = "configuration"
AS_BASE: Any = object()
"""Of a setting that was not given."""


@dataclass(slots=True)
class ModuleConfig:
    """A switch, and the parameters that differ from the base."""

    enabled: bool = True
    params: dict[str, Any] = field(default_factory=dict)


class Switches:
    """One switch for every module of a kind, by its name; by default as the default strategy's."""

    kind: ClassVar[Kind]

    def __init__(self, **switches: ModuleConfig) -> None:
        for name in switches:
            if name not in modules(self.kind):
                raise TypeError(f"{self.kind} has no {name!r}{self._near(name)}")
        for choice in strategies.default().choices[self.kind]:
            name = choice.module.name
            setattr(self, name, switches.get(name, ModuleConfig(choice.enabled)))

    def __setattr__(self, name: str, switch: ModuleConfig) -> None:
        if name not in modules(self.kind):
            raise AttributeError(f"{self.kind} has no {name!r}{self._near(name)}")
        object.__setattr__(self, name, switch)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({vars(self)})"

    def _near(self, name: str) -> str:
        return did_you_mean(name, list(modules(self.kind)))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> ModuleConfig: ...


class OpportunityCalculatorsConfig(Switches):
    """Switches of the calculators."""

    kind = Kind.OPPORTUNITY


class PatternGeneratorsConfig(Switches):
    """Switches of the patterns."""

    kind = Kind.PATTERN


class SequenceGeneratorsConfig(Switches):
    """Switches of the sequence generators."""

    kind = Kind.SEQUENCE


class FiltersConfig(Switches):
    """Switches of the filters."""

    kind = Kind.FILTER


FAMILIES: Mapping[Kind, type[Switches]] = {
    Kind.OPPORTUNITY: OpportunityCalculatorsConfig,
    Kind.PATTERN: PatternGeneratorsConfig,
    Kind.SEQUENCE: SequenceGeneratorsConfig,
    Kind.FILTER: FiltersConfig,
}
"""The switches of each kind of module, under its name in a configuration."""


def _enabled(kind: Kind) -> Callable[[PlannerConfiguration], list[str]]:
    """Makes the method that names the modules of a kind that run."""
    return lambda config: [choice.module.name for choice in config.strategy().enabled(kind)]


def _params(kind: Kind) -> Callable[[PlannerConfiguration], dict[str, dict[str, Any]]]:
    """Makes the method that has all parameters of every module of a kind."""
    return lambda config: {
        choice.module.name: choice.params.model_dump(mode="json", by_alias=True)
        for choice in config.strategy().choices[kind]
    }


def _params_of(kind: Kind) -> Callable[[PlannerConfiguration, str], dict[str, Any]]:
    """Makes the method that has all parameters of one module; raises SettingsError without it."""

    def params_of(config: PlannerConfiguration, name: str) -> dict[str, Any]:
        every = _params(kind)(config)
        if name not in every:
            near = did_you_mean(name, list(every))
            raise SettingsError(
                f"There is no {name!r} in {kind}.{near} Known: {', '.join(every)}.",
                code="configuration_no_module",
                place=str(kind),
                value=name,
                limit=", ".join(every),
                hint=near.strip(),
            )
        return every[name]

    return params_of


@dataclass(slots=True)
class PlannerConfiguration:
    """The rules of a plan in the documents' words; `strategy()` is what they mean here.

    name, description              for people
    max_depth                      most orders in a plan; `max_plan_depth` is the same
    max_opportunities_per_category securities that a pattern draws per calculator
    priority_threshold             least priority that patterns and generators draw
    enable_diverse_selection       draw from country or sector in turn; `diversity_weight`: how much
    transaction_cost_*             money of the account, and fraction of an order's amount
    scope                          "proposals": the best of what the patterns propose, as in the
                                   documents; "candidates": the best of all candidate orders;
                                   "quantities": of any whole lots; None: as the base says, else
                                   "proposals" where what shapes these differs from the base
    base                           the strategy that says everything else
    """

    name: str = "default"
    description: str = ""
    max_depth: int = AS_BASE
    max_opportunities_per_category: int = AS_BASE
    priority_threshold: float = AS_BASE
    enable_diverse_selection: bool = AS_BASE
    diversity_weight: float = AS_BASE
    transaction_cost_fixed: float = AS_BASE
    transaction_cost_percent: float = AS_BASE
    allow_sell: bool = AS_BASE
    allow_buy: bool = AS_BASE
    opportunity_calculators: OpportunityCalculatorsConfig = AS_BASE
    pattern_generators: PatternGeneratorsConfig = AS_BASE
    sequence_generators: SequenceGeneratorsConfig = AS_BASE
    filters: FiltersConfig = AS_BASE
    scope: Scope | None = "proposals"
    base: Strategy = field(default_factory=strategies.default)

    def __post_init__(self) -> None:
        base = self.base if isinstance(self.base, Strategy) else strategies.default()
        for (section, key), name in SETTINGS.items():
            if getattr(self, name) is AS_BASE:
                setattr(self, name, getattr(getattr(base, section), key))
        for kind, family in FAMILIES.items():
            if getattr(self, kind) is AS_BASE:
                on = {c.module.name: ModuleConfig(c.enabled) for c in base.choices[kind]}
                switches = {name: on[name] for name in modules(kind) if name in on}
                setattr(self, kind, family(**switches))

    @classmethod
    def of(cls, strategy: Strategy) -> PlannerConfiguration:
        """The switches of a strategy; what they cannot say stays in `base`."""
        return cls(strategy.name, strategy.description, scope=None, base=strategy)

    def strategy(self) -> Strategy:
        """The strategy that this means; raises SettingsError naming every unusable key."""
        if wrong := list(self._wrong()):
            refusal = "The configuration cannot be read; nothing was planned."
            raise SettingsError(
                "\n".join([refusal, *wrong]),
                code="configuration_unreadable",
                faults=each("configuration_unreadable", wrong),
            )
        changed = strategies.overlay(self.base, self.changes(), why=WHY)
        return replace(changed, name=self.name, description=self.description)

    def changes(self) -> dict[str, Any]:
        """What differs from the base, in our spelling."""
        changes: dict[str, Any] = {} if self.scope is None else {"search": {"scope": self.scope}}
        for (section, key), name in SETTINGS.items():
            if getattr(self, name) != getattr(getattr(self.base, section), key):
                changes.setdefault(section, {})[key] = getattr(self, name)
        for kind in FAMILIES:
            on = {choice.module.name: choice.enabled for choice in self.base.choices[kind]}
            for name, switch in vars(getattr(self, kind)).items():
                if switch.params or switch.enabled is not on.get(name, False):  # 1 is no switch
                    table = {"enabled": switch.enabled, **switch.params}
                    changes.setdefault(kind.value, {})[name] = table
        return changes

    def _wrong(self) -> Iterator[str]:
        """What is no record of its kind, so that its settings cannot even be read."""
        texts = {"name": str, "description": str, "base": Strategy}
        for name, kind in (*texts.items(), *FAMILIES.items()):
            value = getattr(self, name)
            if not isinstance(value, kind):
                yield f"{name} is {shown(value)}; it must be a {kind.__name__}."
            elif isinstance(value, Switches):
                rule = "it must be a ModuleConfig, whose params are a dict."
                for module, switch in vars(value).items():
                    usable = isinstance(switch, ModuleConfig) and isinstance(switch.params, Mapping)
                    if not usable:
                        yield f"{name}.{module} is {shown(switch)}; {rule}"

    @property
    def max_plan_depth(self) -> int:
        """The newer document's name of `max_depth`."""
        return self.max_depth

    @max_plan_depth.setter
    def max_plan_depth(self, depth: int) -> None:
        self.max_depth = depth

    get_enabled_calculators = _enabled(Kind.OPPORTUNITY)
    get_enabled_patterns = _enabled(Kind.PATTERN)
    get_enabled_generators = _enabled(Kind.SEQUENCE)
    get_enabled_filters = _enabled(Kind.FILTER)
    enabled_opportunity_calculators = property(_enabled(Kind.OPPORTUNITY))
    enabled_pattern_generators = property(_enabled(Kind.PATTERN))
    enabled_sequence_generators = property(_enabled(Kind.SEQUENCE))
    enabled_filters = property(_enabled(Kind.FILTER))
    opportunity_params = property(_params(Kind.OPPORTUNITY))
    pattern_params = property(_params(Kind.PATTERN))
    generator_params = property(_params(Kind.SEQUENCE))
    filter_params = property(_params(Kind.FILTER))
    get_calculator_params = _params_of(Kind.OPPORTUNITY)
    get_pattern_params = _params_of(Kind.PATTERN)
    get_generator_params = _params_of(Kind.SEQUENCE)
    get_filter_params = _params_of(Kind.FILTER)


SETTINGS: Mapping[tuple[str, str], str] = {
    ("search", "max_depth"): "max_depth",
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
    """The configuration of TOML text in any spelling; raises SettingsError with every problem."""
    if not isinstance(text, str):
        raise SettingsError(
            f"A configuration is read from text, not from {shown(text)}. {NOTHING}",
            code="configuration_no_text",
            value=shown(text),
            limit="text",
        )
    return PlannerConfiguration.of(strategies.parse(text, name))


load_planner_config_from_string = parse_toml_config


def load_planner_config(path: Path | str) -> PlannerConfiguration:
    """The configuration of a TOML file, named after it unless it names itself; SettingsError."""
    return PlannerConfiguration.of(strategies.load(Path(path)))


Checked = PlannerConfiguration | Strategy | Mapping[str, Any]


class ConfigurationValidator:
    """What is wrong with a configuration, a strategy, or a parsed TOML document in any spelling."""

    @staticmethod
    def validate(config: Checked) -> Problems:
        """A list of errors, empty when valid, that also has `is_valid`, `errors` and `warnings`."""
        rules: object = config
        if isinstance(rules, Strategy | Mapping):
            return strategies.validate(rules)
        if not isinstance(rules, PlannerConfiguration):
            due = "give a PlannerConfiguration, a Strategy or a parsed TOML document."
            return Problems([Problem("error", (), f"{shown(rules)} is no configuration; {due}")])
        try:
            return strategies.validate(rules.strategy())
        except SettingsError as error:
            return Problems(Problem("error", (), line) for line in str(error).splitlines()[1:])

    @staticmethod
    def validate_dependencies(config: Checked) -> list[str]:
        """Errors, those of modules that lack what they need among them."""
        return list(ConfigurationValidator.validate(config).errors)

    @staticmethod
    def check_dependencies(config: Checked) -> list[str]:
        """Warnings: combinations that work but can hardly be meant."""
        return list(ConfigurationValidator.validate(config).warnings)
