"""A document in any accepted spelling to settings of the house form, and its wrong keys.

Nothing is validated here but names, tables and switches: values meet their models in `building.py`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from steelyard.modules.registry import Kind
from steelyard.settings import Planner
from steelyard.strategies.files.exchange import METADATA
from steelyard.strategies.files.problems import (
    MOST_PROBLEMS,
    NOUNS,
    Problem,
    dotted,
    error,
    indexed,
    meant,
    shown,
    unknown_key,
    warning,
)
from steelyard.strategies.files.spellings import (
    CORE,
    ENABLED,
    ENABLED_LISTS,
    EVALUATION,
    EVALUATION_MODE,
    GLOBAL,
    MODES,
    NAMES,
    ON_FAILURE,
    PARAM_TABLES,
    PARAMS,
    PLANNER,
    SINGLE,
    Agrees,
    Alias,
    Converted,
    Given,
    Key,
    Level,
    Refused,
    Spelling,
    Switches,
    Unused,
    of_module,
    plain,
)
from steelyard.strategies.strategy import SECTIONS

MAX_NAME = 200
"""Characters of a name."""
MAX_DESCRIPTION = 2000
SHARED: Mapping[str, Level] = {PLANNER: Level.PLANNER, CORE: Level.CORE}
"""Tables that hold keys of many sections."""

EQUAL = "make them equal, or keep one."
HOUSE = ("preset", "name", "description", METADATA, *SECTIONS, *(kind.value for kind in Kind))
"""Keys of the top in the house form."""
KEYS = (*HOUSE, CORE, *NAMES, *ENABLED_LISTS, *PARAM_TABLES, *GLOBAL)

K = TypeVar("K", str, Key)

Known = Mapping[Kind, tuple[str, ...]]
"""Names of the modules of each kind."""


@dataclass
class Normal:
    """A document in the house form.

    givens    house key -> the setting
    modes     way to evaluate -> its switch
    agrees    copies of a setting that must agree with what the whole strategy has
    named     modules that have a table without a switch: that switches them on
    texts     "name", "description", "preset" -> text
    problems  what could not be understood
    unknown   names that no module has
    lost      those of them that are filters, and may not be done without
    """

    givens: dict[Key, Given] = field(default_factory=dict)
    modes: dict[str, Given] = field(default_factory=dict)
    agrees: list[Given] = field(default_factory=list)
    named: dict[Key, Key] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unknown: list[Problem] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Is so much wrong that looking on helps nobody?"""
        return len(self.problems) + len(self.unknown) >= MOST_PROBLEMS

    def wrong(self, written: Key, text: str) -> None:
        """Note what is wrong with the key written there; the sentence goes on after its name."""
        self.problems.append(error(written, f"{dotted(written)} {text}"))

    def give(self, setting: Given) -> None:
        """Note a setting; two that disagree are a problem, of two that agree one counts."""
        self._note(self.givens, setting.key, setting)

    def switch(self, mode: str, setting: Given) -> None:
        """Note the switch of a way to evaluate; it may have several names, which must agree."""
        self._note(self.modes, mode, setting)

    def _note(self, settings: dict[K, Given], place: K, setting: Given) -> None:
        other = settings.get(place)
        if other is not None and not _same(other.value, setting.value):
            first, second = sorted((other, setting), key=lambda setting: setting.level)
            both = f"is {shown(first.raw)} and {dotted(second.written)} is {shown(second.raw)}"
            text = f"{both}, but both set {dotted(setting.key)}: {EQUAL}"
            self.wrong(first.written, text)
        if other is None or setting.level < other.level:
            settings[place] = setting


def _same(first: object, other: object) -> bool:
    """2 and 2.0 are the same, 1 and true are not."""
    return isinstance(first, bool) is isinstance(other, bool) and plain(first) == plain(other)


def normalise(document: Mapping[str, object], modules: Known, *, switching: bool = True) -> Normal:
    """Every setting of a document; `switching`: a module's table alone switches the module on."""
    normal = Normal()
    normal.problems += itertools.islice(_not_finite(document, ()), MOST_PROBLEMS)
    if normal.problems:
        return normal
    for key, value in document.items():
        if normal.full:
            break
        _top(normal, modules, key, value)
    _mode(normal)
    for switch, written in normal.named.items():
        if switching and switch not in normal.givens:
            normal.give(Given(switch, True, written, Level.MODULE, True))
    return normal


