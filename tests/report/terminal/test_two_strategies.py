"""The difference of two strategies in a terminal."""

import io

from rich.cells import cell_len
from rich.console import Console

from steelyard.report.terminal import show_strategy_diff
from steelyard.strategies import PRESETS, default, parse, preset
from steelyard.strategies.diff import semantic


def shown(a, b, width=80) -> str:
    out = io.StringIO()
    show_strategy_diff(semantic(a, b), Console(file=out, width=width))
    return out.getvalue()


def test_settings_stand_under_their_tables_old_and_new():
    lines = shown(default(), parse("[limits]\nmax_orders = 3\nallow_buy = false\n", "x"))

    assert [line.split() for line in lines.splitlines()] == [
        ["[limits]"],
        ["allow_buy", "true", "false"],
        ["max_orders", "none", "3"],
    ]


def test_modules_that_only_one_runs_come_first():
    text = shown(default(), preset("aggressive"))

    assert text.startswith("Only the new runs\n  filters.correlation_aware\n")
    assert "Only the old runs" not in text


def test_what_is_inherited_is_marked_and_the_mark_is_explained():
    a, b = (parse(f'preset = "{name}"\n', "x") for name in ("conservative", "aggressive"))
    text = shown(a, b)

    assert text.startswith("The old inherits from conservative, the new from aggressive.")
    assert "filters.diversity" in text
    assert text.count("inherited") > 10
    assert text.rstrip().endswith("neither says it; what they inherit from differs.")


def test_two_that_act_alike_say_so():
    assert shown(default(), default()) == (
        "Both act alike: the same modules run, with the same settings.\n"
    )


def test_no_line_is_wider_than_the_window():
    for name in PRESETS:
        for width in (40, 80):
            assert max(map(cell_len, shown(default(), preset(name), width).splitlines())) <= width
