"""The usage guide's own Python as written: only the names of its modules are translated."""

from __future__ import annotations

import ast
import asyncio
import doctest
import hashlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import pytest

from steelyard import compat
from steelyard.compat import HolisticPlan, HolisticPlanner, PlannerContext, translate
from steelyard.importers import assemble, read
from steelyard.samples import sample

PAGE = Path(__file__).parent / "usage_guide.txt"
FENCE = re.compile(
    r"^## (?P<title>[^\n]+)\n\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
WRITTEN = "c0db5b1d0de6456bed8b26b007798d2ede3a11c3e79cd8e75ea447bf0f51d801"
"""SHA-256 of the guide's blocks, one after the other: no formatter may touch them."""
STRATEGY = Path("config/planner/aggressive.toml")


class Block(NamedTuple):
    """A block of the guide under its heading."""

    title: str
    language: str
    text: str


BLOCKS = [Block(*match.groups()) for match in FENCE.finditer(PAGE.read_text(encoding="utf-8"))]
PYTHON = [block for block in BLOCKS if block.language == "python"]
PLANNING = {"For Core Bucket (Immediate Use)", "Incremental Processing"}


class Trades:
    """A trade repository in which nothing was traded."""

    def get_trade_history(self) -> dict[str, dict[str, str]]:
        return {}


def free_names() -> dict[str, Any]:
    """What the guide takes for granted."""
    files = sample("growth")
    inputs = assemble(read(files.holdings, prices=files.prices, securities=files.securities))
    context = PlannerContext.of(inputs)

    def of_the_bundled(plan: Any) -> Any:
        """What stands for `(...)` in the guide: the bundled portfolio, two orders deep."""
        return lambda _: plan(
            context.portfolio_context, context.available_cash, context.securities,
            context.positions, max_plan_depth=2,
        )  # fmt: skip

    return {
        "create_holistic_plan_original": of_the_bundled(compat.create_holistic_plan_original),
        "create_holistic_plan_modular": of_the_bundled(compat.create_holistic_plan_modular),
        "portfolio_context": context.portfolio_context, "positions": context.positions,
        "securities": context.securities, "available_cash": context.available_cash,
        "settings_repo": {}, "trade_repo": Trades(),
        "settings": compat.SatelliteSettings(satellite_id="momentum_1", risk_appetite=0.5),
        "config": compat.PlannerConfiguration(), "HolisticPlanner": HolisticPlanner,
    }  # fmt: skip


def compiled(block: Block) -> CodeType:
    return compile(translate(block.text), block.title, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def run(block: Block, names: dict[str, Any]) -> None:
    """Run a block, in an event loop if it awaits anything."""
    # the guide's own code, translated: what a reader of it would type
    coroutine = eval(compiled(block), names)
    if coroutine is not None:
        asyncio.run(coroutine)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with the guide's strategy file."""
    monkeypatch.chdir(tmp_path)
    (strategy,) = (block for block in BLOCKS if block.language == "toml")
    STRATEGY.parent.mkdir(parents=True)
    STRATEGY.write_text(strategy.text, encoding="utf-8")
    level = logging.getLogger("steelyard").level
    yield tmp_path
    logging.getLogger("steelyard").setLevel(level)


def test_the_blocks_are_the_guide_s_to_the_byte():
    assert hashlib.sha256("".join(block.text for block in BLOCKS).encode()).hexdigest() == WRITTEN


def test_the_page_has_every_python_block():
    assert len(PYTHON) == 14


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "block", PYTHON, ids=[f"{n} {block.title}" for n, block in enumerate(PYTHON, 1)]
)
def test_every_block_runs_as_written(block: Block):
    names = free_names()

    run(block, names)

    if block.title in PLANNING:
        assert isinstance(names["plan"], HolisticPlan)
        assert names["plan"].steps
        assert names["plan"].improvement > 0


@pytest.mark.usefixtures("folder")
def test_the_guide_runs_from_top_to_bottom_in_one_session(capsys: pytest.CaptureFixture[str]):
    names = free_names()

    for block in PYTHON:
        run(block, names)

    assert names["planner"].bucket_id == "core"
    assert names["satellite_planner"].bucket_id == "momentum_1"
    assert names["calculator"].name == "profit_taking"
    assert names["config"].pattern_generators.adaptive.enabled is False
    assert names["errors"] == []
    assert capsys.readouterr().out == ""
    assert logging.getLogger("steelyard").level == logging.DEBUG


@pytest.mark.usefixtures("folder")
def test_the_incremental_snippet_run_twice_goes_on_and_ends_with_the_plan_of_one_call():
    names = free_names()
    (block,) = (block for block in PYTHON if block.title == "Incremental Processing")
    counts = []
    for _ in range(2):
        run(block, names)
        counts.append(names["plan"].evaluated)
    records = {
        name: names[name]
        for name in ("portfolio_context", "positions", "securities", "available_cash")
    }

    last = asyncio.run(names["planner"].create_plan_incremental(**records, batch_size=5000))
    whole = asyncio.run(names["planner"].create_plan(**records))

    assert counts == [200, 400]
    assert "400 of" in names["plan"].warnings[0]
    assert names["plan"].final is False
    assert (last.final, last.evaluated) == (True, last.total)
    assert last.document.plan_id == whole.document.plan_id


def test_the_batch_job_without_a_source_says_whose_portfolio_it_planned():
    made = asyncio.run(compat.process_planner_batch_job(0, None, "satellite_momentum_1"))

    assert made.document.bucket == "satellite_momentum_1"
    assert "in one go" in made.warnings[0]
    assert "not yours" in made.warnings[1]


def test_the_example_of_the_package_is_true():
    assert doctest.testmod(compat).failed == 0
    assert doctest.testmod(compat.names).failed == 0


def test_only_module_names_are_translated():
    source = (
        "import app.modules.planning.domain.planner as p  # application\nx ="
        ' "app.modules.planning"\n'
    )

    assert translate(source) == 'import steelyard.compat as p  # application\nx = "steelyard"\n'


def test_a_name_of_somebody_s_own_that_begins_with_app_is_left_alone():
    source = (
        'app = FastAPI()\n@app.get("/x")\ndef x(): return self.app.state, myapp.modules.planning\n'
    )

    assert translate(source) == source


def test_a_member_behind_its_module_name_is_translated_too():
    source = (
        "import app.modules.planning.domain.planner\np = "
        "app.modules.planning.domain.planner.HolisticPlanner()\n"
    )

    assert translate(source) == "import steelyard.compat\np = steelyard.compat.HolisticPlanner()\n"


def test_a_module_that_has_no_counterpart_is_refused_by_name():
    with pytest.raises(
        compat.names.InputError, match=r"app\.modules\.planning\.domain\.planer .*Did you mean"
    ):
        translate("import app.modules.planning.domain.planer")