def _mode(normal: Normal) -> None:
    """What the switches of ways to evaluate come to: `evaluation.mode`, where that is not written.

    Of several that are on the first of `MODES` counts, or the one that is written; of the others
    that is told.
    """
    written = normal.givens.get(EVALUATION_MODE)
    on = {mode: normal.modes[mode] for mode in MODES if mode in normal.modes}
    on = {mode: switch for mode, switch in on.items() if switch.value}
    named = str(written.value) if written else next(iter(on), "")
    for mode, switch in on.items():
        if named not in on:
            normal.give(switch)  # it disagrees
            return
        if mode != named:
            first = written or on[named]
            why = f"{dotted(first.written)} is {shown(first.raw)}, and one evaluation counts"
            text = f"{dotted(switch.written)} changes nothing: {why}."
            normal.problems.append(warning(switch.written, text))
    if named in normal.modes:
        switch = normal.modes[named]
        normal.give(replace(switch, value=named if switch.value else SINGLE))


def _top(normal: Normal, modules: Known, key: str, value: object) -> None:
    """One key of the top."""
    if key in SHARED:
        for inner, inside in _table(normal, (key,), value):
            _general(normal, (key, inner), inside, SHARED[key])
    elif key == METADATA:
        list(_table(normal, (key,), value))  # what people say of it: no rule reads it
    elif key in SECTIONS:
        for inner, inside in _table(normal, (key,), value):
            if key == EVALUATION_MODE[0] and inner in EVALUATION:
                _spelled(normal, EVALUATION[inner], (key, inner), inside, Level.MODULE)
            else:
                normal.give(Given((key, inner), inside, (key, inner), Level.MODULE, inside))
    elif key in tuple(Kind) or key in PARAM_TABLES:
        _modules(normal, modules, key, value)
    elif key in ENABLED_LISTS:
        _enabled(normal, modules, ENABLED_LISTS[key], key, value)
    else:
        _general(normal, (key,), value, Level.TOP)


def _modules(normal: Normal, modules: Known, key: str, value: object) -> None:
    """A table of modules, or a table of their parameters alone."""
    kind = PARAM_TABLES.get(key) or Kind(key)
    for name, inside in _table(normal, (key,), value, f"a table of modules, written [{key}.NAME]"):
        if not _is_module(normal, modules, kind, name, (key, name)):
            if kind is Kind.FILTER and key not in PARAM_TABLES and _may_not_fail(inside):
                normal.lost.append(name)
            continue
        if key in PARAM_TABLES:
            _params(normal, kind, name, (key, name), inside, Level.TOP)
        else:
            _module(normal, kind, name, inside)


def _may_not_fail(value: object) -> bool:
    """Is a filter that no module is switched on, and not said to be done without?"""
    if not isinstance(value, Mapping):
        return value is not False
    return value.get(ENABLED, True) is not False and value.get(ON_FAILURE) != "allow"


def _table(
    normal: Normal, written: Key, value: object, what: str | None = None
) -> Iterator[tuple[str, object]]:
    """The entries of what must be a table."""
    if isinstance(value, Mapping):
        yield from itertools.takewhile(lambda _: not normal.full, value.items())
    else:
        table = what or f"a table, written [{dotted(written)}]"
        normal.wrong(written, f"is {shown(value)}; it must be {table}.")


def _general(normal: Normal, written: Key, value: object, level: Level) -> None:
    """A key of the top, of `[planner]` or of `[core]`."""
    key = written[-1]
    if key in NAMES:
        _text(normal, written, value)
    elif level is Level.PLANNER and key in Planner.model_fields:
        normal.give(Given((PLANNER, key), value, written, level, value))
    elif key in GLOBAL:
        _spelled(normal, GLOBAL[key], written, value, level)
    else:
        planner = tuple(Planner.model_fields)
        here, listed = {
            Level.TOP: (KEYS, HOUSE),
            Level.PLANNER: ((*planner, *GLOBAL, *NAMES), planner),
            Level.CORE: ((*GLOBAL, *NAMES), ("max_plan_depth",)),
        }[level]
        normal.problems.append(error(written, unknown_key(written, here, listed)))


def _text(normal: Normal, written: Key, value: object) -> None:
    """Name, description or preset; a title describes where nothing else does."""
    key = NAMES[written[-1]]
    most = MAX_DESCRIPTION if key == "description" else MAX_NAME
    if not isinstance(value, str) or len(value) > most:
        normal.wrong(written, f"is {shown(value)}; it must be text of at most {most:,} characters.")
    elif written[-1] == "title":
        normal.texts.setdefault(key, value)
    elif key == "description":
        normal.texts[key] = value
    elif normal.texts.setdefault(key, value) != value:
        other = f"elsewhere the {key} is {shown(normal.texts[key])}"
        normal.wrong(written, f"is {shown(value)}, but {other}: {EQUAL}")


