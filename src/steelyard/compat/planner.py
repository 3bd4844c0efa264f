"""The documents' planner: async calls over `planner.plan`, the account's repositories around it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypedDict, Unpack

from steelyard import strategies
from steelyard.calculations.cache import Calculations
from steelyard.compat.breaker import CircuitBreaker
from steelyard.compat.configuration import ConfigurationValidator, PlannerConfiguration
from steelyard.compat.convert import Converted, base_currency, convert, foreign
from steelyard.compat.events import Emitted, PlannerEventEmitter, utc_now
from steelyard.compat.incremental import LARGEST_BATCH, Incremental
from steelyard.compat.logs import StructuredLogger
from steelyard.compat.opportunities import Calculator, Opportunities, identified, wanted_by
from steelyard.compat.performance import PerformanceTracker
from steelyard.compat.records import (
    CORE,
    NOTHING,
    HolisticPlan,
    PlannerContext,
    PortfolioContext,
    Position,
    Security,
    is_number,
    shown,
    unusable,
)
from steelyard.compat.repositories import (
    ExchangeRateService,
    SettingsRepository,
    TradeRepository,
    account_settings,
    exchange_rate,
    last_traded,
    with_settings,
)
from steelyard.errors import InputError, SettingsError, SteelyardError, did_you_mean
from steelyard.modules.candidates import Candidate
from steelyard.modules.registry import Kind, Module
from steelyard.notices import outcomes
from steelyard.planning import planner
from steelyard.planning.case import Case
from steelyard.planning.dry_run import Loaded, dry_run
from steelyard.planning.solve import LOCAL, Steps
from steelyard.plans.plan import Plan
from steelyard.strategies import Strategy
from steelyard.telemetry.events import Observe, PlannerEvent
from steelyard.telemetry.health import Health, Outcome
from steelyard.telemetry.recorder import stamped

LOGGER = logging.getLogger("steelyard")


class Given(TypedDict, total=False):
    """What `create_plan` takes beside the four records, see `PlannerContext`; and a service."""

    current_prices: Mapping[str, float] | None
    target_weights: Mapping[str, float] | None
    exchange_rate_service: ExchangeRateService | None
    as_of: date | str | None
    base_currency: str | None


class Options(Given, total=False):
    """What `create_holistic_plan` takes beside: the rules, by the older planner's names."""

    bucket_id: str
    settings_repo: SettingsRepository | Mapping[str, Any] | None
    trade_repo: TradeRepository | None
    max_plan_depth: int
    max_opportunities_per_category: int
    priority_threshold: float
    transaction_cost_fixed: float
    transaction_cost_percent: float
    beam_width: int
    enable_combinatorial: bool
    combinatorial_max_combinations_per_depth: int
    combinatorial_max_sells: int
    combinatorial_max_buys: int
    combinatorial_max_candidates: int


REPOSITORIES = ("settings_repo", "trade_repo")
SERVICES = ("exchange_rate_service",)
NO_RULES = {*Given.__annotations__, *REPOSITORIES, "bucket_id"}
RULES = tuple(name for name in Options.__annotations__ if name not in NO_RULES)
"""Options that are keys of a strategy, in the documents' spelling."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One plan to make: what the records say, under which rules, and what must be said with it."""

    converted: Converted
    strategy: Strategy
    said: tuple[str, ...]


def _running(kind: Kind) -> Callable[[HolisticPlanner], list[Module]]:
    """Makes the property that has the modules of a kind that run."""
    return lambda self: [choice.module for choice in self.config.strategy().enabled(kind)]


