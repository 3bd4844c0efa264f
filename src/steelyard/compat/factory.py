"""The documents' factories and batch job: a configuration or bucket in, a planner or plan out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from steelyard.buckets import SatelliteSettings, strategy_of
from steelyard.compat.batch import StoredBuckets
from steelyard.compat.configuration import (
    ConfigurationValidator,
    PlannerConfiguration,
    load_planner_config,
)
from steelyard.compat.incremental import said_of
from steelyard.compat.planner import HolisticPlanner, checked_bucket
from steelyard.compat.records import CORE, NOTHING, HolisticPlan, PlannerContext, shown
from steelyard.compat.repositories import SettingsRepository, TradeRepository, answer
from steelyard.errors import InputError, InternalError, SettingsError, each
from steelyard.importers import assemble, read
from steelyard.modules.registry import Module
from steelyard.runs.batch.bucket import Outcome
from steelyard.runs.batch.call import API_BATCH, IN_ONE_GO, SCHEDULED_BATCH
from steelyard.samples import SOURCE, sample

BUNDLED = "growth"


def _of_planner(kind: str) -> Callable[[ModularPlannerFactory], list[Module]]:
    """Makes the method that has the modules of a kind that run."""
    return lambda factory: list(getattr(factory.create(), kind))


class BucketSettingsError(SettingsError, ValueError):
    """Settings that a bucket needs, or those of another; the documents' code expects ValueError."""

    code = "bucket_settings"


class ModularPlannerFactory:
    """Planners of one configuration; raises SettingsError for one that is not valid."""

    def __init__(self, config: PlannerConfiguration) -> None:
        _check(config)
        self.config = HolisticPlanner(config).config

    @classmethod
    def from_config_file(cls, path: Path | str) -> ModularPlannerFactory:
        """The factory of a TOML file in any of the documents' spellings."""
        return cls(load_planner_config(path))

    @classmethod
    def from_config(cls, config: PlannerConfiguration) -> ModularPlannerFactory:
        """The factory of a configuration."""
        return cls(config)

    def create(
        self,
        bucket_id: str = CORE,
        *,
        settings_repo: SettingsRepository | None = None,
        trade_repo: TradeRepository | None = None,
    ) -> HolisticPlanner:
        """A planner of the configuration."""
        return HolisticPlanner(
            self.config, bucket_id, settings_repo=settings_repo, trade_repo=trade_repo
        )

    get_calculators = _of_planner("opportunity_calculators")
    get_patterns = _of_planner("pattern_generators")
    get_generators = _of_planner("sequence_generators")
    get_filters = _of_planner("filters")


class PlannerFactoryService:
    """Planners of buckets: the core by a configuration, a satellite by its sliders."""

    def create_for_core_bucket(self, config_path: Path | str | None = None) -> HolisticPlanner:
        """A planner of the core, by a TOML file or the defaults."""
        config = load_planner_config(config_path) if config_path else PlannerConfiguration()
        return ModularPlannerFactory(config).create(CORE)

    def create_for_satellite_bucket(
        self, satellite_id: str, satellite_settings: SatelliteSettings
    ) -> HolisticPlanner:
        """A planner of a satellite, by its settings; or BucketSettingsError."""
        if satellite_settings.satellite_id != satellite_id:
            whose = f"The settings of {satellite_settings.satellite_id}"
            raise BucketSettingsError(
                f"{whose} were given for the satellite {satellite_id}.",
                code="settings_of_another",
                place=satellite_id,
                value=satellite_settings.satellite_id,
            )
        config = PlannerConfiguration.of(strategy_of(satellite_settings))
        return ModularPlannerFactory(config).create(satellite_id)

    def create_for_bucket(
        self, bucket_id: str, satellite_settings: SatelliteSettings | None = None
    ) -> HolisticPlanner:
        """A planner of any bucket; raises BucketSettingsError, a ValueError, for settings missing
        or too many.
        """
        if bucket_id == CORE:
            if satellite_settings is None:
                return self.create_for_core_bucket()
            raise BucketSettingsError(
                "The bucket core takes no satellite settings. No planner was made.",
                code="core_has_no_sliders",
                place=CORE,
            )
        if satellite_settings is None:
            what = f"The bucket {bucket_id} is a satellite, needs its settings"
            raise BucketSettingsError(
                f"{what}: no planner was made.", code="satellite_needs_sliders", place=bucket_id
            )
        return self.create_for_satellite_bucket(bucket_id, satellite_settings)


def _check(config: PlannerConfiguration) -> None:
    errors = ConfigurationValidator.validate(config)
    if errors:
        refusal = "The configuration is not valid; no planner was made."
        raise SettingsError(
            "\n".join([refusal, *errors]),
            code="configuration_invalid",
            faults=each("configuration_invalid", errors),
        )


@dataclass(frozen=True, kw_only=True)
class BucketData:
    """What the batch job plans a bucket with.

    context    what belongs to the bucket
    settings   sliders of a satellite; None = the core, or a satellite at its defaults
    config     of the core; None = the defaults
    said       what must be said of the data
    """

    context: PlannerContext
    settings: SatelliteSettings | None = None
    config: PlannerConfiguration | None = None
    settings_repo: SettingsRepository | None = None
    trade_repo: TradeRepository | None = None
    said: tuple[str, ...] = ()


