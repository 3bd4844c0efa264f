"""Two strategies compared, in a terminal: the answer, both sides' figures, snapshot by snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from rich.console import Console

from steelyard.report.exhibits.ab import Line, differences
from steelyard.report.terminal.columns import Column, Row, emit, sentence, table
from steelyard.runs.bootstrap import LEAST, LEVEL, Interval
from steelyard.runs.compare import Comparison, Mean
from steelyard.sentences import SPACE, cased, money, percent, points, signed

HALF = 12
"""Characters of a bar on each side of zero."""
AXIS, BLOCK = "┃", "█"
NOTHING = "none"

ANSWERS = {
    "A": "{a} is better than {b}.",
    "B": "{b} is better than {a}.",
    "tie": "{a} and {b} tie.",
    "none": "Neither of {a} and {b} is better.",
}


def answer(comparison: Comparison) -> str:
    """Who is better, by name; A and B are told apart where both have one name."""
    a, b = comparison.titles
    if a == b:
        a, b = f"{a} (A)", f"{b} (B)"
    return ANSWERS[comparison.outcome].format(a=a, b=b)


def draw(comparison: Comparison, console: Console) -> None:
    """The whole view."""
    width = console.width
    emit(console, sentence(answer(comparison), width, style="bold"))
    emit(console, sentence(cased(comparison.why.text), width))
    for text in sentences(comparison):
        emit(console, sentence(text, width))
    a, b = comparison.titles
    columns = (Column(""), Column(f"A {a}", "right"), Column(f"B {b}", "right"))
    console.print()
    table(console, columns, [Row(cells) for cells in figures(comparison)])
    console.print()
    _draw_snapshots(comparison, console)


def sentences(comparison: Comparison) -> Iterator[str]:
    """Over how many snapshots, and between what the mean difference lies."""
    modes = [name for name, by_mode in zip("AB", comparison.by_mode, strict=True) if by_mode]
    if modes:
        yield (
            "Both are judged by the score of today, of which the plans of "
            f"{' and '.join(modes)} may give some up: more than that score chooses them."
        )
    count, both = len(comparison.snapshots), len(comparison.both)
    if count != both:
        yield f"Both have a plan of {both} of {count} snapshots; the figures are of these."
    if comparison.under_a is None or comparison.under_b is None:
        if count > 1:
            yield f"No interval: {LEAST} snapshots are the least for one, and {both} count."
        return
    under = zip(("A's", "B's"), (comparison.under_a, comparison.under_b), strict=True)
    ranges = " and ".join(f"{_range(interval)} under {name} scoring" for name, interval in under)
    block = comparison.under_a.block
    yield (
        f"The mean of A less B lies with {percent(LEVEL, 0)}{SPACE}% between {ranges} (points; "
        f"blocks of {block} of {both} snapshots)."
    )


def _range(interval: Interval) -> str:
    return f"{signed(interval.low, 2)} and {signed(interval.high, 2)}"


def figures(comparison: Comparison) -> Iterator[tuple[str, str, str]]:
    """What is compared, A, B: over the snapshots that both planned."""
    sides = comparison.a, comparison.b
    currencies = {case.currency for case in comparison.both if case.currency}
    of = f", {next(iter(currencies))}" if len(currencies) == 1 else ""
    for name, form in FIGURES:
        a, b = (NOTHING if side is None else form(side) for side in sides)
        yield f"{name}{of if name in OF_MONEY else ''}", a, b


def _money(amount: Decimal | None) -> str:
    return "several currencies" if amount is None else money(amount)


def _steps(side: Mean) -> str:
    return f"{side.steps:.0f}" if side.steps == round(side.steps) else f"{side.steps:.1f}"


FIGURES: tuple[tuple[str, Callable[[Mean], str]], ...] = (
    ("score under its own scoring", lambda side: points(side.score)),
    ("score under the other's", lambda side: points(side.score_under_other)),
    ("orders", _steps),
    ("cash required", lambda side: _money(side.cash_required)),
    ("turnover", lambda side: f"{percent(side.turnover)}{SPACE}%"),
    ("cost", lambda side: _money(side.cost)),
    ("drift after", lambda side: _drift(side.drift)),
    ("seconds", lambda side: f"{side.seconds:.2f}"),
)


OF_MONEY = ("cash required", "cost")
"""Figures in base currency, which is named where all snapshots have one."""


def _drift(drift: float | None) -> str:
    return NOTHING if drift is None else f"{percent(drift)}{SPACE}pp"


def _draw_snapshots(comparison: Comparison, console: Console) -> None:
    columns = (
        Column("Snapshot"),
        Column("Outcome"),
        Column("A less B by A's", "right", drop=1),
        Column("", drop=3),
        Column("by B's", "right", drop=2),
    )
    picture = differences(comparison)
    lines = [*picture.lines, *([] if picture.mean is None else [picture.mean])]
    table(console, columns, [_row(line, picture.scale.high) for line in lines])
    if picture.hidden:
        more = f"{picture.hidden} snapshots between them are not shown; --json has them."
        emit(console, sentence(more, console.width))


def _row(line: Line, reach: float) -> Row:
    if line.bars is None:
        return Row((line.label, line.outcome, "", "", ""), line.notes)
    by_a, by_b = (bar.value for bar in line.bars)
    cells = (signed(by_a, 2), strip(by_a, reach), signed(by_b, 2))
    return Row((line.label, line.outcome, *cells), line.notes)


def strip(value: float, reach: float) -> str:
    """A bar to the right of an axis for more than 0, to the left for less.

    >>> strip(-0.5, 1.0)
    '      ██████┃            '
    """
    length = round(HALF * min(1.0, abs(value) / reach))
    left, right = (length, 0) if value < 0 else (0, length)
    return f"{BLOCK * left:>{HALF}}{AXIS}{BLOCK * right:<{HALF}}"