class HolisticPlanner:
    """Plans one bucket by one configuration.

    config            None = every rule at its default
    bucket_id         named in the plan; which positions belong to it is the caller's to know
    settings_repo     settings of the account: they stand where the configuration leaves a default
    trade_repo        dates of the last trades: cooldowns and holding times
    repositories      object or mapping with `settings_repo` and `trade_repo`, instead of the two
    services          object or mapping with `exchange_rate_service`
    database          where create_plan_incremental stores how far it is, a path or a URL; None =
                      Steelyard's own database
    circuit_breaker   leaves out modules that failed too often; None = one of its own, in memory
    emitter           hears what the planner does, from the thread that plans; None = one of its own
    perf              adds up what each module took
    calculations      what its plans share: estimates of prices that stay as they are
    logger            logs lines of JSON that name the bucket
    Raises InputError for an unusable repository or bucket, SettingsError for a configuration.
    """

    def __init__(
        self,
        config: PlannerConfiguration | Strategy | None = None,
        bucket_id: str = CORE,
        *,
        settings_repo: SettingsRepository | Mapping[str, Any] | None = None,
        trade_repo: TradeRepository | None = None,
        repositories: object | None = None,
        services: object | None = None,
        database: str | Path | None = None,
        circuit_breaker: Health | None = None,
        emitter: PlannerEventEmitter | None = None,
    ) -> None:
        self.database = database
        self.config = _configuration(config)
        self.bucket_id = checked_bucket(bucket_id)
        owned = {"settings_repo": settings_repo, "trade_repo": trade_repo}
        for name, part in _parts(repositories, "repositories", REPOSITORIES).items():
            if owned[name] is not None:
                twice = f"{name} is given twice, on its own and in repositories"
                raise InputError(
                    f"{twice}. Nothing was planned: give it once.",
                    code="part_twice",
                    place=name,
                    hint="give it once",
                )
            owned[name] = part
        self.settings_repo, self.trade_repo = owned["settings_repo"], owned["trade_repo"]
        self.exchange_rate_service = _parts(services, "services", SERVICES).get(SERVICES[0])
        self.perf = PerformanceTracker()
        self.calculations = Calculations()
        self.circuit_breaker = circuit_breaker or CircuitBreaker()
        self.emitter = emitter or PlannerEventEmitter()
        self.logger = StructuredLogger(self.bucket_id, LOGGER)

    @property
    def opportunity_calculators(self) -> list[Calculator]:
        """The calculators that run; each can be called with a context."""
        choices = self.config.strategy().enabled(Kind.OPPORTUNITY)
        return [Calculator.of(choice.module, self._calculate) for choice in choices]

    pattern_generators = property(_running(Kind.PATTERN))
    sequence_generators = property(_running(Kind.SEQUENCE))
    filters = property(_running(Kind.FILTER))

    async def create_plan(
        self,
        portfolio_context: PortfolioContext,
        positions: Sequence[Position],
        securities: Sequence[Security],
        available_cash: float,
        **more: Unpack[Given],
    ) -> HolisticPlan:
        """The plan of these records, see `PlannerContext`; SteelyardError for unusable ones."""
        context, service = self._context(
            (portfolio_context, positions, securities, available_cash), more
        )
        return await self._plan(context, service)

    async def create_plan_incremental(
        self,
        portfolio_context: PortfolioContext,
        positions: Sequence[Position],
        securities: Sequence[Security],
        available_cash: float,
        batch_size: int = 100,
        **more: Unpack[Given],
    ) -> HolisticPlan:
        """The plan of what is evaluated by now: each call evaluates `batch_size` sequences more.

        A call with the same records goes on where the one before stopped, in any process; once all
        are evaluated, `final` is true and the plan that of `create_plan`. See `database`.
        """
        self._check_batch_size(batch_size)
        context, service = self._context(
            (portfolio_context, positions, securities, available_cash), more
        )
        return await self.plan_incremental(context, int(batch_size), service)

    async def plan_incremental(
        self, context: PlannerContext, batch_size: int, service: object | None = None
    ) -> HolisticPlan:
        """As `create_plan_incremental`, of a context."""
        order = await self.order(context, service)
        incremental = Incremental(self.database, self.bucket_id, batch_size, self.emitter.tell)

        def solve(disabled: Mapping[str, str]) -> Plan:
            case = _case(order, disabled)
            return incremental.planned(case, self.steps(), self._observe(), self.calculations)

        plan = await self._counted(order, solve)
        return incremental.shown(HolisticPlan.of(plan, _warnings(order)))

    async def plan(self, context: PlannerContext) -> HolisticPlan:
        """The plan of a context; raises SteelyardError for one that cannot be planned with."""
        return await self._plan(context, None)

    async def identify_opportunities(self, context: PlannerContext) -> Opportunities:
        """What each calculator that is on wants of a context, by its name.

        One that fails, or is out of service, wants nothing; `circuit_breaker` hears of it.
        Raises SteelyardError for a context that cannot be planned with.
        """
        order = await self.order(context, None)
        disabled = self._out_of_service(order.strategy)
        wants, runs, timings = await asyncio.to_thread(
            identified, order.converted, order.strategy, disabled, self._observe()
        )
        self.circuit_breaker.record(outcomes(runs))
        self.perf.note(timings)
        return wants

    async def _calculate(
        self, module: Module, context: PlannerContext, params: Mapping[str, Any]
    ) -> list[Candidate]:
        order = await self.order(context, None)
        return await asyncio.to_thread(wanted_by, module, order.converted, order.strategy, params)

    def _observe(self) -> Observe:
        return stamped(self.bucket_id, os.urandom(8).hex(), utc_now, [self.emitter.tell])

    def steps(self) -> Steps:
        """Who carries the pipeline of the next plan."""
        return LOCAL

    def emit_event(self, event: PlannerEvent) -> Emitted:
        """Tell whoever listens to `emitter`; may be awaited."""
        return self.emitter.emit(event)

    async def dry_run(self, context: PlannerContext) -> dict[str, Any]:
        """What planning the context would do, without planning: see `planning.dry_run`.

        Neither `perf` nor `circuit_breaker` hears of it. Calculators are in `modules_loaded` by
        their names, as the documents have it, other modules by their qualified names.
        """
        problems = ConfigurationValidator.validate(self.config)
        empty = {"modules_loaded": {}, "estimated_sequences": 0}
        report = {"valid": False, **empty, "warnings": problems.warnings, "errors": problems.errors}
        if problems.errors:
            return report
        try:
            order = await self.order(context, None)
        except SteelyardError as error:
            return {**report, "errors": [str(error)]}
        run = await asyncio.to_thread(dry_run, _case(order, {}))
        return {
            "valid": run.valid,
            "modules_loaded": {_short(name): _loaded(of) for name, of in run.modules.items()},
            "estimated_sequences": run.counts.estimated_sequences if run.counts else 0,
            "warnings": [*order.said, *run.warnings],
            "errors": list(run.errors),
        }

    async def _plan(self, context: PlannerContext, service: object | None) -> HolisticPlan:
        order = await self.order(context, service)
        how = (self.steps(), self._observe(), self.calculations)
        plan = await self._counted(order, lambda disabled: _solve(order, disabled, *how))
        return HolisticPlan.of(plan, _warnings(order))

    async def _counted(self, order: Order, solve: Callable[[Mapping[str, str]], Plan]) -> Plan:
        """A plan without modules that are out of service; what fails in it is counted."""
        disabled = self._out_of_service(order.strategy)
        ran: list[Outcome] = []
        try:
            plan = await asyncio.to_thread(solve, disabled)
            ran = outcomes(plan.modules)
        finally:
            self.circuit_breaker.record(ran)  # a plan that is refused tried no module
        self.perf.note(plan.timings)
        return plan

    def _context(
        self, records: tuple[Any, Any, Any, float], more: Given
    ) -> tuple[PlannerContext, object | None]:
        """The context of what `create_plan` takes, and the service of exchange rates."""
        _check_names(more, tuple(Given.__annotations__), "create_plan")
        rest: Any = dict(more)
        service = rest.pop("exchange_rate_service", None)
        portfolio, positions, securities, cash = records
        context = PlannerContext(
            portfolio_context=portfolio,
            positions=positions,
            securities=securities,
            available_cash=cash,
            **rest,
        )
        return context, service

    def _check_batch_size(self, batch_size: Any) -> None:
        whole = is_number(batch_size) and batch_size == int(batch_size)
        if not whole or not 1 <= batch_size <= LARGEST_BATCH:
            raise InputError(
                f"batch_size is {batch_size!r}, no whole number from 1 to {LARGEST_BATCH:,d}. "
                f"{NOTHING}",
                code="bad_batch_size",
                place="batch_size",
                value=batch_size,
                limit=f"a whole number from 1 to {LARGEST_BATCH:,d}",
            )

    def _out_of_service(self, strategy: Strategy) -> Mapping[str, str]:
        modules = [choice.module for kind in Kind for choice in strategy.enabled(kind)]
        versions = {module.qualified: module.version for module in modules}
        return self.circuit_breaker.out_of_service(versions)

    async def order(self, context: PlannerContext, service: object | None) -> Order:
        """Ask the repositories, and put records and rules together."""
        trades = await last_traded(self.trade_repo)
        settings = await account_settings(self.settings_repo)
        service = service or self.exchange_rate_service
        base = base_currency(context)
        rates = {
            currency: await exchange_rate(service, currency, base)
            for currency in sorted(foreign(context, base))
            if service
        }
        converted = convert(context, self.bucket_id, rates, trades)
        strategy, idle = with_settings(self.config.strategy(), settings, converted.value)
        if converted.groups:
            groups = {"groups": converted.groups}
            strategy = strategies.overlay(
                strategy, groups, why="portfolio context", name=strategy.name
            )
        return Order(converted=converted, strategy=strategy, said=(*converted.said, *idle))


