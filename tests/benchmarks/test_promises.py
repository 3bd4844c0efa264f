"""The promises of the store: their figures, their page, and that their mutants are noticed."""

import math

import pytest
from benchmarks.promises import page, run
from benchmarks.promises.figures import Figure, read_line, upper_bound
from benchmarks.promises.script import timed


def test_a_line_says_what_was_measured_and_is_read_again():
    figure = Figure("C1", 800, 0, 12.5, "SQLite and PostgreSQL")

    assert str(figure) == (
        "PROMISE C1 trials=800 bad=0 ub95=0.0037 seconds=12.5 note=SQLite and PostgreSQL"
    )
    assert read_line(str(figure)) == figure
    assert read_line("PROMISE C9 is nothing") is None


@pytest.mark.parametrize("trials", [10, 200, 100_000])
def test_without_a_breach_the_bound_is_about_3_of_the_trials(trials):
    assert upper_bound(trials, 0) == pytest.approx(1 - 0.05 ** (1 / trials), rel=1e-6)
    assert upper_bound(trials, 0) <= 3 / trials


def test_the_bound_leaves_exactly_5_in_100_to_so_few_breaches():
    bound = upper_bound(50, 3)
    chance = sum(math.comb(50, k) * bound**k * (1 - bound) ** (50 - k) for k in range(4))

    assert chance == pytest.approx(0.05, rel=1e-6)
    assert upper_bound(7, 7) == 1


def test_the_page_is_what_its_lines_and_the_scripts_words_make_of_it():
    text = page.PAGE.read_text(encoding="utf-8")

    assert page.page(run.SCRIPTS, page.lines_of(text)) == text


def test_the_page_has_a_figure_of_every_promise_and_none_is_broken():
    lines = page.lines_of(page.PAGE.read_text(encoding="utf-8"))
    figures = [figure for figure in map(read_line, lines) if figure is not None]

    assert {figure.promise for figure in figures} == {*run.SCRIPTS}
    assert [figure for figure in figures if figure.bad or not figure.trials] == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", run.SCRIPTS)
def test_the_mutant_of_a_promise_is_noticed(name):
    figure = timed(run.SCRIPTS[name].measure, "ci", mutant=True)

    assert figure.bad > 0