Source = Callable[[str], BucketData | Awaitable[BucketData]]
"""Id of a bucket -> what it is planned with."""


def bundled(bucket_id: str) -> BucketData:
    """The bundled portfolio, for any bucket: what is planned until `configure` says otherwise."""
    files = sample(BUNDLED)
    inputs = assemble(
        read(
            files.holdings,
            prices=files.prices,
            targets=files.targets,
            securities=files.securities,
            fx=files.fx,
        ),
        base_currency=files.base_currency,
        bucket=bucket_id,
        source=f"bundled quotes, {SOURCE}",
    )
    used = f"{bucket_id} was planned with the bundled portfolio, which is not yours."
    warning = f"No source of data is configured (compat.configure): {used}"
    return BucketData(context=PlannerContext.of(inputs), said=(warning,))


_SOURCES: list[Source | StoredBuckets] = [bundled]


def configure(source: Source | StoredBuckets | str | Path | None) -> None:
    """Say where the batch job finds a bucket's data: a function, or the path of a database.

    None = the bundled portfolio. Raises InputError for what is neither.
    """
    if isinstance(source, str | Path):
        source = StoredBuckets(source)
    if not (source is None or isinstance(source, StoredBuckets) or callable(source)):
        raise InputError(
            f"A source of data is called with the id of a bucket; {shown(source)} cannot be "
            "called.",
            code="source_not_callable",
            value=shown(source),
            limit="a function of the id of a bucket, or the path of a database",
        )
    _SOURCES[:] = [source or bundled]


async def process_planner_batch_job(
    max_depth: int = 0, portfolio_hash: str | None = None, bucket_id: str = CORE
) -> HolisticPlan:
    """The plan of a bucket, of what is evaluated by now; each call evaluates a batch more.

    max_depth        how often the documents' job has called itself: over 0, a batch is of 5
                     sequences; else of 50, as by the clock
    portfolio_hash   the documents' key of stored progress; here a run is found by its inputs
    A bucket of a database is planned as it is stored, and its plan is kept there once it is final.
    Raises SteelyardError for data that cannot be planned with.
    """
    source, name = _SOURCES[0], checked_bucket(bucket_id)
    size = API_BATCH if max_depth > 0 else SCHEDULED_BATCH
    notes = [] if portfolio_hash is None else [
        f"portfolio_hash {portfolio_hash} changes nothing: a run is found by what is planned."
    ]  # fmt: skip
    if isinstance(source, StoredBuckets):
        outcome = await asyncio.to_thread(source.plan, name, size)
        if outcome.plan is None:
            raise InternalError(
                f"The bucket {name} was not planned: {outcome.because}. Please report this.",
                code="batch_without_plan",
            )
        return _of(outcome, HolisticPlan.of(outcome.plan, notes))
    data = await _data(source, name)
    plan = await _planner(name, data).plan_incremental(data.context, size)
    first, *others = plan.warnings
    return replace(plan, warnings=(first, *notes, *data.said, *others))


def _of(outcome: Outcome, plan: HolisticPlan) -> HolisticPlan:
    """A plan with how far it is, and the sentence that says so first."""
    total = outcome.evaluated if outcome.total is None else outcome.total
    in_one_go = outcome.because.endswith(IN_ONE_GO)
    said = "It was planned in one go." if in_one_go else said_of(outcome.evaluated, total)
    return replace(
        plan,
        warnings=(said, *plan.warnings),
        evaluated=outcome.evaluated,
        total=total,
        final=outcome.final,
        run_key=outcome.run_key,
    )


async def _data(source: Source, bucket_id: str) -> BucketData:
    data = await answer(source(bucket_id))
    if not isinstance(data, BucketData):
        raise InputError(
            f"The source of data (compat.configure) gave {shown(data)} for {bucket_id}; it must be "
            "a BucketData.",
            code="source_answer",
            place=bucket_id,
            value=shown(data),
            limit="a BucketData",
        )
    return data


def _at_defaults(satellite_id: str) -> SatelliteSettings:
    try:
        return SatelliteSettings(satellite_id=satellite_id)
    except ValidationError as error:
        what = f"{satellite_id!r} cannot be the id of a satellite: {error.errors()[0]['msg']}"
        raise InputError(
            f"{what}. {NOTHING}", code="bad_satellite_id", place="bucket_id", value=satellite_id
        ) from error


def _planner(bucket_id: str, data: BucketData) -> HolisticPlanner:
    """The planner of a bucket's data: settings make a satellite."""
    config = data.config or PlannerConfiguration()
    if bucket_id != CORE or data.settings is not None:
        if data.config is not None:
            what = f"The satellite {bucket_id} has a configuration; it is planned by its settings"
            raise SettingsError(
                f"{what}. {NOTHING}",
                code="satellite_has_configuration",
                place=bucket_id,
                hint="plan it by its settings",
            )
        settings = data.settings or _at_defaults(bucket_id)
        config = PlannerFactoryService().create_for_bucket(bucket_id, settings).config
    return ModularPlannerFactory(config).create(
        bucket_id, settings_repo=data.settings_repo, trade_repo=data.trade_repo
    )
