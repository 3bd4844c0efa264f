"""Errors as data: each place that makes an error names its kind, and each kind once."""

from __future__ import annotations

import importlib.util
import pickle
from collections import defaultdict
from types import ModuleType

import pytest

from builders.paths import ROOT
from steelyard import errors
from steelyard.errors import Fault, InputError, RejectedRow, RowsRejected, SteelyardError, each

PACKAGE = ROOT / "src" / "steelyard"


@pytest.fixture(scope="module")
def make_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_place_that_makes_an_error_gives_it_a_code_of_its_own(make_docs: ModuleType):
    sites = make_docs.raised(PACKAGE)

    assert len(sites) > 200
    assert [f"{site.where} {site.kind}" for site in sites if not site.coded] == []


def test_a_line_that_a_function_rejects_has_a_code_and_its_reason(make_docs: ModuleType):
    lines = {site.code: site.sentence for site in make_docs.rejected(PACKAGE)}

    codes = {"value_differs", "two_prices", "two_rates", "same_lot", "same_cash", "mixed_percent"}
    assert codes | {"long_and_short", "weight_over_1"} <= lines.keys()
    assert [code for code, sentence in lines.items() if not sentence.strip("… ")] == []


def test_a_code_is_of_one_kind_of_error(make_docs: ModuleType):
    kinds = defaultdict(set)
    for site in make_docs.raised(PACKAGE):
        kinds[site.code].add(site.kind)
    of_classes = {kind.code for kind in make_docs.KINDS_OF_ERRORS.values()}

    assert {code: names for code, names in kinds.items() if len(names) > 1} == {}
    assert [
        code for code in kinds if not code.replace("_", "a").isalnum() or not code.islower()
    ] == []
    assert len(of_classes) == len(make_docs.KINDS_OF_ERRORS)


def test_an_error_of_a_command_a_file_or_a_variable_names_its_place(make_docs: ModuleType):
    bare = [
        site.where
        for site in make_docs.raised(PACKAGE)
        if site.where.startswith(("cli/", "strategies/files/", "environment.py", "telemetry/"))
        and "place" not in site.words
    ]

    assert bare == []


def test_an_error_has_its_words_and_figures_for_programs():
    error = InputError("too many", code="many", place="h.csv", value=7, limit=5, hint="fewer")

    assert error.fault == Fault("many", "too many", "h.csv", "7", "5", "fewer")
    assert error.faults == (error.fault,)
    assert SteelyardError("x").fault == Fault("error", "x")
    assert errors.UnknownModule("x").fault.code == "unknown_module"


def test_an_error_of_several_things_has_a_fault_for_each():
    error = InputError("two", code="cash", faults=each("cash", ["a", "b"], "books"))
    rows = RowsRejected(
        [RejectedRow("h.csv", 3, "no", "bad", "price", "x"), RejectedRow("h", 4, "n")]
    )

    assert [(fault.message, fault.place) for fault in error.faults] == [
        ("a", "books"),
        ("b", "books"),
    ]
    assert [fault.place for fault in rows.faults] == ["h.csv line 3, column price", "h line 4"]
    assert rows.fault.code == "rows_rejected"


def test_an_error_survives_the_way_between_two_processes():
    error = InputError("too many", code="many", place="h.csv", value=7)

    assert pickle.loads(pickle.dumps(error)).fault == error.fault
