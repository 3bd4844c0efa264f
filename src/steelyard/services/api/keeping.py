"""How buckets are planned in a house: its engine, its health of modules, who hears what happens."""

from __future__ import annotations

import logging
import secrets

from steelyard.engine import read_engine
from steelyard.runs.asked import NOTHING_ASKED, Asked
from steelyard.runs.bucket_plan import Made, Manner, plan_bucket
from steelyard.services.house import House
from steelyard.services.observing import carriage, observer
from steelyard.telemetry import structured, traces
from steelyard.telemetry.breaker import rules_from
from steelyard.telemetry.events import Observe
from steelyard.telemetry.health import Health

LOGGER = logging.getLogger("steelyard.plans")


def health_of(house: House) -> Health:
    """The health of this machine's modules; raises SettingsError for a rule out of range."""
    return Health(house.home, rules_from(house.variables), warn=LOGGER.warning)


def planned(
    house: House,
    bucket: str,
    seed: int,
    observe: Observe | None = None,
    asked: Asked = NOTHING_ASKED,
) -> Made:
    """The next plan of a bucket, kept, as `steelyard plan --bucket` makes it; blocks."""
    structured.bind(bucket_id=bucket)
    manner = Manner(
        steps=house.steps(),
        engine=read_engine(house.home, house.variables),
        health=health_of(house),
        correlation_id=traces.trace_id() or secrets.token_hex(8),
        seed=seed,
        observe=observe or observer(house),
        remark=LOGGER.warning,
        calculations=house.calculations,
        asked=asked,
    )
    plan, is_new = plan_bucket(house.store(), house.planners(), bucket, manner)
    house.meters.modules(plan.timings)
    carriage((notice.code, notice.message) for notice in (*plan.warnings, *plan.problems))
    return Made(plan, is_new)
