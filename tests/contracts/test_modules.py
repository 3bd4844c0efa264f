"""What every registered calculator, pattern, generator and filter must keep, whoever wrote it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from builders.cases import CASES
from builders.context import candidates, context, read_only
from steelyard import strategies
from steelyard.arrays import PAD
from steelyard.ledger import feasible, fill
from steelyard.modules import contract
from steelyard.modules.candidates import Ranking, Ruling
from steelyard.modules.registry import Kind, ModuleParams, modules
from steelyard.modules.sequences import Fill, Loosening
from steelyard.modules.terms import Separable
from steelyard.orders import Side

KINDS = (Kind.OPPORTUNITY, Kind.PATTERN, Kind.SEQUENCE, Kind.FILTER)
MODULES = [module for kind in KINDS for module in modules(kind).values()]
EVERY = [*MODULES, *modules(Kind.TERM).values()]
every_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.qualified)

NAN = float("nan")
WORLDS = {
    "empty": {"symbols": ""},
    "all cash": {"symbols": "A B C", "weights": [0.0] * 3},
    "one holding": {"symbols": "A", "weights": [1.0]},
    "on target": {"symbols": "A B", "weights": [0.5, 0.5], "targets": [0.5, 0.5]},
    "zero targets": {"symbols": "A B", "weights": [0.5, 0.3], "targets": [0.0, 0.0]},
    "negative cash": {"symbols": "A B", "weights": [0.6, 0.5]},
    "nothing known": {
        "symbols": "A B C", "average_cost": NAN, "years_held": NAN, "days_since_bought": NAN,
        "days_since_sold": NAN,
    },
    "nothing may be traded": {
        "symbols": "A B", "can_buy": "", "can_sell": "", "targets": [0.1, 0.8],
    },
    "everything said": {
        "symbols": "A B C D", "weights": [0.5, 0.2, 0.1, 0.0], "targets": [0.2, 0.3, 0.2, 0.2],
        "prices": [300, 80, 70, 50], "average_cost": [100, 100, 100, NAN],
        "years_held": [1, 2, 3, NAN], "days_since_bought": [10, 100, 1000, NAN],
        "days_since_sold": [100, NAN, 20, 5], "quality": [0.9, 0.7, 0.6, 0.8],
        "sectors": ["X", "X;Y", "Z", ""], "countries": ["US", "US", "CH", ""],
    },
}  # fmt: skip


def of(ctx):
    """A table with a sale of every holding and a buy of everything, from every calculator."""
    sources = " ".join(modules(Kind.OPPORTUNITY))
    sells = [
        f"sell {s} {w / 2} {0.2 + w / 2} {sources}"
        for s, w in zip(ctx.symbols, ctx.weights, strict=True)
        if w > 0
    ]
    buys = [f"buy {s} {size} .5 {sources}" for s in ctx.symbols for size in (0.02, 0.05)]
    return candidates(ctx, *sells, *buys, cost=0.0005)


def answer(module, ctx, table, params=None):
    """What a module returns, drained."""
    params = params or module.params()
    if module.kind in {Kind.OPPORTUNITY, Kind.TERM}:
        return module.call(ctx, params)
    if module.form == "what_if":
        return list(
            module.call(ctx, table, plan_of(ctx, table), strategies.default().content, params)
        )
    if module.kind is Kind.SEQUENCE:
        return list(
            module.call(ctx, table, np.full((0, ctx.search.max_depth), PAD, dtype=np.int64), params)
        )
    ruling = module.call(ctx, table, params)
    return (ruling, ranked(ruling, ctx, table)) if module.form == "rank" else ruling


def plan_of(ctx, table):
    """A plan that the table allows, sells first."""
    return tuple(fill(table.account, [], range(table.m), ctx.search.max_depth))


def ranked(ranking, ctx, table):
    """What a ranking says of every order alone and of every two."""
    rows = [(a, b) for a in range(table.m) for b in (PAD, *range(a + 1, table.m))]
    wide = np.full((len(rows), ctx.search.max_depth), PAD, dtype=np.int64)
    for cells, row in zip(wide, rows, strict=True):
        cells[: min(2, len(cells))] = row[: len(cells)]
    return ranking.value(wide)


def digest(record) -> str:
    """SHA-256 of everything in a record, however deep."""
    if isinstance(record, np.ndarray):
        content = f"{record.dtype}{record.shape}".encode() + record.tobytes()
    elif isinstance(record, Ranking):
        content = f"at most {record.most}".encode()
    elif is_dataclass(record):
        content = "".join(digest(getattr(record, field.name)) for field in fields(record)).encode()
    elif isinstance(record, Mapping):
        content = "".join(f"{key!r}{digest(value)}" for key, value in record.items()).encode()
    elif isinstance(record, list | tuple):
        content = "".join(map(digest, record)).encode()
    elif callable(record):
        content = b"a function"
    else:
        content = repr(record).encode()
    return hashlib.sha256(content).hexdigest()


def check_candidates(wishes, ctx) -> None:
    for candidate in wishes:
        i = ctx.symbols.index(candidate.symbol)
        assert all(type(weight) is float for weight in candidate.weights)
        assert sorted(map(abs, candidate.weights)) == [abs(weight) for weight in candidate.weights]
        buys = candidate.side is Side.BUY
        assert ctx.can_buy[i] if buys else ctx.can_sell[i] and ctx.held[i]
        assert candidate.tags
    sides = [(candidate.symbol, candidate.side) for candidate in wishes]
    assert len(sides) == len(set(sides))


def check_rows(rows, table) -> None:
    assert rows.dtype == np.int64
    assert not rows.flags.writeable
    assert feasible(table.account, rows).all()
    for row in rows.tolist():
        chosen = [j for j in row if j != PAD]
        assert chosen
        assert row == chosen + [PAD] * (len(row) - len(chosen))
        sides = [bool(table.is_buy[j]) for j in chosen]
        assert sides == sorted(sides)


def check(module, answer, ctx, table) -> None:
    """The contract that every module keeps, and what is asked of our own besides."""
    if module.form == "what_if":
        for question in answer:
            check_what_if(question, plan_of(ctx, table), table)
        return
    ruling = answer[0] if module.form == "rank" else answer
    agreed = contract.checked(module, ctx, table, ruling, proven=not separable(module, answer))
    if module.kind is Kind.OPPORTUNITY:
        check_candidates(agreed, ctx)
    elif module.kind in {Kind.PATTERN, Kind.SEQUENCE}:
        blocks = answer.values() if isinstance(answer, Mapping) else answer
        assert module.kind is Kind.PATTERN or len(list(agreed)) == len(answer)
        for rows in [blocks] if isinstance(blocks, np.ndarray) else blocks:
            check_rows(rows, table)
    elif module.form in {"mask", "pairs"}:
        check_filter(answer)


def check_filter(answer) -> None:
    # a filter of pairs may judge whole rows besides
    pairs, ruling = answer[:2] if isinstance(answer, tuple) else (answer, None)
    if isinstance(pairs, Ruling):
        pairs, ruling = None, pairs
    if pairs is not None:
        assert (pairs == pairs.T).all()
        assert not pairs.flags.writeable
    if ruling is not None:
        assert set(ruling.drops) == set(np.flatnonzero(~ruling.keep).tolist())
        assert all(drop.rule for drop in ruling.drops.values())


def targeted(ctx) -> bool:
    return ctx.target_weights is not None


def separable(module, answer) -> bool:
    """Are all matrices of a term to be asked for their eigenvalues? Other answers have none."""
    return module.kind is Kind.TERM and not any(
        isinstance(part.shape, Separable) for part in answer.parts
    )


def check_what_if(question, plan, table) -> None:
    contract.what_if(question, plan, table)
    if isinstance(question, Fill):
        assert 0 < sum(question.quantities) < sum(table.quantity[j] for j in plan)
    else:
        assert isinstance(question, Loosening)
        assert question.name
        assert "." in question.setting
        assert question.now != question.then


def fires(module, ruling) -> bool:
    """Does an answer do anything?"""
    if module.form == "mask":
        return not ruling.keep.all()
    if module.form == "pairs":
        return bool((ruling[0] if isinstance(ruling, tuple) else ruling).any())
    if module.form == "rank":
        return len(set(ruling[1].tolist())) > 1
    return len(ruling) > 0


@pytest.mark.parametrize("module", EVERY, ids=lambda module: module.qualified)
def test_on_any_portfolio_a_module_keeps_its_contract_leaves_its_input_and_says_the_same_twice(
    module,
):
    for name, options in WORLDS.items():
        ctx = context(**options)
        if module.kind is Kind.TERM and "target_weights" in module.needs and not targeted(ctx):
            continue  # it is never asked
        table = of(ctx)
        assert read_only(ctx)
        assert read_only(table)
        before = digest(ctx), digest(table)

        first, again = context(**options), answer(module, ctx, table)
        second = answer(module, first, of(first))

        check(module, again, ctx, table)
        assert (digest(ctx), digest(table)) == before, name
        assert digest(again) == digest(second), name


@every_module
def test_there_are_inputs_on_which_a_module_fires(module):
    ctx, table = CASES[module.kind, module.name].world()

    fired = answer(module, ctx, table)

    check(module, fired, ctx, table)
    assert fires(module, fired)


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module in MODULES for name in module.params.model_fields],
    ids=lambda x: getattr(x, "qualified", x),
)
def test_every_parameter_changes_something(module, name):
    case = CASES[module.kind, module.name]
    assert name in case.changes, (
        f"its case has no change that shows what {module.qualified}.{name} does"
    )
    change = case.changes[name]
    ctx, table = (change.where or case.world)()
    default = module.params(**change.among)

    changed = answer(module, ctx, table, module.params(**{**change.among, name: change.value}))

    assert getattr(default, name) != change.value
    assert digest(answer(module, ctx, table, default)) != digest(changed)


def test_there_is_no_case_for_a_module_or_a_parameter_that_does_not_exist():
    named = {(module.kind, module.name): module for module in MODULES}

    assert set(CASES) == set(named)
    for key, case in CASES.items():
        assert set(case.changes) <= set(named[key].params.model_fields)


@every_module
def test_parameters_are_frozen_described_and_refuse_what_is_unknown(module):
    assert issubclass(module.params, ModuleParams)
    assert module.params.model_config["frozen"]
    assert module.params.model_config["extra"] == "forbid"
    for name, field in module.params.model_fields.items():
        assert field.description, (
            f"{module.qualified}.{name} has no description: it is what docs and JSON Schema say "
            "of it"
        )
        assert not field.is_required()
    assert module.summary
    assert module.summary.endswith(".")
