"""What an owner set of a bucket, where each value is from, and other versions of it.

The sliders of a satellite make a strategy, `<bucket>_config`: every change of them is a version of
that too, so that plans name exactly what they were made by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from steelyard.buckets import PRESETS as SATELLITE_PRESETS
from steelyard.buckets import SLIDERS, TOGGLES, SatelliteSettings
from steelyard.buckets.books import Budgets
from steelyard.buckets.satellite import Sliders
from steelyard.buckets.written import settings_of, strategy_in, text_of
from steelyard.errors import InputError, did_you_mean
from steelyard.runs import presets as library
from steelyard.settings import SUM_TOLERANCE
from steelyard.store import buckets, presets
from steelyard.store.buckets import STATUSES, Held
from steelyard.store.store import Store, Transaction
from steelyard.store.strategies import LONGEST_NAME, NAME_RULE, Draft, Version, check_name, words
from steelyard.strategies import strategy as origins

CONFIG: Final = "{}_config"
"""Name of the strategy that a bucket's own settings make."""
LONGEST_ID: Final = LONGEST_NAME - len(CONFIG.format(""))
"""Letters of a bucket's name: the name of its strategy is longer."""
NOT_CHANGED = "Nothing was changed."
MOST_OF_SATELLITES: Final = 0.30
"""Of the account, all satellites together; see `buckets.books.Budgets`."""
OFF: Final = ("none", "unset", "default", "")
OWN_WHAT: Final = {
    "target_weight": "aim, of the account's value; the core has what the satellites leave",
    "status": "trading is for accumulating and active ones",
    "universe": "symbols that it may hold; none = those that it is loaded with",
}


class Shown(NamedTuple):
    """A setting as it stands; `from` in JSON: "slider" where the owner set it."""

    name: str
    value: Any
    source: str
    what: str

    @property
    def text(self) -> str:
        """The value for people."""
        if self.value is None:
            return "not set"
        if isinstance(self.value, list):
            return ", ".join(self.value) or "not set"
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"name": self.name, "value": self.value, "from": self.source}


class New(NamedTuple):
    """A bucket to be made; status None = as its kind begins."""

    name: str
    kind: str
    status: str | None
    target_weight: float
    universe: Sequence[str]


def shown(held: Held, version: Version | None) -> list[Shown]:
    """Every setting of a bucket: its own, and of a satellite its sliders, toggles and dividends."""
    rows = [
        Shown(name, _plain(getattr(held, name)), _origin(held, name), what)
        for name, what in OWN_WHAT.items()
    ]
    if held.kind == "core":
        return rows
    settings = SatelliteSettings(satellite_id=held.name, **held.settings)
    rows.append(
        Shown("preset", settings.preset, "slider" if settings.preset else "default", "begins with")
    )
    for name in (*SLIDERS, *TOGGLES, "dividend_handling"):
        value, why = settings.chosen(name)
        what = str(Sliders.model_fields[name].description)
        rows.append(Shown(name, value, _source(why), _idle(held, version, what)))
    return rows


def configure(
    store: Store, name: str, assignments: Sequence[str] = (), *, preset: str | None = None
) -> Held:
    """Another version of a bucket's settings, of a preset and `NAME=VALUE` texts; all or nothing.

    Raises InputError, SettingsError, NotStored.
    """
    begins = None if preset is None else _preset(store, preset)
    with store.writing() as transaction:
        held = buckets.held_in(transaction.connection, name)
        if begins is not None:
            held = _begin_with(transaction, held, begins)
        if assignments:
            held = _change(transaction, held, assignments)
        return held


def create(store: Store, new: New, *, preset: str | None = None) -> Held:
    """A new bucket, with the settings of a preset; raises InputError, NotStored."""
    begins = None if preset is None else _preset(store, preset)
    with store.writing() as transaction:
        connection = transaction.connection
        values = _checked(connection, new)
        buckets.create_in(transaction, new.name, new.kind, **values)
        held = buckets.held_in(connection, new.name)
        return held if begins is None else _begin_with(transaction, held, begins)


