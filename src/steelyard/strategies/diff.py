"""What tells two strategies apart: line by line, and in what acts.

The second compares what was read and validated, not text: comments, order, spelling and a default
that is written down are no difference. Where nothing differs but where plugins come from, both have
one hash.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from steelyard.errors import UnknownModule, one_line
from steelyard.modules.registry import Kind
from steelyard.settings import Section
from steelyard.strategies.files.spellings import ENABLED, ON_FAILURE
from steelyard.strategies.planned import undecided
from steelyard.strategies.scope import scope_of
from steelyard.strategies.strategy import SECTIONS, ModuleChoice, Strategy

UNENDED = "\\ No newline at end of file\n"
LONGEST_NAME = 200
AS_PLANNED = "as_planned"
"""Begins the keys of what a plan decides itself, by targets and the number of names."""
SCOPES = ("scope_without_targets", "scope_with_targets")
DECIDED = ("refine", "depth_binds", "following", "turned", "waits")
"""What else it decides, see `planned.undecided`."""
CODE = ("module.version", "module.digest")
"""Of a module: another of these is other code of one name."""


@dataclass(frozen=True, slots=True)
class Change:
    """A value in both; None = off, or nobody says it."""

    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Inherited:
    """What both lie over, by name, and the keys that differ though neither says them itself."""

    old: str
    new: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StrategyDiff:
    """The difference of a strategy from an older one; modules by their qualified names.

    modules_added     that only the new one runs
    params_changed    of modules that both run: name -> parameter -> values
    globals_changed   key of a section, or of what a plan decides itself -> values
    inherited         None where both inherit the same
    """

    modules_added: tuple[str, ...]
    modules_removed: tuple[str, ...]
    params_changed: Mapping[str, Mapping[str, Change]]
    globals_changed: Mapping[str, Change]
    inherited: Inherited | None

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that differs, as in a file."""
        params = (f"{name}.{key}" for name, keys in self.params_changed.items() for key in keys)
        switches = (f"{name}.{ENABLED}" for name in (*self.modules_added, *self.modules_removed))
        return tuple(sorted((*self.globals_changed, *params, *switches)))


def unified(text_a: str, text_b: str, name_a: str, name_b: str) -> str:
    r"""The lines that differ with three around each, as `diff -u` has them; "" where none does.

    >>> print(unified("a = 1\n", "a = 2\n", "m v1", "m v2"), end="")
    --- m v1
    +++ m v2
    @@ -1 +1 @@
    -a = 1
    +a = 2
    """
    name_a, name_b = (one_line(name, LONGEST_NAME) for name in (name_a, name_b))
    lines = difflib.unified_diff(_lines(text_a), _lines(text_b), name_a, name_b)
    return "".join(line if line.endswith("\n") else f"{line}\n{UNENDED}" for line in lines)


def _lines(text: str) -> list[str]:
    """Lines of TOML with their ends; nothing but a line feed ends one."""
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])


def semantic(a: Strategy, b: Strategy) -> StrategyDiff:
    """What of b acts otherwise than in a."""
    ours, theirs = _running(a), _running(b)
    params = {
        name: differ
        for name in sorted(ours.keys() & theirs.keys())
        if (differ := _changes(_of_module(ours[name]), _of_module(theirs[name])))
    }
    diff = StrategyDiff(
        modules_added=tuple(sorted(theirs.keys() - ours.keys())),
        modules_removed=tuple(sorted(ours.keys() - theirs.keys())),
        params_changed=params,
        globals_changed=_changes(_globals(a), _globals(b)),
        inherited=None,
    )
    changed = tuple(key for key in diff.keys if _is_inherited(a, key) and _is_inherited(b, key))
    if a.inherits == b.inherits and not changed:
        return diff
    return replace(diff, inherited=Inherited(a.inherits, b.inherits, changed))


def document(diff: StrategyDiff) -> dict[str, Any]:
    """The difference as plain JSON values; what is inherited is {} where it is the same."""
    return {
        "modules_added": list(diff.modules_added),
        "modules_removed": list(diff.modules_removed),
        "params_changed": {
            name: {
                "old": {key: change.old for key, change in changes.items()},
                "new": {key: change.new for key, change in changes.items()},
            }
            for name, changes in diff.params_changed.items()
        },
        "globals_changed": {key: asdict(change) for key, change in diff.globals_changed.items()},
        "inherited": {} if diff.inherited is None else _plain(diff.inherited),
    }


def _plain(inherited: Inherited) -> dict[str, Any]:
    return {**asdict(inherited), "changed": list(inherited.changed)}


def _running(strategy: Strategy) -> dict[str, ModuleChoice]:
    """The modules that run, of all five kinds, by qualified name."""
    every = (choice for kind in Kind for choice in strategy.enabled(kind))
    return {choice.module.qualified: choice for choice in every}


def _of_module(choice: ModuleChoice) -> dict[str, Any]:
    """Parameters, what is done while it fails, and whose code it is."""
    values: dict[str, Any] = choice.params.model_dump(mode="json", by_alias=True)
    if choice.module.protects:
        values[ON_FAILURE] = choice.on_failure
    return values | dict(zip(CODE, (choice.module.version, choice.module.digest), strict=True))


def _globals(strategy: Strategy) -> dict[str, Any]:
    """Every value of the sections by its key, and what a plan decides itself."""
    sections = {name: getattr(strategy, name) for name in SECTIONS}
    values = dict(leaf for name, section in sections.items() for leaf in _leaves(name, section))
    scopes = (scope_of(strategy, targets=targets)[0] for targets in (False, True))
    decided = undecided(strategy)
    values |= {f"{AS_PLANNED}.{n}": scope for n, scope in zip(SCOPES, scopes, strict=True)}
    return values | {f"{AS_PLANNED}.{name}": decided.get(name) for name in DECIDED}


def _leaves(key: str, section: Section) -> Iterator[tuple[str, Any]]:
    """Single values of a section and of the tables inside it, as JSON has them."""
    plain = section.model_dump(mode="json", by_alias=True)
    names = {info.alias or name: name for name, info in type(section).model_fields.items()}
    for name, value in plain.items():
        inside = getattr(section, names[name])
        if isinstance(inside, Section):
            yield from _leaves(f"{key}.{name}", inside)
        elif isinstance(value, dict):
            yield from ((f"{key}.{name}.{entry}", part) for entry, part in value.items())
        else:
            yield f"{key}.{name}", value


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Change]:
    """What differs, by key; 1 and 1.0 do not."""
    keys = sorted(old.keys() | new.keys())
    return {k: Change(old.get(k), new.get(k)) for k in keys if old.get(k) != new.get(k)}


def _is_inherited(strategy: Strategy, key: str) -> bool:
    """Does the strategy itself not say a key? What a plan decides follows from the others."""
    if key.startswith(f"{AS_PLANNED}.") or key.endswith(CODE):
        return False
    try:
        return strategy.is_inherited(key)
    except UnknownModule:  # of a plugin that only the other lists
        return False
