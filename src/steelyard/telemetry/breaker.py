"""The circuit of a module: failures in a row open it, later one run may try, a success closes it.

    closed ──failures in a row──▶ open ──open_seconds──▶ half-open ──one run tries──▶ closed or open

Pure: what time it is comes in as a `Moment`. Seconds are counted by the monotonic clock, which all
processes of one boot share; after a reboot they mean nothing, and whatever was open may be tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from steelyard.errors import SettingsError, one_line
from steelyard.settings import setting

State = Literal["closed", "open", "half-open"]

LONGEST_ERROR = 200
"""Characters of an error that are kept."""
LONGEST_VALUE = 40
"""Characters of a wrong setting that are shown."""


class Rules(BaseModel):
    """When a circuit opens, for how long; who plans sets them: health belongs to a machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failure_threshold: int = setting(
        3, "failures in a row that put a module out of service", ge=1, le=1000
    )
    open_seconds: float = setting(
        300.0, "how long, until one run may try", gt=0, le=86_400, allow_inf_nan=False
    )


VARIABLES = {
    "failure_threshold": "STEELYARD_FAILURE_THRESHOLD",
    "open_seconds": "STEELYARD_OPEN_SECONDS",
}
"""Rule -> the environment variable that sets it."""


def rules_from(environment: Mapping[str, str]) -> Rules:
    """The rules as the environment sets them; raises SettingsError naming variable and range."""
    rules = {rule: environment[name] for rule, name in VARIABLES.items() if environment.get(name)}
    try:
        return Rules.model_validate(rules)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = VARIABLES[str(first["loc"][0])]
        value = one_line(environment[name], LONGEST_VALUE)
        what = f"{name} is {value!r}: {first['msg']}"
        raise SettingsError(
            f"{what}. Nothing was planned. Correct it, or unset it.",
            code="bad_variable",
            place=name,
            value=value,
            limit=first["msg"],
            hint="correct it, or unset it",
        ) from error


class Moment(BaseModel):
    """Now: seconds of the monotonic clock, the boot they count from or "", the time for people."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    seconds: Annotated[float, Field(allow_inf_nan=False)]
    boot: str
    utc: Annotated[AwareDatetime, Field(lt=datetime(9000, 1, 1, tzinfo=UTC))]


class Circuit(BaseModel):
    """A module that failed: how often in a row, the last error, and when, or when last tried."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    failures: Annotated[int, Field(ge=1)]
    error: str
    since: Moment


def after_failure(circuit: Circuit | None, error: str, now: Moment) -> Circuit:
    """The circuit with one more failure; the error is cut and put on one line."""
    return Circuit(
        failures=1 if circuit is None else circuit.failures + 1,
        error=one_line(error, LONGEST_ERROR),
        since=now,
    )


def state_of(circuit: Circuit | None, rules: Rules, now: Moment) -> State:
    """Closed: runs; open: left out; half-open: one run tries and, by moving `since`, alone."""
    if circuit is None or circuit.failures < rules.failure_threshold:
        return "closed"
    waited = now.seconds - circuit.since.seconds
    same_boot = circuit.since.boot == now.boot and waited >= 0
    return "open" if same_boot and waited < rules.open_seconds else "half-open"


def until(circuit: Circuit, rules: Rules) -> datetime:
    """When an open circuit may be tried, for people; the monotonic clock decides."""
    return circuit.since.utc.astimezone(UTC) + timedelta(seconds=rules.open_seconds)


def reason(circuit: Circuit, rules: Rules) -> str:
    """Why a module is left out; the same for one state, whenever it is asked."""
    times = "1 failure" if circuit.failures == 1 else f"{circuit.failures} failures in a row"
    then = f"{until(circuit, rules):%Y-%m-%d %H:%M:%S} UTC"
    return f"{times}, the last {circuit.error}; next try after {then}"