def _preset(store: Store, name: str) -> tuple[library.Entry, str]:
    """The preset of that name and its text."""
    entry = library.preset_named(store, name)
    return entry, library.text_of(store, entry)


def _change(transaction: Transaction, held: Held, assignments: Sequence[str]) -> Held:
    values, sliders = _assigned(held, assignments)
    if held.kind != "core":
        _check_budget(transaction.connection, held.name, values["target_weight"])
    return _configure(transaction, held, values, sliders)


def tried(held: Held, assignments: Sequence[str]) -> SatelliteSettings:
    """The settings of a satellite as they would be; nothing is kept.

    Raises InputError, SettingsError.
    """
    _, sliders = _assigned(held, assignments)
    return settings_of({"satellite_id": held.name, **sliders}, held.name)


def _assigned(held: Held, assignments: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is its own, and its sliders, after `NAME=VALUE` texts."""
    values, sliders = dict(_own(held)), dict(held.settings)
    for text in assignments:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise _unusable("--set", text, "NAME=VALUE, for example risk_appetite=0.8")
        _set(held, values, sliders, key, value)
    return values, sliders


def _begin_with(transaction: Transaction, held: Held, begins: tuple[library.Entry, str]) -> Held:
    """A bucket with a preset: of a satellite its sliders, else the preset's strategy."""
    entry, text = begins
    preset, name = entry.name, held.name
    if held.kind != "core" and preset in SATELLITE_PRESETS:
        after = _configure(transaction, held, _own(held), {"preset": preset})
        key = presets.preset_id("satellite", preset)
    else:
        config = CONFIG.format(name)
        draft = Draft(
            name=config,
            title=f"{words(name)}: {words(preset)}",
            description=entry.description,
            toml=text,
            rules_sha256=strategy_in(text, config, f"preset {preset}").sha256,
        )
        settings = {**_own(held), **held.settings}
        after = buckets.configure_in(transaction, name, settings, draft)
        key = entry.id
    presets.used_in(transaction, key, preset, name)
    return after


def _check_budget(connection: Connection, name: str, weight: float) -> None:
    """Raise InputError where the satellites' aims would be over their budget."""
    others = [
        row.target_weight
        for row in buckets.buckets_in(connection)
        if row.kind != "core" and row.name != name
    ]
    total = math.fsum([*others, weight])
    if total > MOST_OF_SATELLITES + SUM_TOLERANCE:
        rule = f"at most {MOST_OF_SATELLITES - math.fsum(others):.4g}, since all satellites may"
        raise _unusable(
            "target_weight", f"{weight:g}", f"{rule} have {MOST_OF_SATELLITES:g} of the account"
        )


def _checked(connection: Connection, new: New) -> dict[str, Any]:
    """What `store.buckets.create_in` takes, in range; raises InputError."""
    name, kind = new.name, new.kind
    if not _is_id(name) or len(name) > LONGEST_ID:
        rule = NAME_RULE.replace(str(LONGEST_NAME), str(LONGEST_ID))
        raise _unusable("B", name, f"a name in lower case: {rule}")
    if kind not in {"core", "satellite"}:
        raise _unusable("--kind", kind, "core or satellite")
    if (kind == "core") != (name == "core"):
        raise _unusable("B", name, "core of --kind core, and another of a satellite")
    chosen = new.status or ("active" if kind == "core" else "accumulating")
    values: dict[str, Any] = {"target_weight": 1.0}
    _set_own(kind, values, "status", chosen)
    if kind != "core":
        _set_own(kind, values, "target_weight", str(new.target_weight))
        _check_budget(connection, name, values["target_weight"])
    return {**values, "universe": [symbol.strip().upper() for symbol in new.universe]}


def _configure(
    transaction: Transaction, held: Held, values: Mapping[str, Any], sliders: Mapping[str, Any]
) -> Held:
    if held.kind == "core" or dict(sliders) == dict(held.settings):
        return buckets.configure_in(transaction, held.name, {**values, **sliders}, None)
    settings = settings_of({"satellite_id": held.name, **sliders}, held.name)
    text = text_of(settings)
    config = CONFIG.format(held.name)
    draft = Draft(
        name=config,
        title=f"{words(held.name)}: settings",
        toml=text,
        rules_sha256=strategy_in(text, config).sha256,
    )
    written = settings.model_dump(exclude_none=True, exclude={"satellite_id"})
    return buckets.configure_in(transaction, held.name, {**values, **written}, draft)


def _set(held: Held, values: dict[str, Any], sliders: dict[str, Any], key: str, value: str) -> None:
    """One `NAME=VALUE`."""
    names = [*OWN_WHAT, *(Sliders.model_fields if held.kind != "core" else ()), "preset"]
    if key in OWN_WHAT:
        _set_own(held.kind, values, key, value)
        return
    if key not in names or (held.kind == "core" and key == "preset"):
        near = did_you_mean(key, names)
        rule = f"a setting of a {held.kind}: {', '.join(names)}"
        raise _unusable("--set", key, rule, near)
    if value.lower() in OFF:
        sliders.pop(key, None)
    elif key in TOGGLES:
        sliders[key] = _switch(key, value)
    elif key in SLIDERS:
        sliders[key] = _number(key, value)
    else:
        sliders[key] = value


def _set_own(kind: str, values: dict[str, Any], key: str, value: str) -> None:
    if key == "universe":
        values[key] = [symbol.strip().upper() for symbol in value.split(",") if symbol.strip()]
    elif key == "status":
        allowed = ("active",) if kind == "core" else STATUSES
        if value not in allowed:
            raise _unusable("status", value, " or ".join(allowed), did_you_mean(value, allowed))
        values[key] = value
    elif kind == "core":
        raise _unusable(key, value, "left to the core: it has what the satellites leave")
    else:
        weight = _number(key, value)
        most = Budgets().most_weight
        if not 0 <= weight <= most:
            raise _unusable(key, value, f"0 to {most:g} for a satellite")
        values[key] = weight


def _number(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _unusable(key, text, "a number, for example 0.8")
    return value


def _switch(key: str, text: str) -> bool:
    words = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
    if text.lower() not in words:
        raise _unusable(key, text, "true or false")
    return words[text.lower()]


def _own(held: Held) -> dict[str, Any]:
    names = [name for name in OWN_WHAT if held.kind != "core" or name != "target_weight"]
    return {name: _plain(getattr(held, name)) for name in names}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _origin(held: Held, name: str) -> str:
    usual: Any = {"target_weight": 0.0, "universe": [], "status": "accumulating"}[name]
    if held.kind == "core":
        return "default" if name != "universe" or not held.universe else "slider"
    return "default" if _plain(getattr(held, name)) == usual else "slider"


def _source(why: str) -> str:
    """slider, preset NAME, default: who set a value."""
    if why.startswith((origins.SLIDER_WHY, origins.SETTING_WHY)):
        return "slider"
    return "preset" if origins.inherited(why) and why != origins.DEFAULT_WHY else "default"


def resting(held: Held, version: Version | None) -> bool:
    """Does a satellite plan by something else than its sliders make: another strategy, a preset, an
    older version of theirs?
    """
    if held.kind == "core" or version is None:
        return False
    sliders = SatelliteSettings(satellite_id=held.name, **held.settings)
    return version.name != CONFIG.format(held.name) or version.toml != text_of(sliders)


def _idle(held: Held, version: Version | None, what: str) -> str:
    """What a slider does; that it does nothing while something else is planned by."""
    if version is None or not resting(held, version):
        return what
    return f"idle: the bucket plans by {version.shown} of {version.name}"


def _is_id(name: str) -> bool:
    try:
        check_name(name)
    except InputError:
        return False
    return name == name.lower()


def _unusable(place: str, value: str, rule: str, near: str = "") -> InputError:
    return InputError(
        f"{place} {value!r} is not usable: it must be {rule}.{near} {NOT_CHANGED}",
        code="bad_bucket_setting",
        place=place,
        value=value,
        limit=rule,
        hint=near.strip() or f"give {rule}",
    )
