"""What every registered calculator, pattern, generator and filter must keep, whoever wrote it."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from builders.cases import CASES
from builders.context import candidates, context, read_only
from steelyard import strategies
from steelyard.arrays import PAD
from steelyard.ledger import feasible, fill
from steelyard.modules.candidates import Candidate, Ranking, Ruling
from steelyard.modules.registry import Kind, ModuleParams, modules
from steelyard.modules.sequences import Fill, Loosening
from steelyard.orders import Side
from steelyard.sentences import Sentence

KINDS = (Kind.OPPORTUNITY, Kind.PATTERN, Kind.SEQUENCE, Kind.FILTER)
MODULES = [module for kind in KINDS for module in modules(kind).values()]
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
        "symbols": "A B C",
        "average_cost": NAN,
        "years_held": NAN,
        "days_since_bought": NAN,
        "days_since_sold": NAN,
    },
    "nothing may be traded": {
        "symbols": "A B",
        "can_buy": "",
        "can_sell": "",
        "targets": [0.1, 0.8],
    },
    "everything said": {
        "symbols": "A B C D",
        "weights": [0.5, 0.2, 0.1, 0.0],
        "targets": [0.2, 0.3, 0.2, 0.2],
        "prices": [300, 80, 70, 50],
        "average_cost": [100, 100, 100, NAN],
        "years_held": [1, 2, 3, NAN],
        "days_since_bought": [10, 100, 1000, NAN],
        "days_since_sold": [100, NAN, 20, 5],
        "quality": [0.9, 0.7, 0.6, 0.8],
        "sectors": ["X", "X;Y", "Z", ""],
        "countries": ["US", "US", "CH", ""],
    },
}
every_world = pytest.mark.parametrize("options", WORLDS.values(), ids=WORLDS)


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
    if module.kind is Kind.OPPORTUNITY:
        return module.call(ctx, params)
    if module.form == "what_if":
        return list(
            module.call(ctx, table, plan_of(ctx, table), strategies.default().content, params)
        )
    if module.kind is Kind.SEQUENCE:
        return list(
            module.call(ctx, table, np.full((0, ctx.search.max_depth), PAD, dtype=np.int64), params)
        )
    found = module.call(ctx, table, params)
    if module.form == "rank":
        return found, ranked(found, ctx, table)
    return found


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
        told = f"{record.dtype}{record.shape}".encode() + record.tobytes()
    elif isinstance(record, Ranking):
        told = f"at most {record.most}".encode()
    elif is_dataclass(record):
        told = "".join(digest(getattr(record, field.name)) for field in fields(record)).encode()
    elif isinstance(record, Mapping):
        told = "".join(f"{key!r}{digest(value)}" for key, value in record.items()).encode()
    elif isinstance(record, list | tuple):
        told = "".join(map(digest, record)).encode()
    else:
        told = repr(record).encode()
    return hashlib.sha256(told).hexdigest()


def check_sentence(sentence: Sentence) -> None:
    """Every number of a sentence is one of its facts: its template has no digit."""
    literals = "".join(literal for literal, *_ in string.Formatter().parse(sentence.template))
    assert not any(c.isdigit() for c in literals), sentence.template
    assert sentence.text


def check_candidates(found, ctx) -> None:
    assert isinstance(found, list)
    for candidate in found:
        assert isinstance(candidate, Candidate)
        i = ctx.symbols.index(candidate.symbol)
        sign = 1 if candidate.side is Side.BUY else -1
        assert candidate.weights
        assert all(np.isfinite(wanted) and wanted * sign > 0 for wanted in candidate.weights)
        assert all(type(wanted) is float for wanted in candidate.weights)
        assert sorted(map(abs, candidate.weights)) == [abs(wanted) for wanted in candidate.weights]
        assert 0 <= candidate.priority_weight <= 2
        assert ctx.can_buy[i] if sign > 0 else ctx.can_sell[i] and ctx.held[i]
        assert candidate.tags
        check_sentence(candidate.why)
    sides = [(candidate.symbol, candidate.side) for candidate in found]
    assert len(sides) == len(set(sides))


def check_rows(rows, ctx, table) -> None:
    assert rows.dtype == np.int64
    assert rows.ndim == 2
    assert rows.shape[1] == ctx.search.max_depth
    assert not rows.flags.writeable
    assert feasible(table.account, rows).all()
    for row in rows.tolist():
        chosen = [j for j in row if j != PAD]
        assert chosen
        assert row == chosen + [PAD] * (len(row) - len(chosen))
        sides = [bool(table.is_buy[j]) for j in chosen]
        assert sides == sorted(sides)


def check_patterns(found, ctx, table) -> None:
    for rows in found.values() if isinstance(found, Mapping) else [found]:
        check_rows(rows, ctx, table)


def check_ruling(ruling, ctx, table) -> None:
    assert isinstance(ruling, Ruling)
    assert ruling.keep.dtype == np.bool_
    assert ruling.keep.shape == (table.m,)
    assert set(ruling.drops) == set(np.flatnonzero(~ruling.keep).tolist())
    for drop in ruling.drops.values():
        assert drop.rule
        assert drop.value is None or np.isfinite(drop.value)
        check_sentence(drop.why)
    assert {symbol for symbol, _ in ruling.unknown} <= set(ctx.symbols)


def check(module, found, ctx, table) -> None:
    """The declared shape of an answer."""
    if module.kind is Kind.OPPORTUNITY:
        check_candidates(found, ctx)
    elif module.kind is Kind.PATTERN:
        check_patterns(found, ctx, table)
    elif module.form == "what_if":
        for asked in found:
            check_what_if(asked, plan_of(ctx, table), table)
    elif module.kind is Kind.SEQUENCE:
        for block in found:
            check_rows(block, ctx, table)
    elif module.form == "mask":
        check_ruling(found, ctx, table)
    elif module.form == "pairs":
        pairs, ruling = found if isinstance(found, tuple) else (found, None)
        check_pairs(pairs, table)
        if ruling is not None:
            check_ruling(ruling, ctx, table)
    else:
        assert module.form == "rank"
        ranking, values = found
        assert ranking.most >= 1
        assert values.dtype == np.float64
        assert not np.isnan(values).any()


def check_what_if(asked, plan, table) -> None:
    if isinstance(asked, Fill):
        assert asked.parent == plan
        whole = [table.quantity[j] for j in plan]
        assert all(
            0 <= quantity <= most for quantity, most in zip(asked.quantities, whole, strict=True)
        )
        assert 0 < sum(asked.quantities) < sum(whole)
        check_sentence(asked.why)
    else:
        assert isinstance(asked, Loosening)
        assert asked.name
        assert "." in asked.setting
        assert asked.now != asked.then


def check_pairs(pairs, table) -> None:
    assert pairs.dtype == np.bool_
    assert pairs.shape == (table.m, table.m)
    assert (pairs == pairs.T).all()
    assert not pairs.diagonal().any()
    assert not pairs.flags.writeable


def fires(module, found) -> bool:
    """Does an answer do anything?"""
    if module.form == "mask":
        return not found.keep.all()
    if module.form == "pairs":
        return bool((found[0] if isinstance(found, tuple) else found).any())
    if module.form == "rank":
        return len(set(found[1].tolist())) > 1
    return len(found) > 0


@every_module
@every_world
def test_the_answer_has_its_declared_shape_on_any_portfolio(module, options):
    ctx = context(**options)
    table = of(ctx)

    check(module, answer(module, ctx, table), ctx, table)


@every_module
@every_world
def test_the_inputs_are_not_changed(module, options):
    ctx = context(**options)
    table = of(ctx)
    before = digest(ctx), digest(table)
    assert read_only(ctx)
    assert read_only(table)

    answer(module, ctx, table)

    assert (digest(ctx), digest(table)) == before


@every_module
@every_world
def test_the_same_inputs_give_the_same_answer_twice(module, options):
    first, second = (
        answer(module, ctx, of(ctx)) for ctx in (context(**options), context(**options))
    )

    assert digest(first) == digest(second)


@every_module
def test_there_are_inputs_on_which_a_module_fires(module):
    ctx, table = CASES[module.kind, module.name].world()

    found = answer(module, ctx, table)

    check(module, found, ctx, table)
    assert fires(module, found)


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
    known = {(module.kind, module.name): module for module in MODULES}

    assert set(CASES) == set(known)
    for key, case in CASES.items():
        assert set(case.changes) <= set(known[key].params.model_fields)


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
