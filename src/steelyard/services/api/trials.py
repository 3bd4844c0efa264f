"""Looking before planning: a configuration tried on a bucket, and what a bucket plans with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Path
from pydantic import Field

from steelyard.errors import SettingsError
from steelyard.planning.dry_run import DryRun
from steelyard.runs.stored_health import of_bucket, run_of_bucket, run_with
from steelyard.services.api.fields import Answer, Asked, BucketInPath, Here, Toml
from steelyard.services.api.keeping import health_of
from steelyard.services.api.received import REFUSED, strategy_from
from steelyard.services.house import House
from steelyard.services.security.roles import needs
from steelyard.store.strategies import LONGEST_NAME

router = APIRouter(tags=["trials"])

TRIED = "config"
"""What messages call a configuration that is tried."""
SatelliteInPath = Annotated[
    str,
    Path(alias="id", min_length=1, max_length=LONGEST_NAME, description="a satellite, or the core"),
]


class Tried(Asked):
    """What is to be tried."""

    config_toml: Annotated[
        Toml | None, Field(description="by default what the bucket plans by")
    ] = None


class Loaded(Answer):
    """A module that would run."""

    type: str
    status: Literal["ok", "error"]
    version: str
    params: dict[str, Any]
    error: str | None


class Checked(Loaded):
    """The same with the state of its circuit."""

    state: Literal["closed", "open", "half-open"]


class Report(Answer):
    """What planning would have to do; counts are null where the bucket cannot be valued."""

    valid: bool
    modules_loaded: dict[str, Loaded]
    estimated_sequences: int | None
    upper_bound_sequences: int | None
    estimated_candidates: int | None
    upper_bound_candidates: int | None
    estimated_seconds: Annotated[float | None, Field(description="by plans that were made")]
    dependencies: list[str]
    warnings: list[str]
    errors: list[str]


class Health(Answer):
    """Is what a bucket plans with in order?"""

    status: Literal["healthy", "unhealthy"]
    modules: dict[str, Checked]
    warnings: list[str]
    errors: list[str]


@router.post(
    "/satellites/{id}/dry-run",
    dependencies=[needs("planner")],
    summary="Try a configuration on a bucket",
)
async def dry_run(here: Here, bucket_id: SatelliteInPath, body: Tried) -> Report:
    """Check a configuration as far as it can be without planning; nothing is kept.

    The id is a bucket's, of a satellite or `core`. A configuration that is not valid is answered
    with `valid` false and what is wrong with it.
    """
    run = await to_thread.run_sync(_tried, here, bucket_id, body.config_toml, limiter=here.planning)
    return Report(**run.document())


@router.get(
    "/planner/health/{bucket_id}",
    dependencies=[needs("viewer")],
    summary="Is what a bucket plans with in order?",
)
async def health(here: Here, bucket_id: BucketInPath) -> Health:
    """Whether the modules of a bucket load and run, and its configuration is valid."""

    def work() -> dict[str, Any]:
        return of_bucket(here.store(), health_of(here), bucket_id)

    return Health(**await to_thread.run_sync(work, limiter=here.planning))


def _tried(here: House, bucket_id: str, text: str | None) -> DryRun:
    if text is None:
        return run_of_bucket(here.store(), bucket_id)
    try:
        strategy = strategy_from(text, TRIED)
    except SettingsError as error:
        if error.fault.code == REFUSED:
            raise
        return DryRun({}, errors=tuple(fault.message for fault in error.faults))
    return run_with(here.store(), bucket_id, strategy)