def _case(order: Order, disabled: Mapping[str, str]) -> Case:
    of = order.converted
    return Case(
        snapshot=of.snapshot,
        market=of.market,
        strategy=order.strategy,
        targets=of.targets,
        disabled=disabled,
    )


def _warnings(order: Order) -> tuple[str, ...]:
    return (*order.said, *strategies.validate(order.strategy).warnings)


def _solve(
    order: Order,
    disabled: Mapping[str, str],
    steps: Steps,
    observe: Observe | None,
    calculations: Calculations,
) -> Plan:
    return planner.plan_case(_case(order, disabled), steps, observe, (), calculations)


def _configuration(config: object) -> PlannerConfiguration:
    if config is None or isinstance(config, PlannerConfiguration):
        return config or PlannerConfiguration()
    if isinstance(config, Strategy):
        return PlannerConfiguration.of(config)
    rule = "it must be a PlannerConfiguration or a Strategy"
    raise SettingsError(
        f"config is {shown(config)}; {rule}. parse_toml_config reads text.",
        code="not_a_configuration",
        place="config",
        value=shown(config),
        limit=rule,
        hint="parse_toml_config reads text",
    )


def checked_bucket(bucket_id: object) -> str:
    """The id of a bucket; raises InputError for what is no text, or empty."""
    if not isinstance(bucket_id, str) or not bucket_id:
        raise unusable("bucket_id", shown(bucket_id), "a bucket's name")
    return bucket_id


