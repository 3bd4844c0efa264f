"""Plugins from text: written, pinned, loaded, put into a strategy, planned with."""

from __future__ import annotations

import hashlib
import os
import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders.world import World, with_module
from steelyard.modules.plugins import Loaded, load_plugins
from steelyard.modules.registry import Module
from steelyard.plans.plan import Plan
from steelyard.settings import Plugins

HEAD = """
import os, signal, socket, subprocess, sys, time
from decimal import Decimal
from typing import Annotated
import numpy as np
from pydantic import Field
from steelyard import (
    PAD, BlackBox, Candidate, Drop, Linear, ModuleParams, Norm, Part, Quadratic, Ranking, Ruling,
    Side, Term, linear_part,
    opportunity_calculator, pattern_generator, say, score_term, sequence_filter, sequence_generator,
)

class Params(ModuleParams):
    pass
"""


def pin(path: Path) -> str:
    """What a strategy writes for a file."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


@contextmanager
def plugins(
    folder: Path, files: Mapping[str, str], head: str = HEAD, **settings: Any
) -> Iterator[Loaded]:
    """The plugins of some files, workers ended afterwards; quick unless a test says not."""
    for name, text in files.items():
        (folder / name).write_text(head + textwrap.dedent(text), encoding="utf-8")
    pins = {name: pin(folder / name) for name in files}
    loaded = load_plugins(
        Plugins(folder=str(folder), files=pins, **{"seconds": 10.0, "megabytes": 256} | settings),
        None,
    )
    try:
        yield loaded
    finally:
        loaded.close()


def every(loaded: Loaded) -> list[Module]:
    """All modules, kind by kind."""
    return [module for modules in loaded.modules.values() for module in modules]


def planned(world: World, loaded: Loaded, weight: float = 0.0) -> Plan:
    """The plan of a world with every module of the plugins on; score terms get a weight.

    A filter that fails is planned without, like any other module.
    """
    strategy = replace(world.strategy, problems=loaded.problems)
    for module in every(loaded):
        strategy = with_module(strategy, module, "allow")
    terms = [module.name for module in loaded.modules["score_terms"]]
    if terms:
        strategy = replace(
            strategy,
            score=strategy.score.model_copy(update={"further": dict.fromkeys(terms, weight)}),
        )
    return replace(world, strategy=strategy).plan()


def outcome(plan: Plan) -> Any:
    """What must not depend on a plugin that fails: trades and score."""
    trades = [(step.side, step.symbol, step.quantity) for step in plan.steps]
    return trades, *(
        pytest.approx(figure, abs=1e-9)
        for figure in (plan.score.hold, plan.score.plan, plan.score.improvement)
    )


def workers(*parents: int) -> set[int]:
    """Worker processes that still run, of some processes; of this one unless told."""
    ours = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        running = b"steelyard.modules.plugins.child" in line and stat[0] != "Z"
        if running and int(stat[1]) in (parents or (os.getpid(),)):
            ours.add(int(entry.name))
    return ours


def wait_until(done: Any, seconds: float = 5.0) -> bool:
    """Does something become true in time?"""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
