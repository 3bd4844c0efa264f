"""The documents' factories and their batch job: a configuration or the id of a bucket in, a planner
or a plan out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from steelyard.buckets import SatelliteSettings, strategy_of
from steelyard.compat.configuration import (
    ConfigurationValidator,
    PlannerConfiguration,
    load_planner_config,
)
from steelyard.compat.planner import IN_ONE_GO, HolisticPlanner, checked_bucket
from steelyard.compat.records import CORE, HolisticPlan, PlannerContext, shown
from steelyard.compat.repositories import SettingsRepository, TradeRepository, answer
from steelyard.errors import InputError, SettingsError
from steelyard.importers import assemble, read
from steelyard.modules.registry import Module
from steelyard.samples import SOURCE, sample

BUNDLED = "growth"


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

    def get_calculators(self) -> list[Module]:
        """The calculators that run."""
        return self.create().opportunity_calculators

    def get_patterns(self) -> list[Module]:
        """The patterns that run."""
        return self.create().pattern_generators

    def get_generators(self) -> list[Module]:
        """The sequence generators that run."""
        return self.create().sequence_generators

    def get_filters(self) -> list[Module]:
        """The filters that run."""
        return self.create().filters


class PlannerFactoryService:
    """Planners of buckets: the core by a configuration, a satellite by its sliders."""

    def create_for_core_bucket(self, config_path: Path | str | None = None) -> HolisticPlanner:
        """A planner of the core, by a TOML file or the defaults."""
        config = load_planner_config(config_path) if config_path else PlannerConfiguration()
        return ModularPlannerFactory(config).create(CORE)

    def create_for_satellite_bucket(
        self, satellite_id: str, satellite_settings: SatelliteSettings
    ) -> HolisticPlanner:
        """A planner of a satellite, by its settings; raises SettingsError for the settings of
        another.
        """
        if satellite_settings.satellite_id != satellite_id:
            raise SettingsError(
                f"The settings of {satellite_settings.satellite_id} were given for the satellite "
                f"{satellite_id}."
            )
        return ModularPlannerFactory(
            PlannerConfiguration.of(strategy_of(satellite_settings))
        ).create(satellite_id)

    def create_for_bucket(
        self, bucket_id: str, satellite_settings: SatelliteSettings | None = None
    ) -> HolisticPlanner:
        """A planner of any bucket; raises SettingsError for a satellite without settings, and for a
        core with them.
        """
        if bucket_id == CORE and satellite_settings is None:
            return self.create_for_core_bucket()
        if bucket_id == CORE or satellite_settings is None:
            needs = (
                "takes no satellite settings"
                if bucket_id == CORE
                else "is a satellite and needs its settings"
            )
            raise SettingsError(f"The bucket {bucket_id} {needs}. No planner was made.")
        return self.create_for_satellite_bucket(bucket_id, satellite_settings)


def _check(config: PlannerConfiguration) -> None:
    errors = ConfigurationValidator.validate(config)
    if errors:
        raise SettingsError(
            "\n".join(["The configuration is not valid; no planner was made.", *errors])
        )


@dataclass(frozen=True, kw_only=True)
class BucketData:
    """What the batch job plans a bucket with.

    context    what belongs to the bucket, and nothing of another
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
    """The bundled portfolio, for any bucket: what the batch job plans until `configure` says
    otherwise.
    """
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
    told = (
        f"No source of data is configured (compat.configure): {bucket_id} was planned with the "
        "bundled portfolio, which is not yours."
    )
    return BucketData(context=PlannerContext.of(inputs), said=(told,))


_SOURCES: list[Source] = [bundled]


def configure(source: Source | None) -> None:
    """Say where `process_planner_batch_job` finds a bucket's data; None = the bundled portfolio
    again.

    Raises InputError for what cannot be called.
    """
    if source is not None and not callable(source):
        raise InputError(
            f"A source of data is called with the id of a bucket; {shown(source)} cannot be called."
        )
    _SOURCES[:] = [source or bundled]


async def process_planner_batch_job(
    max_depth: int = 0, portfolio_hash: str | None = None, bucket_id: str = CORE
) -> HolisticPlan:
    """Plan a bucket, in one go: the plan is complete after the first call, and its warnings say so.

    max_depth        how often the documents' job has called itself; here it never does
    portfolio_hash   the documents' key of stored progress; here there is none
    Raises SteelyardError for data that cannot be planned with.
    """
    data = await answer(_SOURCES[0](checked_bucket(bucket_id)))
    if not isinstance(data, BucketData):
        raise InputError(
            f"The source of data (compat.configure) gave {shown(data)} for {bucket_id}; it must be "
            "a BucketData."
        )
    planner = _planner(bucket_id, data)
    made = await planner.plan(data.context)
    said = [f"{IN_ONE_GO}."]
    if max_depth:
        said.append(
            f"max_depth {max_depth} counts the calls of a job that calls itself, and changes "
            "nothing here."
        )
    if portfolio_hash is not None:
        said.append(
            f"portfolio_hash {portfolio_hash} is a key of stored progress, and changes nothing "
            "here."
        )
    return replace(made, warnings=(*said, *data.said, *made.warnings))


def _at_defaults(satellite_id: str) -> SatelliteSettings:
    try:
        return SatelliteSettings(satellite_id=satellite_id)
    except ValidationError as error:
        raise InputError(
            f"{satellite_id!r} cannot be the id of a satellite: {error.errors()[0]['msg']}. Nothing"
            " was planned."
        ) from error


def _planner(bucket_id: str, data: BucketData) -> HolisticPlanner:
    """The planner of a bucket's data: settings make a satellite."""
    config = data.config or PlannerConfiguration()
    if bucket_id != CORE or data.settings is not None:
        if data.config is not None:
            raise SettingsError(
                f"The satellite {bucket_id} has a configuration; it is planned by its settings. "
                "Nothing was planned."
            )
        config = (
            PlannerFactoryService()
            .create_for_bucket(bucket_id, data.settings or _at_defaults(bucket_id))
            .config
        )
    return ModularPlannerFactory(config).create(
        bucket_id, settings_repo=data.settings_repo, trade_repo=data.trade_repo
    )
