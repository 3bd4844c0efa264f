"""A file, TOML text or a mapping to a strategy: read, normalise, lay over its preset, validate.

What a document does not name it inherits from its preset, and that from the defaults; what nothing
reads is an error, so that a slip never goes unseen.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from steelyard.errors import SettingsError, did_you_mean, each
from steelyard.modules.plugins import NONE, Loaded, load_plugins
from steelyard.modules.registry import Module
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
Chain = tuple[Path, ...]
NO_LINES: Lines = MappingProxyType({})


def load(path: Path) -> Strategy:
    """The strategy of a TOML file, named after it unless it names itself; raises SettingsError."""
    return _load(path, (_place(path),))


def _place(path: Path) -> Path:
    """A path by which a file is known again; nothing is looked up."""
    return Path(os.path.normpath(path.absolute()))


def _load(path: Path, chain: Chain) -> Strategy:
    """The strategy of a file; `chain`: the files that inherit from it, and it."""
    parsed = document(read(path), str(path))
    strategy, problems = examine(parsed.values, path.stem, path.parent, chain=chain)
    return _accepted(strategy, problems, str(path), parsed.lines)


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


def overlay(strategy: Strategy, changes: Mapping[str, Any], why: Why, name: str = "") -> Strategy:
    """The strategy with changes over it, in any spelling; only `enabled` changes a switch.

    why    who makes the changes: lands in the choices and in `sources`
    name   of what comes out; by default that of the changes, else that of the strategy with `why`
           behind it, so that no plan of changed rules bears the name of the unchanged
    Raises SettingsError listing every problem.
    """
    changes, wrong = _plain(changes)
    normal = normalise(changes, known_modules(strategy), switching=False)
    normal.problems += wrong
    if PLUGINS in changes:
        text = "plugins are listed in a strategy, not laid over one."
        normal.problems.append(error((PLUGINS,), text))
    changed, problems = _over(strategy, normal, why)
    accepted = _accepted(changed, problems, f"{strategy.name} with changes ({why})", NO_LINES)
    own = name or normal.texts.get("name") or (f"{strategy.name} + {why}" if changes else "")
    return replace(accepted, name=own or strategy.name)


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
    strategy, problems = examine(parsed.values, path.stem, path.parent, chain=(_place(path),))
    usable = all(problem.severity != "error" for problem in problems)
    every = located([*problems, *without_plugins(strategy)], parsed.lines)
    return Problems(every), strategy if usable else None


def without_plugins(strategy: Strategy) -> list[Problem]:
    """The plugins that could not be loaded: a plan goes on without them, a check may not."""
    return [error((PLUGINS,), cut(notice.message, MAX_TEXT)) for notice in strategy.problems]


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
    name = "" if source == "strategy" else f" {source}"  # of a dict, which has none
    refusal = f"The strategy{name} has {count}; nothing was planned."
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
    values: Mapping[str, Any],
    name: str,
    folder: Path | None,
    why: Why = FILE_WHY,
    chain: Chain = (),
) -> tuple[Strategy, list[Problem]]:
    """A document as a strategy, as far as it can be read, and everything that is wrong with it.

    folder   what the file that it inherits from, and a folder of plugins, are relative to
    chain    the files that inherit from it, and its own
    """
    values, problems = _plain(values)
    loaded = _loaded(values, folder, problems)
    inherits, below = _base(values, folder, chain, problems)
    base = replace(_with(below, loaded), inherits=inherits, own_keys=frozenset())
    normal = normalise(values, known_modules(base))
    strategy, more = _over(base, normal, why)
    own, description = normal.texts.get("name") or name, normal.texts.get("description", "")
    return replace(strategy, name=own, description=description), [*problems, *more]


def _base(
    values: Mapping[str, Any], folder: Path | None, chain: Chain, problems: list[Problem]
) -> tuple[str, Strategy]:
    """What a document inherits from, by name: a file, a preset, or the default."""
    # what else the document says is read when it is known what there is to say
    name = normalise(values, known_modules(default())).texts.get("preset", DEFAULT_NAME)
    try:
        return name, _house(name, folder, chain) if name.endswith(SUFFIX) else preset(name)
    except SettingsError as refused:
        problems.append(error(("preset",), " ".join(str(refused).split("\n"))))
        return DEFAULT_NAME, default()


def _house(name: str, folder: Path | None, chain: Chain) -> Strategy:
    """The strategy of a file that another file inherits from."""
    if folder is None or Path(name).is_absolute():
        why = "what inherits from it is no file" if folder is None else "it is no relative path"
        raise SettingsError(
            f"The file {name} is looked for beside the file that inherits from it, and {why}.",
            code="preset_file_without_folder",
            place="preset",
            value=name,
            hint="give a preset by its name, or a path relative to the file",
        )
    path = _place(folder / name)
    if path in chain:
        names = " from ".join(file.name for file in (*chain[chain.index(path) :], path))
        raise SettingsError(
            f"{names}: a file cannot inherit from itself.",
            code="preset_circle",
            place="preset",
            value=name,
            hint="name another file, or a preset",
        )
    return _load(path, (*chain, path))


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
        names = {module.name for module in outside}
        listed = [
            ModuleChoice(module, module.on, module.params(), LISTED_WHY) for module in outside
        ]
        sources.update({f"{module.qualified}.{ENABLED}": LISTED_WHY for module in outside})
        inherited = (choice for choice in choices[kind] if choice.module.name not in names)
        every = sorted((*inherited, *listed), key=lambda choice: choice.module.name)
        choices[kind] = tuple(every)
    return replace(
        base,
        choices=MappingProxyType(choices),
        sources=MappingProxyType(sources),
        problems=(*base.problems, *loaded.problems),
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