def _loaded(module: Loaded) -> dict[str, Any]:
    """What the documents have of a module that runs."""
    return {
        "type": module.type,
        "status": module.status,
        "version": module.version,
        "params": dict(module.params),
    }


def _short(qualified: str) -> str:
    """The name of a calculator, another module by its kind too."""
    kind, _, name = qualified.partition(".")
    return name if kind == Kind.OPPORTUNITY else qualified


def _parts(owner: object | None, what: str, names: Sequence[str]) -> dict[str, Any]:
    """The members by these names; InputError for a mapping with others, an object with none."""
    if owner is None:
        return {}
    if isinstance(owner, Mapping):
        _check_names(owner, names, what)
        return dict(owner)
    parts = {name: getattr(owner, name) for name in names if getattr(owner, name, None) is not None}
    if not parts:
        kind = type(owner).__name__
        raise InputError(
            f"{what} is a {kind} with none of {', '.join(names)}. {NOTHING}",
            code="no_known_part",
            place=what,
            value=kind,
            limit=", ".join(names),
        )
    return parts


def _check_names(options: Mapping[str, Any], names: Sequence[str], what: str) -> None:
    for name in options:
        if name not in names:
            near = did_you_mean(name, names)
            listed = f"Known: {', '.join(names)}."
            raise InputError(
                f"{what} has no {name!r}.{near} {listed} {NOTHING}",
                code="unknown_part",
                place=what,
                value=name,
                limit=", ".join(names),
                hint=near.strip(),
            )


async def create_holistic_plan(
    portfolio_context: PortfolioContext,
    available_cash: float,
    securities: Sequence[Security],
    positions: Sequence[Position],
    **options: Unpack[Options],
) -> HolisticPlan:
    """Plan in one call, with the older planner's arguments; see `Options`.

    Raises InputError for an option that nothing reads, SettingsError for a value out of range.
    """
    holistic, more = holistic_of(HolisticPlanner, options)
    return await holistic.create_plan(
        portfolio_context, positions, securities, available_cash, **more
    )


def holistic_of(kind: type[HolisticPlanner], options: Options) -> tuple[HolisticPlanner, Given]:
    """The planner of these options, and those that its `create_plan` takes; raises as that does."""
    _check_names(options, tuple(Options.__annotations__), "create_holistic_plan")
    rules = {name: value for name, value in options.items() if name in RULES}
    strategy = strategies.from_mapping({**rules, "search": {"scope": "proposals"}}, "arguments")
    holistic = kind(
        strategy,
        options.get("bucket_id", CORE),
        settings_repo=options.get("settings_repo"),
        trade_repo=options.get("trade_repo"),
    )
    more: Any = {name: value for name, value in options.items() if name in Given.__annotations__}
    return holistic, more


create_holistic_plan_modular = create_holistic_plan
