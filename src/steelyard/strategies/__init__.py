"""A strategy: which modules run, with which parameters, under which limits, costs and score.

In: a file, TOML text, a mapping, the name of a preset, or nothing for the defaults. Out: a frozen
`Strategy` with every value filled in, who set each, and a hash of all that acts.

    strategy.py    the record and the default
    load.py        the way in: read, normalise, lay over a preset, validate
    files/         the steps of it: reading, spellings, normalise, building, problems
    rules.py       what a strategy as a whole may not be, and what is worth knowing of it
    presets/       strategies to begin with
    scope.py       what a plan is the best of, by what is set, and what that leaves idle
    thresholds.py  thresholds that follow the number of names
    planned.py     a strategy as one plan is made by it
    schema.py      what an editor needs to complete and check a file
    writing.py     a strategy as a commented file
    diff.py        what tells two strategies apart
"""

from steelyard.strategies.files.problems import Problem, Problems
from steelyard.strategies.load import (
    check,
    find,
    from_mapping,
    load,
    overlay,
    parse,
    preset,
    validate,
)
from steelyard.strategies.presets import PRESETS
from steelyard.strategies.rules import check_dependencies, validate_dependencies
from steelyard.strategies.schema import schema
from steelyard.strategies.scope import scope_of
from steelyard.strategies.strategy import ModuleChoice, Strategy, Why, default

__all__ = [
    "PRESETS",
    "ModuleChoice",
    "Problem",
    "Problems",
    "Strategy",
    "Why",
    "check",
    "check_dependencies",
    "default",
    "find",
    "from_mapping",
    "load",
    "overlay",
    "parse",
    "preset",
    "schema",
    "scope_of",
    "validate",
    "validate_dependencies",
]
