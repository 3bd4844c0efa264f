"""What a module's own test file tells the tests that run over all modules: `CASE` and `WORLD`."""

from __future__ import annotations

import importlib.util
from functools import cache
from types import ModuleType
from typing import Any

from builders.paths import ROOT
from steelyard.modules.registry import PACKAGES, Kind, modules


@cache
def file_of(kind: Kind, name: str) -> ModuleType | None:
    """`tests/modules/FOLDER/test_NAME.py`, run; None where there is none."""
    folder = PACKAGES[kind].rpartition(".")[2]
    path = ROOT / "tests" / "modules" / folder / f"test_{name}.py"
    spec = importlib.util.spec_from_file_location(f"own_{folder}_{name}", path)
    if not path.exists() or spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def own(kind: Kind, attribute: str, elsewhere: dict[str, Any]) -> dict[str, Any]:
    """The attribute by name of a module: from `elsewhere`, or from the test file of the module.

    Raises LookupError naming the file where it is in neither.
    """
    every = dict(elsewhere)
    for name in modules(kind).keys() - elsewhere.keys():
        value = getattr(file_of(kind, name), attribute, None)
        if value is None:
            folder = PACKAGES[kind].rpartition(".")[2]
            raise LookupError(f"tests/modules/{folder}/test_{name}.py has no {attribute}")
        every[name] = value
    return every
