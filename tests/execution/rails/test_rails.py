"""Every rail at its limits, without its data, with data that fails: what is not sound blocks."""

from __future__ import annotations

import inspect
from collections import Counter

import pytest
from tests.builders import rails as build
from tests.execution.rails.table import BASES, answer, cases, spoiled, used

from steelyard.execution import rails
from steelyard.execution.configuration import BUILT_IN, TIGHTER_IF_LARGER
from steelyard.execution.rails import RAILS, Pass, ask, blocks, judge
from steelyard.execution.settings import Limits


def verdict(name, facts):
    return ask(next(rail for rail in RAILS if rail.name == name), facts).verdict


@pytest.mark.parametrize("name", [rail.name for rail in RAILS])
def test_a_rail_passes_and_blocks_exactly_where_its_limits_are(name):
    table = [case for case in cases() if case.rail == name]

    wrong = [f"{case}; it says {answer(case)}" for case in table if answer(case) != case.code]

    assert table
    assert not wrong


def test_every_code_of_a_rail_is_provoked_and_no_other():
    provoked = {(case.rail, case.code) for case in cases() if case.code}

    named = {(rail.name, code) for rail in RAILS for code in rail.codes}

    own = {(rail, code) for rail, code in provoked if not code.startswith(f"{rail}_unknown")}
    assert own == named


def test_no_two_rails_share_a_name_or_a_code():
    names = Counter(rail.name for rail in RAILS)
    codes = Counter(code for rail in RAILS for code in {*rail.codes, f"{rail.name}_unknown"})

    assert names.most_common(1)[0][1] == codes.most_common(1)[0][1] == 1


def test_every_rail_that_is_written_is_asked():
    files = [module for _, module in inspect.getmembers(rails, inspect.ismodule)]

    written = [
        x for file in files for _, x in inspect.getmembers(file) if isinstance(x, rails.Rail)
    ]

    assert {rail.name for rail in written} == {rail.name for rail in RAILS}


def test_before_an_order_all_rails_are_asked_and_before_a_run_those_of_a_run():
    facts = build.live()

    assert [each.rail for each in judge(facts, "order")] == [rail.name for rail in RAILS]
    runs = [rail.name for rail in RAILS if rail.scope == "run"]
    assert [each.rail for each in judge(facts, "run")] == runs
    assert len(runs) > 15


@pytest.mark.parametrize("base", BASES)
def test_facts_that_are_well_are_let_through_whole(base):
    facts = getattr(build, base)()

    assert blocks(judge(facts, "order")) == ()
    assert blocks(judge(build.changed(facts, {"order": None}), "run")) == ()


def test_every_rail_of_an_order_blocks_without_one():
    judged = judge(build.changed(build.live(), {"order": None}), "order")

    blocked = {each.rail for each in blocks(judged)}

    # these look at an order only where a limit is set, or at the last one
    without = {"pace", "position", "sector"}
    assert blocked == {rail.name for rail in RAILS if rail.scope == "order"} - without


@pytest.mark.parametrize("base", BASES)
def test_a_datum_that_fails_when_it_is_used_blocks_with_a_code_of_its_own(base):
    assert {rail for rail, _, _ in used(base)} == {rail.name for rail in RAILS}


def test_a_datum_that_is_missing_or_no_number_blocks_every_rail_that_uses_it():
    table = spoiled()

    passed = {str(case) for case in table if answer(case) is None}

    assert len(table) > 400
    assert passed == set()


def test_limits_that_are_no_numbers_are_refused_where_they_are_read():
    for mode in (BUILT_IN.limits.paper, BUILT_IN.limits.live):
        for name, value in mode:
            if value is not None:
                with pytest.raises(ValueError, match=r"finite|int|decimal|instance"):
                    type(mode)(**{name: float("nan")})


def test_every_limit_is_obeyed_by_a_rail_and_every_rail_names_limits_that_there_are():
    named = {each for rail in RAILS for each in rail.settings if each.startswith("limits.")}

    assert named == {f"limits.{name}" for name in Limits.model_fields}


def test_a_tighter_limit_never_lets_more_through():
    names = {rail.name: [x.removeprefix("limits.") for x in rail.settings] for rail in RAILS}
    count = 0
    for case in cases():
        limits = case.facts().limits
        for name in names[case.rail]:
            if case.code is None or getattr(limits, name, None) is None:
                continue
            value = getattr(limits, name)
            tighter = value * 2 if name in TIGHTER_IF_LARGER else value / 2
            facts = build.changed(case.facts(), {f"limits.{name}": tighter})
            assert not isinstance(verdict(case.rail, facts), Pass), f"{case}, {name} {tighter}"
            count += 1

    assert count > 100
