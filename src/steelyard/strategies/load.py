"""A file, TOML text or a mapping to a strategy: read, normalise, lay over its preset, validate.

What a document does not name it inherits from its preset, and that from the defaults; what nothing
reads is an error, so that a slip never goes unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from steelyard.errors import SettingsError, did_you_mean, each
from steelyard.modules.plugins import NONE, Loaded, load_plugins
from steelyard.modules.registry import Kind, Module, modules
from steelyard.settings import Plugins
from steelyard.strategies.files.building import build, known_modules, section
from steelyard.strategies.files.normalise import Normal, normalise
from steelyard.strategies.files.problems import (
    MOST_PROBLEMS,
    Place,
    Problem,
    Problems,
    cut,
    error,
    shown,
)
from steelyard.strategies.files.reading import document, read
from steelyard.strategies.files.spellings import ENABLED, plain
from steelyard.strategies.presets import PRESETS, SUFFIX, text_of
from steelyard.strategies.rules import findings
from steelyard.strategies.strategy import (
    DEFAULT_NAME,
    FILE_WHY,
    ModuleChoice,
    Strategy,
    Why,
    default,
    preset_why,
    registered,
)

PLUGINS = "plugins"
LISTED_WHY = "listed in [plugins]"
MAX_TEXT = 1000
"""Characters of what is wrong with plugins."""
MAPPING_NAME = "strategy"
"""What a mapping is called that has no name."""

Lines = Mapping[Place, int]
NO_LINES: Lines = MappingProxyType({})


def load(path: Path) -> Strategy:
    """The strategy of a TOML file, named after it unless it names itself; raises SettingsError."""
    return parse(read(path), path.stem, source=str(path), folder=path.parent)


def parse(
    text: str, name: str, source: str | None = None, *, folder: Path | None = None
) -> Strategy:
    """The strategy of TOML text.

    name     of the strategy, unless the text has its own
    source   what messages call it; by default the name
    folder   what a plugin folder is relative to
    Raises SettingsError listing every problem, with its line.
    """
    parsed = document(text, source or name)
    strategy, problems = examine(parsed.values, name, folder)
    return _accepted(strategy, problems, source or name, parsed.lines)


def from_mapping(values: Mapping[str, Any], name: str, *, folder: Path | None = None) -> Strategy:
    """The strategy of a parsed document, any spelling; raises SettingsError with all problems."""
    strategy, problems = examine(values, name, folder)
    return _accepted(strategy, problems, name, NO_LINES)


def overlay(strategy: Strategy, changes: Mapping[str, Any], why: Why) -> Strategy:
    """The strategy with changes over it, in any spelling; only `enabled` changes a switch.

    why   who makes the changes: lands in the choices and in `sources`
    Raises SettingsError listing every problem.
    """
    changes, wrong = _plain(changes)
    normal = normalise(changes, known_modules(strategy), switching=False)
    normal.problems += wrong
    if PLUGINS in changes:
        text = "plugins are listed in a strategy, not laid over one."
        normal.problems.append(error((PLUGINS,), text))
    changed, problems = _over(strategy, normal, why)
    return _accepted(changed, problems, f"{strategy.name} with changes ({why})", NO_LINES)


def validate(strategy: Strategy | Mapping[str, Any], folder: Path | None = None) -> Problems:
    """What is wrong with a strategy or a parsed document in any spelling; empty = nothing."""
    if isinstance(strategy, Strategy):
        return Problems(findings(strategy))
    return Problems(examine(strategy, MAPPING_NAME, folder)[1])


def check(path: Path) -> tuple[Problems, Strategy | None]:
    """What is wrong with a file, with lines, and the strategy when it may be used.

    A plugin that could not be loaded is an error here, though a plan goes on without it.
    """
    try:
        parsed = document(read(path), str(path))
    except SettingsError as refused:
        return Problems([error((), str(refused))]), None
    strategy, problems = examine(parsed.values, path.stem, path.parent)
    usable = all(problem.severity != "error" for problem in problems)
    missing = [error((PLUGINS,), cut(notice.message, MAX_TEXT)) for notice in strategy.problems]
    return Problems(located([*problems, *missing], parsed.lines)), strategy if usable else None


def _accepted(
    strategy: Strategy, problems: Iterable[Problem], source: str, lines: Lines
) -> Strategy:
    """The strategy where nothing is wrong with it; raises SettingsError with every error."""
    every = [problem.text for problem in located(problems, lines) if problem.severity == "error"]
    if not every:
        return strategy
    errors = every[:MOST_PROBLEMS]
    least = "at least " if len(errors) >= MOST_PROBLEMS else ""
    count = "1 problem" if len(errors) == 1 else f"{least}{len(errors)} problems"
    refusal = f"The strategy {source} has {count}; nothing was planned."
    raise SettingsError(
        "\n".join([refusal, *errors]),
        code="strategy_problems",
        place=source,
        faults=each("strategy_problems", errors, source),
    )


def located(problems: Iterable[Problem], lines: Lines) -> list[Problem]:
    """The problems, each with its line, in the order of the lines of their keys or their tables."""
    rows = [(_line(problem.place, lines), problem) for problem in problems]
    rows.sort(key=lambda pair: pair[0])
    return [replace(p, text=f"line {line}: {p.text}") if line else p for line, p in rows]


def _line(place: Place, lines: Lines) -> int:
    """Of a key, the nearest table around it, or the first key inside it; 0 where it is nowhere."""
    around = (lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines)
    inside = (line for other, line in lines.items() if place and other[: len(place)] == place)
    return next(around, 0) or min(inside, default=0)


def preset(name: str) -> Strategy:
    """The preset of that name; raises SettingsError for another name, or for a path."""
    return default() if name == DEFAULT_NAME else _preset(name, text_of(name), registered())


@cache
def _preset(name: str, text: str, every: tuple[Module, ...]) -> Strategy:  # noqa: ARG001
    strategy, problems = examine(document(text, name).values, name, None, preset_why(name))
    return _accepted(strategy, problems, name, NO_LINES)


def find(name_or_path: str) -> Strategy:
    """A preset by its name, or the strategy of a file; raises SettingsError without either."""
    if name_or_path in PRESETS:
        return preset(name_or_path)
    path = Path(name_or_path)
    if name_or_path and (path.suffix == SUFFIX or path.name != name_or_path or path.exists()):
        return load(path)
    near = did_you_mean(name_or_path, PRESETS) or f" Presets are {', '.join(PRESETS)}."
    what = f"There is no preset {name_or_path!r}, and no such file"
    raise SettingsError(
        f"{what}.{near} Nothing was planned.",
        code="no_such_strategy",
        place="--strategy",
        value=name_or_path,
        limit=", ".join(PRESETS),
        hint=near.strip(),
    )


def examine(
    values: Mapping[str, Any], name: str, folder: Path | None, why: Why = FILE_WHY
) -> tuple[Strategy, list[Problem]]:
    """A document as a strategy, as far as it can be read, and everything that is wrong with it."""
    values, problems = _plain(values)
    loaded = _loaded(values, folder, problems)
    outside = {kind: [module.name for module in loaded.modules[kind]] for kind in Kind}
    names = {kind: tuple(sorted((*modules(kind), *outside[kind]))) for kind in Kind}
    normal = normalise(values, names)
    strategy, more = _over(_with(_base(normal, problems), loaded), normal, why)
    own, description = normal.texts.get("name") or name, normal.texts.get("description", "")
    return replace(strategy, name=own, description=description), [*problems, *more]


def _base(normal: Normal, problems: list[Problem]) -> Strategy:
    """What a document inherits from: its preset, or the default."""
    name = normal.texts.get("preset", DEFAULT_NAME)
    try:
        return preset(name)
    except SettingsError as refused:
        problems.append(error(("preset",), str(refused)))
        return default()


def _loaded(values: Mapping[str, Any], folder: Path | None, problems: list[Problem]) -> Loaded:
    """The plugins that a document lists."""
    listed = normalise({PLUGINS: values[PLUGINS]}, {}) if PLUGINS in values else Normal()
    if listed.problems:
        return NONE  # told when the whole document is read
    try:
        return load_plugins(section(Plugins(), listed, (PLUGINS,), []), folder)
    except SettingsError as refused:
        problems.append(error((PLUGINS,), cut(" ".join(str(refused).split("\n")), MAX_TEXT)))
        return NONE


def _with(base: Strategy, loaded: Loaded) -> Strategy:
    """A strategy that knows the listed plugins too, each on unless it says otherwise."""
    choices, sources = dict(base.choices), dict(base.sources)
    for kind, outside in loaded.modules.items():
        listed = (
            ModuleChoice(module, module.on, module.params(), LISTED_WHY) for module in outside
        )
        sources.update({f"{module.qualified}.{ENABLED}": LISTED_WHY for module in outside})
        every = sorted((*choices[kind], *listed), key=lambda choice: choice.module.name)
        choices[kind] = tuple(every)
    return replace(
        base,
        choices=MappingProxyType(choices),
        sources=MappingProxyType(sources),
        problems=loaded.problems,
    )


def _over(base: Strategy, normal: Normal, why: Why) -> tuple[Strategy, list[Problem]]:
    """Settings laid over a strategy; the rules are asked only where every value is usable."""
    built, problems = build(base, normal, why)
    # a name that no module has may be one of a plugin that could not be had: the plan goes on
    # without it, and says so
    unknown = normal.unknown
    if base.problems:
        unknown = [replace(problem, severity="warning") for problem in unknown]
    problems = [*normal.problems, *unknown, *problems]
    unused = tuple(problem.text for problem in problems if problem.severity == "warning")
    lost = tuple(dict.fromkeys((*base.lost, *normal.lost))) if base.problems else base.lost
    built = replace(built, warnings=(*base.warnings, *unused), lost=lost)
    if all(problem.severity == "warning" for problem in problems):
        problems += [problem for problem in findings(built) if problem.text not in unused]
    return built, problems


def _plain(values: object) -> tuple[dict[str, Any], list[Problem]]:
    """A document as TOML has it; an empty one, and why, for what is no table."""
    table = plain(values)
    if isinstance(table, dict):
        return table, []
    return {}, [error((), f"A strategy is a table, not {shown(table)}.")]
