"""A built-in module as a plugin answers to the last bit what it answers here; other forms too."""

from __future__ import annotations

import hashlib
import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import steelyard
from builders.plugins import every, outcome, pin, planned, plugins
from builders.world import BUSY, prepared, without
from steelyard.arrays import PAD
from steelyard.modules.candidates import Ranking
from steelyard.modules.contract import checked
from steelyard.modules.plugins import load_plugins
from steelyard.modules.registry import Kind, modules
from steelyard.modules.terms import Term
from steelyard.settings import Plugins

SOURCE = Path(steelyard.__file__).parent / "modules"
MOVED = {
    Kind.OPPORTUNITY: ("weight_based", "profit_taking"),
    Kind.PATTERN: ("rebalance", "multi_sell"),
    Kind.SEQUENCE: ("combinatorial", "enhanced_combinatorial"),
    Kind.FILTER: ("eligibility", "correlation_aware", "diversity"),
    Kind.TERM: ("target_fit", "diversification", "stability", "quality"),
}
FOLDERS = {
    Kind.OPPORTUNITY: "opportunities", Kind.PATTERN: "patterns", Kind.SEQUENCE: "sequences",
    Kind.FILTER: "filters", Kind.TERM: "scoring",
}  # fmt: skip
NAMES = [(kind, name) for kind, names in MOVED.items() for name in names]


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """Those modules as plugins, each in a file of its own, `name` as `name_too`."""
    folder = tmp_path_factory.mktemp("moved")
    for kind, name in NAMES:
        text = (SOURCE / FOLDERS[kind] / f"{name}.py").read_text(encoding="utf-8")
        (folder / f"{kind.value}_{name}.py").write_text(renamed(kind, name, text), encoding="utf-8")
    pins = {path.name: pin(path) for path in folder.iterdir()}
    loaded = load_plugins(Plugins(folder=str(folder), files=pins), None)
    assert loaded.problems == ()
    yield loaded
    loaded.close()


def renamed(kind: Kind, name: str, text: str) -> str:
    """The text with another name in the decorator; a term says it again."""
    if kind is Kind.TERM:
        return text.replace(f'"{name}"', f'"{name}_too"')
    return re.sub(rf'(@\w+\(\s*)("{name}"|NAME)', rf'\1"{name}_too"', text)


def content(record):
    """Everything in an answer as something that compares, arrays bit by bit."""
    if isinstance(record, np.ndarray):
        return (
            str(record.dtype),
            record.shape,
            hashlib.sha256(np.ascontiguousarray(record).tobytes()).hexdigest(),
        )
    if is_dataclass(record):
        return type(record).__name__, [
            content(getattr(record, field.name)) for field in fields(record)
        ]
    if isinstance(record, list | tuple):
        return [content(entry) for entry in record]
    return record


def answers(module, world):
    """What a module says of a world, functions asked."""
    ctx, table = world.ctx, world.table
    some = np.array(
        [
            [a, b, *[PAD] * (ctx.search.max_depth - 2)]
            for a in range(table.m)
            for b in (PAD, *range(a + 1, table.m))
        ]
    )
    inputs = {Kind.OPPORTUNITY: (), Kind.TERM: (), Kind.SEQUENCE: (table, some[:5])}
    answer = module.call(ctx, *inputs.get(module.kind, (table,)), module.params())
    agreed = checked(module, ctx, table, answer)
    if isinstance(agreed, Term):
        return term_content(agreed, ctx)
    if isinstance(agreed, Ranking):
        return agreed.most, agreed.value(some)
    return list(agreed) if module.kind is Kind.SEQUENCE else agreed


def term_content(term: Term, ctx):
    weights = np.linspace(0.0, 0.2, ctx.n)
    return [
        (
            part.name, part.share, part.lo, part.hi,
            pytest.approx(part.raw(weights, 0.1), abs=1e-12), type(part.shape).__name__,
        )
        for part in term.parts
    ]  # fmt: skip


def test_every_built_in_module_answers_the_same_from_its_worker(moved):
    world = prepared(BUSY)
    different = []
    for kind, name in NAMES:
        here = modules(kind)[name]
        there = next(module for module in moved.modules[kind] if module.name == f"{name}_too")
        said_of = [
            (each.default_params(), each.version, each.form, each.tags, each.needs)
            for each in (here, there)
        ]
        answer, other = (content(answers(each, world)) for each in (here, there))
        if said_of[0] != said_of[1] or answer != other:
            different.append((name, said_of))

    assert different == []


def test_a_plan_with_its_modules_in_workers_is_the_plan_with_them_here(moved):
    kinds = (Kind.OPPORTUNITY, Kind.PATTERN, Kind.SEQUENCE)
    here = BUSY.strategy
    for kind in kinds:
        here = without(here, kind, *MOVED[kind])
    loaded = replace(
        moved, modules={kind: moved.modules[kind] if kind in kinds else () for kind in Kind}
    )

    assert outcome(planned(replace(BUSY, strategy=here), loaded)) == outcome(BUSY.plan())


FORMS = """
@sequence_filter("at_most_two", form="rows", version="1.0.0", params=Params)
def at_most_two(ctx, candidates, params):
    return lambda rows: (rows >= 0).sum(axis=1) <= 2

@score_term("few_names", version="1.0.0", params=Params)
def few_names(ctx, params):
    n = ctx.n + 1
    def raw(weights, cash):
        return float((weights > 0.01).sum())
    curved = Part("curved", 0.5, -1.0, 0.0, None, Quadratic(0.0, np.zeros(n), np.eye(n)))
    rough = Part("rough", 0.25, -1.0, 0.0, None, Norm(np.eye(n)))
    return Term("few_names", (curved, rough, Part("count", 0.25, 0.0, 10.0, raw, BlackBox(10.0))))
"""


def test_row_filters_and_black_boxes_act_in_the_search_and_in_the_certificate(tmp_path):
    with plugins(tmp_path, {"plugin.py": FORMS}) as loaded:
        plan = planned(BUSY, loaded, weight=0.05)

    assert plan.problems == ()
    assert 0 < len(plan.steps) <= 2
    assert len(BUSY.plan().steps) > 2
    parts = next(term for term in plan.score.terms if term.name == "few_names").parts
    assert [part.name for part in parts] == ["curved", "rough", "count"]
    assert plan.certificate.status != "proven"


def test_several_threads_may_ask_one_worker(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    with plugins(tmp_path, {"plugin.py": FORMS}) as loaded, ThreadPoolExecutor(4) as pool:
        plans = list(pool.map(lambda _: planned(BUSY, loaded, weight=0.05).plan_id, range(4)))

    assert len(set(plans)) == 1


def test_what_the_planner_forgets_the_worker_forgets(tmp_path):
    text = """
    class Big:
        alive = 0
        def __init__(self): Big.alive += 1; self.most = 5
        def __del__(self): Big.alive -= 1
        def value(self, rows): return np.full(len(rows), float(Big.alive))

    @sequence_filter("counting", form="rank", version="1.0.0", params=Params)
    def counting(ctx, candidates, params):
        big = Big()
        return Ranking(lambda rows: big.value(rows), 5)
    """
    world = prepared(BUSY)
    row = np.full((1, world.ctx.search.max_depth), PAD)
    with plugins(tmp_path, {"plugin.py": text}) as loaded:
        (module,) = every(loaded)
        counts = [
            module.call(world.ctx, world.table, module.params()).value(row)[0] for _ in range(20)
        ]

    assert max(counts) <= 2
