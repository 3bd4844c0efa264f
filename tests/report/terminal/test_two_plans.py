"""The difference of two plans in a terminal of any width."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from builders import plan_pairs as pairs
from builders.plans import HOSTILE, growth
from steelyard.plans.diff import compare
from steelyard.plans.plan import seal
from steelyard.report.terminal import show_plan_diff


def shown(a, b, width=80) -> str:
    out = io.StringIO()
    show_plan_diff(compare(a, b), Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize("width", [50, 80, 160])
def test_no_line_is_wider_than_the_window_whatever_two_plans(width):
    for a, b in pairs.any_two():
        assert max(map(cell_len, shown(a, b, width).splitlines())) <= width


def test_the_answer_stands_first_then_trades_money_score_and_inputs():
    text = shown(growth(), pairs.narrow())
    heads = ["Two plans of core", "A  core", "B  core", "Orders: ", "Trades: ", "Money, USD"]
    heads += ["Score", "What went in and is not the same"]
    places = [text.index(head) for head in heads]

    assert places == sorted(places)
    assert "limits.max_turnover_weight  none  0.1" in text


def test_the_same_plan_is_told_in_a_few_lines():
    text = shown(growth(), growth())

    assert "A and B are the same plan." in text
    assert len(text.splitlines()) <= 7


def test_hostile_text_is_shown_and_never_obeyed():
    step = growth().steps[0].model_copy(update={"name": HOSTILE, "reason_template": HOSTILE})
    hostile = seal(growth().model_copy(update={"steps": (step,), "bucket": HOSTILE}))

    for text in (shown(hostile, pairs.narrow()), shown(pairs.narrow(), hostile)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\u001b[31m" in text
