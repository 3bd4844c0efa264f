"""Settings of execution as they are found: built-in, then `execution.toml`, then the environment.

A variable is called after its key, `…__LIMITS__PAPER__MAX_ORDER_WEIGHT=0.5`. Its value is read as
TOML, and as text where it is none. A key that nothing reads is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from steelyard.brokers.broker import Mode
from steelyard.engine import EngineSettings, engine_settings
from steelyard.errors import Fault, SettingsError
from steelyard.execution.settings import (
    Account,
    Arming,
    Limits,
    LiveLimits,
    PaperHistoryNeeds,
    Webhook,
)
from steelyard.execution.working import Working
from steelyard.settings import Section, setting
from steelyard.strategies.files import reading
from steelyard.strategies.files.problems import explain
from steelyard.telemetry.events import LimitLoosened

FILE = "execution.toml"
SAMPLE = "STEELYARD_EXECUTION__SECTION__KEY"
VARIABLE = SAMPLE.partition("__")[0]
PREFIX = f"{VARIABLE}__"
TIGHTER_IF_LARGER = frozenset(
    {
        "min_order_gap_s",
        "closed_first_s",
        "closed_last_s",
        "min_free_disk_mib",
        "opposite_trade_hours",
    }
)
"""Every other limit is tighter if it is smaller, and none at all is the loosest."""


class ModeLimits(Section):
    """What the rails obey: on paper and live."""

    paper: Limits = setting(Limits(), "on paper")
    live: LiveLimits = setting(LiveLimits(), "live")


class Configuration(Section):
    """All settings of execution."""

    account: Account = setting(Account(), "which account is traded, and how far")
    limits: ModeLimits = setting(ModeLimits(), "what the rails obey")
    paper_history: PaperHistoryNeeds = setting(
        PaperHistoryNeeds(), "what has to be recorded on paper before anything is traded live"
    )
    arming: Arming = setting(Arming(), "how long a person's consent holds")
    working: Working = setting(Working(), "how orders are worked")
    webhook: Webhook = setting(Webhook(), "where alerts are sent besides")
    engine: EngineSettings = setting(EngineSettings(), "which engine plans, and which watches")

    def limits_of(self, mode: Mode) -> Limits:
        """What the rails obey in a mode."""
        return self.limits.live if mode == "live" else self.limits.paper


BUILT_IN = Configuration()


def load(home: Path, environment: Mapping[str, str]) -> Configuration:
    """The settings that hold; raises SettingsError with every one that is wrong."""
    path = home / FILE
    values = _file(path) if path.exists() or path.is_symlink() else {}
    if values:
        _built(values, str(path))
    for name in sorted(environment):
        if name.upper().startswith(VARIABLE) and environment[name]:
            values = _with(values, name, environment[name])
    settings = _built(values, f"the variables {PREFIX}…")
    engine = engine_settings(values.get("engine", {}), environment)
    return settings.model_copy(update={"engine": engine})


def _file(path: Path) -> dict[str, Any]:
    """Tables of a file, within the caps of every TOML that is read."""
    try:
        document = reading.document(reading.read(path), str(path))
    except SettingsError as error:
        words = str(error).replace("The strategy", "The settings file").replace("planned", "sent")
        raise SettingsError(words, code="execution_file", place=error.fault.place) from error
    return dict(document.values)


def _with(values: Mapping[str, Any], name: str, text: str) -> dict[str, Any]:
    """Tables with the value of a variable."""
    parts = name.upper().removeprefix(PREFIX).lower().split("__")
    if not name.upper().startswith(PREFIX) or not all(parts) or len(parts) > reading.MAX_PARTS:
        raise SettingsError(
            f"{name} is not a known variable. Nothing was sent. Settings of execution are called "
            f"{PREFIX}SECTION__KEY.",
            code="unknown_variable",
            place=name,
            hint=f"{PREFIX}SECTION__KEY",
        )
    *tables, key = parts
    changed = dict(values)
    table = changed
    for part in tables:
        inner = table.get(part, {})
        table[part] = dict(inner) if isinstance(inner, Mapping) else {}
        table = table[part]
    table[key] = _value(text)
    return changed


def _value(text: str) -> object:
    """A value as TOML reads it; text where it is none."""
    try:
        tables = reading.document(f"value = {text}", VARIABLE).values
    except SettingsError:
        return text
    return tables["value"] if list(tables) == ["value"] else text


def _built(values: Mapping[str, Any], source: str) -> Configuration:
    try:
        return Configuration.model_validate(_tuples(values))
    except ValidationError as errors:
        problems = explain(errors, Configuration, ())
        faults = [Fault("execution_setting", each.text, each.key) for each in problems]
        words = " ".join(each.text for each in problems)
        raise SettingsError(
            f"{source}: {words} Nothing was sent.",
            code="execution_setting",
            place=problems[0].key,
            faults=faults,
        ) from errors


def _tuples(value: Any) -> Any:
    """Lists of TOML as the records have them."""
    if isinstance(value, Mapping):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def loosened(limits: Limits, mode: Mode) -> Iterator[LimitLoosened]:
    """An event for each limit of a mode that lets through more than the built-in one."""
    built_in = BUILT_IN.limits_of(mode)
    for name in type(built_in).model_fields:
        here, there = getattr(limits, name), getattr(built_in, name)
        if _looser(name, here, there):
            yield LimitLoosened(mode, name, str(there), "none" if here is None else str(here))


def _looser(name: str, here: Decimal | int | None, there: Decimal | int | None) -> bool:
    if here is None or there is None:
        return here is None and there is not None
    return here < there if name in TIGHTER_IF_LARGER else here > there
