"""No line of a rail can be wrong unseen: every mutant of the rails is caught by their table."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import random
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from benchmarks.promises.databases import PROFILES, Profile
from benchmarks.promises.figures import Figure
from benchmarks.promises.mutants import Mutant, mutants
from benchmarks.promises.script import script
from steelyard.execution import rails

PROMISE = "A rail that is wrong in one comparison, boolean, number or answer is noticed."
HOW = (
    "Each file of `execution/rails` is changed in one place at a time, in every place, and the "
    "table of `tests/execution/rails` is asked; by night every change is tried, otherwise one in "
    "eight. Counted as bad: a change that no row of the table notices and that does not stand in "
    "the script's list of changes that mean the same, each with its reason."
)
MUTANT = "the rows at the limits are left out of the table"
PACKAGE = rails.__name__
FOLDER = Path(rails.__path__[0])
FILES = ("account", "asking", "day", "machine", "market", "order", "plan")
TABLE = "tests.execution.rails.table"
QUICK = 8
_WORDS = "of words for people alone"
_SHOWN = "return plain(Decimal(f'{figure:.{SHOWN}g}'))"
SAME = {
    ("asking", "12", "13"): _WORDS,
    ("asking", "12", "11"): _WORDS,
    ("asking", _SHOWN, "return None"): _WORDS,
    ("order", "return False", "return None"): "of a condition: both are no",
}
"""(file, before, after) -> why nobody can tell the difference."""


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """How many changes were tried, and which of them nobody noticed."""
    importlib.import_module(TABLE).table()
    warnings.simplefilter("ignore", SyntaxWarning)
    tried, survivors = 0, []
    every = profile is PROFILES["nightly"]
    for name, change in _changes(1 if every else 4 * QUICK if mutant else QUICK):
        tried += 1
        if not _noticed(name, change, few=mutant):
            survivors.append((name, change))
    unseen = [pair for pair in survivors if (pair[0], pair[1].before, pair[1].after) not in SAME]
    for name, change in unseen:
        print(f"  survives: {name}.py {change}", file=sys.stderr)
    note = f"{len(survivors) - len(unseen)} that mean the same"
    return Figure("F1", tried, len(unseen), note=note)


def _changes(share: int) -> Iterator[tuple[str, Mutant]]:
    """Of each file; one in so many is drawn, the same every time."""
    draw = random.Random(0)  # noqa: S311 - no secret
    for name in FILES:
        for change in mutants((FOLDER / f"{name}.py").read_text(encoding="utf-8")):
            if draw.randrange(share) == 0:
                yield name, change


def _noticed(name: str, change: Mutant, *, few: bool) -> bool:
    """Does a row of the table answer otherwise, or the file not load at all?"""
    with _instead(f"{PACKAGE}.{name}", change):
        try:
            table = importlib.import_module(TABLE)
            return bool(table.wrong(name, few=few))
        except Exception:  # noqa: BLE001 a change that breaks in any way was noticed
            return True


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the changed file in the place of the one on the disk."""

    def __init__(self, name: str, change: Mutant) -> None:
        self.name, self.change = name, change

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.change.tree, self.name, "exec"), module.__dict__)  # noqa: S102 our own


@contextmanager
def _instead(name: str, change: Mutant) -> Iterator[None]:
    """While it lasts the rails are imported anew, one file changed; records stay what they are."""
    ours = {key: module for key, module in sys.modules.items() if key.startswith(PACKAGE)}
    records = f"{PACKAGE}.facts"
    parent = sys.modules["steelyard.execution"]
    finder = _Changed(name, change)
    for key in ours.keys() - {records}:
        del sys.modules[key]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for key in [key for key in sys.modules if key.startswith(PACKAGE)]:
            del sys.modules[key]
        sys.modules.update(ours)
        parent.rails = ours[PACKAGE]  # type: ignore[attr-defined]


if __name__ == "__main__":
    script(measure)
