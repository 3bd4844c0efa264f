"""A new built-in module is one file and its test: nothing else of the package has to be told of it.

A copy gets the calculator and the pattern of docs/pipeline.md, each with its tests; then the tests
that run over all modules, the generated references and `compat` must take them as they are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builders.paths import ROOT
from test_docs import fences

CRUMBS = '''
"""Crumbs: what is too small is sold, what is not stays."""

from builders.cases import Case, Change, of_context
from builders.world import world
from steelyard.modules.opportunities.crumbs import Params, crumbs
from steelyard.settings import Planner, Score

CASE = Case(
    of_context(symbols="A B", weights=[0.5, 0.01]),
    {"least_weight": Change(0.001), "priority_weight": Change(0.5)},
)
WORLD = world(
    *("AA 480 @ 100", "BB 490 @ 100", "CC 18 @ 100"),
    cash="1000",
    targets={"AA": 0.49, "BB": 0.49},
    score=Score(min_improvement=0, order_hurdle=0),
    planner=Planner(priority_threshold=0),
)


def test_a_crumb_is_sold():
    ctx, _ = CASE.world()

    assert [wish.symbol for wish in crumbs(ctx, Params())] == ["B"]


def test_what_is_large_enough_stays():
    ctx, _ = CASE.world()

    assert crumbs(ctx, Params(least_weight=0.001)) == []
'''
ONE_FOR_ONE = '''
"""One for one: a sale and a buy, or nothing."""

from builders.cases import Case, of_table
from builders.world import world
from steelyard.modules.patterns import NoParams
from steelyard.modules.patterns.one_for_one import one_for_one

CASE = Case(
    of_table("sell A .1 .5 rebalance_sells", "buy B .1 .5 rebalance_buys", symbols="A B"), {}
)
WORLD = world(
    *("AA 500 @ 100", "BB 300 @ 100", "CC 100 @ 100"),
    cash="0",
    targets={"AA": 0.35, "BB": 0.33, "CC": 0.3},
)


def test_the_best_sale_pays_for_the_best_buy():
    assert one_for_one(*CASE.world(), NoParams())[0, :2].tolist() == [0, 1]


def test_without_candidates_there_is_no_row_with_an_order():
    assert (one_for_one(*of_table(symbols="A B")(), NoParams()) < 0).all()
'''
NEW = {"opportunities/crumbs.py": CRUMBS, "patterns/one_for_one.py": ONE_FOR_ONE}
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "build", "dist")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the two modules and their tests, its references written anew."""
    root = tmp_path_factory.mktemp("copy") / "steelyard"
    shutil.copytree(ROOT, root, ignore=LEFT_OUT, symlinks=True)
    text = {fence.name: fence.text for fence in fences("pipeline.md")}
    for path, test in NEW.items():
        folder, name = path.split("/")
        (root / "src/steelyard/modules" / path).write_text(text[path], encoding="utf-8")
        (root / "tests/modules" / folder / f"test_{name}").write_text(test[1:], encoding="utf-8")
    run(root, "scripts/make_docs.py")
    return root


def run(root: Path, *arguments: str) -> str:
    """What Python says in the copy; it must end well."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "PATH": path}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def pytest_in(root: Path, *arguments: str) -> str:
    """What pytest says in the copy; no test may fail."""
    return run(root, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *arguments)


OVER_ALL = """crumbs or one_for_one or no_case
    or (test_configuration and switch and not exactly)"""


def test_the_tests_over_all_modules_take_a_new_one_as_it_is(copy: Path):
    answer = pytest_in(
        copy,
        "tests/modules/opportunities/test_crumbs.py", "tests/modules/patterns/test_one_for_one.py",
        "tests/contracts/test_modules.py", "tests/planning/test_every_module_wins.py",
        "tests/compat/test_configuration.py", "-k", " ".join(OVER_ALL.split()),
    )  # fmt: skip

    assert " passed" in answer


def test_the_references_have_it_and_it_is_off(copy: Path):
    rows = run(copy, "-m", "steelyard", "modules")

    assert "crumbs" in (copy / "docs/modules.md").read_text(encoding="utf-8")
    assert [line.split()[-2] for line in rows.splitlines() if " one_for_one " in line] == ["off"]


@pytest.mark.nightly
def test_every_test_of_modules_docs_and_compat_passes_with_it(copy: Path):
    run(copy, "scripts/make_docs.py", "--check")
    folders = ("contracts/test_modules.py", "compat", "strategies", "modules", "test_docs.py")
    further = ("test_names.py", "planning/test_every_module_wins.py")

    assert " passed" in pytest_in(copy, *(f"tests/{folder}" for folder in (*folders, *further)))