def _spelled(normal: Normal, spelling: Spelling, written: Key, value: object, level: Level) -> None:
    """A key by another name than ours."""
    match spelling:
        case Alias(key, None):
            normal.give(Given(key, value, written, level, value))
        case Alias(key, Converted() as converted):
            if converted.takes(value):
                normal.give(Given(key, converted.by(value), written, level, value))
            else:
                rule = f"it must be a number from {converted.low:,} to {converted.high:,}"
                sets = f"It sets {dotted(key)}, {converted.says}."
                normal.wrong(written, f"is {shown(value)}; {rule}. {sets}")
        case Switches(mode):
            _switched(normal, mode, written, value, level)
        case Agrees(key):
            normal.agrees.append(Given(key, value, written, level, value))
        case Unused(_, kind) if type(value) is not kind:
            noun = NOUNS["boolean" if kind is bool else "integer"]
            normal.wrong(written, f"is {shown(value)}; it must be {noun}.")
        case Unused(says):
            normal.problems.append(warning(written, f"{dotted(written)} changes nothing: {says}."))
        case Refused(says, nothing):
            if not any(_same(value, harmless) for harmless in nothing):
                normal.wrong(written, f"is {shown(value)}: {says}.")


def _switched(normal: Normal, mode: str, written: Key, value: object, level: Level) -> None:
    if not isinstance(value, bool):
        normal.wrong(written, f"is {shown(value)}; it must be {NOUNS['boolean']}.")
    else:
        normal.switch(mode, Given(EVALUATION_MODE, value, written, level, value))


def _is_module(normal: Normal, modules: Known, kind: Kind, name: str, written: Key) -> bool:
    names = modules[kind]
    if name in names:
        return True
    near = meant(written, names) or f" Known are {', '.join(names)}."
    normal.unknown.append(error(written, f"{dotted(written)}: there is no such module.{near}"))
    return False


def _module(normal: Normal, kind: Kind, name: str, value: object) -> None:
    """`name = false`, or a table of `enabled`, parameters, and `params` with more of them."""
    written = (kind.value, name)
    if isinstance(value, bool):
        normal.give(Given((*written, ENABLED), value, written, Level.MODULE, value))
        return
    if not isinstance(value, Mapping):
        rule = "it must be true, false, or a table of `enabled` and parameters."
        normal.wrong(written, f"is {shown(value)}; {rule}")
        return
    beside = (ENABLED, PARAMS, *([ON_FAILURE] if kind is Kind.FILTER else []))
    rest = {key: inside for key, inside in value.items() if key not in beside}
    _params(normal, kind, name, written, rest, Level.MODULE)
    if PARAMS in value:
        _params(normal, kind, name, (*written, PARAMS), value[PARAMS], Level.MODULE)
    if ON_FAILURE in beside and ON_FAILURE in value:
        place, setting = (*written, ON_FAILURE), value[ON_FAILURE]
        normal.give(Given(place, setting, place, Level.MODULE, setting))
    switch, on = (*written, ENABLED), value.get(ENABLED)
    if ENABLED not in value:
        normal.named[switch] = written
    elif isinstance(on, bool):
        normal.give(Given(switch, on, switch, Level.MODULE, on))
    else:
        normal.wrong(switch, f"is {shown(on)}; it must be true or false.")


def _params(normal: Normal, kind: Kind, name: str, table: Key, value: object, level: Level) -> None:
    spellings = of_module(kind.value, name)
    for key, inside in _table(normal, table, value):
        if key == ENABLED or (key == ON_FAILURE and kind is Kind.FILTER):
            normal.wrong((*table, key), f"is no parameter: write it in [{kind}.{name}].")
        elif key in spellings:
            _spelled(normal, spellings[key], (*table, key), inside, level)
        else:
            normal.give(Given((kind.value, name, key), inside, (*table, key), level, inside))


def _enabled(normal: Normal, modules: Known, kind: Kind, key: str, value: object) -> None:
    """A list of names: these run, and no other of their kind."""
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        normal.wrong((key,), f"is {shown(value)}; it must be a list of names of modules.")
        return
    for name in itertools.islice(value, MOST_PROBLEMS):
        if not _is_module(normal, modules, kind, name, (key, name)) and kind is Kind.FILTER:
            normal.lost.append(name)
    for name in modules[kind]:
        switch = name in value
        normal.give(Given((kind.value, name, ENABLED), switch, (key,), Level.TOP, value))


def _not_finite(value: object, place: tuple[int | str, ...]) -> Iterator[Problem]:
    """Problems for every NaN and infinity: TOML has them, no setting does."""
    if isinstance(value, Mapping | list):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _not_finite(inner, (*place, key))
    elif isinstance(value, float) and not math.isfinite(value):
        written = tuple(itertools.takewhile(lambda part: isinstance(part, str), place))
        text = f"{indexed(place)} is {value}; it must be a finite number."
        yield error(tuple(map(str, written)), text)
