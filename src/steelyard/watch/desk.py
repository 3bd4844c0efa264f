"""What a look has at hand: the store and its turn in it, who is told, what plans a bucket."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from steelyard.calculations.cache import calculations_from
from steelyard.engine import read_engine
from steelyard.environment import home as home_of
from steelyard.errors import SteelyardError, planning_stopped
from steelyard.plans.plan import Plan
from steelyard.runs.bucket_plan import Manner, plan_bucket
from steelyard.runs.planners import Planners
from steelyard.store.store import Store
from steelyard.telemetry.breaker import rules_from
from steelyard.telemetry.health import Health
from steelyard.watch.channels import Way, settings, ways
from steelyard.watch.turn import Turn

LOGGER = logging.getLogger("steelyard.watch")
WAITS = (timedelta(minutes=5), timedelta(minutes=30))
"""Of a scheduler that goes on: after the first try that failed, after the second."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """See the module docstring.

    base_url   of the pages that messages link to, without a last slash
    plan       plans a bucket and keeps the plan; raises SteelyardError
    waits      at least so long after each try of a channel that failed
    """

    store: Store
    variables: Mapping[str, str]
    turn: Turn
    ways: tuple[Way, ...]
    base_url: str
    plan: Callable[[str], Plan]
    waits: tuple[timedelta, ...] = ()


def desk_of(
    turn: Turn,
    variables: Mapping[str, str],
    base_url: str,
    *,
    remark: Callable[[str], None] = LOGGER.warning,
    waits: tuple[timedelta, ...] = (),
) -> Desk:
    """The desk of a turn, by the settings as they are now; raises SettingsError.

    base_url   where `notify.toml` names none
    remark     told in what the engines differ
    """
    store, home = turn.store, home_of(variables)
    channels = settings.load(home)
    return Desk(
        store=store,
        variables=variables,
        turn=turn,
        ways=ways(channels, home, variables, lambda: store.now().timestamp()),
        base_url=channels.web.base_url or base_url,
        plan=_planning(store, variables, remark),
        waits=waits,
    )


def _planning(
    store: Store, variables: Mapping[str, str], remark: Callable[[str], None]
) -> Callable[[str], Plan]:
    """What plans a bucket as `steelyard plan --bucket` does."""
    home, planners = home_of(variables), Planners(store)
    engine = read_engine(home, variables)
    calculations = calculations_from(variables)

    def plan(bucket: str) -> Plan:
        manner = Manner(
            engine=engine,
            health=Health(home, rules_from(variables), warn=LOGGER.warning),
            correlation_id=os.urandom(8).hex(),
            remark=remark,
            calculations=calculations,
        )
        try:
            return plan_bucket(store, planners, bucket, manner).plan
        except SteelyardError:
            raise
        except Exception as error:
            LOGGER.exception("Planning %s stopped.", bucket)
            raise planning_stopped(error) from error  # one bucket keeps no other from its plan

    return plan
